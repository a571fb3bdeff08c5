"""Decisions whose effect lies in another execution: signals, cancel requests, children.

The decision itself records only the Initiated event; the rest happens when the batch is over (reference 4.1, 7).
"""

from __future__ import annotations

from pyflow_local.engine.decision_tasks import schedule_decision
from pyflow_local.engine.entities import Child, Execution, RegisteredType
from pyflow_local.engine.lifecycle import resolve_settings, start_run
from pyflow_local.engine.values import JsonObject
from pyflow_local.engine.world import World

_UNKNOWN_TARGET = "UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION"
_SIGNAL_MEMBERS = ("workflowId", "runId", "signalName", "input", "control")
_CANCEL_MEMBERS = ("workflowId", "runId", "control")
_FAILED_MEMBERS = ("workflowId", "runId", "control")


def _given(source: JsonObject, members: tuple[str, ...]) -> JsonObject:
    # An empty runId means "no particular run": it is left out of the event as an absent one is.
    return {m: source[m] for m in members if source.get(m) is not None and (m != "runId" or source[m])}


def _open_target(sender: Execution, given: JsonObject) -> Execution | None:
    target = sender.domain.open.get(given["workflowId"])
    wanted = given.get("runId")
    return target if target is not None and (not wanted or target.run_id == wanted) else None


def signal_external(
    world: World, execution: Execution, given: JsonObject, completed_id: int, refusal: str | None = None
) -> bool:
    """SignalExternalWorkflowExecution. A `refusal` is a cause for which it is not delivered, whatever the target."""
    attributes = _given(given, _SIGNAL_MEMBERS)
    attributes["decisionTaskCompletedEventId"] = completed_id
    initiated_id = world.emit(execution, "SignalExternalWorkflowExecutionInitiated", attributes)
    world.effects.append(lambda: _deliver_signal(world, execution, given, initiated_id, completed_id, refusal))
    return False


def _deliver_signal(
    world: World, sender: Execution, given: JsonObject, initiated_id: int, completed_id: int, refusal: str | None
) -> None:
    target = _open_target(sender, given) if refusal is None else None
    if target is not None:
        received: JsonObject = {
            "signalName": given["signalName"],
            "externalWorkflowExecution": sender.reference,
            "externalInitiatedEventId": initiated_id,
        }
        if given.get("input") is not None:
            received["input"] = given["input"]
        world.emit(target, "WorkflowExecutionSignaled", received)
        schedule_decision(world, target)
    _report(
        world, sender, target, given, initiated_id, completed_id, refusal or _UNKNOWN_TARGET,
        "ExternalWorkflowExecutionSignaled", "SignalExternalWorkflowExecutionFailed",
    )  # fmt: skip


def request_cancel_external(
    world: World, execution: Execution, given: JsonObject, completed_id: int, refusal: str | None = None
) -> bool:
    """RequestCancelExternalWorkflowExecution. A `refusal` is a cause for which it is not delivered."""
    attributes = _given(given, _CANCEL_MEMBERS)
    attributes["decisionTaskCompletedEventId"] = completed_id
    initiated_id = world.emit(execution, "RequestCancelExternalWorkflowExecutionInitiated", attributes)
    world.effects.append(lambda: _deliver_cancel(world, execution, given, initiated_id, completed_id, refusal))
    return False


def _deliver_cancel(
    world: World, sender: Execution, given: JsonObject, initiated_id: int, completed_id: int, refusal: str | None
) -> None:
    target = _open_target(sender, given) if refusal is None else None
    if target is not None:
        received = {"externalWorkflowExecution": sender.reference, "externalInitiatedEventId": initiated_id}
        world.emit(target, "WorkflowExecutionCancelRequested", received)
        target.cancel_requested = True
        schedule_decision(world, target)
    _report(
        world, sender, target, given, initiated_id, completed_id, refusal or _UNKNOWN_TARGET,
        "ExternalWorkflowExecutionCancelRequested", "RequestCancelExternalWorkflowExecutionFailed",
    )  # fmt: skip


