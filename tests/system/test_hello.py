"""The example of pyflow-swf's README, run as examples/hello/README.md says."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from stack import PYFLOW, ROOT, Process

HELLO = ROOT / "examples/hello"


@pytest.fixture(scope="module")
def env() -> Iterator[dict[str, str]]:
    """An SWF with both Lambda functions, and the decider, running."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    functions = [f"--lambda={name}=functions:{name}" for name in ("some_lambda_func", "other_lambda_func")]
    swf = Process("swf", [PYFLOW, "dev", "--port", "0", "--memory", *functions], env, show=False, directory=HELLO)
    try:
        endpoint = swf.wait_for_line("SWF endpoint: ").removeprefix("SWF endpoint: ")
        env["AWS_ENDPOINT_URL_SWF"] = endpoint
        register_domain(env)
        decider = Process("decider", [sys.executable, "decide.py"], env, show=False, directory=HELLO)
        try:
            yield env
        finally:
            decider.terminate()
            swf.terminate()
            decider.wait()
    finally:
        swf.terminate()
        swf.wait()


def register_domain(env: dict[str, str]) -> None:
    """As 2.0.0's users did: their programs expect the domain, and the workflow type once the decider runs."""
    program = (
        "from hello import *; from pyflow.swf import ensure_domain, ensure_workflow_type, make_client\n"
        "ensure_domain(make_client(), DOMAIN)\n"
        "pyflow.Decider([MyWorkflow], DOMAIN, TASK_LIST, 'setup').ensure_workflows_registered()"
    )
    subprocess.run([sys.executable, "-c", program], cwd=HELLO, env=env, check=True, timeout=30)


def start(env: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, "start.py", *arguments]
    return subprocess.run(
        command, cwd=HELLO, env=env, capture_output=True, text=True, timeout=60, check=True
    ).stdout.splitlines()[-1]


def test_two_lambda_functions_called_like_methods(env: dict[str, str]) -> None:
    assert start(env) == 'COMPLETED "The answer is 7."'


def test_bad_input_fails_the_workflow_with_its_reason(env: dict[str, str]) -> None:
    assert start(env, "bad_input") == "FAILED BAD_INPUT: Received bad input"
