"""Benchmarks of the activity host: `python bench/activity_host/run.py [stub|ruby|java|embedded|latency|idle]...`.

stub       tasks/s through host and one Python worker (64 slots), SWF side stubbed            goal: >= 5,000
ruby       the same with a Ruby worker                                                        goal: >= 3,000
java       the same with a Java worker (once bench/sdk_java is built)                         goal: >= 5,000
embedded   the same with the embedded SWF in another process                                  goal: >= 1,200
latency    what the host adds to polling SWF directly, one at a time, by turns     goal: <= 1 ms median, <= 5 p99
idle       1,000 connected idle workers: memory and CPU of the host                    goal: <= 100 MB, <= 2 % of a core
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
from pyflow.swf import connect
from pyflow_api.v1 import activity_host_pb2 as host_pb
from pyflow_api.v1 import activity_host_pb2_grpc as host_grpc

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
JAVA_BENCH = ROOT / "bench/sdk_java/target/bench.jar"
REPEATS = 3
STUB_TASKS = 30_000
JAVA_TASKS = 100_000
"""Its compiler is busy during the first ten thousands."""
EMBEDDED_RUNS, EMBEDDED_ACTIVITIES = 60, 100
LATENCY_TASKS, LATENCY_WARM_UP = 1_500, 100
"""Enough for a p99 that fourteen tasks exceed."""
DIRECT_LIST = "direct"
IDLE_WORKERS = 1_000
IDLE_S = 20.0
SLOTS = 64


class Child:
    """A child process whose output goes to a file, so that nobody has to read it."""

    def __init__(self, command: tuple[str, ...], env: dict[str, str]) -> None:
        self._output = tempfile.NamedTemporaryFile("r")  # noqa: SIM115 - as long as the child lives
        self._popen = subprocess.Popen(
            command,
            cwd=HERE,
            env={**os.environ, **env},
            stdout=Path(self._output.name).open("w"),  # noqa: SIM115 - the child has it
            stderr=subprocess.STDOUT,
        )
        self.pid = self._popen.pid

    def line_with(self, text: str) -> str:
        """Wait for a line."""
        while True:
            for line in Path(self._output.name).read_text().splitlines():
                if text in line:
                    return line
            assert self._popen.poll() is None, Path(self._output.name).read_text()
            threading.Event().wait(0.05)

    def kill(self) -> None:
        """End it."""
        self._popen.kill()
        self._popen.wait()
        self._output.close()


@contextlib.contextmanager
def process(
    *arguments: str, ready: str, env: dict[str, str] | None = None, program: str = sys.executable
) -> Iterator[tuple[Child, str]]:
    """A child process that has printed a line with `ready`; that line."""
    child = Child((program, *arguments), env or {})
    try:
        yield child, child.line_with(ready)
    finally:
        child.kill()


def worker(address: str, slots: int = SLOTS) -> contextlib.AbstractContextManager[tuple[Child, str]]:
    """A Python worker with the no-op activity."""
    options = ("--host", address, "--task-list", "bench", "--slots", str(slots))
    return process("-m", "pyflow_activity", "noop", *options, ready="Connected")


def ruby_worker(address: str) -> contextlib.AbstractContextManager[tuple[Child, str]]:
    """A Ruby worker with the no-op activity."""
    script = ROOT / "bench/sdk_ruby/noop.rb"
    return process("-I", str(ROOT / "sdk_ruby/lib"), str(script), address, str(SLOTS), ready="onnected", program="ruby")


def java_worker(address: str) -> contextlib.AbstractContextManager[tuple[Child, str]]:
    """A Java worker with the no-op activity."""
    if not JAVA_BENCH.exists():
        raise FileNotFoundError(f"{JAVA_BENCH} is not built: mvn -q -DskipTests package in {ROOT}")
    options = ("--host", address, "--task-list", "bench", "--slots", str(SLOTS))
    return process("-jar", str(JAVA_BENCH), *options, ready="onnected", program="java")


def stub(
    directory: str,
    start_worker: Callable[[str], contextlib.AbstractContextManager[Any]] = worker,
    tasks: int = STUB_TASKS,
) -> dict[str, Any]:
    """One run against the stub."""
    address = f"unix:{directory}/h.sock"
    with process("stub_host.py", address, str(tasks), ready="ready") as (host, _), start_worker(address):
        line = host.line_with("RESULT ")
        result: dict[str, Any] = json.loads(line.removeprefix("RESULT "))
        return result


@contextlib.contextmanager
def embedded_swf() -> Iterator[Any]:
    """An embedded SWF with the benchmark's domain and types; a connection to it."""
    with process("-m", "pyflow_local", "--port", "0", "--memory", ready="SWF endpoint: ") as (_, line):
        connection = connect(endpoint_url=line.removeprefix("SWF endpoint: ").strip())
        client = connection.client
        client.register_domain(name="bench", workflowExecutionRetentionPeriodInDays="1")
        client.register_workflow_type(domain="bench", name="bench", version="1")
        client.register_activity_type(domain="bench", name="noop", version="1.0")
        yield connection


