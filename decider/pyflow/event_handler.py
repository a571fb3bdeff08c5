"""2.0.0's reader of events: fills a `WorkflowState` for programs. Nothing here decides by it: `pyflow.core` does."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyflow import payloads
from pyflow.core.retries import LAMBDA_RETRIES_MAX, LAMBDA_RETRY_REASONS
from pyflow.workflow_state import InvocationState

if TYPE_CHECKING:
    from pyflow.decision_task_helper import DecisionTaskHelper

__all__ = ["EventHandler"]

Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """What an event makes of the state of the invocation it is about."""

    state: int
    reason: str | None = None
    """The event's member that holds the reason, or the reason itself where it is no member."""
    details: str | None = None
    result: str | None = None
    """The event's member that holds the result."""
    unreadable: str = "Decoding result failed"
    """The reason when the result is not JSON."""


_HANDLED = _Change(state=InvocationState.HANDLED)
_STARTED = _Change(state=InvocationState.STARTED)
_REFUSED = _Change(state=InvocationState.FAILED, reason="cause")
_FAILED = _Change(state=InvocationState.FAILED, reason="reason", details="details")
_CANCELED = _Change(state=InvocationState.CANCELED, details="details")

_CHANGES: Mapping[str, _Change] = {
    "LambdaFunctionScheduled": _HANDLED,
    "LambdaFunctionStarted": _STARTED,
    "LambdaFunctionCompleted": _Change(state=InvocationState.SUCCEEDED, result="result"),
    "LambdaFunctionFailed": _FAILED,
    "LambdaFunctionTimedOut": _Change(state=InvocationState.TIMED_OUT, reason="Lambda function timed out"),
    "StartLambdaFunctionFailed": _REFUSED,
    "ScheduleLambdaFunctionFailed": _REFUSED,
    "StartTimerFailed": _REFUSED,
    "TimerStarted": _STARTED,
    "TimerFired": _Change(state=InvocationState.SUCCEEDED),
    "TimerCanceled": _Change(state=InvocationState.CANCELED),
    "ActivityTaskScheduled": _HANDLED,
    "ActivityTaskStarted": _STARTED,
    "ActivityTaskCompleted": _Change(state=InvocationState.SUCCEEDED, result="result"),
    "ActivityTaskFailed": _FAILED,
    "ActivityTaskCanceled": _CANCELED,
    "ActivityTaskTimedOut": _Change(state=InvocationState.TIMED_OUT, reason="Activity task timed out"),
    "ScheduleActivityTaskFailed": _REFUSED,
    "StartActivityTaskFailed": _REFUSED,
    "StartChildWorkflowExecutionInitiated": _HANDLED,
    "ChildWorkflowExecutionStarted": _STARTED,
    "ChildWorkflowExecutionCompleted": _Change(
        state=InvocationState.SUCCEEDED, result="result", unreadable="Failed to decode child workflow output"
    ),
    "ChildWorkflowExecutionFailed": _FAILED,
    "ChildWorkflowExecutionCanceled": _CANCELED,
    "ChildWorkflowExecutionTerminated": _Change(state=InvocationState.FAILED, reason="Child workflow was terminated"),
    "ChildWorkflowExecutionTimedOut": _Change(state=InvocationState.TIMED_OUT, reason="Child workflow timed out"),
    "StartChildWorkflowExecutionFailed": _REFUSED,
    "MarkerRecorded": _Change(
        state=InvocationState.SUCCEEDED, result="details", unreadable="Failed to decode marker value"
    ),
    "RecordMarkerFailed": _REFUSED,
}

_CLOSED = (
    "WorkflowExecutionTimedOut",
    "WorkflowExecutionFailed",
    "WorkflowExecutionCompleted",
    "WorkflowExecutionTerminated",
)
_NOTED = ("WorkflowExecutionCancelRequested", "ActivityTaskCancelRequested", "RequestCancelActivityTaskFailed")
"""Events with a method of their own in 2.0.0 that change no state."""

_KINDS = (
    ("ChildWorkflowExecution", r"ChildWorkflowExecution"),
    ("ContinueAsNewWorkflowExecution", r"ContinueAsNew|ContinuedAsNew"),
    ("ExternalWorkflowExecution", r"ExternalWorkflowExecution"),
    ("ActivityTask", r"ActivityTask"),
    ("DecisionTask", r"DecisionTask"),
    ("LambdaFunction", r"LambdaFunction"),
    ("Marker", r"Marker"),
    ("Timer", r"Timer"),
    ("WorkflowExecution", r"WorkflowExecution"),
)
"""What an event is about, by its name; the first that fits."""

