"""The host's counts for Prometheus, taken from DescribeHost whenever they are asked for."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from pyflow_api.v1 import activity_host_pb2 as host_pb

from pyflow_host.addresses import Address
from pyflow_host.errors import BadOptions, CannotListen

try:
    from prometheus_client import CollectorRegistry, make_wsgi_app
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
    from prometheus_client.registry import Collector
except ImportError as error:  # an extra of the distribution; without it the option is refused
    _MISSING: ImportError | None = error
    Collector = object  # type: ignore[assignment,misc]
else:
    _MISSING = None

ASKED_WITHIN_S = 10.0
"""A connection that has asked for nothing by then is closed."""
_COUNTERS = {
    "polls_opened": "Polls sent to SWF",
    "tasks_received": "Tasks received from SWF",
    "tasks_resumed": "Tasks taken over from an earlier or another host",
    "tasks_dispatched": "Tasks sent to workers",
    "tasks_reported": "Tasks whose end SWF has recorded",
    "tasks_gone": "Tasks SWF closed by itself first",
    "tasks_lost": "Tasks whose end could not be reported",
}


class HostCollector(Collector):
    """Asks for a description at each scrape."""

    def __init__(
        self, describe: Callable[[], host_pb.DescribeHostResponse], worker_ends: Callable[[], dict[str, int]]
    ) -> None:
        self._describe = describe
        self._worker_ends = worker_ends

    def collect(self) -> Iterator[Metric]:
        """See prometheus_client."""
        told = self._describe()
        for name, help_text in _COUNTERS.items():
            yield CounterMetricFamily(f"pyflow_host_{name}", help_text, value=getattr(told.ledger, name))
        yield GaugeMetricFamily("pyflow_host_tasks_held", "Tasks held now", value=told.ledger.tasks_held)
        yield GaugeMetricFamily("pyflow_host_draining", "1 while the host takes no new tasks", value=told.draining)
        workers = GaugeMetricFamily("pyflow_host_workers", "Connected workers", labels=["language"])
        for language, count in sorted(Counter(worker.language for worker in told.workers).items()):
            workers.add_metric([language], count)
        yield workers
        credits = GaugeMetricFamily("pyflow_host_credits", "Free credits", labels=["domain", "task_list"])
        free: Counter[tuple[str, str]] = Counter()
        for worker in told.workers:
            free[worker.domain, worker.task_list] += worker.credits
        for (domain, task_list), count in sorted(free.items()):
            credits.add_metric([domain, task_list], count)
        yield credits
        help_text = "Ends of supervised workers that nobody asked for; each is followed by another start"
        ends = CounterMetricFamily("pyflow_host_worker_ends", help_text, labels=["worker"])
        for name, count in sorted(self._worker_ends().items()):
            ends.add_metric([name], count)
        yield ends


class MetricsServer:
    """Serves /metrics in a thread of its own."""

    def __init__(
        self,
        address: str,
        describe: Callable[[], host_pb.DescribeHostResponse],
        worker_ends: Callable[[], dict[str, int]],
    ) -> None:
        """`describe` and `worker_ends` are called from another thread. Raises BadOptions and CannotListen."""
        if _MISSING is not None:
            raise BadOptions("Metrics need prometheus-client: pip install 'pyflow-swf[metrics]'.") from _MISSING
        wanted = Address.parsed(address)
        if wanted.path is not None:
            raise BadOptions("Metrics are served on host:port, not on a Unix socket.")
        registry = CollectorRegistry()
        registry.register(HostCollector(describe, worker_ends))
        try:
            family = socket.getaddrinfo(wanted.host, wanted.port, type=socket.SOCK_STREAM)[0][0]
            kind = _ServerOf6 if family == socket.AF_INET6 else _Server
            self._server = make_server(wanted.host, wanted.port, make_wsgi_app(registry), kind, _Quiet)
        except OSError as error:
            raise CannotListen(f"{address} cannot be listened on for metrics: {error.strerror}.") from error
        self.url = f"http://{wanted.with_port(self._server.server_port)}/metrics"
        threading.Thread(target=self._server.serve_forever, name="metrics", daemon=True).start()

    def close(self) -> None:
        """Serve no longer."""
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingMixIn, WSGIServer):
    """A thread for each connection: one that asks for nothing must hold up neither scrapes nor the host's end."""

    daemon_threads = True


class _ServerOf6(_Server):
    address_family = socket.AF_INET6


class _Quiet(WSGIRequestHandler):
    timeout = ASKED_WITHIN_S

    def log_message(self, format: str, *arguments: object) -> None:
        """Scrapes are no news."""
