"""The calls outside of streams that wait for SWF: not more than there is room for, in number and in bytes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from pyflow_host.core.limits import UNARY_BYTES_MAX, UNARY_CALLS_MAX


class NoRoom(Exception):
    """Too much waits already; the message is for the caller."""


class WaitingRoom:
    """Belongs to the event loop's thread."""

    def __init__(self, calls_max: int = UNARY_CALLS_MAX, bytes_max: int = UNARY_BYTES_MAX) -> None:
        self._calls_max = calls_max
        self._bytes_max = bytes_max
        self._calls = 0
        self._bytes = 0

    @contextlib.contextmanager
    def place_for(self, size: int) -> Iterator[None]:
        """Room for a call of `size` bytes while entered; raises NoRoom."""
        if self._calls >= self._calls_max or self._bytes + size > self._bytes_max:
            raise NoRoom(
                f"{self._calls} calls with {self._bytes} bytes wait for SWF; {self._calls_max} calls and "
                f"{self._bytes_max} bytes are the most. Try again later, or look why SWF does not answer the host."
            )
        self._calls += 1
        self._bytes += size
        try:
            yield
        finally:
            self._calls -= 1
            self._bytes -= size
