"""The embedded SWF in a process of its own, with short long polls so that a stop need not wait a minute for them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pyflow.swf import JsonObject, SwfConnection, connect

POLL_HOLD_S = 1.5
STOP_SECONDS_MAX = 10


class EmbeddedSwf:
    """A server process on a free port; the data file makes it restartable."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._port = "0"
        self.begin()

    def begin(self) -> None:
        """Start (again), on the same port as before."""
        command = [sys.executable, "-m", "pyflow_local", "--port", self._port, "--data", str(self._data)]
        self.process = subprocess.Popen([*command, "--poll-hold", str(POLL_HOLD_S)], stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the embedded SWF did not start"
        self.url = line.split()[-1]
        self._port = self.url.rpartition(":")[2]

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End the process."""
        if self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(STOP_SECONDS_MAX)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def connection(self, **options: Any) -> SwfConnection:
        """A fresh connection to it."""
        return connect(endpoint_url=self.url, **options)


def history(connection: SwfConnection, domain: str, ids: dict[str, str]) -> list[JsonObject]:
    """All events of an execution."""
    events: list[JsonObject] = []
    request: JsonObject = {
        "domain": domain,
        "execution": {"workflowId": ids["workflowId"], "runId": ids["runId"]},
    }
    while True:
        page = connection.api.get_workflow_execution_history(request)
        events += page["events"]
        if "nextPageToken" not in page:
            return events
        request["nextPageToken"] = page["nextPageToken"]


def of_type(events: list[JsonObject], event_type: str) -> list[JsonObject]:
    """The attributes of all events of a type."""
    key = f"{event_type[0].lower()}{event_type[1:]}EventAttributes"
    return [event.get(key, {}) for event in events if event["eventType"] == event_type]


def eventually(condition: Callable[[], object], *, deadline_s: float = 30.0, what: str = "") -> None:
    """Wait until the condition holds, looking often; fails after the deadline."""
    until_s = time.monotonic() + deadline_s
    pause = __import__("threading").Event()
    while not condition():
        assert time.monotonic() < until_s, f"not within {deadline_s} s: {what or condition}"
        pause.wait(0.02)


def without_aws_configuration() -> dict[str, str]:
    """This process's environment without any AWS setting, for child processes."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
