"""The lean transport as an event loop uses it: begun and finished without waiting, with poll(2) in between."""

from __future__ import annotations

import select
from typing import Literal, TypeAlias

from pyflow.swf import SwfApi, SwfConnection, connect
from pyflow.swf.api import JsonObject
from pyflow.swf.lean import LeanTransport
from pyflow.swf.retry import Repeats

Kind: TypeAlias = Literal["lean", "boto3", "no waiting"]
KINDS: tuple[Kind, ...] = ("lean", "boto3", "no waiting")

DEADLINE_MS = 30_000


class NoWaiting:
    """A SwfTransport whose calls never wait but in poll(2); `begun_now` counts those that could be begun at once."""

    def __init__(self, lean: LeanTransport) -> None:
        self.lean = lean
        self.begun_now = 0

    def call(self, operation: str, request: JsonObject) -> JsonObject:
        """See SwfTransport."""
        exchange = self.lean.begin_now(operation, request)
        if exchange is None:
            exchange = self.lean.begin(operation, request)
        else:
            self.begun_now += 1
        readable = select.poll()
        readable.register(exchange, select.POLLIN)
        while (answer := self.lean.finish_now(exchange)) is None:
            assert readable.poll(DEADLINE_MS), "no answer came"
        return answer

    def close(self) -> None:
        """See SwfTransport."""
        self.lean.close()


def connected(url: str, kind: Kind) -> SwfConnection:
    """A connection over the transport of that kind."""
    if kind != "no waiting":
        return connect(endpoint_url=url, transport=kind)
    connection = connect(endpoint_url=url, transport="lean")
    assert isinstance(connection.api.transport, LeanTransport)
    return SwfConnection(SwfApi(NoWaiting(connection.api.transport), Repeats()), connection.client)