def host_of(connection: Any, directory: str) -> contextlib.AbstractContextManager[tuple[Child, str]]:
    """A host on the embedded SWF."""
    env = {"AWS_ENDPOINT_URL_SWF": connection.endpoint, "XDG_STATE_HOME": directory}
    address = f"unix:{directory}/h.sock"
    return process("-m", "pyflow_host", "--domain", "bench", "--listen", address, ready="ready", env=env)


def start(connection: Any, name: str) -> dict[str, str]:
    """A workflow execution with a decision task list of its own."""
    run = connection.client.start_workflow_execution(
        domain="bench",
        workflowId=name,
        workflowType={"name": "bench", "version": "1"},
        taskList={"name": name},
        executionStartToCloseTimeout="3600",
        taskStartToCloseTimeout="600",
        childPolicy="TERMINATE",
    )
    return {"workflowId": name, "runId": run["runId"]}


def activity_decision(activity_id: str, task_list: str) -> dict[str, Any]:
    """The decision that schedules one no-op activity."""
    return {
        "decisionType": "ScheduleActivityTask",
        "scheduleActivityTaskDecisionAttributes": {
            "activityType": {"name": "noop", "version": "1.0"},
            "activityId": activity_id,
            "taskList": {"name": task_list},
            "input": '{"n":1}',
            "startToCloseTimeout": "300",
            "scheduleToStartTimeout": "NONE",
            "scheduleToCloseTimeout": "NONE",
            "heartbeatTimeout": "60",
        },
    }


def schedule(connection: Any, name: str, count: int) -> None:
    """Answer the next decision task of the execution with `count` activities."""
    task = connection.api.poll_for_decision_task({"domain": "bench", "taskList": {"name": name}})
    decisions = [activity_decision(f"activity{number}", "bench") for number in range(count)]
    connection.api.respond_decision_task_completed({"taskToken": task["taskToken"], "decisions": decisions})


def embedded(directory: str) -> dict[str, Any]:
    """Tasks that wait in the embedded SWF are worked off by one worker."""
    with embedded_swf() as connection:
        runs = [start(connection, f"run{number}") for number in range(EMBEDDED_RUNS)]
        for run in runs:
            schedule(connection, run["workflowId"], EMBEDDED_ACTIVITIES)
        with host_of(connection, directory), worker(f"unix:{directory}/h.sock"):
            times: list[float] = []
            pending = list(runs)
            while pending:
                open_counts = connection.client.describe_workflow_execution(domain="bench", execution=pending[0])
                if open_counts["openCounts"]["openActivityTasks"]:
                    threading.Event().wait(0.2)  # the measured times are SWF's own, in the histories
                    continue
                times += activity_times(connection, pending.pop(0))
    tasks = EMBEDDED_RUNS * EMBEDDED_ACTIVITIES
    seconds = max(times) - min(times)
    return {"tasks": tasks, "seconds": round(seconds, 3), "tasks_per_s": round(tasks / seconds)}


def activity_times(connection: Any, execution: dict[str, str]) -> list[float]:
    """When activities started and ended, by SWF's clock."""
    request = {"domain": "bench", "execution": execution}
    events = connection.api.get_workflow_execution_history(request)["events"]
    kinds = ("ActivityTaskStarted", "ActivityTaskCompleted")
    return [event["eventTimestamp"] for event in events if event["eventType"] in kinds]


def latency(directory: str) -> dict[str, Any]:
    """One activity at a time, by turns through the host and by a process that polls SWF itself: load hits both alike.

    From the decision that schedules it to the decision task after its end.
    """
    with (
        embedded_swf() as connection,
        process("direct_poller.py", connection.endpoint, DIRECT_LIST, ready="polls"),
        host_of(connection, directory),
        worker(f"unix:{directory}/h.sock", 1),
    ):
        runs = [OneByOne(connection, "hosted", "bench"), OneByOne(connection, "direct", DIRECT_LIST)]
        for number in range(LATENCY_TASKS):
            for run in runs if number % 2 else reversed(runs):
                run.step()
    hosted, direct = (sorted(run.seconds[LATENCY_WARM_UP:]) for run in runs)
    return {
        "direct_ms_median": in_ms(quantile(direct, 0.5)),
        "hosted_ms_median": in_ms(quantile(hosted, 0.5)),
        "direct_ms_p99": in_ms(quantile(direct, 0.99)),
        "hosted_ms_p99": in_ms(quantile(hosted, 0.99)),
        "added_ms_median": in_ms(quantile(hosted, 0.5) - quantile(direct, 0.5)),
        "added_ms_p99": in_ms(quantile(hosted, 0.99) - quantile(direct, 0.99)),
    }


