"""One workflow execution as a value machine: ``advance(events) -> Advance``. Interface first, body to follow."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pyflow.core.values import Advance, Event, ExecutionSettings


class Execution:
    """One run of a workflow: the parked author code and what history has said so far.

    Bound to the thread that first calls ``advance``: greenlets cannot move between threads, so a worker with several
    decision threads keeps each cached execution on its own. ``pool`` is one GreenletPool per such thread.
    """

    def __init__(
        self,
        workflow_class: type[Any],
        *,
        domain: str,
        workflow_id: str,
        run_id: str,
        workflow_type: tuple[str, str],
        settings: ExecutionSettings | None = None,
        pool: Any = None,
    ) -> None:
        raise NotImplementedError

    @property
    def last_started_event_id(self) -> int:
        """DecisionTaskStarted id of the last decision made: valid for a task whose previousStartedEventId equals it."""
        raise NotImplementedError

    def advance(
        self, events: Iterable[Event], *, previous_started_event_id: int, started_event_id: int
    ) -> Advance:
        """Take the next events, up to and including DecisionTaskStarted ``started_event_id``, and decide.

        A fresh execution takes the whole history from event 1. A parked one takes the new events; those it has seen
        already are dropped by id. Never raises for what author code or history did: that comes back as ``held``.
        """
        raise NotImplementedError

    def evict(self) -> None:
        """Unwind every parked greenlet. The object cannot be used afterwards."""
        raise NotImplementedError
