"""SIGKILL at random moments under load: nothing that was answered is lost, nothing is doubled, nothing hangs.

PYFLOW_KILLS sets how often the server is killed (default 12; CI has it killed 200 times, with NORMAL and FULL).
"""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from local_swf_checker import CLOSES, attributes_of, check_history
from local_swf_driver import TIMEOUTS, decision
from local_swf_server import RunningServer

KILLS = int(os.environ.get("PYFLOW_KILLS", "12"))
LIVE_SECONDS = (0.02, 0.35)
FINISH_SECONDS_MAX = 60
WORKFLOWS_AT_ONCE = 40
WF, ACT = {"name": "wf", "version": "1"}, {"name": "act", "version": "1"}


class Caller:
    """A client that survives its server: every call is tried once, and it is known whether it was answered."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.connection: http.client.HTTPConnection | None = None
        self.port = 0

    def call(self, operation: str, **members: Any) -> dict[str, Any] | None:
        """The answer; None if there was none, so that nobody knows whether it was carried out."""
        try:
            if self.connection is None or self.port != self.load.port:
                self.port = self.load.port
                self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=70)
            headers = {"X-Amz-Target": f"SimpleWorkflowService.{operation}"}
            self.connection.request("POST", "/", json.dumps(members), headers)
            answer = self.connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException):
            self.connection = None
            time.sleep(0.005)  # the server is down: do not spin until it is back
            return None
        found: dict[str, Any] = json.loads(body) if body else {}
        if answer.status != 200:
            found["refused"] = answer.status
        return found


class Load:
    """Starters, deciders and workers that note what was answered."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.stopping = False
        self.starting = True
        self.lock = threading.Lock()
        self.started: dict[str, str] = {}
        self.signaled: set[tuple[str, str]] = set()
        self.decided: set[tuple[str, int]] = set()
        self.results: set[tuple[str, int]] = set()
        self.open = 0
        self.errors: list[BaseException] = []
        jobs: list[Callable[[Caller], None]] = [self.start, *[self.decide] * 4, *[self.work] * 4]
        self.threads = [threading.Thread(target=self._repeat, args=(job,), daemon=True) for job in jobs]
        for thread in self.threads:
            thread.start()

    def _repeat(self, job: Callable[[Caller], None]) -> None:
        caller = Caller(self)
        try:
            while not self.stopping:
                job(caller)
        except BaseException as error:
            self.errors.append(error)
            raise

    def start(self, caller: Caller) -> None:
        """Start a workflow and send it a signal."""
        if not self.starting or len(self.started) - len(self.decided) // 3 > WORKFLOWS_AT_ONCE:
            time.sleep(0.01)
            return
        name = f"w{random.getrandbits(60)}"
        answer = caller.call("StartWorkflowExecution", domain="d", workflowId=name, workflowType=WF, input="i")
        if answer is None:
            return
        assert "refused" not in answer, answer
        self.started[name] = answer["runId"]
        sent = caller.call("SignalWorkflowExecution", domain="d", workflowId=name, signalName=f"s-{name}")
        if sent == {}:
            self.signaled.add((name, f"s-{name}"))

    def decide(self, caller: Caller) -> None:
        """One timer and one activity, done when both are; an activity that timed out is scheduled anew."""
        task = caller.call("PollForDecisionTask", domain="d", taskList={"name": "tl"})
        if task is None or "taskToken" not in task:
            return
        kinds = [event["eventType"] for event in task["events"]]
        scheduled = kinds.count("ActivityTaskScheduled")
        decisions = []
        if "TimerStarted" not in kinds:
            decisions.append(decision("StartTimer", timerId="t", startToFireTimeout="0"))
        if scheduled == kinds.count("ActivityTaskTimedOut"):
            decisions.append(decision("ScheduleActivityTask", activityType=ACT, activityId=f"a{scheduled}"))
        if "ActivityTaskCompleted" in kinds and "TimerFired" in kinds:
            decisions.append(decision("CompleteWorkflowExecution", result="done"))
        answer = caller.call("RespondDecisionTaskCompleted", taskToken=task["taskToken"], decisions=decisions)
        if answer == {}:
            with self.lock:
                self.decided.add((task["workflowExecution"]["workflowId"], task["startedEventId"]))

    def work(self, caller: Caller) -> None:
        """Complete an activity."""
        task = caller.call("PollForActivityTask", domain="d", taskList={"name": "al"})
        if task is None or "taskToken" not in task:
            return
        answer = caller.call("RespondActivityTaskCompleted", taskToken=task["taskToken"], result="r")
        if answer == {}:
            with self.lock:
                self.results.add((task["workflowExecution"]["workflowId"], task["startedEventId"]))


def set_up(client: Any) -> None:
    client.register_domain(name="d", workflowExecutionRetentionPeriodInDays="7")
    client.register_workflow_type(
        domain="d", **WF, defaultTaskList={"name": "tl"}, defaultExecutionStartToCloseTimeout="3600",
        defaultTaskStartToCloseTimeout="1", defaultChildPolicy="TERMINATE",
    )  # fmt: skip
    timeouts = {f"defaultTask{kind}Timeout": "NONE" for kind in TIMEOUTS}
    timeouts["defaultTaskStartToCloseTimeout"] = "1"
    client.register_activity_type(domain="d", **ACT, defaultTaskList={"name": "al"}, **timeouts)


