"""Clients that nobody here wrote: the AWS CLI and the unmodified pyflow-swf 2.0.0, both from PyPI.

Their installations are kept under .setup/ and made when they are missing. Where they cannot be made the tests are
skipped with the reason; with CI=true they fail instead.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from local_swf_driver import decision
from local_swf_server import RunningServer

SETUP = Path(__file__).parents[2] / ".setup"
AWS_CLI = "awscli==1.44.87"
PYFLOW = "pyflow-swf==2.0.0"
INSTALL_SECONDS_MAX = 300
RUN_SECONDS_MAX = 90


def run(*command: str | Path, **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command],
        check=False,
        capture_output=True,
        text=True,
        **{"timeout": RUN_SECONDS_MAX, **more},
    )


def install(*commands: list[str | Path]) -> None:
    for command in commands:
        done = run(*command, timeout=INSTALL_SECONDS_MAX)
        if done.returncode != 0:
            text = f"cannot be installed here: {done.stderr.strip()[-500:]}"
            if os.environ.get("CI") == "true":
                pytest.fail(text)
            pytest.skip(text)


@pytest.fixture(scope="module")
def aws_cli() -> Path:
    """The CLI in a virtual environment of its own, since it pins botocore."""
    home = SETUP / "awscli"
    cli = home / "bin" / "aws"
    if not cli.exists():
        install([sys.executable, "-m", "venv", home], [home / "bin" / "pip", "install", "-q", AWS_CLI])
    return cli


@pytest.fixture(scope="module")
def pyflow_2() -> Path:
    """A directory that holds pyflow-swf 2.0.0 and what it needs."""
    home = SETUP / "pyflow2"
    if not (home / "pyflow_swf-2.0.0.dist-info").exists():
        install([sys.executable, "-m", "pip", "install", "-q", "--target", home, PYFLOW])
    return home


def environment(server: RunningServer, **more: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    return {
        **kept,
        "AWS_ENDPOINT_URL_SWF": server.url,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_PAGER": "",
        **more,
    }


class Cli:
    """`aws swf ...` against a server."""

    def __init__(self, cli: Path, server: RunningServer) -> None:
        self.cli, self.environment = cli, environment(server)

    def __call__(self, *arguments: str) -> Any:
        done = run(self.cli, "swf", *arguments, "--output", "json", env=self.environment)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None


def cli_prepare(aws: Cli) -> None:
    aws("register-domain", "--name", "cli", "--workflow-execution-retention-period-in-days", "1")
    aws(
        "register-workflow-type", "--domain", "cli", "--name", "wf", "--workflow-version", "1",
        "--default-task-list", "name=tl", "--default-child-policy", "TERMINATE",
        "--default-execution-start-to-close-timeout", "600", "--default-task-start-to-close-timeout", "60",
    )  # fmt: skip
    arguments = []
    for kind in ("schedule-to-start", "schedule-to-close", "start-to-close", "heartbeat"):
        arguments += [f"--default-task-{kind}-timeout", "NONE"]
    aws(
        "register-activity-type", "--domain", "cli", "--name", "act", "--activity-version", "1",
        "--default-task-list", "name=al", *arguments,
    )  # fmt: skip


def test_the_aws_cli(aws_cli: Path, run_server: Callable[..., RunningServer], tmp_path: Path) -> None:
    aws = Cli(aws_cli, run_server("--memory"))
    cli_prepare(aws)
    run_id = aws(
        "start-workflow-execution", "--domain", "cli", "--workflow-id", "w", "--workflow-type", "name=wf,version=1",
        "--input", "hello", "--tag-list", "a", "b",
    )["runId"]  # fmt: skip
    # The CLI pages through a poll by itself: three pages of one event each.
    poll = ("poll-for-decision-task", "--domain", "cli", "--task-list", "name=tl")
    task = aws(*poll, "--page-size", "1")
    assert [event["eventId"] for event in task["events"]] == [1, 2, 3]
    schedule = decision("ScheduleActivityTask", activityType={"name": "act", "version": "1"}, activityId="a")
    answer = ("respond-decision-task-completed", "--task-token")
    assert aws(*answer, task["taskToken"], "--decisions", json.dumps([schedule])) is None
    activity = aws("poll-for-activity-task", "--domain", "cli", "--task-list", "name=al", "--identity", "me")
    beat = aws("record-activity-task-heartbeat", "--task-token", activity["taskToken"], "--details", "x")
    assert beat == {"cancelRequested": False}
    aws("respond-activity-task-completed", "--task-token", activity["taskToken"], "--result", "r")
    task = aws(*poll)
    aws(*answer, task["taskToken"], "--decisions", json.dumps([decision("CompleteWorkflowExecution", result="done")]))
    history = aws(
        "get-workflow-execution-history", "--domain", "cli", "--execution", f"workflowId=w,runId={run_id}",
        "--page-size", "3",
    )  # fmt: skip
    assert [event["eventId"] for event in history["events"]] == list(range(1, 12))
    closed = aws("list-closed-workflow-executions", "--domain", "cli", "--start-time-filter", "oldestDate=0")
    assert closed["executionInfos"][0]["closeStatus"] == "COMPLETED"
    refused = run(aws.cli, "swf", "describe-domain", "--name", "nope", env=aws.environment)
    assert "(UnknownResourceFault)" in refused.stderr
    assert "Unknown domain: nope" in refused.stderr


def test_a_history_is_exported_as_the_aws_cli_prints_it_and_can_be_imported(
    aws_cli: Path, run_server: Callable[..., RunningServer]
) -> None:
    from pyflow_local import LocalSwf
    from pyflow_local.transfer import export_history

    server = run_server("--memory")
    aws = Cli(aws_cli, server)
    cli_prepare(aws)
    start = ("start-workflow-execution", "--domain", "cli", "--workflow-id", "w", "--workflow-type")
    run_id = aws(*start, "name=wf,version=1")["runId"]
    aws("terminate-workflow-execution", "--domain", "cli", "--workflow-id", "w")
    history = aws("get-workflow-execution-history", "--domain", "cli", "--execution", f"workflowId=w,runId={run_id}")
    assert json.loads(export_history(server.client, "cli", "w", run_id)) == history
    with LocalSwf() as local:
        swf = local.client()
        swf.register_domain(name="d", workflowExecutionRetentionPeriodInDays="1")
        execution = {"workflowId": "w", "runId": local.import_history("d", "w", json.dumps(history))}
        detail = swf.describe_workflow_execution(domain="d", execution=execution)
        assert detail["executionInfo"]["closeStatus"] == "TERMINATED"


README_WORKFLOW = """
import sys, json, boto3, pyflow, pkg_of
class MyWorkflow(pyflow.Workflow):
    NAME = 'MyWorkflow'
    VERSION = '1.0'

    some_func = pyflow.LambdaDescriptor('some_lambda_func')
    other_func = pyflow.LambdaDescriptor('other_lambda_func')

    def run(self, input_arg):
       if input_arg == 'bad_input':
           raise pyflow.WorkflowFailedException('BAD_INPUT', 'Received bad input')
       future1 = self.some_func(input_arg)
       x = future1.result() + 2
       future2 = self.other_func(x)
       return future2.result()
