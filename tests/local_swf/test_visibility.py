"""Lists, counts, filters, order and pages (reference sections 3.9 and 9)."""

from __future__ import annotations

from typing import Any

import pytest
from local_swf_driver import DOMAIN, START_MS, Driver, Refused, decision

SINCE = {"oldestDate": 0}
NEWEST_FIRST = ["w4", "w3", "w2", "w1", "w0"]


@pytest.fixture
def five(driver: Driver) -> Driver:
    """Five executions, a second apart, of two types and with tags."""
    driver.workflow_type("other", "2")
    for n in range(5):
        kind = {"name": "other", "version": "2"} if n % 2 else {"name": "wf", "version": "1"}
        driver.start(f"w{n}", workflowType=kind, tagList=["all", f"t{n}"])
        driver.advance(1)
    return driver


def names(answer: dict) -> list[str]:
    return [info["execution"]["workflowId"] for info in answer["executionInfos"]]


def listed(driver: Driver, kind: str, **filters: Any) -> list[str]:
    found = names(driver.call(f"List{kind}WorkflowExecutions", domain=DOMAIN, **filters))
    unpaged = {key: value for key, value in filters.items() if key not in {"reverseOrder", "maximumPageSize"}}
    counted = driver.call(f"Count{kind}WorkflowExecutions", domain=DOMAIN, **unpaged)
    assert counted == {"count": len(found), "truncated": False}
    return found


def at(seconds: float) -> float:
    return START_MS / 1000 + seconds


FILTERS: list[tuple[dict, list[str]]] = [
    ({}, NEWEST_FIRST),
    ({"reverseOrder": True}, NEWEST_FIRST[::-1]),
    ({"executionFilter": {"workflowId": "w2"}}, ["w2"]),
    ({"executionFilter": {"workflowId": "nobody"}}, []),
    ({"typeFilter": {"name": "other"}}, ["w3", "w1"]),
    ({"typeFilter": {"name": "other", "version": "2"}}, ["w3", "w1"]),
    ({"typeFilter": {"name": "other", "version": ""}}, ["w3", "w1"]),
    ({"typeFilter": {"name": "other", "version": "1"}}, []),
    ({"tagFilter": {"tag": "all"}}, NEWEST_FIRST),
    ({"tagFilter": {"tag": "t4"}}, ["w4"]),
    ({"tagFilter": {"tag": "t"}}, []),
]


@pytest.mark.parametrize(("filters", "expected"), FILTERS)
def test_open(five: Driver, filters: dict, expected: list[str]) -> None:
    assert listed(five, "Open", startTimeFilter=SINCE, **filters) == expected


@pytest.mark.parametrize("by", ["startTimeFilter", "closeTimeFilter"])
@pytest.mark.parametrize(
    ("filters", "expected"), [*FILTERS, ({"closeStatusFilter": {"status": "TERMINATED"}}, NEWEST_FIRST)]
)
def test_closed(five: Driver, filters: dict, expected: list[str], by: str) -> None:
    for name in reversed(NEWEST_FIRST):
        five.call("TerminateWorkflowExecution", domain=DOMAIN, workflowId=name)
    assert listed(five, "Closed", **{by: SINCE}, **filters) == expected


def test_closed_by_status(five: Driver) -> None:
    for kind in ("Complete", "Fail", "Cancel"):
        five.decide(decision(f"{kind}WorkflowExecution"))
    found = {
        status: listed(five, "Closed", closeTimeFilter=SINCE, closeStatusFilter={"status": status})
        for status in ("COMPLETED", "FAILED", "CANCELED", "TIMED_OUT")
    }
    assert found == {"COMPLETED": ["w0"], "FAILED": ["w1"], "CANCELED": ["w2"], "TIMED_OUT": []}


def test_time_bounds_are_inclusive(five: Driver) -> None:
    info = five.call("ListOpenWorkflowExecutions", domain=DOMAIN, startTimeFilter=SINCE)["executionInfos"][2]
    exact = {"oldestDate": info["startTimestamp"], "latestDate": info["startTimestamp"]}
    assert listed(five, "Open", startTimeFilter=exact) == ["w2"]
    assert listed(five, "Open", startTimeFilter={"oldestDate": at(2.5), "latestDate": at(4.5)}) == ["w4", "w3"]
    assert listed(five, "Open", startTimeFilter={"oldestDate": at(9), "latestDate": at(1)}) == []


def pages(driver: Driver, operation: str, size: int, **members: Any) -> list[list[str]]:
    found = []
    answer = driver.call(operation, domain=DOMAIN, maximumPageSize=size, **members)
    found.append(names(answer))
    while "nextPageToken" in answer:
        token = answer["nextPageToken"]
        answer = driver.call(operation, domain=DOMAIN, maximumPageSize=size, nextPageToken=token, **members)
        found.append(names(answer))
    return found


@pytest.mark.parametrize("reverse", [False, True])
def test_pages(five: Driver, reverse: bool) -> None:
    order = NEWEST_FIRST[::-1] if reverse else NEWEST_FIRST
    wanted = [order[:2], order[2:4], order[4:]]
    more = {"startTimeFilter": SINCE, "reverseOrder": reverse}
    assert pages(five, "ListOpenWorkflowExecutions", 2, **more) == wanted
    assert pages(five, "ListOpenWorkflowExecutions", 5, **more) == [order], "no token after a page that is just full"
    for name in reversed(NEWEST_FIRST):
        five.call("TerminateWorkflowExecution", domain=DOMAIN, workflowId=name)
    assert pages(five, "ListClosedWorkflowExecutions", 2, **more) == wanted
    assert pages(five, "ListClosedWorkflowExecutions", 5, **more) == [order]


