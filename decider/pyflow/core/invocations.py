"""One thing that workflow code asked for, and its way through history."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import PurePath
from types import FrameType
from typing import TypeAlias

from pyflow.core.hub import Completion
from pyflow.core.machines import TABLES, Table
from pyflow.core.requests import Request
from pyflow.core.scopes import CancelScope

Site: TypeAlias = "tuple[str, int]"
"""A file name and a line: where workflow code asked for something."""

SITES_REMEMBERED_MAX = 4_096
"""Lines of workflow code whose text is kept: every decision has one, and taking a path apart is dear."""

FILES_REMEMBERED_MAX = 4_096

_PACKAGE = str(PurePath(__file__).parent.parent)

CHUNK_TIMER_PREFIX = "pyflow.more"
"""Zero-second timers that ask for another decision task: for decisions that did not fit, or a full turn of markers."""


@functools.lru_cache(maxsize=FILES_REMEMBERED_MAX)
def is_own_code(filename: str) -> bool:
    """True for a file of pyflow itself."""
    return filename.startswith(_PACKAGE)


def call_site() -> Site | None:
    """The line of workflow code that is calling into pyflow; None if there is none below on the stack."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        filename = frame.f_code.co_filename
        if not is_own_code(filename):
            return filename, frame.f_lineno
        frame = frame.f_back
    return None


@functools.lru_cache(maxsize=SITES_REMEMBERED_MAX)
def site_text(site: Site) -> str:
    """``file.py:12``: short enough for every decision, plain enough for a person."""
    return f"{PurePath(site[0]).name}:{site[1]}"


class Invocation(Completion):
    """A completion with an id, a state machine and, perhaps, several attempts."""

    __slots__ = (
        "attempt",
        "backoff",
        "base_id",
        "cancel_asked",
        "event_id",
        "id",
        "kind",
        "on_fire",
        "path",
        "refusals",
        "request",
        "run_id",
        "scope",
        "site",
        "state",
        "table",
    )

    def __init__(self, request: Request, entity_id: str, scope: CancelScope, site: Site) -> None:
        super().__init__()
        self.request = request
        self.kind: str = request.kind
        self.id = self.base_id = entity_id
        self.scope = scope
        self.site = site
        self.table: Table = TABLES[request.kind]
        self.state = "created"
        self.path: tuple[str, ...] = ()
        self.attempt = 1
        self.refusals = 0
        """How often SWF refused to take it for a passing reason (rates, open limits)."""
        self.event_id = 0
        """Id of the event that opened it; 0 while it is not open."""
        self.run_id: str | None = None
        """Of a child that has started."""
        self.backoff: Invocation | None = None
        """The timer before the next attempt."""
        self.on_fire: Callable[[], None] | None = None
        """What a timer of the decider itself does instead of resuming author code."""
        self.cancel_asked = False
        """No further attempt is made; a child that has not started yet is canceled once it has."""

    def describe(self) -> str:
        """For messages: kind, id, what it is and where it was asked for."""
        label = self.request.label
        name = f" ({label})" if label and label != self.id else ""
        return f"{self.kind} {self.id}{name} asked for at {site_text(self.site)}"


class Command:
    """Something asked for and not yet confirmed by history."""

    __slots__ = ("entity", "kind", "request", "site")

    def __init__(self, request: Request, entity: Invocation | None, site: Site) -> None:
        self.kind: str = request.kind
        self.request = request
        self.entity = entity
        self.site = site

    @property
    def entity_id(self) -> str:
        """The id to write into the decision; empty for those that have none."""
        return self.entity.id if self.entity is not None else ""

    def describe(self) -> str:
        """For messages: SWF's name for it, what it is, and where it was asked for."""
        label = self.request.label
        quoted = f" {label!r}" if label else ""
        identity = f" (id {self.entity_id})" if self.entity_id and self.entity_id != label else ""
        return f"{DECISION_NAMES[self.kind]}{quoted}{identity} at {site_text(self.site)}"


DECISION_NAMES = {
    "activity": "ScheduleActivityTask",
    "lambda": "ScheduleLambdaFunction",
    "timer": "StartTimer",
    "child": "StartChildWorkflowExecution",
    "marker": "RecordMarker",
    "external_signal": "SignalExternalWorkflowExecution",
    "external_cancel": "RequestCancelExternalWorkflowExecution",
    "cancel_activity": "RequestCancelActivityTask",
    "cancel_timer": "CancelTimer",
    "close": "the closing decision",
}
