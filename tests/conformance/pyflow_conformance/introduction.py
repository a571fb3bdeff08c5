"""Asks an executor who it is: starts it once and reads its Hello."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from pyflow_api.v1 import worker_pb2 as pb

from pyflow_conformance.errors import BadUsage, Mismatch
from pyflow_conformance.scripted_host import ScriptedHost
from pyflow_conformance.worker_process import ChildProcess

HELLO_WITHIN_S = 30.0
TASK_LIST = "conformance"


async def hello_of(command: str) -> pb.Hello:
    """What the executor says first. Raises BadUsage, with its output, when it says nothing."""
    with tempfile.TemporaryDirectory(prefix="cf") as directory:
        host = ScriptedHost(Path(directory), 1)
        await host.start()
        try:
            process = await ChildProcess.start(
                command, {"PYFLOW_HOST_ADDRESS": host.relay.address, "PYFLOW_TASK_LIST": TASK_LIST, "PYFLOW_SLOTS": "1"}
            )
            try:
                return await _hello(host, process)
            finally:
                await process.kill()
        finally:
            await host.close()


async def _hello(host: ScriptedHost, process: ChildProcess) -> pb.Hello:
    def hello_or_end() -> pb.Hello | str | None:
        if host.streams and host.streams[0].hello is not None:
            return host.streams[0].hello
        return None if process.is_running else f"it ended with {process.exit_code}"

    ended = asyncio.create_task(process.wait(HELLO_WITHIN_S))
    ended.add_done_callback(lambda _: host.notify())
    try:
        heard = await host.until(hello_or_end, "Hello", HELLO_WITHIN_S)
    except Mismatch as error:
        heard = str(error)
    finally:
        ended.cancel()
    if isinstance(heard, pb.Hello):
        return heard
    said = "".join(f"\n    | {line}" for line in process.output().splitlines())
    raise BadUsage(f"The executor does not connect ({heard}). It must serve PYFLOW_HOST_ADDRESS; see README.md.{said}")
