"""Lambda tasks: invocation, outcome, timeout. The service invokes the function itself; there is no worker."""

from __future__ import annotations

from pyflow_local.engine.decision_tasks import schedule_decision
from pyflow_local.engine.entities import LambdaTask
from pyflow_local.engine.values import JsonObject, LambdaInvocation, LambdaOutcome
from pyflow_local.engine.world import World

NO_ROLE_TEXT = "No IAM role is attached to the current workflow execution."


def begin_lambda(world: World, task: LambdaTask) -> None:
    """Invoke a scheduled function, or fail for want of a role (reference 8.11)."""
    execution = task.execution
    if execution.close_status is not None:
        return
    if not execution.lambda_role:
        assert execution.lambdas is not None
        del execution.lambdas[task.scheduled_id]
        attributes: JsonObject = {
            "scheduledEventId": task.scheduled_id,
            "cause": "ASSUME_ROLE_FAILED",
            "message": NO_ROLE_TEXT,
        }
        world.emit(execution, "StartLambdaFunctionFailed", attributes)
        schedule_decision(world, execution)
        return
    task.started_id = world.emit(execution, "LambdaFunctionStarted", {"scheduledEventId": task.scheduled_id})
    task.entry = world.arm(None, world.now_ms + task.start_to_close_s * 1000, task)
    invoke_lambda(world, task)


def invoke_lambda(world: World, task: LambdaTask) -> None:
    """Ask for the invocation of a started task; also after a restart, since its process died with the server."""
    payload = str(task.input) if task.input else "{}"
    invocation = LambdaInvocation(task.execution.run, task.scheduled_id, task.name, payload, task.start_to_close_s)
    world.outbox.invocations.append(invocation)


def end_lambda(world: World, run: int, scheduled_id: int, outcome: LambdaOutcome) -> None:
    """An invocation ended; late news of a task that is closed already are dropped."""
    execution = world.runs.get(run)
    task = (execution.lambdas or {}).pop(scheduled_id, None) if execution is not None else None
    if execution is None or task is None:
        return
    if task.entry is not None:
        world.agenda.strike(task.entry)
    attributes: JsonObject = {"scheduledEventId": scheduled_id, "startedEventId": task.started_id}
    if outcome.result is not None:
        attributes["result"] = outcome.result
        world.emit(execution, "LambdaFunctionCompleted", attributes)
    else:
        if outcome.reason is not None:
            attributes["reason"] = outcome.reason
        if outcome.details is not None:
            attributes["details"] = outcome.details
        world.emit(execution, "LambdaFunctionFailed", attributes)
    schedule_decision(world, execution)


def time_out_lambda(world: World, task: LambdaTask) -> None:
    """The function did not return in time."""
    execution = task.execution
    assert execution.lambdas is not None
    del execution.lambdas[task.scheduled_id]
    attributes: JsonObject = {
        "scheduledEventId": task.scheduled_id,
        "startedEventId": task.started_id,
        "timeoutType": "START_TO_CLOSE",
    }
    world.emit(execution, "LambdaFunctionTimedOut", attributes)
    schedule_decision(world, execution)
