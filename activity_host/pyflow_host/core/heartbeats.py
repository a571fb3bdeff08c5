"""When heartbeats are due, and the token bucket that keeps them below SWF's rate for the account."""

from __future__ import annotations

import heapq
import math

from pyflow_host.core.limits import HEARTBEAT_SHARE, HEARTBEAT_SHARE_LATEST


class TokenBucket:
    """`rate` permits a second, at most `burst` saved up. `now` in seconds."""

    def __init__(self, rate: float, burst: float) -> None:
        if rate <= 0 or burst < 1:
            raise ValueError(f"A token bucket needs a rate above 0 and a burst of 1 or more, not {rate} and {burst}.")
        self._rate = rate
        self._burst = burst
        self._level = burst
        self._at: float | None = None

    def take(self, now: float) -> bool:
        """Take a permit if there is one."""
        if self._at is not None:
            self._level = min(self._burst, self._level + (now - self._at) * self._rate)
        self._at = now
        if self._level < 1.0:
            return False
        self._level -= 1.0
        return True

    @property
    def seconds_each(self) -> float:
        """How long one permit takes to come back."""
        return 1.0 / self._rate


class HeartbeatSchedule:
    """Names of tasks (SWF's tokens) by the time their next heartbeat is due."""

    def __init__(self, rate: float, burst: float) -> None:
        self.bucket = TokenBucket(rate, burst)
        self._due: list[tuple[float, int, str]] = []
        self._count = 0

    def put(self, at: float, swf_token: str) -> None:
        """The task's next heartbeat is due at `at`. A task has one entry at a time."""
        self._count += 1
        heapq.heappush(self._due, (at, self._count, swf_token))

    def take_due(self, now: float) -> list[str]:
        """Takes out and gives the tasks that are due, in order."""
        due = []
        while self._due and self._due[0][0] <= now:
            due.append(heapq.heappop(self._due)[2])
        return due

    def next_due(self) -> float:
        """When the next heartbeat is due; infinity: no task is held."""
        return self._due[0][0] if self._due else math.inf


def interval_s(heartbeat_timeout_s: int | None, cancel_check_interval_s: float) -> float:
    """Seconds between two heartbeats of a task: a safe share of its timeout, and often enough to see a cancel."""
    if heartbeat_timeout_s is None:
        return cancel_check_interval_s
    return min(HEARTBEAT_SHARE * heartbeat_timeout_s, cancel_check_interval_s)


def latest(beat_at: float, heartbeat_timeout_s: int | None) -> float:
    """Until when a heartbeat may be put off for want of permits."""
    return float("inf") if heartbeat_timeout_s is None else beat_at + HEARTBEAT_SHARE_LATEST * heartbeat_timeout_s
