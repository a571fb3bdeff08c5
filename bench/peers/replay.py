"""Replay of N sequential steps: this decider beside every other Python decider there is, in one run.

    python bench/peers/replay.py [--quick] [--figures FILE]

Each side replays, in a process of its own, a generated history of the same shape: N steps that each schedule, start
and complete, with a decision task between them, six events a step. The sides take turns (A B A B); a turn is as many
replays as fit into a fixed share of CPU time and gives their median; the figure is CPU time of the whole process,
native threads included, divided by the events. Every replay must end in the completed result, or the run fails.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from figures import AT_LEAST, Figure, Ratio, ratio_of, table, write  # noqa: E402 - they are in the folder above
from install import BOTOFLOW, PYFLOW_2, SIMPLEFLOW, TEMPORAL, NotInstalled, Package, install  # noqa: E402

LENGTHS, LENGTHS_QUICK = (10, 100, 1_000, 5_000), (10, 100, 1_000)
PAIRS, PAIRS_QUICK = 5, 2
TURN_CPU_S = 0.3
TURN_CPU_S_QUICK = 0.15
ANSWER_TIMEOUT_S = 180.0
LONG = 5_000
GOAL_LENGTH = 1_000
GOAL_EVENTS_PER_S = 300_000
GOAL_FLAT = 0.8
FLAT_TURNS, FLAT_TURNS_QUICK = 7, 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A decider to compare with: how its side is started, what ours replays beside it, and our goal at N = 1,000."""

    name: str
    package: Package
    script: str
    arguments: tuple[str, ...] = ()
    ours: str = "activity"
    goal: float
    slow: bool = False
    """It needs many seconds for 5,000 steps: it gets one turn there."""


PEERS = (
    Peer(
        name="pyflow-swf 2.0.0",
        package=PYFLOW_2,
        script="side_pyflow.py",
        arguments=("two", "lambda"),
        ours="lambda",
        goal=20,
        slow=True,
    ),
    Peer(name="simpleflow 0.36.0", package=SIMPLEFLOW, script="side_simpleflow.py", goal=6),
    Peer(name="botoflow 0.8", package=BOTOFLOW, script="side_botoflow.py", goal=3),
    Peer(
        name="temporalio 1.35.0 as it comes",
        package=TEMPORAL,
        script="side_temporal.py",
        arguments=("sandbox",),
        goal=90,
        slow=True,
    ),
    Peer(
        name="temporalio 1.35.0 unsandboxed",
        package=TEMPORAL,
        script="side_temporal.py",
        arguments=("plain",),
        goal=50,
        slow=True,
    ),
)


