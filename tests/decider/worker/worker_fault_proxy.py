"""An HTTP proxy in front of an SWF endpoint that does harm on request: delays, cuts, error answers, throttling."""

from __future__ import annotations

import http.client
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class Harm:
    """What to do with one request instead of passing it on."""

    delay: threading.Event | None = None
    """Pass it on once this is set."""
    cut_before: bool = False
    """Cut the connection without passing the request on."""
    cut_after: bool = False
    """Pass the request on, then cut the connection instead of handing the answer back."""
    truncate_to: int | None = None
    """Pass it on, hand back this many bytes of the answer's body, then cut the connection."""
    status: int | None = None
    body: bytes = b""
    """Answer this without passing the request on."""
    rewrite: Callable[[bytes], bytes] | None = None
    """Pass it on and change the answer's body."""


THROTTLED = Harm(
    status=400, body=b'{"__type":"com.amazon.coral.availability#ThrottlingException","message":"Rate exceeded"}'
)
EXPIRED = Harm(
    status=400,
    body=b'{"__type":"com.amazon.coral.service#ExpiredTokenException","message":"The security token is expired"}',
)
FAILED = Harm(status=500, body=b'{"__type":"com.amazon.coral.service#InternalFailure"}')


class FaultProxy:
    """Listens on a free port; `harm(operation, body)` is asked for every request and gives None to pass it on."""

    def __init__(self, target: str) -> None:
        self.harm: Callable[[str, bytes], Harm | None] = lambda operation, body: None
        self.harmed = 0
        self.passed: list[str] = []
        parts = urlsplit(target)
        self._target = (parts.hostname or "", parts.port or 80)
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                owner._serve(self)

            def log_message(self, format: str, *args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, request: Any, client_address: Any) -> None:
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def url(self) -> str:
        """The endpoint to give to the client."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()

    def times(self, count: int, harm: Harm, *operations: str) -> None:
        """Do `harm` to the next `count` requests of these operations, then no more."""
        lock = threading.Lock()
        left = [count]

        def decide(operation: str, body: bytes) -> Harm | None:
            if operation not in operations:
                return None
            with lock:
                left[0] -= 1
                return harm if left[0] >= 0 else None

        self.harm = decide

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length", "0")))
        operation = (handler.headers.get("X-Amz-Target") or "").rpartition(".")[2]
        harm = self.harm(operation, body)
        if harm is not None:
            self.harmed += 1
            if harm.delay is not None:
                harm.delay.wait(30)
            if harm.cut_before:
                return self._cut(handler)
            if harm.status is not None:
                return self._answer(handler, harm.status, harm.body)
        status, answer = self._pass_on(handler, body)
        self.passed.append(operation)
        if harm is None:
            return self._answer(handler, status, answer)
        if harm.cut_after:
            return self._cut(handler)
        if harm.rewrite is not None:
            answer = harm.rewrite(answer)
        return self._answer(handler, status, answer, harm.truncate_to)

    def _pass_on(self, handler: BaseHTTPRequestHandler, body: bytes) -> tuple[int, bytes]:
        upstream = http.client.HTTPConnection(*self._target, timeout=90)
        try:
            headers = {name: value for name, value in handler.headers.items() if name.lower() != "content-length"}
            upstream.request("POST", handler.path, body, headers)
            answer = upstream.getresponse()
            return answer.status, answer.read()
        finally:
            upstream.close()

    def _answer(
        self, handler: BaseHTTPRequestHandler, status: int, body: bytes, truncate_to: int | None = None
    ) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", "application/x-amz-json-1.0")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body if truncate_to is None else body[:truncate_to])
        handler.wfile.flush()
        if truncate_to is not None:
            self._cut(handler)

    @staticmethod
    def _cut(handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.connection.shutdown(socket.SHUT_RDWR)
