"""Retry policies: attempts, back-off, jitter, what must not be retried; ids of attempts; passing refusals of SWF."""

from __future__ import annotations

import json
from typing import Any

import pyflow
import pytest
from pyflow.core.retries import INFRASTRUCTURE_POLICY, LAMBDA_RETRIES_MAX, NO_WORKER, WORKER_LOST, backoff_s
from pyflow.testing import Fails, Stepper, WorkflowEnvironment

POLICY = pyflow.RetryPolicy(
    maximum_attempts=3,
    initial_interval=2,
    backoff_coefficient=3,
    maximum_interval=5,
    non_retryable_types=["Fatal", "TimedOut.HEARTBEAT"],
)


class Retries(pyflow.Workflow):
    NAME = "Retries"
    work = pyflow.ActivityDescriptor("work", "1.0", heartbeat_timeout=5, timeout=20, retry=POLICY)
    plain = pyflow.ActivityDescriptor("work", "1.0")

    def run(self, which: str) -> Any:
        return (self.work if which == "work" else self.plain)(which).result()


def failure(type_: str = "Oops", **more: Any) -> str:
    return json.dumps(
        {"pyflow.failure": 1, "type": type_, "message": "broken", "stack_trace": "at x\n", "cause": None, **more}
    )


def test_attempts_and_their_ids_and_waits() -> None:
    with Stepper(Retries, "work") as step:
        step.decide()
        waits, ids = [], []
        for attempt in ("activity1", "activity1.attempt2"):
            step.history.activity_failed(attempt, "Oops", failure())
            timer = step.attributes(step.decide().decisions[0])
            waits.append(timer["startToFireTimeout"])
            step.history.timer_fired(timer["timerId"])
            ids.append(step.attributes(step.decide().decisions[0])["activityId"])
        assert waits == ["2", "5"]
        assert ids == ["activity1.attempt2", "activity1.attempt3"]
        step.history.activity_failed("activity1.attempt3", "Oops", failure())
        decision = step.decide().decisions[-1]
        assert decision["decisionType"] == "FailWorkflowExecution"
        assert "Oops: broken" in step.attributes(decision)["details"]


@pytest.mark.parametrize(
    ("reason", "details"),
    [("Fatal", None), ("Other", failure("Fatal")), ("Oops", failure(non_retryable=True))],
)
def test_what_is_not_retried(reason: str, details: str | None) -> None:
    with Stepper(Retries, "work") as step:
        step.decide()
        step.history.activity_failed("activity1", reason, details)
        assert step.kinds() == ["FailWorkflowExecution"]


@pytest.mark.parametrize(
    ("timeout_type", "kinds"),
    [
        ("START_TO_CLOSE", ["StartTimer"]),
        ("SCHEDULE_TO_START", ["StartTimer"]),
        ("HEARTBEAT", ["FailWorkflowExecution"]),
    ],
)
def test_timeouts_are_retried_unless_named(timeout_type: str, kinds: list[str]) -> None:
    with Stepper(Retries, "work") as step:
        step.decide()
        step.history.activity_timed_out("activity1", timeout_type)
        assert step.kinds() == kinds


def test_a_failure_may_name_its_next_delay() -> None:
    with Stepper(Retries, "work") as step:
        step.decide()
        step.history.activity_failed("activity1", "Oops", failure(next_retry_delay_s=77))
        assert step.attributes(step.decide().decisions[0])["startToFireTimeout"] == "77"


def test_no_delay_needs_no_timer() -> None:
    with Stepper(Retries, "work") as step:
        step.decide()
        step.history.activity_failed("activity1", "Oops", failure(next_retry_delay_s=0))
        assert step.kinds() == ["ScheduleActivityTask"]


@pytest.mark.parametrize("reason", [WORKER_LOST, NO_WORKER])
def test_infrastructure_is_retried_without_a_policy(reason: str) -> None:
    with Stepper(Retries, "plain") as step:
        step.decide()
        attempt = "activity1"
        for number in range(2, INFRASTRUCTURE_POLICY.maximum_attempts + 1):
            step.history.activity_failed(attempt, reason)
            timer = step.attributes(step.decide().decisions[0])["timerId"]
            step.history.timer_fired(timer)
            attempt = step.attributes(step.decide().decisions[0])["activityId"]
            assert attempt == f"activity1.attempt{number}"
        step.history.activity_failed(attempt, reason)
        assert step.kinds() == ["FailWorkflowExecution"]


