"""The bridge between blocking author code and the event loop: the only module that imports greenlet.

Author code runs in greenlets. A wait is a switch to the hub, which is whatever greenlet called ``run``; the hub
switches back when the wait is over. Waking order is a contract (it decides the order of decisions, so changing it
breaks running workflows): signal handlers first, in the order of their signals; then waiters in the order in which
they began to wait; last, conditions in the order in which they began to wait, one at a time. ``test_waking_order``
is the golden test of it.
"""

from __future__ import annotations

import contextvars
import heapq
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, TypeAlias

import greenlet

from pyflow.core.scopes import CancelScope
from pyflow.exceptions import (
    DeciderException,
    PyflowException,
    WorkflowCanceledException,
    WorkflowEvicted,
)

Role: TypeAlias = Literal["main", "branch", "handler"]

PENDING, SUCCEEDED, FAILED, TIMED_OUT, CANCELED = range(5)
"""States of a Completion."""

EVICTION_RAISES_MAX = 100
"""Code that swallows its eviction this often is given up: its greenlet is parked for good."""

POOL_MAX = 1_000
"""Idle greenlets kept for reuse: a fresh one costs ten microseconds, a reused one half of one."""

RESUMPTIONS_PER_RUN_MAX = 1_000_000
"""Switches in one run of the hub; more means that author code wakes itself for ever."""

_NOT_HERE = (
    "A workflow's swf object and its futures work only inside that workflow's own code. Was it used from another "
    "thread, from another workflow, or after the workflow had ended?"
)


class _Carrier(greenlet.greenlet):
    """A greenlet that runs one task after another."""

    __slots__ = ("pool", "task")

    def __init__(self, pool: GreenletPool) -> None:
        super().__init__()
        self.pool = pool
        self.task: Task | None = None

    def run(self) -> None:
        while True:
            task = self.task
            assert task is not None
            try:
                task.execute()
            except greenlet.GreenletExit:
                return
            self.task = None
            if not self.pool.take_back(self):
                return
            del task
            parent = self.parent
            assert parent is not None
            parent.switch()


class GreenletPool:
    """Greenlets for reuse. One per thread: greenlets do not move between threads."""

    __slots__ = ("_abandoned", "_idle", "_idle_max")

    def __init__(self, idle_max: int = POOL_MAX) -> None:
        self._idle: list[_Carrier] = []
        self._abandoned: list[_Carrier] = []
        self._idle_max = idle_max

    def lend(self) -> _Carrier:
        """An idle greenlet, or a new one."""
        return self._idle.pop() if self._idle else _Carrier(self)

    def take_back(self, carrier: _Carrier) -> bool:
        """True if the greenlet is kept."""
        if len(self._idle) >= self._idle_max:
            return False
        self._idle.append(carrier)
        return True

    def abandon(self, carrier: _Carrier) -> None:
        """Keep a greenlet whose code will not end: collecting it would run that code once more."""
        self._abandoned.append(carrier)

    def close(self) -> None:
        """End all idle greenlets. Call it on the thread that owns the pool."""
        idle, self._idle = self._idle, []
        for carrier in idle:
            carrier.parent = greenlet.getcurrent()
            carrier.throw(greenlet.GreenletExit)


class Completion:
    """Something that will be done: pending, then exactly one of succeeded, failed, timed out or canceled."""

    __slots__ = ("done_turn", "outcome", "value", "waiters")

    def __init__(self) -> None:
        self.outcome = PENDING
        self.value: Any = None
        self.done_turn = 0
        self.waiters: list[Task] | None = None

    @property
    def done(self) -> bool:
        """True once the outcome is known."""
        return self.outcome != PENDING


class Task:
    """One thread of author code: the workflow's ``run``, a spawned branch, or a signal handler."""

    __slots__ = (
        "cancel_pending",
        "carrier",
        "completion",
        "error",
        "eviction_raises",
        "fn",
        "hub",
        "number",
        "remaining",
        "result",
        "role",
        "scope",
        "site",
        "throw",
        "variables",
        "wait_number",
        "wait_on",
        "wait_predicate",
    )

    def __init__(self, hub: Hub, number: int, fn: Callable[[], Any], scope: CancelScope, role: Role) -> None:
        self.hub = hub
        self.number = number
        self.fn: Callable[[], Any] | None = fn
        self.scope = scope
        self.role = role
        self.site: tuple[str, int] | None = None
        """Where a branch was spawned."""
        self.completion = Completion()
        self.carrier: _Carrier | None = None
        self.result: Any = None
        self.error: BaseException | None = None
        self.throw: BaseException | None = None
        self.cancel_pending: WorkflowCanceledException | None = None
        self.wait_number = 0
        self.wait_on: tuple[Completion, ...] | None = None
        self.wait_predicate: Callable[[], bool] | None = None
        self.remaining = 0
        self.eviction_raises = 0
        self.variables: contextvars.Context | None = None

    @property
    def finished(self) -> bool:
        """True once the function has returned or raised."""
        return self.fn is None

    def execute(self) -> None:
        """Run to the end. Called in the task's own greenlet; nothing escapes but the GreenletExit of a collection."""
        fn = self.fn
        assert fn is not None
        try:
            self.result = fn()
        except BaseException as error:
            if isinstance(error, greenlet.GreenletExit) and self.hub.current is not self:
                raise  # not from the code: nobody evicted the task, and its greenlet is being collected
            self.error = error
        self.fn = None
        self.carrier = None
        self.hub.task_ended(self)

    def frame(self) -> Any:
        """The innermost frame of a parked task, or None."""
        return self.carrier.gr_frame if self.carrier is not None else None


