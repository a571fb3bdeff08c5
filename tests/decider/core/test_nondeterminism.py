"""A changed workflow over a running execution: held with a message that shows both sides and both source lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyflow
import pytest
from pyflow.core.values import Advance
from pyflow.replayer import load_history, replay_files
from pyflow.testing import HeldError, ReplayFailed, Stepper, WorkflowEnvironment, replay


class Old(pyflow.Workflow):
    NAME = "Shop"
    charge = pyflow.ActivityDescriptor("charge", "1.0")
    ship = pyflow.LambdaDescriptor("ship")

    def run(self, order: Any) -> Any:
        paid = self.charge(order).result()  # line of the old code
        return self.ship(paid).result()


class OtherName(Old):
    charge = pyflow.ActivityDescriptor("charge_card", "1.0")

    def run(self, order: Any) -> Any:
        return self.charge(order).result()  # line of the new code


class OtherVersion(Old):
    charge = pyflow.ActivityDescriptor("charge", "2.0")


class OtherKind(Old):
    def run(self, order: Any) -> Any:
        return self.ship(order).result()


class Less(Old):
    def run(self, order: Any) -> Any:
        return self.swf.wait_for_signal("never").payload


class More(Old):
    def run(self, order: Any) -> Any:
        self.ship("first")
        return super().run(order)


class EndsEarly(Old):
    def run(self, order: Any) -> Any:
        return None


def held_after_first_step(changed: type[pyflow.Workflow]) -> Advance:
    with Stepper(Old, 1) as step:
        step.decide()
        step.history.activity_completed("activity1", "paid")
        step.history.decision_task()
        execution = step.fresh(changed)
        advance = step.advance(execution)
        execution.evict()
        return advance


def line_of(text: str) -> int:
    lines = Path(__file__).read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.endswith(f"# {text}"))


def test_the_message_shows_event_both_sides_and_both_lines() -> None:
    advance = held_after_first_step(OtherName)
    assert advance.held is not None
    assert advance.held.kind == "nondeterminism"
    assert advance.held.event_id == 5
    message = advance.held.message
    assert "event 5: history holds ActivityTaskScheduled 'charge 1.0' (id activity1)" in message
    assert f"asked for at test_nondeterminism.py:{line_of('line of the old code')};" in message
    assert "the code now asks for ScheduleActivityTask 'charge_card 1.0'" in message
    assert f"at test_nondeterminism.py:{line_of('line of the new code')}." in message
    assert "held, not failed" in message
    assert "'workflow-1' (run run-1)" in message


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (OtherVersion, "the code now asks for ScheduleActivityTask 'charge 2.0'"),
        (OtherKind, "the code now asks for ScheduleLambdaFunction 'ship'"),
        (Less, "the code now asks for nothing in that decision and waits at test_nondeterminism.py:"),
        (More, "the code now asks for ScheduleLambdaFunction 'ship'"),
        (EndsEarly, "the code now asks for the closing decision 'CompleteWorkflowExecution'"),
    ],
)
def test_every_difference_is_held(changed: type[pyflow.Workflow], words: str) -> None:
    advance = held_after_first_step(changed)
    assert advance.held is not None
    assert advance.decisions == []
    assert words in advance.held.message, advance.held.message


def test_the_fitting_build_finishes_what_was_held() -> None:
    with WorkflowEnvironment([Old], activities={"charge": lambda n: "paid"}, lambdas={"ship": lambda p: "sent"}) as env:
        handle = env.start(Old, 1)
        env._poll("PollForDecisionTask", "decider")
        answer = env.swf.take_answer()
        assert answer is not None
        env._work(*answer)
        env.forget()
        env._classes["Shop", "1.0"] = OtherName
        with pytest.raises(HeldError, match="charge_card"):
            env.settle()
        env._classes["Shop", "1.0"] = Old
        env.skip(700)  # the unanswered decision task times out and comes again
        assert handle.result() == "sent"


class Patched(Old):
    def run(self, order: Any) -> Any:
        if self.swf.patched("card"):
            self.swf.invoke_activity("charge_card", "1.0", order).result()
            return "new way"
        return super().run(order)


def test_patched_takes_old_executions_the_old_way_and_new_ones_the_new_way() -> None:
    assert held_after_first_step(Patched).held is None
    with Stepper(Patched, 1) as step:
        assert step.kinds() == ["RecordMarker", "ScheduleActivityTask"]
        step.history.activity_completed("activity1")
        assert step.attributes(step.decide().decisions[-1])["result"] == '"new way"'


class PatchRemoved(Old):
    def run(self, order: Any) -> Any:
        self.swf.invoke_activity("charge_card", "1.0", order).result()
        return "new way"


def test_a_patch_can_be_taken_out_again() -> None:
    with Stepper(Patched, 1) as step:
        step.decide()
        step.history.activity_completed("activity1")
        step.history.decision_task()
        execution = step.fresh(PatchRemoved)
        assert step.advance(execution).held is None
        execution.evict()


def versioned(minimum: int, maximum: int, allowed: int | None = None) -> type[pyflow.Workflow]:
    class Versioned(pyflow.Workflow):
        NAME = "Versioned"
        work = pyflow.LambdaDescriptor("work")

        def run(self, given: Any) -> Any:
            first = self.swf.version("part", minimum, maximum, allowed)
            self.work(first).result()
            return [first, self.swf.version("part", minimum, maximum, allowed)]

    return Versioned


def test_component_versions_roll_out_in_two_steps() -> None:
    with Stepper(versioned(1, 2, allowed=1), 0) as step:
        step.decide()  # new code, old version allowed
        step.history.lambda_completed("lambda1")
        step.history.decision_task()
        raised = step.fresh(versioned(1, 2))
        advance = step.advance(raised)
        assert step.attributes(advance.decisions[-1])["result"] == "[1, 1]"
        raised.evict()
        gone = step.fresh(versioned(2, 3))
        held = step.advance(gone).held
        gone.evict()
        assert held is not None
        assert "is at version 1; this build supports 2 to 3" in held.message
    with Stepper(versioned(1, 2), 0) as step:
        assert step.attributes(step.decide().decisions[0])["details"] == "2"


def marked(*calls: tuple[str, str]) -> type[pyflow.Workflow]:
    class Marked(pyflow.Workflow):
        NAME = "Marked"
        work = pyflow.LambdaDescriptor("work")

        def run(self, given: Any) -> Any:
            went = [self.swf.patched(name) if kind == "patch" else self.swf.version(name, 1, 2) for kind, name in calls]
            self.work().result()
            return went

    return Marked


@pytest.mark.parametrize(("kind", "old_way"), [("patch", "false"), ("version", "1")])
def test_a_change_is_not_taken_for_another_whose_name_begins_alike(kind: str, old_way: str) -> None:
    with Stepper(marked((kind, "prices-of-2026")), 0) as step:
        new_way = "true" if kind == "patch" else "2"
        step.decide()
        step.history.lambda_completed("lambda1")
        step.history.decision_task()
        execution = step.fresh(marked((kind, "prices"), (kind, "prices-of-2026")))
        advance = step.advance(execution)
        execution.evict()
        assert advance.held is None
        assert step.attributes(advance.decisions[-1])["result"] == f"[{old_way}, {new_way}]"


class Fails(pyflow.Workflow):
    NAME = "Fails"
    ON_EXCEPTION = "hold"

    def run(self, given: Any) -> Any:
        raise ZeroDivisionError("a bug")


def test_a_class_may_ask_to_be_held_on_its_own_exceptions() -> None:
    with Stepper(Fails) as step:
        held = step.ask().held
        assert held is not None
        assert held.kind == "author"
        assert "ZeroDivisionError: a bug" in held.message


def test_a_damaged_history_is_held_as_a_framework_error() -> None:
    with Stepper(Old, 1) as step:
        step.decide()
        step.history.add("ActivityTaskCompleted", {"scheduledEventId": 77, "startedEventId": 78})
        held = step.ask().held
        assert held is not None
        assert held.kind == "framework"
        assert "event 6: ActivityTaskCompleted refers to event 77" in held.message


def test_an_impossible_event_is_refused_with_the_path() -> None:
    with Stepper(Old, 1) as step:
        step.decide()
        step.history.add("ActivityTaskCompleted", {"scheduledEventId": 5, "startedEventId": 0})
        held = step.ask().held
        assert held is not None
        assert "is 'scheduled' and cannot take ActivityTaskCompleted" in held.message
        assert "So far: ActivityTaskScheduled" in held.message


@pytest.mark.parametrize("lost", [1, 3, 4])
def test_a_missing_page_is_noticed(lost: int) -> None:
    with Stepper(Old, 1) as step:
        step.decide()
        step.history.activity_completed("activity1", "paid")
        step.history.decision_task()
        events = step.history.events
        del events[lost]
        fresh = step.fresh()
        with pytest.raises(pyflow.exceptions.StaleExecutionError, match="do not follow"):
            step.advance(fresh)
        fresh.evict()


def test_a_cut_history_is_noticed() -> None:
    with Stepper(Old, 1) as step:
        step.decide()
        step.history.activity_completed("activity1", "paid")
        step.history.decision_task()
        step.history.events.pop()
        fresh = step.fresh()
        with pytest.raises(pyflow.exceptions.StaleExecutionError, match="without the start of the decision task"):
            step.advance(fresh)
        fresh.evict()


def test_an_answer_that_was_not_accepted_makes_the_parked_execution_stale() -> None:
    with Stepper(Old, 1) as step:
        step.ask()
        step.history.decision_task_timed_out()
        step.history.decision_task()
        with pytest.raises(pyflow.exceptions.StaleExecutionError):
            step.advance(step.execution)
        fresh = step.fresh()
        assert [each["decisionType"] for each in step.advance(fresh).decisions] == ["ScheduleActivityTask"]
        fresh.evict()


def _saved(tmp_path: Path) -> Path:
    with WorkflowEnvironment([Old], activities={"charge": lambda n: "paid"}, lambdas={"ship": lambda p: "sent"}) as env:
        handle = env.start(Old, 1)
        env.run_until_closed(handle)
        path = tmp_path / "history.json"
        path.write_text(json.dumps({"events": handle.history()}))
    return path


def test_replay_of_saved_histories(tmp_path: Path) -> None:
    path = _saved(tmp_path)
    outcome = replay(Old, path)
    assert outcome.decisions_checked == 3
    assert outcome.events == len(load_history(path))
    with pytest.raises(ReplayFailed, match="charge_card"):
        replay(OtherName, path)
    missing = tmp_path / "none.json"
    bad = tmp_path / "bad.json"
    bad.write_text("{")
    found = dict(replay_files(Old, [path, missing, bad]))
    assert found[str(path)] == outcome
    assert "cannot be read" in str(found[str(missing)])
    assert "is not JSON" in str(found[str(bad)])


def test_replay_of_an_open_execution_says_where_it_waits() -> None:
    with Stepper(Old, 1) as step:
        step.decide()
        outcome = replay(Old, step.history.events)
        assert outcome.waiting_at == (f"test_nondeterminism.py:{line_of('line of the old code')}",)


def test_another_ending_is_a_difference() -> None:
    class Refuses(Old):
        def run(self, order: Any) -> Any:
            super().run(order)
            raise pyflow.WorkflowFailedException("NO", "changed its mind")

    with Stepper(Old, 1) as step:
        step.decide()
        step.history.activity_completed("activity1", "paid")
        step.decide()
        step.history.lambda_completed("lambda1", "sent")
        step.decide()
        with pytest.raises(ReplayFailed, match=r"holds WorkflowExecutionCompleted; the code now asks for .*Fail"):
            replay(Refuses, step.history.events)
