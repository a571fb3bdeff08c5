"""Finds workflow code that does not come back, names its file and line, lets the others go on, and ends it in time."""

from __future__ import annotations

import ctypes
import logging
import sys
import sysconfig
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from pyflow.deciding.lane import Busy, Lane
from pyflow.exceptions import WorkflowStuck

logger = logging.getLogger("pyflow")

BLOCKED_AFTER_S = 5.0
"""A decision that takes longer is named, and its lane goes on with a new thread, in seconds."""

INTERRUPT_AFTER_DEFAULT_S = 60.0
"""When a task without timeout is interrupted, in seconds."""

INTERRUPT_AGAIN_S = 1.0
BLOCKED_THREADS_MAX = 8
"""More blocked threads than this are not replaced: they share one interpreter lock and would only slow each other."""


_NOT_AUTHORED = (
    str(Path(__file__).resolve().parent.parent),
    str(Path(threading.__file__).parent),
    sysconfig.get_path("purelib"),
    "<frozen ",
)
"""Where the framework, and Python with its installed libraries, lie."""


class Watchdog:
    """Looks at the lanes every quarter of `blocked_after_s`, on a thread of its own."""

    def __init__(
        self,
        lanes: list[Lane],
        *,
        blocked_after_s: float = BLOCKED_AFTER_S,
        interrupt_after_s: float = INTERRUPT_AFTER_DEFAULT_S,
        on_blocked: Callable[[Busy], None] | None = None,
    ) -> None:
        self._lanes = lanes
        self._blocked_after_s = blocked_after_s
        self._interrupt_after_s = interrupt_after_s
        self._on_blocked = on_blocked
        self._blocked: list[tuple[Busy, float]] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pyflow-watchdog", daemon=True)

    def start(self) -> None:
        """Begin watching."""
        self._thread.start()

    def stop(self) -> None:
        """End; returns when it has."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(self._blocked_after_s / 4):
            try:
                self._look(time.monotonic())
            except Exception:
                logger.exception("The watchdog failed; it goes on")

    def _look(self, now_s: float) -> None:
        for lane in self._lanes:
            busy = lane.busy()
            if busy is not None and now_s - busy.since_s >= self._blocked_after_s:
                self._found(lane, busy, now_s)
        still_blocked = []
        for busy, interrupt_at_s in self._blocked:
            if busy.done:
                logger.warning("The workflow code of %s came back after %.1f s", busy.task.name, now_s - busy.since_s)
                continue
            is_due = now_s >= interrupt_at_s
            if is_due:
                interrupt(busy.thread_id)
            still_blocked.append((busy, now_s + INTERRUPT_AGAIN_S if is_due else interrupt_at_s))
        self._blocked = still_blocked

    def _found(self, lane: Lane, busy: Busy, now_s: float) -> None:
        if any(busy is known for known, _ in self._blocked):
            return
        limit_s = busy.limit_s or self._interrupt_after_s
        where = where_is(busy.thread_id)
        logger.error(
            "BLOCKED: the workflow code of %s has been running for %.1f s without waiting for anything; it is at %s. "
            "Workflow code must not loop or block on its own: that belongs into an activity. Other executions go on; "
            "this one is interrupted after %g s and held.",
            busy.task.name,
            now_s - busy.since_s,
            where,
            limit_s,
        )
        if self._on_blocked is not None:
            self._on_blocked(busy)
        self._blocked.append((busy, busy.since_s + limit_s))
        if len(self._blocked) <= BLOCKED_THREADS_MAX:
            lane.replace_thread(busy)


def interrupt(thread_id: int) -> None:
    """Raise WorkflowStuck in a thread; it takes effect at the next line of Python it runs."""
    message = f"its code ran without waiting for anything until it was interrupted at {where_is(thread_id)}"
    # An exception set from outside is given as a class, so the message goes into a class of its own.
    kind = type("WorkflowStuck", (WorkflowStuck,), {"__str__": lambda self: message})
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread_id), ctypes.py_object(kind))


def where_is(thread_id: int) -> str:
    """Where the thread's running code is: file, line and function, of the author's own code if there is any."""
    frame: FrameType | None = sys._current_frames().get(thread_id)
    if frame is None:
        return "an unknown place"
    stack = traceback.extract_stack(frame)
    authored = [summary for summary in stack if not summary.filename.startswith(_NOT_AUTHORED)]
    innermost = (authored or stack)[-1]
    return f"{innermost.filename}:{innermost.lineno} in {innermost.name}"
