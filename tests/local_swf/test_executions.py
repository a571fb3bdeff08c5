"""Executions (reference section 8): children, child policy, continue as new, signals, cancel, terminate, timeouts."""

from __future__ import annotations

from typing import Any

import pytest
from local_swf_driver import DOMAIN, WORKFLOW, Driver, Refused, attributes_of, decision
from pyflow_local.engine.limits import Choices

COMPLETE = decision("CompleteWorkflowExecution")


def child(workflow_id: str = "c", **more: Any) -> dict:
    given = {"taskList": {"name": "ctl"}, **more}
    return decision("StartChildWorkflowExecution", workflowId=workflow_id, workflowType=WORKFLOW, **given)


def terminate(driver: Driver, workflow_id: str = "w", **members: Any) -> None:
    driver.call("TerminateWorkflowExecution", domain=DOMAIN, workflowId=workflow_id, **members)


# --- start -----------------------------------------------------------------------------------------------------


def refused(driver: Driver, operation: str, **members: Any) -> tuple[str, str | None]:
    with pytest.raises(Refused) as caught:
        driver.call(operation, **members)
    return caught.value.code, caught.value.message


def test_start_faults(driver: Driver) -> None:
    start = {"domain": DOMAIN, "workflowId": "w", "workflowType": WORKFLOW}
    driver.start()
    operation = "StartWorkflowExecution"
    assert refused(driver, operation, **start)[0] == "WorkflowExecutionAlreadyStartedFault"
    nope = {"name": "nope", "version": "1"}
    message = "Unknown type: WorkflowType=[name=nope, version=1]"
    assert refused(driver, operation, **{**start, "workflowType": nope}) == ("UnknownResourceFault", message)
    driver.call("RegisterWorkflowType", domain=DOMAIN, name="bare", version="1")
    bare = {**start, "workflowId": "v", "workflowType": {"name": "bare", "version": "1"}}
    given: dict[str, Any] = {}
    for member, value in (
        ("executionStartToCloseTimeout", "10"),
        ("taskList", {"name": "tl"}),
        ("taskStartToCloseTimeout", "NONE"),
        ("childPolicy", "ABANDON"),
    ):
        assert refused(driver, operation, **bare, **given) == ("DefaultUndefinedFault", member)
        given[member] = value
    driver.call(operation, **bare, **given)
    driver.call("DeprecateWorkflowType", domain=DOMAIN, workflowType=WORKFLOW)
    assert refused(driver, operation, **{**start, "workflowId": "u"})[0] == "TypeDeprecatedFault"


def test_a_closed_workflow_id_is_free_at_once(driver: Driver) -> None:
    first = driver.start()
    terminate(driver)
    assert driver.start() != first


# --- child policy ----------------------------------------------------------------------------------------------


def open_parent_and_child(driver: Driver, policy: str) -> tuple[str, str]:
    run = driver.start(childPolicy=policy)
    driver.decide(child(childPolicy="ABANDON"))
    return run, driver.open_run("c")


def test_child_policy_terminate(driver: Driver) -> None:
    _, child_run = open_parent_and_child(driver, "TERMINATE")
    terminate(driver)
    last = driver.history(child_run, "c")[-1]
    assert attributes_of(last) == {"childPolicy": "ABANDON", "cause": "CHILD_POLICY_APPLIED"}


def test_child_policy_when_the_parent_times_out(driver: Driver) -> None:
    run, child_run = open_parent_and_child(driver, "REQUEST_CANCEL")
    driver.advance(4000)
    assert driver.types(run)[-1] == "WorkflowExecutionTimedOut"
    assert driver.types(child_run, "c")[-2:] == ["WorkflowExecutionCancelRequested", "WorkflowExecutionTimedOut"]


