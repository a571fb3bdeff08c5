"""Decisions about activities, timers, markers and lambda tasks."""

from __future__ import annotations

from pyflow_local.engine.activity_tasks import add_activity, cancel_unstarted, rearm_activity
from pyflow_local.engine.entities import ActivityTask, Execution, LambdaTask, RegisteredType, Timer
from pyflow_local.engine.lambda_tasks import begin_lambda
from pyflow_local.engine.limits import LAMBDA_SECONDS_DEFAULT
from pyflow_local.engine.values import JsonObject
from pyflow_local.engine.world import World

_ACTIVITY_SETTINGS = (
    # member, the type's default, cause when nobody defines it; in the order in which the service checks
    ("taskList", "defaultTaskList", "DEFAULT_TASK_LIST_UNDEFINED"),
    ("scheduleToStartTimeout", "defaultTaskScheduleToStartTimeout", "DEFAULT_SCHEDULE_TO_START_TIMEOUT_UNDEFINED"),
    ("scheduleToCloseTimeout", "defaultTaskScheduleToCloseTimeout", "DEFAULT_SCHEDULE_TO_CLOSE_TIMEOUT_UNDEFINED"),
    ("startToCloseTimeout", "defaultTaskStartToCloseTimeout", "DEFAULT_START_TO_CLOSE_TIMEOUT_UNDEFINED"),
    ("heartbeatTimeout", "defaultTaskHeartbeatTimeout", "DEFAULT_HEARTBEAT_TIMEOUT_UNDEFINED"),
)


def _activity_refusal(
    world: World, execution: Execution, kind: RegisteredType | None, given: JsonObject, scheduled: JsonObject
) -> str | None:
    """The cause for which the activity cannot be scheduled, or None with `scheduled` filled with its settings."""
    if kind is None:
        return "ACTIVITY_TYPE_DOES_NOT_EXIST"
    if kind.deprecated_ms is not None:
        return "ACTIVITY_TYPE_DEPRECATED"
    if execution.activity_ids and given["activityId"] in execution.activity_ids:
        return "ACTIVITY_ID_ALREADY_IN_USE"
    for member, default, cause in _ACTIVITY_SETTINGS:
        value = given.get(member) or kind.defaults.get(default)
        if not value:
            return cause
        scheduled[member] = value
    if execution.activities and len(execution.activities) >= world.quotas.open_activities:
        return "OPEN_ACTIVITIES_LIMIT_EXCEEDED"
    if world.gate is not None:
        return world.gate.task_list_cause(execution.domain.number, scheduled["taskList"]["name"], world.now_ms)
    return None


def schedule_activity_task(world: World, execution: Execution, given: JsonObject, completed_id: int) -> bool:
    """ScheduleActivityTask."""
    named = given["activityType"]
    kind = execution.domain.types["ActivityType"].get((named["name"], named["version"]))
    attributes: JsonObject = {
        "activityId": given["activityId"],
        "activityType": named,
        "decisionTaskCompletedEventId": completed_id,
    }
    cause = _activity_refusal(world, execution, kind, given, attributes)
    if cause is not None or kind is None:
        failed = {
            "activityId": given["activityId"],
            "activityType": named,
            "cause": cause,
            "decisionTaskCompletedEventId": completed_id,
        }
        world.emit(execution, "ScheduleActivityTaskFailed", failed)
        return True
    priority = given.get("taskPriority") or kind.defaults.get("defaultTaskPriority")
    if priority:
        attributes["taskPriority"] = priority
    for member in ("input", "control"):
        if given.get(member) is not None:
            attributes[member] = given[member]
    event_id = world.emit(execution, "ActivityTaskScheduled", attributes)
    execution.latest_activity_ms = world.now_ms
    task = ActivityTask(execution, event_id, world.now_ms, attributes)
    add_activity(execution, task)
    rearm_activity(world, task)
    world.offer_activity(task)
    return False


