"""What is refused whatever the state: throttled calls, missing permissions, and what follows from refused decisions."""

from __future__ import annotations

from collections.abc import Callable
from itertools import takewhile

import pytest
from botocore.exceptions import ClientError
from local_swf_driver import ACTIVITY, DOMAIN, Driver, Refused, decision
from local_swf_server import RunningServer
from pyflow_local import LocalSwf
from pyflow_local.engine.rates import Rate, Rates
from pyflow_local.engine.restrictions import Restrictions

ONE = Rate(1, 1)
NO_RATES = {"operations": {}, "decisions": {}, "executions": {}}


def throttled(**rates: object) -> Driver:
    """A driver whose service throttles these and nothing else."""
    return Driver(restrictions=Restrictions(rates=Rates(**{**NO_RATES, **rates})))


def denied(*permissions: str) -> Driver:
    """A driver whose callers lack these permissions."""
    return Driver(restrictions=Restrictions(denied=frozenset(permissions)))


def refusal(driver: Driver, operation: str, **members: object) -> tuple[int, str, str | None]:
    """How a call is refused."""
    with pytest.raises(Refused) as told:
        driver.call(operation, **members)
    return told.value.status, told.value.code, told.value.message


# --- calls -----------------------------------------------------------------------------------------------------


def test_a_call_above_the_rate_is_refused_until_a_token_is_there() -> None:
    driver = throttled(operations={"DescribeDomain": ONE})
    driver.call("DescribeDomain", name=DOMAIN)
    assert refusal(driver, "DescribeDomain", name=DOMAIN) == (400, "ThrottlingException", "Rate exceeded")
    driver.call("ListDomains", registrationStatus="REGISTERED")  # others have buckets of their own
    driver.advance(1)
    driver.call("DescribeDomain", name=DOMAIN)


def test_a_throttled_call_changes_nothing() -> None:
    driver = throttled(operations={"StartWorkflowExecution": ONE})
    run = driver.start("w")
    with pytest.raises(Refused):
        driver.start("other")
    assert driver.open_run("w") == run
    count = driver.call("CountOpenWorkflowExecutions", domain=DOMAIN, startTimeFilter={"oldestDate": 0})
    assert count["count"] == 1


def test_one_execution_is_throttled_apart_from_others() -> None:
    driver = throttled(executions={"SignalWorkflowExecution": ONE, "GetWorkflowExecutionHistory": ONE})
    runs = [driver.start(name) for name in ("v", "w")]
    for name in ("v", "w"):
        driver.call("SignalWorkflowExecution", domain=DOMAIN, workflowId=name, signalName="s")
        told = refusal(driver, "SignalWorkflowExecution", domain=DOMAIN, workflowId=name, signalName="s")
        assert told == (400, "ThrottlingException", "Rate exceeded")
    for run, name in zip(runs, ("v", "w"), strict=True):
        driver.history(run, name)
        with pytest.raises(Refused, match="ThrottlingException"):
            driver.history(run, name)


def test_heartbeats_are_counted_by_the_execution_of_their_task() -> None:
    driver = throttled(executions={"RecordActivityTaskHeartbeat": ONE})
    for name in ("v", "w"):
        driver.start(name)
        driver.decide(driver.schedule("a"), driver.schedule("b"))
    tokens = [task["taskToken"] for task in (driver.poll_activity() for _ in range(4)) if task is not None]
    driver.call("RecordActivityTaskHeartbeat", taskToken=tokens[0])
    assert refusal(driver, "RecordActivityTaskHeartbeat", taskToken=tokens[1])[1] == "ThrottlingException"
    driver.call("RecordActivityTaskHeartbeat", taskToken=tokens[2])
    assert refusal(driver, "RecordActivityTaskHeartbeat", taskToken="garbage")[2] == "Invalid token"


def test_a_poll_that_waits_is_not_counted_again_when_the_state_is_read_anew() -> None:
    driver = throttled(operations={"PollForDecisionTask": ONE})
    ident = driver.park("PollForDecisionTask", "tl")
    driver.service._engine = None  # as after a commit that failed
    driver.step()
    driver.start()
    assert driver.answers[ident]["body"]["taskToken"]
    assert refusal(driver, "PollForDecisionTask", domain=DOMAIN, taskList={"name": "tl"})[1] == "ThrottlingException"


@pytest.mark.parametrize("operation", ["ListDomains", "PollForActivityTask", "StartWorkflowExecution"])
def test_an_operation_without_its_permission(operation: str) -> None:
    driver = denied(f"swf:{operation}")
    told = refusal(driver, operation)
    assert told == (400, "OperationNotPermittedFault", f"Not authorized to perform: swf:{operation}")
    driver.call("DescribeDomain", name=DOMAIN)


def test_without_restrictions_nothing_stands_in_the_way() -> None:
    driver = Driver(restrictions=Restrictions())
    assert driver.service._engine is not None
    assert driver.service._engine.world.gate is None


@pytest.mark.parametrize("wrong", ["RecordMarker", "swf:Nothing", "swf:ScheduleLambdaFunction"])
def test_a_permission_that_swf_does_not_know(wrong: str) -> None:
    with pytest.raises(ValueError, match="is no permission of SWF"):
        Restrictions(denied=frozenset({wrong}))


# --- decisions (the events of each cause are in test_causes.py) ---------------------------------------------------


