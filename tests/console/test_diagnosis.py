"""Why an execution is not moving, from histories made by hand: every state has its words. Pure."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from pyflow.core.history import attributes_key
from pyflow_console.decision_state import decision_state, with_decision_begun
from pyflow_console.diagnosis import Case, Finding, diagnose, task_lists_to_ask
from pyflow_console.moments import span

BEGAN_S = 1_000_000.0
NOW_S = BEGAN_S + 1_000


class History:
    """Events one after the other; each takes place `at` seconds after the first."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.add("WorkflowExecutionStarted", 0)

    def add(self, event_type: str, at_s: float, **attributes: Any) -> int:
        event_id = len(self.events) + 1
        self.events.append(
            {
                "eventId": event_id,
                "eventType": event_type,
                "eventTimestamp": BEGAN_S + at_s,
                attributes_key(event_type): attributes,
            }
        )
        return event_id

    def scheduled(self, at_s: float, task_list: str = "orders") -> int:
        return self.add("DecisionTaskScheduled", at_s, taskList={"name": task_list})

    def taken(self, at_s: float, by: str = "one:1") -> int:
        return self.add("DecisionTaskStarted", at_s, identity=by)

    def answered(self, at_s: float, context: str = '{"pyflow":3}') -> int:
        self.scheduled(at_s)
        self.taken(at_s)
        return self.add("DecisionTaskCompleted", at_s, executionContext=context)

    def in_vain(self, at_s: float, by: str = "one:1") -> None:
        self.scheduled(at_s)
        self.taken(at_s, by)
        self.add("DecisionTaskTimedOut", at_s + 5, timeoutType="START_TO_CLOSE")

    def activity(self, at_s: float, **more: Any) -> int:
        return self.add(
            "ActivityTaskScheduled",
            at_s,
            activityId="activity1",
            activityType={"name": "charge", "version": "1.0"},
            taskList={"name": "pay"},
            control='{"at":"orders.py:31"}',
            **more,
        )


@pytest.fixture
def history() -> History:
    return History()


def case(history: History, **changes: Any) -> Case:
    info: dict[str, Any] = {
        "execution": {"workflowId": "order 7", "runId": "run"},
        "workflowType": {"name": "Order", "version": "1.0"},
        "executionStatus": "OPEN",
        "startTimestamp": datetime.fromtimestamp(BEGAN_S, timezone.utc),
    }
    configuration = {
        "taskList": {"name": "orders"},
        "taskStartToCloseTimeout": changes.pop("task_timeout", "5"),
        "executionStartToCloseTimeout": changes.pop("execution_timeout", "NONE"),
    }
    info.update(changes.pop("info", {}))
    description = {"executionInfo": info, "executionConfiguration": configuration}
    return Case(domain="shop", description=description, events=history.events, now_s=NOW_S, **changes)


def only(findings: list[Finding]) -> Finding:
    assert len(findings) == 1, findings
    return findings[0]


def assert_says(finding: Finding, *words: str) -> None:
    for word in words:
        assert word in finding.what, finding


def assert_advises(finding: Finding, *words: str) -> None:
    for word in words:
        assert word in (finding.todo or ""), finding


def test_a_decision_task_that_nobody_takes(history: History) -> None:
    history.answered(0)
    history.scheduled(900)
    found = only(diagnose(case(history, pending_decisions={"orders": 12}, pending_activities={"orders": 99})))
    assert_says(
        found, "waited 1 min 40 s on task list 'orders'", "no decider", "12 tasks wait", "last that did was one:1"
    )
    assert_advises(found, "pyflow decider MODULE:CLASS --domain shop --task-list orders", "Order 1.0")


def test_a_decision_task_that_has_only_just_come_alarms_nobody(history: History) -> None:
    history.scheduled(998)
    found = only(diagnose(case(history)))
    assert_says(found, "waited 2 s")
    assert found.todo is None


def test_a_decision_task_on_its_way_to_the_process_that_keeps_the_execution(history: History) -> None:
    history.answered(0)
    history.scheduled(997, "orders~0a1b")
    assert_says(only(diagnose(case(history))), "orders~0a1b", "goes to 'orders'")


