"""A restarted server knows exactly what the living one knew: state folded from history equals state in memory."""

from __future__ import annotations

import contextlib
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from local_swf_driver import DOMAIN, SOME_RESTRICTIONS, WORKFLOW, Driver, Refused, decision
from pyflow_local.engine.entities import ActivityTask, Child, DecisionTask, Execution, LambdaTask, Timer
from pyflow_local.engine.restrictions import Restrictions
from pyflow_local.engine.values import LambdaOutcome
from pyflow_local.engine.world import World

# What is deliberately not the same: caches, agenda entries (compared on their own) and back references.
_SKIPPED = {"entry", "tail", "execution", "domain", "heartbeats", "parent", "start_ms", "continued_from"}
_ENTITIES = (Execution, ActivityTask, DecisionTask, Timer, Child, LambdaTask)


def plain(value: Any) -> Any:
    if isinstance(value, _ENTITIES):
        return {name: plain(getattr(value, name)) for name in type(value).__slots__ if name not in _SKIPPED}
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()} or None
    return value


def fingerprint(world: World) -> dict[str, Any]:
    due = [(entry[0], type(entry[2]).__name__) for entry in world.agenda._heap if entry[2] is not None]
    return {
        "runs": {run: plain(execution) for run, execution in world.runs.items()},
        "start": {run: execution.start_ms for run, execution in world.runs.items()},
        "due": sorted(due),
        "decisions": {key: tasks.count for key, tasks in world.decision_lists.items() if tasks.count},
        "activities": {key: tasks.count for key, tasks in world.activity_lists.items() if tasks.count},
        "domains": {name: (d.retention, d.deprecated, d.tags, sorted(d.open)) for name, d in world.domains.items()},
        "next_run": world.next_run,
    }


def living(driver: Driver) -> World:
    engine = driver.service._engine
    assert engine is not None
    return engine.world


def child(rng: random.Random) -> dict:
    return decision("StartChildWorkflowExecution", workflowId=f"w{rng.randrange(6)}", workflowType=WORKFLOW)


def some_decision(rng: random.Random) -> dict:
    key = f"i{rng.randrange(4)}"
    seconds = str(rng.randrange(0, 40))
    choices = [
        lambda: decision(
            "ScheduleActivityTask", activityType={"name": "act", "version": "1"}, activityId=key, input="x",
            taskPriority=str(rng.randrange(-2, 3)), heartbeatTimeout=rng.choice(["NONE", "20"]),
            scheduleToStartTimeout=rng.choice(["NONE", "30"]), startToCloseTimeout=rng.choice(["NONE", "40"]),
        ),
        lambda: decision("RequestCancelActivityTask", activityId=key),
        lambda: decision("StartTimer", timerId=key, startToFireTimeout=seconds),
        lambda: decision("CancelTimer", timerId=key),
        lambda: decision("RecordMarker", markerName="m"),
        lambda: decision("SignalExternalWorkflowExecution", workflowId=f"w{rng.randrange(6)}", signalName="s"),
        lambda: decision("RequestCancelExternalWorkflowExecution", workflowId=f"w{rng.randrange(6)}"),
        lambda: decision("ScheduleLambdaFunction", id=key, name="f", startToCloseTimeout="25"),
        lambda: child(rng),
    ]  # fmt: skip
    return rng.choice(choices)()


def closing(rng: random.Random) -> list[dict]:
    kinds = ["Complete", "Fail", "Cancel", "ContinueAsNew"]
    return [decision(f"{rng.choice(kinds)}WorkflowExecution")] if rng.random() < 0.15 else []


