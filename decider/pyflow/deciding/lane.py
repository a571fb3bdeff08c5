"""A lane: the thread that makes decisions for its share of executions, replaceable when workflow code blocks it.

Poll threads hand tasks in with `decide` and wait for what came of it. A lane may also poll a task list of its own
(`OwnTasks`), in the same thread. The thread owns a `DecisionMaker`, whose greenlets can only run there. When workflow
code does not come back, the lane goes on with a new thread and an empty cache; the old thread ends once that code
returns or is interrupted (`Watchdog`).
"""

from __future__ import annotations

import logging
import queue
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from pyflow.deciding.holds import task_timeout_s
from pyflow.deciding.maker import AwaitsOutcome, DecisionMaker, Held, Made
from pyflow.deciding.task import DecisionTask
from pyflow.exceptions import WorkflowStuck

logger = logging.getLogger("pyflow")


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


_Message = _Work | _Outcome | _End


@dataclass(slots=True)
class Busy:
    """What a lane's thread is at: for the watchdog."""

    task: DecisionTask
    thread_id: int
    since_s: float
    limit_s: float | None
    """The task's own timeout: later than that its answer is worth nothing."""
    done: bool = False


class OwnTasksLike(Protocol):
    """The lane's own task list (`pyflow.deciding.own_tasks.OwnTasks`)."""

    def watch(self, wake_fd: int) -> None:
        """Wake when this descriptor becomes readable."""

    def turn(self, thread: LaneThread) -> None:
        """Wait for tasks, receipts or a wake, and handle what came."""


class LaneThread:
    """One thread of a lane with the executions that live on it."""

    def __init__(self, lane: Lane, maker: DecisionMaker, name: str) -> None:
        self.lane = lane
        self.maker = maker
        self.busy: Busy | None = None
        self._waiting: dict[str, _Work] = {}
        self._ending = False
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def is_current(self) -> bool:
        """False once the lane goes on with another thread."""
        return self.lane.current is self

    def make(self, task: DecisionTask) -> Made:
        """Decide a task; called on this thread only."""
        busy = self.busy = Busy(task, threading.get_ident(), time.monotonic(), task_timeout_s(task))
        made: Made | None = None
        try:
            made = self.maker.make(task)
        finally:
            busy.done = True
            self.busy = None
        return made

    def outcome(self, run_id: str, *, accepted: bool) -> None:
        """Take the fate of an answer; called on this thread only."""
        self.maker.outcome(run_id, accepted=accepted)
        if self._waiting:
            work = self._waiting.pop(run_id, None)
            if work is not None:
                self._work(work)

    def _run(self) -> None:
        own = self.lane.own
        while self.is_current and not self._ending:
            try:
                if own is None:
                    self._take(self.lane.inbox.get())
                    continue
                while not self.lane.inbox.empty() and self.is_current and not self._ending:
                    self._take(self.lane.inbox.get())
                if self.is_current and not self._ending:
                    own.turn(self)
            except WorkflowStuck:
                # The interrupt came just after the workflow code had returned by itself.
                logger.debug("A workflow came back just before it was interrupted")
            except Exception:
                logger.exception("A decision thread failed in an unforeseen way; it goes on")
        self._end()

    def _take(self, message: _Message) -> None:
        if not self.is_current:
            self.lane.put(message)
        elif isinstance(message, _Work):
            self._work(message)
        elif isinstance(message, _Outcome):
            self.outcome(message.run_id, accepted=message.accepted)
        else:
            self._ending = True

    def _work(self, work: _Work) -> None:
        made: Made = Held(kind="framework", message="the decision thread failed on it")
        try:
            made = self.make(work.task)
        finally:
            if isinstance(made, AwaitsOutcome):
                self._waiting[work.task.run_id] = work
            else:
                work.reply.put(made)

    def _end(self) -> None:
        for work in self._waiting.values():
            self.lane.put(work)
        self._waiting.clear()
        self.maker.close()


class Lane:
    """The decision thread for a share of the executions, and its replacement when it is blocked.

    `sticky_task_list` is the task list its executions come back on, None when they are not kept.
    """

    def __init__(
        self, new_maker: Callable[[], DecisionMaker], *, name: str, sticky_task_list: str | None = None
    ) -> None:
        self.sticky_task_list = sticky_task_list
        self.own: OwnTasksLike | None = None
        self.inbox: queue.SimpleQueue[_Message] = queue.SimpleQueue()
        self.current: LaneThread | None = None
        self.is_waiting = False
        """True while the thread waits in its own task list and must be woken for a message."""
        self._new_maker = new_maker
        self._name = name
        self._generation = 0
        self._left_behind: list[LaneThread] = []
        self._lock = threading.Lock()
        self._wake_from, self._wake_to = socket.socketpair()
        self._wake_from.setblocking(False)
        self._wake_to.setblocking(False)

    def poll_own(self, own: OwnTasksLike) -> None:
        """Poll a task list of its own; to be called before `start`."""
        self.own = own
        own.watch(self._wake_from.fileno())

    def start(self) -> None:
        """Begin deciding."""
        with self._lock:
            self._begin_thread()

    def decide(self, task: DecisionTask) -> Made:
        """Hand the task in and wait for what came of it (never `AwaitsOutcome`)."""
        work = _Work(task, queue.SimpleQueue())
        self.put(work)
        return work.reply.get()

    def outcome(self, run_id: str, *, accepted: bool) -> None:
        """Tell whether SWF accepted the last answer; every `Decided` must be followed by this."""
        self.put(_Outcome(run_id, accepted))

    def put(self, message: _Message) -> None:
        """Give the thread a message."""
        self.inbox.put(message)
        if self.is_waiting:
            self.wake()

    def wake(self) -> None:
        """End the thread's wait in its own task list."""
        try:
            self._wake_to.send(b"!")
        except BlockingIOError:  # it has been woken often enough
            return

    def woken(self) -> None:
        """Forget the wakes up to now; called on the lane's thread."""
        try:
            self._wake_from.recv(4096)
        except BlockingIOError:
            return

    def busy(self) -> Busy | None:
        """What the thread is at now."""
        current = self.current
        return current.busy if current is not None else None

    def replace_thread(self, blocked: Busy) -> bool:
        """Go on with a new thread and an empty cache if the present one is still at `blocked`."""
        with self._lock:
            if self.current is None or self.current.busy is not blocked:
                return False
            self._left_behind = [thread for thread in self._left_behind if thread.busy is not None]
            self._left_behind.append(self.current)
            self._begin_thread()
            return True

    def still_runs(self, run_id: str) -> bool:
        """True while a thread that was replaced is still in the code of that run."""
        if not self._left_behind:
            return False
        busy = [thread.busy for thread in self._left_behind]
        return any(each is not None and each.task.run_id == run_id for each in busy)

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
        self.wake()
        current.thread.join(timeout_s)
        return not current.thread.is_alive()

    def _begin_thread(self) -> None:
        self._generation += 1
        name = self._name if self._generation == 1 else f"{self._name}.{self._generation}"
        self.current = LaneThread(self, self._new_maker(), name)
        self.current.thread.start()
