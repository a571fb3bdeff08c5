"""Runs invocations in child processes: kept warm, several per function, killed when they overrun."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from pyflow_local.engine.values import LambdaInvocation, LambdaOutcome
from pyflow_local.errors import BadLambdaTarget
from pyflow_local.lambdas.outcomes import ERROR_REASON, cut, unhandled

PROCESSES_PER_FUNCTION_MAX = 8
WARM_PROCESSES = 2
START_SECONDS_MAX = 30.0
EXIT_SECONDS_MAX = 5.0
LINE_BYTES_MAX = 8 * 1024 * 1024


class _Child:
    """One process of one function."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def ask(self, message: Mapping[str, Any]) -> dict[str, Any] | None:
        """Send a line and read one; None if the process has ended."""
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None
        assert stdout is not None
        try:
            if message:
                stdin.write(json.dumps(message).encode("utf-8") + b"\n")
                await stdin.drain()
            line = await stdout.readline()
        except (OSError, ValueError):
            return None
        if not line.endswith(b"\n"):
            return None
        found: dict[str, Any] = json.loads(line)
        return found

    async def ended(self) -> int:
        """The exit status of a process that has closed its output; it is killed if it lingers.

        Signals are not sent to a process that may just have died: asking for its state on that way would take its
        exit status from asyncio, which would then report 255.
        """
        try:
            return await asyncio.wait_for(self.process.wait(), EXIT_SECONDS_MAX)
        except asyncio.TimeoutError:
            return await self.kill()

    async def kill(self) -> int:
        """End the process; its exit status."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        return await self.process.wait()


class LambdaPool:
    """All local functions: `targets` maps a function's name to module:function."""

    def __init__(
        self, targets: Mapping[str, str], region: str, account: str, ended: Callable[[int, int, LambdaOutcome], None]
    ) -> None:
        self._targets = dict(targets)
        self._arn = f"arn:aws:lambda:{region}:{account}:function:"
        self._ended = ended
        self._idle: dict[str, deque[_Child]] = {name: deque() for name in targets}
        self._slots = {name: asyncio.Semaphore(PROCESSES_PER_FUNCTION_MAX) for name in targets}
        self._tasks: set[asyncio.Task[None]] = set()
        self._children: set[_Child] = set()

    async def start(self) -> None:
        """Start one process of each function, so that a wrong target is found now. Raises BadLambdaTarget."""
        for name in self._targets:
            self._idle[name].append(await self._spawn(name))

    async def _spawn(self, name: str) -> _Child:
        target = self._targets[name]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "pyflow_local.lambdas.child", name, target,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=LINE_BYTES_MAX,
        )  # fmt: skip
        child = _Child(process)
        self._children.add(child)
        try:
            hello = await asyncio.wait_for(child.ask({}), START_SECONDS_MAX)
        except asyncio.TimeoutError:
            hello = {"broken": f"importing it took more than {START_SECONDS_MAX:.0f} seconds"}
        if hello is None or "ready" not in hello:
            await self._end(child)
            why = (hello or {}).get("broken", "its process ended at once")
            raise BadLambdaTarget(f"--lambda {name}={target}: {why}")
        return child

    async def _end(self, child: _Child) -> int:
        self._children.discard(child)
        return await child.kill()

    def __contains__(self, name: str) -> bool:
        return name in self._targets

    def invoke(self, invocation: LambdaInvocation) -> None:
        """Begin an invocation; its end is told to `ended`."""
        task = asyncio.get_running_loop().create_task(self._run(invocation))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, invocation: LambdaInvocation) -> None:
        outcome = await self._outcome(invocation)
        if outcome is not None:
            self._ended(invocation.run, invocation.scheduled_id, cut(outcome))

    async def _outcome(self, invocation: LambdaInvocation) -> LambdaOutcome | None:
        """How the invocation ended; None if it overran, which the engine notices by itself."""
        name = invocation.name
        if name not in self._targets:
            text = f"Function not found: {self._arn}{name}"
            return LambdaOutcome(reason="ResourceNotFoundException", details=text)
        async with self._slots[name]:
            try:
                child = self._idle[name].pop() if self._idle[name] else await self._spawn(name)
            except BadLambdaTarget as error:
                return unhandled("Runtime.ImportModuleError", str(error))
            request_id = f"{invocation.run}-{invocation.scheduled_id}"
            message = {
                "id": request_id,
                "arn": self._arn + name,
                "payload": invocation.payload,
                "timeout_s": invocation.timeout_s,
            }
            try:
                answer = await asyncio.wait_for(child.ask(message), invocation.timeout_s)
            except asyncio.TimeoutError:
                await self._end(child)
                return None
            except asyncio.CancelledError:
                await self._end(child)
                raise
            if answer is None:
                self._children.discard(child)
                status = await child.ended()
                text = f"RequestId: {request_id} Error: Runtime exited with {_exit_text(status)}"
                return unhandled("Runtime.ExitError", text)
            if len(self._idle[name]) < WARM_PROCESSES:
                self._idle[name].append(child)
            else:
                await self._end(child)
        if "result" in answer:
            return LambdaOutcome(result=answer["result"])
        return LambdaOutcome(reason=ERROR_REASON, details=answer["failure"])

    async def stop(self) -> None:
        """End all processes."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for child in list(self._children):
            await self._end(child)


def _exit_text(status: int) -> str:
    return f"signal {-status}" if status < 0 else f"exit status {status}"
