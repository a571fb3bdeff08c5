"""Fixtures of the embedded SWF's tests: a driver with a fake clock, and a real server in a process of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from local_swf_driver import Driver
from local_swf_server import RunningServer


def pytest_configure(config: pytest.Config) -> None:
    """Declare the mark of test_causes.py."""
    config.addinivalue_line("markers", "reaches(event, cause): the test must see this event with this cause")


@pytest.fixture
def driver() -> Driver:
    """A service with one domain and one type of each kind, and a clock that only the test moves."""
    return Driver()


@pytest.fixture
def run_server(tmp_path: Path) -> Iterator[Callable[..., RunningServer]]:
    """Start servers; they are ended with the test."""
    servers: list[RunningServer] = []

    def run(*arguments: str, cwd: Path | None = None, wrapper: Sequence[str] = ()) -> RunningServer:
        servers.append(RunningServer(list(arguments), cwd or tmp_path, wrapper))
        return servers[-1]

    yield run
    for server in servers:
        if server.process.poll() is None:
            server.stop()


@pytest.fixture(scope="module")
def shared_server() -> Iterator[RunningServer]:
    """One server in memory for a module; tests use domains of their own."""
    server = RunningServer(["--memory"], Path(os.getcwd()))
    yield server
    server.stop()