def _report(
    world: World,
    sender: Execution,
    target: Execution | None,
    given: JsonObject,
    initiated_id: int,
    completed_id: int,
    failure: str,
    done_event: str,
    failed_event: str,
) -> None:
    """Tell the sender how it went, if it is still open."""
    if sender.close_status is not None:
        return
    if target is not None:
        done = {"workflowExecution": target.reference, "initiatedEventId": initiated_id}
        world.emit(sender, done_event, done)
    else:
        failed = _given(given, _FAILED_MEMBERS)
        failed["cause"] = failure
        failed["initiatedEventId"] = initiated_id
        failed["decisionTaskCompletedEventId"] = completed_id
        world.emit(sender, failed_event, failed)
    schedule_decision(world, sender)


def start_child(world: World, execution: Execution, given: JsonObject, completed_id: int) -> bool:
    """StartChildWorkflowExecution."""
    named = given["workflowType"]
    kind = execution.domain.types["WorkflowType"].get((named["name"], named["version"]))
    settings: JsonObject = {}
    cause: str | None
    if kind is None:
        cause = "WORKFLOW_TYPE_DOES_NOT_EXIST"
    elif kind.deprecated_ms is not None:
        cause = "WORKFLOW_TYPE_DEPRECATED"
    else:
        settings, _, cause = resolve_settings(given, kind)
        if cause is None and execution.children and len(execution.children) >= world.quotas.open_children:
            cause = "OPEN_CHILDREN_LIMIT_EXCEEDED"
        if cause is None and len(execution.domain.open) >= world.quotas.open_executions_per_domain:
            cause = "OPEN_WORKFLOWS_LIMIT_EXCEEDED"
    if cause is not None or kind is None:
        _child_failed(world, execution, given, cause, 0, completed_id)
        return True
    attributes: JsonObject = {
        **settings,
        "workflowId": given["workflowId"],
        "workflowType": named,
        "decisionTaskCompletedEventId": completed_id,
    }
    if given.get("control") is not None:
        attributes["control"] = given["control"]
    initiated_id = world.emit(execution, "StartChildWorkflowExecutionInitiated", attributes)
    if execution.children is None:
        execution.children = {}
    execution.children[initiated_id] = Child(initiated_id)
    known = kind
    world.effects.append(lambda: _start_child_run(world, execution, known, given, settings, initiated_id, completed_id))
    return False


def _child_failed(
    world: World, parent: Execution, given: JsonObject, cause: str | None, initiated_id: int, completed_id: int
) -> None:
    failed: JsonObject = {
        "workflowType": given["workflowType"],
        "workflowId": given["workflowId"],
        "cause": cause,
        "initiatedEventId": initiated_id,
        "decisionTaskCompletedEventId": completed_id,
    }
    if given.get("control") is not None:
        failed["control"] = given["control"]
    world.emit(parent, "StartChildWorkflowExecutionFailed", failed)


def _start_child_run(
    world: World,
    parent: Execution,
    kind: RegisteredType,
    given: JsonObject,
    settings: JsonObject,
    initiated_id: int,
    completed_id: int,
) -> None:
    closed = parent.close_status is not None
    if closed and not (world.choices.start_abandoned_child_after_close and parent.child_policy == "ABANDON"):
        return
    domain = parent.domain
    workflow_id = given["workflowId"]
    if workflow_id in domain.open:
        if not closed:
            assert parent.children is not None
            del parent.children[initiated_id]
            _child_failed(world, parent, given, "WORKFLOW_ALREADY_RUNNING", initiated_id, completed_id)
            schedule_decision(world, parent)
        return
    child = start_run(world, domain, workflow_id, kind, settings, parent=parent, parent_initiated_id=initiated_id)
    if closed:
        return
    assert parent.children is not None
    link = parent.children[initiated_id]
    link.run = child.run
    attributes = {
        "workflowExecution": child.reference,
        "workflowType": child.type_reference,
        "initiatedEventId": initiated_id,
    }
    link.started_id = world.emit(parent, "ChildWorkflowExecutionStarted", attributes)
    schedule_decision(world, parent)
