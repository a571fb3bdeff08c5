"""Runs the code here over the history of an execution, to see what a decider with this code would do with it."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from pyflow.core.values import ExecutionSettings
from pyflow.deciding.watchdog import interrupt, where_is
from pyflow.exceptions import DeciderException
from pyflow.replayer import Replayed, ReplayFailed, replay
from pyflow.workflow import Workflow

from pyflow_console.open_work import Event

REHEARSAL_MAX_S = 30.0
"""Code that is not through by then does not come back: it loops, or waits for something outside of pyflow."""

INTERRUPTED_WITHIN_S = 5.0
INTERRUPT_AGAIN_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed:
    """What came of it: where the code waits, or why a decider with this code would hold the execution."""

    waiting_at: tuple[str, ...] = ()
    held: str | None = None
    loops: bool = False
    """Its code did not come back."""


def rehearse(
    workflow_class: type[Workflow],
    events: Sequence[Event],
    *,
    workflow_id: str,
    run_id: str,
    settings: ExecutionSettings | None = None,
    within_s: float = REHEARSAL_MAX_S,
) -> Rehearsed:
    """Replay on a thread of its own, which is interrupted when the code does not come back. Raises DeciderException:
    it is no history of that class."""
    found: list[Replayed | BaseException] = []

    def run() -> None:
        try:
            found.append(replay(workflow_class, events, workflow_id=workflow_id, run_id=run_id, settings=settings))
        except BaseException as error:  # whatever it is, the thread that waits has to know
            found.append(error)

    thread = threading.Thread(target=run, name="pyflow-rehearsal", daemon=True)
    thread.start()
    thread.join(within_s)
    if thread.is_alive() and thread.ident is not None:
        place = where_is(thread.ident)
        _end(thread, thread.ident)
        return Rehearsed(
            held=f"its code has been running for {within_s:g} s without waiting for anything; it is at {place}",
            loops=True,
        )
    match found[0]:
        case Replayed() as replayed:
            return Rehearsed(waiting_at=replayed.waiting_at)
        case ReplayFailed() as failed:
            return Rehearsed(held=str(failed))
        case DeciderException() as wrong:
            raise wrong
        case other:
            return Rehearsed(held=f"{type(other).__name__}: {other}")


def _end(thread: threading.Thread, thread_id: int) -> None:
    """An interpreter that ends while a thread is inside a greenlet may crash: have the thread end before."""
    until_s = time.monotonic() + INTERRUPTED_WITHIN_S
    while thread.is_alive() and time.monotonic() < until_s:
        interrupt(thread_id)  # again and again: code may catch it
        thread.join(INTERRUPT_AGAIN_S)
