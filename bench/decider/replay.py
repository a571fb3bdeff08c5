"""Replay speed and memory of the decider, beside pyflow-swf 2.0.0 in the same run.

    python bench/decider/replay.py [--quick]

Both sides replay the same histories of N sequential lambdas, payloads decoded, interleaved A B A B; figures are medians
of CPU time (one thread; ours the best of each batch: what else runs on the machine disturbs the shorter side more).
pyflow-swf 2.0.0 runs in a process of its own (installed into .setup/pyflow2).
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyflow
from pyflow.core.execution import Execution
from pyflow.core.hub import GreenletPool
from pyflow.testing import HistoryBuilder

ROOT = Path(__file__).parents[2]
PYFLOW_2 = ROOT / ".setup" / "pyflow2"
LENGTHS = (10, 100, 1_000, 5_000)
TWO_LENGTH_MAX = 1_000  # 2.0.0 takes 18 s for one replay at 5,000
PAIRS = 5
PARKED = 20_000
STAMP = '{"pyflow":3}'
GOALS = {"events_per_s": 300_000, "flat": 0.8, "times_two": 20, "parked_kb": 12.0, "run_ms": 100.0, "late": 1.2}

SIX_EVENTS = "LambdaFunctionScheduled, Started, Completed, DecisionTaskScheduled, Started, Completed"


class Sequence(pyflow.Workflow):
    """N lambdas, one after another."""

    NAME = "Sequence"
    work = pyflow.LambdaDescriptor("work")

    def run(self, steps: int) -> int:
        total = 0
        for number in range(steps):
            total += self.work(number).result()["n"]
        return total


def history_of(steps: int, execution_context: str | None = None) -> HistoryBuilder:
    """A history as 2.0.0 makes it (it has to replay it too), or with this decider's stamp."""
    history = HistoryBuilder(steps, workflow_type=("Sequence", "1.0"))
    for number in range(steps):
        history.decision_task()
        attributes = {"id": f"lambda{number + 1}", "name": "work", "input": str(number)}
        decision = {"decisionType": "ScheduleLambdaFunction", "scheduleLambdaFunctionDecisionAttributes": attributes}
        history.answer([decision], execution_context)
        history.lambda_completed(f"lambda{number + 1}", {"ok": True, "n": number, "text": "x" * 40})
    history.decision_task()
    return history


def new_execution(pool: GreenletPool | None = None) -> Execution:
    """A fresh execution of the sequence."""
    return Execution(Sequence, domain="d", workflow_id="w", run_id="r", workflow_type=("Sequence", "1.0"), pool=pool)


def replay_s(task: dict[str, Any], pool: GreenletPool) -> float:
    """CPU seconds of one full replay."""
    started = time.process_time()
    execution = new_execution(pool)
    advance = execution.advance(
        task["events"],
        previous_started_event_id=task["previousStartedEventId"],
        started_event_id=task["startedEventId"],
    )
    spent = time.process_time() - started
    assert advance.closed, advance
    execution.evict()
    return spent


TWO = """
import datetime, gc, json, logging, sys, time
import pyflow
logging.disable(logging.CRITICAL)
class Sequence(pyflow.Workflow):
    NAME = "Sequence"
    VERSION = "1.0"
    work = pyflow.LambdaDescriptor("work")
    def run(self, steps):
        total = 0
        for number in range(steps):
            total += self.work(number).result()["n"]
        return total
decider = pyflow.Decider([Sequence], "d", "t", "i", client=object())
for line in sys.stdin:
    task = json.loads(line)
    for event in task["events"]:
        event["eventTimestamp"] = datetime.datetime.fromtimestamp(event["eventTimestamp"], datetime.timezone.utc)
    gc.collect()
    gc.freeze()
    started = time.process_time()
    answer = decider.process_decision_task(task)
    spent = time.process_time() - started
    assert answer.decisions[-1]["decisionType"] == "CompleteWorkflowExecution", answer.decisions
    print(spent, flush=True)
"""


