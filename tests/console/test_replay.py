"""`pyflow replay` as a process: a saved history against the code that made it, and against code that was changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from console_processes import WORKFLOWS, Ended, pyflow


@pytest.fixture
def saved(run: Callable[..., Ended], decider: object, tmp_path: Path) -> Path:
    """The history of a finished execution, as `pyflow history --json` prints it."""
    started = run("start", "Double", "1.0", "--domain", "console", "--workflow-id", "saved", "--input", "1", "--wait")
    assert started.code == 0
    path = tmp_path / "saved.json"
    path.write_text(run("history", "saved", "--domain", "console", "--json").out, encoding="utf-8")
    return path


def test_code_that_made_the_history(run: Callable[..., Ended], saved: Path) -> None:
    done = run("replay", "console_flows:Double", str(saved))
    assert done.code == 0, done
    assert "1 decisions made again" in done.out


def test_code_that_was_changed(env: dict[str, str], saved: Path, tmp_path: Path) -> None:
    changed = WORKFLOWS.replace('return {"double"', 'self.swf.sleep(60)\n        return {"double"')
    assert changed != WORKFLOWS
    (tmp_path / "console_flows.py").write_text(changed, encoding="utf-8")
    ended = pyflow("replay", "console_flows:Double", str(saved), cwd=tmp_path, env=env)
    ended.assert_told(str(saved), "StartTimer", "WorkflowExecutionCompleted", code=1)


def test_files_that_are_no_histories(run: Callable[..., Ended], tmp_path: Path) -> None:
    (tmp_path / "letter.json").write_text("Dear", encoding="utf-8")
    letter, absent = str(tmp_path / "letter.json"), str(tmp_path / "absent.json")
    run("replay", "console_flows:Double", letter, absent).assert_told(letter, absent, code=1)
