"""CPU of one live sticky decision: poll, decide, answer and take the receipt, in the worker as it is.

    python bench/decider_live/live.py [--quick]

A workflow of sequential zero-second timers, many executions at once, against a server that is faster than the worker
(`replaying_swf.py`, a process of its own), so that the worker is busy and its CPU per decision is what it costs. Beside
it, interleaved, the same worker over boto3 (threads that poll, botocore's HTTP and parsing). The second part runs the
same workflow against the embedded SWF, which is slower than the worker: there every decision begins on a processor
that has gone to sleep or done something else meanwhile, and costs more.
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

import pyflow
from pyflow.deciding.maker import Decided
from pyflow.deciding.observer import Observer
from pyflow.deciding.task import DecisionTask
from pyflow.starter import start_workflow
from pyflow.swf import connect
from pyflow.worker import DeciderWorker, WorkerSettings

GOAL_US = 170.0
TEMPORAL_US = 865.0
"""Temporal's Python worker, sticky workflow task, unsandboxed, measured on this kind of machine (docs)."""

SLACK = 0.7
PAIRS = 5
PAIRS_QUICK = 3
TIME_LIMIT_S = 60.0


class Steps(pyflow.Workflow):
    """N zero-second timers, one after another."""

    NAME = "Steps"
    VERSION = "1"

    def run(self, workflow_input: int) -> int:
        for _ in range(workflow_input):
            self.swf.start_timer(0).result()
        return workflow_input


class Counter(Observer):
    """Counts answered tasks, and how many of them came from the cache."""

    def __init__(self) -> None:
        self.answers = 0
        self.hits = 0

    def answered(self, task: DecisionTask, decided: Decided, *, seconds: float) -> None:
        """See `Observer.answered`."""
        self.answers += 1
        self.hits += decided.from_cache


def measure(url: str, transport: str, executions: int, steps: int, ready: subprocess.Popen[str]) -> float:
    """CPU of one decision in microseconds; runs until all executions of the server have closed."""
    counter = Counter()
    connection = connect(endpoint_url=url, transport="lean" if transport == "lean" else "boto3")
    settings = WorkerSettings(poll_threads=1, sticky_polls=4)
    worker = DeciderWorker([Steps], "d", "t", "bench", connection=connection, settings=settings, observer=counter)
    worker.ensure_registered()
    gc.collect()
    gc.freeze()
    begin = time.process_time()
    worker.start()
    assert ready.stdout is not None
    line = ready.stdout.readline()
    used_s = time.process_time() - begin
    expected = executions * (steps + 1)
    assert line.split() == ["answered", str(expected)], line
    assert counter.hits >= executions * steps * 0.99, "decisions must be sticky"
    return used_s / expected * 1e6


def in_own_process(transport: str, executions: int, steps: int) -> float:
    """One measurement in a fresh process: its worker's threads end with it."""
    command = [sys.executable, __file__, "--one", transport, str(executions), str(steps)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIME_LIMIT_S, check=True)
    return float(done.stdout.split()[-1])


def one(transport: str, executions: int, steps: int) -> None:
    """Measure against the replaying server and print microseconds; ends the process with the worker in it."""
    server = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("replaying_swf.py")), str(executions), str(steps)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    url = server.stdout.readline().strip()
    try:
        print(measure(url, transport, executions, steps, server), flush=True)
    finally:
        server.kill()
    os._exit(0)  # the polls of the worker would be waited out for a minute


def embedded(executions: int, steps: int) -> None:
    """Measure against the embedded SWF and print microseconds; ends the process with the worker in it."""
    server = subprocess.Popen(
        [sys.executable, "-m", "pyflow_local", "--port", "0", "--memory"], stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    url = server.stdout.readline().split()[-1]
    counter = Counter()
    connection = connect(endpoint_url=url, transport="lean")
    settings = WorkerSettings(poll_threads=1, sticky_polls=4)
    worker = DeciderWorker([Steps], "d", "t", "bench", connection=connection, settings=settings, observer=counter)
    try:
        worker.ensure_registered()
        for _ in range(executions):
            start_workflow("d", "Steps", "1", "t", input=str(steps), client=connection.client)
        gc.collect()
        gc.freeze()
        begin, until_s = time.process_time(), time.monotonic() + TIME_LIMIT_S
        worker.start()
        while counter.answers < executions * (steps + 1) and time.monotonic() < until_s:
            time.sleep(0.05)
        print((time.process_time() - begin) / counter.answers * 1e6, flush=True)
    finally:
        server.kill()
    os._exit(0)


def main() -> int:
    """Print the table; 1 when the figure is far above its goal."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter measurements")
    parser.add_argument("--figures", type=Path, help="leave the figures in this file")
    parser.add_argument("--one", nargs=3, metavar=("TRANSPORT", "EXECUTIONS", "STEPS"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one is not None:
        transport, executions, steps = arguments.one
        if transport == "embedded":
            embedded(int(executions), int(steps))
        one(transport, int(executions), int(steps))
    pairs = PAIRS_QUICK if arguments.quick else PAIRS
    executions, steps = (20, 100) if arguments.quick else (50, 300)
    lean, boto, slow_server = [], [], []
    for _ in range(pairs):
        lean.append(in_own_process("lean", executions, steps))
        boto.append(in_own_process("boto3", executions, steps // 5))
        slow_server.append(in_own_process("embedded", executions, steps // 5))
    ratios = [theirs / ours for ours, theirs in zip(lean, boto, strict=True)]
    ours = statistics.median(lean)
    print(f"sticky decision, lean transport    {ours:8.1f} us CPU   (min {min(lean):.1f}, max {max(lean):.1f})")
    print(
        f"sticky decision, boto3 and threads {statistics.median(boto):8.1f} us CPU   "
        f"ratio {statistics.median(ratios):.1f}x"
    )
    print(f"sticky decision, embedded SWF      {statistics.median(slow_server):8.1f} us CPU   (worker mostly idle)")
    verdict = "" if ours <= GOAL_US else "  ABOVE THE GOAL"
    print(f"goal {GOAL_US:.0f} us{verdict}; Temporal's Python worker as measured before: {TEMPORAL_US:.0f} us")
    if arguments.figures:
        left = [
            {"name": "live sticky decision, CPU", "value": ours, "unit": "us", "sign": "<=", "goal": GOAL_US},
            {"name": "over boto3 and threads", "value": statistics.median(ratios), "unit": "x as much"},
            {"name": "with the embedded SWF", "value": statistics.median(slow_server), "unit": "us"},
        ]
        arguments.figures.write_text(json.dumps(left))
    return 1 if ours > GOAL_US / SLACK else 0


if __name__ == "__main__":
    sys.exit(main())
