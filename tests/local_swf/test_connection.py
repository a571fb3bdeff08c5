"""Slow clients: a request that does not become complete, an answer that is not read. Real sockets, short limits."""

from __future__ import annotations

import asyncio
import socket
import sys

import pytest
from pyflow_local.http import connection
from pyflow_local.http.connection import READ_BYTES_MAX, Connection, Request

WAIT_SECONDS_MAX = 10


class Desk:
    """Answers every request with so many bytes."""

    def __init__(self, size: int = 2) -> None:
        self.size = size
        self.lost = asyncio.Event()

    def open(self, connection: Connection) -> None:
        """Nothing to note."""

    def take(self, connection: Connection, request: Request) -> None:
        connection.reply(200, b"x" * self.size)

    def closed(self, connection: Connection) -> None:
        self.lost.set()

    def request_id(self) -> bytes:
        return b"id"


async def serve(desk: Desk) -> tuple[asyncio.Server, int]:
    loop = asyncio.get_running_loop()
    buffer = memoryview(bytearray(READ_BYTES_MAX))
    server = await loop.create_server(lambda: Connection(desk, loop, buffer), "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(
    "begun", [b"P", b"POST / HTTP/1.1\r\nHost:", b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc"]
)
def test_a_request_that_does_not_become_complete(monkeypatch: pytest.MonkeyPatch, begun: bytes) -> None:
    monkeypatch.setattr(connection, "REQUEST_SECONDS_MAX", 0.05)

    async def run() -> bytes:
        server, port = await serve(Desk())
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(begun)
        answer = await asyncio.wait_for(reader.read(), WAIT_SECONDS_MAX)
        writer.close()
        server.close()
        return answer

    answer = asyncio.run(run())
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"#RequestTimeout" in answer


def test_an_idle_connection_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "REQUEST_SECONDS_MAX", 0.02)

    async def run() -> list[bytes]:
        server, port = await serve(Desk())
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        answers = []
        for _ in range(2):
            writer.write(b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
            answers.append(await asyncio.wait_for(reader.readuntil(b"\r\n\r\nxx"), WAIT_SECONDS_MAX))
            await asyncio.sleep(0.1)  # longer than a request may take: between requests there is no limit
        writer.close()
        server.close()
        return answers

    assert all(answer.startswith(b"HTTP/1.1 200 ") for answer in asyncio.run(run()))


def test_an_answer_that_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "WRITE_STALL_SECONDS_MAX", 0.05)

    async def run() -> None:
        desk = Desk(size=64 * 1024 * 1024)
        server, port = await serve(desk)
        _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.write(b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
        await asyncio.wait_for(desk.lost.wait(), WAIT_SECONDS_MAX)
        writer.close()
        server.close()

    asyncio.run(run())


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the options have these names on Linux only")
def test_peers_that_vanish_without_a_word_are_noticed_by_the_system() -> None:
    """Their end never arrives, so no limit of ours applies: an idle connection and one with an answer under way."""

    async def run() -> dict[str, int]:
        found: dict[str, int] = {}
        seen = asyncio.Event()

        class Looking(Desk):
            def open(self, connection: Connection) -> None:
                assert connection._transport is not None
                sock = connection._transport.get_extra_info("socket")
                found["SO_KEEPALIVE"] = sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
                for name in ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "TCP_USER_TIMEOUT"):
                    found[name] = sock.getsockopt(socket.IPPROTO_TCP, getattr(socket, name))
                seen.set()

        server, port = await serve(Looking())
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.wait_for(seen.wait(), WAIT_SECONDS_MAX)
        writer.close()
        server.close()
        return found

    options = asyncio.run(run())
    assert options["SO_KEEPALIVE"] == 1
    silence_s = options["TCP_KEEPIDLE"] + options["TCP_KEEPINTVL"] * options["TCP_KEEPCNT"]
    assert silence_s == options["TCP_USER_TIMEOUT"] / 1000 == 120