def test_child_policy_request_cancel_on_terminate(driver: Driver) -> None:
    run, child_run = open_parent_and_child(driver, "REQUEST_CANCEL")
    terminate(driver)
    assert driver.last(child_run, "WorkflowExecutionCancelRequested", "c") == {
        "cause": "CHILD_POLICY_APPLIED",
        "externalWorkflowExecution": {"workflowId": "w", "runId": run},
        "externalInitiatedEventId": 0,
    }
    assert driver.describe(child_run, "c")["executionInfo"]["cancelRequested"] is True


def test_child_policy_abandon_and_override(driver: Driver) -> None:
    _, child_run = open_parent_and_child(driver, "TERMINATE")
    terminate(driver, childPolicy="ABANDON")
    assert driver.describe(child_run, "c")["executionInfo"]["executionStatus"] == "OPEN"
    driver.decide(COMPLETE, task_list="ctl")


def test_child_policy_on_completion_can_be_switched_off() -> None:
    driver = Driver(choices=Choices(child_policy_on_completion=False))
    _, child_run = open_parent_and_child(driver, "TERMINATE")
    driver.decide(COMPLETE)
    assert driver.describe(child_run, "c")["executionInfo"]["executionStatus"] == "OPEN"


def test_a_deep_chain_of_children_is_terminated(driver: Driver) -> None:
    driver.start("p0", taskList={"name": "t0"})
    for depth in range(300):
        following = child(f"p{depth + 1}", taskList={"name": f"t{depth + 1}"})
        driver.decide(following, task_list=f"t{depth}")
    terminate(driver, "p0")
    found = driver.call("CountOpenWorkflowExecutions", domain=DOMAIN, startTimeFilter={"oldestDate": 0})
    assert found["count"] == 0


@pytest.mark.parametrize(("policy", "started"), [("ABANDON", True), ("TERMINATE", False)])
def test_start_child_and_close_in_one_batch(driver: Driver, policy: str, started: bool) -> None:
    run = driver.start(childPolicy=policy)
    driver.decide(child(), COMPLETE)
    assert driver.types(run)[-2:] == ["StartChildWorkflowExecutionInitiated", "WorkflowExecutionCompleted"]
    assert (driver.poll("ctl") is not None) is started


def test_terminated_and_timed_out_children(driver: Driver) -> None:
    run = driver.start()
    driver.decide(child("c1"), child("c2", executionStartToCloseTimeout="5"))
    terminate(driver, "c1")
    driver.advance(5)
    assert "reason" not in driver.last(run, "ChildWorkflowExecutionTerminated")
    assert driver.last(run, "ChildWorkflowExecutionTimedOut")["timeoutType"] == "START_TO_CLOSE"


# --- continue as new -------------------------------------------------------------------------------------------


def test_continue_as_new(driver: Driver) -> None:
    first = driver.start(tagList=["t"], input="old", executionStartToCloseTimeout="99")
    driver.decide(decision("ContinueAsNewWorkflowExecution", input="new", tagList=["u"]))
    second = driver.open_run("w")
    closing = driver.last(first, "WorkflowExecutionContinuedAsNew")
    assert closing["newExecutionRunId"] == second
    assert closing["executionStartToCloseTimeout"] == "3600", "the type's default, not the old run's setting"
    started = attributes_of(driver.history(second)[0])
    assert started["continuedExecutionRunId"] == first
    assert (started["input"], started["tagList"], started["parentInitiatedEventId"]) == ("new", ["u"], 0)
    assert driver.describe(first)["executionInfo"]["closeStatus"] == "CONTINUED_AS_NEW"


def test_a_continued_child_reports_to_its_parent_at_the_end(driver: Driver) -> None:
    run = driver.start()
    driver.decide(child())
    driver.decide(decision("ContinueAsNewWorkflowExecution", taskList={"name": "ctl"}), task_list="ctl")
    latest = driver.open_run("c")
    assert attributes_of(driver.history(latest, "c")[0])["parentWorkflowExecution"]["runId"] == run
    driver.decide(COMPLETE, task_list="ctl")
    closed = driver.last(run, "ChildWorkflowExecutionCompleted")
    assert closed["workflowExecution"] == {"workflowId": "c", "runId": latest}
    assert (closed["initiatedEventId"], closed["startedEventId"]) == (5, 6)