class Story:
    """A random life of a service; every choice comes from one seed."""

    def __init__(self, driver: Driver, seed: int) -> None:
        self.driver = driver
        self.rng = random.Random(seed)
        self.tokens: list[str] = []
        self.decisions: list[str] = []

    def move(self) -> None:
        moves = [self.start, self.poll, self.decide, self.decide, self.work, self.end, self.time, self.signal]
        with contextlib.suppress(Refused):
            self.rng.choice(moves)()

    def start(self) -> None:
        role = {"lambdaRole": "arn:r"} if self.rng.random() < 0.7 else {}
        policy = self.rng.choice(["TERMINATE", "REQUEST_CANCEL", "ABANDON"])
        seconds = self.rng.choice(["50", "3600"])
        self.driver.start(
            f"w{self.rng.randrange(6)}", childPolicy=policy, tagList=["t"], executionStartToCloseTimeout=seconds,
            taskStartToCloseTimeout=self.rng.choice(["10", "NONE"]), **role,
        )  # fmt: skip

    def poll(self) -> None:
        task = self.driver.poll(self.rng.choice(["tl", "mine"]))
        if task is not None:
            self.decisions.append(task["taskToken"])

    def decide(self) -> None:
        self.poll()
        if not self.decisions:
            return
        token = self.decisions.pop(self.rng.randrange(len(self.decisions)))
        batch = [some_decision(self.rng) for _ in range(self.rng.randrange(4))] + closing(self.rng)
        more: dict[str, Any] = {}
        if self.rng.random() < 0.3:
            more = {"taskList": {"name": "mine"}, "taskListScheduleToStartTimeout": "15"}
        elif self.rng.random() < 0.1:
            more = {"taskList": {"name": "tl"}}
        if self.rng.random() < 0.3:
            more["executionContext"] = f"c{self.rng.randrange(9)}"
        self.driver.call("RespondDecisionTaskCompleted", taskToken=token, decisions=batch, **more)

    def work(self) -> None:
        task = self.driver.poll_activity()
        if task is not None:
            self.tokens.append(task["taskToken"])

    def end(self) -> None:
        if self.driver.invocations and self.rng.random() < 0.5:
            self.driver.lambda_ends(LambdaOutcome(result="1"))
        if not self.tokens:
            return
        token = self.rng.choice(self.tokens)
        operation = self.rng.choice(
            ["RespondActivityTaskCompleted", "RespondActivityTaskFailed", "RespondActivityTaskCanceled"]
            + ["RecordActivityTaskHeartbeat"] * 3
        )
        details = {"details": "d"} if operation == "RecordActivityTaskHeartbeat" else {}
        self.driver.call(operation, taskToken=token, **details)

    def time(self) -> None:
        self.driver.advance(self.rng.choice([0.5, 3, 12]))

    def signal(self) -> None:
        name = f"w{self.rng.randrange(6)}"
        operation = self.rng.choice(["Signal", "RequestCancel"])
        more = {"signalName": "s"} if operation == "Signal" else {}
        self.driver.call(f"{operation}WorkflowExecution", domain=DOMAIN, workflowId=name, **more)


@settings(
    max_examples=60, deadline=None, derandomize=False, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 2**32), moves=st.integers(20, 120), restrictions=st.sampled_from([None, *SOME_RESTRICTIONS]))
def test_state_folded_from_history_equals_state_in_memory(
    tmp_path_factory: pytest.TempPathFactory, seed: int, moves: int, restrictions: Restrictions | None
) -> None:
    path = tmp_path_factory.mktemp("rebuild") / "swf.db"
    driver = Driver(path=str(path), restrictions=restrictions)
    story = Story(driver, seed)
    for _ in range(moves):
        story.move()
    before = fingerprint(living(driver))
    driver.restart()
    assert fingerprint(living(driver)) == before
    driver.store.close()


def test_tokens_and_timers_live_on(tmp_path: Path) -> None:
    driver = Driver(path=str(tmp_path / "swf.db"))
    run = driver.start()
    driver.decide(driver.schedule(heartbeatTimeout="50"), decision("StartTimer", timerId="t", startToFireTimeout="5"))
    activity = driver.poll_activity()
    assert activity is not None
    driver.call("SignalWorkflowExecution", domain=DOMAIN, workflowId="w", signalName="s")
    task = driver.poll()
    driver.call("RecordActivityTaskHeartbeat", taskToken=activity["taskToken"], details="half")
    driver.restart()
    driver.advance(5)
    driver.respond(task)
    assert "TimerFired" in driver.types(run)
    driver.advance(45)
    assert driver.last(run, "ActivityTaskTimedOut")["details"] == "half"


def test_a_lambda_that_ran_is_invoked_again(tmp_path: Path) -> None:
    driver = Driver(path=str(tmp_path / "swf.db"))
    run = driver.start(lambdaRole="arn:r")
    driver.decide(decision("ScheduleLambdaFunction", id="l", name="f"))
    driver.restart()
    assert [one.name for one in driver.invocations] == ["f"]
    driver.lambda_ends(LambdaOutcome(result="1"))
    assert driver.types(run)[5:] == ["LambdaFunctionStarted", "LambdaFunctionCompleted", "DecisionTaskScheduled"]
