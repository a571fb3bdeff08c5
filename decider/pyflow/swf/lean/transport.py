"""The lean transport itself: signs, sends over a pooled connection, reads JSON, maps errors. One attempt a call."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple, TypeVar
from urllib.parse import quote, urlsplit

import orjson

from pyflow.swf.api import JsonObject
from pyflow.swf.faults import (
    AnswerLost,
    CredentialsExpired,
    RequestTooLarge,
    SwfError,
    Unreachable,
    ValidationFailed,
    refusal,
)
from pyflow.swf.lean.connection import Answer, AnswerBroken, ConnectFailed, Connection, Endpoint
from pyflow.swf.lean.credentials import CredentialSource, Keys
from pyflow.swf.lean.signer import CONTENT_TYPE, TARGET_PREFIX, Signer
from pyflow.swf.limits import REQUEST_BYTES_MAX

SENT_AT_ONCE_BYTES_MAX = 8 * 1024
"""An idle connection's send buffer takes at least so much without waiting for the other side."""

_HTTP_OK = 200

_Received = TypeVar("_Received", Answer, "Answer | None")


class Exchange(NamedTuple):
    """A request that was sent and whose answer is still to be received."""

    operation: str
    connection: Connection

    def fileno(self) -> int:
        """For select and poll."""
        return self.connection.fileno()


