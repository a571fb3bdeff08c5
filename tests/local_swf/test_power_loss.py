"""Power loss at any moment: whatever reached the disk by then, the file is sound and what was promised is there.

The server's writes and syncs are recorded; from the record come files as they may lie on the disk after a loss.
PYFLOW_POWER_LOSSES sets how many of them are looked at.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from local_swf_checker import check_history
from local_swf_disk import Disk, Operation, operations, strace_options
from local_swf_driver import ACTIVITY, DOMAIN, TIMEOUTS, WORKFLOW, Driver, decision
from local_swf_server import RunningServer
from test_http import prepare

WORKFLOWS = 10
LOSSES = int(os.environ.get("PYFLOW_POWER_LOSSES", "100"))
# Runs the module with checkpoints after 20 pages, so that the write-ahead log begins anew again and again.
OFTEN = """
import runpy, sys
from pyflow_local.store import schema
schema.WAL_PAGES_PER_CHECKPOINT = 20
sys.argv = sys.argv[sys.argv.index("pyflow_local"):]
runpy.run_module("pyflow_local", run_name="__main__")
"""
ANSWER = b"HTTP/1.1 200 "
EVENTS_AFTER_EACH_STEP = (2, 3, 5, 6, 8, 9, 11)  # of a workflow with one activity, as converse() has it


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


def converse(swf: Any, workflow_id: str) -> None:
    """A workflow with one activity, from its start to its end: every request adds events."""
    decider: dict[str, Any] = {"domain": DOMAIN, "taskList": {"name": "tl"}}
    kinds: dict[str, Any] = {"activityType": ACTIVITY, "activityId": "a", "input": "x" * 2000}
    swf.start_workflow_execution(domain=DOMAIN, workflowId=workflow_id, workflowType=WORKFLOW, input="x" * 3000)
    token = swf.poll_for_decision_task(**decider)["taskToken"]
    swf.respond_decision_task_completed(taskToken=token, decisions=[decision("ScheduleActivityTask", **kinds)])
    token = swf.poll_for_activity_task(domain=DOMAIN, taskList={"name": "al"})["taskToken"]
    swf.respond_activity_task_completed(taskToken=token, result="r")
    token = swf.poll_for_decision_task(**decider)["taskToken"]
    swf.respond_decision_task_completed(taskToken=token, decisions=[decision("CompleteWorkflowExecution")])


def record(
    run_server: Callable[..., RunningServer], strace: tuple[list[str], Path], folder: Path, durability: list[str]
) -> tuple[bytes, list[Operation]]:
    """A server's life with some workflows: its data file before, and what it did to it and answered."""
    data = folder / "swf.db"
    first = run_server("--data", str(data))
    prepare(first, DOMAIN)
    never = {f"defaultTask{one}Timeout": "NONE" for one in TIMEOUTS}
    first.client.register_activity_type(domain=DOMAIN, **ACTIVITY, defaultTaskList={"name": "al"}, **never)
    assert first.stop() == 0
    before = data.read_bytes()
    wrapper = [*strace[0], sys.executable, "-c", OFTEN]
    server = run_server("--data", str(data), *durability, wrapper=wrapper)
    for number in range(WORKFLOWS):
        converse(server.client, f"w{number:03}")
    assert server.stop() == 0  # its last checkpoint is in the record
    return before, list(operations(strace[1].read_text(), folder))


def steps_in(files: dict[str, bytes], folder: Path) -> int:
    """How many steps of the conversations, from the first on and without a hole, a server finds in such files."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for path, content in files.items():
        (folder / Path(path).name).write_bytes(content)
    driver = Driver(path=str(folder / "swf.db"), setup=False)
    assert driver.store._db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    found: dict[str, int] = {}
    for operation in ("ListOpen", "ListClosed"):
        answer = driver.call(f"{operation}WorkflowExecutions", domain=DOMAIN, startTimeFilter={"oldestDate": 0})
        for info in answer["executionInfos"]:
            name, run_id = info["execution"]["workflowId"], info["execution"]["runId"]
            events = driver.history(run_id, name)
            check_history(events)
            assert (info["executionStatus"] == "CLOSED") == (len(events) == EVENTS_AFTER_EACH_STEP[-1])
            found[name] = EVENTS_AFTER_EACH_STEP.index(len(events)) + 1
    driver.store.close()
    steps = sum(found.values())
    whole, rest = divmod(steps, len(EVENTS_AFTER_EACH_STEP))
    expected = [len(EVENTS_AFTER_EACH_STEP)] * whole + ([rest] if rest else [])
    assert found == {f"w{number:03}": count for number, count in enumerate(expected)}, "a hole in what is there"
    return steps


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
    answered = lost_most = 0
    checkpoints = sum(one.path == str(home / "swf.db") and one.name == "fdatasync" for one in recorded)
    assert checkpoints > 3
    assert {one.path for one in recorded} == {None, str(home / "swf.db"), str(home / "swf.db-wal")}
    for number, one in enumerate(recorded):
        if one.path is not None:
            disk.take(one)
        else:
            answered += one.data.startswith(ANSWER)
        if number not in losses:
            continue
        for luck in (None, chance):
            there = steps_in(disk.after_power_loss(luck), tmp_path / "after")
            assert there <= answered + 1
            lost_most = max(lost_most, answered - there)
    assert answered == WORKFLOWS * len(EVENTS_AFTER_EACH_STEP)
    if durability:
        assert lost_most == 0
    else:
        assert lost_most > 0, "the losses were none: this test would not see one with FULL either"
