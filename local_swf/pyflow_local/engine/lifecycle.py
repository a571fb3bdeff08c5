"""How executions begin and end: resolving settings, starting, closing, telling the parent, child policy."""

from __future__ import annotations

import orjson

from pyflow_local.engine.decision_tasks import schedule_decision
from pyflow_local.engine.describing import execution_detail
from pyflow_local.engine.entities import Domain, Execution, RegisteredType
from pyflow_local.engine.records import RunClosed, RunOpened
from pyflow_local.engine.tokens import run_id as make_run_id
from pyflow_local.engine.values import JsonObject
from pyflow_local.engine.world import World

_REQUIRED_SETTINGS = (
    # member, the type's default, cause of a failed decision; in the order in which the service checks them
    ("executionStartToCloseTimeout", "defaultExecutionStartToCloseTimeout", "EXECUTION_START_TO_CLOSE_TIMEOUT"),
    ("taskList", "defaultTaskList", "TASK_LIST"),
    ("taskStartToCloseTimeout", "defaultTaskStartToCloseTimeout", "TASK_START_TO_CLOSE_TIMEOUT"),
    ("childPolicy", "defaultChildPolicy", "CHILD_POLICY"),
)
_OPTIONAL_SETTINGS = (("taskPriority", "defaultTaskPriority"), ("lambdaRole", "defaultLambdaRole"))
_OWN_SETTINGS = ("input", "tagList")

CLOSE_STATUS = {
    "WorkflowExecutionCompleted": "COMPLETED",
    "WorkflowExecutionFailed": "FAILED",
    "WorkflowExecutionCanceled": "CANCELED",
    "WorkflowExecutionTimedOut": "TIMED_OUT",
    "WorkflowExecutionTerminated": "TERMINATED",
    "WorkflowExecutionContinuedAsNew": "CONTINUED_AS_NEW",
}
_CHILD_EVENT = {
    "COMPLETED": ("ChildWorkflowExecutionCompleted", ("result",)),
    "FAILED": ("ChildWorkflowExecutionFailed", ("reason", "details")),
    "CANCELED": ("ChildWorkflowExecutionCanceled", ("details",)),
    "TIMED_OUT": ("ChildWorkflowExecutionTimedOut", ("timeoutType",)),
    "TERMINATED": ("ChildWorkflowExecutionTerminated", ()),
}


def resolve_settings(given: JsonObject, kind: RegisteredType) -> tuple[JsonObject, str | None, str | None]:
    """The settings of a new run from what was given and the type's defaults.

    Returns (settings, None, None), or the first member nobody defines and the cause a decision then fails with.
    """
    settings: JsonObject = {}
    for member, default, cause in _REQUIRED_SETTINGS:
        value = given.get(member) or kind.defaults.get(default)
        if not value:
            return settings, member, f"DEFAULT_{cause}_UNDEFINED"
        settings[member] = value
    for member, default in _OPTIONAL_SETTINGS:
        value = given.get(member) or kind.defaults.get(default)
        if value:
            settings[member] = value
    for member in _OWN_SETTINGS:
        value = given.get(member)
        if value is not None:
            settings[member] = value
    return settings, None, None


def start_run(
    world: World,
    domain: Domain,
    workflow_id: str,
    kind: RegisteredType,
    settings: JsonObject,
    *,
    parent: Execution | None = None,
    parent_initiated_id: int = 0,
    continued: Execution | None = None,
) -> Execution:
    """Begin a run with resolved settings: events 1 and 2. `continued` is the run it continues."""
    run = world.new_run()
    execution = Execution(run, domain, workflow_id, make_run_id(world.secret, run), world.now_ms)
    attributes: JsonObject = {
        **settings,
        "workflowType": {"name": kind.name, "version": kind.version},
        "parentInitiatedEventId": parent_initiated_id,
    }
    if continued is not None:
        attributes["continuedExecutionRunId"] = continued.run_id
        if continued.parent is not None:
            attributes["parentWorkflowExecution"] = continued.parent
            attributes["parentInitiatedEventId"] = continued.parent_initiated_id
            execution.parent_run = continued.parent_run
    elif parent is not None:
        attributes["parentWorkflowExecution"] = parent.reference
        execution.parent_run = parent.run
    execution.settle(attributes)
    domain.open[workflow_id] = execution
    world.runs[run] = execution
    world.outbox.journal.append(RunOpened(run, domain.number, workflow_id, execution.run_id))
    world.emit(execution, "WorkflowExecutionStarted", attributes)
    due_ms = execution.start_ms + int(execution.exec_timeout) * 1000
    execution.entry = world.arm(None, due_ms, execution)
    schedule_decision(world, execution)
    return execution


