"""An executor as a child process: its environment, its output line by line, its signals, its end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import signal
from collections.abc import Mapping
from pathlib import Path

from pyflow_conformance.errors import BadUsage

OUTPUT_LINES_SHOWN = 12
LINE_CHARS_SHOWN = 240
END_WITHIN_S = 10.0
LINE_BYTES_MAX = 1024 * 1024


def clean_environment(more: Mapping[str, str]) -> dict[str, str]:
    """The environment without what is meant for other workers, and with `more`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYFLOW_", "AWS_"))}
    return {**kept, "PYTHONUNBUFFERED": "1", **more}


class ChildProcess:
    """A command in a process group of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.lines: list[str] = []
        self._changed = asyncio.Event()
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, command: str, environment: Mapping[str, str], directory: Path | None = None) -> ChildProcess:
        """Start `command`, spelled as in a shell. Raises BadUsage."""
        words = shlex.split(command)
        if not words:
            raise BadUsage("The executor's command is empty.")
        try:
            process = await asyncio.create_subprocess_exec(
                *words,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                env=clean_environment(environment),
                cwd=directory,
                start_new_session=True,
                limit=LINE_BYTES_MAX,
            )
        except OSError as error:
            raise BadUsage(f"{words[0]} cannot be started: {error.strerror}.") from error
        return cls(process)

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process.returncode is None

    @property
    def exit_code(self) -> int | None:
        """As a shell would tell it, 128 + N for signal N; None while it runs."""
        code = self._process.returncode
        return 128 - code if code is not None and code < 0 else code

    def output(self, since: int = 0) -> str:
        """The last lines it wrote, none before line number `since`."""
        return "\n".join(line[:LINE_CHARS_SHOWN] for line in self.lines[since:][-OUTPUT_LINES_SHOWN:])

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process itself."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)

    async def wait_output(self, text: str, within_s: float) -> bool:
        """Wait for a line that contains `text`; False when it did not come in time or the process ended without it."""
        deadline = asyncio.get_running_loop().time() + within_s
        while True:
            self._changed.clear()
            if any(text in line for line in self.lines):
                return True
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0 or self._reader.done():
                return False
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._changed.wait(), left)

    async def wait(self, within_s: float) -> int | None:
        """The exit code; None when it did not end in time. All output is there then."""
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._process.wait(), within_s)
            await asyncio.wait_for(asyncio.shield(self._reader), within_s)
        return self.exit_code

    async def kill(self) -> None:
        """End it with all it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._reader, END_WITHIN_S)

    async def _read(self) -> None:
        assert self._process.stdout is not None
        try:
            while line := await self._process.stdout.readline():
                self.lines.append(line.decode("utf-8", "replace").rstrip("\n"))
                self._changed.set()
        except ValueError:
            self.lines.append("(a line too long to be kept)")
        finally:
            self._changed.set()
