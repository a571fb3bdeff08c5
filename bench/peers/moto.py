"""moto's SWF server beside the embedded SWF: one-activity workflows, fresh and with 1,000 executions in it.

    python bench/peers/moto.py [--quick] [--figures FILE]

Seven requests make a workflow. First the same client drives both, one workflow at a time: that is how moto does best,
whose polls do not wait. Then the embedded SWF is driven as it is meant to be, with 16 pollers on each side (the load
of bench/local_swf), and moto as before. The sides take turns. The primary figure is CPU time of the server process per
workflow; rates hold the client's time too. Both keep everything in memory. Histories are read and must be whole.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "local_swf")]

from figures import AT_LEAST, Figure, ratio_of, table, write  # noqa: E402 - they are in the folder above
from install import MOTO, NotInstalled, install  # noqa: E402
from lean_client import Load, Loop  # noqa: E402

DOMAIN = "bench"
FILL, FILL_QUICK = 1_000, 100
PAIRS, PAIRS_QUICK = 3, 1
OURS_A_TURN = 400
OURS_A_LOAD = 3_000
POLLERS = 16
MOTO_A_TURN, MOTO_A_TURN_FULL = 20, 4
START_TIMEOUT_S = 60.0
CALL_TIMEOUT_S = 60.0
EVENTS_OF_A_WORKFLOW = 11
COUNTED_MAX = 1_000
GOAL_FRESH, GOAL_FILLED = 50, 500
_TICKS = os.sysconf("SC_CLK_TCK")
SCOPE = "Credential=test/20260101/us-east-1/swf/aws4_request"
"""moto finds the region here; neither side checks a signature."""


class Server:
    """A server process and one connection to it."""

    def __init__(self, command: Callable[[int], list[str]]) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self._output = tempfile.TemporaryFile("w+")  # noqa: SIM115 - as long as the process
        self._process = subprocess.Popen(command(self.port), stdout=self._output, stderr=subprocess.STDOUT)
        self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=CALL_TIMEOUT_S)
        self._made = 0
        until_s = time.monotonic() + START_TIMEOUT_S
        while socket.socket().connect_ex(("127.0.0.1", self.port)) != 0:
            if self._process.poll() is not None or time.monotonic() > until_s:
                self._output.seek(0)
                raise RuntimeError(f"a server did not start: {self._output.read()[-2000:]}")
            select.select([], [], [], 0.05)

    def call(self, operation: str, **members: Any) -> dict[str, Any]:
        """One request. RuntimeError for any answer but 200."""
        headers = {
            "X-Amz-Target": f"SimpleWorkflowService.{operation}",
            "Content-Type": "application/x-amz-json-1.0",
            "Authorization": f"AWS4-HMAC-SHA256 {SCOPE}, SignedHeaders=host, Signature=0",
        }
        self._connection.request("POST", "/", json.dumps(members), headers)
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{operation}: {answer.status} {body[:500]!r}")
        found: dict[str, Any] = json.loads(body) if body else {}
        return found

    def register(self) -> None:
        """A domain and types with all defaults."""
        self.call("RegisterDomain", name=DOMAIN, workflowExecutionRetentionPeriodInDays="7")
        self.call(
            "RegisterWorkflowType",
            domain=DOMAIN,
            name="w",
            version="1",
            defaultTaskList={"name": "tl"},
            defaultExecutionStartToCloseTimeout="86400",
            defaultTaskStartToCloseTimeout="600",
            defaultChildPolicy="TERMINATE",
        )
        self.call(
            "RegisterActivityType",
            domain=DOMAIN,
            name="a",
            version="1",
            defaultTaskList={"name": "al"},
            defaultTaskScheduleToStartTimeout="600",
            defaultTaskScheduleToCloseTimeout="600",
            defaultTaskStartToCloseTimeout="600",
            defaultTaskHeartbeatTimeout="NONE",
        )

    def start(self, task_list: str = "tl") -> tuple[str, str]:
        """A new execution: its workflow id and run id."""
        self._made += 1
        name = f"w{self._made}"
        kind = {"name": "w", "version": "1"}
        members = {"workflowType": kind, "taskList": {"name": task_list}, "input": "x" * 100}
        return name, self.call("StartWorkflowExecution", domain=DOMAIN, workflowId=name, **members)["runId"]

    def workflow(self) -> tuple[str, str]:
        """One workflow with one activity, from its start to its completion."""
        run = self.start()
        schedule = {"activityType": {"name": "a", "version": "1"}, "activityId": "1", "input": "x" * 100}
        self._decide("ScheduleActivityTask", "scheduleActivityTaskDecisionAttributes", schedule)
        task = self.call("PollForActivityTask", domain=DOMAIN, taskList={"name": "al"})
        self.call("RespondActivityTaskCompleted", taskToken=task["taskToken"], result="r" * 100)
        self._decide("CompleteWorkflowExecution", "completeWorkflowExecutionDecisionAttributes", {"result": "done"})
        return run

    def _decide(self, decision_type: str, key: str, attributes: dict[str, Any]) -> None:
        task = self.call("PollForDecisionTask", domain=DOMAIN, taskList={"name": "tl"})
        decision = {"decisionType": decision_type, key: attributes}
        self.call("RespondDecisionTaskCompleted", taskToken=task["taskToken"], decisions=[decision])

    def fill(self, count: int) -> None:
        """So many closed executions that nothing polls for any more."""
        for _ in range(count):
            workflow_id, _ = self.start("nobody")
            self.call("TerminateWorkflowExecution", domain=DOMAIN, workflowId=workflow_id)

    def turn(self, count: int) -> tuple[float, float]:
        """CPU seconds of the server per workflow, and workflows a second."""
        cpu, begun = self.cpu_s(), time.perf_counter()
        runs = [self.workflow() for _ in range(count)]
        took, used = time.perf_counter() - begun, self.cpu_s() - cpu
        self.check(runs)
        return used / count, count / took

    def load(self, count: int) -> tuple[float, float]:
        """The same with pollers that wait, many workflows at once."""
        self._made += 1
        loop = Loop(self.port)
        prefix = f"load{self._made}-"
        load = Load(loop, workflows=count, pollers=POLLERS, prefix=prefix)
        cpu, begun = self.cpu_s(), time.perf_counter()
        load.run()
        took, used = time.perf_counter() - begun, self.cpu_s() - cpu
        loop.close()
        counted = self.call(
            "CountClosedWorkflowExecutions",
            domain=DOMAIN,
            startTimeFilter={"oldestDate": 0},
            closeStatusFilter={"status": "COMPLETED"},
        )
        assert counted["count"] >= min(count, COUNTED_MAX), counted
        return used / count, count / took

    def check(self, runs: list[tuple[str, str]]) -> None:
        """Every history is whole."""
        for workflow_id, run_id in runs:
            execution = {"workflowId": workflow_id, "runId": run_id}
            events = self.call("GetWorkflowExecutionHistory", domain=DOMAIN, execution=execution)["events"]
            kinds = [event["eventType"] for event in events]
            assert len(kinds) == EVENTS_OF_A_WORKFLOW, kinds
            assert kinds[-1] == "WorkflowExecutionCompleted", kinds

    def cpu_s(self) -> float:
        """CPU time used so far."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        self._output.close()