def close_run(
    world: World, execution: Execution, event_type: str, attributes: JsonObject, child_policy: str | None = None
) -> None:
    """Close a run with this event: drop what is open in it, tell its parent, apply the child policy.

    `child_policy` overrides the run's own. A continued run's parent is told nothing: the new run takes its place.
    """
    world.emit(execution, event_type, attributes)
    status = CLOSE_STATUS[event_type]
    execution.close_status = status
    detail = execution_detail(execution, world.now_ms)
    _drop_open_things(world, execution)
    world.runs.pop(execution.run, None)
    if execution.domain.open.get(execution.workflow_id) is execution:
        del execution.domain.open[execution.workflow_id]
    world.outbox.journal.append(
        RunClosed(
            run=execution.run,
            domain=execution.domain.number,
            workflow_id=execution.workflow_id,
            type_name=execution.type_name,
            type_version=execution.type_version,
            start_ms=execution.start_ms,
            close_ms=world.now_ms,
            close_status=status,
            tags=orjson.dumps(execution.tags or []).decode("utf-8"),
            detail=orjson.dumps(detail),
            events=execution.next_id - 1,
            heartbeats=execution.heartbeats,
        )
    )
    if status != "CONTINUED_AS_NEW" and execution.parent_run:
        _tell_parent(world, execution, attributes)
    _apply_child_policy(world, execution, status, child_policy or execution.child_policy)


def _drop_open_things(world: World, execution: Execution) -> None:
    strike = world.agenda.strike
    if execution.entry is not None:
        strike(execution.entry)
    queued, started = execution.queued, execution.started
    if queued is not None:
        if queued.entry is not None:
            strike(queued.entry)
        if started is None:
            world.withdraw_decision(queued)
    if started is not None and started.entry is not None:
        strike(started.entry)
    execution.queued = execution.started = None
    for activity in (execution.activities or {}).values():
        if activity.entry is not None:
            strike(activity.entry)
        if activity.started_id == 0:
            world.withdraw_activity(activity)
    for timer in (execution.timers or {}).values():
        if timer.entry is not None:
            strike(timer.entry)
    for task in (execution.lambdas or {}).values():
        if task.entry is not None:
            strike(task.entry)
    execution.activities = execution.activity_ids = execution.timers = execution.lambdas = None


def _tell_parent(world: World, child: Execution, closing: JsonObject) -> None:
    parent = world.runs.get(child.parent_run)
    if parent is None or parent.children is None:
        return
    link = parent.children.pop(child.parent_initiated_id, None)
    if link is None:
        return
    assert child.close_status is not None
    event_type, members = _CHILD_EVENT[child.close_status]
    attributes: JsonObject = {
        "workflowExecution": child.reference,
        "workflowType": child.type_reference,
        "initiatedEventId": link.initiated_id,
        "startedEventId": link.started_id,
    }
    for member in members:
        if closing.get(member) is not None:
            attributes[member] = closing[member]
    world.emit(parent, event_type, attributes)
    schedule_decision(world, parent)


def _apply_child_policy(world: World, parent: Execution, status: str, policy: str) -> None:
    if policy == "ABANDON" or not parent.children:
        return
    if status == "CONTINUED_AS_NEW" and not world.choices.child_policy_on_continue_as_new:
        return
    if status in {"COMPLETED", "FAILED", "CANCELED"} and not world.choices.child_policy_on_completion:
        return
    apply = _terminate_child if policy == "TERMINATE" else _ask_child_to_cancel
    for link in parent.children.values():
        if link.run:
            # As an effect and not by recursion: a chain of children may be as deep as one likes.
            world.effects.append(lambda run=link.run: apply(world, run, parent))  # type: ignore[misc]


def _terminate_child(world: World, run: int, _parent: Execution) -> None:
    child = world.runs.get(run)
    if child is not None:
        attributes = {"childPolicy": child.child_policy, "cause": "CHILD_POLICY_APPLIED"}
        close_run(world, child, "WorkflowExecutionTerminated", attributes)


def _ask_child_to_cancel(world: World, run: int, parent: Execution) -> None:
    child = world.runs.get(run)
    if child is not None:
        attributes = {
            "cause": "CHILD_POLICY_APPLIED",
            "externalWorkflowExecution": parent.reference,
            "externalInitiatedEventId": 0,
        }
        world.emit(child, "WorkflowExecutionCancelRequested", attributes)
        child.cancel_requested = True
        schedule_decision(world, child)


def time_out_run(world: World, execution: Execution) -> None:
    """The execution's start-to-close timeout passed."""
    attributes = {"timeoutType": "START_TO_CLOSE", "childPolicy": execution.child_policy}
    close_run(world, execution, "WorkflowExecutionTimedOut", attributes)


def terminate_overlong(world: World, execution: Execution) -> None:
    """The history reached the service's limit of events."""
    attributes = {"childPolicy": execution.child_policy, "cause": "EVENT_LIMIT_EXCEEDED"}
    close_run(world, execution, "WorkflowExecutionTerminated", attributes)
