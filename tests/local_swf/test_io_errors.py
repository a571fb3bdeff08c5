"""A disk that fails now and then: strace has the server's writes and syncs fail, as the system would report it."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from local_swf_checker import check_history
from local_swf_server import RunningServer
from test_http import prepare

STARTS = 40
ATTEMPTS_MAX = 20
WF = {"name": "wf", "version": "1"}
TRACED = "fdatasync,pwrite64"
# The first of them belong to opening the file: a server that cannot do that does not start, which is another test's.
FAULTS = {
    "sync": "fdatasync:error=EIO:when=12+5",
    "write": "pwrite64:error=EIO:when=150+61",
    "no space": "pwrite64:error=ENOSPC:when=150+97",
}


@pytest.fixture
def strace(tmp_path: Path) -> list[str]:
    """The beginning of a command that runs another one under strace, as its parent's own child."""
    found = shutil.which("strace")
    if found is None:
        pytest.skip("strace is not installed here")
    command = [found, "-D", "-f", "-qq", "-o", str(tmp_path / "trace"), "-e", f"trace={TRACED}"]
    done = subprocess.run([*command, sys.executable, "-c", ""], check=False, capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"no process can be traced here: {done.stderr.strip()}")
    return command


def start(server: RunningServer, name: str) -> tuple[str, int]:
    """Start an execution, trying again after a 500 as clients do: its run id, and how often it was refused."""
    for refused in range(ATTEMPTS_MAX):
        try:
            run_id: str = server.client.start_workflow_execution(domain="d", workflowId=name, workflowType=WF)["runId"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "InternalFailure":
                raise
        else:
            return run_id, refused
    raise AssertionError(f"refused {ATTEMPTS_MAX} times in a row")


def check(server: RunningServer, runs: dict[str, str]) -> None:
    """What was answered is there, once and sound, and what was refused is not."""
    since = {"oldestDate": 0}
    assert server.client.count_open_workflow_executions(domain="d", startTimeFilter=since)["count"] == len(runs)
    for name, run_id in runs.items():
        execution = {"workflowId": name, "runId": run_id}
        check_history(server.client.get_workflow_execution_history(domain="d", execution=execution)["events"])


@pytest.mark.parametrize("fault", FAULTS)
def test_what_the_disk_refuses_is_refused_and_nothing_else_is_lost(
    strace: list[str], run_server: Callable[..., RunningServer], tmp_path: Path, fault: str
) -> None:
    data = tmp_path / "swf.db"
    sound = run_server("--data", str(data))
    prepare(sound, "d")
    assert sound.stop() == 0
    server = run_server("--data", str(data), "--full-sync", wrapper=[*strace, "-e", f"inject={FAULTS[fault]}"])
    runs: dict[str, str] = {}
    refused = 0
    for number in range(STARTS):
        name = f"w{number}"
        runs[name], times = start(server, name)
        refused += times
    assert refused > 0, "no fault was injected while requests were handled"
    check(server, runs)
    server.stop(signal.SIGKILL)
    server.wrapper = ()
    server.begin()
    check(server, runs)
    assert server.stop() == 0
    with sqlite3.connect(data) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()
