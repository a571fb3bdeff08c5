"""Task lifecycle (reference section 7): coalescing, polls, paging, timeouts, the task list override, priorities."""

from __future__ import annotations

import json

import pytest
from local_swf_driver import DOMAIN, Driver, Refused, attributes_of, decision
from pyflow_local.engine.limits import Quotas

COMPLETE = decision("CompleteWorkflowExecution")


def signal(driver: Driver, name: str = "s", workflow_id: str = "w") -> None:
    driver.call("SignalWorkflowExecution", domain=DOMAIN, workflowId=workflow_id, signalName=name)


# --- coalescing ------------------------------------------------------------------------------------------------


def test_five_signals_before_the_first_poll_schedule_nothing_more(driver: Driver) -> None:
    run = driver.start()
    for _ in range(5):
        signal(driver)
    assert driver.types(run)[2:] == ["WorkflowExecutionSignaled"] * 5
    task = driver.poll()
    assert task is not None
    assert task["startedEventId"] == 8
    assert len(task["events"]) == 8


def test_signals_during_a_decision_queue_one_task(driver: Driver) -> None:
    run = driver.start()
    task = driver.poll()
    signal(driver)
    signal(driver)
    assert driver.poll() is None, "a queued decision task is not visible while another one runs"
    driver.respond(task)
    following = driver.poll()
    assert following is not None
    assert driver.types(run)[3:] == [
        "WorkflowExecutionSignaled",
        "DecisionTaskScheduled",
        "WorkflowExecutionSignaled",
        "DecisionTaskCompleted",
        "DecisionTaskStarted",
    ]
    assert (following["previousStartedEventId"], following["startedEventId"]) == (3, 8)


# --- polls -----------------------------------------------------------------------------------------------------


def test_a_waiting_poll_gets_the_task_with_the_start(driver: Driver) -> None:
    ident = driver.park("PollForDecisionTask", "tl", identity="me")
    run = driver.start()
    task = driver.answers.pop(ident)["body"]
    assert task["workflowExecution"]["runId"] == run
    assert attributes_of(task["events"][2]) == {"scheduledEventId": 2, "identity": "me"}


def test_polls_are_served_in_the_order_in_which_they_began(driver: Driver) -> None:
    first, second = driver.park("PollForDecisionTask", "tl"), driver.park("PollForDecisionTask", "tl")
    driver.start("w1")
    assert first in driver.answers
    driver.start("w2")
    assert second in driver.answers


def test_a_poll_whose_client_is_gone_is_never_handed_a_task(driver: Driver) -> None:
    gone, there = driver.park("PollForDecisionTask", "tl"), driver.park("PollForDecisionTask", "tl")
    driver.dead.add(gone)
    driver.start()
    assert gone not in driver.answers
    assert driver.answers[there]["body"]["startedEventId"] == 3


def test_a_poll_that_was_dropped_is_never_handed_a_task(driver: Driver) -> None:
    gone = driver.park("PollForActivityTask", "al")
    driver.service.drop_poll(gone)
    driver.start()
    driver.decide(driver.schedule())
    assert driver.poll_activity() is not None


def test_empty_polls(driver: Driver) -> None:
    decisions, activities = driver.park("PollForDecisionTask", "x"), driver.park("PollForActivityTask", "x")
    assert driver.service.expire_poll(decisions) == b'{"previousStartedEventId":0,"startedEventId":0}'
    assert driver.service.expire_poll(activities) == b'{"startedEventId":0}'


def test_decision_and_activity_lists_are_separate_name_spaces(driver: Driver) -> None:
    driver.start(taskList={"name": "al"})
    assert driver.poll_activity("al") is None
    assert driver.poll("al") is not None


def test_pollers_per_task_list_are_limited() -> None:
    driver = Driver(quotas=Quotas(pollers_per_task_list=2))
    driver.park("PollForDecisionTask", "x")
    driver.park("PollForDecisionTask", "x")
    with pytest.raises(Refused) as caught:
        driver.poll("x")
    assert caught.value.code == "LimitExceededFault"
    assert caught.value.message == "Limit on maximum concurrent poll requests per task list reached"


