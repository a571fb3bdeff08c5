"""One workflow execution as a value machine: the next history events go in, decisions come out.

A full replay is ``advance`` from event 1; a parked execution is ``advance`` on the new events alone. It is the same
code, so any bug in a decision is a saved history away from being reproduced.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pyflow.core.answer import build_answer
from pyflow.core.context import Context
from pyflow.core.history import Happening, HistoryReader, Turn
from pyflow.core.hub import CANCELED, FAILED, SUCCEEDED, GreenletPool, Task
from pyflow.core.invocations import Command, is_own_code
from pyflow.core.lifecycle import ENDS, REFERENCES, apply_event, close_again, receive_signal, settle
from pyflow.core.machines import EXECUTION, Table, step
from pyflow.core.matching import confirm, waiting_site
from pyflow.core.requests import CloseRequest
from pyflow.core.values import (
    PAYLOAD_CHARACTERS_MAX,
    REASON_CHARACTERS_MAX,
    UNCAUGHT,
    Advance,
    Event,
    ExecutionSettings,
    Hold,
)
from pyflow.exceptions import (
    DeciderException,
    NondeterminismError,
    StaleExecutionError,
    WorkflowCanceledException,
    WorkflowContinued,
    WorkflowEvicted,
    WorkflowFailedException,
    WorkflowStuck,
)

_SHARED_LENGTH_MAX = 128
"""Strings up to this length are worth sharing: names, roles, timeouts. An input is not."""


class Execution:
    """One run of a workflow: the parked author code and what history has said so far.

    Bound to the thread that first calls ``advance``: greenlets cannot move between threads, so a worker with several
    decision threads keeps each cached execution on its own. ``pool`` is one GreenletPool per such thread; without it
    each execution keeps its own.
    """

    __slots__ = (
        "_author",
        "_closing",
        "_context",
        "_evicted",
        "_later",
        "_main",
        "_reader",
        "_refusals",
        "_workflow_class",
        "last_started_event_id",
        "path",
        "state",
    )

    table: Table = EXECUTION

    def __init__(
        self,
        workflow_class: type[Any],
        *,
        domain: str,
        workflow_id: str,
        run_id: str,
        workflow_type: tuple[str, str],
        settings: ExecutionSettings | None = None,
        pool: GreenletPool | None = None,
    ) -> None:
        self._workflow_class = workflow_class
        self._context = Context(
            domain=domain,
            workflow_id=workflow_id,
            run_id=run_id,
            workflow_type=(workflow_type[0], workflow_type[1]),
            settings=settings if settings is not None else ExecutionSettings(),
            pool=pool,
        )
        self._context.hub.on_task_end = self._task_ended
        self._reader = HistoryReader()
        self._main: Task | None = None
        self._closing: CloseRequest | None = None
        self._later: Sequence[tuple[Command, Happening]] = ()
        self._refusals = 0
        self._evicted = False
        self.last_started_event_id = 0
        """DecisionTaskStarted id of the last decision made here. A cached execution fits a task whose
        previousStartedEventId equals it."""
        self.state = "new"
        self.path: tuple[str, ...] = ()

    @property
    def last_event_id(self) -> int:
        """The last event this execution has seen."""
        return self._reader.last_event_id

    @property
    def status(self) -> Any:
        """What the code last gave to ``set_status``."""
        return self._context.status

    def describe(self) -> str:
        """For messages."""
        context = self._context
        return f"execution {context.workflow_id!r} (run {context.run_id})"

    def waiting_at(self) -> list[str]:
        """Where author code is parked, oldest branch first: ``file.py:12``."""
        sites = (waiting_site(task.frame()) for task in self._context.hub.tasks())
        return [site for site in sites if site]

    def advance(self, events: Iterable[Event], *, previous_started_event_id: int, started_event_id: int) -> Advance:
        """Take the next events, up to and including DecisionTaskStarted ``started_event_id``, and decide.

        A fresh execution takes the whole history from event 1. A parked one takes the new events; those it has seen
        already are dropped by id. ``started_event_id`` 0 replays a history that has no decision task waiting.
        What author code or history did wrong comes back as ``held``. Raises StaleExecutionError if the events do not
        follow what this execution has seen: evict it and start again with the whole history.
        """
        if self._evicted:
            raise StaleExecutionError(f"{self.describe()} has been evicted: make a new one")
        if self.last_started_event_id and previous_started_event_id != self.last_started_event_id and started_event_id:
            raise StaleExecutionError(
                f"{self.describe()} last decided at event {self.last_started_event_id}; the task follows event "
                f"{previous_started_event_id}. Another decider has answered meanwhile."
            )
        turn: Turn | None = None
        try:
            for turn in self._reader.read(events, started_event_id):
                if turn is not self._context.turn:
                    self._take(turn)
                if turn.completed is not None:
                    self._confirm(turn)
            if turn is None or turn.completed is not None:
                return Advance(last_event_id=self.last_event_id, closed=self.state == "closed")
            self.last_started_event_id = turn.started_id
            return build_answer(self._context, self.last_event_id)
        except StaleExecutionError:
            raise
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            # A fault that was met outside of any task, in a condition that the hub asks, unwinds as an eviction.
            return self._hold(self._context.fault or error)

    def evict(self) -> None:
        """Unwind every parked greenlet, on the thread that advanced it. The object cannot be used afterwards."""
        if not self._evicted:
            self._evicted = True
            self._context.hub.evict()

    # ---- one turn

    def _confirm(self, turn: Turn) -> None:
        self._later = confirm(self._context, turn)
        if self._closing is not None and turn.decisions and turn.decisions[-1][0].startswith("WorkflowExecution"):
            step(self, turn.decisions[-1][0])

    def _take(self, turn: Turn) -> None:
        context = self._context
        context.begin_turn(turn)
        if self._later:
            later, self._later = self._later, ()
            for command, happening in later:
                self._apply_late(command, happening)
        position = 0
        if turn.legacy:
            for arrivals_before, void_start in turn.void_starts:
                self._apply(turn.arrivals[position:arrivals_before])
                position = arrivals_before
                self._run(void_start["eventTimestamp"])
        self._apply(turn.arrivals[position:] if position else turn.arrivals)
        turn.arrivals = []
        self._run(turn.started_at)

    def _apply(self, arrivals: list[Happening]) -> None:
        context = self._context
        for happening in arrivals:
            event_type = happening[0]
            if event_type in REFERENCES:
                apply_event(context, happening)
            elif event_type == "WorkflowExecutionSignaled":
                receive_signal(context, happening)
            elif event_type == "WorkflowExecutionStarted":
                step(self, event_type)
                context.started_attributes = _lean(happening[1])
            elif event_type == "WorkflowExecutionCancelRequested":
                step(self, event_type)
                cause = happening[1].get("cause")
                context.cancel_scope(context.root_scope, cause or "cancellation of the execution was requested")
            elif event_type in self.table[self.state]:
                step(self, event_type)

    def _apply_late(self, command: Command, happening: Happening) -> None:
        """What the previous answer recorded but did not take effect."""
        event_type, attributes, _ = happening
        if command.kind == "close":
            step(self, event_type)
            self._refusals += 1
            assert isinstance(command.request, CloseRequest)
            close_again(self._context, command.request, attributes["cause"], self._refusals)
            return
        assert command.entity is not None
        outcome, read = ENDS[event_type]
        settle(self._context, command.entity, event_type, outcome, read(attributes))

    def _run(self, now: Any) -> None:
        context = self._context
        context.now = now
        hub = context.hub
        if self._main is None:
            self._start()
        hub.stopped = False
        guard = context.settings.guard
        if guard is None:
            hub.run()
        else:
            guard(hub.run)
        if context.fault is not None:
            raise context.fault
        commands = context.commands
        if self._closing is not None and any(command.kind == "close" for command in commands):
            if self.state != "closing":
                step(self, "close")
            if commands[-1].kind != "close":
                # A handler that ran after the end has asked for more: the close stays last.
                commands.sort(key=lambda command: command.kind == "close")

    def _start(self) -> None:
        if self.state == "new":
            raise DeciderException(f"{self.describe()}: the history does not begin with WorkflowExecutionStarted")
        bind = getattr(self._workflow_class, "_pyflow_bind", None)
        if bind is None:
            raise DeciderException(f"{self._workflow_class!r} is no pyflow.Workflow")
        context = self._context
        run = bind(context)
        self._main = context.hub.spawn(run, context.root_scope, role="main")

    # ---- the end of a task

    def _task_ended(self, task: Task) -> None:
        """In the greenlet of the task that ends."""
        hub = self._context.hub
        error = task.error
        if isinstance(error, KeyboardInterrupt | WorkflowStuck | DeciderException):
            self._fault(error, task)
        elif task.role == "branch":
            self._branch_ended(task)
        elif task.role == "handler" and (error is None or isinstance(error, WorkflowCanceledException)):
            hub.resolve(task.completion, SUCCEEDED if error is None else CANCELED, task.result)
        elif self._closing is None:
            self._close(task)

    def _branch_ended(self, task: Task) -> None:
        hub = self._context.hub
        error = task.error
        if error is None:
            hub.resolve(task.completion, SUCCEEDED, task.result)
        elif isinstance(error, WorkflowCanceledException):
            hub.resolve(task.completion, CANCELED, error)
        elif isinstance(error, WorkflowContinued):
            self._close(task)
        elif not isinstance(error, WorkflowEvicted):
            hub.resolve(task.completion, FAILED, error)
            self._context.failed_branches.append(task)

    def _close(self, task: Task) -> None:
        """The workflow's own code is at its end: decide how the execution closes."""
        context = self._context
        error = task.error
        name, version = context.workflow_type
        if error is None:
            self._closing = CloseRequest("CompleteWorkflowExecution", {"result": task.result})
        elif isinstance(error, WorkflowContinued):
            assert isinstance(error.request, CloseRequest)
            self._closing = error.request
        elif isinstance(error, WorkflowCanceledException):
            details = str(error)
            self._closing = CloseRequest("CancelWorkflowExecution", {"details": details} if details else {})
        elif isinstance(error, WorkflowFailedException):
            self._closing = _failed(error.reason, error.details)
        elif isinstance(error, WorkflowEvicted):
            return
        elif getattr(self._workflow_class, "ON_EXCEPTION", "fail") == "hold":
            self._fault(error, task)
            return
        else:
            reason = f"{UNCAUGHT} {(name, version)!r}"
            self._closing = _failed(reason, _authors_traceback(error))
        context.tell(self._closing, None, (name, 0))
        context.hub.stopped = True
        context.hub.handlers_only = True

    def _fault(self, error: BaseException, task: Task) -> None:
        self._context.fault = error
        self._context.hub.stopped = True

    def _hold(self, error: BaseException) -> Advance:
        """Turn whatever went wrong into the reason for not answering."""
        event_id: int | None = None
        message = f"{self.describe()}: "
        if isinstance(error, NondeterminismError):
            kind, event_id = "nondeterminism", error.event_id
            message += str(error)
        elif isinstance(error, WorkflowStuck):
            kind = "stuck"
            message += str(error)
        else:
            by_author = self._context.fault is error and not isinstance(error, DeciderException)
            kind = "author" if by_author else "framework"
            message += "".join(traceback.format_exception(error))
        return Advance(
            held=Hold(kind=kind, message=message, event_id=event_id),  # type: ignore[arg-type]  # narrowed above
            last_event_id=self.last_event_id,
        )


def _authors_traceback(error: BaseException) -> str:
    """The traceback from the first line of workflow code on: how pyflow got there helps nobody."""
    trace = error.__traceback__
    while trace is not None and is_own_code(trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    return "".join(traceback.format_exception(type(error), error, trace or error.__traceback__))


def _lean(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes that code may ask for later, with their many repeated strings shared between executions."""
    return {
        sys.intern(name): sys.intern(value) if type(value) is str and len(value) < _SHARED_LENGTH_MAX else value
        for name, value in attributes.items()
        if name not in ("workflowType", "parentInitiatedEventId")
    }


def _failed(reason: str, details: str | None) -> CloseRequest:
    attributes = {"reason": reason[:REASON_CHARACTERS_MAX]}
    if details is not None:
        attributes["details"] = _shorten(details)
    return CloseRequest("FailWorkflowExecution", attributes)


def _shorten(details: str) -> str:
    """Keep both ends of a long text: a traceback says where it began and what went wrong last."""
    if len(details) <= PAYLOAD_CHARACTERS_MAX:
        return details
    mark = "\n... cut ...\n"
    half = (PAYLOAD_CHARACTERS_MAX - len(mark)) // 2
    return details[:half] + mark + details[-half:]