def test_a_held_execution(history: History) -> None:
    history.answered(0)
    history.in_vain(100)
    history.in_vain(110, "two:2")
    history.scheduled(990)
    found = only(diagnose(case(history)))
    assert_says(found, "2 decision tasks in a row", "not answered within 5 s", "the last by two:2", "waits to be taken")
    assert_advises(found, "pyflow why 'order 7' --run-id run --domain shop --workflow", "--decider HOST:PORT", "HELD")
    assert only(diagnose(case(history), reason_known=True)).todo is None
    history.taken(998)
    assert_says(only(diagnose(case(history))), "was taken 2 s ago")


def test_an_answer_ends_the_row_of_those_in_vain(history: History) -> None:
    history.in_vain(100)
    history.answered(200)
    assert decision_state(history.events).in_vain == 0
    assert decision_state(history.events).in_vain_since_s is None


def test_a_task_that_its_own_process_did_not_take_is_not_in_vain(history: History) -> None:
    history.scheduled(0, "orders~0a1b")
    history.add("DecisionTaskTimedOut", 5, timeoutType="SCHEDULE_TO_START")
    history.scheduled(5)
    assert decision_state(history.events).in_vain == 0


def test_a_decision_under_way(history: History) -> None:
    history.scheduled(990)
    history.taken(998)
    assert only(diagnose(case(history))).todo is None
    history.events[-1]["eventTimestamp"] = BEGAN_S + 900
    assert_says(only(diagnose(case(history))), "one:1 has been deciding for 1 min 40 s; it has 5 s")
    found = only(diagnose(case(history, task_timeout="NONE")))
    assert_says(found, "no time limit", "never comes back by itself")
    assert_advises(found, "terminate-workflow-execution --domain shop --workflow-id 'order 7'")


def test_an_activity_that_nobody_takes(history: History) -> None:
    history.answered(0)
    scheduled = history.activity(100)
    history.add("ActivityTaskStarted", 110, scheduledEventId=scheduled, identity="host:9")
    history.add("ActivityTaskFailed", 120, scheduledEventId=scheduled, startedEventId=scheduled + 1)
    history.activity(800)
    found = only(diagnose(case(history, pending_activities={"pay": 1_204})))
    assert_says(found, "Activity 'charge 1.0' (activity1), asked for at orders.py:31", "waited 3 min 20 s", "'pay'")
    assert_says(found, "1,204 tasks wait", "14 min 50 s ago by host:9")
    assert_advises(found, "pyflow host --domain shop", "pyflow worker MODULE --host ADDRESS --task-list pay")
    assert task_lists_to_ask(history.events) == (set(), {"pay"})


def test_an_activity_that_runs(history: History) -> None:
    history.answered(0)
    scheduled = history.activity(100, startToCloseTimeout="3600", heartbeatTimeout="30")
    history.add("ActivityTaskStarted", 880, scheduledEventId=scheduled, identity="host:9")
    history.add("ActivityTaskCancelRequested", 990, activityId="activity1")
    found = only(diagnose(case(history)))
    assert_says(
        found, "has been running for 2 min at host:9", "It times out at", "sign of life for 30 s", "cancellation"
    )
    assert task_lists_to_ask(history.events) == (set(), set())


def test_timers(history: History) -> None:
    history.answered(0)
    history.add("TimerStarted", 0, timerId="sleep1", startToFireTimeout="4600", control='{"at":"orders.py:9"}')
    history.add("TimerStarted", 0, timerId="activity1.backoff2", startToFireTimeout="700", control="theirs")
    history.add("TimerStarted", 0, timerId="sleep2", startToFireTimeout="10")
    history.add("TimerFired", 10, timerId="sleep2", startedEventId=len(history.events))
    first, late = diagnose(case(history))
    assert_says(first, "Timer (sleep1), asked for at orders.py:9, fires in 1 h, at ")
    assert_says(late, "before 'activity1' is tried again", "was to fire 5 min ago")


