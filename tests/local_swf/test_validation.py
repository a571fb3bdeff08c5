"""Limits, enums and forms that botocore lets through, with the service's wording (reference 1.5, 1.6, 2)."""

from __future__ import annotations

from typing import Any

import pytest
from local_swf_driver import DOMAIN, WORKFLOW, Driver, Refused, decision
from pyflow_local.engine.validation import utf16_length

START = {"domain": DOMAIN, "workflowId": "w", "workflowType": WORKFLOW}
TYPE = {"domain": DOMAIN, "name": "n", "version": "1"}
ONE = "1 validation error detected: "


def refusal(driver: Driver, operation: str, **members: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        driver.call(operation, **members)
    assert caught.value.status == 400
    return caught.value


def constraint(value: Any, path: str, text: str) -> str:
    shown = "null" if value is None else f"'{value}'"
    return f"Value {shown} at '{path}' failed to satisfy constraint: {text}"


NOT_NULL = "Member must not be null"


def longer(limit: int) -> str:
    return f"Member must have length less than or equal to {limit}"


@pytest.mark.parametrize(
    ("operation", "members", "expected"),
    [
        ("ListDomains", {}, constraint(None, "registrationStatus", NOT_NULL)),
        ("ListDomains", {"registrationStatus": "ALL"},
         constraint("ALL", "registrationStatus", "Member must satisfy enum value set: [REGISTERED, DEPRECATED]")),
        ("ListDomains", {"registrationStatus": "REGISTERED", "maximumPageSize": 1001},
         constraint(1001, "maximumPageSize", "Member must have value less than or equal to 1000")),
        ("ListDomains", {"registrationStatus": "REGISTERED", "maximumPageSize": -1},
         constraint(-1, "maximumPageSize", "Member must have value greater than or equal to 0")),
        ("StartWorkflowExecution", {**START, "workflowId": ""},
         constraint("", "workflowId", "Member must have length greater than or equal to 1")),
        ("StartWorkflowExecution", {**START, "workflowId": "x" * 257},
         constraint("x" * 257, "workflowId", longer(256))),
        ("StartWorkflowExecution", {**START, "input": "x" * 32769}, constraint("x" * 32769, "input", longer(32768))),
        ("StartWorkflowExecution", {**START, "tagList": list("abcdef")},
         constraint("[a, b, c, d, e, f]", "tagList", longer(5))),
        ("StartWorkflowExecution", {**START, "tagList": ["x" * 257]},
         constraint("x" * 257, "tagList.1.member", longer(256))),
        ("StartWorkflowExecution", {**START, "childPolicy": "KILL"},
         constraint("KILL", "childPolicy",
                    "Member must satisfy enum value set: [TERMINATE, REQUEST_CANCEL, ABANDON]")),
        ("RecordActivityTaskHeartbeat", {"taskToken": "t", "details": "x" * 2049},
         constraint("x" * 2049, "details", longer(2048))),
        ("RespondActivityTaskFailed", {"taskToken": "t", "reason": "x" * 257},
         constraint("x" * 257, "reason", longer(256))),
    ],
)  # fmt: skip
def test_one_violation(driver: Driver, operation: str, members: dict, expected: str) -> None:
    refused = refusal(driver, operation, **members)
    assert (refused.code, refused.message) == ("ValidationException", ONE + expected)


def test_several_violations_are_listed_in_one_message(driver: Driver) -> None:
    refused = refusal(driver, "StartWorkflowExecution", domain=DOMAIN, workflowId="x" * 300, workflowType={"name": "n"})
    assert refused.message == "2 validation errors detected: " + "; ".join(
        [
            constraint("x" * 300, "workflowId", longer(256)),
            constraint(None, "workflowType.version", NOT_NULL),
        ]
    )


def test_lengths_count_utf_16_units(driver: Driver) -> None:
    assert utf16_length("a\u00e9\U0001f600") == 4
    driver.start("v", input="\u4e16" * 32768)
    refused = refusal(driver, "StartWorkflowExecution", **START, input="\U0001f600" * 16385)
    assert longer(32768) in str(refused.message)


@pytest.mark.parametrize("name", ["a:b", "a/b", "a|b", "a\x00b", "a\x9fb", "arn"])
def test_characters_of_names(driver: Driver, name: str) -> None:
    bad = [
        ("RegisterDomain", {"name": name, "workflowExecutionRetentionPeriodInDays": "1"}),
        ("RegisterWorkflowType", {**TYPE, "name": name}),
        ("RegisterActivityType", {**TYPE, "version": name}),
        ("RegisterActivityType", {**TYPE, "defaultTaskList": {"name": name}}),
        ("StartWorkflowExecution", {**START, "workflowId": name}),
        ("StartWorkflowExecution", {**START, "taskList": {"name": name}}),
    ]
    for operation, members in bad:
        assert refusal(driver, operation, **members).code == "ValidationException"
    assert driver.poll(name) is None, "a look-up of an illegal name just finds nothing"


@pytest.mark.parametrize("name", ["learn", "arn2", "\u4e16\u754c", "a b"])
def test_names_that_are_fine(driver: Driver, name: str) -> None:
    driver.call("RegisterActivityType", **{**TYPE, "name": name})
    driver.start(name, taskList={"name": name})
    assert driver.poll(name) is not None


@pytest.mark.parametrize("name", [" a", "a ", "\ta"])
def test_whitespace_at_the_ends_of_names(driver: Driver, name: str) -> None:
    assert refusal(driver, "RegisterActivityType", **{**TYPE, "name": name}).code == "ValidationException"


@pytest.mark.parametrize("text", ["-1", "1.5", "01", "none", "abc", "123456789", "+1", " 1", "\u0661"])
def test_durations_that_are_none(driver: Driver, text: str) -> None:
    for member in ("executionStartToCloseTimeout", "taskStartToCloseTimeout"):
        assert refusal(driver, "StartWorkflowExecution", **START, **{member: text}).code == "ValidationException"


def test_where_none_is_allowed(driver: Driver) -> None:
    driver.start("v", taskStartToCloseTimeout="NONE", executionStartToCloseTimeout="31536000")
    for text in ("NONE", "31536001"):
        assert refusal(driver, "StartWorkflowExecution", **START, executionStartToCloseTimeout=text)
    driver.start(taskStartToCloseTimeout="", executionStartToCloseTimeout="")


@pytest.mark.parametrize("days", ["91", "-1", "x", "1.5"])
def test_retention(driver: Driver, days: str) -> None:
    refused = refusal(driver, "RegisterDomain", name="r", workflowExecutionRetentionPeriodInDays=days)
    assert refused.code == "ValidationException"


@pytest.mark.parametrize("priority", ["2147483648", "-2147483649", "x", "1.0"])
def test_priorities(driver: Driver, priority: str) -> None:
    assert refusal(driver, "StartWorkflowExecution", **START, taskPriority=priority).code == "ValidationException"


def test_too_many_tags(driver: Driver) -> None:
    tags = [{"key": str(n)} for n in range(51)]
    refused = refusal(driver, "RegisterDomain", name="t", workflowExecutionRetentionPeriodInDays="1", tags=tags)
    assert refused.code == "TooManyTagsFault"


# --- decisions -------------------------------------------------------------------------------------------------


def batch_refusal(driver: Driver, *decisions: dict) -> str:
    driver.start()
    refused = refusal(driver, "RespondDecisionTaskCompleted", taskToken=driver.poll()["taskToken"], decisions=decisions)
    assert refused.code == "ValidationException"
    return str(refused.message)


DECISION_TYPES = (
    "[CompleteWorkflowExecution, StartTimer, RequestCancelExternalWorkflowExecution, "
    "SignalExternalWorkflowExecution, CancelTimer, RecordMarker, ScheduleActivityTask, "
    "ContinueAsNewWorkflowExecution, ScheduleLambdaFunction, FailWorkflowExecution, RequestCancelActivityTask, "
    "StartChildWorkflowExecution, CancelWorkflowExecution]"
)


def test_unknown_decision_type(driver: Driver) -> None:
    text = batch_refusal(driver, decision("RecordMarker", markerName="m"), {"decisionType": "Nap"})
    wanted = f"Member must satisfy enum value set: {DECISION_TYPES}"
    assert text == ONE + constraint("Nap", "decisions.2.member.decisionType", wanted)


def test_missing_decision_type(driver: Driver) -> None:
    assert batch_refusal(driver, {}) == ONE + constraint(None, "decisions.1.member.decisionType", NOT_NULL)


def test_missing_attributes(driver: Driver) -> None:
    text = batch_refusal(driver, {"decisionType": "StartTimer"})
    where = "decisions.1.member.startTimerDecisionAttributes"
    assert text == "2 validation errors detected: " + "; ".join(
        [constraint(None, f"{where}.timerId", NOT_NULL), constraint(None, f"{where}.startToFireTimeout", NOT_NULL)]
    )


def test_attributes_of_another_type_are_checked_too(driver: Driver) -> None:
    odd = {**decision("RecordMarker", markerName="m"), "startTimerDecisionAttributes": {"timerId": "t"}}
    where = "decisions.1.member.startTimerDecisionAttributes.startToFireTimeout"
    assert batch_refusal(driver, odd) == ONE + constraint(None, where, NOT_NULL)


@pytest.mark.parametrize("kind", ["CompleteWorkflowExecution", "FailWorkflowExecution", "CancelWorkflowExecution"])
def test_closing_attributes_may_be_absent(driver: Driver, kind: str) -> None:
    driver.start()
    driver.decide({"decisionType": kind})


@pytest.mark.parametrize("second", ["CompleteWorkflowExecution", "FailWorkflowExecution"])
def test_close_must_be_last(driver: Driver, second: str) -> None:
    text = batch_refusal(driver, decision("CompleteWorkflowExecution"), decision(second))
    assert text == "Close must be last decision in list"


@pytest.mark.parametrize(
    "bad",
    [
        decision("StartTimer", timerId="t", startToFireTimeout="NONE"),
        decision("StartTimer", timerId="a/b", startToFireTimeout="1"),
        decision("StartTimer", timerId="x" * 257, startToFireTimeout="1"),
        decision("ScheduleLambdaFunction", id="l", name="f", startToCloseTimeout="901"),
        decision("ScheduleLambdaFunction", id="l", name="f", startToCloseTimeout="NONE"),
        decision("ScheduleLambdaFunction", id="l", name="f" * 65),
        decision("ScheduleActivityTask", activityType=WORKFLOW, activityId="arn"),
        decision("StartChildWorkflowExecution", workflowType=WORKFLOW, workflowId="c", childPolicy="KILL"),
        decision("FailWorkflowExecution", reason="x" * 257),
        decision("RecordMarker", markerName=""),
    ],
)
def test_bad_attributes_refuse_the_batch(driver: Driver, bad: dict) -> None:
    assert batch_refusal(driver, decision("RecordMarker", markerName="m"), bad).startswith(ONE)
    assert driver.call("CountPendingDecisionTasks", domain=DOMAIN, taskList={"name": "tl"})["count"] == 0


def test_more_than_a_hundred_decisions_are_taken(driver: Driver) -> None:
    run = driver.start()
    driver.decide(*(decision("RecordMarker", markerName="m") for _ in range(250)))
    assert driver.types(run).count("MarkerRecorded") == 250
