"""Executions begun by the real pyflow-swf 2.0.0 are finished by this decider, whatever step they had reached.

The real package runs in a process of its own. Every run goes through the embedded SWF's engine; 2.0.0 answers the
first N decision tasks of the domain, this decider all later ones, for every N.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import two_programs as programs
from pyflow.core.values import Decision
from pyflow.testing import Fails, Never, Takes, WorkflowEnvironment
from pyflow_two import HERE, environment


class Two:
    """The decider of 2.0.0, in its own process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "two_decider.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(two=True),
        )

    def decide(self, task: dict[str, Any]) -> list[Decision]:
        """What 2.0.0 answers."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(task) + "\n")
        self._process.stdin.flush()
        decisions: list[Decision] = json.loads(self._process.stdout.readline())
        return decisions

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)


@pytest.fixture(scope="module")
def two() -> Iterator[Two]:
    decider = Two()
    yield decider
    decider.close()


class World:
    """Stand-ins that behave the same in every run, and a switch from one decider to the other."""

    def __init__(
        self,
        two: Two,
        first_of_ours: int,
        *,
        cached: bool = True,
        busy_s: float = 0,
        lose_every: int = 0,
        lose: int = 0,
        signals: bool = True,
    ) -> None:
        self._signals = signals
        self._busy_s = busy_s
        self._lose_every = lose_every
        self._lose = lose
        self.tasks = 0
        self.flaky_calls = 0
        self._two = two
        self._first_of_ours = first_of_ours
        self.env = WorkflowEnvironment(
            programs.WORKFLOWS,
            lambdas={"double": lambda n: n * 2, "flaky": self._flaky},
            activities={
                "shout": lambda text: Takes(2 if text == "a" else 1, text.upper()),
                "broken": self._broken,
                "slow": lambda text: Takes(20 if text == "x" else Never, text) if text == "x" else Never,
                "wait": lambda seconds: Takes(seconds, seconds),
            },
            decide=self._decide,
            cached=cached,
        )

    def _flaky(self, a: int, b: int) -> int:
        self.flaky_calls += 1
        if self.flaky_calls <= 3:
            raise Fails("ServiceException", "not now")
        return a + b

    @staticmethod
    def _broken() -> None:
        raise Fails("BROKEN", "as always")

    def _decide(self, task: dict[str, Any]) -> tuple[list[Decision], str | None] | None:
        self.tasks += 1
        if self.tasks == self._lose or (self._lose_every and self.tasks % self._lose_every == 0):
            return None
        ours = self.tasks >= self._first_of_ours
        answer = self.env.decide(task) if ours else (self._asked_two(task), None)
        if self._busy_s:
            self.env.pass_time(self._busy_s)
        return answer

    def _asked_two(self, task: dict[str, Any]) -> list[Decision]:
        decisions = self._two.decide(task)
        if self._signals:
            return decisions
        return [each for each in decisions if each["decisionType"] != "SignalExternalWorkflowExecution"]


CASES = {
    "steps": (programs.Steps, 21),
    "fan_out": (programs.FanOut, [3, 1, 2, 1, 5]),
    "fails": (programs.Fails, 2),
    "once": (programs.OnceBesideATimer, 3),
}
ALWAYS = 10_000


def _ending(workflow: Any, given: Any, world: World) -> tuple[str | None, dict[str, Any], int]:
    with world.env as env:
        handle = env.start(workflow, given)
        env.run_until_closed(handle)
        event = handle.close_event
        assert event is not None
        key = next(name for name in event if name.endswith("EventAttributes"))
        attributes = {k: v for k, v in event[key].items() if k != "decisionTaskCompletedEventId"}
        return handle.close_status, attributes, world.tasks


@pytest.mark.parametrize("name", CASES)
def test_taken_over_at_every_step(two: Two, name: str) -> None:
    workflow, given = CASES[name]
    status, attributes, tasks = _ending(workflow, given, World(two, ALWAYS))
    assert status in ("Completed", "Failed")
    for first_of_ours in range(1, tasks + 1):
        found = _ending(workflow, given, World(two, first_of_ours))
        assert found[:2] == (status, attributes), f"taken over at decision task {first_of_ours}"


def test_taken_over_without_a_cache(two: Two) -> None:
    workflow, given = CASES["steps"]
    expected = _ending(workflow, given, World(two, ALWAYS))
    for first_of_ours in (2, 5, 8, 11):
        found = _ending(workflow, given, World(two, first_of_ours, cached=False))
        assert found[:2] == expected[:2]


def test_invoke_once_is_taken_over_without_its_signals(two: Two) -> None:
    """The signals by which 2.0.0 woke itself may be missing from history: nothing but the waking hung on them."""
    workflow, given = CASES["once"]
    status, attributes, tasks = _ending(workflow, given, World(two, ALWAYS, signals=False))
    assert status == "Completed"
    assert tasks < _ending(workflow, given, World(two, ALWAYS))[2], "no signal was left out"
    for first_of_ours in range(1, tasks + 1):
        found = _ending(workflow, given, World(two, first_of_ours, signals=False))
        assert found[:2] == (status, attributes), f"taken over at decision task {first_of_ours}"


@pytest.mark.parametrize("name", ["steps", "fan_out"])
@pytest.mark.parametrize("trouble", [{"busy_s": 1.5}, {"lose_every": 3}, {"busy_s": 0.7, "lose_every": 4}])
def test_taken_over_while_events_arrive_during_decisions_and_tasks_time_out(
    two: Two, name: str, trouble: dict[str, Any]
) -> None:
    """Nothing may be held: 2.0.0 woke its code at tasks that had timed out, and saw late events a task later."""
    workflow, given = CASES[name]
    *_, tasks = _ending(workflow, given, World(two, ALWAYS, **trouble))
    for first_of_ours in range(1, tasks + 1, 2):
        status, attributes, _ = _ending(workflow, given, World(two, first_of_ours, **trouble))
        assert status == "Completed", attributes


@pytest.mark.parametrize("lost", [2, 3, 4])
def test_two_woke_its_code_at_tasks_that_had_timed_out(two: Two, lost: int) -> None:
    """What finished before the lost task and what finished after it are taken one after the other, as 2.0.0 did."""
    workflow, given = CASES["fan_out"]
    expected = _ending(workflow, given, World(two, ALWAYS, lose=lost))
    assert expected[0] == "Completed"
    for first_of_ours in range(lost + 2, expected[2] + 1):
        assert _ending(workflow, given, World(two, first_of_ours, lose=lost))[:2] == expected[:2]


def test_a_whole_history_of_two_replays(two: Two) -> None:
    """Each decision of 2.0.0 is made again, in the same order and with the same ids."""
    workflow, given = CASES["steps"]
    world = World(two, ALWAYS)
    with world.env as env:
        handle = env.start(workflow, given)
        env.run_until_closed(handle)
        history = handle.history()
    from pyflow.testing import replay

    outcome = replay(workflow, history)
    assert outcome.decisions_checked == sum(event["eventType"] == "DecisionTaskCompleted" for event in history)