def test_everything_in_one_step_when_polls_wait(driver: Driver) -> None:
    """Completed + scheduled + started in one transition: the poll's answer comes with the very same step."""
    driver.start()
    worker = driver.park("PollForActivityTask", "al")
    driver.decide(driver.schedule())
    activity = driver.answers.pop(worker)["body"]
    decider = driver.park("PollForDecisionTask", "tl")
    driver.call("RespondActivityTaskCompleted", taskToken=activity["taskToken"])
    events = driver.answers.pop(decider)["body"]["events"]
    assert [event["eventType"] for event in events[6:]] == [
        "ActivityTaskCompleted",
        "DecisionTaskScheduled",
        "DecisionTaskStarted",
    ]
    assert len({event["eventTimestamp"] for event in events[6:]}) == 1


def test_tasks_are_answered_before_those_who_caused_them(driver: Driver) -> None:
    driver.start()
    decider = driver.park("PollForDecisionTask", "tl")
    worker = driver.park("PollForActivityTask", "al")
    token = driver.answers.pop(decider)["body"]["taskToken"]
    answer = {"taskToken": token, "decisions": [driver.schedule()]}
    decided = driver.send("RespondDecisionTaskCompleted", json.dumps(answer).encode())
    assert list(driver.answers) == [worker, decided]


# --- paging ----------------------------------------------------------------------------------------------------


def long_history(driver: Driver) -> None:
    driver.start()
    for n in range(7):
        signal(driver, f"s{n}")


def test_pages_of_a_decision_task(driver: Driver) -> None:
    long_history(driver)
    page = first = driver.poll(maximumPageSize=4)
    assert page is not None
    assert first is not None
    seen = [event["eventId"] for event in page["events"]]
    while "nextPageToken" in page:
        page = driver.poll(maximumPageSize=4, nextPageToken=page["nextPageToken"])
        assert page is not None
        assert page["taskToken"] == first["taskToken"]
        assert page["startedEventId"] == 10
        seen += [event["eventId"] for event in page["events"]]
    assert seen == list(range(1, 11))
    driver.respond(first, COMPLETE)


def test_pages_in_reverse(driver: Driver) -> None:
    long_history(driver)
    page = driver.poll(maximumPageSize=6, reverseOrder=True)
    assert page is not None
    assert [event["eventId"] for event in page["events"]] == [10, 9, 8, 7, 6, 5]
    page = driver.poll(maximumPageSize=6, reverseOrder=True, nextPageToken=page["nextPageToken"])
    assert page is not None
    assert [event["eventId"] for event in page["events"]] == [4, 3, 2, 1]
    assert "nextPageToken" not in page


def test_start_at_previous_started_event(driver: Driver) -> None:
    driver.start()
    first = driver.poll(startAtPreviousStartedEvent=True)
    assert first is not None
    assert [event["eventId"] for event in first["events"]] == [1, 2, 3]
    driver.respond(first)
    signal(driver)
    second = driver.poll(startAtPreviousStartedEvent=True)
    assert second is not None
    assert [event["eventId"] for event in second["events"]] == [3, 4, 5, 6, 7]
    driver.respond(second)
    signal(driver)
    third = driver.poll(startAtPreviousStartedEvent=True, reverseOrder=True)
    assert third is not None
    assert [event["eventId"] for event in third["events"]] == [11, 10, 9, 8, 7]


def test_a_page_token_of_history_is_no_token_of_a_poll(driver: Driver) -> None:
    run = driver.start()
    page = driver.call(
        "GetWorkflowExecutionHistory",
        domain=DOMAIN,
        execution={"workflowId": "w", "runId": run},
        maximumPageSize=1,
    )
    with pytest.raises(Refused) as caught:
        driver.poll(nextPageToken=page["nextPageToken"])
    assert (caught.value.code, caught.value.message) == ("ValidationException", "Invalid token")


# --- decision task timeouts ------------------------------------------------------------------------------------


