"""The server's clock: starts at the wall clock's time, then runs steadily, whatever is done to the wall clock."""

from __future__ import annotations

import time
from typing import Protocol

_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # goes on while a laptop sleeps


class Clock(Protocol):
    """What tells the time."""

    def now_ms(self) -> int:
        """Milliseconds since the epoch; never goes back."""


class ManualClock:
    """A clock that only moves when it is told to."""

    def __init__(self, start_ms: int = 1_700_000_000_000) -> None:
        self._now_ms = start_ms

    def now_ms(self) -> int:
        """The time now."""
        return self._now_ms

    def skip(self, by_ms: int) -> None:
        """Let `by_ms` milliseconds pass at once."""
        self._now_ms += max(0, by_ms)


class SteadyClock:
    """Milliseconds since the epoch that never go back; `skip` moves it forward."""

    def __init__(self, not_before_ms: int = 0) -> None:
        start_ms = max(int(time.time() * 1000), not_before_ms)
        self._offset_ms = start_ms - self._steady_ms()

    @staticmethod
    def _steady_ms() -> int:
        return time.clock_gettime_ns(_STEADY) // 1_000_000

    def now_ms(self) -> int:
        """The time now."""
        return self._steady_ms() + self._offset_ms

    def skip(self, by_ms: int) -> None:
        """Let `by_ms` milliseconds pass at once."""
        self._offset_ms += max(0, by_ms)
