"""mypy --strict understands descriptors, futures and results in a user's workflow file, and finds mistakes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
TIMEOUT_S = 300


def run_mypy(path: Path, cache: Path) -> str:
    """What mypy prints about a user's file; the project's own configuration must not help it."""
    source = [str(ROOT / name) for name in ("decider", "local_swf")]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={cache}", str(path)],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        cwd=cache,
        env={**os.environ, "MYPYPATH": os.pathsep.join(source)},
        check=False,
    )
    return done.stdout + done.stderr


def test_a_users_file_is_understood(tmp_path: Path) -> None:
    assert "Success: no issues found" in run_mypy(HERE / "user_workflow.py", tmp_path)


def test_mistakes_are_found(tmp_path: Path) -> None:
    path = HERE / "user_mistakes.py"
    expected = {
        number: match[1]
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if (match := re.search(r"# E: ([a-z-]+)", line))
    }
    output = run_mypy(path, tmp_path)
    found = {
        int(match[1]): match[2]
        for line in output.splitlines()
        if (match := re.search(r"user_mistakes\.py:(\d+): error: .*\[([a-z-]+)\]", line))
    }
    assert found == expected, output


def test_the_package_says_that_it_is_typed() -> None:
    assert (ROOT / "decider" / "pyflow" / "py.typed").exists()
