"""Prometheus metrics of a decider. Needs the optional extra `pyflow-swf[metrics]`.

observer = PrometheusObserver()                 registers its metrics with the default registry
Decider(..., observer=observer)
serve_metrics(9464)                             http://localhost:9464/metrics
"""

from __future__ import annotations

import dataclasses
import errno
import json
import socket
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from pyflow.deciding.holds import HoldEntry
from pyflow.deciding.maker import Decided
from pyflow.deciding.observer import Observer
from pyflow.deciding.task import DecisionTask
from pyflow.swf.faults import SwfError, Throttled

try:
    from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, make_wsgi_app
except ImportError as error:
    raise ImportError("pyflow.metrics needs prometheus-client: pip install 'pyflow-swf[metrics]'") from error

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["PrometheusObserver", "serve_metrics"]

SECONDS_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)
ASKED_WITHIN_S = 10.0
"""A connection that has asked for nothing by then is closed: its thread is for others."""
EVENTS_BUCKETS = (3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 18_000, 25_000)


class PrometheusObserver(Observer):
    """Counts what happens in a decider. One for a process: metric names can be registered only once a registry.

    pyflow_polls_total{task_list_kind, result}    shared or sticky; task or empty
    pyflow_poll_failures_total{error}             by kind of SwfError
    pyflow_call_failures_total{operation, error}  attempts of other calls that failed; most are tried again
    pyflow_throttles_total                        polls and other calls refused for the account's rate
    pyflow_decision_tasks_total{workflow, cache}  answered tasks; cache hit or miss (a miss is a replay from event 1)
    pyflow_decisions_total{workflow, decision}    decisions sent, by decision type
    pyflow_decision_seconds{workflow}             from the poll's answer to SWF's receipt
    pyflow_events_total{workflow}                 events read by the core
    pyflow_history_events{workflow}               length of histories when a task is answered
    pyflow_histories_read_total                   whole histories fetched because the cache had lost the execution
    pyflow_unanswered_total{reason}               tasks that could not be answered
    pyflow_holds_total{kind}, pyflow_held_executions, pyflow_blocked_total, pyflow_cached_executions
    """

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"pyflow_{name}", text, labels, registry=registry)

        self._polls = counter("polls", "Polls answered", "task_list_kind", "result")
        self._poll_failures = counter("poll_failures", "Polls failed", "error")
        self._call_failures = counter("call_failures", "Attempts of other calls that failed", "operation", "error")
        self._throttles = counter("throttles", "Polls and other calls refused for the account's rate")
        self._tasks = counter("decision_tasks", "Decision tasks answered", "workflow", "cache")
        self._decisions = counter("decisions", "Decisions sent", "workflow", "decision")
        self._events = counter("events", "History events read by the core", "workflow")
        self._histories = counter("histories_read", "Whole histories fetched after a cache miss")
        self._unanswered = counter("unanswered", "Decision tasks that could not be answered", "reason")
        self._holds = counter("holds", "Decision tasks held", "kind")
        self._blocked = counter("blocked", "Decisions whose workflow code did not come back in time")
        self._seconds = Histogram(
            "pyflow_decision_seconds",
            "From the poll's answer to SWF's receipt",
            ("workflow",),
            buckets=SECONDS_BUCKETS,
            registry=registry,
        )
        self._length = Histogram(
            "pyflow_history_events",
            "Length of a history when its task is answered",
            ("workflow",),
            buckets=EVENTS_BUCKETS,
            registry=registry,
        )
        self._cached_now = Gauge("pyflow_cached_executions", "Executions kept now", registry=registry)
        self._held_now = Gauge("pyflow_held_executions", "Executions held now", registry=registry)

    def polled(self, task_list: str, *, empty: bool) -> None:
        """See `Observer.polled`."""
        self._polls.labels("sticky" if "~" in task_list else "shared", "empty" if empty else "task").inc()

    def poll_failed(self, error: SwfError) -> None:
        """See `Observer.poll_failed`."""
        self._poll_failures.labels(type(error).__name__).inc()
        if isinstance(error, Throttled):
            self._throttles.inc()

    def answered(self, task: DecisionTask, decided: Decided, *, seconds: float) -> None:
        """See `Observer.answered`."""
        workflow = task.workflow_type[0]
        self._tasks.labels(workflow, "hit" if decided.from_cache else "miss").inc()
        for decision in decided.decisions:
            self._decisions.labels(workflow, decision["decisionType"]).inc()
        self._events.labels(workflow).inc(decided.new_events)
        self._length.labels(workflow).observe(decided.history_length)
        self._seconds.labels(workflow).observe(seconds)

    def call_failed(self, operation: str, error: SwfError) -> None:
        """See `Observer.call_failed`."""
        self._call_failures.labels(operation, type(error).__name__).inc()
        if isinstance(error, Throttled):
            self._throttles.inc()

    def not_answered(self, task: DecisionTask, kind: str) -> None:
        """See `Observer.not_answered`."""
        self._unanswered.labels(kind).inc()

    def held(self, task: DecisionTask, kind: str) -> None:
        """See `Observer.held`."""
        self._holds.labels(kind).inc()

    def history_read(self, task: DecisionTask, events: int) -> None:
        """See `Observer.history_read`."""
        self._histories.inc()

    def blocked(self, task: DecisionTask) -> None:
        """See `Observer.blocked`."""
        self._blocked.inc()

    def gauges(self, *, cached: int, held: int) -> None:
        """See `Observer.gauges`."""
        self._cached_now.set(cached)
        self._held_now.set(held)


