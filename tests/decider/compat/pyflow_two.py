"""The real pyflow-swf 2.0.0, installed beside this package, and what it says when asked in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PYFLOW_2 = HERE.parents[2] / ".setup" / "pyflow2"
INSTALL_TIMEOUT_S = 300
ANSWER_TIMEOUT_S = 60


def installed() -> Path:
    """Where it is; installed once, into a directory of its own."""
    if not (PYFLOW_2 / "pyflow" / "decider.py").exists():
        command = [sys.executable, "-m", "pip", "install", "-q", "--target", str(PYFLOW_2), "pyflow-swf==2.0.0"]
        subprocess.run(command, check=True, timeout=INSTALL_TIMEOUT_S)
    return PYFLOW_2


def environment(*, two: bool) -> dict[str, str]:
    """The environment of an interpreter that imports 2.0.0, or this package."""
    paths = [str(HERE)] if not two else [str(installed()), str(HERE)]
    given = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "AWS_DEFAULT_REGION": "us-east-1"}
    return {name: value for name, value in given.items() if name != "AWS_PROFILE"}


def asked(script: str, *arguments: str, two: bool, timeout_s: float = ANSWER_TIMEOUT_S, **variables: str) -> Any:
    """What a script of this folder prints as JSON, run with 2.0.0 or with this package."""
    done = subprocess.run(
        [sys.executable, str(HERE / script), *arguments],
        capture_output=True,
        text=True,
        timeout=timeout_s,
        env={**environment(two=two), **variables},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
