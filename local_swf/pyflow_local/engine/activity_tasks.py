"""Activity tasks: handing out, results, failures, cancels, heartbeats and the four timeouts."""

from __future__ import annotations

import orjson

from pyflow_local.engine.decision_tasks import schedule_decision
from pyflow_local.engine.entities import ActivityTask, Execution
from pyflow_local.engine.faults import ClosedRun, Fault
from pyflow_local.engine.records import HeartbeatRecorded
from pyflow_local.engine.tasklists import TaskList, Waiter
from pyflow_local.engine.tokens import ACTIVITY, read_task_token, task_token
from pyflow_local.engine.values import EMPTY_REPLY, PARKED, JsonObject, Outcome, Reply
from pyflow_local.engine.world import World

EMPTY_ACTIVITY_POLL = Reply(200, b'{"startedEventId":0}')
_NO_OPTIONS = (0, False, False)


def poll_for_activity_task(world: World, request: JsonObject, poll: int) -> Outcome:
    """PollForActivityTask: waits until a task or the end of the long poll."""
    domain = world.domain(request["domain"])
    waiter = Waiter(poll, request.get("identity"), _NO_OPTIONS)
    world.park_activity_poll(domain, request["taskList"]["name"], waiter)
    return PARKED


def rearm_activity(world: World, task: ActivityTask) -> None:
    """Set the task's next deadline."""
    due = task.due()
    task.entry = world.arm(task.entry, None if due is None else due[0], task)


def match_activities(world: World, tasks: TaskList[ActivityTask]) -> None:
    """Give waiting tasks to waiting polls."""
    tasks.dirty = False
    while tasks.count:
        waiter = world.next_waiter(tasks)
        if waiter is None:
            break
        task = tasks.pop()
        assert task is not None
        _start(world, task, waiter)
    world.drop_if_idle(tasks)


def _start(world: World, task: ActivityTask, waiter: Waiter) -> None:
    execution = task.execution
    attributes: JsonObject = {"scheduledEventId": task.scheduled_id}
    if waiter.identity is not None:
        attributes["identity"] = waiter.identity
    task.started_id = world.emit(execution, "ActivityTaskStarted", attributes)
    task.started_ms = task.heartbeat_ms = execution.latest_activity_ms = world.now_ms
    rearm_activity(world, task)
    body: JsonObject = {
        "activityId": task.activity_id,
        "activityType": task.activity_type,
        "startedEventId": task.started_id,
        "taskToken": task_token(world.secret, ACTIVITY, execution.run, task.scheduled_id, task.started_id),
        "workflowExecution": execution.reference,
    }
    if task.input is not None:
        body["input"] = task.input
        task.input = None  # it is in the history; an open activity need not hold it twice
    world.answer(waiter.poll, Reply(200, orjson.dumps(body)))


def _find(world: World, token: str) -> ActivityTask:
    """The open, started activity of a token. Raises UnknownResourceFault as in reference 7.10."""
    named = read_task_token(world.secret, token, ACTIVITY)
    execution = world.runs.get(named.run)
    if execution is None:
        raise ClosedRun(named.run)
    task = (execution.activities or {}).get(named.scheduled_id)
    if task is None or task.started_id != named.started_id:
        raise Fault("UnknownResourceFault", f"Unknown activity, scheduledEventId = {named.scheduled_id}")
    return task


def forget_activity(world: World, task: ActivityTask) -> None:
    """Remove a task that has ended from its execution."""
    execution = task.execution
    if task.entry is not None:
        world.agenda.strike(task.entry)
    assert execution.activities is not None
    assert execution.activity_ids is not None
    del execution.activities[task.scheduled_id]
    del execution.activity_ids[task.activity_id]
    if not execution.activities:
        execution.activities = execution.activity_ids = None  # idle executions should be small


def _end(world: World, task: ActivityTask, event_type: str, extra: JsonObject) -> Reply:
    execution = task.execution
    forget_activity(world, task)
    attributes: JsonObject = {"scheduledEventId": task.scheduled_id, "startedEventId": task.started_id}
    attributes.update(extra)
    world.emit(execution, event_type, attributes)
    execution.latest_activity_ms = world.now_ms
    schedule_decision(world, execution)
    return EMPTY_REPLY


def _given(request: JsonObject, *members: str) -> JsonObject:
    return {member: request[member] for member in members if request.get(member) is not None}


def respond_activity_task_completed(world: World, request: JsonObject) -> Outcome:
    """RespondActivityTaskCompleted."""
    return _end(world, _find(world, request["taskToken"]), "ActivityTaskCompleted", _given(request, "result"))


def respond_activity_task_failed(world: World, request: JsonObject) -> Outcome:
    """RespondActivityTaskFailed."""
    extra = _given(request, "reason", "details")
    return _end(world, _find(world, request["taskToken"]), "ActivityTaskFailed", extra)


def respond_activity_task_canceled(world: World, request: JsonObject) -> Outcome:
    """RespondActivityTaskCanceled: accepted even if nobody asked for a cancel, as on the service."""
    task = _find(world, request["taskToken"])
    extra = _given(request, "details")
    if task.cancel_requested_id:
        extra["latestCancelRequestedEventId"] = task.cancel_requested_id
    return _end(world, task, "ActivityTaskCanceled", extra)


def record_activity_task_heartbeat(world: World, request: JsonObject) -> Outcome:
    """RecordActivityTaskHeartbeat: restarts the heartbeat clock; without details the previous ones are kept."""
    task = _find(world, request["taskToken"])
    task.heartbeat_ms = world.now_ms
    details = request.get("details")
    if details is not None:
        task.heartbeat_details = details
    if task.heartbeat_timeout is not None:
        rearm_activity(world, task)
    task.execution.heartbeats = True
    record = HeartbeatRecorded(task.execution.run, task.scheduled_id, world.now_ms, task.heartbeat_details)
    world.outbox.journal.append(record)
    return Reply(200, b'{"cancelRequested":%b}' % (b"true" if task.cancel_requested_id else b"false"))


def time_out_activity(world: World, task: ActivityTask) -> None:
    """One of the task's deadlines passed: one event, of the earliest deadline."""
    due = task.due()
    assert due is not None
    task.entry = None
    if task.started_id == 0:
        world.withdraw_activity(task)
    extra: JsonObject = {"timeoutType": due[1]}
    if task.heartbeat_details is not None:
        extra["details"] = task.heartbeat_details
    _end(world, task, "ActivityTaskTimedOut", extra)


def cancel_unstarted(world: World, task: ActivityTask) -> None:
    """A cancel request met a task that nobody has started: it is canceled at once."""
    world.withdraw_activity(task)
    forget_activity(world, task)
    attributes: JsonObject = {
        "scheduledEventId": task.scheduled_id,
        "startedEventId": 0,
        "latestCancelRequestedEventId": task.cancel_requested_id,
    }
    world.emit(task.execution, "ActivityTaskCanceled", attributes)
    task.execution.latest_activity_ms = world.now_ms


def add_activity(execution: Execution, task: ActivityTask) -> None:
    """Note an open activity in its execution."""
    if execution.activities is None or execution.activity_ids is None:
        execution.activities, execution.activity_ids = {}, {}
    execution.activities[task.scheduled_id] = task
    execution.activity_ids[task.activity_id] = task