Turn = tuple[float, float]


def compare(what: str, ours: Server, moto: Server, moto_count: int, pairs: int, goal: float | None) -> list[Figure]:
    """Interleaved turns of the three ways: figures of CPU per workflow, with rates in the notes."""
    single: list[Turn] = []
    loaded: list[Turn] = []
    theirs: list[Turn] = []
    for _ in range(pairs):
        single.append(ours.turn(OURS_A_TURN))
        theirs.append(moto.turn(moto_count))
        loaded.append(ours.load(OURS_A_LOAD))
    figures = [
        figure(f"moto 5.2.5, {what}, one workflow at a time", single, theirs, None),
        figure(f"moto 5.2.5, {what}, 16 pollers a side", loaded, theirs, goal),
    ]
    for one in figures:
        print(f"{one.name}: {one.value:.1f} x; {one.note}", flush=True)
    return figures


def figure(name: str, ours: list[Turn], theirs: list[Turn], goal: float | None) -> Figure:
    """How many times less CPU a workflow costs the embedded server."""
    cpu = ratio_of([one[0] for one in ours], [one[0] for one in theirs])
    rates = ratio_of([one[1] for one in ours], [one[1] for one in theirs])
    return Figure(
        name=name,
        value=cpu.ratio,
        unit="x",
        sign=None if goal is None else AT_LEAST,
        goal=goal,
        note=f"{cpu.theirs * 1e3:.1f} / {cpu.ours * 1e3:.2f} ms server CPU each ({cpu.low:.0f} to {cpu.high:.0f}); "
        f"{rates.theirs:.1f} / {rates.ours:.0f} workflows/s",
    )


def main() -> int:
    """Measure, print the table, leave the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--quick", action="store_true", help=f"{FILL_QUICK} executions instead of {FILL:,}, fewer turns"
    )
    parser.add_argument("--figures", type=Path, help="leave the figures in this file")
    options = parser.parse_args()
    fill, pairs = (FILL_QUICK, PAIRS_QUICK) if options.quick else (FILL, PAIRS)
    try:
        python = install(MOTO)
    except NotInstalled as error:
        print(f"SKIPPED moto: {error}")
        if options.figures:
            write(options.figures, [])
        return 0
    embedded = [sys.executable, "-m", "pyflow_local", "--memory", "--relax-quotas", "--port"]
    ours = Server(lambda port: [*embedded, str(port)])
    moto = Server(lambda port: [str(python.with_name("moto_server")), "-p", str(port)])
    try:
        for server in (ours, moto):
            server.register()
            for _ in range(5):
                server.workflow()
        figures = compare("fresh", ours, moto, MOTO_A_TURN, pairs, GOAL_FRESH)
        for server in (ours, moto):
            server.fill(fill)
        what = f"after {fill:,} executions"
        goal = GOAL_FILLED if fill == FILL else None
        figures += compare(what, ours, moto, MOTO_A_TURN_FULL, pairs, goal)
    finally:
        ours.stop()
        moto.stop()
    print(f"\n{table('Embedded SWF: how many times less than moto', figures)}")
    if options.figures:
        write(options.figures, figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
