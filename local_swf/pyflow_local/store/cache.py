"""Histories in memory, the least recently used ones dropped first, so that open executions stay small."""

from __future__ import annotations

from collections import OrderedDict

CACHE_BYTES_MAX = 32 * 1024 * 1024
_EVENT_OVERHEAD = 41  # a bytes object and its place in a list


class HistoryCache:
    """Whole histories by run number; never the only copy of anything."""

    __slots__ = ("_bytes", "_histories", "_limit", "_sizes")

    def __init__(self, limit: int = CACHE_BYTES_MAX) -> None:
        self._histories: OrderedDict[int, list[bytes]] = OrderedDict()
        self._sizes: dict[int, int] = {}
        self._bytes = 0
        self._limit = limit

    def get(self, run: int) -> list[bytes] | None:
        """The run's history, if it is here."""
        events = self._histories.get(run)
        if events is not None:
            self._histories.move_to_end(run)
        return events

    def put(self, run: int, events: list[bytes]) -> None:
        """Take in a whole history."""
        self.drop(run)
        self._histories[run] = events
        self._grow(run, events)

    def append(self, run: int, first_id: int, added: list[bytes]) -> None:
        """Add new events; a history that is not here from its beginning is not begun in the middle."""
        events = self._histories.get(run)
        if events is None:
            if first_id == 1:
                self.put(run, list(added))
            return
        if len(events) != first_id - 1:
            self.drop(run)
            return
        events += added
        self._histories.move_to_end(run)
        self._grow(run, added)

    def drop(self, run: int) -> None:
        """Forget a history."""
        if self._histories.pop(run, None) is not None:
            self._bytes -= self._sizes.pop(run)

    def _grow(self, run: int, added: list[bytes]) -> None:
        size = sum(map(len, added)) + _EVENT_OVERHEAD * len(added)
        self._sizes[run] = self._sizes.get(run, 0) + size
        self._bytes += size
        while self._bytes > self._limit and len(self._histories) > 1:
            oldest = next(iter(self._histories))
            self.drop(oldest)
