"""Decisions refused before their own rules are looked at: the failure event of each (see restrictions)."""

from __future__ import annotations

from pyflow_local.engine.decisions_external import request_cancel_external, signal_external
from pyflow_local.engine.entities import Execution
from pyflow_local.engine.values import JsonObject
from pyflow_local.engine.world import World

_FAILURES: dict[str, tuple[str, tuple[str, ...]]] = {
    # decision: its failure event, and what of the decision that event repeats
    "ScheduleActivityTask": ("ScheduleActivityTaskFailed", ("activityType", "activityId")),
    "RequestCancelActivityTask": ("RequestCancelActivityTaskFailed", ("activityId",)),
    "RecordMarker": ("RecordMarkerFailed", ("markerName",)),
    "StartTimer": ("StartTimerFailed", ("timerId",)),
    "CancelTimer": ("CancelTimerFailed", ("timerId",)),
    "ScheduleLambdaFunction": ("ScheduleLambdaFunctionFailed", ("id", "name")),
    "StartChildWorkflowExecution": ("StartChildWorkflowExecutionFailed", ("workflowType", "workflowId", "control")),
    "CompleteWorkflowExecution": ("CompleteWorkflowExecutionFailed", ()),
    "FailWorkflowExecution": ("FailWorkflowExecutionFailed", ()),
    "CancelWorkflowExecution": ("CancelWorkflowExecutionFailed", ()),
    "ContinueAsNewWorkflowExecution": ("ContinueAsNewWorkflowExecutionFailed", ()),
}
_EXTERNAL = {
    "SignalExternalWorkflowExecution": signal_external,
    "RequestCancelExternalWorkflowExecution": request_cancel_external,
}


def refuse_decision(
    world: World, execution: Execution, kind: str, given: JsonObject, cause: str, completed_id: int
) -> bool:
    """Record that the decision failed for this cause; whether the decider must be called again because of it.

    The failure of a signal or cancel request names the Initiated event, so that one comes first (reference 6.6); a
    child that cannot be started has none, and its failure says 0 (reference 6.5).
    """
    initiate = _EXTERNAL.get(kind)
    if initiate is not None:
        return initiate(world, execution, given, completed_id, cause)
    event_type, members = _FAILURES[kind]
    failed: JsonObject = {member: given[member] for member in members if given.get(member) is not None}
    failed["cause"] = cause
    failed["decisionTaskCompletedEventId"] = completed_id
    if kind == "StartChildWorkflowExecution":
        failed["initiatedEventId"] = 0
    world.emit(execution, event_type, failed)
    return True
