"""Paths of our own beside SWF's: health, histories to import, and moving the clock where that is allowed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import orjson

from pyflow_local.http.connection import Request
from pyflow_local.http.uploads import Uploads, told

HEALTH_PATH = b"/_pyflow/health"
IMPORT_PATH = b"/_pyflow/import"
SKIP_PATH = b"/_pyflow/skip-time"
SKIP_SECONDS_MAX = 10 * 366 * 24 * 3600


class AdminPaths:
    """Answers our own paths; `skip` moves the clock by milliseconds, or to the next due event for None."""

    def __init__(
        self,
        skip: Callable[[int | None], int],
        import_history: Callable[[str, str, Sequence[bytes]], str],
        *,
        allow_time_skipping: bool,
    ) -> None:
        self._skip = skip
        self._uploads = Uploads(import_history)
        self._allow_time_skipping = allow_time_skipping

    def __call__(self, request: Request) -> tuple[int, bytes] | None:
        """The answer, or None for a path that is not ours."""
        if request.path == HEALTH_PATH:
            return 200, b'{"status":"ok"}'
        if request.path == SKIP_PATH and request.method == b"POST":
            return self._skip_time(request.body)
        if request.path == IMPORT_PATH and request.method == b"POST":
            return self._uploads.take(request.body)
        return None

    def _skip_time(self, body: bytes) -> tuple[int, bytes]:
        if not self._allow_time_skipping:
            return told(403, "Time skipping is off. Start the server with --allow-time-skipping")
        try:
            wanted = orjson.loads(body or b"{}")
        except orjson.JSONDecodeError:
            wanted = None
        if not isinstance(wanted, dict) or set(wanted) - {"seconds"}:
            return told(400, 'Send {} to go to the next due event, or {"seconds": n} to let n seconds pass')
        seconds = wanted.get("seconds")
        if seconds is None:
            skipped_ms = self._skip(None)
        elif isinstance(seconds, int | float) and 0 <= seconds <= SKIP_SECONDS_MAX:
            skipped_ms = self._skip(round(seconds * 1000))
        else:
            return told(400, f"seconds must be a number from 0 to {SKIP_SECONDS_MAX}")
        return 200, orjson.dumps({"skippedSeconds": skipped_ms / 1000})
