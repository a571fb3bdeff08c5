"""A kept-alive HTTP/1.1 connection: sends one request at a time and reads its whole answer.

Only what SWF and the proxies in front of it speak: Content-Length and chunked bodies, 1xx answers, keep-alive.
"""

from __future__ import annotations

import select
import socket
import ssl
import struct
from dataclasses import dataclass
from typing import NamedTuple

CONNECT_TIMEOUT_S = 10.0
HEAD_BYTES_MAX = 64 * 1024
BODY_BYTES_MAX = 256 * 1024 * 1024
RECEIVE_BYTES = 256 * 1024
HEAD_RECEIVE_BYTES = 16 * 1024
"""The first read of an answer: holds most answers whole, and is small enough to cost no fresh memory pages."""
KEEPALIVE_IDLE_S = 30
"""TCP probes keep routers from forgetting a connection that waits a minute for its poll, in seconds."""

_HTTP_OK_FIRST = 200


class ConnectFailed(Exception):
    """No connection came about: nothing was sent."""


class AnswerBroken(Exception):
    """The connection broke, or what came is no HTTP answer, after the request was (perhaps partly) sent."""


class _NotYet(Exception):
    """More of the answer is still to come."""


class Answer(NamedTuple):
    """A whole HTTP answer; header names are lower case."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where to connect; `tls` is None for plain HTTP."""

    host: str
    port: int
    tls: ssl.SSLContext | None
    read_timeout_s: float


class Connection:
    """One connection; not safe to use from two threads at once."""

    def __init__(self, endpoint: Endpoint) -> None:
        """Connect. Raises `ConnectFailed`."""
        self._buffer = b""
        self._waits = True
        self._watched = False
        self.reusable = True
        try:
            sock = socket.create_connection((endpoint.host, endpoint.port), timeout=CONNECT_TIMEOUT_S)
        except (OSError, UnicodeError) as error:
            raise ConnectFailed(f"no connection to {endpoint.host} port {endpoint.port}: {error}") from error
        try:
            _keep_alive(sock)
            if endpoint.tls is not None:
                sock = endpoint.tls.wrap_socket(sock, server_hostname=endpoint.host)
                sock.settimeout(endpoint.read_timeout_s)
            else:
                _limit_in_kernel(sock, endpoint.read_timeout_s)
        except (OSError, ValueError) as error:
            sock.close()
            raise ConnectFailed(f"no encrypted connection to {endpoint.host} port {endpoint.port}: {error}") from error
        self._socket = sock
        self._watch = select.poll()
        self._watch.register(sock, select.POLLIN)

    def is_stale(self) -> bool:
        """True when the other side has closed the idle connection (or sent something nobody asked for)."""
        if not self._watch.poll(0):
            return False
        # With TLS, what is readable may be the protocol's own (session tickets).
        return not isinstance(self._socket, ssl.SSLSocket) or _is_readable(self._socket)

    def fileno(self) -> int:
        """For select and poll: readable once the answer begins to come."""
        return self._socket.fileno()

    def may_wait(self) -> None:
        """To be called before a wait: event loops leave a plain socket that they have watched non-blocking."""
        if self._watched:
            self._watched = False
            self._socket.setblocking(True)

    def send(self, request: bytes) -> None:
        """Send a request. Raises `AnswerBroken`; the connection is then of no more use."""
        try:
            self._socket.sendall(request)
        except OSError as error:
            self.reusable = False
            raise AnswerBroken(f"the connection broke: {error}") from error

    def receive(self) -> Answer:
        """Wait for the answer to what was sent. Raises `AnswerBroken`; the connection is then of no more use."""
        self.may_wait()
        try:
            return self._final_answer()
        except (TimeoutError, BlockingIOError) as error:
            self.reusable = False
            raise AnswerBroken("no answer came in time") from error
        except (OSError, ValueError) as error:
            self.reusable = False
            raise AnswerBroken(f"the connection broke: {error}") from error

    def receive_now(self) -> Answer | None:
        """The answer if all of it has come, else None; never waits. Raises `AnswerBroken` as `receive` does.

        After None the socket has been read empty: event loops may tell of a reset only once.
        """
        self._waits = False
        try:
            while part := self._what_has_come():
                have = self._buffer = self._buffer + part
                try:
                    return self._final_answer()
                except _NotYet:  # what has come is read once more when there is more of it
                    self._buffer = have
            return None
        except (OSError, ValueError) as error:
            self.reusable = False
            raise AnswerBroken(f"the connection broke: {error}") from error
        finally:
            self._waits = True

    def close(self) -> None:
        """Close the connection."""
        self.reusable = False
        self._socket.close()

    def _final_answer(self) -> Answer:
        while True:
            answer = self._answer()
            if answer.status >= _HTTP_OK_FIRST:
                return answer

    def _answer(self) -> Answer:
        buffer = self._buffer
        end = buffer.find(b"\r\n\r\n")
        while end < 0:
            if len(buffer) > HEAD_BYTES_MAX:
                raise ValueError(f"the answer's head has more than {HEAD_BYTES_MAX} bytes")
            buffer += self._receive()
            end = buffer.find(b"\r\n\r\n")
        status, headers = _head(buffer[:end])
        self._buffer = buffer[end + 4 :]
        if headers.get(b"connection", b"").lower() == b"close" or buffer.startswith(b"HTTP/1.0"):
            self.reusable = False
        if status < _HTTP_OK_FIRST:
            return Answer(status, headers, b"")
        if b"chunked" in headers.get(b"transfer-encoding", b"").lower():
            return Answer(status, headers, self._chunks())
        return Answer(status, headers, self._exactly(_body_length(headers)))

    def _exactly(self, length: int) -> bytes:
        """The next `length` bytes."""
        have = len(self._buffer)
        if have >= length:
            body, self._buffer = self._buffer[:length], self._buffer[length:]
            return body
        parts = [self._buffer]
        while have < length:
            part = self._receive(min(RECEIVE_BYTES, max(4096, length - have)))
            parts.append(part)
            have += len(part)
        whole = b"".join(parts)
        self._buffer = whole[length:]
        return whole[:length]

    def _chunks(self) -> bytes:
        parts: list[bytes] = []
        total = 0
        while True:
            length = int(self._line().partition(b";")[0], 16)
            total += length
            if length < 0 or total > BODY_BYTES_MAX:
                raise ValueError("the answer's body is too large or its chunks make no sense")
            if length == 0:
                while self._line():
                    pass
                return b"".join(parts)
            parts.append(self._exactly(length))
            if self._line():
                raise ValueError("a chunk of the answer does not end where it should")

    def _line(self) -> bytes:
        end = self._buffer.find(b"\r\n")
        while end < 0:
            if len(self._buffer) > HEAD_BYTES_MAX:
                raise ValueError("a line of the answer does not end")
            self._buffer += self._receive()
            end = self._buffer.find(b"\r\n")
        line, self._buffer = self._buffer[:end], self._buffer[end + 2 :]
        return line

    def _receive(self, count: int = HEAD_RECEIVE_BYTES) -> bytes:
        if not self._waits:
            raise _NotYet
        return _some(self._socket.recv(count))

    def _what_has_come(self) -> bytes:
        """What can be read at once; empty: nothing."""
        sock = self._socket
        if not isinstance(sock, ssl.SSLSocket):
            self._watched = True
            try:
                return _some(sock.recv(HEAD_RECEIVE_BYTES, socket.MSG_DONTWAIT))
            except BlockingIOError:
                return b""
        timeout_s = sock.gettimeout()
        sock.settimeout(0)
        try:
            return _some(sock.recv(HEAD_RECEIVE_BYTES))
        except ssl.SSLWantReadError:
            return b""
        finally:
            sock.settimeout(timeout_s)