"""

DECIDER = (
    README_WORKFLOW
    + """
print(pkg_of.version(), flush=True)
pyflow.poll_for_executions([MyWorkflow], domain='old', task_list='my-workflow-tasklist',
    identity='My Workflow Worker', max_time=60)
"""
)

STARTER = (
    README_WORKFLOW
    + """
print(json.dumps(pyflow.start_workflow(domain='old', workflow_name='MyWorkflow', workflow_version='1.0',
    task_list='my-workflow-tasklist', lambda_role='arn:aws:iam::528461152743:role/swf-lambda', input=sys.argv[1])))
"""
)

FUNCTIONS = """
def some_lambda_func(event, context):
    return len(event)

def other_lambda_func(event):
    return {"answer": event * 10}
"""

PKG_OF = """
import os, pyflow
def version():
    return os.path.dirname(os.path.dirname(os.path.abspath(pyflow.__file__)))
"""


def closing_event(swf: Any, execution: dict[str, str]) -> dict[str, Any]:
    """The last event, once the execution has closed."""
    deadline = threading.Event()
    for _ in range(600):
        events = swf.get_workflow_execution_history(domain="old", execution=execution)["events"]
        if events[-1]["eventType"] in {"WorkflowExecutionCompleted", "WorkflowExecutionFailed"}:
            return events[-1]
        deadline.wait(0.1)
    raise AssertionError(f"not closed: {[event['eventType'] for event in events]}")


def test_pyflow_2_runs_its_own_readme(pyflow_2: Path, run_server: Callable[..., RunningServer], tmp_path: Path) -> None:
    for name, text in (("decider", DECIDER), ("starter", STARTER), ("functions", FUNCTIONS), ("pkg_of", PKG_OF)):
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(text))
    names = ("some_lambda_func", "other_lambda_func")
    lambdas = [part for name in names for part in ("--lambda", f"{name}=functions:{name}")]
    server = run_server("--memory", *lambdas, cwd=tmp_path)
    server.client.register_domain(name="old", workflowExecutionRetentionPeriodInDays="1")
    # -S would lose the venv; PYTHONPATH comes before it, so `pyflow` is the old one: the decider prints where from.
    env = environment(server, PYTHONPATH=f"{pyflow_2}{os.pathsep}{tmp_path}")
    decider = subprocess.Popen(
        [sys.executable, "decider.py"],
        cwd=tmp_path,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert decider.stdout is not None
        assert decider.stdout.readline().strip() == str(pyflow_2)
        wait_for_type(server.client)
        ends = {}
        for given in ('"Hello"', '"bad_input"'):
            started = run(sys.executable, "starter.py", given, cwd=tmp_path, env=env)
            assert started.returncode == 0, started.stderr
            ends[given] = closing_event(server.client, json.loads(started.stdout))
    finally:
        decider.terminate()
        decider.communicate()
    completed = ends['"Hello"']["workflowExecutionCompletedEventAttributes"]
    assert json.loads(completed["result"]) == {"answer": 70}
    failed = ends['"bad_input"']["workflowExecutionFailedEventAttributes"]
    assert (failed["reason"], failed["details"]) == ("BAD_INPUT", "Received bad input")


def wait_for_type(swf: Any) -> None:
    """Until the decider has registered its workflow type."""
    pause = threading.Event()
    for _ in range(300):
        if swf.list_workflow_types(domain="old", registrationStatus="REGISTERED")["typeInfos"]:
            return
        pause.wait(0.1)
    raise AssertionError("the decider did not register its workflow type")
