"""Repeats of calls other than polls: full-jitter back-off, bounded in attempts, aware of lost answers."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from pyflow.swf.api import JsonObject, SwfTransport
from pyflow.swf.faults import AnswerLost, SwfError, UnknownResource

ATTEMPTS_MAX = 5
"""How often a call is sent before its error is raised."""

BACKOFF_FIRST_S = 0.1
BACKOFF_MAX_S = 5.0


def backoff_s(attempt: int, *, first_s: float, max_s: float, draw: Callable[[], float] = random.random) -> float:
    """How long to wait, in seconds, after failed attempt number `attempt` (1 is the first).

    Full jitter: anything between nothing and a bound that doubles each time, so that many processes which failed
    together do not come back together.
    """
    doublings = min(attempt - 1, 30)
    return draw() * min(max_s, first_s * 2.0**doublings)


class Repeats:
    """Repeats retryable failures up to `attempts_max` times.

    When an attempt's answer was lost and a later one is told UnknownResource, the first one most likely did its work
    (SWF has no idempotency tokens, SWF reference 7.10): the error then says so in `may_have_had_effect`.
    """

    def __init__(
        self,
        *,
        attempts_max: int = ATTEMPTS_MAX,
        sleep: Callable[[float], None] = time.sleep,
        on_failed: Callable[[str, SwfError], None] = lambda operation, error: None,
    ) -> None:
        self._attempts_max = attempts_max
        self._sleep = sleep
        self._on_failed = on_failed
        """Told the operation and the error of every attempt that failed."""

    def call(
        self,
        transport: SwfTransport,
        operation: str,
        request: JsonObject,
        first: Callable[[], JsonObject] | None = None,
    ) -> JsonObject:
        """See `RetryPolicy.call`."""
        attempt = 1
        answer_lost = False
        while True:
            try:
                if first is not None and attempt == 1:
                    return first()
                return transport.call(operation, request)
            except UnknownResource as error:
                self._on_failed(operation, error)
                error.may_have_had_effect = answer_lost
                raise
            except SwfError as error:
                self._on_failed(operation, error)
                answer_lost = answer_lost or isinstance(error, AnswerLost)
                error.may_have_had_effect = answer_lost
                if not error.retryable or attempt >= self._attempts_max:
                    raise
            self._sleep(backoff_s(attempt, first_s=BACKOFF_FIRST_S, max_s=BACKOFF_MAX_S))
            attempt += 1