def serve_metrics(
    port: int,
    *,
    address: str = "127.0.0.1",
    ports: int = 1,
    registry: CollectorRegistry = REGISTRY,
    holds: Callable[[], Sequence[HoldEntry]] | None = None,
) -> int:
    """Serve the registry's metrics at http://address:port/metrics from a thread of its own; returns the port.

    With `holds` (`DeciderWorker.holds`) the held executions are at /holds, as JSON, for `pyflow why --decider`.
    With `ports` above 1 it is the first free one of so many from `port` on: several processes of one command take one
    each, and one that takes a dead process's place takes its port. Raises OSError when none can be had.
    """
    page = make_wsgi_app(registry)
    application = page if holds is None else _with_holds(page, holds)
    for candidate in range(port, port + ports):
        try:
            server = _serve(application, address, candidate)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or candidate == port + ports - 1:
                raise
        else:
            return server.server_port
    raise ValueError(f"ports is {ports}; it must be at least 1")


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _ServerOf6(_Server):
    address_family = socket.AF_INET6


class _Silent(WSGIRequestHandler):
    timeout = ASKED_WITHIN_S

    def log_message(self, format: str, *args: object) -> None:
        """A scrape every few seconds is nothing to log."""


def _serve(application: WSGIApplication, address: str, port: int) -> WSGIServer:
    family = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0][0]
    kind = _ServerOf6 if family == socket.AF_INET6 else _Server
    server = make_server(address, port, application, server_class=kind, handler_class=_Silent)
    threading.Thread(target=server.serve_forever, name="pyflow-metrics", daemon=True).start()
    return server


def _with_holds(page: WSGIApplication, holds: Callable[[], Sequence[HoldEntry]]) -> WSGIApplication:
    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("PATH_INFO") != "/holds":
            return page(environ, start_response)
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps([_as_read_elsewhere(entry) for entry in holds()]).encode()]

    return application


def _as_read_elsewhere(entry: HoldEntry) -> dict[str, Any]:
    """Moments of this process's own clock as epoch seconds."""
    epoch_s = time.time() - time.monotonic()
    return {
        **dataclasses.asdict(entry),
        "next_try_s": entry.next_try_s + epoch_s,
        "seen_s": entry.seen_s + epoch_s,
    }
