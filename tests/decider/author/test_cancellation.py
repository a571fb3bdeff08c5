"""Cancellation: delivered where code is blocked; scopes, shields, clean-up; cancel of everything that was asked for."""

from __future__ import annotations

from typing import Any

import pyflow
import pytest
from pyflow.testing import ActivityCanceled, Never, Stepper, Takes, WorkflowEnvironment


class CleansUp(pyflow.Workflow):
    NAME = "CleansUp"
    work = pyflow.ActivityDescriptor("work", "1.0")
    undo = pyflow.ActivityDescriptor("undo", "1.0")

    def run(self, mode: str) -> Any:
        try:
            self.work(mode).result()
        except pyflow.WorkflowCanceledException:
            self.undo("first").result()
            if mode == "refuse":
                return "went on"
            raise
        finally:
            if mode == "finally":
                self.undo("second").result()
        return "done"


ACTIVITIES = {"work": lambda mode: Takes(100, mode), "undo": lambda step: Takes(1, step)}


@pytest.mark.parametrize(("mode", "status"), [("let through", "Canceled"), ("finally", "Canceled"), ("refuse", None)])
def test_cancel_of_an_execution(mode: str, status: str | None) -> None:
    with WorkflowEnvironment([CleansUp], activities=ACTIVITIES) as env:
        handle = env.start(CleansUp, mode)
        env.skip(5)
        handle.cancel()
        handle.cancel()  # a second request must not disturb the clean-up
        env.run_until_closed(handle)
        assert handle.close_status == (status or "Completed")
        undone = [
            event["activityTaskScheduledEventAttributes"]["input"]
            for event in handle.history()
            if event["eventType"] == "ActivityTaskScheduled"
        ]
        assert undone[1:] == (['"first"', '"second"'] if mode == "finally" else ['"first"'])


def test_the_awaited_activity_is_asked_to_stop() -> None:
    with Stepper(CleansUp, "let through") as step:
        step.decide()
        step.history.activity_started("activity1")
        step.history.cancel_requested()
        assert step.kinds() == ["RequestCancelActivityTask", "ScheduleActivityTask"]
        step.history.activity_completed("activity2")
        assert step.kinds() == ["CancelWorkflowExecution"]


class Shielded(pyflow.Workflow):
    NAME = "Shielded"
    work = pyflow.LambdaDescriptor("work")

    def run(self, given: Any) -> Any:
        with self.swf.shield():
            first = self.work(1).result()
        return [first, self.work(2).result()]


def test_a_shield_defers_cancellation() -> None:
    with Stepper(Shielded) as step:
        step.decide()
        step.history.cancel_requested()
        assert step.kinds() == []
        step.history.lambda_completed("lambda1", 1)
        assert step.kinds() == ["CancelWorkflowExecution"]


class Scoped(pyflow.Workflow):
    NAME = "Scoped"
    work = pyflow.ActivityDescriptor("work", "1.0")

    def run(self, given: Any) -> Any:
        with self.swf.cancel_scope(timeout=10) as scope:
            self.work("slow").result()
        outcome = [scope.canceled, scope.timed_out]
        with self.swf.cancel_scope(timeout=1000) as inner:
            self.swf.sleep(3)
        return [*outcome, inner.canceled, inner.timed_out]


def test_a_scope_with_a_timeout() -> None:
    with WorkflowEnvironment([Scoped], activities={"work": lambda mode: Never}) as env:
        handle = env.start(Scoped)
        env.run_until_closed(handle)
        assert handle.result() == [True, True, False, False]
        kinds = [event["eventType"] for event in handle.history()]
        assert kinds.count("ActivityTaskCancelRequested") == 1
        assert kinds.count("TimerCanceled") == 1  # the second scope's own timer


class CancelsItsOwn(pyflow.Workflow):
    """Cancels each kind of thing it has asked for."""

    NAME = "CancelsItsOwn"
    work = pyflow.ActivityDescriptor("work", "1.0")
    call = pyflow.LambdaDescriptor("call")
    child = pyflow.ChildWorkflowDescriptor("Sleeper", "1.0")

    def run(self, given: Any) -> Any:
        swf = self.swf
        futures: list[Any] = [swf.start_timer(1000), self.work("x"), self.call(1), self.child()]
        unsent = swf.start_timer(5)
        unsent.cancel()
        swf.sleep(2)
        for future in futures:
            future.cancel()
        swf.wait_for_all(futures)
        return [type(future.exception).__name__ for future in (*futures, unsent)]


class Sleeper(pyflow.Workflow):
    NAME = "Sleeper"

    def run(self, given: Any) -> None:
        self.swf.sleep(500)


def test_futures_can_be_canceled() -> None:
    def stops(text: str) -> Any:
        raise ActivityCanceled("as asked")

    with WorkflowEnvironment(
        [CancelsItsOwn, Sleeper], activities={"work": stops}, lambdas={"call": lambda n: Never}
    ) as env:
        handle = env.start(CancelsItsOwn)
        env.run_until_closed(handle)
        assert handle.result() == ["InvocationCanceledException"] * 5
        kinds = [event["eventType"] for event in handle.history()]
        assert "TimerCanceled" in kinds
        assert "RequestCancelExternalWorkflowExecutionInitiated" in kinds
        assert "ChildWorkflowExecutionCanceled" in kinds
        started = [
            event["timerStartedEventAttributes"]["timerId"]
            for event in handle.history()
            if event["eventType"] == "TimerStarted"
        ]
        assert "sleep2" not in started  # withdrawn before it was sent


class EarlyChildCancel(pyflow.Workflow):
    NAME = "EarlyChildCancel"
    child = pyflow.ChildWorkflowDescriptor("Sleeper", "1.0")

    def run(self, given: Any) -> Any:
        kid = self.child()
        self.swf.wait_for_signal("now")
        kid.cancel()
        self.swf.wait_for_all(kid)
        return type(kid.exception).__name__


