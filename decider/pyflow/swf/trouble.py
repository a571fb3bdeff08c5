"""Says a lasting trouble once, with how often it happened when it ends: no storm of equal log lines."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field


@dataclass(slots=True)
class _Present:
    """A trouble that lasts: how often each kind of it was had, and who still has it."""

    counts: dict[str, int] = field(default_factory=dict)
    who: set[str] = field(default_factory=set)


class TroubleLog:
    """Remembers which trouble is being had under a name; logs the first of each kind, and the end of them all.

    Several may have it together (the polls of one domain): it is over when it is for all of them.
    """

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._lock = threading.Lock()
        self._present: dict[str, _Present] = {}

    def had(self, name: str, kind: str, message: str, *, who: str = "") -> None:
        """Trouble of `kind` was had under `name` ("polls of domain 'd'"); logged once for each kind while it lasts."""
        with self._lock:
            present = self._present.setdefault(name, _Present())
            present.who.add(who)
            times = present.counts[kind] = present.counts.get(kind, 0) + 1
        if times == 1:
            self._logger.warning("%s: %s", name, message)

    @property
    def lasts(self) -> bool:
        """Whether there is any, of whatever name."""
        return bool(self._present)

    def over(self, name: str, *, who: str = "") -> None:
        """It works again for `who`; logged when it does for all."""
        if name not in self._present:  # the common case takes no lock
            return
        with self._lock:
            present = self._present.get(name)
            if present is None:
                return
            present.who.discard(who)
            if present.who:
                return
            del self._present[name]
        counts = ", ".join(f"{count} x {kind}" for kind, count in present.counts.items())
        self._logger.info("%s: works again after %s", name, counts)
