"""The decider as a process runs it: `Decider`, `poll_for_executions` (pyflow-swf 2.0.0) and `DeciderWorker`."""

from __future__ import annotations

import gc
import logging
import os
import secrets
import signal
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING

from pyflow.core.values import ExecutionSettings
from pyflow.deciding.classes import WorkflowClasses
from pyflow.deciding.compat import decide_once, one_by_one
from pyflow.deciding.handler import TaskHandler
from pyflow.deciding.holds import HoldBook, HoldEntry
from pyflow.deciding.lane import Busy, Lane
from pyflow.deciding.maker import DecisionMaker
from pyflow.deciding.observer import Observer
from pyflow.deciding.own_polls import OwnPolls
from pyflow.deciding.own_tasks import ASIDE_THREADS, OwnTasks
from pyflow.deciding.processes import run_processes
from pyflow.deciding.rates import SWF_RATES, DecisionRates, Rate
from pyflow.deciding.watchdog import BLOCKED_AFTER_S, Watchdog
from pyflow.decision_task_helper import DecisionTaskHelper
from pyflow.swf import (
    JsonObject,
    PollThread,
    SwfConnection,
    SwfError,
    connect,
    ensure_domain,
    is_loopback,
    make_client,
)
from pyflow.swf.api import SwfApi
from pyflow.swf.lean import LeanTransport
from pyflow.swf.limits import NAME_LENGTH_MAX, cut_identity
from pyflow.swf.retry import Repeats
from pyflow.swf.trouble import TroubleLog

if TYPE_CHECKING:
    from mypy_boto3_swf.client import SWFClient

    from pyflow.workflow import Workflow

__all__ = ["Decider", "DeciderWorker", "WorkerSettings", "poll_for_executions"]

logger = logging.getLogger("pyflow")

MAX_CACHED_EXECUTIONS = 10_000
STICKY_SCHEDULE_TO_START_S = 5
GAUGES_EVERY_S = 5.0
AWS_DOMAIN = ".amazonaws.com"
DASHBOARD_URL = (
    "https://{region}.console.aws.amazon.com/swf/home?region={region}#"
    "execution_summary:domain={domain};workflowId={workflow_id};runId={run_id}"
)
"""Where AWS shows an execution."""