def _some(part: bytes) -> bytes:
    if not part:
        raise ValueError("it was closed before the answer was whole")
    return part


def _head(head: bytes) -> tuple[int, dict[bytes, bytes]]:
    lines = head.split(b"\r\n")
    words = lines[0].split(None, 2)
    if len(words) < 2 or not words[0].startswith(b"HTTP/1."):
        raise ValueError(f"what came is no HTTP answer: {lines[0][:60]!r}")
    headers: dict[bytes, bytes] = {}
    for line in lines[1:]:
        name, _, value = line.partition(b":")
        headers[name.lower()] = value.strip()
    return int(words[1]), headers


def _body_length(headers: dict[bytes, bytes]) -> int:
    text = headers.get(b"content-length")
    if text is None:
        raise ValueError("the answer does not say how long it is")
    length = int(text)
    if not 0 <= length <= BODY_BYTES_MAX:
        raise ValueError(f"the answer says it has {length} bytes")
    return length


def _is_readable(sock: socket.socket) -> bool:
    timeout_s = sock.gettimeout()
    try:
        sock.settimeout(0)
        sock.recv(1)
    except (BlockingIOError, ssl.SSLWantReadError):
        return False
    except OSError:
        return True
    finally:
        sock.settimeout(timeout_s)
    return True


def _limit_in_kernel(sock: socket.socket, timeout_s: float) -> None:
    """Time-limit reads and writes of a blocking socket; they raise BlockingIOError then.

    Python's own `settimeout` costs a system call more for each read, and waits even where MSG_DONTWAIT is given.
    """
    sock.settimeout(None)
    seconds = int(timeout_s)
    limit = struct.pack("ll", seconds, int((timeout_s - seconds) * 1_000_000))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)


def _keep_alive(sock: socket.socket) -> None:
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_KEEPIDLE"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_IDLE_S)
