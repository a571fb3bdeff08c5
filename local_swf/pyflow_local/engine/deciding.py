"""RespondDecisionTaskCompleted: accept the answer, apply its decisions in order, schedule what follows."""

from __future__ import annotations

from collections.abc import Callable

from pyflow_local.engine import decisions_close, decisions_external, decisions_task
from pyflow_local.engine.activity_tasks import cancel_unstarted
from pyflow_local.engine.decision_shapes import CLOSING_DECISIONS, attributes_member
from pyflow_local.engine.decision_tasks import make_pollable, schedule_decision
from pyflow_local.engine.decisions_refused import refuse_decision
from pyflow_local.engine.entities import UNLIMITED_TIMEOUT, DecisionTask, Execution
from pyflow_local.engine.faults import ClosedRun, Fault
from pyflow_local.engine.tokens import DECISION, read_task_token
from pyflow_local.engine.values import EMPTY_REPLY, JsonObject, Outcome
from pyflow_local.engine.world import World

# A decision's rule: applies it, and says whether the decider must be called again because of it.
_Apply = Callable[[World, Execution, JsonObject, int], bool]

_APPLY: dict[str, _Apply] = {
    "ScheduleActivityTask": decisions_task.schedule_activity_task,
    "RequestCancelActivityTask": decisions_task.request_cancel_activity_task,
    "RecordMarker": decisions_task.record_marker,
    "StartTimer": decisions_task.start_timer,
    "CancelTimer": decisions_task.cancel_timer,
    "ScheduleLambdaFunction": decisions_task.schedule_lambda_function,
    "SignalExternalWorkflowExecution": decisions_external.signal_external,
    "RequestCancelExternalWorkflowExecution": decisions_external.request_cancel_external,
    "StartChildWorkflowExecution": decisions_external.start_child,
    "CompleteWorkflowExecution": decisions_close.complete,
    "FailWorkflowExecution": decisions_close.fail,
    "CancelWorkflowExecution": decisions_close.cancel,
    "ContinueAsNewWorkflowExecution": decisions_close.continue_as_new,
}
_MEMBERS = {kind: attributes_member(kind) for kind in _APPLY}


def _find(world: World, token: str) -> DecisionTask:
    named = read_task_token(world.secret, token, DECISION)
    execution = world.runs.get(named.run)
    if execution is None:
        raise ClosedRun(named.run)
    task = execution.started
    if task is None or task.started_id != named.started_id:
        raise Fault("UnknownResourceFault", f"Unknown decision task, scheduledEventId = {named.scheduled_id}")
    return task


def _take_override(execution: Execution, request: JsonObject, attributes: JsonObject) -> None:
    task_list = request.get("taskList")
    limit = request.get("taskListScheduleToStartTimeout")
    if task_list is None:
        return
    attributes["taskList"] = task_list
    if limit and limit != UNLIMITED_TIMEOUT:
        attributes["taskListScheduleToStartTimeout"] = limit
        execution.sticky_list, execution.sticky_timeout = task_list["name"], limit
    else:
        if limit:
            attributes["taskListScheduleToStartTimeout"] = limit
        execution.sticky_list, execution.last_task_list = None, task_list["name"]


def _settle_cancels(world: World, execution: Execution) -> bool:
    """A batch that meant to close its execution and did not: what nobody has started is canceled now after all."""
    held, world.held_cancels = world.held_cancels, []
    if execution.close_status is not None:
        return False
    for task in held:
        if (execution.activities or {}).get(task.scheduled_id) is task:
            cancel_unstarted(world, task)
    return bool(held)


def respond_decision_task_completed(world: World, request: JsonObject) -> Outcome:
    """RespondDecisionTaskCompleted. The batch was validated as a whole before (reference 4.2)."""
    task = _find(world, request["taskToken"])
    execution = task.execution
    if task.entry is not None:
        world.agenda.strike(task.entry)
    attributes: JsonObject = {"scheduledEventId": task.scheduled_id, "startedEventId": task.started_id}
    context = request.get("executionContext")
    if context is not None:
        attributes["executionContext"] = execution.context = context
    _take_override(execution, request, attributes)
    completed_id = world.emit(execution, "DecisionTaskCompleted", attributes)
    execution.started = None
    execution.previous_started_id = task.started_id
    again = False
    decisions = request.get("decisions") or []
    world.batch_closes = (
        bool(decisions) and execution.queued is None and decisions[-1]["decisionType"] in CLOSING_DECISIONS
    )
    gate = world.gate
    for decision in decisions:
        kind = decision["decisionType"]
        given = decision.get(_MEMBERS[kind]) or {}
        if gate is not None and (cause := gate.decision_cause(kind, world.now_ms)) is not None:
            again |= refuse_decision(world, execution, kind, given, cause, completed_id)
        else:
            again |= _APPLY[kind](world, execution, given, completed_id)
    if world.held_cancels:
        again |= _settle_cancels(world, execution)
    if execution.close_status is not None:
        return EMPTY_REPLY
    queued = execution.queued
    if queued is not None:
        make_pollable(world, queued)
    elif again:
        schedule_decision(world, execution)
    return EMPTY_REPLY
