"""Workflows the worker tests run; importable by child processes."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyflow


class Steps(pyflow.Workflow):
    """As many zero-second timers one after the other as its input says."""

    NAME = "Steps"
    VERSION = "1"
    OPTIONS: Mapping[str, Any] = {"defaultTaskStartToCloseTimeout": 5}

    def run(self, workflow_input: int) -> int:
        for _ in range(workflow_input):
            self.swf.start_timer(0).result()
        return workflow_input


class Waits(pyflow.Workflow):
    """Collects signals named `go` until one says `end`."""

    NAME = "Waits"
    VERSION = "1"
    OPTIONS: Mapping[str, Any] = {"defaultTaskStartToCloseTimeout": 3}

    def run(self, workflow_input: Any) -> list[Any]:
        got: list[Any] = []
        self.swf.set_status({"listens": True})
        while not got or got[-1] != "end":
            got.append(self.swf.wait_for_signal("go").payload)
        return got


class Changes(pyflow.Workflow):
    """Two timers around a signal; `ChangedWrongly` is the same type after a bad deploy."""

    NAME = "Changes"
    VERSION = "1"
    OPTIONS: Mapping[str, Any] = {"defaultTaskStartToCloseTimeout": 1}

    def run(self, workflow_input: Any) -> str:
        self.swf.start_timer(0).result()
        self.swf.wait_for_signal("go")
        self.swf.start_timer(0).result()
        return "right"


class ChangedWrongly(pyflow.Workflow):
    """`Changes` after somebody put a marker where the first timer was."""

    NAME = "Changes"
    VERSION = "1"
    OPTIONS: Mapping[str, Any] = {"defaultTaskStartToCloseTimeout": 1}

    def run(self, workflow_input: Any) -> str:
        self.swf.record_marker("new")
        self.swf.wait_for_signal("go")
        return "wrong"


class Loops(pyflow.Workflow):
    """Never waits for anything while the file named by its input exists."""

    NAME = "Loops"
    VERSION = "1"
    OPTIONS: Mapping[str, Any] = {"defaultTaskStartToCloseTimeout": 3}

    def run(self, workflow_input: str) -> str:
        while Path(workflow_input).exists():
            os.stat("/")  # the loop that never ends
        return "ended"


class Slow(pyflow.Workflow):
    """Blocks the decision thread for a time, outside of pyflow."""

    NAME = "Slow"
    VERSION = "1"

    def run(self, workflow_input: float) -> str:
        time.sleep(workflow_input)
        return "slept"


class TooLong(pyflow.Workflow):
    """Asks for something SWF does not accept."""

    NAME = "TooLong"
    VERSION = "1"
    OPTIONS: Mapping[str, Any] = {"defaultTaskStartToCloseTimeout": 1}

    def run(self, workflow_input: Any) -> None:
        self.swf.record_marker("m" * 300)
        self.swf.sleep(0)


class Interrupts(pyflow.Workflow):
    """Raises what only Ctrl-C raises, as long as a file is there."""

    NAME = "Interrupts"
    VERSION = "1"
    OPTIONS: Mapping[str, Any] = {"defaultTaskStartToCloseTimeout": 1}

    def run(self, workflow_input: str) -> str:
        self.swf.sleep(0)
        if Path(workflow_input).exists():
            raise KeyboardInterrupt
        return "ended"
