"""Every failure cause of the reference (section 5.2) that a server without IAM and throttling can give."""

from __future__ import annotations

from typing import Any

import pytest
from local_swf_driver import DOMAIN, TIMEOUTS, Driver, attributes_of, decision
from pyflow_local.engine.limits import Quotas

COMPLETE = decision("CompleteWorkflowExecution")
ROLE = "arn:aws:iam::123456789012:role/r"


def failure(driver: Driver, *decisions: dict, event: str, **start: Any) -> dict:
    """Give the decisions in one batch; the attributes of the last event of this type."""
    run = driver.start(**start)
    driver.decide(*decisions)
    found = driver.last(run, event)
    assert driver.poll() is not None, "a failed decision must call the decider again"
    return found


def activity(name: str = "act", version: str = "1", activity_id: str = "a", **more: Any) -> dict:
    kind = {"name": name, "version": version}
    return decision("ScheduleActivityTask", activityType=kind, activityId=activity_id, **more)


def child(name: str = "wf", workflow_id: str = "c", **more: Any) -> dict:
    kind = {"name": name, "version": "1"}
    return decision("StartChildWorkflowExecution", workflowType=kind, workflowId=workflow_id, **more)


def deprecate(driver: Driver, kind: str, name: str) -> None:
    member = kind[0].lower() + kind[1:]
    driver.call(f"Deprecate{kind}", domain=DOMAIN, **{member: {"name": name, "version": "1"}})


# --- activities ------------------------------------------------------------------------------------------------

ACTIVITY_FAILED = "ScheduleActivityTaskFailed"


def test_activity_type_does_not_exist(driver: Driver) -> None:
    failed = failure(driver, activity("nope"), event=ACTIVITY_FAILED)
    assert failed == {
        "activityType": {"name": "nope", "version": "1"},
        "activityId": "a",
        "cause": "ACTIVITY_TYPE_DOES_NOT_EXIST",
        "decisionTaskCompletedEventId": 4,
    }


def test_deleted_activity_type_does_not_exist(driver: Driver) -> None:
    deprecate(driver, "ActivityType", "act")
    driver.call("DeleteActivityType", domain=DOMAIN, activityType={"name": "act", "version": "1"})
    assert failure(driver, activity(), event=ACTIVITY_FAILED)["cause"] == "ACTIVITY_TYPE_DOES_NOT_EXIST"


def test_activity_type_deprecated(driver: Driver) -> None:
    deprecate(driver, "ActivityType", "act")
    assert failure(driver, activity(), event=ACTIVITY_FAILED)["cause"] == "ACTIVITY_TYPE_DEPRECATED"


def test_activity_id_already_in_use_within_a_batch(driver: Driver) -> None:
    run = driver.start()
    driver.decide(activity(), activity())
    assert driver.types(run)[4:] == ["ActivityTaskScheduled", ACTIVITY_FAILED, "DecisionTaskScheduled"]
    assert driver.last(run, ACTIVITY_FAILED)["cause"] == "ACTIVITY_ID_ALREADY_IN_USE"


def test_open_activities_limit() -> None:
    driver = Driver(quotas=Quotas(open_activities=2))
    failed = failure(driver, *(activity(activity_id=str(n)) for n in range(3)), event=ACTIVITY_FAILED)
    assert failed["cause"] == "OPEN_ACTIVITIES_LIMIT_EXCEEDED"
    assert failed["activityId"] == "2"


@pytest.mark.parametrize("missing", ["TaskList", *TIMEOUTS])
def test_activity_defaults_undefined(driver: Driver, missing: str) -> None:
    defaults: dict[str, Any] = {f"defaultTask{one}Timeout": "NONE" for one in TIMEOUTS if one != missing}
    if missing != "TaskList":
        defaults["defaultTaskList"] = {"name": "al"}
    driver.call("RegisterActivityType", domain=DOMAIN, name="bare", version="1", **defaults)
    cause = {
        "TaskList": "DEFAULT_TASK_LIST_UNDEFINED",
        "ScheduleToStart": "DEFAULT_SCHEDULE_TO_START_TIMEOUT_UNDEFINED",
        "ScheduleToClose": "DEFAULT_SCHEDULE_TO_CLOSE_TIMEOUT_UNDEFINED",
        "StartToClose": "DEFAULT_START_TO_CLOSE_TIMEOUT_UNDEFINED",
        "Heartbeat": "DEFAULT_HEARTBEAT_TIMEOUT_UNDEFINED",
    }[missing]
    assert failure(driver, activity("bare"), event=ACTIVITY_FAILED)["cause"] == cause


def test_request_cancel_of_an_unknown_activity(driver: Driver) -> None:
    cancel = decision("RequestCancelActivityTask", activityId="zz")
    failed = failure(driver, cancel, event="RequestCancelActivityTaskFailed")
    assert failed == {"activityId": "zz", "cause": "ACTIVITY_ID_UNKNOWN", "decisionTaskCompletedEventId": 4}


# --- timers ----------------------------------------------------------------------------------------------------


def timer(timer_id: str) -> dict:
    return decision("StartTimer", timerId=timer_id, startToFireTimeout="100")


