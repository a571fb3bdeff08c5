"""Makes the decisions of one thread: finds or builds the execution, advances it, keeps it while that is valid.

Everything here belongs to one thread: greenlets of an execution can only be switched to where they were made.
"""

from __future__ import annotations

import logging
import threading
import traceback
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from pyflow.core.values import UNCAUGHT
from pyflow.deciding.task import DecisionTask
from pyflow.exceptions import WorkflowStuck
from pyflow.swf.api import JsonObject

logger = logging.getLogger("pyflow")


STUCK = "stuck"
"""Kind of hold of an execution whose code did not come back."""


class HoldLike(Protocol):
    """Why the core holds an execution (`pyflow.core.execution.Hold`)."""

    @property
    def kind(self) -> str: ...
    @property
    def message(self) -> str: ...


class AdvanceLike(Protocol):
    """What the core answers (`pyflow.core.execution.Advance`)."""

    @property
    def decisions(self) -> list[JsonObject]: ...
    @property
    def execution_context(self) -> str | None: ...
    @property
    def closed(self) -> bool: ...
    @property
    def answer_after_s(self) -> float: ...
    @property
    def held(self) -> HoldLike | None: ...
    @property
    def last_event_id(self) -> int: ...


class ExecutionLike(Protocol):
    """One execution in the core (`pyflow.core.execution.Execution`)."""

    def advance(
        self, events: list[JsonObject], *, previous_started_event_id: int, started_event_id: int
    ) -> AdvanceLike: ...

    def evict(self) -> None: ...


NewExecution = Callable[[DecisionTask], "ExecutionLike | None"]
"""Builds the execution a task belongs to; None when no workflow class has the task's type."""


class Decided(NamedTuple):
    """The task is to be answered with this."""

    decisions: list[JsonObject]
    execution_context: str | None
    closed: bool
    cached: bool
    """The execution is kept, so a sticky answer makes sense."""
    new_events: int
    from_cache: bool
    history_length: int
    answer_after_s: float = 0.0
    """Seconds to keep the answer back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedsHistory:
    """The execution is not at hand, and the task's events do not begin with event 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitsOutcome:
    """The fate of this execution's last answer is not known yet; ask again when it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The task is not to be answered. `kind` is a short word for metrics, `message` for the operator."""

    kind: str
    message: str


Made = Decided | NeedsHistory | AwaitsOutcome | Held


@dataclass(slots=True)
class _Cached:
    execution: ExecutionLike
    last_event_id: int
    awaits_outcome: bool
    closed: bool