def test_decisions_above_the_rate_fail_and_the_others_of_the_batch_do_not() -> None:
    driver = throttled(decisions={"StartTimer": Rate(2, 1)})
    run = driver.start()
    timers = [decision("StartTimer", timerId=str(n), startToFireTimeout="100") for n in range(3)]
    driver.decide(*timers, decision("RecordMarker", markerName="m"))
    assert driver.types(run)[4:] == [
        "TimerStarted",
        "TimerStarted",
        "StartTimerFailed",
        "MarkerRecorded",
        "DecisionTaskScheduled",
    ]
    driver.advance(1)
    driver.decide(timers[2])
    assert driver.types(run)[-1] == "TimerStarted"


def test_tasks_of_one_list_are_limited_apart_from_those_of_another() -> None:
    driver = throttled(tasks_per_list=ONE)
    run = driver.start()
    driver.decide(driver.schedule("a"), driver.schedule("b"), driver.schedule("c", taskList={"name": "other"}))
    assert driver.types(run)[4:7] == ["ActivityTaskScheduled", "ScheduleActivityTaskFailed", "ActivityTaskScheduled"]
    assert driver.last(run, "ScheduleActivityTaskFailed")["cause"] == "ACTIVITY_CREATION_RATE_EXCEEDED"


def test_a_close_that_is_not_permitted_leaves_the_execution_open_and_asks_again() -> None:
    driver = denied("swf:CompleteWorkflowExecution")
    run = driver.start()
    driver.decide(decision("CompleteWorkflowExecution"))
    driver.decide(decision("FailWorkflowExecution"))
    assert driver.types(run)[4:] == [
        "CompleteWorkflowExecutionFailed",
        "DecisionTaskScheduled",
        "DecisionTaskStarted",
        "DecisionTaskCompleted",
        "WorkflowExecutionFailed",
    ]


CANCEL_A = decision("RequestCancelActivityTask", activityId="a")
CLOSE_THAT_FAILS = decision("ContinueAsNewWorkflowExecution", workflowTypeVersion="9")


@pytest.mark.parametrize("cancels", [1, 2])
@pytest.mark.parametrize(
    ("permissions", "close"),
    [(("swf:CompleteWorkflowExecution",), decision("CompleteWorkflowExecution")), ((), CLOSE_THAT_FAILS)],
)
def test_an_unstarted_activity_is_canceled_after_all_when_the_close_beside_it_fails(
    permissions: tuple[str, ...], close: dict, cancels: int
) -> None:
    """Before a close that succeeds only the request is recorded; one that stays open must not keep the task."""
    driver = denied(*permissions)
    run = driver.start()
    driver.decide(driver.schedule("a"))
    driver.call("SignalWorkflowExecution", domain=DOMAIN, workflowId="w", signalName="s")
    driver.decide(*[CANCEL_A] * cancels, close)
    types = driver.types(run)
    assert types[types.index("WorkflowExecutionSignaled") + 4 :] == [
        *["ActivityTaskCancelRequested"] * cancels,
        f"{close['decisionType']}Failed",
        "ActivityTaskCanceled",
        "DecisionTaskScheduled",
    ]
    assert driver.poll_activity() is None
    driver.decide(decision("ScheduleActivityTask", activityType=ACTIVITY, activityId="a"))  # the id is free again
    assert driver.types(run)[-1] == "ActivityTaskScheduled"


def test_a_refused_signal_does_not_reach_its_target() -> None:
    driver = denied("swf:SignalExternalWorkflowExecution")
    target = driver.start("target", taskList={"name": "nobody"})
    driver.start()
    driver.decide(decision("SignalExternalWorkflowExecution", workflowId="target", signalName="s"))
    assert driver.types(target, "target") == ["WorkflowExecutionStarted", "DecisionTaskScheduled"]


# --- with a client that knows nothing of this ---------------------------------------------------------------------


def test_boto3_sees_the_faults_it_knows_in_process() -> None:
    restrictions = Restrictions(
        denied=frozenset({"swf:RegisterDomain"}), rates=Rates(operations={"ListDomains": Rate(0, 1)})
    )
    with LocalSwf(restrictions=restrictions) as local:
        client = local.client()
        with pytest.raises(client.exceptions.OperationNotPermittedFault):
            client.register_domain(name="d", workflowExecutionRetentionPeriodInDays="1")
        with pytest.raises(ClientError) as told:
            client.list_domains(registrationStatus="REGISTERED")
    assert told.value.response["Error"]["Code"] == "ThrottlingException"
    assert told.value.response["ResponseMetadata"]["RetryAttempts"] > 0, "botocore takes it for what it is, and retries"


def test_a_server_throttles_when_it_is_asked_to(run_server: Callable[..., RunningServer]) -> None:
    client = run_server("--memory", "--throttle", "--deny", "swf:DeprecateDomain").client
    client.register_domain(name="d", workflowExecutionRetentionPeriodInDays="1")
    with pytest.raises(client.exceptions.OperationNotPermittedFault):
        client.deprecate_domain(name="d")
    arn = client.describe_domain(name="d")["domainInfo"]["arn"]

    codes: list[str] = []

    def passes(_: int) -> bool:
        try:
            client.list_tags_for_resource(resourceArn=arn)
        except ClientError as error:
            codes.append(error.response["Error"]["Code"])
            return False
        return True

    passed = list(takewhile(passes, range(2000)))
    assert 50 <= len(passed) < 2000
    assert codes == ["ThrottlingException"]
