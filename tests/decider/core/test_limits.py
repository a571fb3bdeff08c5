"""SWF's limits are met before they hurt: decisions per answer, open entities, payload sizes, length of history."""

from __future__ import annotations

import json
from typing import Any

import pyflow
import pytest
from pyflow.core.values import ExecutionSettings
from pyflow.testing import Stepper, Takes, WorkflowEnvironment


class Many(pyflow.Workflow):
    NAME = "Many"
    work = pyflow.ActivityDescriptor("work", "1.0")

    def run(self, count: int) -> Any:
        futures = [self.work(number) for number in range(count)]
        return sum(self.swf.gather(futures))


def test_250_decisions_in_one_turn() -> None:
    with Stepper(Many, 250) as step:
        seen: list[str] = []
        sizes = []
        while len(seen) < 250:
            advance = step.decide()
            sizes.append(len(advance.decisions))
            seen += [
                step.attributes(each)["activityId"]
                for each in advance.decisions
                if each["decisionType"] == "ScheduleActivityTask"
            ]
            more = [each for each in advance.decisions if each["decisionType"] == "StartTimer"]
            if len(seen) < 250:
                assert step.attributes(more[0])["startToFireTimeout"] == "0"
                step.history.timer_fired(step.attributes(more[0])["timerId"])
            else:
                assert not more
        assert seen == [f"activity{number}" for number in range(1, 251)]
        assert sizes == [100, 100, 52]


def test_250_decisions_end_to_end() -> None:
    with WorkflowEnvironment([Many], activities={"work": lambda number: number}, cached=False) as env:
        assert env.run(Many, 250) == sum(range(250))


def test_1500_activities_under_the_limit_of_1000_open() -> None:
    settings = ExecutionSettings()
    with WorkflowEnvironment(
        [Many], activities={"work": lambda number: Takes(60 + number % 7, number)}, settings=settings
    ) as env:
        handle = env.start(Many, 1500)
        env.run_until_closed(handle)
        assert handle.result() == sum(range(1500))
        history = handle.history()
    kinds = [event["eventType"] for event in history]
    assert kinds.count("ScheduleActivityTaskFailed") == 0
    assert kinds.count("ActivityTaskScheduled") == 1500
    open_now = most = 0
    for kind in kinds:
        open_now += (kind == "ActivityTaskScheduled") - (kind == "ActivityTaskCompleted")
        most = max(most, open_now)
    assert most == 1000
    # 1,500 activities are 4,500 events; a storm of refusals would be many thousands more.
    assert len(kinds) < 4500 + 4 * 1500


def test_results_recorded_once_are_all_in_the_answer_that_used_them() -> None:
    class Onces(pyflow.Workflow):
        NAME = "Onces"

        def run(self, count: int) -> Any:
            return sum(self.swf.invoke_once(lambda: next(numbers)).result() for _ in range(count))

    numbers = iter(range(10_000))
    with WorkflowEnvironment([Onces], cached=False) as env:
        handle = env.start(Onces, 120)
        env.run_until_closed(handle)
        assert handle.result() == sum(range(120))  # each called once, although every decision replayed all


class BigResult(pyflow.Workflow):
    NAME = "BigResult"

    def run(self, size: int) -> Any:
        return "x" * size


def test_a_result_of_40000_characters_is_a_typed_failure() -> None:
    with Stepper(BigResult, 40_000) as step:
        attributes = step.attributes(step.decide().decisions[-1])
        assert attributes["reason"] == "RESULT_TOO_LARGE"
        assert "40,002 characters" in attributes["details"]
        assert "offload" in attributes["details"]


class BigInput(pyflow.Workflow):
    NAME = "BigInput"
    work = pyflow.LambdaDescriptor("work")

    def run(self, size: int) -> Any:
        try:
            self.work("x" * size)
        except pyflow.PayloadTooLargeException as error:
            return [error.length, error.limit]


