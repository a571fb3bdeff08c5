"""Starts worker commands, passes their output on line by line with their name, and starts them again when they end."""

from __future__ import annotations

import contextlib
import logging
import os
import random
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from pyflow_host import reaper
from pyflow_host.errors import BadOptions

logger = logging.getLogger("pyflow.host")

HOST_ADDRESS_VARIABLE = "PYFLOW_HOST_ADDRESS"
RESTART_BACKOFF_FIRST_S = 0.5
RESTART_BACKOFF_MAX_S = 30.0
STABLE_AFTER_S = 60.0
"""A worker that ran so long is no crash loop: the back-off begins anew."""
ORPHAN_GRACE_S = 30.0
"""How long a worker may go on after its host was killed, to report through the next one."""
LINE_CHARS_MAX = 8_192
LAST_WORDS_WITHIN_S = 2.0
"""How long, after a worker has ended, its output is read on: a daemon that it left may keep the pipe open for ever."""
NEVER_PASSED_ON = ("PYFLOW_TOKEN_KEY",)
"""What a worker's environment must not have: it could forge task tokens with it."""
_LANGUAGES = {
    "ruby": "ruby",
    "bundle": "ruby",
    "java": "java",
    "python": "python",
    "python3": "python",
    "pyflow": "python",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerCommand:
    """A worker process to keep running. Times in seconds."""

    command: tuple[str, ...]
    name: str = ""
    """Prefix of its output; empty: the language and a number."""
    count: int = 1
    env: Mapping[str, str] = field(default_factory=dict)
    directory: Path | None = None
    restart_backoff_first_s: float = RESTART_BACKOFF_FIRST_S
    restart_backoff_max_s: float = RESTART_BACKOFF_MAX_S
    memory_limit_bytes: int | None = None

    @classmethod
    def parsed(cls, text: str) -> WorkerCommand:
        """From one command line; raises BadOptions."""
        try:
            words = shlex.split(text)
        except ValueError as error:
            raise BadOptions(f"The worker command {text!r} cannot be read: {error}.") from error
        if not words:
            raise BadOptions("A worker command is empty.")
        return cls(command=tuple(words))


class Supervisor:
    """Keeps the worker processes of one host running, one thread for each."""

    def __init__(
        self, workers: Sequence[WorkerCommand], address: str, *, files_max: int, out: TextIO | None = None
    ) -> None:
        """`address` is the host's, for the workers; `files_max` is how many files each may open, which may be fewer
        than the host may. Raises BadOptions if a command or its directory is not there.
        """
        self._out = out or sys.stdout
        self._write_lock = threading.Lock()
        numbers: dict[str, int] = {}
        self._keepers = []
        for worker in workers:
            _check(worker)
            for _ in range(worker.count):
                base = worker.name or _language(worker.command)
                numbers[base] = numbers.get(base, 0) + 1
                name = f"{base}-{numbers[base]}"
                self._keepers.append(_Keeper(worker, name, address, files_max, self._say))

    def start(self) -> None:
        """Start all workers."""
        for keeper in self._keepers:
            keeper.start()

    def stop(self) -> None:
        """Ask all workers to drain; none is started again. Returns at once."""
        for keeper in self._keepers:
            keeper.stop()

    def kill(self) -> int:
        """Kill what still runs, grandchildren included; how many workers that were."""
        return sum(keeper.kill() for keeper in self._keepers)

    def join(self, timeout_s: float) -> bool:
        """Wait until all have ended; False when the time was over before."""
        deadline = time.monotonic() + timeout_s
        return all([keeper.join(max(0.0, deadline - time.monotonic())) for keeper in self._keepers])

    def ends_by_themselves(self) -> dict[str, int]:
        """How often each worker ended without having been asked to, since the host's start. Of any thread."""
        return {keeper.name: keeper.ends_by_itself for keeper in self._keepers}

    def _say(self, line: str) -> None:
        with self._write_lock, contextlib.suppress(ValueError, OSError):
            self._out.write(line + "\n")
            self._out.flush()


class _Keeper:
    """One worker process, started again and again by a thread of its own."""

    def __init__(
        self, worker: WorkerCommand, name: str, address: str, files_max: int, say: Callable[[str], None]
    ) -> None:
        self._worker = worker
        self._files_max = files_max
        self.name = name
        self.ends_by_itself = 0
        self._say = say
        kept = {key: value for key, value in os.environ.items() if key not in NEVER_PASSED_ON}
        self._env = {"PYTHONUNBUFFERED": "1", **kept, **worker.env, HOST_ADDRESS_VARIABLE: address}
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._keep, name=f"keeper-{name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        with self._lock:
            self._stopping.set()
            self._signal(signal.SIGTERM)

    def kill(self) -> int:
        with self._lock:
            return self._signal(signal.SIGUSR1)

    def join(self, timeout_s: float) -> bool:
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _signal(self, number: signal.Signals) -> int:
        if self._process is None or self._process.poll() is not None:
            return 0
        self._process.send_signal(number)
        return 1

    def _keep(self) -> None:
        crashes = 0
        while True:
            started_at = time.monotonic()
            try:
                process = self._spawn()
            except OSError as error:  # its directory is away, or the system has no room for another process
                what = f"cannot be started: {error.strerror}" + (f": {error.filename}" if error.filename else "")
            else:
                if process is None:
                    return
                code = self._see_through(process)
                if self._stopping.is_set():
                    logger.info("Worker %s ended with code %d, as asked", self.name, code)
                    return
                what = f"ended by itself with code {code} after {time.monotonic() - started_at:.1f} s"
            self.ends_by_itself += 1
            crashes = 1 if time.monotonic() - started_at >= STABLE_AFTER_S else crashes + 1
            bound = self._worker.restart_backoff_first_s * 2.0 ** min(crashes - 1, 10)
            # Half the jitter of the usual rule: a crash loop must be slow for sure.
            wait_s = min(self._worker.restart_backoff_max_s, bound) * (0.5 + random.random() / 2)
            logger.warning(
                "Worker %s (%s) %s; it is started again in %.1f s%s",
                self.name,
                shlex.join(self._worker.command),
                what,
                wait_s,
                f" (end number {crashes} in a row: see its output above)" if crashes > 1 else "",
            )
            if self._stopping.wait(wait_s):
                return

    def _see_through(self, process: subprocess.Popen[bytes]) -> int:
        """Pass on what the worker says until it ends; its code."""
        reader = threading.Thread(target=self._pass_on, args=(process,), name=f"reader-{self.name}", daemon=True)
        reader.start()
        code = process.wait()
        reader.join(LAST_WORDS_WITHIN_S)
        assert process.stdin is not None
        process.stdin.close()
        return code

    def _spawn(self) -> subprocess.Popen[bytes] | None:
        script = str(Path(reaper.__file__).resolve())
        limits = (str(self._worker.memory_limit_bytes or 0), str(self._files_max))
        command = [sys.executable, "-I", "-S", script, str(ORPHAN_GRACE_S), *limits, *self._worker.command]
        with self._lock:
            if self._stopping.is_set():
                return None
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=self._env,
                cwd=self._worker.directory,
                start_new_session=True,
            )
            return self._process

    def _pass_on(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        with process.stdout as output:
            while line := output.readline(LINE_CHARS_MAX):
                self._say(f"[{self.name}] {line.decode('utf-8', 'replace').rstrip()}")


def _check(worker: WorkerCommand) -> None:
    """Raises BadOptions for what can be seen before the start."""
    program = worker.command[0]
    if worker.directory is not None:
        if not worker.directory.is_dir():
            raise BadOptions(
                f"The worker command {shlex.join(worker.command)!r} cannot be started: its directory "
                f"'{worker.directory}' is not there. Make it, or correct it."
            )
        if os.sep in program:  # it is started in that directory
            program = str(worker.directory / program)
    if shutil.which(program, path=worker.env.get("PATH")) is None:
        raise BadOptions(
            f"The worker command {shlex.join(worker.command)!r} cannot be started: {worker.command[0]!r} is "
            "not found. Correct it, install it, or give its full path."
        )


def _language(command: Sequence[str]) -> str:
    program = Path(command[0]).name
    return _LANGUAGES.get(program) or ("python" if program.startswith("python") else program)