class Hub:
    """Runs the tasks of one execution until all of them wait."""

    __slots__ = (
        "_conditions",
        "_greenlet",
        "_handlers",
        "_pool",
        "_ready",
        "_tasks",
        "_wait_numbers",
        "closed_because",
        "current",
        "evicting",
        "handlers_only",
        "on_task_end",
        "stopped",
        "turn",
    )

    def __init__(self, pool: GreenletPool | None) -> None:
        self._pool = pool if pool is not None else GreenletPool()
        self._tasks: dict[int, Task] = {}
        self._handlers: list[Task] = []
        self._ready: list[tuple[int, Task]] = []
        self._conditions: dict[int, Task] | None = None
        self._wait_numbers = 0
        self._greenlet: Any = None
        self.current: Task | None = None
        self.closed_because: str | None = None
        self.evicting = False
        self.stopped = False
        self.handlers_only = False
        self.turn = 0
        self.on_task_end: Callable[[Task], None] | None = None

    # ---- called from outside of author code

    def spawn(self, fn: Callable[[], Any], scope: CancelScope, *, role: Role = "branch") -> Task:
        """A new task. It runs when the present one blocks: handlers first, others in the order of waiting."""
        self._wait_numbers += 1
        task = Task(self, self._wait_numbers, fn, scope, role)
        task.variables = contextvars.copy_context()
        self._tasks[task.number] = task
        if role == "handler":
            self._handlers.append(task)
        else:
            heapq.heappush(self._ready, (task.number, task))
        return task

    def resolve(self, completion: Completion, outcome: int, value: Any = None) -> None:
        """Settle a completion and make ready whoever waits for it. A second outcome is ignored."""
        if completion.outcome != PENDING:
            return
        completion.outcome = outcome
        completion.value = value
        completion.done_turn = self.turn
        waiters = completion.waiters
        if waiters is not None:
            completion.waiters = None
            for task in waiters:
                task.remaining -= 1
                if task.remaining == 0:
                    heapq.heappush(self._ready, (task.wait_number, task))

    def run(self) -> None:
        """Switch to ready tasks, in the contract's order, until all wait or ``stopped`` is set."""
        self._greenlet = greenlet.getcurrent()
        resumptions = 0
        while not self.stopped:
            if self._handlers:
                task = self._handlers.pop(0)
            elif self.handlers_only:
                return
            elif self._ready:
                task = heapq.heappop(self._ready)[1]
            else:
                found = _satisfied(self._conditions) if self._conditions else None
                if found is None:
                    return
                task = found
            self._resume(task)
            resumptions += 1
            if resumptions > RESUMPTIONS_PER_RUN_MAX:
                raise DeciderException(f"workflow code woke itself {RESUMPTIONS_PER_RUN_MAX:,} times without blocking")

    def cancel_task(self, task: Task, error: WorkflowCanceledException) -> None:
        """Deliver a cancellation where the task is blocked; at its next wait if it is shielded or runs now."""
        if task.finished or task.throw is not None:
            return
        waits = task.wait_on is not None or task.wait_predicate is not None
        if not waits or task.remaining <= 0 or task.scope.shields_from(error.scope):
            pending = task.cancel_pending
            if pending is None or not error.scope.is_inside(pending.scope):
                task.cancel_pending = error
            return
        self._stop_waiting(task)
        task.throw = error
        heapq.heappush(self._ready, (task.wait_number, task))

    def halt(self) -> None:
        """Leave author code where it is and end the run. The task never runs on, except to be evicted."""
        self.stopped = True
        task = self.current
        if task is not None and task.carrier is greenlet.getcurrent():
            self._greenlet.switch()

    def tasks(self) -> Iterable[Task]:
        """Tasks that have not finished, oldest first."""
        return tuple(self._tasks.values())

    def evict(self) -> None:
        """Unwind every task, oldest first. Author ``finally`` blocks run; what they wait for or ask raises."""
        self.evicting = True
        self.stopped = False
        self._greenlet = greenlet.getcurrent()
        for task in self.tasks():
            if task.carrier is None:
                continue
            task.throw = WorkflowEvicted("the execution leaves memory")
            self._resume(task)
        self._tasks.clear()
        self._handlers.clear()
        self._ready.clear()
        self._conditions = None

    # ---- called from author code, in a task's greenlet

    def wait(self, completions: tuple[Completion, ...], needed: int) -> None:
        """Block the running task until ``needed`` more of ``completions`` (all pending now) are done."""
        task = self.running_task()
        task.remaining = needed
        task.wait_on = completions
        for completion in completions:
            if completion.waiters is None:
                completion.waiters = [task]
            else:
                completion.waiters.append(task)
        self._park(task)

    def wait_until(self, predicate: Callable[[], bool]) -> None:
        """Block the running task until ``predicate()`` is true. It is asked whenever all other tasks wait."""
        task = self.running_task()
        task.wait_predicate = predicate
        task.remaining = 1
        if self._conditions is None:
            self._conditions = {}
        self._conditions[self._wait_numbers + 1] = task
        self._park(task)

    def running_task(self) -> Task:
        """The task whose greenlet this is; raises outside of workflow code and while evicting."""
        task = self.current
        if task is None or task.carrier is not greenlet.getcurrent():
            raise PyflowException(self.closed_because or _NOT_HERE)
        if self.evicting:
            self._refuse_while_evicting(task)
        return task

    @contextmanager
    def closed_to_tasks(self, because: str) -> Iterator[None]:
        """While code runs in the present task's greenlet that must not ask or wait: whoever tries reads why."""
        task, self.current = self.current, None
        self.closed_because = because
        try:
            yield
        finally:
            self.current, self.closed_because = task, None

    def deliver_pending_cancel(self, task: Task) -> None:
        """Raise a cancellation that came while the task ran or was shielded."""
        error = task.cancel_pending
        if error is None:
            return
        if not task.scope.is_inside(error.scope):
            task.cancel_pending = None  # its scope has been left meanwhile
        elif not task.scope.shields_from(error.scope):
            task.cancel_pending = None
            raise error

    # ---- inside

    def task_ended(self, task: Task) -> None:
        """Called by a task as it ends, still in its greenlet."""
        self._tasks.pop(task.number, None)
        if self.on_task_end is not None and not self.evicting:
            self.on_task_end(task)

    def _park(self, task: Task) -> None:
        self._wait_numbers += 1
        task.wait_number = self._wait_numbers
        if task.cancel_pending is not None:
            try:
                self.deliver_pending_cancel(task)
            except WorkflowCanceledException:
                self._stop_waiting(task)
                raise
        self._greenlet.switch()
        if task.throw is not None:
            error, task.throw = task.throw, None
            raise error

    def _resume(self, task: Task) -> None:
        carrier = task.carrier
        if carrier is None:
            if task.finished:
                return
            carrier = task.carrier = self._pool.lend()
            carrier.task = task
            carrier.gr_context = task.variables
            task.variables = None
        wait_on = task.wait_on
        if task.wait_predicate is not None or (wait_on is not None and len(wait_on) > 1):
            self._stop_waiting(task)  # what it also waited for must not wake it later
        else:
            task.wait_on = None
        if carrier.parent is not self._greenlet:
            carrier.parent = self._greenlet
        before, self.current = self.current, task
        try:
            carrier.switch()
        finally:
            self.current = before

    def _stop_waiting(self, task: Task) -> None:
        for completion in task.wait_on or ():
            if completion.waiters is not None and task in completion.waiters:
                completion.waiters.remove(task)
                if not completion.waiters:
                    completion.waiters = None
        if task.wait_predicate is not None and self._conditions is not None:
            self._conditions.pop(task.wait_number, None)
        task.wait_on = None
        task.wait_predicate = None

    def _refuse_while_evicting(self, task: Task) -> None:
        task.eviction_raises += 1
        while task.eviction_raises > EVICTION_RAISES_MAX:
            assert task.carrier is not None
            self._pool.abandon(task.carrier)
            self._greenlet.switch()
        raise WorkflowEvicted("the execution leaves memory")


def _satisfied(conditions: dict[int, Task]) -> Task | None:
    """The first waiter whose condition is true now, or cannot be asked: it meets the exception."""
    for task in conditions.values():
        predicate = task.wait_predicate
        assert predicate is not None
        try:
            if predicate():
                return task
        except Exception as error:
            task.throw = error
            return task
    return None
