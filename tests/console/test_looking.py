"""`pyflow status`, `history` and `signal` as processes, on executions of a real decider."""

from __future__ import annotations

import json
import subprocess
import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

import boto3
import pytest
from console_processes import DEADLINE_S, PYFLOW, Ended

if TYPE_CHECKING:
    from mypy_boto3_swf.client import SWFClient
    from mypy_boto3_swf.type_defs import DecisionTypeDef

pytestmark = pytest.mark.usefixtures("decider")
DOMAIN = ("--domain", "console")


def client_of(env: dict[str, str]) -> SWFClient:
    """A boto3 client for the same SWF."""
    return boto3.client(
        "swf",
        endpoint_url=env["AWS_ENDPOINT_URL_SWF"],
        region_name="us-east-1",
        aws_access_key_id="a",
        aws_secret_access_key="b",
    )


@pytest.fixture
def gate(run: Callable[..., Ended]) -> dict[str, str]:
    """The ids of an open execution that waits for the signal `open`."""
    started = run("start", "Gate", "1.0", *DOMAIN, "--workflow-id", f"gate-{uuid.uuid4().hex}")
    ids: dict[str, str] = json.loads(started.out)
    return ids


def test_signal_reaches_the_workflow(run: Callable[..., Ended], gate: dict[str, str]) -> None:
    sent = run("signal", gate["workflowId"], "open", *DOMAIN, "--input", '{"by": "hand"}')
    assert sent.code == 0, sent
    deadline_s = time.monotonic() + DEADLINE_S
    while " OPEN" in (status := run("status", gate["workflowId"], *DOMAIN)).out:
        assert time.monotonic() < deadline_s, status
    assert "CLOSED COMPLETED" in status.out
    assert '{"by": "hand"}' in status.out


def test_status_of_an_open_execution(run: Callable[..., Ended], gate: dict[str, str]) -> None:
    status = run("status", gate["workflowId"], *DOMAIN)
    assert status.code == 0
    for word in ("Gate 1.0", gate["workflowId"], gate["runId"], "OPEN", "console"):
        assert word in status.out, status.out
    assert "Decisions" not in status.out, "all are answered"


def test_status_says_what_the_code_says(run: Callable[..., Ended], env: dict[str, str], gate: dict[str, str]) -> None:
    run("start", "Gate", "1.0", *DOMAIN, "--workflow-id", "says", "--input", '{"step": "für dich"}')
    says = wait_for_line(run, "says", "Says")
    assert says.split(maxsplit=1)[1] == '{"step": "für dich"}'
    silent = run("status", gate["workflowId"], *DOMAIN).out
    assert "Says" not in silent
    assert "Context" not in silent


def start_undecided(swf: SWFClient, name: str, *, decision_s: int, whole_s: int = 600) -> str:
    """Start an execution on a task list of that name, where no decider polls; its run id."""
    swf.register_workflow_type(domain="console", name=name, version="1.0")
    started = swf.start_workflow_execution(
        domain="console",
        workflowId=name,
        workflowType={"name": name, "version": "1.0"},
        taskList={"name": name},
        childPolicy="TERMINATE",
        executionStartToCloseTimeout=str(whole_s),
        taskStartToCloseTimeout=str(decision_s),
    )
    return started["runId"]


def test_status_of_an_execution_that_another_decider_decides(run: Callable[..., Ended], env: dict[str, str]) -> None:
    swf = client_of(env)
    start_undecided(swf, "foreign", decision_s=60)
    task = swf.poll_for_decision_task(domain="console", taskList={"name": "foreign"})
    swf.respond_decision_task_completed(taskToken=task["taskToken"], executionContext="half way")
    assert wait_for_line(run, "foreign", "Context").split(maxsplit=1)[1] == "half way"


def wait_for_line(run: Callable[..., Ended], workflow_id: str, name: str) -> str:
    """The line of `pyflow status` that begins with that name, once it is there."""
    deadline_s = time.monotonic() + DEADLINE_S
    while True:
        status = run("status", workflow_id, *DOMAIN)
        found = [line for line in status.out.splitlines() if line.startswith(name)]
        if found:
            return found[0]
        assert time.monotonic() < deadline_s, status


def test_status_without_a_run_id_is_that_of_the_latest_run(run: Callable[..., Ended]) -> None:
    arguments = ("start", "Double", "1.0", *DOMAIN, "--workflow-id", "twice", "--wait")
    assert run(*arguments, "--input", "1").code == 0
    assert run(*arguments, "--input", "2").code == 0
    assert '{"double": 4}' in run("status", "twice", *DOMAIN).out


def test_status_of_a_failed_execution(run: Callable[..., Ended]) -> None:
    run("start", "Double", "1.0", *DOMAIN, "--workflow-id", "failed", "--wait")
    status = run("status", "failed", *DOMAIN)
    for word in ("CLOSED FAILED", "NO_NUMBER", "give a number"):
        assert word in status.out, status.out


