"""One client connection: HTTP parsing with limits of size and time, one request at a time, answers in order."""

from __future__ import annotations

import asyncio
import select
import socket
from collections import deque
from dataclasses import dataclass, field
from typing import Protocol as TypingProtocol
from typing import cast

import httptools

from pyflow_local.engine.faults import Fault
from pyflow_local.http.wire import JSON_1_0, JSON_PLAIN, REQUEST_BYTES_MAX, response

READ_BYTES_MAX = 256 * 1024
REQUEST_SECONDS_MAX = 30.0
WRITE_STALL_SECONDS_MAX = 60.0
PIPELINE_MAX = 16
DRAIN_BYTES_MAX = 16 * 1024 * 1024
DRAIN_SECONDS_MAX = 5.0
KEEP_ALIVE = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 4}  # seconds, seconds, probes
ANSWER_LOST_MS = 120_000  # as long as those together: an answer that a vanished peer never acknowledges
_GONE = select.POLLRDHUP | select.POLLHUP | select.POLLERR


@dataclass(slots=True)
class Request:
    """A parsed request. `headers` has lower-case names."""

    method: bytes = b""
    path: bytes = b""
    headers: dict[bytes, bytes] = field(default_factory=dict)
    body: bytes = b""
    keep_alive: bool = True

    @property
    def content_type(self) -> bytes:
        """The content type of the answer: it mirrors the request's family."""
        return JSON_PLAIN if self.headers.get(b"content-type", b"").startswith(JSON_PLAIN) else JSON_1_0


class Desk(TypingProtocol):
    """Whom a connection hands its requests to."""

    def open(self, connection: Connection) -> None:
        """A connection was made."""

    def take(self, connection: Connection, request: Request) -> None:
        """Answer this request some time with `connection.reply`."""

    def closed(self, connection: Connection) -> None:
        """The connection is gone; forget what it waits for."""

    def request_id(self) -> bytes:
        """A new request id."""


