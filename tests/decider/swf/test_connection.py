"""Answers that come in pieces, read with and without waiting."""

from __future__ import annotations

import contextlib
import select
import socket
import struct
from collections.abc import Iterator

import pytest
from pyflow.swf.lean.connection import Answer, AnswerBroken, Connection, Endpoint

LENGTH = b'HTTP/1.1 200 OK\r\nX-Amzn-RequestId: r1\r\nContent-Length: 7\r\n\r\n{"a":1}'
CHUNKED = (
    b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;why=not\r\n{"a\r\n4\r\n":1}\r\n0\r\nTrailer: t\r\n\r\n'
)
CONTINUED = b"HTTP/1.1 100 Continue\r\n\r\n" + LENGTH
CLOSING = LENGTH.replace(b"X-Amzn-RequestId: r1", b"Connection: close")


@contextlib.contextmanager
def connected(read_timeout_s: float = 30.0) -> Iterator[tuple[Connection, socket.socket]]:
    """A connection and its other side."""
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as server:
        endpoint = Endpoint(host="127.0.0.1", port=server.getsockname()[1], tls=None, read_timeout_s=read_timeout_s)
        with contextlib.closing(Connection(endpoint)) as connection, server.accept()[0] as other:
            other.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            yield connection, other


def arrived(connection: Connection) -> None:
    """Wait until there is something to read."""
    readable = select.poll()
    readable.register(connection, select.POLLIN)
    assert readable.poll(30_000)


@pytest.mark.parametrize("whole", [LENGTH, CHUNKED, CONTINUED, CLOSING])
def test_an_answer_byte_by_byte(whole: bytes) -> None:
    with connected() as (connection, other):
        assert connection.receive_now() is None, "nothing has come"
        for place in range(len(whole) - 1):
            other.sendall(whole[place : place + 1])
            arrived(connection)
            assert connection.receive_now() is None
        other.sendall(whole[-1:])
        arrived(connection)
        answer = connection.receive_now()
        assert answer is not None
        assert (answer.status, answer.body) == (200, b'{"a":1}')
        assert connection.reusable is (whole is not CLOSING)


@pytest.mark.parametrize("whole", [LENGTH, CHUNKED, CONTINUED])
def test_what_was_read_without_waiting_is_not_lost_to_who_waits(whole: bytes) -> None:
    with connected() as (connection, other):
        other.sendall(whole[:-4])
        arrived(connection)
        assert connection.receive_now() is None
        other.sendall(whole[-4:])
        assert connection.receive() == in_one_piece(whole)


def in_one_piece(whole: bytes) -> Answer:
    """The answer, read in one piece."""
    with connected() as (connection, other):
        other.sendall(whole)
        return connection.receive()


def test_answers_follow_each_other_on_one_connection() -> None:
    with connected() as (connection, other):
        for _ in range(3):
            other.sendall(LENGTH)
            arrived(connection)
            assert connection.receive_now() is not None
            assert not connection.is_stale()


def test_a_whole_answer_counts_though_the_connection_was_closed_behind_it() -> None:
    with connected() as (connection, other):
        other.sendall(LENGTH)
        other.close()
        arrived(connection)
        assert connection.receive_now() is not None


@pytest.mark.parametrize("sent", [b"", LENGTH[:-1], CHUNKED[:-1], b"SMTP ready\r\n\r\n", b"\x00" * 70_000])
def test_broken_answers(sent: bytes) -> None:
    with connected() as (connection, other):
        other.sendall(sent)
        other.close()
        with pytest.raises(AnswerBroken):
            read_until_broken(connection)
        assert not connection.reusable


def read_until_broken(connection: Connection) -> None:
    for _ in range(1_000):
        arrived(connection)
        connection.receive_now()


@pytest.mark.parametrize("before", [b"", LENGTH[:-1]])
def test_a_reset_is_seen_together_with_what_came_before_it(before: bytes) -> None:
    with connected() as (connection, other):
        other.sendall(before)
        other.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        other.close()
        reset = select.poll()
        reset.register(connection, 0)
        assert reset.poll(30_000)
        with pytest.raises(AnswerBroken):
            connection.receive_now()


def test_who_waits_does_not_wait_for_ever() -> None:
    with connected(read_timeout_s=0.1) as (connection, other):
        other.sendall(LENGTH[:20])
        with pytest.raises(AnswerBroken, match="in time"):
            connection.receive()