class DecisionMaker:
    """Makes decisions on the thread that calls it, keeping up to `max_cached` executions.

    The least recently used go first. A kept execution is used only if its last answer was accepted and the task's
    `previousStartedEventId` is the last event it saw; otherwise it is thrown away and built anew from event 1, so the
    cache never changes a decision.
    """

    def __init__(
        self, new_execution: NewExecution, *, max_cached: int, on_close: Callable[[], None] = lambda: None
    ) -> None:
        self._new_execution = new_execution
        self._on_close = on_close
        self._max_cached = max_cached
        self._cache: OrderedDict[str, _Cached] = OrderedDict()

    def __len__(self) -> int:
        return len(self._cache)

    def make(self, task: DecisionTask) -> Made:
        """What to answer to `task`, whose events must be without gap (`DecisionTask.gap`)."""
        kept = self._cache.get(task.run_id)
        if kept is not None:
            if kept.awaits_outcome:
                return AwaitsOutcome()
            if kept.last_event_id != task.previous_started_event_id:
                self.forget(task.run_id)
                kept = None
        if kept is not None:
            made = self._advance(task, kept.execution, _after(task.events, kept.last_event_id), from_cache=True)
            if not isinstance(made, Held) or made.kind == STUCK:
                return made
            # The whole history has the last word: what the cache made of the execution may itself be the fault.
            logger.info("%s: its kept execution could not go on, it is built anew: %s", task.name, made.message)
        if task.events[0]["eventId"] != 1:
            return NeedsHistory()
        execution = self._new_execution(task)
        if execution is None:
            return Held(
                kind="unknown_type",
                message=(
                    f"no workflow class with NAME {task.workflow_type[0]!r} and VERSION {task.workflow_type[1]!r} is "
                    "served by this decider. Start a decider with that class on this task list"
                ),
            )
        return self._advance(task, execution, task.events, from_cache=False)

    def outcome(self, run_id: str, *, accepted: bool) -> None:
        """Tell whether SWF accepted the last answer for the execution. Unknown ones are fine."""
        kept = self._cache.get(run_id)
        if kept is None:
            return
        kept.awaits_outcome = False
        if not accepted or kept.closed:
            self.forget(run_id)

    def forget(self, run_id: str) -> None:
        """Throw the execution away if it is kept."""
        kept = self._cache.pop(run_id, None)
        if kept is not None:
            _evict(kept.execution)

    def close(self) -> None:
        """Throw every execution away, oldest first, and let go of what they shared. The maker cannot be used after."""
        while self._cache:
            self.forget(next(iter(self._cache)))
        self._on_close()

    def _advance(
        self, task: DecisionTask, execution: ExecutionLike, events: list[JsonObject], *, from_cache: bool
    ) -> Made:
        try:
            advance = execution.advance(
                events,
                previous_started_event_id=task.previous_started_event_id,
                started_event_id=task.started_event_id,
            )
        except BaseException as error:
            self._drop(task.run_id, execution)
            if isinstance(error, KeyboardInterrupt) and threading.current_thread() is threading.main_thread():
                raise  # somebody wants the process to end; in other threads only workflow code can have raised it
            return _held_by_error(error)
        if advance.held is not None:
            self._drop(task.run_id, execution)
            return Held(kind=advance.held.kind, message=advance.held.message)
        if advance.closed and advance.decisions:
            _say_failure(task, advance.decisions[-1])
        cached = self._keep(task, execution, closed=advance.closed)
        return Decided(
            decisions=advance.decisions,
            execution_context=advance.execution_context,
            closed=advance.closed,
            cached=cached and not advance.closed,
            new_events=len(events),
            from_cache=from_cache,
            history_length=task.started_event_id,
            answer_after_s=advance.answer_after_s,
        )

    def _keep(self, task: DecisionTask, execution: ExecutionLike, *, closed: bool) -> bool:
        if self._max_cached <= 0:
            _evict(execution)
            return False
        self._cache[task.run_id] = _Cached(execution, task.started_event_id, awaits_outcome=True, closed=closed)
        self._cache.move_to_end(task.run_id)
        while len(self._cache) > self._max_cached:
            self.forget(next(iter(self._cache)))
        return task.run_id in self._cache

    def _drop(self, run_id: str, execution: ExecutionLike) -> None:
        if self._cache.get(run_id) is not None:
            self.forget(run_id)
        else:
            _evict(execution)


def _evict(execution: ExecutionLike) -> None:
    try:
        execution.evict()
    except Exception:
        logger.exception("An execution could not be thrown away cleanly; its memory may stay in use")


def _say_failure(task: DecisionTask, decision: JsonObject) -> None:
    """In the log, as 2.0.0 did: an exception that nobody caught as an error, a failure on purpose as news."""
    if decision["decisionType"] != "FailWorkflowExecution":
        return
    attributes = decision["failWorkflowExecutionDecisionAttributes"]
    level = logging.ERROR if attributes["reason"].startswith(UNCAUGHT) else logging.INFO
    logger.log(level, "%s fails: %s: %s", task.name, attributes["reason"], attributes.get("details"))


def _after(events: list[JsonObject], last_event_id: int) -> list[JsonObject]:
    """The events with an id above `last_event_id`, of a list without gap."""
    seen = last_event_id - int(events[0]["eventId"]) + 1
    return events[seen:] if seen > 0 else events


def _held_by_error(error: BaseException) -> Held:
    if isinstance(error, WorkflowStuck):
        return Held(kind=STUCK, message=str(error))
    trace = "".join(traceback.format_exception(type(error), error, error.__traceback__)).rstrip()
    if isinstance(error, KeyboardInterrupt):
        return Held(kind="author", message=f"its code raised KeyboardInterrupt\n{trace}")
    return Held(
        kind="framework",
        message=f"the framework failed on it with {type(error).__name__}: {error}\n{trace}",
    )