# --- signals and cancels between executions --------------------------------------------------------------------


def test_external_signal(driver: Driver) -> None:
    target, sender = driver.start("target", taskList={"name": "x"}), driver.start()
    driver.decide(
        decision("SignalExternalWorkflowExecution", workflowId="target", signalName="s", input="i", control="c")
    )
    assert driver.last(target, "WorkflowExecutionSignaled", "target") == {
        "signalName": "s",
        "input": "i",
        "externalWorkflowExecution": {"workflowId": "w", "runId": sender},
        "externalInitiatedEventId": 5,
    }
    assert driver.last(sender, "ExternalWorkflowExecutionSignaled") == {
        "workflowExecution": {"workflowId": "target", "runId": target},
        "initiatedEventId": 5,
    }
    initiated = driver.last(sender, "SignalExternalWorkflowExecutionInitiated")
    assert (initiated["control"], "runId" in initiated) == ("c", False)


def test_external_cancel(driver: Driver) -> None:
    target, sender = driver.start("target", taskList={"name": "x"}), driver.start()
    driver.decide(decision("RequestCancelExternalWorkflowExecution", workflowId="target", runId=target))
    requested = driver.last(target, "WorkflowExecutionCancelRequested", "target")
    assert requested["externalWorkflowExecution"]["runId"] == sender
    assert driver.last(sender, "ExternalWorkflowExecutionCancelRequested")["initiatedEventId"] == 5


def test_signal_to_self(driver: Driver) -> None:
    run = driver.start()
    driver.decide(decision("SignalExternalWorkflowExecution", workflowId="w", signalName="s"))
    assert driver.types(run)[4:] == [
        "SignalExternalWorkflowExecutionInitiated",
        "WorkflowExecutionSignaled",
        "DecisionTaskScheduled",
        "ExternalWorkflowExecutionSignaled",
    ]


def test_a_signal_is_delivered_though_its_sender_closes(driver: Driver) -> None:
    target, sender = driver.start("target", taskList={"name": "x"}), driver.start()
    driver.decide(decision("SignalExternalWorkflowExecution", workflowId="target", signalName="s"), COMPLETE)
    assert driver.types(sender)[-1] == "WorkflowExecutionCompleted"
    assert "WorkflowExecutionSignaled" in driver.types(target, "target")


def test_closed_runs_take_no_signals(driver: Driver) -> None:
    first = driver.start()
    terminate(driver)
    second = driver.start()
    signal = {"domain": DOMAIN, "workflowId": "w", "signalName": "s"}
    message = f"Unknown execution: WorkflowExecution=[workflowId=w, runId={first}]"
    assert refused(driver, "SignalWorkflowExecution", **signal, runId=first) == ("UnknownResourceFault", message)
    driver.call("SignalWorkflowExecution", **signal, runId=second)
    terminate(driver)
    message = "Unknown execution, workflowId = w"
    assert refused(driver, "SignalWorkflowExecution", **signal) == ("UnknownResourceFault", message)


def test_terminate(driver: Driver) -> None:
    run = driver.start()
    terminate(driver, reason="r", details="d")
    assert attributes_of(driver.history(run)[-1]) == {
        "reason": "r",
        "details": "d",
        "childPolicy": "TERMINATE",
        "cause": "OPERATOR_INITIATED",
    }


def test_execution_timeout(driver: Driver) -> None:
    run = driver.start(executionStartToCloseTimeout="100")
    driver.advance(100)
    events = driver.history(run)
    assert attributes_of(events[-1]) == {"timeoutType": "START_TO_CLOSE", "childPolicy": "TERMINATE"}
    info = driver.describe(run)["executionInfo"]
    assert (info["closeStatus"], info["closeTimestamp"]) == ("TIMED_OUT", events[-1]["eventTimestamp"])
    assert driver.poll() is None