def histories(client: Any) -> dict[str, list[dict[str, Any]]]:
    """All closed histories by workflow id."""
    found = {}
    pages = client.get_paginator("list_closed_workflow_executions")
    for page in pages.paginate(domain="d", closeTimeFilter={"oldestDate": 0}):
        for info in page["executionInfos"]:
            execution = info["execution"]
            events = client.get_workflow_execution_history(domain="d", execution=execution)["events"]
            found[execution["workflowId"]] = events
    return found


def wait_until_all_closed(client: Any) -> None:
    deadline = time.monotonic() + FINISH_SECONDS_MAX
    while client.count_open_workflow_executions(domain="d", startTimeFilter={"oldestDate": 0})["count"]:
        assert time.monotonic() < deadline, "an execution hangs"
        time.sleep(0.05)


def check(load: Load, found: dict[str, list[dict[str, Any]]]) -> None:
    """I1 to I4, I6 and I7."""
    for name, events in found.items():
        check_history(events)
        assert events[-1]["eventType"] in CLOSES, name
    assert set(load.started) <= set(found), "an answered start was lost"
    by_type: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for name, events in found.items():
        for event in events:
            by_type.setdefault(name, {}).setdefault(event["eventType"], []).append(attributes_of(event))
    for name, signal_name in load.signaled:
        received = [a["signalName"] for a in by_type[name].get("WorkflowExecutionSignaled", [])]
        assert received.count(signal_name) == 1, f"{name}: the answered signal is there {received.count(signal_name)}x"
    for name, started_id in load.decided:
        answered = [a["startedEventId"] for a in by_type[name]["DecisionTaskCompleted"]]
        assert answered.count(started_id) == 1, f"{name}: decision {started_id}"
    for name, started_id in load.results:
        completed = [a["startedEventId"] for a in by_type[name]["ActivityTaskCompleted"]]
        assert completed.count(started_id) == 1, f"{name}: result {started_id}"
    for name in found:
        assert len(by_type[name]["ActivityTaskCompleted"]) == 1, f"{name}: its activity completed more than once"


@pytest.mark.parametrize("durability", [[], ["--full-sync"]], ids=["normal", "full"])
def test_killed_again_and_again(
    run_server: Callable[..., RunningServer], tmp_path: Path, durability: list[str]
) -> None:
    server = run_server("--data", str(tmp_path / "swf.db"), *durability)
    set_up(server.client)
    load = Load(server.port)
    for _ in range(KILLS):
        time.sleep(random.uniform(*LIVE_SECONDS))
        server.stop(signal.SIGKILL)
        server.begin()
        load.port = server.port
    load.starting = False
    wait_until_all_closed(server.client)
    load.stopping = True
    server.stop()  # ends the long polls of the load's threads
    for thread in load.threads:
        thread.join(5)
    assert not load.errors
    server.begin()
    found = histories(server.client)
    check(load, found)
    assert len(found) > KILLS, f"only {len(found)} workflows ran: the test proves nothing"
    answered = f"{len(load.started)} starts, {len(load.signaled)} signals, {len(load.decided)} decisions"
    print(f"{KILLS} kills: {len(found)} workflows; kept of what was answered: {answered}, {len(load.results)} results")


def test_tokens_and_timers_of_before_the_crash(run_server: Callable[..., RunningServer], tmp_path: Path) -> None:
    server = run_server("--data", str(tmp_path / "swf.db"))
    set_up(server.client)
    started = server.client.start_workflow_execution(
        domain="d", workflowId="w", workflowType=WF, taskStartToCloseTimeout="60"
    )
    poll = {"domain": "d", "taskList": {"name": "tl"}}
    task = server.client.poll_for_decision_task(**poll)
    begun = [
        decision("ScheduleActivityTask", activityType=ACT, activityId="a", startToCloseTimeout="60"),
        decision("StartTimer", timerId="t", startToFireTimeout="1"),
    ]
    server.client.respond_decision_task_completed(taskToken=task["taskToken"], decisions=begun)
    activity = server.client.poll_for_activity_task(domain="d", taskList={"name": "al"})
    server.client.signal_workflow_execution(domain="d", workflowId="w", signalName="s")
    task = server.client.poll_for_decision_task(**poll)
    server.stop(signal.SIGKILL)
    server.begin()
    server.client.respond_decision_task_completed(taskToken=task["taskToken"], decisions=[])
    server.client.respond_activity_task_completed(taskToken=activity["taskToken"], result="r")
    kinds: list[str] = []
    while not {"TimerFired", "ActivityTaskCompleted"} <= set(kinds):
        task = server.client.poll_for_decision_task(**poll)
        kinds = [event["eventType"] for event in task["events"]]
        done = [decision("CompleteWorkflowExecution")] if "TimerFired" in kinds else []
        server.client.respond_decision_task_completed(taskToken=task["taskToken"], decisions=done)
    execution = {"workflowId": "w", "runId": started["runId"]}
    check_history(server.client.get_workflow_execution_history(domain="d", execution=execution)["events"])
