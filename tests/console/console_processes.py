"""Runs `pyflow` commands as a user's shell does: real processes, their output, their exit code."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from pyflow.swf import make_client

PYFLOW = str(Path(sys.executable).with_name("pyflow"))
DEADLINE_S = 60.0
LOOK_INTERVAL_S = 0.05

WORKFLOWS = """
import pyflow


class Double(pyflow.Workflow):
    NAME = "Double"
    VERSION = "1.0"

    def run(self, number):
        if number is None:
            raise pyflow.WorkflowFailedException("NO_NUMBER", "give a number")
        return {"double": number * 2}


class Gate(pyflow.Workflow):
    NAME = "Gate"
    VERSION = "1.0"

    def run(self, says):
        if says is not None:
            self.swf.set_status(says)
        return self.swf.wait_for_signal("open").payload


class Turns(pyflow.Workflow):
    NAME = "Turns"
    VERSION = "1.0"

    def run(self, left):
        if left:
            self.swf.continue_as_new(left - 1)
        return "the last turn"


class Caller(pyflow.Workflow):
    NAME = "Caller"
    VERSION = "1.0"
    greet = pyflow.ActivityDescriptor("greet", "1.0", task_list="greetings")

    def run(self, name):
        return self.greet(name).result()


class NotAWorkflow:
    pass
"""
ACTIVITIES = """
from pyflow_activity import activity


@activity(version="1.0", start_to_close=60)
def greet(name: str) -> str:
    return f"Hello, {name}!"
"""


def environment(**more: str) -> dict[str, str]:
    """This environment without any AWS or pyflow setting, and these variables."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYFLOW_"))}
    return {**kept, "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/nonexistent", **more}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What a command that has ended left."""

    code: int
    out: str
    err: str

    def assert_told(self, *words: str, code: int = 2) -> None:
        """It failed with a message that has these words, and no traceback."""
        assert self.code == code, self
        assert "Traceback" not in self.err, self.err
        for word in words:
            assert word in self.err, self.err


@dataclass
class Running:
    """A command that goes on; its lines of both streams are kept."""

    process: subprocess.Popen[str]
    out: list[str] = field(default_factory=list)
    err: list[str] = field(default_factory=list)
    _lines: queue.Queue[str] = field(default_factory=queue.Queue)
    _readers: list[threading.Thread] = field(default_factory=list)

    def begin(self) -> Running:
        for stream, kept in ((self.process.stdout, self.out), (self.process.stderr, self.err)):
            reader = threading.Thread(target=self._read, args=(stream, kept), daemon=True)
            reader.start()
            self._readers.append(reader)
        return self

    def wait_for(self, words: str, deadline_s: float = DEADLINE_S) -> str:
        """The first line of either stream with these words."""
        until_s = time.monotonic() + deadline_s
        while True:
            try:
                line = self._lines.get(timeout=max(0.01, until_s - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no line with {words!r} within {deadline_s} s: {self.out} {self.err}") from None
            if words in line:
                return line

    def end(self, number: int | None = signal.SIGTERM, deadline_s: float = DEADLINE_S) -> Ended:
        """Ask it to end (None: that was done before) and wait for it."""
        if number is not None and self.process.poll() is None:
            self.process.send_signal(number)
        try:
            code = self.process.wait(deadline_s)
        finally:
            self.process.kill()
            for reader in self._readers:
                reader.join(5)
        return Ended(code=code, out="".join(self.out), err="".join(self.err))

    def _read(self, stream: object, kept: list[str]) -> None:
        for line in stream:  # type: ignore[attr-defined]  # a text stream
            kept.append(line)
            self._lines.put(line)


def wait_until_registered(endpoint: str, domain: str, name: str, version: str) -> None:
    """Wait until SWF knows an activity type: a workflow that asks for it before would fail."""
    client = make_client(endpoint_url=endpoint)
    until_s = time.monotonic() + DEADLINE_S
    while True:
        try:
            client.describe_activity_type(domain=domain, activityType={"name": name, "version": version})
            return
        except client.exceptions.UnknownResourceFault:
            assert time.monotonic() < until_s, f"nobody registered the activity type {name} {version}"
            time.sleep(LOOK_INTERVAL_S)


def pyflow(*arguments: str, cwd: Path, env: dict[str, str], deadline_s: float = DEADLINE_S) -> Ended:
    """Run a command to its end."""
    done = subprocess.run(
        [PYFLOW, *arguments], cwd=cwd, env=env, capture_output=True, text=True, timeout=deadline_s, check=False
    )
    return Ended(code=done.returncode, out=done.stdout, err=done.stderr)


def begin(*arguments: str, cwd: Path, env: dict[str, str]) -> Running:
    """Start a command that goes on."""
    process = subprocess.Popen(
        [PYFLOW, *arguments], cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    return Running(process).begin()
