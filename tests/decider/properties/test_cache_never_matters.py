"""Property: a parked execution, a fresh one and one that loses its cache at random decide the same, task by task.

Hypothesis writes workflow programs and a world (durations, failures, signals, cancellation, events during decisions,
lost decision tasks). Everything runs on the embedded SWF's engine, so the orders of events are real ones.
"""

from __future__ import annotations

import random
from typing import Any, ClassVar

import pyflow
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from pyflow.core.execution import Execution
from pyflow.core.values import Advance, Decision, ExecutionSettings
from pyflow.testing import Fails, Never, Takes, WorkflowEnvironment

SMALL = ExecutionSettings(decisions_per_answer_max=4, open_activities_max=3)
RETRY = pyflow.RetryPolicy(maximum_attempts=3, initial_interval=1, jitter=0.5)
RUN_FOR_S = 5_000


class Program(pyflow.Workflow):
    """Runs the program it is given."""

    NAME = "Program"
    OPTIONS: ClassVar[dict[str, Any]] = {
        "defaultTaskStartToCloseTimeout": 20,
        "defaultExecutionStartToCloseTimeout": RUN_FOR_S,
    }

    work = pyflow.ActivityDescriptor("work", "1.0", timeout=30, retry=RETRY)
    plain = pyflow.ActivityDescriptor("work", "1.0", timeout=30)
    call = pyflow.LambdaDescriptor("call", timeout=60)
    child = pyflow.ChildWorkflowDescriptor("Kid", "1.0")

    def run(self, program: list[Any]) -> list[Any]:
        self.log: list[Any] = []
        self.noted: list[Any] = []
        self.swf.on_signal("note", self.note)
        self.perform(program, [])
        return self.log

    def note(self, signal: pyflow.Signal[Any]) -> None:
        self.noted.append(signal.payload)
        if signal.payload == 3:
            self.swf.sleep(2)
            self.log.append("noted three")

    def perform(self, program: list[Any], futures: list[Any]) -> None:
        for operation, *arguments in program:
            try:
                self.one(operation, arguments, futures)
            except (pyflow.InvocationException, pyflow.WaitTimedOutException) as error:
                self.log.append([operation, type(error).__name__])

    def one(self, operation: str, arguments: list[Any], futures: list[Any]) -> None:
        swf = self.swf
        match operation:
            case "work":
                futures.append(self.work(arguments[0]))
            case "plain":
                futures.append(self.plain(arguments[0]))
            case "call":
                futures.append(self.call(arguments[0]))
            case "child":
                futures.append(self.child(arguments[0]))
            case "timer":
                futures.append(swf.start_timer(arguments[0]))
            case "sleep":
                swf.sleep(arguments[0])
            case "once":
                self.log.append(swf.invoke_once(lambda: arguments[0]).result())
            case "result":
                if futures:
                    self.log.append(futures.pop(0).result())
            case "all":
                self.log.append(len(swf.wait_for_all(futures)))
            case "any":
                if futures:
                    done = swf.wait_for_any(futures)
                    futures[:] = [future for future in futures if future not in done]
                    self.log.append(len(done))
            case "timed":
                swf.timed_wait_for_all(arguments[0], *futures)
            case "signal":
                self.log.append(swf.wait_for_signal("go", timeout=arguments[0]).payload)
            case "branch":
                futures.append(swf.spawn(self.perform, arguments[0], []))
            case "scope":
                with swf.cancel_scope(timeout=arguments[0]) as scope:
                    self.perform(arguments[1], [])
                self.log.append(["scope", scope.canceled])
            case "shield":
                with swf.shield():
                    self.perform(arguments[0], [])
            case "cancel":
                if futures:
                    futures[-1].cancel()
            case "until":
                swf.wait_until(lambda: len(self.noted) >= arguments[0], timeout=20)
            case "patched":
                self.log.append(swf.patched(arguments[0]))
            case "version":
                self.log.append(swf.version("part", 1, 3, 2))
            case "own":
                self.log.append([str(swf.uuid4()), swf.random().random()])
            case "status":
                swf.set_status(len(self.log))
            case _:
                raise AssertionError(operation)


class Kid(pyflow.Workflow):
    NAME = "Kid"
    call = pyflow.LambdaDescriptor("call")

    def run(self, number: int) -> int:
        try:
            self.swf.sleep(number)
        finally:
            with self.swf.shield():
                number += 1
        return self.call(number).result()