def test_other_failures_are_not_retried_without_a_policy() -> None:
    with Stepper(Retries, "plain") as step:
        step.decide()
        step.history.activity_failed("activity1", "Oops")
        assert step.kinds() == ["FailWorkflowExecution"]


class CallsLambda(pyflow.Workflow):
    NAME = "CallsLambda"
    plain = pyflow.LambdaDescriptor("f")
    patient = pyflow.LambdaDescriptor("f", retry=pyflow.RetryPolicy(maximum_attempts=2, initial_interval=9))

    def run(self, which: str) -> Any:
        return (self.plain if which == "plain" else self.patient)(1).result()


class Named(pyflow.Workflow):
    """The same policy on every kind of invocation."""

    NAME = "Named"
    policy = pyflow.RetryPolicy(maximum_attempts=3, initial_interval=5, jitter=0.5, non_retryable_types=["CardStolen"])
    work = pyflow.ActivityDescriptor("work", "1.0", retry=policy)
    function = pyflow.LambdaDescriptor("work", retry=policy)
    child = pyflow.ChildWorkflowDescriptor("Work", "1.0", retry=policy)

    def run(self, kind: str) -> Any:
        asked: Any = {"activity": self.work, "lambda": self.function, "child": self.child}[kind]
        return asked(1).result()


def fail(step: Stepper, kind: str, decision: Any, reason: str, details: str | None = None) -> None:
    match kind:
        case "activity":
            step.history.activity_failed(decision["activityId"], reason, details)
        case "lambda":
            step.history.lambda_failed(decision["id"], reason, details)
        case "child":
            more = {} if details is None else {"details": details}
            step.history.child_closed(decision["workflowId"], "Failed", reason=reason, **more)


def raised_by_a_function(error_type: str) -> str:
    """What the Lambda service writes of an exception."""
    return json.dumps({"errorMessage": "m", "errorType": error_type, "stackTrace": []})


KINDS = pytest.mark.parametrize("kind", ["activity", "lambda", "child"])


@KINDS
def test_a_policy_holds_for_every_kind(kind: str) -> None:
    with Stepper(Named, kind) as step:
        asked = step.attributes(step.decide().decisions[0])
        for base_s in (5, 10):
            fail(step, kind, asked, "Oops")
            timer = step.attributes(step.decide().decisions[0])
            assert base_s * 0.5 <= int(timer["startToFireTimeout"]) <= base_s * 1.5 + 1
            step.history.timer_fired(timer["timerId"])
            asked = step.attributes(step.decide().decisions[0])
        fail(step, kind, asked, "Oops")
        assert step.kinds() == ["FailWorkflowExecution"]


@KINDS
@pytest.mark.parametrize(
    ("reason", "details"),
    [("CardStolen", None), ("Oops", failure("CardStolen")), ("Oops", failure(non_retryable=True))],
)
def test_what_must_not_be_retried_is_not_for_any_kind(kind: str, reason: str, details: str | None) -> None:
    with Stepper(Named, kind) as step:
        fail(step, kind, step.attributes(step.decide().decisions[0]), reason, details)
        assert step.kinds() == ["FailWorkflowExecution"]


@KINDS
def test_a_hint_is_believed_for_every_kind(kind: str) -> None:
    with Stepper(Named, kind) as step:
        fail(step, kind, step.attributes(step.decide().decisions[0]), "Oops", failure(next_retry_delay_s=77))
        assert step.attributes(step.decide().decisions[0])["startToFireTimeout"] == "77"


@pytest.mark.parametrize(
    ("details", "kinds"),
    [
        (raised_by_a_function("CardStolen"), ["FailWorkflowExecution"]),
        (raised_by_a_function("KeyError"), ["StartTimer"]),
        ("errorType of something that is no JSON", ["StartTimer"]),
        ('["errorType"]', ["StartTimer"]),
    ],
)
def test_a_function_s_exception_can_be_named(details: str, kinds: list[str]) -> None:
    with Stepper(Named, "lambda") as step:
        fail(step, "lambda", step.attributes(step.decide().decisions[0]), "UnhandledError", details)
        assert step.kinds() == kinds


