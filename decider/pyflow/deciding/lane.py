"""A lane: the thread that makes decisions for its share of executions, replaceable when workflow code blocks it.

Poll threads hand tasks in with `decide` and wait for what came of it. The lane's thread owns a `DecisionMaker`, whose
greenlets can only run there. When workflow code does not come back, the lane goes on with a new thread and an empty
cache; the old thread ends once that code returns or is interrupted (`Watchdog`).
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from pyflow.deciding.holds import task_timeout_s
from pyflow.deciding.maker import AwaitsOutcome, DecisionMaker, Held, Made
from pyflow.deciding.task import DecisionTask
from pyflow.exceptions import WorkflowStuck

logger = logging.getLogger("pyflow")

OUTCOME_WAIT_S = 60.0
"""How long a task may wait for the fate of the previous answer before the execution is built anew instead."""


@dataclass(slots=True)
class _Work:
    task: DecisionTask
    reply: queue.SimpleQueue[Made]


@dataclass(slots=True)
class _Outcome:
    run_id: str
    accepted: bool


class _End:
    """Ask the lane's thread to throw its executions away and end."""


@dataclass(slots=True)
class Busy:
    """What a lane's thread is at: for the watchdog."""

    task: DecisionTask
    thread_id: int
    since_s: float
    limit_s: float | None
    """The task's own timeout: later than that its answer is worth nothing."""
    done: bool = False


class _Thread:
    """One thread of a lane with the executions that live on it."""

    def __init__(self, lane: Lane, maker: DecisionMaker, name: str) -> None:
        self.lane = lane
        self.maker = maker
        self.busy: Busy | None = None
        self.waiting: dict[str, _Work] = {}
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)

    def _run(self) -> None:
        inbox = self.lane.inbox
        while self.lane.current is self:
            try:
                message = inbox.get()
                if self.lane.current is not self:
                    inbox.put(message)
                elif isinstance(message, _Work):
                    self._work(message)
                elif isinstance(message, _Outcome):
                    self._outcome(message)
                else:
                    break
            except WorkflowStuck:
                # The interrupt came just after the workflow code had returned by itself.
                logger.debug("A workflow came back just before it was interrupted")
            except Exception:
                logger.exception("A decision thread failed in an unforeseen way; it goes on")
        self._end()

    def _work(self, work: _Work) -> None:
        task = work.task
        busy = self.busy = Busy(task, threading.get_ident(), time.monotonic(), task_timeout_s(task))
        made: Made | None = None
        try:
            made = self.maker.make(task)
        finally:
            busy.done = True
            self.busy = None
            if isinstance(made, AwaitsOutcome):
                self.waiting[task.run_id] = work
            else:
                work.reply.put(made or Held(kind="framework", message="the decision thread failed on it"))

    def _outcome(self, outcome: _Outcome) -> None:
        self.maker.outcome(outcome.run_id, accepted=outcome.accepted)
        work = self.waiting.pop(outcome.run_id, None)
        if work is not None:
            self._work(work)

    def _end(self) -> None:
        for work in self.waiting.values():
            self.lane.inbox.put(work)
        self.waiting.clear()
        self.maker.close()


class Lane:
    """The decision thread for a share of the executions, and its replacement when it is blocked."""

    def __init__(self, new_maker: Callable[[], DecisionMaker], *, name: str) -> None:
        self._new_maker = new_maker
        self._name = name
        self._generation = 0
        self._lock = threading.Lock()
        self.inbox: queue.SimpleQueue[_Work | _Outcome | _End] = queue.SimpleQueue()
        self.current: _Thread | None = None

    def start(self) -> None:
        """Begin deciding."""
        with self._lock:
            self._begin_thread()

    def decide(self, task: DecisionTask) -> Made:
        """Hand the task in and wait for what came of it (never `AwaitsOutcome`)."""
        work = _Work(task, queue.SimpleQueue())
        self.inbox.put(work)
        return work.reply.get()

    def outcome(self, run_id: str, *, accepted: bool) -> None:
        """Tell whether SWF accepted the last answer; every `Decided` must be followed by this."""
        self.inbox.put(_Outcome(run_id, accepted))

    def busy(self) -> Busy | None:
        """What the thread is at now."""
        current = self.current
        return current.busy if current is not None else None

    def replace_thread(self, blocked: Busy) -> bool:
        """Go on with a new thread and an empty cache if the present one is still at `blocked`."""
        with self._lock:
            if self.current is None or self.current.busy is not blocked:
                return False
            self._begin_thread()
            return True

    def cached(self) -> int:
        """How many executions are kept."""
        current = self.current
        return len(current.maker) if current is not None else 0

    def end(self, timeout_s: float | None = None) -> bool:
        """Throw all executions away and end the thread; False when it did not end within `timeout_s`."""
        current = self.current
        if current is None:
            return True
        self.inbox.put(_End())
        current.thread.join(timeout_s)
        return not current.thread.is_alive()

    def _begin_thread(self) -> None:
        self._generation += 1
        name = self._name if self._generation == 1 else f"{self._name}.{self._generation}"
        self.current = _Thread(self, self._new_maker(), name)
        self.current.thread.start()
