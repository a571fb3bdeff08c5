"""Slow clients: a request that does not become complete, an answer that is not read. Real sockets, short limits."""

from __future__ import annotations

import asyncio

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