GC_THRESHOLD = 20_000
"""New objects between two collections, where Python's default is 700 (2,000): events are many and short-lived."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """How a decider process works. The defaults suit one process on one core.

    poll_threads            polls of the shared task list under way at once
    sticky_polls            polls of each decision thread's own task list under way at once
    decision_threads        threads that run workflow code (they share one interpreter lock: more than one pays only
                            where workflow code waits outside of pyflow)
    max_cached_executions   executions kept between their decision tasks; 0 turns sticky decisions off
    sticky_schedule_to_start_s   how long a task waits for this process before it goes back to the shared task list
    blocked_after_s         workflow code that runs longer without waiting is reported and no longer waited for
    decision_rates          rates of decisions this process may use, by decision type; None means what AWS grants an
                            account (`pyflow.deciding.rates.SWF_RATES`), and no limit where SWF is on this machine
    execution               limits handed to every execution
    """

    poll_threads: int = 2
    sticky_polls: int = 2
    decision_threads: int = 1
    max_cached_executions: int = MAX_CACHED_EXECUTIONS
    sticky_schedule_to_start_s: int = STICKY_SCHEDULE_TO_START_S
    blocked_after_s: float = BLOCKED_AFTER_S
    decision_rates: Mapping[str, Rate] | None = None
    execution: ExecutionSettings | None = None

    def __post_init__(self) -> None:
        for name in ("poll_threads", "decision_threads"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be at least 1")
        if self.max_cached_executions > 0 and self.sticky_polls < 1:
            raise ValueError("sticky_polls must be at least 1 unless max_cached_executions is 0")


class DeciderWorker:
    """Polls a task list and decides, with threads, until it is stopped.

    `start()`, `stop()` and `join()` run it beside other things; `run()` runs it to its end in the calling thread.
    A stop never aborts a poll: SWF would hand a task to it and the task would be lost until its timeout (SWF
    reference 7.6). So the end takes up to 60 s. `register` is called before the first poll, in place of
    `ensure_registered`.
    """

    def __init__(
        self,
        workflow_classes: Iterable[type[Workflow]],
        domain: str,
        task_list: str,
        identity: str | None = None,
        *,
        connection: SwfConnection | None = None,
        settings: WorkerSettings | None = None,
        observer: Observer | None = None,
        register: Callable[[], None] | None = None,
    ) -> None:
        self._classes = WorkflowClasses(workflow_classes)
        self._register = register or self.ensure_registered
        self._domain = domain
        self._task_list = task_list
        self._identity = cut_identity(identity or f"{os.uname().nodename}:{os.getpid()}")
        self._connection = connection or connect()
        self._settings = settings or WorkerSettings()
        self._observer = observer or Observer()
        self._api = SwfApi(self._connection.api.transport, Repeats(on_failed=self._observer.call_failed))
        self._holds = HoldBook()
        self._troubles = TroubleLog(logger)
        self._stopping = threading.Event()
        self._lanes = self._new_lanes()
        self._handler = TaskHandler(
            self._api,
            self._lanes,
            domain=domain,
            task_list=task_list,
            sticky_schedule_to_start_s=self._settings.sticky_schedule_to_start_s,
            holds=self._holds,
            observer=self._observer,
            rates=DecisionRates(self._decision_rates()),
            dashboard=self._dashboard(),
            troubles=self._troubles,
        )
        self._watchdog = Watchdog(
            self._lanes, blocked_after_s=self._settings.blocked_after_s, on_blocked=self._on_blocked
        )
        self._aside = ThreadPoolExecutor(ASIDE_THREADS, thread_name_prefix="pyflow-aside")
        self._own: list[OwnTasks] = []
        self._pollers = [self._poller(self._request(task_list), n) for n in range(self._settings.poll_threads)]
        for lane in self._lanes:
            self._poll_sticky(lane)

    @property
    def sticky_task_lists(self) -> list[str]:
        """The task lists of this process's own, one for each decision thread; none when executions are not kept."""
        return [lane.sticky_task_list for lane in self._lanes if lane.sticky_task_list is not None]

    def holds(self) -> list[HoldEntry]:
        """Executions this process holds now, oldest first."""
        return self._holds.entries(time.monotonic())

    def cached_executions(self) -> int:
        """How many executions are kept now."""
        return sum(lane.cached() for lane in self._lanes)

    def ensure_registered(self) -> None:
        """Register the workflow types, and the domain where SWF is on this machine. Raises `SwfError`."""
        client = self._connection.client
        if is_loopback(self._connection.endpoint):
            ensure_domain(client, self._domain)
        self._classes.register(client, self._domain, self._task_list)

    def start(self) -> None:
        """Register what is missing and begin to poll. Raises `SwfError` when SWF cannot be used at all."""
        self._register()
        logger.info(
            "Beginning to poll for decisions in domain %r, task_list %r (own task lists: %s)",
            self._domain,
            self._task_list,
            ", ".join(self.sticky_task_lists) or "none",
        )
        for lane in self._lanes:
            lane.start()
        self._watchdog.start()
        for poller in self._pollers:
            poller.start()

    def stop(self) -> None:
        """Ask for the end and return at once; executions go back to the shared task list as they are answered."""
        if not self._stopping.is_set():
            logger.info("Stopping: no new polls; those under way are waited for, up to 60 s")
        self._handler.stop_sticking()
        for poller in self._pollers:
            poller.stop()
        for own in self._own:
            own.stop()
        self._stopping.set()

    def join(self) -> None:
        """Wait for the end after `stop()`: polls waited out, decisions at hand answered."""
        for poller in self._pollers:
            poller.join()
        for own in self._own:
            own.wait_until_drained()
        self._aside.shutdown(wait=True)
        self._watchdog.stop()
        for lane in self._lanes:
            if not lane.end(timeout_s=self._settings.blocked_after_s):
                logger.warning("A workflow's code still runs; it is left behind")
        self._observer.gauges(cached=0, held=len(self.holds()))

    def run(self, max_time_s: float | None = None, *, handle_signals: bool = True) -> None:
        """Start, wait for `stop()`, SIGTERM, SIGINT or `max_time_s`, and end in good order.

        Signals are handled when this is the main thread; a second one ends the process at once.
        """
        until_s = None if max_time_s is None else time.monotonic() + max_time_s
        with _Signals(self.stop, enabled=handle_signals):
            self.start()
            _settle_memory()
            while not self._stopping.is_set():
                left_s = GAUGES_EVERY_S if until_s is None else min(GAUGES_EVERY_S, until_s - time.monotonic())
                if left_s <= 0:
                    break
                self._stopping.wait(left_s)
                self._observer.gauges(cached=self.cached_executions(), held=len(self.holds()))
            self.stop()
            self.join()

    def _decision_rates(self) -> Mapping[str, Rate]:
        if self._settings.decision_rates is not None:
            return self._settings.decision_rates
        return {} if is_loopback(self._connection.endpoint) else SWF_RATES

    def _dashboard(self) -> str | None:
        if AWS_DOMAIN not in self._connection.endpoint:
            return None
        region = self._connection.client.meta.region_name
        later = {"workflow_id": "{workflow_id}", "run_id": "{run_id}"}
        return DASHBOARD_URL.format(region=region, domain=self._domain, **later)

    def _new_lanes(self) -> list[Lane]:
        settings = self._settings
        per_lane = -(-settings.max_cached_executions // settings.decision_threads)

        def new_maker() -> DecisionMaker:
            return self._classes.maker(max_cached=per_lane, settings=settings.execution)

        return [
            Lane(new_maker, name=f"pyflow-decide-{number}", sticky_task_list=self._new_sticky_task_list())
            for number in range(settings.decision_threads)
        ]

    def _new_sticky_task_list(self) -> str | None:
        if self._settings.max_cached_executions <= 0:
            return None
        own = secrets.token_hex(8)
        return f"{self._task_list[: NAME_LENGTH_MAX - len(own) - 1]}~{own}"

    def _poll_sticky(self, lane: Lane) -> None:
        """Have the lane's own task list polled: by the lane itself where the transport allows it, else by threads."""
        if lane.sticky_task_list is None:
            return
        request = {**self._request(lane.sticky_task_list), "startAtPreviousStartedEvent": True}
        transport = self._api.transport
        if not isinstance(transport, LeanTransport):
            self._pollers += [self._poller(request, number) for number in range(self._settings.sticky_polls)]
            return
        polls = OwnPolls(
            transport,
            request,
            count=self._settings.sticky_polls,
            name=f"polls of {self._domain}/{lane.sticky_task_list}",
            group=self._polls_of_domain,
            troubles=self._troubles,
            on_poll_failed=self._on_poll_failed,
        )
        own = OwnTasks(lane, polls, self._handler, self._observer, self._aside)
        lane.poll_own(own)
        self._own.append(own)

    @property
    def _polls_of_domain(self) -> str:
        """What all polls say their troubles under: they have them together."""
        return f"polls of domain {self._domain!r}"

    def _request(self, task_list: str) -> JsonObject:
        return {"domain": self._domain, "taskList": {"name": task_list}, "identity": self._identity}

    def _poller(self, request: JsonObject, number: int) -> PollThread:
        task_list = request["taskList"]["name"]

        def poll() -> JsonObject:
            answer = self._api.poll_for_decision_task(request)
            self._observer.polled(task_list, empty=not answer.get("taskToken"))
            return answer

        def handle(answer: JsonObject) -> None:
            self._handler.handle(answer, request)

        return PollThread(
            poll,
            handle,
            name=f"poll {number} of {self._domain}/{task_list}",
            group=self._polls_of_domain,
            troubles=self._troubles,
            on_poll_failed=self._on_poll_failed,
        )

    def _on_poll_failed(self, error: SwfError) -> None:
        self._observer.poll_failed(error)

    def _on_blocked(self, busy: Busy) -> None:
        self._observer.blocked(busy.task)


def _settle_memory() -> None:
    """Keep the garbage collector from going through what lasts as long as the process, at every few decisions."""
    gc.collect()
    gc.freeze()
    if gc.get_threshold()[0] < GC_THRESHOLD:
        gc.set_threshold(GC_THRESHOLD, *gc.get_threshold()[1:])


class _Signals:
    """Turns SIGTERM and SIGINT into a call of `stop` while entered, in the main thread only."""

    def __init__(self, stop: Callable[[], None], *, enabled: bool) -> None:
        self._stop = stop
        self._enabled = enabled and threading.current_thread() is threading.main_thread()
        self._count = 0
        self._before: dict[int, object] = {}

    def __enter__(self) -> None:
        if self._enabled:
            for number in (signal.SIGTERM, signal.SIGINT):
                self._before[number] = signal.signal(number, self._received)

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal.signal gave it takes back

    def _received(self, number: int, _frame: FrameType | None) -> None:
        self._count += 1
        if self._count > 1:
            # Not by the logger: the first signal may have come in its midst, and then it raises instead of writing.
            os.write(2, b"Second signal: ending at once; a task handed to a poll under way waits for its timeout\n")
            os._exit(128 + number)
        self._stop()


class Decider:
    """Decides for the given workflow classes in one domain and task list; the class of pyflow-swf 2.0.0.

    `client` is a boto3 SWF client and is used for every call; without one SWF is found as every AWS tool does.
    """

    def __init__(
        self,
        workflow_classes: Iterable[type[Workflow]],
        domain: str,
        task_list: str,
        identity: str | None,
        client: SWFClient | None = None,
        *,
        settings: WorkerSettings | None = None,
        observer: Observer | None = None,
    ) -> None:
        self._workflow_classes = list(workflow_classes)
        self._classes = WorkflowClasses(self._workflow_classes)
        self._domain = domain
        self._task_list = task_list
        self._identity = identity
        self._client = client
        self._settings = settings or WorkerSettings()
        self._observer = observer
        self._connected: SwfConnection | None = None

    def ensure_workflows_registered(self) -> None:
        """Register all workflow types that are not there yet. Raises `SwfError`.

        Polling begins with this call: a subclass may register them another way, or not at all.
        """
        self._worker().ensure_registered()

    def process_decision_task(self, decision_task: JsonObject) -> DecisionTaskHelper:
        """Decide one task, whose `events` must be the whole history, without sending the answer.

        Raises `DecisionHeld` when the task should not be answered.
        """
        return decide_once(self._classes, decision_task, domain=self._domain, settings=self._settings.execution)

    def poll_for_decision_tasks(self, max_time: float | None = None) -> None:
        """Poll and decide for `max_time` seconds (None: until stopped by a signal). Raises `SwfError` at the start.

        A subclass that overrides `process_decision_task` is asked for each task, as in 2.0.0; nothing is kept then.
        """
        if type(self).process_decision_task is not Decider.process_decision_task:
            self._poll_one_by_one(max_time)
        else:
            self._worker().run(max_time)

    def _poll_one_by_one(self, max_time: float | None) -> None:
        self.ensure_workflows_registered()
        client = self._client or make_client(attempts_max=1)
        request = {"domain": self._domain, "taskList": {"name": self._task_list}, "identity": self._identity}
        polls = one_by_one(client, {k: v for k, v in request.items() if v is not None}, self.process_decision_task)
        over = threading.Event()
        with _Signals(over.set, enabled=True):
            polls.start()
            over.wait(max_time)
            polls.stop()
            polls.join()

    def _worker(self) -> DeciderWorker:
        if self._connected is None:
            self._connected = connect(client=self._client)
        return DeciderWorker(
            self._workflow_classes,
            self._domain,
            self._task_list,
            self._identity,
            connection=self._connected,
            settings=self._settings,
            observer=self._observer,
            register=self.ensure_workflows_registered,
        )


def poll_for_executions(
    workflows: Iterable[type[Workflow]],
    domain: str,
    task_list: str,
    identity: str | None,
    max_time: float | None = None,
    *,
    client: SWFClient | None = None,
    settings: WorkerSettings | None = None,
    processes: int = 1,
) -> None:
    """Decide for these workflow classes until `max_time` seconds have passed or a signal asks for the end.

    With `processes` above 1 that many processes do so, each with a cache of its own; the classes must then be
    importable, and `client` cannot be given. Raises `SwfError` when SWF cannot be used at all.
    """
    if processes > 1:
        if client is not None:
            raise ValueError("client= cannot be given to several processes: configure them by environment instead")
        run_processes(
            processes,
            poll_for_executions,
            (list(workflows), domain, task_list, identity, max_time),
            {"settings": settings},
        )
        return
    Decider(workflows, domain, task_list, identity, client, settings=settings).poll_for_decision_tasks(max_time)