@pytest.mark.parametrize("how", ["terminated", "timed out", "canceled"])
def test_status_tells_what_ended_it(run: Callable[..., Ended], env: dict[str, str], how: str) -> None:
    swf = client_of(env)
    name = how.replace(" ", "-")
    run_id = start_undecided(swf, name, decision_s=60, whole_s=1 if how == "timed out" else 600)
    if how == "terminated":
        swf.terminate_workflow_execution(domain="console", workflowId=name, reason="ORDER_LOST", details="by hand")
    if how == "canceled":
        task = swf.poll_for_decision_task(domain="console", taskList={"name": name})
        canceled: DecisionTypeDef = {
            "decisionType": "CancelWorkflowExecution",
            "cancelWorkflowExecutionDecisionAttributes": {"details": "nobody wants it"},
        }
        swf.respond_decision_task_completed(taskToken=task["taskToken"], decisions=[canceled])
    told = {
        "terminated": {"Cause": "OPERATOR_INITIATED", "Reason": "ORDER_LOST", "Details": "by hand"},
        "timed out": {"Timeout": "START_TO_CLOSE"},
        "canceled": {"Details": "nobody wants it"},
    }[how]
    for line, value in told.items():
        assert wait_for_line(run, name, line).split(maxsplit=1)[1] == value
    assert run_id in run("status", name, *DOMAIN).out


def test_history_to_read(run: Callable[..., Ended]) -> None:
    run("start", "Double", "1.0", *DOMAIN, "--workflow-id", "read", "--input", "3", "--wait")
    lines = run("history", "read", *DOMAIN).out.splitlines()
    assert [line.split()[0] for line in lines] == ["1", "2", "3", "4", "5"]
    assert "WorkflowExecutionStarted" in lines[0]
    assert "Double 1.0" in lines[0]
    assert 'result={"double": 6}' in lines[-1]


def test_history_as_aws_prints_it(run: Callable[..., Ended], env: dict[str, str]) -> None:
    started = run("start", "Double", "1.0", *DOMAIN, "--workflow-id", "aws", "--input", "3", "--wait")
    assert started.code == 0
    printed = json.loads(run("history", "aws", *DOMAIN, "--json").out)
    client = client_of(env)
    run_id = next(line.split()[-1] for line in run("status", "aws", *DOMAIN).out.splitlines() if "Run id" in line)
    answer = client.get_workflow_execution_history(domain="console", execution={"workflowId": "aws", "runId": run_id})
    expected = [{**event, "eventTimestamp": event["eventTimestamp"].timestamp()} for event in answer["events"]]
    assert printed == {"events": expected}


@pytest.mark.parametrize("command", [["status"], ["history"], ["history", "--json"]])
def test_executions_that_are_not_there(run: Callable[..., Ended], command: list[str]) -> None:
    run(command[0], "absent", *DOMAIN, *command[1:]).assert_told("'absent'", "'console'")
    run(command[0], "absent", *DOMAIN, "--run-id", "r", *command[1:]).assert_told("'absent'", "'r'")
    run(command[0], "absent", "--domain", "nowhere", *command[1:]).assert_told("nowhere")


def test_signal_to_an_execution_that_is_not_open(run: Callable[..., Ended]) -> None:
    run("signal", "absent", "open", *DOMAIN).assert_told("no open execution 'absent'")
    run("signal", "absent", "open", "--domain", "nowhere").assert_told("nowhere")


def test_signal_input_that_is_not_json(run: Callable[..., Ended], gate: dict[str, str]) -> None:
    run("signal", gate["workflowId"], "open", *DOMAIN, "--input", "{'a'}").assert_told("--input is not JSON")


@pytest.mark.parametrize("command", [["status", "x"], ["history", "x"], ["signal", "x", "open"]])
def test_swf_that_is_not_there(run: Callable[..., Ended], command: list[str], unused_url: str) -> None:
    run(*command, *DOMAIN, AWS_ENDPOINT_URL_SWF=unused_url).assert_told(unused_url, "pyflow dev")


def test_output_that_nobody_reads_on(run: Callable[..., Ended], gate: dict[str, str], env: dict[str, str]) -> None:
    command = f"set -o pipefail; {PYFLOW} history {gate['workflowId']} --domain console --json | head -c 1"
    done = subprocess.run(["bash", "-c", command], env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "{", "")


def test_status_shows_decision_tasks_that_are_not_answered(run: Callable[..., Ended], env: dict[str, str]) -> None:
    """What a held execution looks like to everybody but the decider that holds it."""
    swf = client_of(env)
    run_id = start_undecided(swf, "held", decision_s=1)
    for _ in range(2):  # SWF gives it out again when it has timed out: the second poll waits for that
        swf.poll_for_decision_task(domain="console", taskList={"name": "held"}, identity="holder")
    status = run("status", "held", "--run-id", run_id, *DOMAIN)
    assert "in a row not answered, the last taken by holder" in status.out, status
    assert "pyflow why" in status.out