def test_timer_id_already_in_use(driver: Driver) -> None:
    assert failure(driver, timer("t"), timer("t"), event="StartTimerFailed")["cause"] == "TIMER_ID_ALREADY_IN_USE"


def test_open_timers_limit() -> None:
    driver = Driver(quotas=Quotas(open_timers=1))
    failed = failure(driver, timer("t"), timer("u"), event="StartTimerFailed")
    assert failed == {"timerId": "u", "cause": "OPEN_TIMERS_LIMIT_EXCEEDED", "decisionTaskCompletedEventId": 4}


def test_cancel_of_an_unknown_timer(driver: Driver) -> None:
    failed = failure(driver, decision("CancelTimer", timerId="t"), event="CancelTimerFailed")
    assert failed["cause"] == "TIMER_ID_UNKNOWN"


def test_a_timer_id_is_free_as_soon_as_it_is_canceled(driver: Driver) -> None:
    run = driver.start()
    driver.decide(timer("t"), decision("CancelTimer", timerId="t"), timer("t"))
    assert driver.types(run)[4:] == ["TimerStarted", "TimerCanceled", "TimerStarted"]


# --- children --------------------------------------------------------------------------------------------------

CHILD_FAILED = "StartChildWorkflowExecutionFailed"


def test_child_type_does_not_exist(driver: Driver) -> None:
    failed = failure(driver, child("nope"), event=CHILD_FAILED)
    assert (failed["cause"], failed["initiatedEventId"]) == ("WORKFLOW_TYPE_DOES_NOT_EXIST", 0)


def test_child_type_deprecated(driver: Driver) -> None:
    driver.workflow_type("old")
    deprecate(driver, "WorkflowType", "old")
    assert failure(driver, child("old"), event=CHILD_FAILED)["cause"] == "WORKFLOW_TYPE_DEPRECATED"


def test_child_already_running(driver: Driver) -> None:
    failed = failure(driver, child(workflow_id="w", control="k"), event=CHILD_FAILED)
    assert failed["cause"] == "WORKFLOW_ALREADY_RUNNING"
    assert (failed["initiatedEventId"], failed["decisionTaskCompletedEventId"]) == (5, 4)
    assert failed["control"] == "k"


def test_open_children_limit() -> None:
    driver = Driver(quotas=Quotas(open_children=1))
    failed = failure(driver, child(workflow_id="c1"), child(workflow_id="c2"), event=CHILD_FAILED)
    assert failed["cause"] == "OPEN_CHILDREN_LIMIT_EXCEEDED"


def test_open_workflows_limit() -> None:
    driver = Driver(quotas=Quotas(open_executions_per_domain=1))
    assert failure(driver, child(), event=CHILD_FAILED)["cause"] == "OPEN_WORKFLOWS_LIMIT_EXCEEDED"


WORKFLOW_DEFAULTS: dict[str, tuple[str, Any, str]] = {
    "executionStartToCloseTimeout": (
        "defaultExecutionStartToCloseTimeout", "10", "DEFAULT_EXECUTION_START_TO_CLOSE_TIMEOUT_UNDEFINED",
    ),
    "taskList": ("defaultTaskList", {"name": "tl"}, "DEFAULT_TASK_LIST_UNDEFINED"),
    "taskStartToCloseTimeout": (
        "defaultTaskStartToCloseTimeout", "10", "DEFAULT_TASK_START_TO_CLOSE_TIMEOUT_UNDEFINED",
    ),
    "childPolicy": ("defaultChildPolicy", "ABANDON", "DEFAULT_CHILD_POLICY_UNDEFINED"),
}  # fmt: skip


@pytest.mark.parametrize("missing", list(WORKFLOW_DEFAULTS))
def test_child_defaults_undefined(driver: Driver, missing: str) -> None:
    defaults = {name: value for member, (name, value, _) in WORKFLOW_DEFAULTS.items() if member != missing}
    driver.call("RegisterWorkflowType", domain=DOMAIN, name="bare", version="1", **defaults)
    failed = failure(driver, child("bare"), event=CHILD_FAILED)
    assert failed["cause"] == WORKFLOW_DEFAULTS[missing][2]
    assert failed["initiatedEventId"] == 0


# --- external signals and cancels ------------------------------------------------------------------------------


@pytest.mark.parametrize("run_id", [None, "22someoneelse"])
def test_unknown_external_signal(driver: Driver, run_id: str | None) -> None:
    named = {"runId": run_id} if run_id else {}
    signal = decision("SignalExternalWorkflowExecution", workflowId="x", signalName="s", control="k", **named)
    failed = failure(driver, signal, event="SignalExternalWorkflowExecutionFailed")
    assert failed == {
        "workflowId": "x",
        "control": "k",
        "cause": "UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION",
        "initiatedEventId": 5,
        "decisionTaskCompletedEventId": 4,
        **named,
    }


def test_unknown_external_cancel(driver: Driver) -> None:
    cancel = decision("RequestCancelExternalWorkflowExecution", workflowId="x", control="k")
    failed = failure(driver, cancel, event="RequestCancelExternalWorkflowExecutionFailed")
    assert failed["cause"] == "UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION"
    assert failed["control"] == "k"


