"""One poller: polls, hands on what it got, backs off when polling fails, and never aborts a poll."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from pyflow.swf.api import JsonObject
from pyflow.swf.faults import SwfError
from pyflow.swf.retry import backoff_s
from pyflow.swf.trouble import TroubleLog

logger = logging.getLogger("pyflow")

POLL_BACKOFF_FIRST_S = 0.2
POLL_BACKOFF_MAX_S = 20.0


class PollThread:
    """A thread that calls `poll` again and again and gives every task (an answer with a `taskToken`) to `handle`.

    `handle` runs on the same thread, so a poller never holds more than one task: SWF cannot take a task back. An
    error of `poll` is said once through `troubles`, under `group` together with its other pollers, and followed by a
    full-jitter back-off. `handle` must not raise; if it does, that is logged and polling goes on.

    `stop()` asks the poller to end after the poll under way (up to 60 s) and the handling of its task; `join()` waits.
    The thread is not a daemon: a process that ends by falling off its main thread waits for it.
    """

    def __init__(
        self,
        poll: Callable[[], JsonObject],
        handle: Callable[[JsonObject], None],
        *,
        name: str,
        group: str | None = None,
        troubles: TroubleLog | None = None,
        on_poll_failed: Callable[[SwfError], None] | None = None,
    ) -> None:
        self._poll = poll
        self._handle = handle
        self._name = name
        self._group = group or name
        self._troubles = troubles or TroubleLog(logger)
        self._on_poll_failed = on_poll_failed
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=False)

    def start(self) -> None:
        """Begin polling."""
        self._thread.start()

    def stop(self) -> None:
        """Ask for the end; returns at once."""
        self._stopping.set()

    def join(self, timeout_s: float | None = None) -> bool:
        """Wait for the end; False when `timeout_s` passed before it."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    @property
    def is_alive(self) -> bool:
        """True while the thread runs."""
        return self._thread.is_alive()

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            try:
                task = self._poll()
            except SwfError as error:
                failures += 1
                self._failed(error, failures)
                continue
            except Exception as error:
                failures += 1
                logger.exception("%s: polling failed in an unforeseen way: %s", self._name, error)
                self._wait(failures)
                continue
            if failures:
                failures = 0
                self._troubles.over(self._group, who=self._name)
            if task.get("taskToken"):
                self._handle_safely(task)

    def _failed(self, error: SwfError, failures: int) -> None:
        what = f"polling fails and is tried again: {error}"
        self._troubles.had(self._group, type(error).__name__, what, who=self._name)
        if self._on_poll_failed is not None:
            self._on_poll_failed(error)
        self._wait(failures)

    def _wait(self, failures: int) -> None:
        self._stopping.wait(backoff_s(failures, first_s=POLL_BACKOFF_FIRST_S, max_s=POLL_BACKOFF_MAX_S))

    def _handle_safely(self, task: JsonObject) -> None:
        try:
            self._handle(task)
        except Exception:
            logger.exception("%s: a task could not be handled; it will time out and come again", self._name)
