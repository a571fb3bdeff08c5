"""Fixtures of the console's tests: a folder with workflows and activities, an embedded SWF, a decider."""

from __future__ import annotations

import signal
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from console_processes import ACTIVITIES, WORKFLOWS, Ended, Running, begin, environment, pyflow

CLASSES = ("console_flows:Double", "console_flows:Gate", "console_flows:Turns", "console_flows:Caller")


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a user would stand: a folder with a workflow module and an activity module."""
    path = tmp_path_factory.mktemp("console")
    (path / "console_flows.py").write_text(WORKFLOWS, encoding="utf-8")
    (path / "greetings.py").write_text(ACTIVITIES, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def endpoint(folder: Path) -> Iterator[str]:
    """The URL of an embedded SWF that all tests share."""
    # A host or decider waits its polls out at its end: nobody has to wait a minute for that here.
    swf = begin("dev", "--port", "0", "--memory", "--poll-hold", "5", cwd=folder, env=environment())
    yield swf.wait_for("SWF endpoint: ").split()[-1]
    swf.end()


@pytest.fixture(scope="session")
def env(endpoint: str) -> dict[str, str]:
    """An environment whose only AWS setting is that endpoint."""
    return environment(AWS_ENDPOINT_URL_SWF=endpoint)


@pytest.fixture(scope="session")
def decider(folder: Path, env: dict[str, str]) -> Iterator[Running]:
    """A decider for all workflows of the folder, in the domain `console`."""
    running = begin("decider", *CLASSES, "--domain", "console", "--task-list", "console", cwd=folder, env=env)
    running.wait_for("Beginning to poll")
    yield running
    running.end(signal.SIGKILL)  # it would wait its long polls out; test_decider sees to its clean end


@pytest.fixture
def run(folder: Path, env: dict[str, str]) -> Callable[..., Ended]:
    """Run a command in the folder to its end."""

    def run_command(*arguments: str, **more: str) -> Ended:
        return pyflow(*arguments, cwd=folder, env={**env, **more})

    return run_command


@pytest.fixture
def go(folder: Path, env: dict[str, str]) -> Iterator[Callable[..., Running]]:
    """Start commands that go on; they are killed with the test."""
    started: list[Running] = []

    def start(*arguments: str, cwd: Path = folder, **more: str) -> Running:
        started.append(begin(*arguments, cwd=cwd, env={**env, **more}))
        return started[-1]

    yield start
    for running in started:
        running.end(signal.SIGKILL)


@pytest.fixture
def unused_url() -> str:
    """The URL of a port where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"