def test_a_decision_task_times_out_again_and_again(driver: Driver) -> None:
    run = driver.start(taskStartToCloseTimeout="10")
    task = driver.poll()
    driver.advance(9.9)
    assert driver.types(run)[-1] == "DecisionTaskStarted"
    driver.advance(0.1)
    timed_out = driver.last(run, "DecisionTaskTimedOut")
    assert timed_out == {"timeoutType": "START_TO_CLOSE", "scheduledEventId": 2, "startedEventId": 3}
    with pytest.raises(Refused) as caught:
        driver.respond(task)
    assert caught.value.code == "UnknownResourceFault"
    assert caught.value.message == "Unknown decision task, scheduledEventId = 2"
    again = driver.poll()
    assert again is not None
    assert again["previousStartedEventId"] == 0, "only completed decision tasks count"
    driver.advance(10)
    assert driver.types(run).count("DecisionTaskTimedOut") == 2


def test_a_timed_out_decision_task_uses_the_queued_one(driver: Driver) -> None:
    run = driver.start(taskStartToCloseTimeout="10")
    driver.poll()
    signal(driver)
    driver.advance(10)
    assert driver.types(run)[3:] == ["WorkflowExecutionSignaled", "DecisionTaskScheduled", "DecisionTaskTimedOut"]
    assert driver.poll() is not None


def test_none_never_times_out(driver: Driver) -> None:
    run = driver.start(taskStartToCloseTimeout="NONE")
    driver.poll()
    driver.advance(3000)
    assert driver.types(run)[-1] == "DecisionTaskStarted"


# --- the task list override ------------------------------------------------------------------------------------


def test_sticky_list_and_back_after_its_timeout(driver: Driver) -> None:
    run = driver.start()
    driver.decide(taskList={"name": "mine"}, taskListScheduleToStartTimeout="5")
    signal(driver)
    assert driver.last(run, "DecisionTaskScheduled") == {
        "taskList": {"name": "mine"},
        "startToCloseTimeout": "60",
        "scheduleToStartTimeout": "5",
    }
    assert driver.poll("tl") is None
    driver.decide(task_list="mine")
    signal(driver)
    driver.advance(5)
    timed_out = driver.last(run, "DecisionTaskTimedOut")
    assert timed_out == {"timeoutType": "SCHEDULE_TO_START", "scheduledEventId": 10, "startedEventId": 0}
    assert driver.last(run, "DecisionTaskScheduled")["taskList"] == {"name": "tl"}
    assert driver.poll("mine") is None
    assert driver.poll("tl") is not None


def test_permanent_override(driver: Driver) -> None:
    run = driver.start()
    driver.decide(taskList={"name": "other"})
    signal(driver)
    assert driver.last(run, "DecisionTaskScheduled")["scheduleToStartTimeout"] == "NONE"
    driver.advance(1000)
    assert driver.poll("other") is not None
    assert driver.describe(run)["executionConfiguration"]["taskList"] == {"name": "tl"}


def test_start_to_close_on_a_sticky_list_goes_back_too(driver: Driver) -> None:
    run = driver.start(taskStartToCloseTimeout="10")
    driver.decide(taskList={"name": "mine"}, taskListScheduleToStartTimeout="5")
    signal(driver)
    assert driver.poll("mine") is not None
    driver.advance(10)
    assert driver.last(run, "DecisionTaskScheduled")["taskList"] == {"name": "tl"}


# --- activity timeouts -----------------------------------------------------------------------------------------

KINDS = {
    "START_TO_CLOSE": {"startToCloseTimeout": "5"},
    "SCHEDULE_TO_CLOSE": {"scheduleToCloseTimeout": "5"},
    "HEARTBEAT": {"heartbeatTimeout": "5"},
}


@pytest.mark.parametrize("kind", list(KINDS))
def test_activity_timeouts(driver: Driver, kind: str) -> None:
    run = driver.start()
    driver.decide(driver.schedule(**KINDS[kind]))
    task = driver.poll_activity()
    assert task is not None
    driver.call("RecordActivityTaskHeartbeat", taskToken=task["taskToken"], details="half way")
    driver.advance(4.9)
    assert driver.types(run)[-1] == "ActivityTaskStarted"
    driver.advance(0.11)
    assert driver.last(run, "ActivityTaskTimedOut") == {
        "timeoutType": kind,
        "scheduledEventId": 5,
        "startedEventId": 6,
        "details": "half way",
    }
    for operation in ("RespondActivityTaskCompleted", "RecordActivityTaskHeartbeat"):
        with pytest.raises(Refused) as caught:
            driver.call(operation, taskToken=task["taskToken"])
        assert caught.value.message == "Unknown activity, scheduledEventId = 5"