def request_cancel_activity_task(world: World, execution: Execution, given: JsonObject, completed_id: int) -> bool:
    """RequestCancelActivityTask; a task that nobody has started is canceled when the batch is over."""
    attributes: JsonObject = {"activityId": given["activityId"], "decisionTaskCompletedEventId": completed_id}
    task = (execution.activity_ids or {}).get(given["activityId"])
    if task is None:
        world.emit(execution, "RequestCancelActivityTaskFailed", {**attributes, "cause": "ACTIVITY_ID_UNKNOWN"})
        return True
    task.cancel_requested_id = world.emit(execution, "ActivityTaskCancelRequested", attributes)
    if task.started_id != 0:
        return False
    if world.batch_closes:
        world.held_cancels.append(task)
        return False
    cancel_unstarted(world, task)
    return True


def record_marker(world: World, execution: Execution, given: JsonObject, completed_id: int) -> bool:
    """RecordMarker."""
    attributes: JsonObject = {"markerName": given["markerName"], "decisionTaskCompletedEventId": completed_id}
    if given.get("details") is not None:
        attributes["details"] = given["details"]
    world.emit(execution, "MarkerRecorded", attributes)
    return False


def start_timer(world: World, execution: Execution, given: JsonObject, completed_id: int) -> bool:
    """StartTimer."""
    timer_id = given["timerId"]
    timers = execution.timers
    cause = None
    if timers and timer_id in timers:
        cause = "TIMER_ID_ALREADY_IN_USE"
    elif timers and len(timers) >= world.quotas.open_timers:
        cause = "OPEN_TIMERS_LIMIT_EXCEEDED"
    if cause is not None:
        failed = {"timerId": timer_id, "cause": cause, "decisionTaskCompletedEventId": completed_id}
        world.emit(execution, "StartTimerFailed", failed)
        return True
    attributes: JsonObject = {
        "timerId": timer_id,
        "startToFireTimeout": given["startToFireTimeout"],
        "decisionTaskCompletedEventId": completed_id,
    }
    if given.get("control") is not None:
        attributes["control"] = given["control"]
    timer = Timer(execution, timer_id, world.emit(execution, "TimerStarted", attributes))
    timer.entry = world.arm(None, world.now_ms + int(given["startToFireTimeout"]) * 1000, timer)
    if timers is None:
        timers = execution.timers = {}
    timers[timer_id] = timer
    return False


def cancel_timer(world: World, execution: Execution, given: JsonObject, completed_id: int) -> bool:
    """CancelTimer; its id is free again at once."""
    timer = (execution.timers or {}).pop(given["timerId"], None)
    attributes: JsonObject = {"timerId": given["timerId"], "decisionTaskCompletedEventId": completed_id}
    if timer is None:
        world.emit(execution, "CancelTimerFailed", {**attributes, "cause": "TIMER_ID_UNKNOWN"})
        return True
    if timer.entry is not None:
        world.agenda.strike(timer.entry)
    world.emit(execution, "TimerCanceled", {**attributes, "startedEventId": timer.started_id})
    return False


def schedule_lambda_function(world: World, execution: Execution, given: JsonObject, completed_id: int) -> bool:
    """ScheduleLambdaFunction; the invocation itself begins when the batch is over."""
    lambdas = execution.lambdas
    attributes: JsonObject = {
        "id": given["id"],
        "name": given["name"],
        "decisionTaskCompletedEventId": completed_id,
    }
    cause = None
    if lambdas and any(one.function_id == given["id"] for one in lambdas.values()):
        cause = "ID_ALREADY_IN_USE"
    elif lambdas and len(lambdas) >= world.quotas.open_lambdas:
        cause = "OPEN_LAMBDA_FUNCTIONS_LIMIT_EXCEEDED"
    if cause is not None:
        world.emit(execution, "ScheduleLambdaFunctionFailed", {**attributes, "cause": cause})
        return True
    attributes["startToCloseTimeout"] = given.get("startToCloseTimeout") or LAMBDA_SECONDS_DEFAULT
    for member in ("input", "control"):
        if given.get(member) is not None:
            attributes[member] = given[member]
    event_id = world.emit(execution, "LambdaFunctionScheduled", attributes)
    task = LambdaTask(execution, event_id, attributes)
    if lambdas is None:
        lambdas = execution.lambdas = {}
    lambdas[event_id] = task
    world.effects.append(lambda: begin_lambda(world, task))
    return False
