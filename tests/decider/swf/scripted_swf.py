"""A tiny HTTP server that answers SWF calls as a test tells it, faults of the network included."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Request:
    """One request as it arrived."""

    operation: str
    body: dict[str, Any]
    headers: dict[str, str]
    raw: bytes


@dataclass(frozen=True)
class Answer:
    """What to answer: status and JSON body, or a fault."""

    body: object = field(default_factory=dict)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut_after: int | None = None
    """Send only so many bytes of the body, then cut the connection."""
    reset: bool = False
    """Cut the connection instead of answering."""
    close: bool = False
    """Close the connection after the answer, without saying so."""


def fault(code: str, message: str = "", status: int = 400) -> Answer:
    """An error answer as SWF words it."""
    space = "com.amazonaws.swf.base.model" if code.endswith("Fault") else "com.amazon.coral.service"
    body = {"__type": f"{space}#{code}"}
    if message:
        body["message"] = message
    return Answer(body, status=status)


Script = Callable[[Request], Answer]


class ScriptedSwf:
    """Serves `script` on a free port; `requests` has everything that arrived."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._scheme, self._host = ("http", "127.0.0.1") if tls is None else ("https", "localhost")
        self.connections = 0
        self.requests: list[Request] = []
        self.open_connections = 0
        self.changed = threading.Condition()
        self.script: Script = lambda request: Answer()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                with owner.changed:
                    owner.open_connections += 1
                    owner.connections += 1
                super().setup()

            def do_POST(self) -> None:
                owner._serve(self)

            def log_message(self, format: str, *args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def get_request(self) -> tuple[socket.socket, Any]:
                connection, address = super().get_request()
                return (connection if tls is None else tls.wrap_socket(connection, server_side=True)), address

            def shutdown_request(self, request: Any) -> None:
                super().shutdown_request(request)
                with owner.changed:
                    owner.open_connections -= 1
                    owner.changed.notify_all()

        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """The endpoint."""
        return f"{self._scheme}://{self._host}:{self._server.server_address[1]}"

    def operations(self) -> list[str]:
        """Names of the calls that arrived, in order."""
        return [request.operation for request in self.requests]

    def answers(self, *answers: Answer) -> None:
        """Give these answers one after the other; the last one for ever."""
        remaining = list(answers)
        lock = threading.Lock()

        def script(request: Request) -> Answer:
            with lock:
                return remaining.pop(0) if len(remaining) > 1 else remaining[0]

        self.script = script

    def wait_until_all_closed(self, deadline_s: float = 10) -> None:
        """Wait until the server has closed every connection."""
        with self.changed:
            assert self.changed.wait_for(lambda: self.open_connections == 0, deadline_s)

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        raw = handler.rfile.read(int(handler.headers.get("Content-Length", "0")))
        headers = {name.lower(): value for name, value in handler.headers.items()}
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        request = Request(operation, json.loads(raw), headers, raw)
        self.requests.append(request)
        answer = self.script(request)
        if answer.reset:
            self._cut(handler)
            return
        body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        handler.send_response(answer.status)
        handler.send_header("x-amzn-RequestId", f"request-{len(self.requests)}")
        handler.send_header("Content-Type", "application/x-amz-json-1.0")
        handler.send_header("Content-Length", str(len(body)))
        for name, value in answer.headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        if answer.cut_after is not None:
            handler.wfile.write(body[: answer.cut_after])
            handler.wfile.flush()
            self._cut(handler)
            return
        handler.wfile.write(body)
        handler.wfile.flush()
        if answer.close:
            handler.close_connection = True

    @staticmethod
    def _cut(handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True
        linger_none = struct.pack("ii", 1, 0)
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_none)
        handler.connection.shutdown(socket.SHUT_RDWR)
