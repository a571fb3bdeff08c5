"""pyright understands a user's workflow file, strictly, and finds the mistakes that mypy finds."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
SET_UP = ROOT / ".setup" / "pyright"
WHAT = "pyright[nodejs]"
TIMEOUT_S = 300


@pytest.fixture(scope="session")
def pyright() -> dict[str, str]:
    """The environment in which `python -m pyright` runs: installed, or set up beside; CI=true sets it up, or fails."""
    if importlib.util.find_spec("pyright") is not None:
        return dict(os.environ)
    if not (SET_UP / "pyright").exists():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(SET_UP), WHAT]
        if os.environ.get("CI") != "true":
            pytest.skip(f"pyright is not installed; to have it: {' '.join(command)}")
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
        if done.returncode != 0:
            shutil.rmtree(SET_UP, ignore_errors=True)
            pytest.fail(f"CI=true, and pyright cannot be installed: {done.stderr.strip()[-500:]}")
    return {**os.environ, "PYTHONPATH": str(SET_UP)}


def diagnostics(pyright: dict[str, str], name: str, folder: Path) -> list[dict[str, Any]]:
    """What pyright says about a user's file in strict mode, in a folder of its own."""
    (folder / name).write_text((HERE / name).read_text(encoding="utf-8"), encoding="utf-8")
    sources = [str(ROOT / part) for part in ("decider", "local_swf")]
    settings = {"typeCheckingMode": "strict", "extraPaths": sources, "include": [name]}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    command = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, "--outputjson", "-p", str(folder)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=TIMEOUT_S, cwd=folder, env=pyright, check=False
    )
    assert done.stdout.startswith("{"), done.stdout + done.stderr
    answer = json.loads(done.stdout)
    assert answer["summary"]["filesAnalyzed"] == 1, answer
    found: list[dict[str, Any]] = answer["generalDiagnostics"]
    return found


def test_a_users_file_is_understood(pyright: dict[str, str], tmp_path: Path) -> None:
    assert diagnostics(pyright, "user_workflow.py", tmp_path) == []


def test_mistakes_are_found(pyright: dict[str, str], tmp_path: Path) -> None:
    lines = (HERE / "user_mistakes.py").read_text(encoding="utf-8").splitlines()
    expected = {number for number, line in enumerate(lines, 1) if "# E: " in line}
    found = diagnostics(pyright, "user_mistakes.py", tmp_path)
    assert {each["range"]["start"]["line"] + 1 for each in found} == expected, found