_MORE_EVENTS = (
    "CancelTimerFailed",
    "CancelWorkflowExecutionFailed",
    "CompleteWorkflowExecutionFailed",
    "ContinueAsNewWorkflowExecutionFailed",
    "DecisionTaskCompleted",
    "DecisionTaskScheduled",
    "DecisionTaskStarted",
    "DecisionTaskTimedOut",
    "ExternalWorkflowExecutionCancelRequested",
    "ExternalWorkflowExecutionSignaled",
    "FailWorkflowExecutionFailed",
    "RequestCancelExternalWorkflowExecutionFailed",
    "RequestCancelExternalWorkflowExecutionInitiated",
    "SignalExternalWorkflowExecutionFailed",
    "SignalExternalWorkflowExecutionInitiated",
    "WorkflowExecutionCanceled",
    "WorkflowExecutionContinuedAsNew",
    "WorkflowExecutionSignaled",
    "WorkflowExecutionStarted",
)


def _by_kind() -> dict[str, list[str]]:
    kinds: dict[str, list[str]] = {}
    for event_type in sorted({*_CHANGES, *_CLOSED, *_NOTED, *_MORE_EVENTS}):
        kind = next(kind for kind, pattern in _KINDS if re.search(pattern, event_type))
        kinds.setdefault(kind, []).append(event_type)
    return kinds


class EventHandler:
    """Takes events one by one. For each event type there is a method too: ``handle_timer_fired(event)``, ..."""

    event_types: Mapping[str, list[str]] = _by_kind()
    """Event types by what they are about."""

    def __init__(self, decision_helper: DecisionTaskHelper) -> None:
        self.decision_helper = decision_helper

    def update_state_from_event(self, event: Event) -> bool:
        """Note an event; True if an outcome is known by it."""
        self.decision_helper.workflow_state.last_seen_event_id = event["eventId"]
        handle = getattr(self, _method_name(event["eventType"]), self.handle_unhandled_event)
        return bool(handle(event))

    def handle_unhandled_event(self, event: Event) -> bool:
        """An event that changes nothing."""
        return False

    def handle_workflow_execution_started(self, event: Event) -> bool:
        """Take over input and role."""
        state, attributes = self.decision_helper.workflow_state, self.decision_helper.event_attributes(event) or {}
        state.workflow_start_time = event["eventTimestamp"]
        state.lambda_role = attributes.get("lambdaRole")
        try:
            state.input = payloads.from_json(attributes.get("input"))
        except ValueError:
            state.input = None  # the decider has failed the execution for it
        return True

    def should_retry_lambda(self, event_attributes: Mapping[str, Any]) -> bool:
        """True if the Lambda service itself had failed."""
        return event_attributes.get("reason") in LAMBDA_RETRY_REASONS

    def _change(self, event: Event, change: _Change) -> bool:
        helper = self.decision_helper
        attributes = helper.event_attributes(event) or {}
        state = helper.workflow_state.get_invocation_state(
            helper.event_invocation_id(event) or "", num_retries=LAMBDA_RETRIES_MAX
        )
        if event["eventType"] == "LambdaFunctionFailed" and state.retries_left and self.should_retry_lambda(attributes):
            state.retries_left -= 1
            state.update_state(InvocationState.HANDLED)
            return False
        reason = (
            attributes.get(change.reason, change.reason if " " in change.reason else None) if change.reason else None
        )
        details = attributes.get(change.details) if change.details else None
        try:
            result = payloads.from_json(attributes.get(change.result)) if change.result else None
        except ValueError as error:
            state.update_state(InvocationState.FAILED, None, change.unreadable, str(error))
        else:
            state.update_state(change.state, result, reason, details)
        return state.done

    def _close(self, event: Event) -> bool:
        self.decision_helper.workflow_state.completed = True
        return False


def _method_name(event_type: str) -> str:
    return "handle" + re.sub("[A-Z]", lambda letter: "_" + letter.group().lower(), event_type)


def _method_for(change: _Change) -> Callable[[EventHandler, Event], bool]:
    def handle(self: EventHandler, event: Event) -> bool:
        return self._change(event, change)

    return handle


for _event_type, _what in _CHANGES.items():
    setattr(EventHandler, _method_name(_event_type), _method_for(_what))
for _event_type in _CLOSED:
    setattr(EventHandler, _method_name(_event_type), EventHandler._close)
for _event_type in _NOTED:
    setattr(EventHandler, _method_name(_event_type), EventHandler.handle_unhandled_event)
