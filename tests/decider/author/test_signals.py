"""Signals: waited for, handled, kept until wanted; with payload and sender; sent to other executions."""

from __future__ import annotations

import contextlib
from typing import Any

import pyflow
import pytest
from pyflow.testing import Stepper, WorkflowEnvironment


class Waits(pyflow.Workflow):
    NAME = "Waits"

    def run(self, timeout: int | None) -> Any:
        signal = self.swf.wait_for_signal("go", timeout=timeout)
        return [signal.name, signal.payload, signal.sender, signal.event_id, signal.time.isoformat()]


def test_payload_sender_and_time() -> None:
    with Stepper(Waits) as step:
        step.decide()
        event_id = step.history.signal("go", {"n": 1}, sender=("other", "run-9"))
        at = step.history.events[event_id - 1]["eventTimestamp"]
        closing = step.decide().decisions[-1]
        assert step.attributes(closing)["result"].startswith(f'["go", {{"n": 1}}, ["other", "run-9"], {event_id}, ')
        assert at == pytest.approx(1_700_000_000, abs=100)


def test_a_signal_that_came_before_anybody_waited_is_kept() -> None:
    with Stepper(Waits) as step:
        step.history.signal("go", 1)
        step.history.signal("other", 2)
        assert step.kinds() == ["CompleteWorkflowExecution"]


def test_a_payload_that_is_no_json_is_given_as_text() -> None:
    with Stepper(Waits) as step:
        step.history.add("WorkflowExecutionSignaled", {"signalName": "go", "input": "not json"})
        closing = step.decide().decisions[-1]
        assert '"not json"' in step.attributes(closing)["result"]


def test_a_timeout_of_the_wait() -> None:
    with WorkflowEnvironment([Waits]) as env:
        handle = env.start(Waits, 30)
        env.run_until_closed(handle)
        assert handle.close_status == "Failed"
        assert "WaitTimedOutException" in handle.close_event["workflowExecutionFailedEventAttributes"]["details"]


class Twice(pyflow.Workflow):
    NAME = "Twice"

    def run(self, given: Any) -> Any:
        with contextlib.suppress(pyflow.WaitTimedOutException):
            self.swf.wait_for_signal("go", timeout=5)
        return self.swf.wait_for_signal("go").payload


def test_a_wait_that_timed_out_does_not_swallow_a_later_signal() -> None:
    with WorkflowEnvironment([Twice]) as env:
        handle = env.start(Twice)
        env.skip(10)
        handle.signal("go", "late")
        env.run_until_closed(handle)
        assert handle.result() == "late"


class Handles(pyflow.Workflow):
    NAME = "Handles"
    work = pyflow.LambdaDescriptor("work")

    def run(self, given: Any) -> Any:
        self.seen: list[Any] = []
        self.swf.on_signal("add", self.add)
        self.swf.on_signal(None, lambda signal: self.seen.append(["other", signal.name]))
        self.swf.wait_until(lambda: len(self.seen) >= 3)
        return self.seen

    def add(self, signal: pyflow.Signal[int]) -> None:
        self.seen.append(self.work(signal.payload).result())


def test_handlers_may_block_and_one_may_take_the_rest() -> None:
    with WorkflowEnvironment([Handles], lambdas={"work": lambda n: n * 10}) as env:
        handle = env.start(Handles)
        handle.signal("add", 1)
        env.settle()
        handle.signal("strange")
        handle.signal("add", 2)
        env.run_until_closed(handle)
        assert handle.result() == [10, ["other", "strange"], 20]


class FailingHandler(pyflow.Workflow):
    NAME = "FailingHandler"

    def run(self, given: Any) -> Any:
        def refuse(signal: pyflow.Signal[Any]) -> None:
            raise pyflow.WorkflowFailedException("REFUSED", str(signal.payload))

        self.swf.on_signal("no", refuse)
        self.swf.sleep(100)


def test_an_exception_of_a_handler_fails_the_workflow() -> None:
    with Stepper(FailingHandler) as step:
        step.decide()
        step.history.signal("no", "thanks")
        decision = step.decide().decisions[-1]
        assert step.attributes(decision) == {"reason": "REFUSED", "details": "thanks"}


class Sends(pyflow.Workflow):
    NAME = "Sends"

    def run(self, target: str) -> Any:
        delivered = self.swf.signal_execution(target, "go", {"from": "sender"})
        self.swf.wait_for_all(delivered)
        if delivered.failed:
            return str(delivered.exception)
        return "delivered"


def test_signal_another_execution() -> None:
    with WorkflowEnvironment([Waits, Sends]) as env:
        receiver = env.start(Waits)
        sender = env.start(Sends, receiver.workflow_id)
        env.run_until_closed(sender)
        env.run_until_closed(receiver)
        assert sender.result() == "delivered"
        assert receiver.result()[:3] == ["go", {"from": "sender"}, [sender.workflow_id, sender.run_id]]


def test_signal_to_nobody_fails() -> None:
    with WorkflowEnvironment([Sends]) as env:
        assert env.run(Sends, "nobody") == "UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION"


class LateSignal(pyflow.Workflow):
    NAME = "LateSignal"
    work = pyflow.LambdaDescriptor("work")

    def run(self, given: Any) -> Any:
        self.swf.on_signal("extra", lambda signal: self.work(signal.payload))
        return self.work(0).result()


def test_a_signal_during_the_last_decision_is_handled_before_the_close_is_tried_again() -> None:
    with Stepper(LateSignal) as step:
        step.decide()
        step.history.lambda_completed("lambda1", "end")
        first = step.ask()
        assert first.closed
        step.history.signal("extra", 7)
        completed = step.history.complete_task(first.execution_context)
        step.history.add(
            "CompleteWorkflowExecutionFailed",
            {"cause": "UNHANDLED_DECISION", "decisionTaskCompletedEventId": completed},
        )
        assert step.kinds() == ["ScheduleLambdaFunction", "CompleteWorkflowExecution"]


class OnFuture(pyflow.Workflow):
    NAME = "OnFuture"
    work = pyflow.LambdaDescriptor("work")

    def run(self, given: Any) -> Any:
        go, work = self.swf.signal("go"), self.work(1)
        return [future is go for future in self.swf.wait_for_any(go, work)]


def test_signal_futures_mix_with_others() -> None:
    with Stepper(OnFuture) as step:
        step.decide()
        step.history.signal("go")
        assert step.attributes(step.decide().decisions[-1])["result"] == "[true]"
