"""`pyflow why` as a process, on executions that real deciders hold, do not take, or wait with."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from console_processes import DEADLINE_S, Ended, Running, pyflow

STAGES = """
import pyflow


class Stages(pyflow.Workflow):
    NAME = "Stages"
    VERSION = "1.0"
    OPTIONS = {"defaultTaskStartToCloseTimeout": 2}
    greet = pyflow.ActivityDescriptor("greet", "1.0", task_list="nobody")

    def run(self, _):
        self.swf.start_timer(0).result()
        self.swf.wait_for_signal("go")
        return "done"
"""
CHANGED = STAGES.replace("self.swf.start_timer(0).result()", "self.greet('x').result()")
LOOPING = STAGES.replace('        return "done"', "        while True:\n            pass")
PLACE = ("--domain", "console", "--task-list", "stages")


@pytest.fixture
def stand(tmp_path: Path) -> Path:
    """A folder with the workflow `stages:Stages`."""
    (tmp_path / "stages.py").write_text(STAGES, encoding="utf-8")
    return tmp_path


@pytest.fixture
def asking(env: dict[str, str], stand: Path) -> Callable[..., Ended]:
    """Ask why about an execution, standing in that folder."""

    def why(workflow_id: str, *arguments: str) -> Ended:
        return pyflow("why", workflow_id, "--domain", "console", *arguments, cwd=stand, env=env)

    return why


def begin(run: Callable[..., Ended]) -> str:
    """Start an execution of `Stages`; its workflow id."""
    started = run("start", "Stages", "1.0", "--domain", "console", "--workflow-id", f"stages-{uuid.uuid4().hex}")
    assert started.code == 0, started
    return str(json.loads(started.out)["workflowId"])


def wait_for(words: str, look: Callable[[], Ended]) -> Ended:
    deadline_s = time.monotonic() + DEADLINE_S
    while words not in (seen := look()).out:
        assert time.monotonic() < deadline_s, seen
    return seen


def test_a_hold_is_explained_from_its_beginning_to_its_end(
    run: Callable[..., Ended],
    go: Callable[..., Running],
    stand: Path,
    env: dict[str, str],
    asking: Callable[..., Ended],
) -> None:
    decider = go("decider", "stages:Stages", *PLACE, cwd=stand)
    decider.wait_for("Beginning to poll")
    waiting = begin(run)
    wait_for("only a signal or a cancellation", lambda: asking(waiting))
    fits = asking(waiting, "--workflow", "stages:Stages")
    assert (fits.code, fits.err) == (0, "")
    assert "fits its history. It waits at stages.py:13" in fits.out, fits.out

    decider.process.kill()
    (stand / "stages.py").write_text(CHANGED, encoding="utf-8")
    bad = go("decider", "stages:Stages", *PLACE, "--metrics-address", "127.0.0.1:0", cwd=stand)
    page = bad.wait_for("Metrics: ").split()[-1]
    bad.wait_for("Beginning to poll")
    assert run("signal", waiting, "go", "--domain", "console").code == 0
    bad.wait_for("HELD")
    held = wait_for("not answered within 2 s", lambda: asking(waiting))
    assert "--workflow MODULE:CLASS" in held.out, held.out
    assert held.code == 0, "nobody has been asked that could know the reason"

    both_sides = ("ScheduleActivityTask 'greet 1.0'", "TimerStarted", "stages.py:12")
    address = page.removeprefix("http://").removesuffix("/metrics")
    for arguments in (["--decider", address], ["--workflow", "stages:Stages"]):
        told = asking(waiting, *arguments)
        assert (told.code, told.err) == (1, ""), told
        for words in both_sides:
            assert words in told.out, told.out
    assert f"The decider at {address} has held it since" in asking(waiting, "--decider", address).out

    bad.process.kill()
    (stand / "stages.py").write_text(STAGES, encoding="utf-8")
    wait_for(
        "The code here (stages:Stages) decides it without trouble",
        lambda: asking(waiting, "--workflow", "stages:Stages"),
    )
    go("decider", "stages:Stages", *PLACE, cwd=stand)
    wait_for("it has ended, COMPLETED", lambda: asking(waiting))


def test_code_that_loops_is_named_by_its_line(
    run: Callable[..., Ended], go: Callable[..., Running], stand: Path, asking: Callable[..., Ended]
) -> None:
    decider = go("decider", "stages:Stages", *PLACE, cwd=stand)
    decider.wait_for("Beginning to poll")
    waiting = begin(run)
    wait_for("only a signal or a cancellation", lambda: asking(waiting))
    decider.process.kill()
    assert run("signal", waiting, "go", "--domain", "console").code == 0
    (stand / "stages.py").write_text(LOOPING, encoding="utf-8")
    told = asking(waiting, "--workflow", "stages:Stages", "--within", "1")
    assert told.code == 1, told
    assert "without waiting for anything" in told.out
    assert f"{stand / 'stages.py'}:1" in told.out, told.out


def test_a_decision_task_that_nobody_takes(
    run: Callable[..., Ended], env: dict[str, str], decider: Running, asking: Callable[..., Ended]
) -> None:
    nobody = ("--task-list", "nobody")
    started = run("start", "Double", "1.0", "--domain", "console", "--workflow-id", "untaken", *nobody)
    assert started.code == 0, started
    assert "on task list 'nobody'; no decider has taken it" in asking("untaken").out


def test_what_cannot_be_asked(
    run: Callable[..., Ended], decider: Running, asking: Callable[..., Ended], unused_url: str
) -> None:
    asking("absent").assert_told("'absent'", "'console'")
    started = run("start", "Gate", "1.0", "--domain", "console", "--workflow-id", "gate-of-why")
    assert started.code == 0
    address = unused_url.removeprefix("http://")
    asking("gate-of-why", "--decider", address).assert_told(address, "--metrics-address")
    asking("gate-of-why", "--decider", "no port").assert_told("no port", "HOST:PORT")
    asking("gate-of-why", "--workflow", "stages:Stages").assert_told("'Gate'", "Stages")
    asking("gate-of-why", "--workflow", "stages").assert_told("MODULE:CLASS")
