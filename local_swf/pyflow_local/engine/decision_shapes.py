"""The shapes of the 13 decisions that RespondDecisionTaskCompleted carries."""

from __future__ import annotations

from pyflow_local.engine import shapes as s

SCHEDULE_ACTIVITY_TASK = s.fields(
    activityType_=s.TYPE_REF,
    activityId_=s.ACTIVITY_ID,
    control=s.DATA,
    input=s.DATA,
    scheduleToCloseTimeout=s.SECONDS_OR_NONE,
    taskList=s.TASK_LIST,
    taskPriority=s.TASK_PRIORITY,
    scheduleToStartTimeout=s.SECONDS_OR_NONE,
    startToCloseTimeout=s.SECONDS_OR_NONE,
    heartbeatTimeout=s.SECONDS_OR_NONE,
)
CONTINUE_AS_NEW = s.fields(
    input=s.DATA,
    executionStartToCloseTimeout=s.EXECUTION_SECONDS,
    taskList=s.TASK_LIST,
    taskPriority=s.TASK_PRIORITY,
    taskStartToCloseTimeout=s.SECONDS_OR_NONE,
    childPolicy=s.CHILD_POLICY,
    tagList=s.TAG_LIST,
    workflowTypeVersion=s.VERSION,
    lambdaRole=s.ARN,
)
START_CHILD = s.fields(
    workflowType_=s.TYPE_REF,
    workflowId_=s.NEW_WORKFLOW_ID,
    control=s.DATA,
    input=s.DATA,
    executionStartToCloseTimeout=s.EXECUTION_SECONDS,
    taskList=s.TASK_LIST,
    taskPriority=s.TASK_PRIORITY,
    taskStartToCloseTimeout=s.SECONDS_OR_NONE,
    childPolicy=s.CHILD_POLICY,
    tagList=s.TAG_LIST,
    lambdaRole=s.ARN,
)
SIGNAL_EXTERNAL = s.fields(
    workflowId_=s.WORKFLOW_ID,
    runId=s.RUN_ID_OPTIONAL,
    signalName_=s.SIGNAL_NAME,
    input=s.DATA,
    control=s.DATA,
)

# In the order in which the service lists them in its enum message (reference 1.5).
DECISIONS: dict[str, s.Fields] = {
    "CompleteWorkflowExecution": s.fields(result=s.DATA),
    "StartTimer": s.fields(timerId_=s.TIMER_ID, control=s.DATA, startToFireTimeout_=s.TIMER_SECONDS),
    "RequestCancelExternalWorkflowExecution": s.fields(
        workflowId_=s.WORKFLOW_ID, runId=s.RUN_ID_OPTIONAL, control=s.DATA
    ),
    "SignalExternalWorkflowExecution": SIGNAL_EXTERNAL,
    "CancelTimer": s.fields(timerId_=s.TIMER_ID_REF),
    "RecordMarker": s.fields(markerName_=s.MARKER_NAME, details=s.DATA),
    "ScheduleActivityTask": SCHEDULE_ACTIVITY_TASK,
    "ContinueAsNewWorkflowExecution": CONTINUE_AS_NEW,
    "ScheduleLambdaFunction": s.fields(
        id_=s.FUNCTION_ID,
        name_=s.FUNCTION_NAME,
        control=s.DATA,
        input=s.DATA,
        startToCloseTimeout=s.LAMBDA_SECONDS,
    ),
    "FailWorkflowExecution": s.fields(reason=s.FAILURE_REASON, details=s.DATA),
    "RequestCancelActivityTask": s.fields(activityId_=s.ACTIVITY_ID_REF),
    "StartChildWorkflowExecution": START_CHILD,
    "CancelWorkflowExecution": s.fields(details=s.DATA),
}

CLOSING_DECISIONS = frozenset(
    {
        "CompleteWorkflowExecution",
        "FailWorkflowExecution",
        "CancelWorkflowExecution",
        "ContinueAsNewWorkflowExecution",
    }
)


def attributes_member(decision_type: str) -> str:
    """The member that carries a decision type's attributes."""
    return decision_type[0].lower() + decision_type[1:] + "DecisionAttributes"


def _decision() -> s.Fields:
    members: list[tuple[str, s.Shape, bool]] = [("decisionType", s.Text(enum=tuple(DECISIONS)), True)]
    members += [(attributes_member(name), shape, False) for name, shape in DECISIONS.items()]
    return s.Fields(tuple(members))


DECISION = _decision()
