"""A file system that is really full: a small one in memory, mounted for the test (which only root can do)."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from local_swf_checker import check_history
from local_swf_server import RunningServer
from test_http import prepare

DISK_BYTES = 4 * 1024 * 1024
BALLAST_BYTES = 2 * 1024 * 1024
RECOVERY_SECONDS_MAX = 10
WF = {"name": "wf", "version": "1"}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of a few megabytes, half of it taken by a file that can be removed."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a file system; test_store.py has SQLite's own limit instead")
    path = tmp_path / "disk"
    path.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "none", str(path)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    try:
        (path / "ballast").write_bytes(b"x" * BALLAST_BYTES)
        yield path
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


def start(server: RunningServer, name: str) -> str | None:
    """Start an execution with much input: its run id, or None for the 500 of a full disk."""
    try:
        run_id: str = server.client.start_workflow_execution(
            domain="d", workflowId=name, workflowType=WF, taskList={"name": "nobody"}, input="x" * 30_000
        )["runId"]
    except ClientError as error:
        answer: Any = error.response
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 500, answer
        assert answer["Error"]["Code"] == "InternalFailure"
        return None
    return run_id


def check(server: RunningServer, runs: dict[str, str]) -> None:
    """What was answered is there, and nothing else is."""
    count = server.client.count_open_workflow_executions(domain="d", startTimeFilter={"oldestDate": 0})["count"]
    assert count == len(runs)
    for name, run_id in runs.items():
        execution = {"workflowId": name, "runId": run_id}
        events = server.client.get_workflow_execution_history(domain="d", execution=execution)["events"]
        check_history(events)
        assert len(events[0]["workflowExecutionStartedEventAttributes"]["input"]) == 30_000


def fill(server: RunningServer, runs: dict[str, str]) -> None:
    """Start executions until the disk is full, and see that it stays so."""
    refused = 0
    while refused < 3:
        name = f"w{len(runs)}"
        run_id = start(server, name)
        if run_id is None:
            refused += 1
        else:
            runs[name] = run_id
        assert len(runs) * 30_000 < DISK_BYTES, "more went in than the disk holds"


def recover(server: RunningServer, runs: dict[str, str]) -> None:
    """Starts are answered again, as soon as there is room."""
    deadline = time.monotonic() + RECOVERY_SECONDS_MAX
    while (run_id := start(server, "after")) is None:
        assert time.monotonic() < deadline, "it does not recover"
        time.sleep(0.05)
    runs["after"] = run_id


def check_file(data: Path) -> None:
    """SQLite finds nothing wrong with the data file."""
    db = sqlite3.connect(data)
    db.execute("PRAGMA locking_mode=EXCLUSIVE")  # otherwise reading needs a file more, for which there is no room
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()


@pytest.mark.parametrize("durability", [[], ["--full-sync"]], ids=["normal", "full"])
def test_a_full_disk(disk: Path, run_server: Callable[..., RunningServer], durability: list[str]) -> None:
    data = disk / "swf.db"
    server = run_server("--data", str(data), *durability)
    prepare(server, "d")
    runs: dict[str, str] = {}
    fill(server, runs)
    check(server, runs)  # reads go on
    (disk / "ballast").unlink()
    recover(server, runs)
    check(server, runs)
    fill(server, runs)
    server.stop(signal.SIGKILL)
    server.begin()  # a restart needs no room
    check(server, runs)
    assert server.stop() == 0
    check_file(data)
