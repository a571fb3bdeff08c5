"""Decisions that close the execution: complete, fail, cancel, continue as new."""

from __future__ import annotations

from pyflow_local.engine.entities import Execution, RegisteredType
from pyflow_local.engine.lifecycle import close_run, resolve_settings, start_run
from pyflow_local.engine.tokens import run_id
from pyflow_local.engine.values import JsonObject
from pyflow_local.engine.world import World

_UNHANDLED = "UNHANDLED_DECISION"


def _unhandled(world: World, execution: Execution, failed_event: str, completed_id: int) -> bool:
    """True after recording a refusal, because something happened that the decider has not seen (reference 4.3).

    Only a decision task that was queued before this answer counts: a failing decision of the same batch queues one
    later, and open activities, timers or children never stand in the way.
    """
    if execution.queued is None:
        return False
    failed = {"cause": _UNHANDLED, "decisionTaskCompletedEventId": completed_id}
    world.emit(execution, failed_event, failed)
    return True


def _closing(given: JsonObject, members: tuple[str, ...], completed_id: int) -> JsonObject:
    attributes: JsonObject = {m: given[m] for m in members if given.get(m) is not None}
    attributes["decisionTaskCompletedEventId"] = completed_id
    return attributes


def complete(world: World, execution: Execution, given: JsonObject, completed_id: int) -> bool:
    """CompleteWorkflowExecution."""
    if not _unhandled(world, execution, "CompleteWorkflowExecutionFailed", completed_id):
        close_run(world, execution, "WorkflowExecutionCompleted", _closing(given, ("result",), completed_id))
    return False


def fail(world: World, execution: Execution, given: JsonObject, completed_id: int) -> bool:
    """FailWorkflowExecution."""
    if not _unhandled(world, execution, "FailWorkflowExecutionFailed", completed_id):
        attributes = _closing(given, ("reason", "details"), completed_id)
        close_run(world, execution, "WorkflowExecutionFailed", attributes)
    return False


def cancel(world: World, execution: Execution, given: JsonObject, completed_id: int) -> bool:
    """CancelWorkflowExecution; legal without a prior request."""
    if not _unhandled(world, execution, "CancelWorkflowExecutionFailed", completed_id):
        close_run(world, execution, "WorkflowExecutionCanceled", _closing(given, ("details",), completed_id))
    return False


def continue_as_new(world: World, execution: Execution, given: JsonObject, completed_id: int) -> bool:
    """ContinueAsNewWorkflowExecution: unset settings come from the type, not from the old run (reference 8.7)."""
    failed_event = "ContinueAsNewWorkflowExecutionFailed"
    if _unhandled(world, execution, failed_event, completed_id):
        return False
    version = given.get("workflowTypeVersion") or execution.type_version
    kind = execution.domain.types["WorkflowType"].get((execution.type_name, version))
    settings: JsonObject = {}
    cause: str | None
    if kind is None:
        cause = "WORKFLOW_TYPE_DOES_NOT_EXIST"
    elif kind.deprecated_ms is not None:
        cause = "WORKFLOW_TYPE_DEPRECATED"
    else:
        settings, _, cause = resolve_settings(given, kind)
    if cause is not None or kind is None:
        world.emit(execution, failed_event, {"cause": cause, "decisionTaskCompletedEventId": completed_id})
        return True
    _continue(world, execution, kind, settings, completed_id)
    return False


def _continue(
    world: World, execution: Execution, kind: RegisteredType, settings: JsonObject, completed_id: int
) -> None:
    attributes: JsonObject = {
        **settings,
        "workflowType": {"name": kind.name, "version": kind.version},
        "newExecutionRunId": run_id(world.secret, world.next_run),
        "decisionTaskCompletedEventId": completed_id,
    }
    close_run(world, execution, "WorkflowExecutionContinuedAsNew", attributes)
    following = start_run(world, execution.domain, execution.workflow_id, kind, settings, continued=execution)
    parent = world.runs.get(execution.parent_run)
    link = (parent.children or {}).get(execution.parent_initiated_id) if parent is not None else None
    if link is not None:
        link.run = following.run