def test_pages_of_executions_closed_in_the_same_millisecond(five: Driver) -> None:
    five.batch(*(("TerminateWorkflowExecution", {"domain": DOMAIN, "workflowId": name}) for name in NEWEST_FIRST))
    found = pages(five, "ListClosedWorkflowExecutions", 2, closeTimeFilter=SINCE)
    assert sorted(name for page in found for name in page) == sorted(NEWEST_FIRST)


def refused(driver: Driver, operation: str, **members: Any) -> str | None:
    with pytest.raises(Refused) as caught:
        driver.call(operation, domain=DOMAIN, **members)
    assert caught.value.code == "ValidationException"
    return caught.value.message


def test_filters_that_do_not_go_together(driver: Driver) -> None:
    for operation in ("ListClosedWorkflowExecutions", "CountClosedWorkflowExecutions"):
        assert refused(driver, operation) == "Must specify time filter"
        both = refused(driver, operation, startTimeFilter=SINCE, closeTimeFilter=SINCE)
        assert both == "Cannot specify both a startTimeFilter and a closeTimeFilter"
        two = refused(
            driver, operation, startTimeFilter=SINCE, tagFilter={"tag": "t"}, closeStatusFilter={"status": "FAILED"}
        )
        assert two is not None
        assert two.startswith("Cannot specify more than one exclusive filters in the same query: [")


def test_tokens(five: Driver) -> None:
    more = {"startTimeFilter": SINCE, "maximumPageSize": 2}
    token = five.call("ListOpenWorkflowExecutions", domain=DOMAIN, **more)["nextPageToken"]
    operation = "ListOpenWorkflowExecutions"
    assert refused(five, operation, **more, nextPageToken="nonsense") == "Invalid token"
    other = {**more, "startTimeFilter": {"oldestDate": 1}}
    assert refused(five, operation, **other, nextPageToken=token) == "Invalid token"
    closed = {"startTimeFilter": SINCE, "nextPageToken": token}
    assert refused(five, "ListClosedWorkflowExecutions", **closed) == "Invalid token"
    five.advance(86401)
    expired = refused(five, operation, **more, nextPageToken=token)
    assert expired == "Specified token has exceeded its maximum lifetime"


@pytest.mark.parametrize("reverse", [False, True])
def test_pages_of_a_history(driver: Driver, reverse: bool) -> None:
    run = driver.start()
    for n in range(8):
        driver.call("SignalWorkflowExecution", domain=DOMAIN, workflowId="w", signalName=str(n))
    for closed in (False, True):
        if closed:
            driver.call("TerminateWorkflowExecution", domain=DOMAIN, workflowId="w")
        count = 11 if closed else 10
        request = {
            "domain": DOMAIN,
            "execution": {"workflowId": "w", "runId": run},
            "maximumPageSize": 4,
            "reverseOrder": reverse,
        }
        ids, answer = [], driver.call("GetWorkflowExecutionHistory", **request)
        ids += [event["eventId"] for event in answer["events"]]
        while "nextPageToken" in answer:
            answer = driver.call("GetWorkflowExecutionHistory", **request, nextPageToken=answer["nextPageToken"])
            ids += [event["eventId"] for event in answer["events"]]
        assert ids == (list(range(count, 0, -1)) if reverse else list(range(1, count + 1)))


def test_a_history_is_found_by_both_names_only(driver: Driver) -> None:
    run = driver.start()
    driver.call("TerminateWorkflowExecution", domain=DOMAIN, workflowId="w")
    for workflow_id, run_id in (("v", run), ("w", "22nope"), ("w", run[:-4] + "AAA=")):
        with pytest.raises(Refused) as caught:
            driver.history(run_id, workflow_id)
        text = f"Unknown execution: WorkflowExecution=[workflowId={workflow_id}, runId={run_id}]"
        assert (caught.value.code, caught.value.message) == ("UnknownResourceFault", text)


def test_types_by_name_and_version(driver: Driver) -> None:
    for version in ("3", "1", "2"):
        driver.activity_type("b", version)
    driver.activity_type("a")
    call = {"domain": DOMAIN, "registrationStatus": "REGISTERED"}
    found = driver.call("ListActivityTypes", **call)["typeInfos"]
    shown = [(one["activityType"]["name"], one["activityType"]["version"]) for one in found]
    assert shown == [("a", "1"), ("act", "1"), ("b", "1"), ("b", "2"), ("b", "3")]
    found = driver.call("ListActivityTypes", **call, name="b", reverseOrder=True, maximumPageSize=2)
    assert [one["activityType"]["version"] for one in found["typeInfos"]] == ["3", "2"]
    rest = driver.call("ListActivityTypes", **call, name="b", reverseOrder=True, nextPageToken=found["nextPageToken"])
    assert [one["activityType"]["version"] for one in rest["typeInfos"]] == ["1"]


def test_open_counts(driver: Driver) -> None:
    run = driver.start(lambdaRole="arn:r")
    kind = {"name": "wf", "version": "1"}
    driver.decide(
        driver.schedule("a1"),
        driver.schedule("a2"),
        decision("StartTimer", timerId="t", startToFireTimeout="9"),
        decision("StartChildWorkflowExecution", workflowId="c", workflowType=kind, taskList={"name": "x"}),
        decision("ScheduleLambdaFunction", id="l", name="f"),
    )
    assert driver.describe(run)["openCounts"] == {
        "openActivityTasks": 2,
        "openDecisionTasks": 1,
        "openTimers": 1,
        "openChildWorkflowExecutions": 1,
        "openLambdaFunctions": 1,
    }