# --- closing decisions -----------------------------------------------------------------------------------------

CLOSINGS = [
    "CompleteWorkflowExecution",
    "FailWorkflowExecution",
    "CancelWorkflowExecution",
    "ContinueAsNewWorkflowExecution",
]


@pytest.mark.parametrize("kind", CLOSINGS)
def test_unhandled_decision(driver: Driver, kind: str) -> None:
    run = driver.start()
    task = driver.poll()
    driver.call("SignalWorkflowExecution", domain=DOMAIN, workflowId="w", signalName="s")
    driver.respond(task, decision(kind))
    assert driver.types(run)[3:] == [
        "WorkflowExecutionSignaled",
        "DecisionTaskScheduled",
        "DecisionTaskCompleted",
        f"{kind}Failed",
    ]
    assert driver.last(run, f"{kind}Failed") == {"cause": "UNHANDLED_DECISION", "decisionTaskCompletedEventId": 6}
    driver.decide(decision(kind))
    assert driver.describe(run)["executionInfo"]["executionStatus"] == "CLOSED"


CONTINUE_FAILED = "ContinueAsNewWorkflowExecutionFailed"


def test_continue_as_new_with_an_unknown_version(driver: Driver) -> None:
    again = decision("ContinueAsNewWorkflowExecution", workflowTypeVersion="9")
    assert failure(driver, again, event=CONTINUE_FAILED)["cause"] == "WORKFLOW_TYPE_DOES_NOT_EXIST"


def test_continue_as_new_with_a_deprecated_version(driver: Driver) -> None:
    run = driver.start()
    deprecate(driver, "WorkflowType", "wf")
    driver.decide(decision("ContinueAsNewWorkflowExecution"))
    assert driver.last(run, CONTINUE_FAILED)["cause"] == "WORKFLOW_TYPE_DEPRECATED"


@pytest.mark.parametrize("missing", list(WORKFLOW_DEFAULTS))
def test_continue_as_new_defaults_undefined(driver: Driver, missing: str) -> None:
    """What the old run was started with is not inherited: only the type's defaults count."""
    defaults = {name: value for member, (name, value, _) in WORKFLOW_DEFAULTS.items() if member != missing}
    driver.call("RegisterWorkflowType", domain=DOMAIN, name="bare", version="1", **defaults)
    given = {missing: WORKFLOW_DEFAULTS[missing][1]}
    kind = {"name": "bare", "version": "1"}
    failed = failure(
        driver, decision("ContinueAsNewWorkflowExecution"), event=CONTINUE_FAILED, workflowType=kind, **given
    )
    assert failed["cause"] == WORKFLOW_DEFAULTS[missing][2]


# --- lambdas ---------------------------------------------------------------------------------------------------


def function(function_id: str = "l") -> dict:
    return decision("ScheduleLambdaFunction", id=function_id, name="f")


def test_lambda_id_already_in_use(driver: Driver) -> None:
    failed = failure(driver, function(), function(), event="ScheduleLambdaFunctionFailed", lambdaRole=ROLE)
    assert failed == {"id": "l", "name": "f", "cause": "ID_ALREADY_IN_USE", "decisionTaskCompletedEventId": 4}


def test_open_lambdas_limit() -> None:
    driver = Driver(quotas=Quotas(open_lambdas=1))
    failed = failure(driver, function("l1"), function("l2"), event="ScheduleLambdaFunctionFailed", lambdaRole=ROLE)
    assert failed["cause"] == "OPEN_LAMBDA_FUNCTIONS_LIMIT_EXCEEDED"


def test_lambda_without_a_role(driver: Driver) -> None:
    failed = failure(driver, function(), event="StartLambdaFunctionFailed")
    assert failed["cause"] == "ASSUME_ROLE_FAILED"
    assert failed["scheduledEventId"] == 5
    assert driver.invocations == []


# --- several failures, and closing beside them -----------------------------------------------------------------


def test_several_failures_schedule_one_decision_task_after_the_batch(driver: Driver) -> None:
    run = driver.start()
    driver.decide(activity("nope"), decision("RecordMarker", markerName="m"), decision("CancelTimer", timerId="t"))
    assert driver.types(run)[4:] == [
        ACTIVITY_FAILED,
        "MarkerRecorded",
        "CancelTimerFailed",
        "DecisionTaskScheduled",
    ]


def test_a_failing_decision_does_not_stop_a_close(driver: Driver) -> None:
    run = driver.start()
    driver.decide(activity("nope"), COMPLETE)
    assert driver.types(run)[4:] == [ACTIVITY_FAILED, "WorkflowExecutionCompleted"]


def test_event_limit_terminates() -> None:
    driver = Driver(quotas=Quotas(history_events=50))
    run = driver.start()
    for _ in range(60):
        task = driver.poll()
        if task is None:
            break
        driver.respond(task, decision("StartTimer", timerId="t", startToFireTimeout="0"))
    events = driver.history(run)
    assert attributes_of(events[-1]) == {"childPolicy": "TERMINATE", "cause": "EVENT_LIMIT_EXCEEDED"}
    assert len(events) >= 50
