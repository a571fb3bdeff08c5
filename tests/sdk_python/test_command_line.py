"""The worker as a command: what cannot work is said in one line, with a non-zero exit."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TIMEOUT_S = 30


def worker(*arguments: str, directory: Path, **env: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYFLOW_")}
    return subprocess.run(
        [sys.executable, "-m", "pyflow_activity", *arguments],
        cwd=directory,
        env={**clean, **env},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


@pytest.fixture
def module(tmp_path: Path) -> Path:
    source = "from pyflow_activity import activity\n@activity\ndef one(): pass\n"
    (tmp_path / "mine.py").write_text(source)
    (tmp_path / "empty.py").write_text("")
    (tmp_path / "broken.py").write_text("1 / 0\n")
    (tmp_path / "needs.py").write_text("import not_there_at_all\n")
    return tmp_path


HOST = ("--host", "unix:/nowhere.sock", "--task-list", "tl")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("mine",), "No host is named"),
        (("mine", "--host", "unix:/x"), "No task list is named"),
        (("mine", "--host", "nonsense", "--task-list", "tl"), "neither unix:/path nor name:port"),
        (("missing", *HOST), "There is no module 'missing'"),
        (("missing.py", *HOST), "missing.py is not there"),
        (("empty", *HOST), "no activities"),
        (("broken", *HOST), "ZeroDivisionError"),
        (("needs", *HOST), "it needs 'not_there_at_all'"),
        (("mine", *HOST, "--slots", "0"), "slots is 0"),
        (("mine", *HOST, "--start-timeout", "0"), "start_timeout_s is 0"),
        (("mine", *HOST, "--give-up-after", "-1"), "give_up_after_s is -1"),
        (("mine", *HOST, "--tls-cert", "c.pem"), "needs its key"),
        (("mine", *HOST, "--token-file", "none"), "token file none cannot be read"),
    ],
)
def test_wrong_usage(arguments: tuple[str, ...], says: str, module: Path) -> None:
    ended = worker(*arguments, directory=module)
    assert ended.returncode == 2
    assert says in ended.stderr
    assert "Traceback" not in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1


def test_no_host_is_said_at_once_and_given_up_on_in_time(module: Path) -> None:
    for target in ("mine", "mine.py", str(module / "mine.py")):
        ended = worker(target, *HOST, "--start-timeout", "0.3", directory=module)
        assert ended.returncode == 1
        lines = ended.stderr.strip().splitlines()
        assert "cannot reach an activity host at unix:/nowhere.sock" in lines[0]
        assert "trying on for 0.3 s. Is `pyflow host` running there?" in lines[0]
        assert lines[-1].startswith("pyflow worker: no activity host answered at unix:/nowhere.sock for 0.3 s (")
        assert "gave up. Start one there (pyflow host --listen unix:/nowhere.sock)" in lines[-1]
        assert len(lines) == 2, "said once, and not again for every attempt"


def test_environment_stands_in_for_options(module: Path) -> None:
    env = {
        "PYFLOW_HOST_ADDRESS": "unix:/from-environment.sock",
        "PYFLOW_TASK_LIST": "tl",
        "PYFLOW_SLOTS": "3",
        "PYFLOW_GIVE_UP_AFTER": "0.1",
    }
    ended = worker("mine", directory=module, **env)
    assert ended.returncode == 1
    assert "unix:/from-environment.sock" in ended.stderr
    wrong = worker("mine", directory=module, **{**env, "PYFLOW_SLOTS": "many"})
    assert (wrong.returncode, "PYFLOW_SLOTS is 'many'" in wrong.stderr) == (2, True)