def test_heartbeats_restart_the_clock(driver: Driver) -> None:
    run = driver.start()
    driver.decide(driver.schedule(heartbeatTimeout="5"))
    task = driver.poll_activity()
    assert task is not None
    for _ in range(5):
        driver.advance(4)
        beat = driver.call("RecordActivityTaskHeartbeat", taskToken=task["taskToken"])
        assert beat == {"cancelRequested": False}
    assert driver.types(run)[-1] == "ActivityTaskStarted"
    driver.advance(5)
    assert driver.last(run, "ActivityTaskTimedOut")["timeoutType"] == "HEARTBEAT"


def test_a_cancel_request_reaches_the_heartbeat(driver: Driver) -> None:
    run = driver.start()
    driver.decide(driver.schedule())
    task = driver.poll_activity()
    assert task is not None
    signal(driver)
    driver.decide(decision("RequestCancelActivityTask", activityId="a"))
    assert driver.call("RecordActivityTaskHeartbeat", taskToken=task["taskToken"]) == {"cancelRequested": True}
    driver.call("RespondActivityTaskCanceled", taskToken=task["taskToken"], details="stopped")
    assert driver.last(run, "ActivityTaskCanceled") == {
        "details": "stopped",
        "scheduledEventId": 5,
        "startedEventId": 6,
        "latestCancelRequestedEventId": 11,
    }


def test_cancel_and_close_in_one_batch_cancels_nothing(driver: Driver) -> None:
    run = driver.start()
    driver.decide(driver.schedule())
    signal(driver)
    driver.decide(decision("RequestCancelActivityTask", activityId="a"), COMPLETE)
    assert driver.types(run)[-2:] == ["ActivityTaskCancelRequested", "WorkflowExecutionCompleted"]


# --- priorities ------------------------------------------------------------------------------------------------


def test_higher_priority_first_then_first_come(driver: Driver) -> None:
    driver.start()
    order = [("a", "0"), ("b", "5"), ("c", "-3"), ("d", "5"), ("e", None)]
    driver.decide(*(driver.schedule(i, **({"taskPriority": p} if p else {})) for i, p in order))
    seen = []
    while (task := driver.poll_activity()) is not None:
        seen.append(task["activityId"])
    assert seen == ["b", "d", "a", "e", "c"]


def test_priority_of_decision_tasks(driver: Driver) -> None:
    driver.start("low")
    driver.start("high", taskPriority="7")
    task = driver.poll()
    assert task is not None
    assert task["workflowExecution"]["workflowId"] == "high"
    assert attributes_of(task["events"][1])["taskPriority"] == "7"


# --- tokens ----------------------------------------------------------------------------------------------------


def test_tokens_of_closed_and_foreign_things(driver: Driver) -> None:
    run = driver.start()
    driver.decide(driver.schedule())
    activity = driver.poll_activity()
    assert activity is not None
    driver.call("TerminateWorkflowExecution", domain=DOMAIN, workflowId="w")
    with pytest.raises(Refused) as caught:
        driver.call("RespondActivityTaskCompleted", taskToken=activity["taskToken"])
    assert caught.value.message == f"Unknown execution: WorkflowExecution=[workflowId=w, runId={run}]"
    for token in ("x", "AAAA", activity["taskToken"][:-4] + "AAAA"):
        with pytest.raises(Refused) as caught:
            driver.call("RespondActivityTaskCompleted", taskToken=token)
        assert (caught.value.code, caught.value.message) == ("ValidationException", "Invalid token")
    with pytest.raises(Refused) as caught:
        driver.respond(activity)
    assert caught.value.message == "Invalid token", "an activity's token is no decision task's token"


def test_a_refused_batch_leaves_the_task_open(driver: Driver) -> None:
    run = driver.start()
    task = driver.poll()
    with pytest.raises(Refused) as caught:
        driver.respond(task, COMPLETE, decision("RecordMarker", markerName="m"))
    assert caught.value.message == "Close must be last decision in list"
    assert len(driver.history(run)) == 3
    driver.respond(task, COMPLETE)
    assert driver.types(run)[-1] == "WorkflowExecutionCompleted"
