"""Serves the scripted SWF side over HTTP, as boto3 and others speak it (JSON 1.0, X-Amz-Target). Signatures are not
looked at."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from pyflow_conformance.scripted_swf import Refused, ScriptedSwf

BODY_BYTES_MAX = 4 * 1024 * 1024


class SwfHttp:
    """Listens on a free port of 127.0.0.1."""

    def __init__(self, swf: ScriptedSwf) -> None:
        self._swf = swf
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> str:
        """The endpoint's URL."""
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def close(self) -> None:
        """End it, waiting polls too."""
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (request := await _request(reader)) is not None:
                answer = await self._answer(*request, reader)
                if answer is None:
                    break
                writer.write(answer)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _answer(self, operation: str, body: dict[str, Any], reader: asyncio.StreamReader) -> bytes | None:
        """None: the connection is to be cut without an answer, or the caller has gone."""
        call = asyncio.ensure_future(self._swf.call(operation, body))
        gone = asyncio.ensure_future(_until_gone(reader))
        try:
            await asyncio.wait((call, gone), return_when=asyncio.FIRST_COMPLETED)
            if not call.done():
                return None
            return _response(200, call.result())
        except Refused as refused:
            return _response(refused.status, {"__type": refused.kind, "message": refused.message})
        except ConnectionError:
            return None
        finally:
            call.cancel()
            gone.cancel()
            await asyncio.gather(call, gone, return_exceptions=True)


async def _until_gone(reader: asyncio.StreamReader) -> None:
    while not reader.at_eof():  # a client that waits for an answer sends nothing, so there is nothing to read
        await asyncio.sleep(0.02)


async def _request(reader: asyncio.StreamReader) -> tuple[str, dict[str, Any]] | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    headers = {}
    for line in head.split("\r\n")[1:]:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    length = int(headers.get("content-length", "0"))
    if length > BODY_BYTES_MAX:
        return None
    body = await reader.readexactly(length)
    return headers.get("x-amz-target", "").rpartition(".")[2], json.loads(body or b"{}")


def _response(status: int, answer: dict[str, Any]) -> bytes:
    body = json.dumps(answer).encode()
    head = (
        f"HTTP/1.1 {status} {'OK' if status == 200 else 'Error'}\r\nContent-Type: application/x-amz-json-1.0\r\n"
        f"x-amzn-RequestId: conformance\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
