"""State from history: what a server knows after a restart, by folding the events of every open execution."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import orjson

from pyflow_local.engine.activity_tasks import add_activity, forget_activity, rearm_activity
from pyflow_local.engine.decision_tasks import make_pollable
from pyflow_local.engine.entities import (
    UNLIMITED_TIMEOUT,
    ActivityTask,
    Child,
    DecisionTask,
    Domain,
    Execution,
    LambdaTask,
    RegisteredType,
    Timer,
    timeout_ms,
)
from pyflow_local.engine.event_types import EVENT_TYPES, attributes_member
from pyflow_local.engine.lambda_tasks import invoke_lambda
from pyflow_local.engine.records import EntitySaved, HeartbeatRecorded, RunOpened
from pyflow_local.engine.tokens import read_run_id
from pyflow_local.engine.values import JsonObject
from pyflow_local.engine.world import World

_MEMBERS = {name: attributes_member(name) for name in EVENT_TYPES}


@dataclass(frozen=True, slots=True, kw_only=True)
class Durable:
    """Everything the store kept: entities, open runs with their encoded events, heartbeats, the next run number."""

    entities: Iterable[EntitySaved]
    runs: Iterable[tuple[RunOpened, list[bytes]]]
    heartbeats: Iterable[HeartbeatRecorded]
    next_run: int


@dataclass(slots=True)
class _Folding:
    """One execution while its events are folded, with the start times that only timeouts need."""

    world: World
    execution: Execution
    decision_started_ms: int = 0
    pollable_ms: int = 0


_Fold = Callable[[_Folding, int, int, JsonObject], None]


def _started(fold: _Folding, _event_id: int, at_ms: int, a: JsonObject) -> None:
    execution = fold.execution
    execution.settle(a)
    execution.start_ms = at_ms
    execution.continued_from = a.get("continuedExecutionRunId")
    if execution.parent is not None:
        execution.parent_run = read_run_id(fold.world.secret, str(execution.parent["runId"])) or 0


def _cancel_requested(fold: _Folding, _event_id: int, _at_ms: int, _a: JsonObject) -> None:
    fold.execution.cancel_requested = True


def _decision_scheduled(fold: _Folding, event_id: int, at_ms: int, a: JsonObject) -> None:
    fold.pollable_ms = at_ms
    limit = a.get("scheduleToStartTimeout") or UNLIMITED_TIMEOUT
    fold.execution.queued = DecisionTask(fold.execution, event_id, a["taskList"]["name"], limit)


def _decision_started(fold: _Folding, event_id: int, at_ms: int, _a: JsonObject) -> None:
    execution = fold.execution
    task = execution.queued
    assert task is not None
    task.started_id = event_id
    execution.started, execution.queued = task, None
    fold.decision_started_ms = at_ms


def _decision_completed(fold: _Folding, _event_id: int, at_ms: int, a: JsonObject) -> None:
    execution = fold.execution
    execution.started = None
    fold.pollable_ms = at_ms  # a task that was queued meanwhile shows only now
    execution.previous_started_id = a["startedEventId"]
    if a.get("executionContext") is not None:
        execution.context = a["executionContext"]
    if a.get("taskList") is not None:
        limit = a.get("taskListScheduleToStartTimeout")
        if limit and limit != UNLIMITED_TIMEOUT:
            execution.sticky_list, execution.sticky_timeout = a["taskList"]["name"], limit
        else:
            execution.sticky_list, execution.last_task_list = None, a["taskList"]["name"]


def _decision_timed_out(fold: _Folding, _event_id: int, at_ms: int, a: JsonObject) -> None:
    execution = fold.execution
    fold.pollable_ms = at_ms
    execution.sticky_list = None
    if a["startedEventId"]:
        execution.started = None
    else:
        execution.queued = None


def _activity_scheduled(fold: _Folding, event_id: int, at_ms: int, a: JsonObject) -> None:
    add_activity(fold.execution, ActivityTask(fold.execution, event_id, at_ms, a))
    fold.execution.latest_activity_ms = at_ms


def _activity_started(fold: _Folding, event_id: int, at_ms: int, a: JsonObject) -> None:
    task = (fold.execution.activities or {})[a["scheduledEventId"]]
    task.started_id = event_id
    task.started_ms = task.heartbeat_ms = fold.execution.latest_activity_ms = at_ms
    task.input = None


def _activity_ended(fold: _Folding, _event_id: int, at_ms: int, a: JsonObject) -> None:
    forget_activity(fold.world, (fold.execution.activities or {})[a["scheduledEventId"]])
    fold.execution.latest_activity_ms = at_ms


def _activity_cancel_requested(fold: _Folding, event_id: int, _at_ms: int, a: JsonObject) -> None:
    (fold.execution.activity_ids or {})[a["activityId"]].cancel_requested_id = event_id


def _timer_started(fold: _Folding, event_id: int, at_ms: int, a: JsonObject) -> None:
    execution = fold.execution
    timer = Timer(execution, a["timerId"], event_id)
    timer.entry = fold.world.arm(None, at_ms + int(a["startToFireTimeout"]) * 1000, timer)
    if execution.timers is None:
        execution.timers = {}
    execution.timers[timer.timer_id] = timer


def _timer_ended(fold: _Folding, _event_id: int, _at_ms: int, a: JsonObject) -> None:
    timer = (fold.execution.timers or {}).pop(a["timerId"])
    fold.world.arm(timer.entry, None, timer)


def _child_initiated(fold: _Folding, event_id: int, _at_ms: int, _a: JsonObject) -> None:
    if fold.execution.children is None:
        fold.execution.children = {}
    fold.execution.children[event_id] = Child(event_id)


def _child_started(fold: _Folding, event_id: int, _at_ms: int, a: JsonObject) -> None:
    link = (fold.execution.children or {})[a["initiatedEventId"]]
    link.started_id = event_id
    link.run = read_run_id(fold.world.secret, a["workflowExecution"]["runId"]) or 0


def _child_ended(fold: _Folding, _event_id: int, _at_ms: int, a: JsonObject) -> None:
    (fold.execution.children or {}).pop(a["initiatedEventId"], None)


def _lambda_scheduled(fold: _Folding, event_id: int, _at_ms: int, a: JsonObject) -> None:
    if fold.execution.lambdas is None:
        fold.execution.lambdas = {}
    fold.execution.lambdas[event_id] = LambdaTask(fold.execution, event_id, a)


def _lambda_started(fold: _Folding, event_id: int, at_ms: int, a: JsonObject) -> None:
    task = (fold.execution.lambdas or {})[a["scheduledEventId"]]
    task.started_id = event_id
    task.entry = fold.world.arm(None, at_ms + task.start_to_close_s * 1000, task)


def _lambda_ended(fold: _Folding, _event_id: int, _at_ms: int, a: JsonObject) -> None:
    task = (fold.execution.lambdas or {}).pop(a["scheduledEventId"])
    fold.world.arm(task.entry, None, task)


# Events that are not here change nothing that a server must know.
_FOLDS: dict[str, _Fold] = {
    "WorkflowExecutionStarted": _started,
    "WorkflowExecutionCancelRequested": _cancel_requested,
    "DecisionTaskScheduled": _decision_scheduled,
    "DecisionTaskStarted": _decision_started,
    "DecisionTaskCompleted": _decision_completed,
    "DecisionTaskTimedOut": _decision_timed_out,
    "ActivityTaskScheduled": _activity_scheduled,
    "ActivityTaskStarted": _activity_started,
    "ActivityTaskCompleted": _activity_ended,
    "ActivityTaskFailed": _activity_ended,
    "ActivityTaskTimedOut": _activity_ended,
    "ActivityTaskCanceled": _activity_ended,
    "ActivityTaskCancelRequested": _activity_cancel_requested,
    "TimerStarted": _timer_started,
    "TimerFired": _timer_ended,
    "TimerCanceled": _timer_ended,
    "StartChildWorkflowExecutionInitiated": _child_initiated,
    "StartChildWorkflowExecutionFailed": _child_ended,
    "ChildWorkflowExecutionStarted": _child_started,
    "ChildWorkflowExecutionCompleted": _child_ended,
    "ChildWorkflowExecutionFailed": _child_ended,
    "ChildWorkflowExecutionTimedOut": _child_ended,
    "ChildWorkflowExecutionCanceled": _child_ended,
    "ChildWorkflowExecutionTerminated": _child_ended,
    "LambdaFunctionScheduled": _lambda_scheduled,
    "LambdaFunctionStarted": _lambda_started,
    "LambdaFunctionCompleted": _lambda_ended,
    "LambdaFunctionFailed": _lambda_ended,
    "LambdaFunctionTimedOut": _lambda_ended,
    "StartLambdaFunctionFailed": _lambda_ended,
}


def _restore_entity(world: World, domains: dict[int, Domain], saved: EntitySaved) -> None:
    value = orjson.loads(saved.value)
    if saved.kind == "domain":
        domain = Domain(value["number"], saved.name, value["description"], value["retention"])
        domain.deprecated, domain.tags = value["deprecated"], value["tags"]
        world.domains[saved.name] = domains[domain.number] = domain
        world.next_domain = max(world.next_domain, domain.number + 1)
        return
    one = RegisteredType(saved.name, saved.version, value["description"], value["createdMs"], value["defaults"])
    one.deprecated_ms = value["deprecatedMs"]
    domains[saved.domain].types[saved.kind][one.name, one.version] = one


def _restore_run(world: World, domain: Domain, opened: RunOpened, events: list[bytes]) -> None:
    execution = Execution(opened.run, domain, opened.workflow_id, opened.run_id, 0)
    fold = _Folding(world, execution)
    for event in orjson.loads(b"[%b]" % b",".join(events)):
        rule = _FOLDS.get(event["eventType"])
        if rule is not None:
            at_ms = round(event["eventTimestamp"] * 1000)
            rule(fold, event["eventId"], at_ms, event[_MEMBERS[event["eventType"]]])
    execution.next_id = len(events) + 1
    domain.open[execution.workflow_id] = execution
    world.runs[execution.run] = execution
    due_ms = execution.start_ms + int(execution.exec_timeout) * 1000
    execution.entry = world.arm(None, due_ms, execution)
    started = execution.started
    if started is not None:
        limit_ms = timeout_ms(execution.task_timeout)
        if limit_ms is not None:
            started.entry = world.arm(None, fold.decision_started_ms + limit_ms, started)
    elif execution.queued is not None:
        make_pollable(world, execution.queued, fold.pollable_ms)


def rebuild(world: World, durable: Durable, now_ms: int) -> None:
    """Fill an empty world with what was kept. Deadlines that passed meanwhile come due at once."""
    world.set_clock(now_ms)
    domains: dict[int, Domain] = {}
    for saved in durable.entities:
        _restore_entity(world, domains, saved)
    by_number = {domain.number: domain for domain in world.domains.values()}
    for opened, events in durable.runs:
        _restore_run(world, by_number[opened.domain], opened, events)
    world.next_run = max(durable.next_run, world.next_run)
    for beat in durable.heartbeats:
        execution = world.runs.get(beat.run)
        if execution is None:
            continue
        execution.heartbeats = True
        task = (execution.activities or {}).get(beat.scheduled_id)
        if task is not None:
            task.heartbeat_ms, task.heartbeat_details = beat.at_ms, beat.details
    for execution in world.runs.values():
        _resume(world, execution)


def _resume(world: World, execution: Execution) -> None:
    """Set clocks and links that need all executions to be there."""
    for task in (execution.activities or {}).values():
        rearm_activity(world, task)
        if task.started_id == 0:
            world.offer_activity(task)
    for one in (execution.lambdas or {}).values():
        invoke_lambda(world, one)
    parent = world.runs.get(execution.parent_run)
    link = (parent.children or {}).get(execution.parent_initiated_id) if parent is not None else None
    if link is not None:
        link.run = execution.run  # the child may have continued as new since it was started
