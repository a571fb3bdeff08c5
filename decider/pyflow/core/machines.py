"""The state machines: one table per SWF entity, state -> what happens -> next state. All legal moves are here.

Names in capitals inside a table are SWF's event types; names in lower case are what the decider itself does:
``withdraw`` (the command was never sent), ``request_cancel``, ``retry`` (another attempt is due), ``attempt`` (it is
asked for), ``close``. An event that is not in the row of the present state is refused with the path taken so far.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TypeAlias

from pyflow.exceptions import IllegalTransitionError

Table: TypeAlias = Mapping[str, Mapping[str, str]]

_ACTIVITY_ENDS = {
    "ActivityTaskCompleted": "completed",
    "ActivityTaskFailed": "failed",
    "ActivityTaskTimedOut": "timed_out",
    "ActivityTaskCanceled": "canceled",
}
_RETRIABLE = {"retry": "backing_off"}
_BACKING_OFF = {"attempt": "created", "withdraw": "canceled"}

ACTIVITY: Table = {
    "created": {
        "ActivityTaskScheduled": "scheduled",
        "ScheduleActivityTaskFailed": "failed",
        "withdraw": "canceled",
    },
    "scheduled": {
        "ActivityTaskStarted": "started",
        "ActivityTaskTimedOut": "timed_out",
        "ActivityTaskCanceled": "canceled",
        "request_cancel": "cancel_asked",
    },
    "started": {**_ACTIVITY_ENDS, "request_cancel": "cancel_asked"},
    "cancel_asked": {
        "ActivityTaskStarted": "cancel_asked",
        "ActivityTaskCancelRequested": "cancel_requested",
        "RequestCancelActivityTaskFailed": "cancel_refused",
        **_ACTIVITY_ENDS,
    },
    "cancel_requested": {"ActivityTaskStarted": "cancel_requested", **_ACTIVITY_ENDS},
    "cancel_refused": {"ActivityTaskStarted": "cancel_refused", **_ACTIVITY_ENDS},
    "failed": _RETRIABLE,
    "timed_out": _RETRIABLE,
    "backing_off": _BACKING_OFF,
    "completed": {},
    "canceled": {},
}

LAMBDA: Table = {
    "created": {
        "LambdaFunctionScheduled": "scheduled",
        "ScheduleLambdaFunctionFailed": "failed",
        "withdraw": "canceled",
    },
    "scheduled": {
        "LambdaFunctionStarted": "started",
        "StartLambdaFunctionFailed": "failed",
        "LambdaFunctionTimedOut": "timed_out",
    },
    "started": {
        "LambdaFunctionCompleted": "completed",
        "LambdaFunctionFailed": "failed",
        "LambdaFunctionTimedOut": "timed_out",
    },
    "failed": _RETRIABLE,
    "timed_out": _RETRIABLE,
    "backing_off": _BACKING_OFF,
    "completed": {},
    "canceled": {},
}

TIMER: Table = {
    "created": {"TimerStarted": "started", "StartTimerFailed": "failed", "withdraw": "canceled"},
    "started": {"TimerFired": "fired", "request_cancel": "cancel_asked"},
    "cancel_asked": {"TimerCanceled": "canceled", "CancelTimerFailed": "cancel_refused", "TimerFired": "fired"},
    "cancel_refused": {"TimerFired": "fired"},
    "failed": _RETRIABLE,
    "backing_off": _BACKING_OFF,
    "fired": {},
    "canceled": {},
}

CHILD: Table = {
    "created": {
        "StartChildWorkflowExecutionInitiated": "initiated",
        "StartChildWorkflowExecutionFailed": "failed",
        "withdraw": "canceled",
    },
    "initiated": {
        "ChildWorkflowExecutionStarted": "started",
        "StartChildWorkflowExecutionFailed": "failed",
    },
    "started": {
        "ChildWorkflowExecutionCompleted": "completed",
        "ChildWorkflowExecutionFailed": "failed",
        "ChildWorkflowExecutionTimedOut": "timed_out",
        "ChildWorkflowExecutionCanceled": "canceled",
        "ChildWorkflowExecutionTerminated": "terminated",
    },
    "failed": _RETRIABLE,
    "timed_out": _RETRIABLE,
    "terminated": _RETRIABLE,
    "backing_off": _BACKING_OFF,
    "completed": {},
    "canceled": {},
}

EXTERNAL_SIGNAL: Table = {
    "created": {"SignalExternalWorkflowExecutionInitiated": "initiated", "withdraw": "canceled"},
    "initiated": {
        "ExternalWorkflowExecutionSignaled": "delivered",
        "SignalExternalWorkflowExecutionFailed": "failed",
    },
    "delivered": {},
    "failed": _RETRIABLE,
    "backing_off": _BACKING_OFF,
    "canceled": {},
}

EXTERNAL_CANCEL: Table = {
    "created": {"RequestCancelExternalWorkflowExecutionInitiated": "initiated", "withdraw": "canceled"},
    "initiated": {
        "ExternalWorkflowExecutionCancelRequested": "delivered",
        "RequestCancelExternalWorkflowExecutionFailed": "failed",
    },
    "delivered": {},
    "failed": _RETRIABLE,
    "backing_off": _BACKING_OFF,
    "canceled": {},
}

MARKER: Table = {
    "created": {"MarkerRecorded": "recorded", "RecordMarkerFailed": "failed"},
    "recorded": {},
    "failed": {},
}

_CLOSED_FROM_OUTSIDE = {"WorkflowExecutionTerminated": "closed", "WorkflowExecutionTimedOut": "closed"}

EXECUTION: Table = {
    "new": {"WorkflowExecutionStarted": "running"},
    "running": {
        "WorkflowExecutionCancelRequested": "cancel_requested",
        "close": "closing",
        **_CLOSED_FROM_OUTSIDE,
    },
    "cancel_requested": {
        "WorkflowExecutionCancelRequested": "cancel_requested",
        "close": "closing",
        **_CLOSED_FROM_OUTSIDE,
    },
    "closing": {
        "WorkflowExecutionCompleted": "closed",
        "WorkflowExecutionFailed": "closed",
        "WorkflowExecutionCanceled": "closed",
        "WorkflowExecutionContinuedAsNew": "closed",
        "CompleteWorkflowExecutionFailed": "close_refused",
        "FailWorkflowExecutionFailed": "close_refused",
        "CancelWorkflowExecutionFailed": "close_refused",
        "ContinueAsNewWorkflowExecutionFailed": "close_refused",
        "WorkflowExecutionCancelRequested": "closing",
        **_CLOSED_FROM_OUTSIDE,
    },
    "close_refused": {
        "WorkflowExecutionCancelRequested": "close_refused",
        "close": "closing",
        **_CLOSED_FROM_OUTSIDE,
    },
    "closed": {},
}

TABLES: Mapping[str, Table] = {
    "activity": ACTIVITY,
    "lambda": LAMBDA,
    "timer": TIMER,
    "child": CHILD,
    "external_signal": EXTERNAL_SIGNAL,
    "external_cancel": EXTERNAL_CANCEL,
    "marker": MARKER,
    "execution": EXECUTION,
}


class Machine(Protocol):
    """Whatever moves through a table: it has a state and remembers how it got there."""

    table: Table
    state: str
    path: tuple[str, ...]

    def describe(self) -> str:
        """What this is, for an error message."""


def step(machine: Machine, happening: str) -> None:
    """Move ``machine``, or refuse: a move that is not in the table is never guessed at."""
    try:
        machine.state = machine.table[machine.state][happening]
    except KeyError:
        allowed = ", ".join(machine.table[machine.state]) or "nothing, it has ended"
        raise IllegalTransitionError(
            f"{machine.describe()} is {machine.state!r} and cannot take {happening}. "
            f"So far: {' -> '.join(machine.path) or 'nothing'}. Possible now: {allowed}."
        ) from None
    machine.path += (happening,)


def diagram() -> str:
    """All tables as one Mermaid document, for docs/state-machines.md."""
    blocks = ["# State machines", "", "Generated from `pyflow.core.machines`; a test keeps it current.", ""]
    for name, table in TABLES.items():
        blocks += [f"## {name}", "", "```mermaid", "stateDiagram-v2"]
        first = next(iter(table))
        blocks.append(f"    [*] --> {first}")
        for state, row in table.items():
            blocks += [f"    {state} --> {target}: {happening}" for happening, target in row.items()]
            if not row:
                blocks.append(f"    {state} --> [*]")
        blocks += ["```", ""]
    return "\n".join(blocks)


if __name__ == "__main__":
    print(diagram(), end="")