def test_children_lambdas_and_messages(history: History) -> None:
    history.answered(0)
    child = {"workflowId": "child 1", "workflowType": {"name": "Part", "version": "2"}}
    history.add("StartChildWorkflowExecutionInitiated", 990, **child)
    initiated = history.add("StartChildWorkflowExecutionInitiated", 990, **{**child, "workflowId": "child 2"})
    begun = {"workflowId": "child 2", "runId": "child-run"}
    history.add("ChildWorkflowExecutionStarted", 991, initiatedEventId=initiated, workflowExecution=begun)
    scheduled = history.add("LambdaFunctionScheduled", 992, id="lambda1", name="resize")
    history.add("LambdaFunctionStarted", 993, scheduledEventId=scheduled)
    history.add("SignalExternalWorkflowExecutionInitiated", 994, workflowId="other", signalName="go")
    history.add("RequestCancelExternalWorkflowExecutionInitiated", 995, workflowId="another")
    unbegun, running, function, signal, cancel = diagnose(case(history))
    assert_says(unbegun, "Child workflow 'Part 2' (child 1) has been asked for 10 s ago and has not begun")
    assert_says(running, "(child 2) has been running for 9 s")
    assert_advises(running, "pyflow why 'child 2' --run-id child-run --domain shop")
    assert_says(function, "Lambda function 'resize' (lambda1) has been running for 7 s")
    assert_says(signal, "Signal 'go' to 'other' has been under way for 6 s")
    assert_says(cancel, "A request to cancel to 'another' has been under way for 5 s")


def test_only_a_signal_can_wake_it(history: History) -> None:
    history.answered(940)
    found = only(diagnose(case(history)))
    assert_says(found, "Nothing that it asked for is open", "1 min ago", "only a signal or a cancellation")
    assert_advises(found, "--workflow MODULE:CLASS", "pyflow signal 'order 7' NAME --domain shop")


def test_what_else_there_is_to_know(history: History) -> None:
    history.answered(0)
    refused = {"activityId": "activity1", "activityType": {"name": "charge", "version": "1.0"}}
    history.add("ScheduleActivityTaskFailed", 0, cause="ACTIVITY_TYPE_DOES_NOT_EXIST", **refused)
    history.answered(1, '{"pyflow":3,"held":500,"status":"charging"}')
    known = case(history, info={"cancelRequested": True}, execution_timeout="4600")
    _, refusal, held_back, cancel, status, deadline = diagnose(known)
    assert_says(refusal, "16 min 40 s ago", "ScheduleActivityTaskFailed 'charge 1.0', ACTIVITY_TYPE_DOES_NOT_EXIST")
    assert_advises(refusal, "activity host")
    assert_says(held_back, "500 more")
    assert_says(cancel, "cancellation has been requested")
    assert_says(status, "charging")
    assert_says(deadline, "times out in 1 h")
    history.answered(2)
    assert all("refused" not in finding.what for finding in diagnose(case(history))), "that is long past"


def test_a_long_history(history: History) -> None:
    history.answered(0)
    for _ in range(10_000):
        history.add("WorkflowExecutionSignaled", 1)
    assert_says(diagnose(case(history))[1], "10,004 events", "25,000")


def test_many_things_are_not_all_told(history: History) -> None:
    history.answered(0)
    for number in range(1_500):
        history.add("TimerStarted", 0, timerId=f"sleep{number}", startToFireTimeout="4600")
    found = diagnose(case(history))
    assert len(found) == 21
    assert_says(found[-1], "1,480 more")


def test_an_execution_that_has_ended(history: History) -> None:
    closed = {
        "executionStatus": "CLOSED",
        "closeStatus": "FAILED",
        "closeTimestamp": datetime.fromtimestamp(NOW_S - 60, timezone.utc),
    }
    found = only(diagnose(case(history, info=closed)))
    assert_says(found, "it has ended, FAILED, 1 min ago")
    assert_advises(found, "pyflow status 'order 7' --run-id run --domain shop")


def test_a_waiting_decision_is_begun_for_a_rehearsal(history: History) -> None:
    history.answered(0)
    assert with_decision_begun(history.events, NOW_S) == history.events
    history.scheduled(10)
    begun = with_decision_begun(history.events, NOW_S)
    assert begun[:-1] == history.events
    assert (begun[-1]["eventType"], begun[-1]["eventId"]) == ("DecisionTaskStarted", 6)
    history.taken(11)
    assert with_decision_begun(history.events, NOW_S) == history.events


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-3, "0 s"), (59.4, "59 s"), (60, "1 min"), (3_599, "59 min 59 s"), (7_500, "2 h 5 min"), (90_000, "1 d 1 h")],
)
def test_spans(seconds: float, words: str) -> None:
    assert span(seconds) == words