class Connection(asyncio.BufferedProtocol):
    """Parses requests and writes answers; knows nothing of SWF.

    `buffer` may be shared by all connections of a loop: what is in it is used up before the next one reads. Without
    it every read would allocate a quarter of a megabyte, which costs more than parsing the request.
    """

    def __init__(self, desk: Desk, loop: asyncio.AbstractEventLoop, buffer: memoryview) -> None:
        self._buffer = buffer
        self.waiting_for = 0  # the ident of the request that is being handled, 0 if none
        self.current: Request | None = None
        self._desk = desk
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpRequestParser(self)
        self._request = Request()
        self._chunks: list[bytes] = []
        self._fed = 0
        self._queue: deque[Request] = deque()
        self._deadline: asyncio.TimerHandle | None = None
        self._stall: asyncio.TimerHandle | None = None
        self._draining = 0
        self._hangup: select.poll | None = None  # only connections that poll need one
        self._reading_paused = False

    # --- asyncio.BufferedProtocol ------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The client connected."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one without saying so
        _keep_alive(transport.get_extra_info("socket"))
        self._desk.open(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._transport = None
        for handle in (self._deadline, self._stall):
            if handle is not None:
                handle.cancel()
        self._queue.clear()
        self._desk.closed(self)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where the loop may put what it reads."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Bytes came in."""
        if self._draining:
            self._drain(nbytes)
            return
        data = self._buffer[:nbytes]
        self._fed += nbytes
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._refuse(Fault("SerializationException", "Protocol upgrades are not supported"))
        except httptools.HttpParserError as error:
            cause = error.__context__
            self._refuse(cause if isinstance(cause, Fault) else Fault("SerializationException", "Not HTTP/1.1"))
        if self._fed > REQUEST_BYTES_MAX and not self._draining:
            self._refuse(too_large())  # headers without end, or a body that does not say how long it is
        if self._fed and not self._draining and self._deadline is None and self._transport is not None:
            # A request has begun and is not complete: give it a bounded time.
            self._deadline = self._loop.call_later(REQUEST_SECONDS_MAX, self._too_slow)

    def pause_writing(self) -> None:
        """The client does not read its answers."""
        if self._stall is None:
            self._stall = self._loop.call_later(WRITE_STALL_SECONDS_MAX, self.abort)

    def resume_writing(self) -> None:
        """The client reads again."""
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None

    # --- httptools callbacks ---------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """A request line begins."""
        self._request = Request()
        self._chunks = []

    def on_url(self, url: bytes) -> None:
        """The request's path."""
        self._request.path += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        name = name.lower()
        self._request.headers[name] = value
        if name == b"content-length" and value.isdigit() and len(value) < 20 and int(value) > REQUEST_BYTES_MAX:
            raise too_large()

    def on_headers_complete(self) -> None:
        """The body follows."""
        if self._request.headers.get(b"expect", b"").lower() == b"100-continue" and self._transport is not None:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._chunks.append(body)
        if self._fed > REQUEST_BYTES_MAX:
            raise too_large()

    def on_message_complete(self) -> None:
        """A request is complete."""
        request = self._request
        request.method = self._parser.get_method()
        request.keep_alive = self._parser.should_keep_alive()
        chunks = self._chunks
        request.body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        self._fed = 0
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if self.current is None:
            self._begin(request)
        else:
            self._queue.append(request)
            if len(self._queue) >= PIPELINE_MAX and self._transport is not None:
                self._reading_paused = True
                self._transport.pause_reading()

    # --- answers ---------------------------------------------------------------------------------------------

    def _begin(self, request: Request) -> None:
        self.current = request
        self._desk.take(self, request)

    def reply(self, status: int, body: bytes) -> None:
        """Answer the current request and go on with the next one."""
        request, self.current, self.waiting_for = self.current, None, 0
        transport = self._transport
        if request is None or transport is None:
            return
        transport.write(response(status, body, request.content_type, self._desk.request_id(), request.keep_alive))
        if not request.keep_alive:
            transport.close()
        elif self._queue:
            self._begin(self._queue.popleft())
            if self._reading_paused and len(self._queue) < PIPELINE_MAX:
                self._reading_paused = False
                transport.resume_reading()

    def alive(self) -> bool:
        """False if the client has hung up, even if the loop has not noticed yet."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return False
        if self._hangup is None:
            self._hangup = select.poll()
            self._hangup.register(transport.get_extra_info("socket").fileno(), _GONE)
        return not self._hangup.poll(0)

    def abort(self) -> None:
        """Cut the connection."""
        if self._transport is not None:
            self._transport.abort()

    def close_when_idle(self) -> None:
        """At shutdown: close now, everything that waited has been answered."""
        if self._transport is not None:
            self._transport.close()

    # --- refusals --------------------------------------------------------------------------------------------

    def _refuse(self, fault: Fault) -> None:
        """Answer a broken request and end the connection, reading on a little so that the answer can arrive."""
        transport = self._transport
        if transport is None:
            return
        self._draining = 1
        if self.current is not None:
            self.current.keep_alive = False  # its answer comes first, and then the end
            self._queue.clear()
            return
        transport.write(response(fault.status, fault.body(), JSON_1_0, self._desk.request_id(), False))
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self._loop.call_later(DRAIN_SECONDS_MAX, self.abort)
        if transport.can_write_eof():
            transport.write_eof()

    def _drain(self, count: int) -> None:
        self._draining += count
        if self._draining > DRAIN_BYTES_MAX:
            self.abort()

    def _too_slow(self) -> None:
        self._deadline = None
        text = f"The request was not complete after {REQUEST_SECONDS_MAX:.0f} seconds"
        self._refuse(Fault("RequestTimeout", text))


def too_large() -> Fault:
    """The fault for a request above the size limit."""
    return Fault("RequestEntityTooLargeException", f"The request is larger than {REQUEST_BYTES_MAX} bytes")


def _keep_alive(sock: socket.socket) -> None:
    """Have the system notice peers that vanished without a word, so that their connections do not stay for ever."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in {**KEEP_ALIVE, "TCP_USER_TIMEOUT": ANSWER_LOST_MS}.items():
        if hasattr(socket, option):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
