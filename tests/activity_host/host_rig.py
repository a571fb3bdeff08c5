"""Real processes for tests: an embedded SWF, hosts, workers, and a tiny decider that schedules single activities.

Nothing here sleeps blindly: everything waits for a line of output, a file or an answer, with a deadline.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
from pyflow.swf import make_client
from pyflow_api.v1 import activity_host_pb2 as host_pb
from pyflow_api.v1 import activity_host_pb2_grpc as host_grpc

HERE = Path(__file__).parent
DEADLINE_S = 90.0
"""Only a failure takes so long; two workers that start on a busy machine have been seen to take nearly 30 s."""
LOOK_S = 0.01
LAST_REGISTERED = "grandchild"


def wait_for(condition: Callable[[], Any], what: str, deadline_s: float = DEADLINE_S) -> Any:
    """Wait until `condition` gives something true, and give it."""
    until = time.monotonic() + deadline_s
    pause = threading.Event()
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > until:
            raise AssertionError(f"{what}: not within {deadline_s} s")
        pause.wait(LOOK_S)


class Process:
    """A child process whose output is kept line by line."""

    def __init__(self, command: list[str], env: dict[str, str]) -> None:
        self._popen = subprocess.Popen(
            command,
            cwd=HERE,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def is_running(self) -> bool:
        return self._popen.poll() is None

    @property
    def output(self) -> str:
        return "\n".join(list(self.lines))

    def line_with(self, text: str, deadline_s: float = DEADLINE_S) -> str:
        """The first line that contains `text`."""

        def look() -> str | None:
            found = next((line for line in list(self.lines) if text in line), None)
            if found is None and self._popen.poll() is not None:
                self._reader.join(5)
                found = next((line for line in list(self.lines) if text in line), None)
                assert found is not None, f"ended with {self._popen.returncode} without {text!r}:\n{self.output}"
            return found

        try:
            line = wait_for(look, f"a line with {text!r}", deadline_s)
        except AssertionError as error:
            raise AssertionError(f"{error}; its output:\n{self.output}") from None
        assert isinstance(line, str)
        return line

    def wait(self, deadline_s: float = DEADLINE_S) -> int:
        """The exit code."""
        code = self._popen.wait(deadline_s)
        self._reader.join(5)
        return code

    def signal(self, number: signal.Signals) -> None:
        self._popen.send_signal(number)

    def kill(self) -> None:
        """As `kill -9` would."""
        if self._popen.poll() is None:
            self._popen.kill()
        self._popen.wait()

    def _read(self) -> None:
        assert self._popen.stdout is not None
        for line in self._popen.stdout:
            self.lines.append(line.rstrip("\n"))


class Run:
    """One workflow execution whose decider is the test: it schedules activities and looks how they end."""

    def __init__(self, rig: Rig, domain: str) -> None:
        self._rig = rig
        self._domain = domain
        self.workflow_id = f"run-{uuid.uuid4().hex[:8]}"
        self._list = {"name": f"decisions-{self.workflow_id}"}
        started = rig.client.start_workflow_execution(
            domain=domain,
            workflowId=self.workflow_id,
            workflowType={"name": "test", "version": "1"},
            taskList=self._list,
            executionStartToCloseTimeout="600",
            taskStartToCloseTimeout="60",
            childPolicy="TERMINATE",
        )
        self.execution = {"workflowId": self.workflow_id, "runId": started["runId"]}

    def decide(self, *decisions: dict[str, Any]) -> None:
        """Wait for the next decision task and answer it."""
        task = self._rig.client.poll_for_decision_task(domain=self._domain, taskList=self._list)
        self._rig.client.respond_decision_task_completed(taskToken=task["taskToken"], decisions=list(decisions))

    def schedule(self, activity: str, input: str | None = None, *, id: str = "activity1", **members: Any) -> None:
        """Schedule one activity on the task list of the rig."""
        attributes: dict[str, Any] = {
            "activityType": {"name": activity, "version": "1.0"},
            "activityId": id,
            "taskList": {"name": self._rig.task_list},
            "startToCloseTimeout": "60",
            "scheduleToStartTimeout": "60",
            "scheduleToCloseTimeout": "NONE",
            "heartbeatTimeout": "NONE",
            **members,
        }
        if input is not None:
            attributes["input"] = input
        self.decide({"decisionType": "ScheduleActivityTask", "scheduleActivityTaskDecisionAttributes": attributes})

    def cancel(self, id: str = "activity1") -> None:
        """Ask the activity to stop."""
        self._rig.client.signal_workflow_execution(domain=self._domain, signalName="wake", **self.execution)  # type: ignore[arg-type]
        attributes = {"activityId": id}
        self.decide(
            {
                "decisionType": "RequestCancelActivityTask",
                "requestCancelActivityTaskDecisionAttributes": attributes,
            }
        )

    def events(self) -> list[dict[str, Any]]:
        """The history so far."""
        answer = self._rig.client.get_workflow_execution_history(domain=self._domain, execution=self.execution)  # type: ignore[arg-type]
        return answer["events"]  # type: ignore[return-value]

    def end(self, number: int = 1, deadline_s: float = DEADLINE_S) -> tuple[str, dict[str, Any]]:
        """How the `number`-th activity to end did: `Completed`, `Failed`, `Canceled` or `TimedOut`, and attributes."""

        def look() -> tuple[str, dict[str, Any]] | None:
            ends = [
                (event["eventType"].removeprefix("ActivityTask"), event)
                for event in self.events()
                if event["eventType"] in ENDS
            ]
            if len(ends) < number:
                return None
            kind, event = ends[number - 1]
            return kind, event[f"activityTask{kind}EventAttributes"]

        found: tuple[str, dict[str, Any]] = wait_for(look, f"end {number} of an activity", deadline_s)
        return found


ENDS = ("ActivityTaskCompleted", "ActivityTaskFailed", "ActivityTaskCanceled", "ActivityTaskTimedOut")


class Rig:
    """One test's processes, all ended with it."""

    def __init__(self, endpoint: str, directory: Path) -> None:
        self.endpoint = endpoint
        self.directory = directory
        self.domain = f"d-{uuid.uuid4().hex[:8]}"
        self.task_list = "tl"
        self.address = f"unix:{directory}/h.sock"
        self.client = make_client(endpoint_url=endpoint)
        self.env = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYFLOW_"))},
            "AWS_ENDPOINT_URL_SWF": endpoint,
            "XDG_STATE_HOME": str(directory / "state"),
            "PYTHONUNBUFFERED": "1",
        }
        self._stack = contextlib.ExitStack()
        self._hosts: list[tuple[Process, str]] = []
        self.register(self.domain)

    def register(self, domain: str) -> None:
        """A domain with the test's workflow type."""
        self.client.register_domain(name=domain, workflowExecutionRetentionPeriodInDays="1")
        self.client.register_workflow_type(domain=domain, name="test", version="1")

    def host(self, *arguments: str, listen: str | None = None, env: dict[str, str] | None = None) -> Process:
        """A host that is ready."""
        host = self.process(
            "pyflow_host",
            "--domain",
            self.domain,
            "--listen",
            listen or self.address,
            "--grace",
            "0.5",
            *arguments,
            env=env,
        )
        ready = host.line_with("Activity host ready: ")
        if not {"--auth-token-file", "--tls-cert"} & set(arguments):
            self._hosts.append((host, ready.split()[-1]))
        return host

    def worker(
        self, *arguments: str, module: str = "activities_for_tests", env: dict[str, str] | None = None
    ) -> Process:
        """A Python worker, connected."""
        worker = self.process(
            "pyflow_activity", module, "--host", self.address, "--task-list", self.task_list, *arguments, env=env
        )
        worker.line_with("Connected to the host")
        wait_for(self.is_registered, "the registration of the activity types")
        return worker

    def is_registered(self, name: str = LAST_REGISTERED) -> bool:
        """Whether the type is there; the host registers them in the order of the module."""
        kinds = self.client.list_activity_types(domain=self.domain, registrationStatus="REGISTERED", name=name)
        return bool(kinds["typeInfos"])

    def process(self, module: str, *arguments: str, env: dict[str, str] | None = None) -> Process:
        """Any module of ours as a process."""
        process = Process([sys.executable, "-m", module, *arguments], {**self.env, **(env or {})})
        self._stack.callback(process.kill)
        return process

    def run(self, domain: str | None = None) -> Run:
        """A workflow execution."""
        return Run(self, domain or self.domain)

    def path(self, name: str) -> Path:
        """A file for activities and tests to talk by."""
        return self.directory / name

    def check_ledgers(self) -> None:
        """Of hosts that still run or have said goodbye: every task is accounted for, and none is lost.

        A host that was killed tells nothing. One that asks for tokens or certificates has to be asked by its test.
        """
        for host, address in self._hosts:
            if host.is_running:
                self._check_ledger(host, address)
            for line in host.lines:
                if line.startswith("Ledger: "):
                    assert " 0 lost" in line, line
                    assert line.endswith("balanced."), line

    def _check_ledger(self, host: Process, address: str) -> None:
        with grpc.insecure_channel(address) as channel:
            stub = host_grpc.ActivityHostServiceStub(channel)  # type: ignore[no-untyped-call]
            try:
                told = stub.DescribeHost(host_pb.DescribeHostRequest(), timeout=DEADLINE_S).ledger
            except grpc.RpcError:
                wait_for(lambda: not host.is_running, f"an answer or the end of the host\n{host.output}")
                return
        ins = told.tasks_received + told.tasks_resumed
        assert ins == told.tasks_reported + told.tasks_gone + told.tasks_lost + told.tasks_held, told
        assert told.tasks_lost == 0, f"{told}{host.output}"

    def close(self) -> None:
        self._stack.close()


@contextlib.contextmanager
def embedded_swf() -> Iterator[str]:
    """An embedded SWF in memory; its endpoint."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    process = Process([sys.executable, "-m", "pyflow_local", "--port", "0", "--memory"], env)
    try:
        yield process.line_with("SWF endpoint: ").removeprefix("SWF endpoint: ")
    finally:
        process.kill()
