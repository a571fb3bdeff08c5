"""A whole program for 2.0.0 ends the same under 2.0.0 and under this package, each with an embedded SWF of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyflow_two import asked

STOP_SECONDS_MAX = 10


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[str]:
    """The URL of an embedded SWF that answers an empty long poll soon."""
    command = [sys.executable, "-m", "pyflow_local", "--port", "0", "--data", str(tmp_path / "swf.db")]
    process = subprocess.Popen([*command, "--poll-hold", "0.5"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, "the embedded SWF did not start"
    yield line.split()[-1]
    process.terminate()
    process.wait(STOP_SECONDS_MAX)
    process.stdout.close()


EXPECTED: Any = [
    [
        ["COMPLETED", '[["A", "B"], "SHY: no shouting", 4, 4]', None, ""],
        ["FAILED", None, "BAD_INPUT", "received bad input"],
        [
            "FAILED",
            None,
            "Caught exception while executing workflow ('Program', '1.0')",
            "TypeError: 'int' object is not iterable",
        ],
    ],
    ["Kid", "Program"],
    True,
    None,
]


@pytest.mark.parametrize("two", [True, False], ids=["2.0.0", "this"])
def test_a_whole_program(endpoint: str, two: bool) -> None:
    given = {"AWS_ENDPOINT_URL_SWF": endpoint, "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"}
    assert asked("two_whole_program.py", two=two, timeout_s=120, **given) == EXPECTED