def test_lambdas_are_retried_as_in_two() -> None:
    with Stepper(CallsLambda, "plain") as step:
        step.decide()
        for _ in range(LAMBDA_RETRIES_MAX):
            step.history.lambda_failed("lambda1", "ServiceException", "x")
            decision = step.decide().decisions[0]
            assert step.attributes(decision)["id"] == "lambda1"
        step.history.lambda_failed("lambda1", "ServiceException", "x")
        assert step.kinds() == ["FailWorkflowExecution"]


def test_lambdas_with_a_policy() -> None:
    with Stepper(CallsLambda, "patient") as step:
        step.decide()
        step.history.lambda_failed("lambda1", "UnhandledError", "x")
        timer = step.attributes(step.decide().decisions[0])
        assert timer["timerId"] == "lambda1.backoff1"
        assert timer["startToFireTimeout"] == "9"
        step.history.timer_fired("lambda1.backoff1")
        assert step.kinds() == ["ScheduleLambdaFunction"]
        step.history.lambda_timed_out("lambda1")
        assert step.kinds() == ["FailWorkflowExecution"]


class StartsChild(pyflow.Workflow):
    NAME = "StartsChild"
    child = pyflow.ChildWorkflowDescriptor(
        "Kid", "1.0", retry=pyflow.RetryPolicy(maximum_attempts=2, initial_interval=0)
    )

    def run(self, given: Any) -> Any:
        return self.child(1).result()


def test_children_are_retried_under_a_new_id() -> None:
    with Stepper(StartsChild, started={"lambdaRole": "role"}) as step:
        first = step.attributes(step.decide().decisions[0])
        assert first["lambdaRole"] == "role"
        step.history.child_closed(first["workflowId"], "Failed", reason="no")
        step.decide()
        opened = [e for e in step.history.events if e["eventType"] == "StartChildWorkflowExecutionInitiated"]
        second = opened[-1]["startChildWorkflowExecutionInitiatedEventAttributes"]["workflowId"]
        assert second == first["workflowId"] + ".attempt2"
        step.history.child_closed(second, result=5)
        assert step.attributes(step.decide().decisions[-1])["result"] == "5"


def test_a_rate_that_is_exceeded_is_waited_out() -> None:
    with Stepper(Retries, "plain") as step:
        advance = step.ask()
        completed = step.history.complete_task(advance.execution_context)
        step.history.refused(
            "ScheduleActivityTaskFailed",
            activityType={"name": "work", "version": "1.0"},
            activityId="activity1",
            cause="ACTIVITY_CREATION_RATE_EXCEEDED",
            decisionTaskCompletedEventId=completed,
        )
        timer = step.attributes(step.decide().decisions[0])
        step.history.timer_fired(timer["timerId"])
        again = step.attributes(step.decide().decisions[0])
        assert again["activityId"] == "activity1"  # it never began: this is still the first attempt


def test_an_unknown_activity_type_fails_at_once() -> None:
    with WorkflowEnvironment([Retries], activities={"other": lambda: None}) as env:
        handle = env.start(Retries, "work")
        env.run_until_closed(handle)
        details = handle.close_event["workflowExecutionFailedEventAttributes"]["details"]
        assert "ACTIVITY_TYPE_DOES_NOT_EXIST" in details


def test_jitter_is_the_same_on_every_replay_and_within_bounds() -> None:
    policy = pyflow.RetryPolicy(initial_interval=10, maximum_interval=100, jitter=0.5)
    delays = [backoff_s(policy, 1, f"run/{number}") for number in range(200)]
    assert delays == [backoff_s(policy, 1, f"run/{number}") for number in range(200)]
    assert 5 <= min(delays) < max(delays) <= 15
    assert len(set(delays)) > 100


def test_an_endless_policy_does_not_overflow() -> None:
    policy = pyflow.RetryPolicy(maximum_attempts=0, maximum_interval=60)
    assert backoff_s(policy, 100_000, "seed") == 60


@pytest.mark.parametrize(
    "bad", [{"maximum_attempts": -1}, {"jitter": 2}, {"backoff_coefficient": 0.5}, {"initial_interval": -1}]
)
def test_policies_that_make_no_sense_are_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="RetryPolicy"):
        pyflow.RetryPolicy(**bad)


def test_a_whole_run_with_retries_in_the_environment() -> None:
    calls: list[int] = []

    def work(which: str) -> Any:
        calls.append(1)
        if len(calls) < 3:
            raise Fails("Oops", failure())
        return "at last"

    with WorkflowEnvironment([Retries], activities={"work": work}) as env:
        assert env.run(Retries, "work") == "at last"
    assert len(calls) == 3
