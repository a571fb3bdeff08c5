"""What DescribeWorkflowExecution and the list operations say about an execution."""

from __future__ import annotations

from pyflow_local.engine.entities import Execution
from pyflow_local.engine.values import JsonObject


def execution_info(execution: Execution, close_ms: int | None) -> JsonObject:
    """The WorkflowExecutionInfo of an open execution, or of one that closes at `close_ms`."""
    info: JsonObject = {
        "execution": execution.reference,
        "workflowType": execution.type_reference,
        "startTimestamp": execution.start_ms / 1000,
        "executionStatus": "OPEN",
        "cancelRequested": execution.cancel_requested,
    }
    if execution.close_status is not None and close_ms is not None:
        info["executionStatus"] = "CLOSED"
        info["closeStatus"] = execution.close_status
        info["closeTimestamp"] = close_ms / 1000
    if execution.parent is not None:
        info["parent"] = execution.parent
    if execution.tags:
        info["tagList"] = execution.tags
    return info


def execution_detail(execution: Execution, now_ms: int) -> JsonObject:
    """The WorkflowExecutionDetail; open counts of a closing run are those before it closed, as on the service."""
    configuration: JsonObject = {
        "taskStartToCloseTimeout": execution.task_timeout,
        "executionStartToCloseTimeout": execution.exec_timeout,
        "taskList": {"name": execution.task_list},
        "childPolicy": execution.child_policy,
    }
    if execution.priority:
        configuration["taskPriority"] = execution.priority
    if execution.lambda_role:
        configuration["lambdaRole"] = execution.lambda_role
    detail: JsonObject = {
        "executionInfo": execution_info(execution, now_ms if execution.close_status else None),
        "executionConfiguration": configuration,
        "openCounts": {
            "openActivityTasks": len(execution.activities or ()),
            "openDecisionTasks": int(execution.queued is not None or execution.started is not None),
            "openTimers": len(execution.timers or ()),
            "openChildWorkflowExecutions": len(execution.children or ()),
            "openLambdaFunctions": len(execution.lambdas or ()),
        },
    }
    if execution.latest_activity_ms:
        detail["latestActivityTaskTimestamp"] = execution.latest_activity_ms / 1000
    if execution.context is not None:
        detail["latestExecutionContext"] = execution.context
    return detail
