"""Power loss at any moment: whatever reached the disk by then, the file is sound and what was promised is there.

The server's writes and syncs are recorded; from the record come files as they may lie on the disk after a loss.
PYFLOW_POWER_LOSSES sets how many of them are looked at.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import RunningServer
from local_swf_checker import check_history
from local_swf_disk import Disk, Operation, operations, strace_options
from local_swf_driver import DOMAIN, Driver
from test_http import prepare

STARTS = 40
LOSSES = int(os.environ.get("PYFLOW_POWER_LOSSES", "100"))
WF = {"name": "wf", "version": "1"}
# Runs the module with checkpoints after 20 pages, so that the write-ahead log begins anew again and again.
OFTEN = """
import runpy, sys
from pyflow_local.store import schema
schema.WAL_PAGES_PER_CHECKPOINT = 20
sys.argv = sys.argv[sys.argv.index("pyflow_local"):]
runpy.run_module("pyflow_local", run_name="__main__")
"""
_RUN_ID = re.compile(rb'\{"runId":"([^"]+)"\}\Z')


@pytest.fixture
def strace(tmp_path: Path) -> tuple[list[str], Path]:
    """The beginning of a command that records another one, and the record."""
    found = shutil.which("strace")
    if found is None:
        pytest.skip("strace is not installed here")
    output = tmp_path / "trace"
    command = [found, *strace_options(output)]
    done = subprocess.run([*command, sys.executable, "-c", ""], check=False, capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"no process can be traced here: {done.stderr.strip()}")
    return command, output


def record(
    run_server: Callable[..., RunningServer], strace: tuple[list[str], Path], folder: Path, durability: list[str]
) -> tuple[bytes, list[Operation]]:
    """A server's life with some executions: its data file before, and what it did to it and answered."""
    data = folder / "swf.db"
    first = run_server("--data", str(data))
    prepare(first, DOMAIN)
    assert first.stop() == 0
    before = data.read_bytes()
    wrapper = [*strace[0], sys.executable, "-c", OFTEN]
    server = run_server("--data", str(data), *durability, wrapper=wrapper)
    for number in range(STARTS):
        server.client.start_workflow_execution(
            domain=DOMAIN, workflowId=f"w{number:03}", workflowType=WF, input="x" * (300 * (number % 60))
        )
    assert server.stop() == 0  # its last checkpoint is in the record
    return before, list(operations(strace[1].read_text(), folder))


def found_after(files: dict[str, bytes], folder: Path) -> dict[str, str]:
    """The executions that a server finds in such files: workflow id -> run id, all of them sound."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for path, content in files.items():
        (folder / Path(path).name).write_bytes(content)
    driver = Driver(path=str(folder / "swf.db"), setup=False)
    (sound,) = driver.store._db.execute("PRAGMA integrity_check").fetchone()
    assert sound == "ok"
    infos = driver.call("ListOpenWorkflowExecutions", domain=DOMAIN, startTimeFilter={"oldestDate": 0})
    runs = {info["execution"]["workflowId"]: info["execution"]["runId"] for info in infos["executionInfos"]}
    for workflow_id, run_id in runs.items():
        check_history(driver.history(run_id, workflow_id))
    driver.store.close()
    return runs


@pytest.mark.parametrize("durability", [["--full-sync"], []], ids=["full", "normal"])
def test_nothing_that_was_promised_is_lost(
    run_server: Callable[..., RunningServer], strace: tuple[list[str], Path], tmp_path: Path, durability: list[str]
) -> None:
    """FULL: all that was answered is there. NORMAL: the last moments may be missing, and nothing but those."""
    home = tmp_path / "data"
    home.mkdir()
    before, recorded = record(run_server, strace, home, durability)
    chance = random.Random(20)
    losses = set(chance.sample(range(len(recorded)), min(LOSSES, len(recorded))))
    disk = Disk({str(home / "swf.db"): bytearray(before)})
    answered: list[str] = []
    lost_most = 0
    checkpoints = sum(one.path == str(home / "swf.db") and one.name == "fdatasync" for one in recorded)
    assert checkpoints > 3
    assert {one.path for one in recorded} == {None, str(home / "swf.db"), str(home / "swf.db-wal")}
    for number, one in enumerate(recorded):
        if one.path is not None:
            disk.take(one)
        elif run_id := _RUN_ID.search(one.data):
            answered.append(run_id[1].decode())
        if number not in losses:
            continue
        for luck in (None, chance):
            runs = found_after(disk.after_power_loss(luck), tmp_path / "after")
            there = [runs[name] for name in sorted(runs)]
            assert list(runs) == sorted(runs, reverse=True)
            assert sorted(runs) == [f"w{index:03}" for index in range(len(runs))], "a hole in what is there"
            assert there[: len(answered)] == answered[: len(there)]
            lost_most = max(lost_most, len(answered) - len(there))
    assert len(answered) == STARTS
    if durability:
        assert lost_most == 0
    else:
        assert lost_most > 0, "the losses were none: this test would not see one with FULL either"