class LeanTransport:
    """Sends calls to one endpoint; see `SwfTransport`. Safe to use from many threads: each call has a connection.

    `idle_max` connections are kept for reuse.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        url: str,
        region: str,
        credentials: CredentialSource,
        user_agent: str,
        idle_max: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._endpoint = endpoint
        self._url = url
        self._region = region
        self._credentials = credentials
        self._idle_max = idle_max
        self._clock = clock
        self._idle: list[Connection] = []
        self._host = host_header(url)
        self._path = quote(urlsplit(url).path or "/", safe="/~")
        self._head_start = (
            f"POST {self._path} HTTP/1.1\r\nHost: {self._host}\r\nUser-Agent: {user_agent}\r\n"
            f"Content-Type: {CONTENT_TYPE}\r\nX-Amz-Target: {TARGET_PREFIX}"
        )
        self._signed: tuple[Keys, Signer] | None = None

    def call(self, operation: str, request: JsonObject) -> JsonObject:
        """See `SwfTransport.call`."""
        return self.finish(self.begin(operation, request))

    def begin(self, operation: str, request: JsonObject) -> Exchange:
        """Send the request and return without waiting for its answer. Raises `SwfError`."""
        sent = self._whole(operation, request, self._credentials.keys())
        try:
            connection = self._idle_connection() or Connection(self._endpoint)
            connection.may_wait()
        except ConnectFailed as error:
            raise Unreachable(
                f"SWF at {self._url} cannot be reached: {error}", operation=operation, code="Unreachable"
            ) from error
        return self._send(operation, connection, sent)

    def begin_now(self, operation: str, request: JsonObject) -> Exchange | None:
        """As `begin`, for a thread that must not wait: None, and nothing sent, where `begin` might."""
        keys = self._credentials.keys_at_hand()
        if keys is None:
            return None
        sent = self._whole(operation, request, keys)
        if len(sent) > SENT_AT_ONCE_BYTES_MAX:
            return None
        connection = self._idle_connection()
        return None if connection is None else self._send(operation, connection, sent)

    def _whole(self, operation: str, request: JsonObject, keys: Keys) -> bytes:
        """Head and body."""
        try:
            body = orjson.dumps(request)
        except TypeError as error:
            raise ValidationFailed(f"The request is not JSON: {error}", operation=operation, code="NotJson") from error
        if len(body) > REQUEST_BYTES_MAX:
            raise RequestTooLarge(
                f"the request has {len(body):,} bytes; SWF takes {REQUEST_BYTES_MAX:,}",
                operation=operation,
                code="RequestTooLarge",
            )
        head = (
            f"{self._head_start}{operation}\r\nContent-Length: {len(body)}\r\n"
            f"{self._signer(keys).headers(operation, body, self._clock())}\r\n"
        )
        return head.encode("latin-1") + body

    def _send(self, operation: str, connection: Connection, sent: bytes) -> Exchange:
        exchange = Exchange(operation, connection)
        try:
            connection.send(sent)
        except AnswerBroken as error:
            raise self.give_up(exchange, str(error)) from error
        return exchange

    def finish(self, exchange: Exchange) -> JsonObject:
        """Wait for the answer to a request begun, and return it. Raises `SwfError`."""
        return self._said(exchange, self._received(exchange, exchange.connection.receive))

    def finish_now(self, exchange: Exchange) -> JsonObject | None:
        """As `finish`, for a thread that must not wait: None while there is more of the answer to come."""
        answer = self._received(exchange, exchange.connection.receive_now)
        return None if answer is None else self._said(exchange, answer)

    def give_up(self, exchange: Exchange, why: str) -> AnswerLost:
        """Close the connection of a request begun, whose answer is not waited for any longer; the error to raise."""
        exchange.connection.close()
        return AnswerLost(f"{self._url}: {why}", operation=exchange.operation, code="AnswerLost")

    def _received(self, exchange: Exchange, receive: Callable[[], _Received]) -> _Received:
        try:
            return receive()
        except AnswerBroken as error:
            raise self.give_up(exchange, str(error)) from error
        except BaseException:
            exchange.connection.close()
            raise

    def _said(self, exchange: Exchange, answer: Answer) -> JsonObject:
        operation, connection = exchange
        if connection.reusable and len(self._idle) < self._idle_max:
            self._idle.append(connection)
        else:
            connection.close()
        if answer.status == _HTTP_OK:
            return self._decoded(operation, answer)
        raise self._refusal(operation, answer)

    def close(self) -> None:
        """Close idle connections."""
        while self._idle:
            self._idle.pop().close()

    def _idle_connection(self) -> Connection | None:
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:  # another thread took the last one
                break
            if not connection.is_stale():
                return connection
            connection.close()
        return None

    def _signer(self, keys: Keys) -> Signer:
        if self._signed is not None and self._signed[0] == keys:
            return self._signed[1]
        signer = Signer(
            access_key=keys.access_key,
            secret_key=keys.secret_key,
            token=keys.token,
            region=self._region,
            host=self._host,
            path=self._path,
        )
        self._signed = (keys, signer)
        return signer

    def _decoded(self, operation: str, answer: Answer) -> JsonObject:
        if not answer.body:
            return {}
        try:
            decoded = orjson.loads(answer.body)
        except orjson.JSONDecodeError as error:
            raise AnswerLost(
                f"{self._url}: the answer is not JSON: {error}",
                operation=operation,
                code="NotJson",
                status=answer.status,
            ) from error
        if not isinstance(decoded, dict):
            raise AnswerLost(
                f"{self._url}: the answer is no JSON object", operation=operation, code="NotJson", status=answer.status
            )
        return decoded

    def _refusal(self, operation: str, answer: Answer) -> SwfError:
        code, message = "", ""
        try:
            said = orjson.loads(answer.body)
        except orjson.JSONDecodeError:
            message = answer.body[:200].decode("utf-8", "replace")
        else:
            if isinstance(said, dict):
                code = str(said.get("__type") or said.get("code") or "")
                message = str(said.get("message") or said.get("Message") or "")
        if not code:
            code = answer.headers.get(b"x-amzn-errortype", b"").decode("latin-1")
        request_id = answer.headers.get(b"x-amzn-requestid", b"").decode("latin-1") or None
        error = refusal(operation, code, message, answer.status, request_id)
        if isinstance(error, CredentialsExpired):
            self._credentials.expired()
        return error


def host_header(url: str) -> str:
    """The Host header for a URL: without the port where it is the scheme's own."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if ":" in host:
        host = f"[{host}]"
    default_port = {"http": 80, "https": 443}.get(parts.scheme)
    return host if parts.port is None or parts.port == default_port else f"{host}:{parts.port}"
