"""Says a lasting trouble once, with how often it happened when it ends: no storm of equal log lines."""

from __future__ import annotations

import logging
import threading


class TroubleLog:
    """Remembers which trouble is being had under a name, and logs its beginning, its change and its end only."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._lock = threading.Lock()
        self._present: dict[str, tuple[str, int]] = {}

    def had(self, name: str, kind: str, message: str) -> None:
        """Trouble of `kind` was had by `name` ("poll of d/t"); logged when it is not the kind it already had."""
        with self._lock:
            kind_before, count = self._present.get(name, ("", 0))
            self._present[name] = (kind, count + 1 if kind == kind_before else 1)
            if kind == kind_before:
                return
        self._logger.warning("%s: %s", name, message)

    def over(self, name: str) -> None:
        """`name` works again; logged when it had trouble."""
        if name not in self._present:  # the common case takes no lock
            return
        with self._lock:
            before = self._present.pop(name, None)
        if before is not None:
            kind, count = before
            self._logger.info("%s: works again after %d x %s", name, count, kind)
