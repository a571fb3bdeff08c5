"""Branches, gather, map, conditions, sagas, and what the decider knows of time, chance and itself."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pyflow
import pytest
from pyflow.testing import Stepper, Takes, WorkflowEnvironment


class Fan(pyflow.Workflow):
    NAME = "Fan"
    work = pyflow.ActivityDescriptor("work", "1.0")

    def run(self, mode: str) -> Any:
        swf = self.swf
        match mode:
            case "gather":
                return swf.gather(self.work(3), [self.work(1), self.work(2)])
            case "map":
                return swf.map(lambda n: self.work(n).result() * 10, [3, 1, 2, 5], at_most=2)
            case "spawn":
                branches = [swf.spawn(self.twice, n, plus=1) for n in (1, 2)]
                return [branch.result() for branch in branches]
            case "fails":
                branch = swf.spawn(self.twice, "x")
                try:
                    branch.result()
                except pyflow.InvocationFailedException as error:
                    return [branch.failed, error.reason]
        return None

    def twice(self, n: Any, plus: int = 0) -> Any:
        return [self.work(n).result() + plus, self.work(n).result()]


def work(n: Any) -> Any:
    return Takes(float(n), n)


@pytest.mark.parametrize(
    ("mode", "result"),
    [
        ("gather", [3, 1, 2]),
        ("map", [30, 10, 20, 50]),
        ("spawn", [[2, 1], [3, 2]]),
        ("fails", [True, "ValueError"]),
    ],
)
def test_branches(mode: str, result: Any) -> None:
    with WorkflowEnvironment([Fan], activities={"work": work}) as env:
        assert env.run(Fan, mode) == result


def test_map_keeps_to_its_limit() -> None:
    with WorkflowEnvironment([Fan], activities={"work": work}) as env:
        handle = env.start(Fan, "map")
        env.run_until_closed(handle)
        open_now = most = 0
        for event in handle.history():
            open_now += (event["eventType"] == "ActivityTaskScheduled") - (
                event["eventType"] == "ActivityTaskCompleted"
            )
            most = max(most, open_now)
        assert most == 2


class Trip(pyflow.Workflow):
    NAME = "Trip"
    book = pyflow.ActivityDescriptor("book", "1.0")
    undo = pyflow.ActivityDescriptor("undo", "1.0")

    def run(self, items: list[str]) -> Any:
        with self.swf.saga() as saga:
            for item in items:
                self.book(item).result()
                saga.compensate(self.undo, item)
        return "booked"


def booked(item: str) -> Any:
    if item == "full":
        raise ValueError("no room")
    return Takes(10, item)


def _undone(handle: Any) -> list[str]:
    return [
        event["activityTaskScheduledEventAttributes"]["input"]
        for event in handle.history()
        if event["eventType"] == "ActivityTaskScheduled"
        and event["activityTaskScheduledEventAttributes"]["activityType"]["name"] == "undo"
    ]


class Direct(pyflow.Workflow):
    """Descriptors as the functions of branches."""

    NAME = "Direct"
    wait = pyflow.ActivityDescriptor("wait", "1.0", returns=int)

    def run(self, items: list[int]) -> Any:
        branch = self.swf.spawn(self.wait, 7)
        return [self.swf.map(self.wait, items, at_most=2), branch.result()]


def test_a_descriptor_is_a_function_of_branches_and_the_limit_holds_for_its_activity() -> None:
    with WorkflowEnvironment([Direct], activities={"wait": lambda n: Takes(10, n)}) as env:
        handle = env.start(Direct, [1, 2, 3, 4, 5])
        env.run_until_closed(handle)
        assert handle.result() == [[1, 2, 3, 4, 5], 7]
        running = most = 0
        for event in handle.history():
            running += event["eventType"] == "ActivityTaskScheduled"
            running -= event["eventType"] == "ActivityTaskCompleted"
            most = max(most, running)
        assert most == 3, "two of map, and the branch beside it"


def test_a_branch_without_code_of_its_own_names_the_line_that_spawned_it() -> None:
    with Stepper(Direct, [1]) as step:
        for decision in step.decide().decisions:
            assert "test_branches.py:" in step.attributes(decision)["control"]


class Careless(pyflow.Workflow):
    NAME = "Careless"
    work = pyflow.LambdaDescriptor("work")

    def run(self, look: bool) -> str:
        branch = self.swf.spawn(self.breaks)
        self.work().result()
        return type(branch.exception).__name__ if look else "fine"

    def breaks(self) -> None:
        raise KeyError("nobody looks")


@pytest.mark.parametrize(("look", "lines"), [(False, 1), (True, 0)])
def test_a_failed_branch_that_nobody_looks_at_is_told_once(
    look: bool, lines: int, caplog: pytest.LogCaptureFixture
) -> None:
    with WorkflowEnvironment([Careless], lambdas={"work": lambda: 1}, cached=False) as env:
        assert env.run(Careless, look) == ("KeyError" if look else "fine")
    told = [record for record in caplog.records if "nobody looked" in record.message]
    assert len(told) == lines
    for record in told:
        assert "spawned at test_branches.py:" in record.message
        assert record.exc_info is not None
        assert str(record.exc_info[1]) == "'nobody looks'"


def test_a_saga_compensates_in_reverse() -> None:
    with WorkflowEnvironment([Trip], activities={"book": booked, "undo": lambda item: None}) as env:
        handle = env.start(Trip, ["flight", "hotel", "full"])
        env.run_until_closed(handle)
        assert handle.close_status == "Failed"
        assert _undone(handle) == ['"hotel"', '"flight"']


def test_a_canceled_saga_compensates_too() -> None:
    with WorkflowEnvironment([Trip], activities={"book": booked, "undo": lambda item: None}) as env:
        handle = env.start(Trip, ["flight", "hotel", "car"])
        env.skip(15)
        handle.cancel()
        env.run_until_closed(handle)
        assert handle.close_status == "Canceled"
        assert _undone(handle) == ['"flight"']


class Knows(pyflow.Workflow):
    NAME = "Knows"
    work = pyflow.LambdaDescriptor("work")

    def run(self, given: Any) -> Any:
        swf = self.swf
        self.swf.logger.info("begins")
        swf.set_status({"step": 1})
        first = [str(swf.uuid4()), swf.random().random(), swf.workflow_time().isoformat()]
        self.work(1).result()
        self.swf.logger.info("goes on")
        swf.set_status("step 2")
        later = [str(swf.uuid4()), swf.random().random(), swf.history_length]
        self.work(2).result()
        return [first, later, swf.tag_list, swf.parent, swf.workflow_id, swf.run_id, swf.domain, swf.lambda_role]


def test_what_code_may_know(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "pyflow.workflow")
    with Stepper(Knows, started={"tagList": ["a"], "lambdaRole": "role"}) as step:
        first = step.decide()
        assert first.execution_context == '{"pyflow":3,"status":{"step":1}}'
        step.history.lambda_completed("lambda1")
        assert step.decide().execution_context == '{"pyflow":3,"status":"step 2"}'
        step.history.lambda_completed("lambda2")
        result = step.attributes(step.decide().decisions[-1])["result"]
        assert '["a"], null, "workflow-1", "run-1", "test", "role"]' in result
        assert "2023-11-14T22:13:2" in result
    # The Stepper makes each decision twice, both for the first time; the two replays in between say nothing.
    assert [record.getMessage() for record in caplog.records] == [
        "[workflow-1] begins",
        "[workflow-1] begins",
        "[workflow-1] goes on",
        "[workflow-1] goes on",
    ]
    assert caplog.records[0].__dict__["run_id"] == "run-1"


def test_status_can_be_read_while_it_runs() -> None:
    with WorkflowEnvironment([Knows], lambdas={"work": lambda n: Takes(100)}) as env:
        handle = env.start(Knows)
        env.settle()
        assert handle.status() == {"step": 1}


class Continues(pyflow.Workflow):
    NAME = "Continues"

    def run(self, left: int) -> Any:
        self.swf.sleep(86_400)
        if left:
            self.swf.continue_as_new(left - 1)
        return [self.swf.tag_list, self.swf.continued_from is not None]


def test_continue_as_new_keeps_the_settings_of_the_run() -> None:
    with WorkflowEnvironment([Continues]) as env:
        handle = env.start(Continues, 1, tagList=["kept"], executionStartToCloseTimeout="200000")
        env.run_until_closed(handle)
        event = handle.close_event
        assert event["eventType"] == "WorkflowExecutionContinuedAsNew"
        attributes = event["workflowExecutionContinuedAsNewEventAttributes"]
        assert attributes["tagList"] == ["kept"]
        assert attributes["executionStartToCloseTimeout"] == "200000"
        next_run = type(handle)(env, handle.workflow_id, attributes["newExecutionRunId"])
        env.run_until_closed(next_run)
        assert next_run.result() == [["kept"], True]


def test_an_unknown_option_of_continue_as_new_is_refused() -> None:
    class Wrong(pyflow.Workflow):
        NAME = "Wrong"

        def run(self, given: Any) -> Any:
            self.swf.continue_as_new(tasklist="x")

    with Stepper(Wrong) as step:
        assert "no option tasklist" in step.attributes(step.decide().decisions[-1])["details"]


class Outsider(pyflow.Workflow):
    NAME = "Outsider"

    def run(self, given: Any) -> Any:
        leaked.append(self)
        self.swf.sleep(5)


leaked: list[Outsider] = []


def test_use_from_outside_of_workflow_code_is_refused() -> None:
    with Stepper(Outsider) as step:
        step.decide()
        with pytest.raises(pyflow.PyflowException, match="only inside that workflow's own code"):
            leaked[0].swf.invoke_lambda("f")


class OnceMisused(pyflow.Workflow):
    NAME = "OnceMisused"

    def run(self, misuse: str) -> Any:
        timer = self.swf.start_timer(5)
        misuses: dict[str, Callable[[], object]] = {
            "ask": lambda: self.swf.start_timer(1),
            "wait": timer.result,
            "cancel": timer.cancel,
        }
        return self.swf.invoke_once(misuses[misuse]).result()


@pytest.mark.parametrize("misuse", ["ask", "wait", "cancel"])
def test_invoke_once_must_not_use_swf(misuse: str) -> None:
    with Stepper(OnceMisused, misuse) as step:
        decisions = step.decide().decisions
        assert [each["decisionType"] for each in decisions] == [
            "StartTimer",
            "RecordMarker",
            "FailWorkflowExecution",
        ]
        assert "must not use the workflow's swf object" in step.attributes(decisions[-1])["details"]


class OnceThenOn(pyflow.Workflow):
    NAME = "OnceThenOn"

    def run(self, given: Any) -> Any:
        drawn = self.swf.invoke_once(lambda: 7).result()
        self.swf.sleep(drawn)
        return drawn


def test_after_invoke_once_the_workflow_goes_on_asking_and_waiting() -> None:
    with Stepper(OnceThenOn) as step:
        assert [each["decisionType"] for each in step.decide().decisions] == ["RecordMarker", "StartTimer"]


class Evicted(pyflow.Workflow):
    NAME = "Evicted"

    def run(self, given: Any) -> Any:
        self.swf.spawn(self.wait, "branch")
        try:
            self.swf.sleep(5)
        finally:
            seen.append("main")
            self.swf.start_timer(9)  # raises at once: nothing may be decided while leaving memory
            seen.append("never")

    def wait(self, name: str) -> None:
        try:
            self.swf.sleep(50)
        except BaseException as error:
            seen.append(f"{name} {type(error).__name__}")
            try:
                self.swf.sleep(1)
            except BaseException:
                seen.append("again")


seen: list[str] = []


def test_eviction_unwinds_oldest_first_and_decides_nothing() -> None:
    step = Stepper(Evicted)
    step.history.decision_task()
    step.advance(step.execution)
    seen.clear()
    step.execution.evict()
    assert seen == ["main", "branch WorkflowEvicted", "again"]
    step.execution.evict()
    with pytest.raises(pyflow.exceptions.StaleExecutionError, match="evicted"):
        step.advance(step.execution)


class Stubborn(pyflow.Workflow):
    NAME = "Stubborn"

    def run(self, given: Any) -> Any:
        while True:
            try:
                self.swf.sleep(5)
            except BaseException:
                continue


def test_code_that_swallows_its_eviction_is_given_up() -> None:
    step = Stepper(Stubborn)
    step.history.decision_task()
    step.advance(step.execution)
    step.execution.evict()
    assert step.execution.waiting_at() == []
