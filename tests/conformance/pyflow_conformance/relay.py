"""The network between a worker and the scripted host: passes bytes on, or breaks in one of the ways networks break."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from pathlib import Path

CHUNK_BYTES = 64 * 1024
_LINGER_NONE = struct.pack("ii", 1, 0)
"""SO_LINGER with 0 seconds: closing sends RST."""


class Relay:
    """Listens where the worker dials, and connects to the Unix socket `target` for each connection."""

    def __init__(self, target: Path, listen: Path | None) -> None:
        """`listen`: path of a Unix socket; None: any free port of 127.0.0.1."""
        self._target = target
        self._listen = listen
        self._port = 0
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.StreamWriter] = set()
        self._stalled: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def address(self) -> str:
        """As a worker is told."""
        return f"unix:{self._listen}" if self._listen is not None else f"127.0.0.1:{self._port}"

    async def listen(self) -> None:
        """Accept connections, at the same address as before."""
        if self._server is not None:
            return
        if self._listen is not None:
            self._listen.unlink(missing_ok=True)
            self._server = await asyncio.start_unix_server(self._accepted, self._listen)
        else:
            self._server = await asyncio.start_server(self._accepted, "127.0.0.1", self._port, reuse_address=True)
            self._port = self._server.sockets[0].getsockname()[1]

    async def refuse(self) -> None:
        """Nobody listens any more, and what is connected is reset: the host is gone."""
        if self._server is not None:
            self._server.close()
            self._server = None
        if self._listen is not None:
            self._listen.unlink(missing_ok=True)
        self.reset()

    def reset(self) -> None:
        """All connections end without a goodbye (RST where there is TCP)."""
        for writer in list(self._connections):
            peer = writer.get_extra_info("socket")
            if peer is not None and peer.family != socket.AF_UNIX:
                with contextlib.suppress(OSError):
                    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NONE)
            writer.transport.abort()

    def stall(self) -> None:
        """The connections of now stay open and carry nothing any more: half-open. New ones work."""
        self._stalled |= self._connections

    async def close(self) -> None:
        """End everything."""
        await self.refuse()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            onward_reader, onward = await asyncio.open_unix_connection(self._target)
        except OSError:
            writer.transport.abort()
            return
        self._connections |= {writer, onward}
        for source, target in ((reader, onward), (onward_reader, writer)):
            task = asyncio.create_task(self._pass_on(source, target))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while chunk := await reader.read(CHUNK_BYTES):
                if writer in self._stalled:
                    continue
                writer.write(chunk)
                await writer.drain()
        except OSError:
            pass
        finally:
            self._connections.discard(writer)
            if writer not in self._stalled:
                writer.close()
