"""The calls that start executions and act on them from outside: start, signal, cancel, terminate."""

from __future__ import annotations

from pyflow_local.engine.decision_tasks import schedule_decision
from pyflow_local.engine.entities import Execution
from pyflow_local.engine.faults import Fault, type_text, unknown_execution
from pyflow_local.engine.lifecycle import close_run, resolve_settings, start_run
from pyflow_local.engine.registry import WORKFLOW, find_type, require_registered
from pyflow_local.engine.values import EMPTY_REPLY, JsonObject, Outcome, Reply
from pyflow_local.engine.world import World


def start_workflow_execution(world: World, request: JsonObject) -> Outcome:
    """StartWorkflowExecution; checks in the order of reference 3.5."""
    domain, kind = find_type(world, request, WORKFLOW)
    require_registered(domain)
    if kind.deprecated_ms is not None:
        raise Fault("TypeDeprecatedFault", type_text(WORKFLOW, kind.name, kind.version))
    settings, undefined, _ = resolve_settings(request, kind)
    if undefined is not None:
        raise Fault("DefaultUndefinedFault", undefined)
    workflow_id = request["workflowId"]
    if workflow_id in domain.open:
        raise Fault("WorkflowExecutionAlreadyStartedFault")
    limit = world.quotas.open_executions_per_domain
    if len(domain.open) >= limit:
        raise Fault("LimitExceededFault", f"A domain can hold at most {limit} open executions")
    execution = start_run(world, domain, workflow_id, kind, settings)
    return Reply(200, b'{"runId":"%b"}' % execution.run_id.encode("ascii"))


def _open(world: World, request: JsonObject) -> Execution:
    domain = world.domain(request["domain"])
    workflow_id, run_id = request["workflowId"], request.get("runId")
    execution = domain.open.get(workflow_id)
    if execution is None or (run_id and execution.run_id != run_id):
        raise unknown_execution(workflow_id, run_id)
    return execution


def signal_workflow_execution(world: World, request: JsonObject) -> Outcome:
    """SignalWorkflowExecution."""
    execution = _open(world, request)
    attributes: JsonObject = {"signalName": request["signalName"], "externalInitiatedEventId": 0}
    if request.get("input") is not None:
        attributes["input"] = request["input"]
    world.emit(execution, "WorkflowExecutionSignaled", attributes)
    schedule_decision(world, execution)
    return EMPTY_REPLY


def request_cancel_workflow_execution(world: World, request: JsonObject) -> Outcome:
    """RequestCancelWorkflowExecution: a request only; each one adds an event."""
    execution = _open(world, request)
    world.emit(execution, "WorkflowExecutionCancelRequested", {"externalInitiatedEventId": 0})
    execution.cancel_requested = True
    schedule_decision(world, execution)
    return EMPTY_REPLY


def terminate_workflow_execution(world: World, request: JsonObject) -> Outcome:
    """TerminateWorkflowExecution: closes at once; a child policy in the request overrides the execution's."""
    execution = _open(world, request)
    policy = request.get("childPolicy") or execution.child_policy
    attributes: JsonObject = {"childPolicy": policy, "cause": "OPERATOR_INITIATED"}
    for member in ("reason", "details"):
        if request.get(member) is not None:
            attributes[member] = request[member]
    close_run(world, execution, "WorkflowExecutionTerminated", attributes, policy)
    return EMPTY_REPLY
