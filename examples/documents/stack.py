"""The processes of the pipeline, started and stopped together: embedded SWF, decider, host, three workers."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PYFLOW = str(Path(sys.executable).with_name("pyflow"))

DOMAIN = "documents"
DECIDER_TASK_LIST = "documents"
READY_TIMEOUT_S = 30
STOP_TIMEOUT_S = 20
OUTPUT_LINES_KEPT = 200

RUBY_WORKER = [
    *("ruby", "-I", str(ROOT / "sdk_ruby/lib"), str(ROOT / "sdk_ruby/exe/pyflow-activity")),
    *(str(HERE / "words.rb"), "--task-list", "documents-ruby"),
]
JAVA_WORKER = ["java", "-jar", str(HERE / "java/target/fingerprints.jar"), "--task-list", "documents-java"]
PYTHON_WORKER = [PYFLOW, "worker", "activities", "--task-list", "documents-python"]
WORKERS = {"ruby": RUBY_WORKER, "java": JAVA_WORKER, "python": PYTHON_WORKER}


@contextlib.contextmanager
def interrupts_postponed() -> Iterator[None]:
    """SIGINT and SIGTERM take effect at the end of the block. For the main thread.

    An interrupt between the start of a process and its entry in the books would leave it running for ever.
    """
    seen: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _: seen.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for number in seen:
            signal.raise_signal(number)


class ProcessEnded(Exception):
    """A process of the stack ended by itself, or did not come up. The message carries its last lines."""


class Process:
    """One process in a process group of its own, its output kept (and shown, if asked)."""

    def __init__(
        self, name: str, command: list[str], env: dict[str, str], *, show: bool, directory: Path = HERE
    ) -> None:
        self.name = name
        self._output: deque[str] = deque(maxlen=OUTPUT_LINES_KEPT)
        self._show = show
        self._lines = threading.Condition()
        self._popen = subprocess.Popen(
            command,
            cwd=directory,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def ended(self) -> bool:
        return self._popen.poll() is not None

    @property
    def output(self) -> list[str]:
        with self._lines:
            return list(self._output)

    def wait_for_line(self, beginning: str, timeout_s: float = READY_TIMEOUT_S) -> str:
        """Gives the first line of the output that begins so."""

        def found() -> str | None:
            return next((line for line in self._output if line.startswith(beginning)), None)

        with self._lines:
            self._lines.wait_for(lambda: found() is not None or self.ended, timeout_s)
            line = found()
        if line is None:
            raise ProcessEnded(self.story(f"did not say '{beginning}' within {timeout_s} s"))
        return line

    def story(self, what: str) -> str:
        last = "\n".join(f"    {line}" for line in self.output[-15:])
        code = f", exit code {self._popen.returncode}" if self.ended else ""
        return f"{self.name} {what}{code}. Its last lines:\n{last}"

    def kill(self) -> None:
        """As `kill -9` would: no goodbye, and only this process; what it started goes on."""
        self._popen.kill()
        self._popen.wait()

    def terminate(self) -> None:
        """Asks it to end."""
        if not self.ended:
            self._popen.terminate()

    def wait(self, timeout_s: float = STOP_TIMEOUT_S) -> None:
        """Waits for its end; after the timeout, whatever is left of its group is killed."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(timeout_s)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait()

    def _read(self) -> None:
        assert self._popen.stdout is not None
        for line in self._popen.stdout:
            with self._lines:
                self._output.append(line.rstrip("\n"))
                self._lines.notify_all()
            if self._show:
                print(f"[{self.name}] {line}", end="", flush=True)
        with self._lines:
            self._lines.notify_all()


class Stack:
    """All processes of one run. `directory` holds the SWF data file, the socket and the host's key."""

    def __init__(self, directory: Path, *, supervised: bool = True, show: bool = False) -> None:
        self.directory = directory
        self.supervised = supervised
        self.show = show
        self.address = f"unix:{directory}/host.sock"
        self.processes: dict[str, Process] = {}
        self.env = {**os.environ, "PYFLOW_HOST_ADDRESS": self.address, "XDG_STATE_HOME": str(directory)}
        self.endpoint: str | None = None

    def start(self, *, embedded_swf: bool = True) -> None:
        if embedded_swf:
            self.start_swf()
        self.start_decider()
        self.start_host()
        if not self.supervised:
            for language in WORKERS:
                self.start_worker(language)

    def start_swf(self, port: int = 0) -> None:
        data = str(self.directory / "swf.db")
        function = "detect_language=functions:detect_language"
        command = [PYFLOW, "dev", "--port", str(port), "--data", data, "--lambda", function]
        ready = self._start("swf", command).wait_for_line("SWF endpoint: ")
        self.endpoint = ready.removeprefix("SWF endpoint: ")
        self.env["AWS_ENDPOINT_URL_SWF"] = self.endpoint

    def restart_swf(self) -> None:
        """Where everybody looks for it: on the same port."""
        assert self.endpoint is not None
        self.start_swf(int(self.endpoint.rsplit(":", 1)[1]))

    def start_decider(self) -> None:
        workflows = ["pipeline:DocumentPipeline", "pipeline:IndexDocument"]
        self._start("decider", [PYFLOW, "decider", *workflows, "--domain", DOMAIN, "--task-list", DECIDER_TASK_LIST])

    def start_host(self) -> None:
        command = [PYFLOW, "host", "--domain", DOMAIN, "--listen", self.address]
        if self.supervised:
            for worker in WORKERS.values():
                command += ["--worker", shlex.join(worker)]
        self._start("host", command)

    def start_worker(self, language: str) -> None:
        self._start(f"{language} worker", WORKERS[language])

    def check(self) -> None:
        """Raises ProcessEnded if a process has ended that should be running."""
        for process in self.processes.values():
            if process.ended:
                raise ProcessEnded(process.story("ended"))

    def stop(self) -> None:
        """Everybody is asked first and SWF last: it answers the long polls that the others wait out before they end."""
        by_closeness = sorted(self.processes, key=lambda name: name == "swf")
        with interrupts_postponed():
            for name in by_closeness:
                self.processes[name].terminate()
            for name in by_closeness:
                self.processes[name].wait()

    def _start(self, name: str, command: list[str]) -> Process:
        with interrupts_postponed():
            self.processes[name] = Process(name, command, self.env, show=self.show)
        return self.processes[name]


@contextlib.contextmanager
def running_stack(directory: Path, *, embedded_swf: bool = True, show: bool = False) -> Iterator[Stack]:
    """A stack that is stopped whatever happens."""
    stack = Stack(directory, show=show)
    try:
        stack.start(embedded_swf=embedded_swf)
        yield stack
    finally:
        stack.stop()
