"""`pyflow decider`: runs the code of workflow classes, in one process or several."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pyflow.deciding.observer import Observer, Observers
from pyflow.deciding.processes import ProcessesFailed, run_processes
from pyflow.exceptions import PyflowException
from pyflow.swf import SwfError
from pyflow.worker import DeciderWorker, WorkerSettings
from pyflow.workflow import Workflow

from pyflow_console.arguments import Commands, add_domain, add_log_level, declare, host_and_port
from pyflow_console.errors import BadArgument, ConsoleError
from pyflow_console.logs import log_to_stderr
from pyflow_console.payload_options import add_payload_options, payload_settings
from pyflow_console.reaching import client_for
from pyflow_console.targets import load_class
from pyflow_console.traces import add_traces, tracer_provider

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.id_generator import IdGenerator

PROCESSES_MAX = 64
THREADS_MAX = 64
NOT_DONE = 2

DEFAULTS = WorkerSettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What each process does; it can be sent to a fresh one."""

    classes: tuple[str, ...]
    domain: str
    task_list: str
    identity: str | None
    max_time_s: float | None
    log_level: str
    settings: WorkerSettings
    codecs: tuple[str, ...]
    large_payloads: str | None
    traces: str | None
    metrics: tuple[str, int] | None
    """Host and first port to serve metrics on; each process takes one of as many ports as there are processes."""
    processes: int


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = declare(commands, "decider", run, "run workflow classes: poll for decision tasks and answer them")
    parser.add_argument("classes", nargs="+", metavar="MODULE:CLASS", help="a workflow class, such as orders:Order")
    add_domain(parser)
    parser.add_argument("--task-list", required=True, help="the task list to poll")
    parser.add_argument("--processes", type=_processes, default=1, help="how many processes decide (default 1)")
    parser.add_argument("--identity", help="what histories call this decider; default: machine and process id")
    parser.add_argument("--max-time", type=float, metavar="SECONDS", help="end after so long; default: run for ever")
    parser.add_argument(
        "--max-cached-executions",
        type=_cached,
        metavar="N",
        default=DEFAULTS.max_cached_executions,
        help="executions each process keeps between their decisions; 0: replay every one from its beginning "
        f"(default {DEFAULTS.max_cached_executions})",
    )
    parser.add_argument(
        "--poll-threads",
        type=_threads,
        metavar="N",
        default=DEFAULTS.poll_threads,
        help=f"polls of the task list under way at once in each process (default {DEFAULTS.poll_threads})",
    )
    parser.add_argument(
        "--decision-threads",
        type=_threads,
        metavar="N",
        default=DEFAULTS.decision_threads,
        help="threads that run workflow code in each process; for more cores use --processes "
        f"(default {DEFAULTS.decision_threads})",
    )
    parser.add_argument(
        "--metrics-address",
        type=host_and_port,
        metavar="HOST:PORT",
        help="serve Prometheus metrics (/metrics) and the held executions (/holds) there, each of several processes on "
        "a port of its own from PORT on; default: none. Needs pip install 'pyflow-swf[metrics]'",
    )
    add_payload_options(parser)
    add_traces(parser)
    add_log_level(parser)


def run(arguments: argparse.Namespace) -> int:
    """Decide until SIGTERM or SIGINT; then what is under way is finished. Raises ConsoleError, SwfError."""
    load_classes(arguments.classes)
    payload_settings(arguments.codecs, arguments.large_payloads)  # what is wrong with them is told before all else
    client_for(arguments.domain)
    work = Work(
        classes=tuple(arguments.classes),
        domain=arguments.domain,
        task_list=arguments.task_list,
        identity=arguments.identity,
        max_time_s=arguments.max_time,
        log_level=arguments.log_level,
        settings=WorkerSettings(
            max_cached_executions=arguments.max_cached_executions,
            poll_threads=arguments.poll_threads,
            decision_threads=arguments.decision_threads,
        ),
        codecs=tuple(arguments.codecs),
        large_payloads=arguments.large_payloads,
        traces=arguments.traces,
        metrics=arguments.metrics_address,
        processes=arguments.processes,
    )
    if work.processes == 1:
        decide(work)
        return 0
    log_to_stderr(work.log_level)
    try:
        run_processes(work.processes, decide_apart, (work,), {})
    except ProcessesFailed as error:
        raise ConsoleError(str(error)) from error
    return 0


def load_classes(targets: Sequence[str]) -> list[type]:
    """The workflow classes of MODULE:CLASS arguments. Raises BadArgument."""
    return [load_class(target, Workflow) for target in targets]


def decide(work: Work) -> None:
    """The work of one process, which may be a fresh one. Raises ConsoleError, SwfError."""
    log_to_stderr(work.log_level)
    classes = load_classes(work.classes)
    settings = replace(work.settings, execution=payload_settings(work.codecs, work.large_payloads))
    with ExitStack() as ending:
        observers = [] if work.metrics is None else [_metrics()]
        if work.traces is not None:
            observers.append(_traces(work.traces, ending))
        try:
            worker = DeciderWorker(
                classes,
                work.domain,
                work.task_list,
                work.identity,
                settings=settings,
                observer=Observers(*observers),
            )
            if work.metrics is not None:
                _serve_metrics(worker, *work.metrics, work.processes)
            worker.run(work.max_time_s)
        except (PyflowException, TypeError, ValueError) as error:
            raise BadArgument(f"these workflow classes cannot be run: {error}") from error


def decide_apart(work: Work) -> None:
    """`decide` in a process of several: failures are told here, as there is nobody above who could."""
    try:
        decide(work)
    except (ConsoleError, SwfError) as error:
        print(f"pyflow: {error}", file=sys.stderr)
        raise SystemExit(NOT_DONE) from error


def _traces(exporter: str, ending: ExitStack) -> Observer:
    """Spans of this process's decisions; what is not exported yet is at the end."""

    def ids() -> IdGenerator:
        from pyflow.tracing import RunIds

        return RunIds()

    provider = tracer_provider(exporter, ids, "pyflow-decider")
    ending.callback(provider.shutdown)
    from pyflow.tracing import TracingObserver

    return TracingObserver(provider.get_tracer("pyflow"))


def _metrics() -> Observer:
    try:
        from pyflow.metrics import PrometheusObserver
    except ImportError as error:
        raise BadArgument(f"--metrics-address: {error}") from error
    return PrometheusObserver()


def _serve_metrics(worker: DeciderWorker, host: str, port: int, processes: int) -> None:
    from pyflow.metrics import serve_metrics

    try:
        served = serve_metrics(port, address=host, ports=processes if port else 1, holds=worker.holds)
    except OSError as error:
        raise BadArgument(
            f"--metrics-address {host}:{port} cannot be listened on: {error.strerror or error}"
        ) from error
    logging.getLogger("pyflow").info("Metrics: http://%s:%d/metrics", f"[{host}]" if ":" in host else host, served)


def _processes(text: str) -> int:
    return _count(text, "number of processes", 1, PROCESSES_MAX)


def _threads(text: str) -> int:
    return _count(text, "number of threads", 1, THREADS_MAX)


def _cached(text: str) -> int:
    return _count(text, "number of executions", 0, None)


def _count(text: str, what: str, least: int, most: int | None) -> int:
    if not text.isdecimal() or int(text) < least or (most is not None and int(text) > most):
        limits = f"from {least} on" if most is None else f"from {least} to {most}"
        raise argparse.ArgumentTypeError(f"{text!r} is no {what} {limits}")
    return int(text)