class Two:
    """pyflow-swf 2.0.0 in its own process; None of it if it cannot be installed."""

    def __init__(self) -> None:
        if not (PYFLOW_2 / "pyflow" / "decider.py").exists():
            install = [sys.executable, "-m", "pip", "install", "-q", "--target", str(PYFLOW_2), "pyflow-swf==2.0.0"]
            subprocess.run(install, check=True, timeout=300)
        environment = {**os.environ, "PYTHONPATH": str(PYFLOW_2), "AWS_DEFAULT_REGION": "us-east-1"}
        self._process = subprocess.Popen(
            [sys.executable, "-c", TWO], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def replay_s(self, task: dict[str, Any]) -> float:
        """CPU seconds of one process_decision_task."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(task) + "\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)


def measure_replay(lengths: tuple[int, ...], two: Two) -> dict[str, float]:
    """Interleaved pairs for each length."""
    pool = GreenletPool()
    rates: dict[int, float] = {}
    found: dict[str, float] = {}
    print(f"\nReplay of N sequential lambdas (six events a step: {SIX_EVENTS})")
    print(f"{'N':>6} {'events':>8} {'us/event':>9} {'events/s':>10} {'2.0.0 us/event':>15} {'times':>7}")
    for steps in lengths:
        task = history_of(steps).task()
        gc.collect()
        gc.freeze()  # the history itself is no garbage of either decider; the other side does the same
        events = len(task["events"])
        repeat = max(5, 30_000 // events)
        ours: list[float] = []
        theirs: list[float] = []
        replay_s(task, pool)
        for _ in range(PAIRS):
            ours.append(min(replay_s(task, pool) for _ in range(repeat)))
            if steps <= TWO_LENGTH_MAX:
                theirs.append(two.replay_s(task))
        mine = statistics.median(ours)
        rates[steps] = events / mine
        line = f"{steps:>6} {events:>8} {mine / events * 1e6:>9.2f} {events / mine:>10,.0f}"
        if theirs:
            ratios = [b / a for a, b in zip(ours, theirs, strict=True)]
            line += f" {statistics.median(theirs) / events * 1e6:>15.2f} {statistics.median(ratios):>7.0f}"
            found[f"times_two_{steps}"] = statistics.median(ratios)
        print(line)
    found["events_per_s"] = min(rate for steps, rate in rates.items() if steps >= 100)
    found["flat"] = rates[max(rates)] / rates[100]
    return found


def measure_live(steps: int) -> dict[str, float]:
    """A whole run in one parked execution, decision by decision, from a history made beforehand."""
    history = history_of(steps, STAMP)
    starts = [event["eventId"] for event in history.events if event["eventType"] == "DecisionTaskStarted"]
    before = [0, *starts]
    pieces = [history.events[before[number] : started] for number, started in enumerate(starts)]
    gc.collect()
    gc.freeze()
    runs: list[list[float]] = []
    for _ in range(3):
        execution = new_execution()
        spent: list[float] = []
        for number, started in enumerate(starts):
            begun = time.process_time_ns()
            execution.advance(pieces[number], previous_started_event_id=before[number], started_event_id=started)
            spent.append((time.process_time_ns() - begun) / 1e3)
        execution.evict()
        runs.append(spent)
    best = [min(each) for each in zip(*runs, strict=True)]
    early, late = statistics.median(best[5:505]), statistics.median(best[-505:-5])
    whole = statistics.median(sum(each) for each in runs) / 1e3
    print(f"\nA run of {steps:,} steps in one parked execution: {whole:.1f} ms CPU in the decider")
    print(f"decisions 5 to 505: {early:.1f} us each; the last 500: {late:.1f} us each")
    return {"run_ms_per_1000": whole / steps * 1000, "late": late / early}


def measure_memory(count: int) -> dict[str, float]:
    """Resident memory of executions that wait for their first lambda."""
    text = json.dumps(history_of(0).events)
    pool = GreenletPool()
    gc.collect()
    before = _resident()
    kept: list[Execution] = []
    for number in range(count):
        execution = Execution(
            Sequence,
            domain="d",
            workflow_id=f"workflow-{number}",
            run_id=f"run-{number}",
            workflow_type=("Sequence", "1.0"),
            pool=pool,
        )
        events = json.loads(text)
        events[0]["workflowExecutionStartedEventAttributes"]["input"] = "3"
        execution.advance(events, previous_started_event_id=0, started_event_id=3)
        kept.append(execution)
    gc.collect()
    each = (_resident() - before) / count / 1024
    print(f"\n{count:,} parked executions: {each:.1f} KB each")
    for execution in kept:
        execution.evict()
    return {"parked_kb": each}


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main() -> int:
    """Measure, print, and say which goals are met."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="shorter histories, fewer executions")
    parser.add_argument("--figures", type=Path, help="leave the figures in this file")
    options = parser.parse_args()
    two = Two()
    try:
        found = measure_replay((10, 100, 1_000) if options.quick else LENGTHS, two)
    finally:
        two.close()
    found |= measure_live(1_000 if options.quick else 5_000)
    found |= measure_memory(2_000 if options.quick else PARKED)
    checks = {
        "replay at N >= 100, events/s": (found["events_per_s"], ">=", GOALS["events_per_s"]),
        "rate at the longest / rate at 100": (found["flat"], ">=", GOALS["flat"]),
        "times faster than 2.0.0 at 1,000": (found["times_two_1000"], ">=", GOALS["times_two"]),
        "CPU of 1,000 live steps, ms": (found["run_ms_per_1000"], "<=", GOALS["run_ms"]),
        "late decision / early decision": (found["late"], "<=", GOALS["late"]),
        "parked execution, KB": (found["parked_kb"], "<=", GOALS["parked_kb"]),
    }
    print()
    for name, (value, sign, goal) in checks.items():
        met = value >= goal if sign == ">=" else value <= goal
        print(f"{'met ' if met else 'MISS'} {name}: {value:,.1f} (goal {sign} {goal:,})")
    if options.figures:
        left = [
            {"name": name, "value": value, "sign": sign, "goal": goal} for name, (value, sign, goal) in checks.items()
        ]
        options.figures.write_text(json.dumps(left))
    return 0


if __name__ == "__main__":
    sys.exit(main())
