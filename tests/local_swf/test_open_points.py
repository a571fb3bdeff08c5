"""Points that no source settles (reference 14, docs/local-swf.md): what was chosen, where no other test shows it."""

from __future__ import annotations

import pytest
from local_swf_driver import ACTIVITY, DOMAIN, WORKFLOW, Driver, Refused, decision
from pyflow_local.engine.limits import Choices

AGAIN = decision("ContinueAsNewWorkflowExecution")
COMPLETE = decision("CompleteWorkflowExecution")
CHILD = decision("StartChildWorkflowExecution", workflowId="c", workflowType=WORKFLOW, taskList={"name": "ctl"})


@pytest.mark.parametrize("applied", [True, False])
def test_child_policy_when_the_parent_continues_as_new(applied: bool) -> None:
    driver = Driver(choices=Choices(child_policy_on_continue_as_new=applied))
    driver.start()
    driver.decide(CHILD)
    child_run = driver.open_run("c")
    driver.decide(AGAIN)
    ends = driver.types(child_run, "c")[-1]
    assert ends == ("WorkflowExecutionTerminated" if applied else "DecisionTaskScheduled")


def test_cancel_requested_of_a_closed_execution(driver: Driver) -> None:
    run = driver.start()
    driver.call("RequestCancelWorkflowExecution", domain=DOMAIN, workflowId="w")
    driver.decide(COMPLETE)
    assert driver.describe(run)["executionInfo"]["cancelRequested"] is True
    following = driver.start()
    driver.decide(COMPLETE)
    assert driver.describe(following)["executionInfo"]["cancelRequested"] is False


@pytest.mark.parametrize(("kind", "named"), [("Workflow", WORKFLOW), ("Activity", ACTIVITY)])
def test_a_deleted_type_can_be_registered_again(driver: Driver, kind: str, named: dict[str, str]) -> None:
    member = {f"{kind.lower()}Type": named}
    driver.call(f"Deprecate{kind}Type", domain=DOMAIN, **member)
    driver.call(f"Delete{kind}Type", domain=DOMAIN, **member)
    driver.call(f"Register{kind}Type", domain=DOMAIN, **named)
    described = driver.call(f"Describe{kind}Type", domain=DOMAIN, **member)
    assert (described["typeInfo"]["status"], described["configuration"]) == ("REGISTERED", {})


def test_undeprecating_a_domain_leaves_its_types_deprecated(driver: Driver) -> None:
    driver.call("DeprecateDomain", name=DOMAIN)
    with pytest.raises(Refused, match="DomainDeprecatedFault"):
        driver.start()
    driver.call("UndeprecateDomain", name=DOMAIN)
    with pytest.raises(Refused, match="TypeDeprecatedFault"):
        driver.start()
    driver.call("UndeprecateWorkflowType", domain=DOMAIN, workflowType=WORKFLOW)
    driver.start()


def test_undefined_defaults_are_told_before_the_running_execution(driver: Driver) -> None:
    driver.start()
    driver.call("RegisterWorkflowType", domain=DOMAIN, name="bare", version="1")
    with pytest.raises(Refused, match="DefaultUndefinedFault"):
        driver.start(workflowType={"name": "bare", "version": "1"})


def test_a_queued_decision_task_stays_on_its_list_and_describe_names_the_first(driver: Driver) -> None:
    run = driver.start()
    task = driver.poll()
    driver.call("SignalWorkflowExecution", domain=DOMAIN, workflowId="w", signalName="s")
    driver.respond(task, taskList={"name": "other"})
    assert driver.poll("other") is None
    driver.decide()
    driver.call("SignalWorkflowExecution", domain=DOMAIN, workflowId="w", signalName="s")
    assert driver.poll("tl") is None
    assert driver.poll("other") is not None
    assert driver.describe(run)["executionConfiguration"]["taskList"] == {"name": "tl"}


def test_a_timeout_for_no_list_is_ignored(driver: Driver) -> None:
    run = driver.start()
    driver.decide(taskListScheduleToStartTimeout="5")
    assert "taskListScheduleToStartTimeout" not in driver.last(run, "DecisionTaskCompleted")
    driver.call("SignalWorkflowExecution", domain=DOMAIN, workflowId="w", signalName="s")
    driver.advance(6)
    assert "DecisionTaskTimedOut" not in driver.types(run)


def test_the_wait_on_a_sticky_list_begins_when_it_can_be_polled(driver: Driver) -> None:
    run = driver.start()
    driver.decide(taskList={"name": "mine"}, taskListScheduleToStartTimeout="5")
    driver.call("SignalWorkflowExecution", domain=DOMAIN, workflowId="w", signalName="s")
    task = driver.poll("mine")
    driver.call("SignalWorkflowExecution", domain=DOMAIN, workflowId="w", signalName="t")  # queued behind that one
    driver.advance(20)
    driver.respond(task, taskList={"name": "mine"}, taskListScheduleToStartTimeout="5")
    assert "DecisionTaskTimedOut" not in driver.types(run)
    driver.advance(4)
    assert driver.poll("mine") is not None


def test_a_heartbeat_without_details_keeps_those_before(driver: Driver) -> None:
    run = driver.start()
    driver.decide(driver.schedule(heartbeatTimeout="10"))
    task = driver.poll_activity()
    assert task is not None
    driver.call("RecordActivityTaskHeartbeat", taskToken=task["taskToken"], details="half")
    driver.call("RecordActivityTaskHeartbeat", taskToken=task["taskToken"])
    driver.advance(10)
    timed_out = driver.last(run, "ActivityTaskTimedOut")
    assert (timed_out["timeoutType"], timed_out["details"]) == ("HEARTBEAT", "half")
