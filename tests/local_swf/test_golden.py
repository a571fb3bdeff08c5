"""The golden histories of the reference (section 13): order, ids, references and transactions, exactly."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from local_swf_driver import DOMAIN, WORKFLOW, Driver, assert_golden, attributes_of, decision
from pyflow_local.engine.values import LambdaOutcome

FIRST = ["1 WorkflowExecutionStarted", "2 DecisionTaskScheduled"]
COMPLETE = decision("CompleteWorkflowExecution", result="done")


def complete_activity(driver: Driver, task: dict | None, result: str = "r") -> None:
    assert task is not None
    driver.call("RespondActivityTaskCompleted", taskToken=task["taskToken"], result=result)


def signal(driver: Driver, name: str) -> None:
    driver.call("SignalWorkflowExecution", domain=DOMAIN, workflowId="w", signalName=name)


def test_13_1_one_activity(driver: Driver) -> None:
    run = driver.start()
    driver.decide(driver.schedule())
    complete_activity(driver, driver.poll_activity())
    driver.decide(COMPLETE)
    events = driver.history(run)
    assert_golden(
        events,
        FIRST,
        ["3 DecisionTaskStarted(2)"],
        ["4 DecisionTaskCompleted(2, 3)", "5 ActivityTaskScheduled(4)"],
        ["6 ActivityTaskStarted(5)"],
        ["7 ActivityTaskCompleted(5, 6)", "8 DecisionTaskScheduled"],
        ["9 DecisionTaskStarted(8)"],
        ["10 DecisionTaskCompleted(8, 9)", "11 WorkflowExecutionCompleted(10)"],
    )
    assert attributes_of(events[0])["parentInitiatedEventId"] == 0
    timeouts = {k: v for k, v in attributes_of(events[4]).items() if k.endswith("Timeout")}
    assert len(timeouts) == 4
    assert set(timeouts.values()) == {"NONE"}


def start_child(**more: object) -> dict:
    return decision("StartChildWorkflowExecution", workflowId="c", workflowType=WORKFLOW, **more)


def test_13_2_child_workflow(driver: Driver) -> None:
    run = driver.start()
    driver.decide(start_child(taskList={"name": "ctl"}))
    driver.decide()
    driver.decide(COMPLETE, task_list="ctl")
    driver.decide(COMPLETE)
    assert_golden(
        driver.history(run),
        FIRST,
        ["3 DecisionTaskStarted(2)"],
        ["4 DecisionTaskCompleted(2, 3)", "5 StartChildWorkflowExecutionInitiated(4)"],
        ["6 ChildWorkflowExecutionStarted(5)", "7 DecisionTaskScheduled"],
        ["8 DecisionTaskStarted(7)"],
        ["9 DecisionTaskCompleted(7, 8)"],
        ["10 ChildWorkflowExecutionCompleted(5, 6)", "11 DecisionTaskScheduled"],
        ["12 DecisionTaskStarted(11)"],
        ["13 DecisionTaskCompleted(11, 12)", "14 WorkflowExecutionCompleted(13)"],
    )
    assert driver.last(run, "ChildWorkflowExecutionCompleted")["result"] == "done"


def test_13_2_child_closes_while_a_decision_runs(driver: Driver) -> None:
    run = driver.start()
    driver.decide(start_child(taskList={"name": "ctl"}))
    task = driver.poll()
    driver.decide(decision("FailWorkflowExecution", reason="r", details="d"), task_list="ctl")
    driver.respond(task)
    driver.decide(COMPLETE)
    assert_golden(
        driver.history(run)[7:],
        ["8 DecisionTaskStarted(7)"],
        ["9 ChildWorkflowExecutionFailed(5, 6)", "10 DecisionTaskScheduled"],
        ["11 DecisionTaskCompleted(7, 8)"],
        ["12 DecisionTaskStarted(10)"],
        ["13 DecisionTaskCompleted(10, 12)", "14 WorkflowExecutionCompleted(13)"],
    )


def request_cancel(driver: Driver) -> None:
    driver.call("RequestCancelWorkflowExecution", domain=DOMAIN, workflowId="w")


def test_13_3_cancel_accepted_with_a_running_activity(driver: Driver) -> None:
    run = driver.start()
    driver.decide(driver.schedule())
    driver.poll_activity()
    request_cancel(driver)
    driver.decide(decision("CancelWorkflowExecution"))
    assert_golden(
        driver.history(run)[6:],
        ["7 WorkflowExecutionCancelRequested", "8 DecisionTaskScheduled"],
        ["9 DecisionTaskStarted(8)"],
        ["10 DecisionTaskCompleted(8, 9)", "11 WorkflowExecutionCanceled(10)"],
    )
    assert driver.last(run, "WorkflowExecutionCancelRequested") == {"externalInitiatedEventId": 0}
    detail = driver.describe(run)
    assert detail["openCounts"]["openActivityTasks"] == 1
    assert detail["executionInfo"]["closeStatus"] == "CANCELED"


def test_13_3_cancel_refused(driver: Driver) -> None:
    run = driver.start()
    driver.decide(driver.schedule())
    activity = driver.poll_activity()
    request_cancel(driver)
    task = driver.poll()
    complete_activity(driver, activity)
    driver.respond(task)
    driver.decide(COMPLETE)
    assert_golden(
        driver.history(run)[6:],
        ["7 WorkflowExecutionCancelRequested", "8 DecisionTaskScheduled"],
        ["9 DecisionTaskStarted(8)"],
        ["10 ActivityTaskCompleted(5, 6)", "11 DecisionTaskScheduled"],
        ["12 DecisionTaskCompleted(8, 9)"],
        ["13 DecisionTaskStarted(11)"],
        ["14 DecisionTaskCompleted(11, 13)", "15 WorkflowExecutionCompleted(14)"],
    )


def timer(timer_id: str, seconds: str) -> dict:
    return decision("StartTimer", timerId=timer_id, startToFireTimeout=seconds)


def test_13_4_timers(driver: Driver) -> None:
    run = driver.start()
    driver.decide(timer("timer 2", "120"), timer("timer 1", "2"))
    driver.advance(2)
    driver.decide(decision("CancelTimer", timerId="timer 2"), timer("wake", "0"))
    driver.decide(COMPLETE)
    assert_golden(
        driver.history(run)[3:],
        ["4 DecisionTaskCompleted(2, 3)", "5 TimerStarted(4)", "6 TimerStarted(4)"],
        ["7 TimerFired(6)", "8 DecisionTaskScheduled"],
        ["9 DecisionTaskStarted(8)"],
        ["10 DecisionTaskCompleted(8, 9)", "11 TimerCanceled(5, 10)", "12 TimerStarted(10)"],
        ["13 TimerFired(12)", "14 DecisionTaskScheduled"],
        ["15 DecisionTaskStarted(14)"],
        ["16 DecisionTaskCompleted(14, 15)", "17 WorkflowExecutionCompleted(16)"],
    )


def test_13_5_unhandled_decision(driver: Driver) -> None:
    run = driver.start()
    driver.decide(driver.schedule())
    activity = driver.poll_activity()
    signal(driver, "s")
    task = driver.poll()
    assert task is not None
    complete_activity(driver, activity)
    driver.respond(task, COMPLETE)
    following = driver.poll()
    assert following is not None
    assert_golden(
        driver.history(run)[6:],
        ["7 WorkflowExecutionSignaled", "8 DecisionTaskScheduled"],
        ["9 DecisionTaskStarted(8)"],
        ["10 ActivityTaskCompleted(5, 6)", "11 DecisionTaskScheduled"],
        ["12 DecisionTaskCompleted(8, 9)", "13 CompleteWorkflowExecutionFailed(12, UNHANDLED_DECISION)"],
        ["14 DecisionTaskStarted(11)"],
    )
    assert following["previousStartedEventId"] == 9
    assert following["startedEventId"] == 14
    assert [event["eventId"] for event in following["events"]] == list(range(1, 15))


def test_13_6_markers(driver: Driver) -> None:
    run = driver.start()
    marker = "RecordMarker"
    driver.decide(
        decision(marker, markerName="m"),
        decision(marker, markerName="m", details="x"),
        decision(marker, markerName="n"),
        timer("wake", "0"),
    )
    assert_golden(
        driver.history(run)[3:],
        [
            "4 DecisionTaskCompleted(2, 3)",
            "5 MarkerRecorded(4)",
            "6 MarkerRecorded(4)",
            "7 MarkerRecorded(4)",
            "8 TimerStarted(4)",
        ],
        ["9 TimerFired(8)", "10 DecisionTaskScheduled"],
    )


def test_13_6_without_a_timer_nothing_follows(driver: Driver) -> None:
    driver.start()
    driver.decide(decision("RecordMarker", markerName="m"))
    assert driver.poll() is None


def test_13_7_signals_and_execution_context(driver: Driver) -> None:
    run = driver.start()
    context = '{"waiting_signals":["signal 2","signal"]}'
    driver.decide(driver.schedule("a1"), driver.schedule("a2"), executionContext=context)
    first, second = driver.poll_activity(), driver.poll_activity()
    signal(driver, "signal")
    task = driver.poll()
    complete_activity(driver, first)
    driver.respond(task)
    driver.decide()
    assert driver.describe(run)["latestExecutionContext"] == context
    signal(driver, "signal 2")
    task = driver.poll()
    complete_activity(driver, second)
    driver.respond(task, executionContext="")
    driver.poll()
    assert_golden(
        driver.history(run)[8:],
        ["9 WorkflowExecutionSignaled", "10 DecisionTaskScheduled"],
        ["11 DecisionTaskStarted(10)"],
        ["12 ActivityTaskCompleted(5, 7)", "13 DecisionTaskScheduled"],
        ["14 DecisionTaskCompleted(10, 11)"],
        ["15 DecisionTaskStarted(13)"],
        ["16 DecisionTaskCompleted(13, 15)"],
        ["17 WorkflowExecutionSignaled", "18 DecisionTaskScheduled"],
        ["19 DecisionTaskStarted(18)"],
        ["20 ActivityTaskCompleted(6, 8)", "21 DecisionTaskScheduled"],
        ["22 DecisionTaskCompleted(18, 19)"],
        ["23 DecisionTaskStarted(21)"],
    )
    assert driver.last(run, "DecisionTaskCompleted")["executionContext"] == ""
    assert driver.describe(run)["latestExecutionContext"] == ""


def failing(driver: Driver, *decisions: dict) -> list[dict]:
    run = driver.start()
    driver.decide(*decisions)
    return driver.history(run)[3:]


def test_13_8_unknown_activity_type(driver: Driver) -> None:
    unknown = {"name": "nope", "version": "1"}
    events = failing(driver, decision("ScheduleActivityTask", activityType=unknown, activityId="a"))
    failed = "5 ScheduleActivityTaskFailed(4, ACTIVITY_TYPE_DOES_NOT_EXIST)"
    assert_golden(events, ["4 DecisionTaskCompleted(2, 3)", failed, "6 DecisionTaskScheduled"])


def test_13_8_unknown_timer(driver: Driver) -> None:
    events = failing(driver, decision("CancelTimer", timerId="t"))
    failed = "5 CancelTimerFailed(4, TIMER_ID_UNKNOWN)"
    assert_golden(events, ["4 DecisionTaskCompleted(2, 3)", failed, "6 DecisionTaskScheduled"])


def test_13_8_unknown_external_signal(driver: Driver) -> None:
    events = failing(driver, decision("SignalExternalWorkflowExecution", workflowId="x", signalName="s"))
    assert_golden(
        events,
        ["4 DecisionTaskCompleted(2, 3)", "5 SignalExternalWorkflowExecutionInitiated(4)"],
        [
            "6 SignalExternalWorkflowExecutionFailed(5, 4, UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION)",
            "7 DecisionTaskScheduled",
        ],
    )


def test_13_8_unknown_external_cancel(driver: Driver) -> None:
    events = failing(driver, decision("RequestCancelExternalWorkflowExecution", workflowId="x"))
    assert_golden(
        events,
        ["4 DecisionTaskCompleted(2, 3)", "5 RequestCancelExternalWorkflowExecutionInitiated(4)"],
        [
            "6 RequestCancelExternalWorkflowExecutionFailed(5, 4, UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION)",
            "7 DecisionTaskScheduled",
        ],
    )


def test_13_8_child_of_unknown_type(driver: Driver) -> None:
    kind = {"name": "nope", "version": "1"}
    events = failing(driver, decision("StartChildWorkflowExecution", workflowId="c", workflowType=kind, control="k"))
    failed = "5 StartChildWorkflowExecutionFailed(0, 4, WORKFLOW_TYPE_DOES_NOT_EXIST)"
    assert_golden(events, ["4 DecisionTaskCompleted(2, 3)", failed, "6 DecisionTaskScheduled"])
    assert attributes_of(events[1])["control"] == "k"


def test_13_8_cancel_of_an_unknown_activity(driver: Driver) -> None:
    events = failing(driver, decision("RequestCancelActivityTask", activityId="a"))
    failed = "5 RequestCancelActivityTaskFailed(4, ACTIVITY_ID_UNKNOWN)"
    assert_golden(events, ["4 DecisionTaskCompleted(2, 3)", failed, "6 DecisionTaskScheduled"])


def test_13_8_continue_as_new_with_an_unknown_version(driver: Driver) -> None:
    events = failing(driver, decision("ContinueAsNewWorkflowExecution", workflowTypeVersion="9"))
    failed = "5 ContinueAsNewWorkflowExecutionFailed(4, WORKFLOW_TYPE_DOES_NOT_EXIST)"
    assert_golden(events, ["4 DecisionTaskCompleted(2, 3)", failed, "6 DecisionTaskScheduled"])


def test_13_8_lambda_without_a_role(driver: Driver) -> None:
    events = failing(driver, decision("ScheduleLambdaFunction", id="l", name="f"))
    assert_golden(
        events,
        ["4 DecisionTaskCompleted(2, 3)", "5 LambdaFunctionScheduled(4)"],
        ["6 StartLambdaFunctionFailed(5, ASSUME_ROLE_FAILED)", "7 DecisionTaskScheduled"],
    )
    assert attributes_of(events[2])["message"] == "No IAM role is attached to the current workflow execution."


def complete_child(driver: Driver) -> None:
    driver.decide(COMPLETE, task_list="ctl")


def fail_child(driver: Driver) -> None:
    driver.decide(decision("FailWorkflowExecution"), task_list="ctl")


def cancel_child(driver: Driver) -> None:
    driver.decide(decision("CancelWorkflowExecution"), task_list="ctl")


def time_out_child(driver: Driver) -> None:
    driver.advance(30)


@pytest.mark.parametrize(
    ("end", "line"),
    [
        (complete_child, "8 ChildWorkflowExecutionCompleted(5, 6)"),
        (fail_child, "8 ChildWorkflowExecutionFailed(5, 6)"),
        (cancel_child, "8 ChildWorkflowExecutionCanceled(5, 6)"),
        (time_out_child, "8 ChildWorkflowExecutionTimedOut(5, 6, START_TO_CLOSE)"),
    ],
)
def test_13_9_child_closings_coalesce_with_the_start(driver: Driver, end: Callable[[Driver], None], line: str) -> None:
    run = driver.start()
    driver.decide(start_child(taskList={"name": "ctl"}, executionStartToCloseTimeout="30"))
    end(driver)
    driver.poll()
    assert_golden(
        driver.history(run)[4:],
        ["5 StartChildWorkflowExecutionInitiated(4)"],
        ["6 ChildWorkflowExecutionStarted(5)", "7 DecisionTaskScheduled"],
        [line],
        ["9 DecisionTaskStarted(7)"],
    )


def test_13_9_policy_on_normal_completion(driver: Driver) -> None:
    run = driver.start()
    driver.decide(start_child(taskList={"name": "ctl"}))
    child_run = driver.open_run("c")
    driver.decide(COMPLETE)
    events = driver.history(child_run, "c")
    assert_golden(events, FIRST, ["3 WorkflowExecutionTerminated(CHILD_POLICY_APPLIED)"])
    assert attributes_of(events[0])["parentWorkflowExecution"] == {"workflowId": "w", "runId": run}
    assert attributes_of(events[0])["parentInitiatedEventId"] == 5
    assert attributes_of(events[-1]) == {"childPolicy": "TERMINATE", "cause": "CHILD_POLICY_APPLIED"}


def test_13_10_activity_timeout_before_start(driver: Driver) -> None:
    run = driver.start()
    driver.decide(driver.schedule(scheduleToStartTimeout="5"))
    driver.advance(5)
    signal(driver, "s")
    assert_golden(
        driver.history(run)[5:],
        ["6 ActivityTaskTimedOut(5, 0, SCHEDULE_TO_START)", "7 DecisionTaskScheduled"],
        ["8 WorkflowExecutionSignaled"],
    )
    assert driver.poll_activity() is None


def test_13_11_cancel_of_an_unstarted_activity(driver: Driver) -> None:
    run = driver.start()
    driver.decide(driver.schedule())
    signal(driver, "s")
    driver.decide(decision("RequestCancelActivityTask", activityId="a"))
    events = driver.history(run)[8:]
    assert_golden(
        events,
        [
            "9 DecisionTaskCompleted(7, 8)",
            "10 ActivityTaskCancelRequested(9)",
            "11 ActivityTaskCanceled(5, 0)",
            "12 DecisionTaskScheduled",
        ],
    )
    assert attributes_of(events[2])["latestCancelRequestedEventId"] == 10
    assert driver.poll_activity() is None


def test_lambda_success(driver: Driver) -> None:
    run = driver.start(lambdaRole="arn:aws:iam::123456789012:role/r")
    driver.decide(decision("ScheduleLambdaFunction", id="l", name="f", input='{"a":1}'))
    assert driver.invocations[0].payload == '{"a":1}'
    assert driver.invocations[0].timeout_s == 900
    driver.lambda_ends(LambdaOutcome(result='"r"'))
    assert_golden(
        driver.history(run)[3:],
        ["4 DecisionTaskCompleted(2, 3)", "5 LambdaFunctionScheduled(4)", "6 LambdaFunctionStarted(5)"],
        ["7 LambdaFunctionCompleted(5, 6)", "8 DecisionTaskScheduled"],
    )