class Side:
    """A process that replays when asked."""

    def __init__(self, python: Path, script: str, *arguments: str) -> None:
        self._name = f"{script} {' '.join(arguments)}"
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - as long as the process
        self._process = subprocess.Popen(
            [str(python), str(HERE / script), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env={**os.environ, "AWS_DEFAULT_REGION": "us-east-1"},
        )

    def turn(self, steps: int, budget_s: float, *, warm_up: bool = True) -> dict[str, Any]:
        """Replay for `budget_s` of CPU, at least once. RuntimeError when the side does not answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        line = ""
        try:
            self._process.stdin.write(json.dumps({"steps": steps, "budget_s": budget_s, "warm_up": warm_up}) + "\n")
            self._process.stdin.flush()
            if select.select([self._process.stdout], [], [], ANSWER_TIMEOUT_S)[0]:
                line = self._process.stdout.readline()
        except BrokenPipeError:
            pass
        if not line:
            self._errors.seek(0)
            raise RuntimeError(f"{self._name} does not answer:\n{self._errors.read()[-3000:]}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        self._errors.close()


@dataclass(slots=True, kw_only=True)
class Measured:
    """What came of a run."""

    ratios: dict[tuple[str, int], Ratio] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    rates: dict[int, float] = field(default_factory=dict)


def ours(kind: str) -> Side:
    """This decider's side."""
    return Side(Path(sys.executable), "side_pyflow.py", "ours", kind)


def compare(peer: Peer, lengths: tuple[int, ...], pairs: int, budget_s: float, measured: Measured) -> None:
    """Interleaved turns of one peer and ours for each length; CPU per event in microseconds."""
    mine, theirs = ours(peer.ours), Side(install(peer.package), peer.script, *peer.arguments)
    try:
        for steps in lengths:
            once = peer.slow and steps >= LONG
            a: list[float] = []
            b: list[float] = []
            for _ in range(1 if once else pairs):
                for side, found in ((mine, a), (theirs, b)):
                    answer = side.turn(steps, budget_s, warm_up=not (once and side is theirs))
                    found.append(answer["cpu_s"] / answer["events"] * 1e6)
            ratio = ratio_of(a, b)
            measured.ratios[peer.name, steps] = ratio
            print(
                f"{peer.name:30} N={steps:<6,} theirs {ratio.theirs:8.2f} us/event   ours {ratio.ours:6.2f}   "
                f"ratio {ratio.ratio:7.1f} ({ratio.low:.1f} to {ratio.high:.1f}, {ratio.pairs} pairs)",
                flush=True,
            )
    finally:
        mine.close()
        theirs.close()


def flat(lengths: tuple[int, ...], turns: int, budget_s: float) -> dict[int, float]:
    """Events a second of ours at each length: medians of turns that alternate between the lengths, lambdas."""
    sides = {steps: ours("lambda") for steps in lengths}
    found: dict[int, list[float]] = {steps: [] for steps in lengths}
    try:
        for _ in range(turns):
            for steps, side in sides.items():
                answer = side.turn(steps, budget_s)
                found[steps].append(answer["events"] / answer["cpu_s"])
    finally:
        for side in sides.values():
            side.close()
    return {steps: sorted(rates)[len(rates) // 2] for steps, rates in found.items()}


def figures_of(measured: Measured) -> list[Figure]:
    """The table: our rate, its flatness, and each peer at each length."""
    rates = {steps: rate for steps, rate in measured.rates.items() if steps >= 100}
    figures = [
        Figure(
            name=f"replay rate, N = {steps:,}",
            value=rate,
            unit="events/s",
            sign=AT_LEAST if steps >= 100 else None,
            goal=GOAL_EVENTS_PER_S if steps >= 100 else None,
            note="per second of CPU, payloads decoded",
        )
        for steps, rate in measured.rates.items()
    ]
    value = measured.rates[max(rates)] / measured.rates[min(rates)]
    name = f"rate at {max(rates):,} / rate at {min(rates):,}"
    figures.append(Figure(name=name, value=value, sign=AT_LEAST, goal=GOAL_FLAT))
    for (peer, steps), ratio in measured.ratios.items():
        goal = next(one.goal for one in PEERS if one.name == peer) if steps == GOAL_LENGTH else None
        figures.append(
            Figure(
                name=f"{peer}, N = {steps:,}",
                value=ratio.ratio,
                unit="x",
                sign=None if goal is None else AT_LEAST,
                goal=goal,
                note=f"{ratio.theirs:.1f} / {ratio.ours:.2f} us CPU per event ({ratio.low:.1f} to {ratio.high:.1f})",
            )
        )
    return figures


def main() -> int:
    """Measure, print the table, leave the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter turns, no histories of 5,000 steps")
    parser.add_argument("--figures", type=Path, help="leave the figures in this file")
    options = parser.parse_args()
    lengths = LENGTHS_QUICK if options.quick else LENGTHS
    budget_s = TURN_CPU_S_QUICK if options.quick else TURN_CPU_S
    measured = Measured()
    measured.rates = flat(LENGTHS, FLAT_TURNS_QUICK if options.quick else FLAT_TURNS, budget_s)
    for peer in PEERS:
        try:
            compare(peer, lengths, PAIRS_QUICK if options.quick else PAIRS, budget_s, measured)
        except NotInstalled as error:
            measured.skipped[peer.name] = str(error)
            print(f"SKIPPED {peer.name}: {error}", flush=True)
    figures = figures_of(measured)
    print(f"\n{table('Replay of N sequential steps, and how many times less CPU per event than the peer', figures)}")
    for name, why in measured.skipped.items():
        print(f"SKIPPED {name}: {why}")
    if options.figures:
        write(options.figures, figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
