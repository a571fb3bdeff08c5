"""The tools of pyflow.testing do what they say: time that is skipped, stand-ins, losses, types of foreign models."""

from __future__ import annotations

import re
import time
from typing import Any

import pyflow
import pytest
from pyflow.testing import Fails, HeldError, HistoryBuilder, Never, Stepper, Takes, WorkflowEnvironment


class Year(pyflow.Workflow):
    NAME = "Year"
    OPTIONS = {"defaultExecutionStartToCloseTimeout": 365 * 86_400}  # noqa: RUF012 - as users write it
    work = pyflow.ActivityDescriptor("work", "1.0", timeout=100)

    def run(self, how: str) -> Any:
        begun = self.swf.workflow_time()
        self.swf.sleep(360 * 86_400)
        try:
            got: Any = self.work(how).result()
        except pyflow.InvocationException as error:
            got = type(error).__name__
        return [got, (self.swf.workflow_time() - begun).total_seconds()]


def stand_in(how: str) -> Any:
    match how:
        case "slow":
            return Takes(50, "done")
        case "never":
            return Never
        case "fails":
            raise Fails("NO", "details")
    return how


@pytest.mark.parametrize(
    ("how", "got", "seconds"),
    [
        ("quick", "quick", 0),
        ("slow", "done", 50),
        ("never", "InvocationTimedOutException", 100),
        ("fails", "InvocationFailedException", 0),
    ],
)
def test_a_year_is_skipped_and_every_timeout_is_exact(how: str, got: str, seconds: int) -> None:
    with WorkflowEnvironment([Year], activities={"work": stand_in}) as env:
        assert env.run(Year, how) == [got, 360 * 86_400 + seconds]


class Relay(pyflow.Workflow):
    NAME = "Relay"

    def run(self, left: int) -> str:
        self.swf.sleep(60)
        if left:
            self.swf.continue_as_new(left - 1)
        return "done"


def test_runs_that_continue_as_new_are_followed() -> None:
    with WorkflowEnvironment([Relay]) as env:
        assert env.run(Relay, 3) == "done"
        handle = env.start(Relay, 1)
        with pytest.raises(pyflow.PyflowException, match="has not continued as new: it is open"):
            handle.next_run()
        env.run_until_closed(handle)
        with pytest.raises(pyflow.PyflowException, match="goes on in another run"):
            handle.result()
        env.run_until_closed(handle.next_run())
        assert handle.next_run().result() == "done"


class Listens(pyflow.Workflow):
    NAME = "Listens"

    def run(self, given: object) -> object:
        return self.swf.wait_for_signal("go").payload


def test_what_waited_for_ever_is_told_with_its_line() -> None:
    with WorkflowEnvironment([Listens]) as env:
        with pytest.raises(pyflow.PyflowException) as caught:
            env.run(Listens)
        assert re.fullmatch(
            r"Listens-1 ended as WorkflowExecutionTimedOut; it was waiting at test_environment\.py:\d+",
            str(caught.value),
        )
        handle = env.start(Listens)
        handle.signal("go", 5)
        env.run_until_closed(handle)
        assert handle.result() == 5


def test_skip_stops_at_the_given_time() -> None:
    with WorkflowEnvironment([Year], activities={"work": stand_in}) as env:
        handle = env.start(Year, "quick")
        env.skip(359 * 86_400)
        assert handle.close_status is None
        with pytest.raises(pyflow.PyflowException, match="still open"):
            handle.result()
        env.forget()
        env.skip(2 * 86_400)
        assert handle.close_status == "Completed"


class Stuck(pyflow.Workflow):
    NAME = "Stuck"
    OPTIONS = {"defaultExecutionStartToCloseTimeout": 60}  # noqa: RUF012 - as users write it

    def run(self, given: Any) -> Any:
        self.swf.wait_for_signal("never")


def test_an_end_that_is_no_result_is_told_with_its_reason() -> None:
    with WorkflowEnvironment([Stuck]) as env, pytest.raises(pyflow.PyflowException, match="TimedOut"):
        env.run(Stuck)


class Changes(pyflow.Workflow):
    NAME = "Changes"

    def run(self, given: Any) -> Any:
        for _ in range(next(counts)):
            self.swf.start_timer(1)
        self.swf.sleep(1)


counts = iter([1, 2, 3, 4])


def test_a_workflow_that_is_not_deterministic_is_found() -> None:
    with WorkflowEnvironment([Changes], cached=False) as env, pytest.raises(HeldError, match="the code now asks for"):
        env.run(Changes)


def test_the_stepper_finds_what_depends_on_the_machine() -> None:
    class Clock(pyflow.Workflow):
        NAME = "Clock"

        def run(self, given: Any) -> Any:
            return time.perf_counter_ns()

    with Stepper(Clock) as step, pytest.raises(AssertionError, match="parked execution and a replay differ"):
        step.decide()


def test_history_builder_writes_dense_ids_and_times_that_do_not_go_back() -> None:
    history = HistoryBuilder({"a": 1})
    history.decision_task()
    history.complete_task()
    history.signal("x")
    history.pass_time(60)
    history.decision_task()
    assert [event["eventId"] for event in history.events] == list(range(1, len(history.events) + 1))
    times = [event["eventTimestamp"] for event in history.events]
    assert times == sorted(times)
