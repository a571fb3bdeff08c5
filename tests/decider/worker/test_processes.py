"""Deciders as processes: ended by SIGTERM in good order, killed at any moment without loss, several at once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pyflow.starter import signal_workflow, start_workflow, wait_for_workflow
from pyflow.swf import JsonObject
from worker_embedded import EmbeddedSwf, eventually, history, of_type, without_aws_configuration

HERE = Path(__file__).parent
Begin = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def client(swf_server: EmbeddedSwf) -> Any:
    return swf_server.connection().client


@pytest.fixture
def begin(swf_server: EmbeddedSwf, domain: str, tmp_path: Path) -> Iterator[Begin]:
    """Start decider processes; what is left of them is killed with the test."""
    begun: list[subprocess.Popen[str]] = []

    def run(*names: str, processes: int = 1) -> subprocess.Popen[str]:
        log = (tmp_path / f"decider-{len(begun)}.log").open("w")
        process = subprocess.Popen(
            [sys.executable, str(HERE / "decider_main.py"), domain, str(processes), *names],
            env={**without_aws_configuration(), "AWS_ENDPOINT_URL_SWF": swf_server.url, "PYTHONPATH": str(HERE)},
            stdout=log,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        begun.append(process)
        path = Path(log.name)
        eventually(lambda: path.read_text().count("Beginning to poll") >= processes, what=f"{path} to begin")
        return process

    yield run
    for process in begun:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def said(tmp_path: Path, number: int = 0) -> str:
    return (tmp_path / f"decider-{number}.log").read_text()


def test_sigterm_ends_in_good_order(
    begin: Begin, client: Any, domain: str, tmp_path: Path, swf_server: EmbeddedSwf
) -> None:
    process = begin("Waits", "Slow")
    waits = start_workflow(domain, "Waits", "1", "t", client=client)
    slow = start_workflow(domain, "Slow", "1", "t", input="1.5", client=client)

    def events(ids: dict[str, str]) -> list[JsonObject]:
        return history(swf_server.connection(), domain, ids)

    eventually(lambda: of_type(events(waits), "DecisionTaskCompleted"))
    eventually(lambda: of_type(events(slow), "DecisionTaskStarted"), what="a decision is at hand")
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    assert "ended in good order" in said(tmp_path)
    assert of_type(events(slow), "WorkflowExecutionCompleted"), "the decision at hand was finished"
    assert of_type(events(slow), "DecisionTaskTimedOut") == []

    begin("Waits")
    signal_workflow(domain, waits["workflowId"], "go", '"end"', client=client)
    status = wait_for_workflow(domain, waits["workflowId"], waits["runId"], client, timeout_s=30)
    assert status.result == '["end"]'


def test_ctrl_c_ends_in_good_order(begin: Begin, tmp_path: Path) -> None:
    process = begin("Waits")
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    assert "ended in good order" in said(tmp_path)


def test_a_second_signal_ends_at_once(begin: Begin, tmp_path: Path) -> None:
    process = begin("Waits")
    process.send_signal(signal.SIGTERM)
    eventually(lambda: "Stopping" in said(tmp_path))
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 128 + signal.SIGTERM


def test_killed_and_started_again(begin: Begin, client: Any, domain: str, swf_server: EmbeddedSwf) -> None:
    started = [start for start in range(4)]
    process = begin("Steps")
    ids = [start_workflow(domain, "Steps", "1", "t", input="150", client=client) for _ in started]
    eventually(lambda: len(of_type(history(swf_server.connection(), domain, ids[0]), "TimerFired")) > 10)
    process.kill()
    process.wait()
    begin("Steps")
    for each in ids:
        status = wait_for_workflow(domain, each["workflowId"], each["runId"], client, timeout_s=60)
        assert status.result == "150"
        timers = [event["timerId"] for event in of_type(history(swf_server.connection(), domain, each), "TimerStarted")]
        assert len(timers) == len(set(timers)) == 150


def test_several_processes(begin: Begin, client: Any, domain: str, tmp_path: Path, swf_server: EmbeddedSwf) -> None:
    process = begin("Steps", "Waits", processes=2)
    ids = [start_workflow(domain, "Steps", "1", "t", input="10", client=client) for _ in range(6)]
    results = [wait_for_workflow(domain, e["workflowId"], e["runId"], client, timeout_s=60).result for e in ids]
    assert results == ["10"] * 6

    pids = {int(line.split()[0]) for line in said(tmp_path).splitlines() if "Beginning to poll" in line}
    assert len(pids) == 2
    os.kill(min(pids), signal.SIGKILL)
    eventually(lambda: said(tmp_path).count("Beginning to poll") == 3, what="another process takes its place")
    more = start_workflow(domain, "Steps", "1", "t", input=json.dumps(5), client=client)
    assert wait_for_workflow(domain, more["workflowId"], more["runId"], client, timeout_s=60).result == "5"
    process.send_signal(signal.SIGTERM)
    assert process.wait(40) == 0
    assert "ended in good order" in said(tmp_path)


def test_a_parent_that_is_killed_leaves_no_process_behind(begin: Begin, tmp_path: Path) -> None:
    process = begin("Waits", processes=2)
    pids = {int(line.split()[0]) for line in said(tmp_path).splitlines() if "Beginning to poll" in line}
    assert len(pids) == 2
    process.kill()
    process.wait()
    eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), what="the children end")


def test_nothing_there_is_said_and_ends_with_an_error(domain: str) -> None:
    process = subprocess.run(
        [sys.executable, str(HERE / "decider_main.py"), domain, "1", "Waits"],
        env={**without_aws_configuration(), "AWS_ENDPOINT_URL_SWF": "http://127.0.0.1:9", "PYTHONPATH": str(HERE)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert process.returncode != 0
    assert "http://127.0.0.1:9" in process.stderr
    assert "AWS_ENDPOINT_URL_SWF" in process.stderr