def test_a_large_input_is_refused_where_it_is_given() -> None:
    with Stepper(BigInput, 40_000) as step:
        assert step.attributes(step.decide().decisions[-1])["result"] == "[40002, 32768]"


class BigInputs(pyflow.Workflow):
    NAME = "BigInputs"
    work = pyflow.LambdaDescriptor("work")

    def run(self, count: int) -> Any:
        return len([self.work("x" * 30_000) for _ in range(count)] and self.swf.gather(*self.futures(count)))

    def futures(self, count: int) -> list[Any]:
        return [self.work("y" * 30_000) for _ in range(count)]


def test_an_answer_stays_under_a_megabyte() -> None:
    with Stepper(BigInputs, 40) as step:
        advance = step.decide()
        assert len(json.dumps(advance.decisions)) < 1_000_000
        assert advance.decisions[-1]["decisionType"] == "StartTimer"
        assert '"held":' in (advance.execution_context or "")


class LongLived(pyflow.Workflow):
    NAME = "LongLived"

    def run(self, rounds: int) -> Any:
        for done in range(rounds):
            if self.swf.should_continue_as_new:
                self.swf.continue_as_new(rounds - done)
            self.swf.sleep(1)
        return "end"


def test_a_long_life_continues_before_history_is_full() -> None:
    settings = ExecutionSettings(history_events_advice=100)
    with WorkflowEnvironment([LongLived], settings=settings) as env:
        handle = env.start(LongLived, 50)
        runs = 1
        env.run_until_closed(handle)
        while handle.close_status == "ContinuedAsNew":
            assert len(handle.history()) < 120
            attributes = handle.close_event["workflowExecutionContinuedAsNewEventAttributes"]
            handle = type(handle)(env, handle.workflow_id, attributes["newExecutionRunId"])
            env.run_until_closed(handle)
            runs += 1
        assert handle.result() == "end"
        assert runs == 3


class Loops(pyflow.Workflow):
    NAME = "Loops"

    def run(self, given: Any) -> Any:
        while True:
            self.swf.start_timer(5)


def test_a_loop_that_asks_for_ever_is_named_by_its_line() -> None:
    with Stepper(Loops, settings=ExecutionSettings(commands_per_turn_max=1000)) as step:
        advance = step.ask()
        assert advance.held is not None
        assert advance.held.kind == "stuck"
        assert "test_limits.py:" in advance.held.message
        assert "never blocks" in advance.held.message


@pytest.mark.parametrize("kind", ["timer", "child", "lambda"])
def test_other_kinds_are_held_back_too(kind: str) -> None:
    class Others(pyflow.Workflow):
        NAME = "Others"

        def run(self, given: Any) -> Any:
            make = {
                "timer": lambda: self.swf.start_timer(5),
                "child": lambda: self.swf.invoke_child_workflow("Kid", "1.0"),
                "lambda": lambda: self.swf.invoke_lambda("f"),
            }[kind]
            return len(self.swf.wait_for_all([make() for _ in range(5)]))

    settings = ExecutionSettings(open_timers_max=3, open_children_max=3, open_lambdas_max=3)
    with Stepper(Others, settings=settings) as step:
        advance = step.decide()
        assert len(advance.decisions) == 3
        assert advance.execution_context == '{"pyflow":3,"held":2}'


def test_many_markers_are_spread_over_turns() -> None:
    class Notes(pyflow.Workflow):
        NAME = "Notes"

        def run(self, count: int) -> Any:
            for number in range(count):
                self.swf.record_marker("note", number)
            return count

    with WorkflowEnvironment([Notes], cached=False) as env:
        handle = env.start(Notes, 130)
        env.run_until_closed(handle)
        assert handle.result() == 130
        notes = [e for e in handle.history() if e["eventType"] == "MarkerRecorded"]
        assert [e["markerRecordedEventAttributes"]["details"] for e in notes] == [str(n) for n in range(130)]