SECONDS = st.integers(0, 6)
SIMPLE = st.one_of(
    st.tuples(st.sampled_from(["work", "plain", "call", "child", "timer", "sleep", "once"]), SECONDS),
    st.tuples(st.sampled_from(["result", "all", "any", "cancel", "own", "status", "version"])),
    st.tuples(st.just("timed"), SECONDS),
    st.tuples(st.just("signal"), st.integers(1, 30)),
    st.tuples(st.just("until"), st.integers(1, 3)),
    st.tuples(st.just("patched"), st.sampled_from(["a", "b"])),
)
PROGRAMS = st.recursive(
    st.lists(SIMPLE, min_size=2, max_size=9),
    lambda inner: st.lists(
        st.one_of(
            SIMPLE,
            st.tuples(st.just("branch"), inner),
            st.tuples(st.just("scope"), st.integers(1, 8), inner),
            st.tuples(st.just("shield"), inner),
        ),
        min_size=1,
        max_size=6,
    ),
    max_leaves=40,
)


class World:
    """One run: three ways of keeping executions, compared at every decision task."""

    def __init__(self, seed: int, *, busy: bool, lossy: bool) -> None:
        self._random = random.Random(seed)
        self._busy = busy
        self._lossy = lossy
        self._kept: dict[tuple[str, str], Execution] = {}
        self.compared = 0
        self.env = WorkflowEnvironment(
            [Program, Kid],
            lambdas={"call": self._work},
            activities={"work": self._work},
            decide=self._decide,
            settings=SMALL,
        )

    def _work(self, number: int) -> Any:
        dice = self._random.random()
        if dice < 0.15:
            raise Fails("BAD", "luck")
        if dice < 0.2:
            return Never
        if dice < 0.23:
            raise Fails("ServiceException")
        return Takes(self._random.choice([0, 0.3, 1, 2, 5]), number)

    def _advance(self, way: str, task: dict[str, Any]) -> Advance:
        run_id = task["workflowExecution"]["runId"]
        kept = self._kept.pop((way, run_id), None)
        forgets = way == "fresh" or (way == "forgetful" and self._random.random() < 0.4)
        fits = kept is not None and kept.last_started_event_id == task["previousStartedEventId"]
        if kept is not None and (forgets or not fits):
            kept.evict()
            kept = None
        kind = (task["workflowType"]["name"], task["workflowType"]["version"])
        execution = kept or Execution(
            {"Program": Program, "Kid": Kid}[kind[0]],
            domain="test",
            workflow_id=task["workflowExecution"]["workflowId"],
            run_id=run_id,
            workflow_type=kind,
            settings=SMALL,
        )
        self._kept[way, run_id] = execution
        return execution.advance(
            task["events"],
            previous_started_event_id=task["previousStartedEventId"],
            started_event_id=task["startedEventId"],
        )

    def _decide(self, task: dict[str, Any]) -> tuple[list[Decision], str | None] | None:
        answers = {way: self._advance(way, task) for way in ("parked", "fresh", "forgetful")}
        parked = answers["parked"]
        assert parked.held is None, parked.held
        assert answers["fresh"] == parked
        assert answers["forgetful"] == parked
        assert len(parked.decisions) <= 4 or any(each["decisionType"] == "RecordMarker" for each in parked.decisions)
        self.compared += 1
        if self._busy and self._random.random() < 0.5:
            self.env.pass_time(self._random.choice([0.1, 1, 3]))
        if self._lossy and self._random.random() < 0.15:
            return None
        return parked.decisions, parked.execution_context

    def close(self) -> None:
        for execution in self._kept.values():
            execution.evict()
        self.env.close()


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    program=PROGRAMS,
    seed=st.integers(0, 2**32),
    signals=st.lists(st.tuples(st.sampled_from(["go", "note"]), st.integers(1, 4), st.integers(0, 8)), max_size=6),
    cancel_after=st.none() | st.integers(0, 25),
    busy=st.booleans(),
    lossy=st.booleans(),
)
def test_parked_fresh_and_forgetful_decide_the_same(
    program: list[Any],
    seed: int,
    signals: list[tuple[str, int, int]],
    cancel_after: int | None,
    busy: bool,
    lossy: bool,
) -> None:
    world = World(seed, busy=busy, lossy=lossy)
    try:
        handle = world.env.start(Program, program)
        left_s = RUN_FOR_S
        for name, payload, wait_s in signals:
            world.env.skip(wait_s)
            left_s -= wait_s
            if handle.close_event is None:
                handle.signal(name, payload)
        if cancel_after is not None:
            world.env.skip(cancel_after)
            if handle.close_event is None:
                handle.cancel()
        world.env.skip(left_s)
        note(f"{world.compared} decisions compared, ended {handle.close_status}")
        assert handle.close_status is not None
    finally:
        world.close()
