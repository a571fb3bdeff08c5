"""Bytes on the wire: response heads as SWF sends them."""

from __future__ import annotations

import secrets

from pyflow_local.engine.faults import Fault

REQUEST_BYTES_MAX = 1024 * 1024  # "whole request including headers" (SWF quotas)
JSON_1_0 = b"application/x-amz-json-1.0"
JSON_PLAIN = b"application/json"

_REASONS = {
    200: b"200 OK",
    400: b"400 Bad Request",
    403: b"403 Forbidden",
    404: b"404 Not Found",
    408: b"408 Request Timeout",
    413: b"413 Request Entity Too Large",
    500: b"500 Internal Server Error",
    503: b"503 Service Unavailable",
}


class RequestIds:
    """Request ids in the form of UUIDs: a random prefix of this process and a counter."""

    def __init__(self) -> None:
        text = secrets.token_hex(10)
        self._prefix = f"{text[:8]}-{text[8:12]}-4{text[12:15]}-8{text[15:18]}-".encode("ascii")
        self._count = 0

    def next(self) -> bytes:
        """A new id."""
        self._count += 1
        return b"%b%012x" % (self._prefix, self._count)


def response(status: int, body: bytes, content_type: bytes, request_id: bytes, keep_alive: bool) -> bytes:
    """A whole HTTP/1.1 response."""
    return b"HTTP/1.1 %b\r\nx-amzn-RequestId: %b\r\nContent-Type: %b\r\nContent-Length: %d\r\n%b\r\n%b" % (
        _REASONS[status],
        request_id,
        content_type,
        len(body),
        b"" if keep_alive else b"Connection: close\r\n",
        body,
    )


def operation_of(target: bytes) -> str:
    """The operation in an X-Amz-Target header: what follows the last dot of either prefix. Raises Fault."""
    prefix, _, name = target.rpartition(b".")
    if prefix.rpartition(b".")[2] != b"SimpleWorkflowService":
        raise Fault("UnknownOperationException")
    return name.decode("latin-1")