class OneByOne:
    """An execution that schedules one activity after the other."""

    def __init__(self, connection: Any, name: str, task_list: str) -> None:
        self._connection = connection
        self._decisions = {"domain": "bench", "taskList": {"name": name}}
        self._task_list = task_list
        self.seconds: list[float] = []
        start(connection, name)
        self._task = self._decision_task()

    def step(self) -> None:
        """Schedule the next activity and wait for the decision task that its end makes."""
        decision = activity_decision(f"activity{len(self.seconds)}", self._task_list)
        answer = {"taskToken": self._task["taskToken"], "decisions": [decision]}
        began = time.perf_counter()
        self._connection.api.respond_decision_task_completed(answer)
        self._task = self._decision_task()
        self.seconds.append(time.perf_counter() - began)

    def _decision_task(self) -> Any:
        # New events only: the history grows, and reading it is not what is measured.
        return self._connection.api.poll_for_decision_task({**self._decisions, "startAtPreviousStartedEvent": True})


def quantile(ascending: list[float], share: float) -> float:
    """The value that `share` of them do not exceed."""
    return ascending[int(len(ascending) * share)]


def in_ms(seconds: float) -> float:
    """Milliseconds for people."""
    return round(seconds * 1000, 2)


def idle(directory: str) -> dict[str, Any]:
    """Many connected workers that do nothing but answer Pings."""
    with embedded_swf() as connection, host_of(connection, directory) as (host, _):
        before = memory_mb(host.pid)
        address = f"unix:{directory}/h.sock"
        with process("idle_workers.py", address, str(IDLE_WORKERS), ready="ALL WELCOMED"):
            until_all_wait_for_tasks(address)
            cpu_before, began = cpu_s(host.pid), time.monotonic()
            threading.Event().wait(IDLE_S)
            cpu = (cpu_s(host.pid) - cpu_before) / (time.monotonic() - began)
            used = memory_mb(host.pid) - before
    return {"workers": IDLE_WORKERS, "added_mb": round(used), "cpu_percent": round(cpu * 100, 1)}


def until_all_wait_for_tasks(address: str) -> None:
    """Connecting is not part of being idle."""
    with grpc.insecure_channel(address) as channel:
        stub = host_grpc.ActivityHostServiceStub(channel)  # type: ignore[no-untyped-call]
        while True:
            told = stub.DescribeHost(host_pb.DescribeHostRequest())
            if sum(worker.credits > 0 for worker in told.workers) == IDLE_WORKERS:
                return
            threading.Event().wait(0.5)


def memory_mb(pid: int) -> float:
    """Resident memory."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def cpu_s(pid: int) -> float:
    """CPU time so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


BENCHES: dict[str, Callable[[str], dict[str, Any]]] = {
    "stub": stub,
    "ruby": lambda directory: stub(directory, ruby_worker),
    "java": lambda directory: stub(directory, java_worker, JAVA_TASKS),
    "embedded": embedded,
    "latency": latency,
    "idle": idle,
}


GOALS: dict[str, list[tuple[str, str, str, str, float]]] = {
    "stub": [("Python worker, stubbed SWF", "tasks_per_s", "tasks/s", ">=", 5_000)],
    "ruby": [("Ruby worker, stubbed SWF", "tasks_per_s", "tasks/s", ">=", 3_000)],
    "java": [("Java worker, stubbed SWF", "tasks_per_s", "tasks/s", ">=", 5_000)],
    "embedded": [("Python worker, embedded SWF", "tasks_per_s", "tasks/s", ">=", 1_200)],
    "latency": [
        ("added latency, median", "added_ms_median", "ms", "<=", 1),
        ("added latency, p99", "added_ms_p99", "ms", "<=", 5),
    ],
    "idle": [
        ("1,000 idle workers, memory", "added_mb", "MB", "<=", 100),
        ("1,000 idle workers, CPU", "cpu_percent", "% of a core", "<=", 2),
    ],
}
"""What is a figure of each benchmark: its name, the result it is, unit, and goal."""


def main() -> int:
    """Print each result, and the run with the median of the first figure that ends in `_s` or the only one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="one of the benchmarks above; all by default")
    parser.add_argument("--quick", action="store_true", help="one run of each")
    parser.add_argument("--figures", type=Path, help="leave the figures in this file")
    options = parser.parse_args()
    left: list[dict[str, Any]] = []
    for name in options.names or BENCHES:
        repeats = 1 if name == "idle" or options.quick else REPEATS
        results = []
        for _ in range(repeats):
            with tempfile.TemporaryDirectory(prefix="bh") as directory:
                results.append(BENCHES[name](directory))
        medians = {key: statistics.median(result[key] for result in results) for key in results[0]}
        print(f"{name:9} median of {repeats}: {json.dumps(medians)}", flush=True)
        for what, key, unit, sign, goal in GOALS[name]:
            left.append({"name": what, "value": medians[key], "unit": unit, "sign": sign, "goal": goal})
    if options.figures:
        options.figures.write_text(json.dumps(left))
    return 0


if __name__ == "__main__":
    sys.exit(main())
