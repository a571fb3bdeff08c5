"""Every cause that botocore's model has for any event, each reached by a test that says so with `reaches`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from local_swf_driver import DOMAIN, TIMEOUTS, Driver, attributes_of, decision
from pyflow_local.engine.limits import Quotas
from pyflow_local.engine.rates import Rate, Rates
from pyflow_local.engine.restrictions import Restrictions

COMPLETE = decision("CompleteWorkflowExecution")
ROLE = "arn:aws:iam::123456789012:role/r"
CLAIMED: set[tuple[str, str]] = set()


def reaches(event: str, cause: str) -> pytest.MarkDecorator:
    """Marks a test that must have seen this event with this cause in a history."""
    CLAIMED.add((event, cause))
    return pytest.mark.reaches(event, cause)


@pytest.fixture(autouse=True)
def _what_is_claimed_is_seen(request: pytest.FixtureRequest) -> Iterator[None]:
    Driver.causes_seen.clear()
    yield
    for mark in request.node.iter_markers("reaches"):
        assert mark.args in Driver.causes_seen


def test_every_cause_of_the_model_is_reached_here() -> None:
    model = botocore.session.get_session().get_service_model("swf")
    known = set()
    for member, shape in model.shape_for("HistoryEvent").members.items():
        if shape.type_name == "structure" and "cause" in shape.members:
            event = member[0].upper() + member.removesuffix("EventAttributes")[1:]
            known |= {(event, cause) for cause in shape.members["cause"].enum}
    assert len(known) > 50
    assert known == CLAIMED


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


@reaches(ACTIVITY_FAILED, "ACTIVITY_TYPE_DOES_NOT_EXIST")
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


@reaches(ACTIVITY_FAILED, "ACTIVITY_TYPE_DEPRECATED")
def test_activity_type_deprecated(driver: Driver) -> None:
    deprecate(driver, "ActivityType", "act")
    assert failure(driver, activity(), event=ACTIVITY_FAILED)["cause"] == "ACTIVITY_TYPE_DEPRECATED"


@reaches(ACTIVITY_FAILED, "ACTIVITY_ID_ALREADY_IN_USE")
def test_activity_id_already_in_use_within_a_batch(driver: Driver) -> None:
    run = driver.start()
    driver.decide(activity(), activity())
    assert driver.types(run)[4:] == ["ActivityTaskScheduled", ACTIVITY_FAILED, "DecisionTaskScheduled"]
    assert driver.last(run, ACTIVITY_FAILED)["cause"] == "ACTIVITY_ID_ALREADY_IN_USE"


@reaches(ACTIVITY_FAILED, "OPEN_ACTIVITIES_LIMIT_EXCEEDED")
def test_open_activities_limit() -> None:
    driver = Driver(quotas=Quotas(open_activities=2))
    failed = failure(driver, *(activity(activity_id=str(n)) for n in range(3)), event=ACTIVITY_FAILED)
    assert failed["cause"] == "OPEN_ACTIVITIES_LIMIT_EXCEEDED"
    assert failed["activityId"] == "2"


ACTIVITY_DEFAULTS = {
    "TaskList": "DEFAULT_TASK_LIST_UNDEFINED",
    "ScheduleToStart": "DEFAULT_SCHEDULE_TO_START_TIMEOUT_UNDEFINED",
    "ScheduleToClose": "DEFAULT_SCHEDULE_TO_CLOSE_TIMEOUT_UNDEFINED",
    "StartToClose": "DEFAULT_START_TO_CLOSE_TIMEOUT_UNDEFINED",
    "Heartbeat": "DEFAULT_HEARTBEAT_TIMEOUT_UNDEFINED",
}


@pytest.mark.parametrize(
    ("missing", "cause"),
    [pytest.param(*one, marks=reaches(ACTIVITY_FAILED, one[1])) for one in ACTIVITY_DEFAULTS.items()],
)
def test_activity_defaults_undefined(driver: Driver, missing: str, cause: str) -> None:
    defaults: dict[str, Any] = {f"defaultTask{one}Timeout": "NONE" for one in TIMEOUTS if one != missing}
    if missing != "TaskList":
        defaults["defaultTaskList"] = {"name": "al"}
    driver.call("RegisterActivityType", domain=DOMAIN, name="bare", version="1", **defaults)
    assert failure(driver, activity("bare"), event=ACTIVITY_FAILED)["cause"] == cause


@reaches("RequestCancelActivityTaskFailed", "ACTIVITY_ID_UNKNOWN")
def test_request_cancel_of_an_unknown_activity(driver: Driver) -> None:
    cancel = decision("RequestCancelActivityTask", activityId="zz")
    failed = failure(driver, cancel, event="RequestCancelActivityTaskFailed")
    assert failed == {"activityId": "zz", "cause": "ACTIVITY_ID_UNKNOWN", "decisionTaskCompletedEventId": 4}


# --- timers ----------------------------------------------------------------------------------------------------


def timer(timer_id: str) -> dict:
    return decision("StartTimer", timerId=timer_id, startToFireTimeout="100")


@reaches("StartTimerFailed", "TIMER_ID_ALREADY_IN_USE")
def test_timer_id_already_in_use(driver: Driver) -> None:
    assert failure(driver, timer("t"), timer("t"), event="StartTimerFailed")["cause"] == "TIMER_ID_ALREADY_IN_USE"


@reaches("StartTimerFailed", "OPEN_TIMERS_LIMIT_EXCEEDED")
def test_open_timers_limit() -> None:
    driver = Driver(quotas=Quotas(open_timers=1))
    failed = failure(driver, timer("t"), timer("u"), event="StartTimerFailed")
    assert failed == {"timerId": "u", "cause": "OPEN_TIMERS_LIMIT_EXCEEDED", "decisionTaskCompletedEventId": 4}


@reaches("CancelTimerFailed", "TIMER_ID_UNKNOWN")
def test_cancel_of_an_unknown_timer(driver: Driver) -> None:
    failed = failure(driver, decision("CancelTimer", timerId="t"), event="CancelTimerFailed")
    assert failed["cause"] == "TIMER_ID_UNKNOWN"


def test_a_timer_id_is_free_as_soon_as_it_is_canceled(driver: Driver) -> None:
    run = driver.start()
    driver.decide(timer("t"), decision("CancelTimer", timerId="t"), timer("t"))
    assert driver.types(run)[4:] == ["TimerStarted", "TimerCanceled", "TimerStarted"]


# --- children --------------------------------------------------------------------------------------------------

CHILD_FAILED = "StartChildWorkflowExecutionFailed"


@reaches(CHILD_FAILED, "WORKFLOW_TYPE_DOES_NOT_EXIST")
def test_child_type_does_not_exist(driver: Driver) -> None:
    failed = failure(driver, child("nope"), event=CHILD_FAILED)
    assert (failed["cause"], failed["initiatedEventId"]) == ("WORKFLOW_TYPE_DOES_NOT_EXIST", 0)


@reaches(CHILD_FAILED, "WORKFLOW_TYPE_DEPRECATED")
def test_child_type_deprecated(driver: Driver) -> None:
    driver.workflow_type("old")
    deprecate(driver, "WorkflowType", "old")
    assert failure(driver, child("old"), event=CHILD_FAILED)["cause"] == "WORKFLOW_TYPE_DEPRECATED"


@reaches(CHILD_FAILED, "WORKFLOW_ALREADY_RUNNING")
def test_child_already_running(driver: Driver) -> None:
    failed = failure(driver, child(workflow_id="w", control="k"), event=CHILD_FAILED)
    assert failed["cause"] == "WORKFLOW_ALREADY_RUNNING"
    assert (failed["initiatedEventId"], failed["decisionTaskCompletedEventId"]) == (5, 4)
    assert failed["control"] == "k"


@reaches(CHILD_FAILED, "OPEN_CHILDREN_LIMIT_EXCEEDED")
def test_open_children_limit() -> None:
    driver = Driver(quotas=Quotas(open_children=1))
    failed = failure(driver, child(workflow_id="c1"), child(workflow_id="c2"), event=CHILD_FAILED)
    assert failed["cause"] == "OPEN_CHILDREN_LIMIT_EXCEEDED"


@reaches(CHILD_FAILED, "OPEN_WORKFLOWS_LIMIT_EXCEEDED")
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


@pytest.mark.parametrize(
    "missing",
    [pytest.param(name, marks=reaches(CHILD_FAILED, cause)) for name, (_, _, cause) in WORKFLOW_DEFAULTS.items()],
)
def test_child_defaults_undefined(driver: Driver, missing: str) -> None:
    defaults = {name: value for member, (name, value, _) in WORKFLOW_DEFAULTS.items() if member != missing}
    driver.call("RegisterWorkflowType", domain=DOMAIN, name="bare", version="1", **defaults)
    failed = failure(driver, child("bare"), event=CHILD_FAILED)
    assert failed["cause"] == WORKFLOW_DEFAULTS[missing][2]
    assert failed["initiatedEventId"] == 0


# --- external signals and cancels ------------------------------------------------------------------------------


@reaches("SignalExternalWorkflowExecutionFailed", "UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION")
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


@reaches("RequestCancelExternalWorkflowExecutionFailed", "UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION")
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


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=reaches(f"{kind}Failed", "UNHANDLED_DECISION")) for kind in CLOSINGS]
)
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


@reaches(CONTINUE_FAILED, "WORKFLOW_TYPE_DOES_NOT_EXIST")
def test_continue_as_new_with_an_unknown_version(driver: Driver) -> None:
    again = decision("ContinueAsNewWorkflowExecution", workflowTypeVersion="9")
    assert failure(driver, again, event=CONTINUE_FAILED)["cause"] == "WORKFLOW_TYPE_DOES_NOT_EXIST"


@reaches(CONTINUE_FAILED, "WORKFLOW_TYPE_DEPRECATED")
def test_continue_as_new_with_a_deprecated_version(driver: Driver) -> None:
    run = driver.start()
    deprecate(driver, "WorkflowType", "wf")
    driver.decide(decision("ContinueAsNewWorkflowExecution"))
    assert driver.last(run, CONTINUE_FAILED)["cause"] == "WORKFLOW_TYPE_DEPRECATED"


@pytest.mark.parametrize(
    "missing",
    [pytest.param(name, marks=reaches(CONTINUE_FAILED, cause)) for name, (_, _, cause) in WORKFLOW_DEFAULTS.items()],
)
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


LAMBDA_FAILED = "ScheduleLambdaFunctionFailed"


def function(function_id: str = "l") -> dict:
    return decision("ScheduleLambdaFunction", id=function_id, name="f")


@reaches(LAMBDA_FAILED, "ID_ALREADY_IN_USE")
def test_lambda_id_already_in_use(driver: Driver) -> None:
    failed = failure(driver, function(), function(), event=LAMBDA_FAILED, lambdaRole=ROLE)
    assert failed == {"id": "l", "name": "f", "cause": "ID_ALREADY_IN_USE", "decisionTaskCompletedEventId": 4}


@reaches(LAMBDA_FAILED, "OPEN_LAMBDA_FUNCTIONS_LIMIT_EXCEEDED")
def test_open_lambdas_limit() -> None:
    driver = Driver(quotas=Quotas(open_lambdas=1))
    failed = failure(driver, function("l1"), function("l2"), event=LAMBDA_FAILED, lambdaRole=ROLE)
    assert failed["cause"] == "OPEN_LAMBDA_FUNCTIONS_LIMIT_EXCEEDED"


@reaches("StartLambdaFunctionFailed", "ASSUME_ROLE_FAILED")
def test_lambda_without_a_role(driver: Driver) -> None:
    failed = failure(driver, function(), event="StartLambdaFunctionFailed")
    assert failed["cause"] == "ASSUME_ROLE_FAILED"
    assert failed["scheduledEventId"] == 5
    assert driver.invocations == []


# --- refused whatever the state: permissions, rates, no Lambda -----------------------------------------------------

SIGNAL = decision("SignalExternalWorkflowExecution", workflowId="w", signalName="s", control="k")
CANCEL = decision("RequestCancelExternalWorkflowExecution", workflowId="w", control="k")
REPEATED = {
    # decision -> what its failure event repeats of it
    "ScheduleActivityTask": (activity(), {"activityType": {"name": "act", "version": "1"}, "activityId": "a"}),
    "RequestCancelActivityTask": (decision("RequestCancelActivityTask", activityId="a"), {"activityId": "a"}),
    "RecordMarker": (decision("RecordMarker", markerName="m", details="x"), {"markerName": "m"}),
    "StartTimer": (timer("t"), {"timerId": "t"}),
    "CancelTimer": (decision("CancelTimer", timerId="t"), {"timerId": "t"}),
    "StartChildWorkflowExecution": (
        child(control="k"),
        {"workflowType": {"name": "wf", "version": "1"}, "workflowId": "c", "control": "k", "initiatedEventId": 0},
    ),
    "SignalExternalWorkflowExecution": (SIGNAL, {"workflowId": "w", "control": "k", "initiatedEventId": 5}),
    "RequestCancelExternalWorkflowExecution": (CANCEL, {"workflowId": "w", "control": "k", "initiatedEventId": 5}),
    "ScheduleLambdaFunction": (function(), {"id": "l", "name": "f"}),
    **{kind: (decision(kind), {}) for kind in CLOSINGS},
}
RATE_CAUSES = {
    "ScheduleActivityTask": "ACTIVITY_CREATION_RATE_EXCEEDED",
    "StartTimer": "TIMER_CREATION_RATE_EXCEEDED",
    "StartChildWorkflowExecution": "CHILD_CREATION_RATE_EXCEEDED",
    "SignalExternalWorkflowExecution": "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_RATE_EXCEEDED",
    "RequestCancelExternalWorkflowExecution": "REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_RATE_EXCEEDED",
    "ContinueAsNewWorkflowExecution": "CONTINUE_AS_NEW_WORKFLOW_EXECUTION_RATE_EXCEEDED",
    "ScheduleLambdaFunction": "LAMBDA_FUNCTION_CREATION_RATE_EXCEEDED",
}


def assert_refused(driver: Driver, kind: str, cause: str) -> None:
    """The decision records its failure, nothing else comes of it, and the decider is called again."""
    one, repeated = REPEATED[kind]
    run = driver.start(lambdaRole=ROLE)
    driver.decide(one)
    failed = f"{kind}Failed"
    initiated = [f"{kind}Initiated"] if repeated.get("initiatedEventId") else []
    assert driver.types(run)[4:] == [*initiated, failed, "DecisionTaskScheduled"]
    assert driver.last(run, failed) == {**repeated, "cause": cause, "decisionTaskCompletedEventId": 4}
    assert driver.poll() is not None


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(kind, marks=reaches(f"{kind}Failed", "OPERATION_NOT_PERMITTED"))
        for kind in REPEATED
        if kind != "ScheduleLambdaFunction"  # SWF has no such cause for it
    ],
)
def test_not_permitted(kind: str) -> None:
    driver = Driver(restrictions=Restrictions(denied=frozenset({f"swf:{kind}"})))
    assert_refused(driver, kind, "OPERATION_NOT_PERMITTED")


@pytest.mark.parametrize(
    ("kind", "cause"),
    [pytest.param(*one, marks=reaches(f"{one[0]}Failed", one[1])) for one in RATE_CAUSES.items()],
)
def test_rate_exceeded(kind: str, cause: str) -> None:
    driver = Driver(restrictions=Restrictions(rates=Rates(decisions={kind: Rate(0, 1)})))
    assert_refused(driver, kind, cause)


@reaches(LAMBDA_FAILED, "LAMBDA_SERVICE_NOT_AVAILABLE_IN_REGION")
def test_a_region_without_lambda() -> None:
    driver = Driver(restrictions=Restrictions(lambda_service=False))
    assert_refused(driver, "ScheduleLambdaFunction", "LAMBDA_SERVICE_NOT_AVAILABLE_IN_REGION")
    assert driver.invocations == []


# --- causes of events that are no failures --------------------------------------------------------------------------


@reaches("WorkflowExecutionTerminated", "OPERATOR_INITIATED")
def test_terminated_by_an_operator(driver: Driver) -> None:
    run = driver.start()
    driver.call("TerminateWorkflowExecution", domain=DOMAIN, workflowId="w")
    assert driver.last(run, "WorkflowExecutionTerminated")["cause"] == "OPERATOR_INITIATED"


@pytest.mark.parametrize(
    ("policy", "event"),
    [
        pytest.param("TERMINATE", event := "WorkflowExecutionTerminated", marks=reaches(event, "CHILD_POLICY_APPLIED")),
        pytest.param(
            "REQUEST_CANCEL",
            event := "WorkflowExecutionCancelRequested",
            marks=reaches(event, "CHILD_POLICY_APPLIED"),
        ),
    ],
)
def test_child_policy(driver: Driver, policy: str, event: str) -> None:
    driver.start(childPolicy=policy)
    driver.decide(child())
    child_run = driver.open_run("c")
    driver.call("TerminateWorkflowExecution", domain=DOMAIN, workflowId="w")
    assert driver.last(child_run, event, "c")["cause"] == "CHILD_POLICY_APPLIED"


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


@reaches("WorkflowExecutionTerminated", "EVENT_LIMIT_EXCEEDED")
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
