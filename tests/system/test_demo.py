"""The demo as a newcomer starts it: what it prints, its exit code, and that nothing is left running."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from stack import HERE, Stack

MARK = "PYFLOW_TEST_MARK"
END_DEADLINE_S = 100


class Demo:
    """One run of demo.py, whose whole family can be told by a mark in its environment."""

    def __init__(self, *arguments: str, path: str | None = None) -> None:
        self._mark = uuid.uuid4().hex
        env = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        env[MARK] = self._mark
        if path is not None:
            env["PATH"] = path
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "demo.py"), *arguments],
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def end(self) -> tuple[int, str]:
        """Exit code and output."""
        output, _ = self.process.communicate(timeout=END_DEADLINE_S)
        return self.process.returncode, output

    def relatives(self) -> list[str]:
        """Command lines of processes that it started, itself excepted."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if f"{MARK}={self._mark}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                    found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except OSError:
                continue  # ended meanwhile
        return [command for command in found if "demo.py" not in command]


@pytest.fixture
def documents(tmp_path: Path) -> Iterator[Path]:
    directory = tmp_path / "documents"
    directory.mkdir()
    for name in ("BSD", "Artistic", "GPL-2"):
        shutil.copy(f"/usr/share/common-licenses/{name}", directory)
    return directory


def test_it_ends_by_itself_says_where_the_report_is_and_leaves_nothing_running(documents: Path, tmp_path: Path) -> None:
    demo = Demo(str(documents), "--output", str(tmp_path / "out"))
    code, output = demo.end()
    assert code == 0, output
    assert "3 documents, 0 pairs of near-duplicates, 0 failed." in output
    assert f"Report: {tmp_path / 'out/report.html'}" in output
    assert all(language in output for language in ("Python  ", "Ruby    ", "Java    ", "Lambda  "))
    assert (tmp_path / "out/report.html").exists()
    assert demo.relatives() == []


def test_a_directory_that_is_not_there_is_told(tmp_path: Path) -> None:
    demo = Demo(str(tmp_path / "nowhere"), "--output", str(tmp_path / "out"))
    code, output = demo.end()
    assert code == 1
    assert "nowhere is not a directory" in output
    assert "Traceback" not in output
    assert demo.relatives() == []


def test_a_worker_that_cannot_be_started_is_told(documents: Path, tmp_path: Path) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "ruby").symlink_to(shutil.which("ruby") or "/usr/bin/ruby")  # no java
    demo = Demo(str(documents), "--output", str(tmp_path / "out"), path=str(programs))
    code, output = demo.end()
    assert code == 2
    assert "'java' is not found" in output
    assert "Traceback" not in output
    assert demo.relatives() == []


def test_an_interrupt_in_the_middle_stops_everything(documents: Path, tmp_path: Path) -> None:
    demo = Demo(str(documents), "--output", str(tmp_path / "out"))
    deadline = time.monotonic() + END_DEADLINE_S
    while not any("fingerprints.jar" in command for command in demo.relatives()):
        assert time.monotonic() < deadline, "the workers were never started"
        assert demo.process.poll() is None
    demo.process.send_signal(signal.SIGINT)
    code, output = demo.end()
    assert code == 130, output
    assert demo.relatives() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_while_a_process_is_started_does_not_lose_it(
    number: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = subprocess.Popen

    def interrupted_start(*arguments: object, **options: object) -> object:
        process = start(*arguments, **options)  # type: ignore[call-overload]  # passed on as they are
        signal.raise_signal(number)
        return process

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(number, interrupt)
    monkeypatch.setattr("stack.subprocess.Popen", interrupted_start)
    stack = Stack(tmp_path)
    try:
        with pytest.raises(KeyboardInterrupt):
            stack.start_swf()
        (process,) = stack.processes.values()
        stack.stop()
        assert process.ended
    finally:
        signal.signal(number, before)
