"""The embedded SWF inside a test: real engine, time as a number that only tests move."""

from __future__ import annotations

import json
from collections import deque
from typing import Any, TypeAlias

from pyflow_local.engine.limits import Quotas
from pyflow_local.engine.values import LambdaInvocation, LambdaOutcome
from pyflow_local.service import EndedLambda, Incoming, Service
from pyflow_local.store.store import Store

Reply: TypeAlias = "dict[str, Any]"

START_MS = 1_700_000_000_000


class SwfFault(Exception):
    """The engine refused a request: SWF's error type and message."""

    def __init__(self, status: int, body: Reply) -> None:
        self.code = str(body.get("__type", "")).rpartition("#")[2]
        super().__init__(f"{self.code}: {body.get('message') or body.get('Message')} (HTTP {status})")


class Clockwork:
    """An embedded SWF whose clock stands still until it is moved."""

    def __init__(self, start_ms: int = START_MS, quotas: Quotas | None = None) -> None:
        self.now_ms = start_ms
        self._service = Service(Store(None), start_ms, quotas=quotas)
        self._idents = 0
        self._answered: deque[tuple[int, Reply]] = deque()
        self._ended: list[EndedLambda] = []
        self.invocations: deque[LambdaInvocation] = deque()

    def call(self, operation: str, **body: Any) -> Reply:
        """One request that is answered at once. Raises SwfFault."""
        ident = self.begin(operation, **body)
        for position, (answered, reply) in enumerate(self._answered):
            if answered == ident:
                del self._answered[position]
                return reply
        raise AssertionError(f"{operation} was not answered")

    def begin(self, operation: str, **body: Any) -> int:
        """One request that may wait: a poll. Its answer comes out of ``take_answer``."""
        self._idents += 1
        ident = self._idents
        self._step([Incoming(ident, operation, json.dumps(body).encode())], asked=ident)
        return ident

    def take_answer(self) -> tuple[int, Reply] | None:
        """The next answer to a poll, if there is one."""
        return self._answered.popleft() if self._answered else None

    def end_lambda(self, invocation: LambdaInvocation, outcome: LambdaOutcome) -> None:
        """Report how a Lambda function ended."""
        self._ended.append(EndedLambda(invocation.run, invocation.scheduled_id, outcome))
        self._step([])

    def next_due_ms(self) -> int | None:
        """When something happens by itself next."""
        return self._service.next_due_ms()

    def move_to(self, now_ms: int) -> None:
        """Let time pass; never backward."""
        self.now_ms = max(self.now_ms, now_ms)
        self._step([])

    def close(self) -> None:
        """Let go of the database."""
        self._service.close()

    def _step(self, requests: list[Incoming], asked: int = 0) -> None:
        ended, self._ended = self._ended, []
        result = self._service.step(requests, self.now_ms, ended)
        self.invocations.extend(result.invocations)
        for ident, status, body in result.answers:
            reply = json.loads(body) if body else {}
            if status != 200:
                raise SwfFault(status, reply)
            self._answered.append((ident, reply))