def test_a_child_that_has_not_started_is_canceled_once_it_has() -> None:
    with Stepper(EarlyChildCancel) as step:
        child = step.attributes(step.decide().decisions[0])["workflowId"]
        step.history.signal("now")
        assert step.kinds() == []
        step.history.child_started(child)
        assert step.kinds() == ["RequestCancelExternalWorkflowExecution"]
        step.history.external_cancel_delivered(child)
        step.history.child_closed(child, "Canceled")
        assert step.kinds() == ["CompleteWorkflowExecution"]


class BranchCancel(pyflow.Workflow):
    NAME = "BranchCancel"
    work = pyflow.ActivityDescriptor("work", "1.0")

    def run(self, given: Any) -> Any:
        log: list[str] = []

        def branch() -> None:
            try:
                self.work("x").result()
            except pyflow.WorkflowCanceledException:
                log.append("branch canceled")
                raise

        running = self.swf.spawn(branch)
        self.swf.sleep(1)
        running.cancel()
        self.swf.wait_for_all(running)
        return [*log, running.failed, type(running.exception).__name__]


def test_a_branch_can_be_canceled() -> None:
    with WorkflowEnvironment([BranchCancel], activities={"work": lambda text: Never}) as env:
        assert env.run(BranchCancel) == ["branch canceled", True, "InvocationCanceledException"]


class StopsWhileBackingOff(pyflow.Workflow):
    NAME = "StopsWhileBackingOff"
    work = pyflow.ActivityDescriptor("work", "1.0", retry=pyflow.RetryPolicy(initial_interval=50, maximum_attempts=9))

    def run(self, given: Any) -> Any:
        future = self.work("x")
        self.swf.sleep(5)
        future.cancel()
        return type(future.exception).__name__


def test_cancel_between_two_attempts() -> None:
    def fails(text: str) -> Any:
        raise ValueError(text)

    with WorkflowEnvironment([StopsWhileBackingOff], activities={"work": fails}) as env:
        handle = env.start(StopsWhileBackingOff)
        env.run_until_closed(handle)
        assert handle.result() == "InvocationCanceledException"
        assert [e["eventType"] for e in handle.history()].count("ActivityTaskScheduled") == 1


def test_cancel_races_with_completion() -> None:
    """The activity ended while the decision to cancel it was being made."""
    with Stepper(CleansUp, "let through") as step:
        step.decide()
        step.history.activity_started("activity1")
        step.history.cancel_requested()
        advance = step.ask()
        step.history.activity_completed("activity1", "too late")
        completed = step.history.complete_task(advance.execution_context)
        step.history.add(
            "RequestCancelActivityTaskFailed",
            {"activityId": "activity1", "cause": "ACTIVITY_ID_UNKNOWN", "decisionTaskCompletedEventId": completed},
        )
        attributes = {**step.attributes(advance.decisions[1]), "decisionTaskCompletedEventId": completed}
        scheduled = step.history.add("ActivityTaskScheduled", {**attributes, "taskList": {"name": "x"}})
        step.history._opened["activity", "activity2"] = scheduled
        assert step.kinds() == []
        step.history.activity_completed("activity2")
        assert step.kinds() == ["CancelWorkflowExecution"]


@pytest.mark.parametrize("started_before", [True, False])
def test_an_activity_that_ends_in_the_turn_that_cancels_it_is_not_asked_to_stop(started_before: bool) -> None:
    """The cancellation came first, then the activity's own events, and one decision sees them all."""
    with Stepper(CleansUp, "let through") as step:
        step.decide()
        if started_before:
            step.history.activity_started("activity1")
        step.history.cancel_requested()
        if not started_before:
            step.history.activity_started("activity1")
        step.history.activity_completed("activity1", "in time")
        assert step.kinds() == ["ScheduleActivityTask"], "to undo; there is nothing left to cancel"
        step.history.activity_started("activity2")
        step.history.activity_completed("activity2")
        assert step.kinds() == ["CancelWorkflowExecution"]


class StopsRetrying(pyflow.Workflow):
    NAME = "StopsRetrying"
    work = pyflow.ActivityDescriptor("work", "1.0", retry=pyflow.RetryPolicy(initial_interval=0))

    def run(self, given: Any) -> Any:
        future = self.work("x")
        self.swf.wait_for_signal("stop")
        future.cancel()
        return str(type(self.swf.wait_for_all(future)[0].exception).__name__)


def test_what_was_asked_to_stop_is_not_tried_again() -> None:
    with Stepper(StopsRetrying) as step:
        step.decide()
        step.history.activity_started("activity1")
        step.history.signal("stop")
        assert step.kinds() == ["RequestCancelActivityTask"]
        step.history.activity_failed("activity1", "pyflow.WorkerLost")
        assert step.attributes(step.decide().decisions[-1])["result"] == '"InvocationFailedException"'


class CanceledTwice(pyflow.Workflow):
    NAME = "CanceledTwice"

    def run(self, given: Any) -> Any:
        log: list[str] = []

        def branch() -> None:
            try:
                self.swf.sleep(50)
            except pyflow.WorkflowCanceledException:
                log.append("first")
            self.swf.sleep(60)
            log.append("slept")

        with self.swf.cancel_scope() as scope:
            running = self.swf.spawn(branch)
            self.swf.sleep(1)
            running.cancel()
            scope.cancel()
        running.result()
        return log


def test_two_cancellations_at_once_are_one_delivery() -> None:
    with WorkflowEnvironment([CanceledTwice]) as env:
        assert env.run(CanceledTwice) == ["first", "slept"]
