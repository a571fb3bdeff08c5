"""Token buckets for the decisions that SWF rates per account: wait a little rather than storm into rate failures."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass

from pyflow.swf.api import JsonObject

RATE_WAIT_MAX_S = 5.0
"""An answer is not kept back longer than this, in seconds: its task has a timeout."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A bucket of `size` tokens that refills with `per_s` tokens a second."""

    size: float
    per_s: float


SWF_RATES: Mapping[str, Rate] = {
    "RequestCancelExternalWorkflowExecution": Rate(size=1200, per_s=120),
    "ScheduleActivityTask": Rate(size=1000, per_s=200),
    "SignalExternalWorkflowExecution": Rate(size=1200, per_s=120),
    "StartChildWorkflowExecution": Rate(size=500, per_s=12),
    "StartTimer": Rate(size=2000, per_s=200),
}
"""What AWS grants an account by default (SWF reference 10.3)."""


class TokenBucket:
    """Tokens that refill with time; may be overdrawn, and then says how long until it is even again."""

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._tokens = rate.size
        self._at_s: float | None = None

    def take(self, count: int, now_s: float) -> float:
        """Take `count` tokens at `now_s` (monotonic); how many seconds to wait before using them."""
        if self._at_s is not None and now_s > self._at_s:
            self._tokens = min(self._rate.size, self._tokens + (now_s - self._at_s) * self._rate.per_s)
        self._at_s = now_s if self._at_s is None else max(self._at_s, now_s)
        self._tokens -= count
        return max(0.0, -self._tokens / self._rate.per_s)


class DecisionRates:
    """One bucket per rated decision type. Safe to use from many threads.

    `rates` is what this process may use; the default (None) is no limit, as the embedded SWF has none.
    """

    def __init__(self, rates: Mapping[str, Rate] | None = None) -> None:
        self._lock = threading.Lock()
        self._buckets = {kind: TokenBucket(rate) for kind, rate in (rates or {}).items()}

    def reserve(self, decisions: list[JsonObject], now_s: float) -> float:
        """Take tokens for `decisions`; how many seconds to wait before sending them, at most RATE_WAIT_MAX_S."""
        if not self._buckets or not decisions:
            return 0.0
        counts: dict[str, int] = {}
        for decision in decisions:
            kind = decision["decisionType"]
            if kind in self._buckets:
                counts[kind] = counts.get(kind, 0) + 1
        if not counts:
            return 0.0
        with self._lock:
            wait_s = max(self._buckets[kind].take(count, now_s) for kind, count in counts.items())
        return min(wait_s, RATE_WAIT_MAX_S)
