"""What each arriving event does to what was asked for: steps its machine, settles it, or tries it again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pyflow.core.context import Context
from pyflow.core.history import Happening, epoch_s
from pyflow.core.hub import CANCELED, FAILED, PENDING, SUCCEEDED, TIMED_OUT
from pyflow.core.invocations import Invocation
from pyflow.core.machines import step
from pyflow.core.requests import CloseRequest, TimerRequest
from pyflow.core.retries import (
    CLOSE_POLICY,
    REFUSAL_POLICY,
    REFUSALS_MAX,
    backoff_s,
    is_passing,
    retry_delay_s,
)
from pyflow.core.signals import ReceivedSignal
from pyflow.exceptions import DeciderException

_SCHEDULED, _STARTED, _INITIATED = "scheduledEventId", "startedEventId", "initiatedEventId"

REFERENCES: Mapping[str, str] = {
    "ActivityTaskStarted": _SCHEDULED,
    "ActivityTaskCompleted": _SCHEDULED,
    "ActivityTaskFailed": _SCHEDULED,
    "ActivityTaskTimedOut": _SCHEDULED,
    "ActivityTaskCanceled": _SCHEDULED,
    "LambdaFunctionStarted": _SCHEDULED,
    "LambdaFunctionCompleted": _SCHEDULED,
    "LambdaFunctionFailed": _SCHEDULED,
    "LambdaFunctionTimedOut": _SCHEDULED,
    "StartLambdaFunctionFailed": _SCHEDULED,
    "TimerFired": _STARTED,
    "ChildWorkflowExecutionStarted": _INITIATED,
    "ChildWorkflowExecutionCompleted": _INITIATED,
    "ChildWorkflowExecutionFailed": _INITIATED,
    "ChildWorkflowExecutionTimedOut": _INITIATED,
    "ChildWorkflowExecutionCanceled": _INITIATED,
    "ChildWorkflowExecutionTerminated": _INITIATED,
    "StartChildWorkflowExecutionFailed": _INITIATED,
    "ExternalWorkflowExecutionSignaled": _INITIATED,
    "SignalExternalWorkflowExecutionFailed": _INITIATED,
    "ExternalWorkflowExecutionCancelRequested": _INITIATED,
    "RequestCancelExternalWorkflowExecutionFailed": _INITIATED,
}
"""The member by which an event refers to the one that opened what it is about."""

Read = Callable[[Mapping[str, Any]], Any]


def _result(attributes: Mapping[str, Any]) -> Any:
    return attributes.get("result")


def _reason(attributes: Mapping[str, Any]) -> Any:
    return attributes.get("reason"), attributes.get("details")


def _timeout(attributes: Mapping[str, Any]) -> Any:
    return attributes.get("timeoutType"), attributes.get("details")


def _canceled(attributes: Mapping[str, Any]) -> Any:
    return None, attributes.get("details")


def _cause(attributes: Mapping[str, Any]) -> Any:
    return attributes.get("cause"), attributes.get("message")


def _nothing(attributes: Mapping[str, Any]) -> Any:
    return None


def _terminated(attributes: Mapping[str, Any]) -> Any:
    return "Child workflow was terminated", None


ENDS: Mapping[str, tuple[int, Read]] = {
    "ActivityTaskCompleted": (SUCCEEDED, _result),
    "ActivityTaskFailed": (FAILED, _reason),
    "ActivityTaskTimedOut": (TIMED_OUT, _timeout),
    "ActivityTaskCanceled": (CANCELED, _canceled),
    "ScheduleActivityTaskFailed": (FAILED, _cause),
    "LambdaFunctionCompleted": (SUCCEEDED, _result),
    "LambdaFunctionFailed": (FAILED, _reason),
    "LambdaFunctionTimedOut": (TIMED_OUT, _timeout),
    "StartLambdaFunctionFailed": (FAILED, _cause),
    "ScheduleLambdaFunctionFailed": (FAILED, _cause),
    "TimerFired": (SUCCEEDED, _nothing),
    "StartTimerFailed": (FAILED, _cause),
    "ChildWorkflowExecutionCompleted": (SUCCEEDED, _result),
    "ChildWorkflowExecutionFailed": (FAILED, _reason),
    "ChildWorkflowExecutionTimedOut": (TIMED_OUT, _timeout),
    "ChildWorkflowExecutionCanceled": (CANCELED, _canceled),
    "ChildWorkflowExecutionTerminated": (FAILED, _terminated),
    "StartChildWorkflowExecutionFailed": (FAILED, _cause),
    "ExternalWorkflowExecutionSignaled": (SUCCEEDED, _nothing),
    "SignalExternalWorkflowExecutionFailed": (FAILED, _cause),
    "ExternalWorkflowExecutionCancelRequested": (SUCCEEDED, _nothing),
    "RequestCancelExternalWorkflowExecutionFailed": (FAILED, _cause),
    "MarkerRecorded": (SUCCEEDED, lambda attributes: attributes.get("details")),
    "RecordMarkerFailed": (FAILED, _cause),
}
"""How each event that ends something is read: outcome and value."""

_EFFECTS: Mapping[str, tuple[str, int, Read | None]] = {
    name: (member, *ENDS.get(name, (PENDING, None))) for name, member in REFERENCES.items()
}
"""Both of them in one look: by which member an event refers, and how it ends what it refers to, if it does."""

REFUSALS = frozenset(
    {
        "ScheduleActivityTaskFailed",
        "ScheduleLambdaFunctionFailed",
        "StartTimerFailed",
        "StartChildWorkflowExecutionFailed",
        "SignalExternalWorkflowExecutionFailed",
        "RequestCancelExternalWorkflowExecutionFailed",
    }
)
"""Events by which SWF says it did not take a decision; some causes pass."""


def apply_event(context: Context, happening: Happening) -> None:
    """Apply an event that refers to something opened earlier."""
    event_type, attributes, event = happening
    member, outcome, read = _EFFECTS[event_type]
    reference = attributes.get(member)
    try:
        invocation = context.open[reference]
    except KeyError:
        raise DeciderException(
            f"event {event['eventId']}: {event_type} refers to event {reference}, which opened nothing that is still "
            f"open here. The history is damaged, or pages of it are missing."
        ) from None
    if invocation is None:
        del context.open[reference]
        return
    step(invocation, event_type)
    if read is not None:
        free(context, invocation)
        if context.commands and "request_cancel" in invocation.path:
            _drop_cancel(context, invocation)
        settle(context, invocation, event_type, outcome, read(attributes))
    elif event_type == "ChildWorkflowExecutionStarted":
        invocation.run_id = attributes["workflowExecution"]["runId"]
        if invocation.cancel_asked:
            context.cancel_started_child(invocation)


def _drop_cancel(context: Context, invocation: Invocation) -> None:
    """It has ended: a cancel that is still waiting to be sent is not needed any more."""
    context.commands = [
        command
        for command in context.commands
        if command.entity is not invocation or command.kind not in ("cancel_activity", "cancel_timer")
    ]


def free(context: Context, invocation: Invocation) -> None:
    """One less is open."""
    del context.open[invocation.event_id]
    context.open_counts[invocation.kind] -= 1


def settle(context: Context, invocation: Invocation, event_type: str, outcome: int, value: Any) -> None:
    """The outcome of one attempt: final, or the reason for another attempt."""
    if invocation.on_fire is not None:
        if outcome != CANCELED and not invocation.done:
            if event_type == "StartTimerFailed":
                _answer_later(context, invocation)
            context.hub.resolve(invocation, outcome, value)
            invocation.on_fire()
        return
    if outcome in (FAILED, TIMED_OUT):
        turn = context.turn
        legacy = turn is not None and turn.legacy
        if event_type in REFUSALS and not legacy and is_passing(value[0] or "") and not invocation.done:
            invocation.refusals += 1
            if invocation.refusals <= REFUSALS_MAX:
                step(invocation, "retry")
                if invocation.kind == "timer":
                    _answer_later(context, invocation)
                    _ask_again(context, invocation)
                else:
                    wait_s = _refusal_delay_s(context, invocation)
                    _back_off(context, invocation, wait_s, lambda: _ask_again(context, invocation))
                return
        if not invocation.done and not invocation.cancel_asked:
            delay_s = retry_delay_s(invocation, outcome, value, legacy=legacy, run_id=context.run_id)
            if delay_s is not None:
                step(invocation, "retry")
                _back_off(context, invocation, delay_s, lambda: _next_attempt(context, invocation))
                return
    context.hub.resolve(invocation, outcome, value)


def _refusal_delay_s(context: Context, invocation: Invocation) -> float:
    seed = f"{context.run_id}/{invocation.base_id}/refused/{invocation.refusals}"
    return backoff_s(REFUSAL_POLICY, invocation.refusals, seed)


def _answer_later(context: Context, timer: Invocation) -> None:
    """A refused timer is asked for again at once, but in an answer that is kept back for a while."""
    context.answer_after_s = max(context.answer_after_s, _refusal_delay_s(context, timer))


def _back_off(context: Context, invocation: Invocation, delay_s: float, then: Callable[[], None]) -> None:
    if delay_s <= 0:
        then()
        return
    number = invocation.attempt + invocation.refusals
    timer = Invocation(
        TimerRequest(delay_s), f"{invocation.base_id}.backoff{number}", invocation.scope, invocation.site
    )
    timer.on_fire = then
    timer.refusals = number  # should it be refused itself, it waits as long as what it stands for
    invocation.backoff = timer
    context.backing_off[invocation.id] = invocation
    context.tell(timer.request, timer, invocation.site)


def _next_attempt(context: Context, invocation: Invocation) -> None:
    invocation.attempt += 1
    suffix = f".attempt{invocation.attempt}" if invocation.kind in ("activity", "child") else ""
    context.backing_off.pop(invocation.id, None)
    invocation.id = invocation.base_id + suffix
    _ask_again(context, invocation)


def _ask_again(context: Context, invocation: Invocation) -> None:
    context.backing_off.pop(invocation.id, None)
    invocation.backoff = None
    invocation.run_id = None
    step(invocation, "attempt")
    context.tell(invocation.request, invocation, invocation.site)


def receive_signal(context: Context, happening: Happening) -> None:
    """WorkflowExecutionSignaled, except those by which 2.0.0 woke itself."""
    _, attributes, event = happening
    sender = attributes.get("externalWorkflowExecution") or {}
    name = attributes["signalName"]
    if name.startswith("invoke_once_signal") and sender.get("runId") == context.run_id:
        return
    context.inbox.receive(
        ReceivedSignal(
            name=name,
            input=attributes.get("input"),
            workflow_id=sender.get("workflowId"),
            run_id=sender.get("runId"),
            event_id=event["eventId"],
            time_s=epoch_s(event["eventTimestamp"]),
        )
    )


def close_again(context: Context, request: CloseRequest, cause: str, refusals: int) -> None:
    """SWF did not close the execution. UNHANDLED_DECISION: news had come, ask again now; else wait, then ask again."""
    site = (context.workflow_type[0], 0)
    if cause == "UNHANDLED_DECISION":
        context.tell(request, None, site)
        return
    delay_s = backoff_s(CLOSE_POLICY, refusals, f"{context.run_id}/close/{refusals}")
    timer = Invocation(TimerRequest(delay_s), f"close.backoff{refusals}", context.root_scope, site)
    timer.on_fire = lambda: context.tell(request, None, site)
    context.tell(timer.request, timer, site)
