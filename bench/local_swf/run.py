"""Measures the embedded SWF with real processes and prints figures: `python bench/local_swf/run.py [--quick]`.

The client (lean_client.py) shares the machine with the server, so figures are lower bounds on fewer than two free
cores; the server's own CPU time per workflow is printed beside each rate because it does not depend on that.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from fill import Filler
from lean_client import DOMAIN, Channel, Load, Loop, register

_TICKS = os.sysconf("SC_CLK_TCK")
PAIRS = 3
FIGURES: list[dict[str, object]] = []


def figure(name: str, value: float, unit: str = "", sign: str | None = None, goal: float | None = None) -> None:
    """Note a figure for the table of all benchmarks."""
    FIGURES.append({"name": name, "value": value, "unit": unit, "sign": sign, "goal": goal})


class Server:
    """A server process."""

    def __init__(self, *arguments: str) -> None:
        begin = time.perf_counter()
        command = [sys.executable, "-m", "pyflow_local", "--port", "0", "--relax-quotas", *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline().rpartition(":")[2])
        self.start_s = time.perf_counter() - begin
        loop = Loop(self.port)
        register(loop)
        loop.close()

    def cpu_s(self) -> float:
        """CPU time used so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def rss_kb(self) -> int:
        """Resident memory."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        return 0

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait()


def throughput(server: Server, workflows: int, prefix: str) -> tuple[float, float]:
    """One-activity workflows with 16 pollers on each side: workflows/s, and server CPU ms per workflow."""
    loop = Loop(server.port)
    load = Load(loop, workflows=workflows, pollers=16, prefix=prefix)
    cpu, begin = server.cpu_s(), time.perf_counter()
    load.run()
    took = time.perf_counter() - begin
    used = server.cpu_s() - cpu
    loop.close()
    return workflows / took, used / workflows * 1000


def best_of(server: Server, workflows: int, rounds: int, name: str, goal: float | None) -> str:
    """The median and the range of several rounds."""
    found = [throughput(server, workflows, f"{time.time_ns()}-{n}-") for n in range(rounds)]
    rates = [rate for rate, _ in found]
    cpu = statistics.median(one for _, one in found)
    middle = statistics.median(rates)
    figure(f"1,000 one-activity workflows, {name}", middle, "workflows/s", ">=" if goal else None, goal)
    figure(f"server CPU of each, {name}", cpu * 1000, "us")
    return f"{middle:6.0f} workflows/s ({min(rates):.0f} to {max(rates):.0f}), {cpu:.2f} ms server CPU each"


def rates(folder: Path, quick: bool) -> None:
    """1,000 one-activity workflows at each durability."""
    rounds = 2 if quick else 5
    for name, goal, arguments in (
        ("in memory", None, ["--memory"]),
        ("file, NORMAL (survives kill -9)", 2_500, ["--data", str(folder / "normal.db")]),
        ("file, FULL (survives power loss)", 1_200, ["--data", str(folder / "full.db"), "--full-sync"]),
    ):
        server = Server(*arguments)
        throughput(server, 200, "warm")
        print(f"1,000 one-activity workflows, {name:34} {best_of(server, 1000, rounds, name, goal)}", flush=True)
        server.stop()


def long_workflow(folder: Path, steps: int) -> None:
    """One workflow of many sequential steps."""
    server = Server("--data", str(folder / "long.db"), "--full-sync")
    loop = Loop(server.port)
    load = Load(loop, workflows=1, pollers=1, steps=steps, starters=1)
    begin = time.perf_counter()
    load.run()
    took = time.perf_counter() - begin
    loop.close()
    print(f"one workflow of {steps} steps, FULL{'':31}{steps / took:6.0f} steps/s", flush=True)
    figure(f"one workflow of {steps} steps, FULL", steps / took, "steps/s", ">=", 420)
    server.stop()


def latency(folder: Path, count: int) -> None:
    """Start to result of one remote step with nothing else going on."""
    server = Server("--data", str(folder / "idle.db"), "--full-sync")
    found = []
    loop = Loop(server.port)
    load = Load(loop, workflows=count, pollers=1, starters=1, prefix="idle")
    begun: list[float] = []
    original, starter = load._decider, load.starters[0]

    def decider(channel: Channel, status: int, body: bytes) -> None:
        if not body and len(found) < len(begun) and load.left == count - len(begun):
            found.append(time.perf_counter() - begun[-1])
            start()
        original(channel, status, body)

    def start() -> None:
        if load.names:
            begun.append(time.perf_counter())
            load._start(starter)

    starter.role = lambda channel, status, body: None
    for channel in loop.channels.values():
        if channel.role == load._decider:
            channel.role = decider
    start()
    loop.run()
    found = sorted(found[len(found) // 10 :])
    p50, p99 = found[len(found) // 2], found[int(len(found) * 0.99)]
    print(f"idle, start to result of one step, FULL{'':25}p50 {p50 * 1000:.2f} ms, p99 {p99 * 1000:.2f} ms", flush=True)
    figure("idle, start to result of one step, FULL, p50", p50 * 1000, "ms", "<=", 5)
    figure("idle, start to result of one step, FULL, p99", p99 * 1000, "ms")
    loop.close()
    server.stop()


def flatness(folder: Path, closed: int, open_runs: int) -> None:
    """The rate with a full file against an empty one, in turns; start-up and memory."""
    path = folder / "filled.db"
    filler = Filler(str(path), int(time.time() * 1000) - 3_600_000)
    filler.fill("closed", closed, close=True)
    filler.close()
    plain = Server("--data", str(path))
    before_kb = plain.rss_kb()
    plain.stop()
    filler = Filler(str(path), int(time.time() * 1000) - 1_800_000)
    filler.fill("open", open_runs, close=False)
    filler.close()
    full, empty = Server("--data", str(path)), Server("--data", str(folder / "empty.db"))
    per_run = (full.rss_kb() - before_kb) / open_runs
    size_mb = path.stat().st_size / 1e6
    print(f"start-up with {closed:,} closed and {open_runs:,} open ({size_mb:.0f} MB) {full.start_s:15.2f} s")
    print(f"memory per open idle execution after a restart {per_run:17.2f} KB")
    figure(f"start-up with {closed:,} closed and {open_runs:,} open", full.start_s, "s", "<=", 3)
    figure("memory per open idle execution after a restart", per_run, "KB", "<=", 5)
    ratios, cpus = [], []
    for n in range(PAIRS):
        rate_full, cpu_full = throughput(full, 2000, f"full{n}-{time.time_ns()}-")
        rate_empty, cpu_empty = throughput(empty, 2000, f"empty{n}-")
        ratios.append(rate_full / rate_empty)
        cpus.append(cpu_full / cpu_empty)
    print(f"rate with the full file / with an empty one {statistics.median(ratios):20.2f} "
          f"({min(ratios):.2f} to {max(ratios):.2f}); CPU {statistics.median(cpus):.2f}", flush=True)  # fmt: skip
    figure("rate with the full file / with an empty one", statistics.median(ratios), "", ">=", 0.8)
    figure("CPU with the full file / with an empty one", statistics.median(cpus))
    full.stop()
    empty.stop()


def memory(open_runs: int) -> None:
    """Resident memory of a server per execution that was started and waits."""
    server = Server("--memory")
    throughput(server, 500, "warm")
    before = server.rss_kb()
    loop = Loop(server.port)
    names = iter(range(open_runs))

    def started(channel: Channel, status: int, body: bytes) -> None:
        n = next(names, None)
        if n is None:
            loop.running = False
            return
        request = {"domain": DOMAIN, "workflowId": f"idle{n}", "workflowType": {"name": "w", "version": "1"}}
        channel.send("StartWorkflowExecution", json.dumps({**request, "taskList": {"name": "nobody"}}).encode())

    started(Channel(loop, started), 200, b"")
    loop.run()
    used = (server.rss_kb() - before) / open_runs
    print(f"memory per open execution, history in memory too {used:15.2f} KB", flush=True)
    figure("memory per open execution, history in memory too", used, "KB")
    loop.close()
    server.stop()


def timers(count: int) -> None:
    """Lateness of timers that are due in a second or two, and the CPU that many pending ones cost."""
    server = Server("--memory")
    loop = Loop(server.port)
    kind = {"name": "w", "version": "1"}
    runs = [
        loop.call("StartWorkflowExecution", domain=DOMAIN, workflowId=f"t{n}", workflowType=kind)["runId"]
        for n in range(count // 1000)
    ]
    for _ in runs:
        task = loop.call("PollForDecisionTask", domain=DOMAIN, taskList={"name": "tl"})
        seconds = ["1", "2", *["80000"] * 998]
        decisions = [
            {
                "decisionType": "StartTimer",
                "startTimerDecisionAttributes": {"timerId": str(n), "startToFireTimeout": one},
            }
            for n, one in enumerate(seconds)
        ]
        loop.call("RespondDecisionTaskCompleted", taskToken=task["taskToken"], decisions=decisions)
    time.sleep(2.2)
    late = []
    for n, run in enumerate(runs):
        execution = {"workflowId": f"t{n}", "runId": run}
        found = loop.call(
            "GetWorkflowExecutionHistory", domain=DOMAIN, execution=execution, maximumPageSize=20, reverseOrder=True
        )
        events = found["events"]
        assert isinstance(events, list)
        fired = {
            event["timerFiredEventAttributes"]["timerId"]: event["eventTimestamp"]
            for event in events
            if event["eventType"] == "TimerFired"
        }
        first = loop.call("GetWorkflowExecutionHistory", domain=DOMAIN, execution=execution, maximumPageSize=6)
        begun = first["events"][4]["eventTimestamp"]  # type: ignore[index]
        late += [(fired["0"] - begun - 1) * 1000, (fired["1"] - begun - 2) * 1000]
    cpu = server.cpu_s()
    time.sleep(3)
    idle = (server.cpu_s() - cpu) / 3 * 100
    print(f"{len(late)} timers: latest {max(late):.0f} ms late, median {statistics.median(late):.0f} ms")
    print(f"idle with {count:,} pending timers: {idle:.1f} % of a core", flush=True)
    figure(f"{len(late)} timers, the latest", max(late), "ms", "<=", 20)
    figure(f"idle with {count:,} pending timers", idle, "% of a core", "<=", 0.5)
    loop.close()
    server.stop()


def main() -> None:
    """Run it all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds and a smaller file")
    parser.add_argument("--figures", type=Path, help="leave the figures in this file")
    options = parser.parse_args()
    quick = options.quick
    with tempfile.TemporaryDirectory(prefix="pyflow-bench-") as name:
        folder = Path(name)
        rates(folder, quick)
        long_workflow(folder, 500)
        latency(folder, 200 if quick else 1000)
        timers(20_000 if quick else 100_000)
        memory(2_000 if quick else 10_000)
        flatness(folder, *((10_000, 1_000) if quick else (100_000, 10_000)))
    if options.figures:
        options.figures.write_text(json.dumps(FIGURES))


if __name__ == "__main__":
    main()
