"""What is due when: a heap whose entries can be struck out in O(1) and are swept before they pile up."""

from __future__ import annotations

import heapq
from typing import TypeAlias

# [due in ms, serial, what is due, or None when struck out]. A list so that it can be struck out in place.
Entry: TypeAlias = list[object]

_SWEEP_AT_LEAST = 1024


class Agenda:
    """Due entries in order of time, then of entry."""

    __slots__ = ("_dead", "_heap", "_serial")

    def __init__(self) -> None:
        self._heap: list[Entry] = []
        self._serial = 0
        self._dead = 0

    def __len__(self) -> int:
        return len(self._heap) - self._dead

    def add(self, due_ms: int, what: object) -> Entry:
        """Note that `what` is due at `due_ms`; the entry returned can be struck out."""
        self._serial += 1
        entry: Entry = [due_ms, self._serial, what]
        heapq.heappush(self._heap, entry)
        return entry

    def strike(self, entry: Entry) -> None:
        """Make the entry never come due."""
        if entry[2] is None:
            return
        entry[2] = None
        self._dead += 1
        if self._dead > _SWEEP_AT_LEAST and self._dead * 2 > len(self._heap):
            self._heap = [one for one in self._heap if one[2] is not None]
            heapq.heapify(self._heap)
            self._dead = 0

    def next_due_ms(self) -> int | None:
        """When the earliest live entry is due."""
        heap = self._heap
        while heap and heap[0][2] is None:
            heapq.heappop(heap)
            self._dead -= 1
        if not heap:
            return None
        due_ms = heap[0][0]
        assert isinstance(due_ms, int)
        return due_ms

    def take_due(self, now_ms: int) -> object | None:
        """Remove and return the earliest thing due at `now_ms`, or None."""
        due_ms = self.next_due_ms()
        if due_ms is None or due_ms > now_ms:
            return None
        entry = heapq.heappop(self._heap)
        what, entry[2] = entry[2], None
        return what
