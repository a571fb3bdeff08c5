"""Keeps the book of held executions: said loudly once, tried again at growing intervals, said again when released."""

from __future__ import annotations

import logging
import shlex
import threading
import time
from dataclasses import dataclass

from pyflow.deciding.task import DecisionTask

logger = logging.getLogger("pyflow")

HOLD_FIRST_S = 5.0
HOLD_MAX_S = 300.0
HOLDS_MAX = 10_000
"""Remembered holds; the oldest is forgotten beyond (it is then said anew when it comes again)."""

HOLD_UNSEEN_TIMEOUTS = 3
"""A held execution of which no task came for so many of its task timeouts is not held here any more: it was terminated,
or another decider has it."""

HOLD_UNSEEN_S = 60.0
"""And so much longer: the task may wait for a poll."""


@dataclass(slots=True, kw_only=True)
class HoldEntry:
    """A held execution: why, since when (epoch seconds), how often, and when (monotonic) it is tried again.

    `unseen_max_s`: how long no task of it may come until it is forgotten; None: for ever, its task has no timeout.
    """

    workflow_id: str
    run_id: str
    workflow_type: tuple[str, str]
    kind: str
    message: str
    since_s: float
    times: int
    next_try_s: float
    seen_s: float
    unseen_max_s: float | None


class HoldBook:
    """Which executions are held in this process. Safe to use from many threads; `now_s` is monotonic."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: dict[str, HoldEntry] = {}

    def entries(self, now_s: float) -> list[HoldEntry]:
        """All holds, oldest first."""
        if not self._entries:
            return []
        with self._lock:
            for entry in list(self._entries.values()):
                if entry.unseen_max_s is not None and now_s > entry.seen_s + entry.unseen_max_s:
                    del self._entries[entry.run_id]
            return list(self._entries.values())

    def is_resting(self, run_id: str, now_s: float) -> bool:
        """True while a held execution should not be tried again yet. Asked when a task of it has come."""
        if not self._entries:
            return False
        with self._lock:
            entry = self._entries.get(run_id)
            if entry is None:
                return False
            entry.seen_s = now_s
            return now_s < entry.next_try_s

    def hold(self, task: DecisionTask, kind: str, message: str, now_s: float) -> None:
        """`task` was not answered."""
        with self._lock:
            entry = self._entries.get(task.run_id)
            times = 1 if entry is None else entry.times + 1
            said = entry is not None and entry.message == message
            rest_s = min(HOLD_MAX_S, HOLD_FIRST_S * 2.0 ** min(times - 1, 30))
            timeout_s = task_timeout_s(task)
            self._entries[task.run_id] = HoldEntry(
                workflow_id=task.workflow_id,
                run_id=task.run_id,
                workflow_type=task.workflow_type,
                kind=kind,
                message=message,
                since_s=time.time() if entry is None else entry.since_s,
                times=times,
                next_try_s=now_s + rest_s,
                seen_s=now_s,
                unseen_max_s=None if timeout_s is None else HOLD_UNSEEN_TIMEOUTS * timeout_s + HOLD_UNSEEN_S,
            )
            while len(self._entries) > HOLDS_MAX:
                del self._entries[next(iter(self._entries))]
        if not said:
            logger.error(
                "HELD: %s is not answered: %s.\nNothing is lost: the execution stays open and SWF hands the task out "
                "again after its timeout%s, until a build that fits answers it. What holds it can be "
                "seen from elsewhere too: pyflow why %s --run-id %s --domain %s --workflow MODULE:CLASS",
                task.name,
                message.rstrip("."),
                _timeout_words(task),
                shlex.quote(task.workflow_id),
                shlex.quote(task.run_id),
                shlex.quote(task.domain),
            )

    def released(self, task: DecisionTask) -> None:
        """`task` could be decided."""
        if not self._entries:
            return
        with self._lock:
            entry = self._entries.pop(task.run_id, None)
        if entry is not None:
            logger.warning("RELEASED: %s is decided again after %d holds", task.name, entry.times)


def task_timeout_s(task: DecisionTask) -> float | None:
    """The task's start-to-close timeout in seconds; None when it has none or its events do not tell."""
    if not task.events or task.events[0]["eventId"] != 1:
        return None
    started = task.events[0].get("workflowExecutionStartedEventAttributes", {})
    timeout = str(started.get("taskStartToCloseTimeout", "NONE"))
    return float(timeout) if timeout.isdigit() else None


def _timeout_words(task: DecisionTask) -> str:
    if not task.events or task.events[0]["eventId"] != 1:
        return ""
    timeout_s = task_timeout_s(task)
    if timeout_s is None:
        return " - which is NONE: it will NOT come again by itself, terminate it or give it a task timeout next time"
    return f" of {timeout_s:g} s"
