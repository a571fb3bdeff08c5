"""Leases: the host's hold on one activity task for one worker, and the table of what may happen to it.

looking up -> waiting -> running -> reporting -> closed        the usual way
                 ^         |  ^
                 |         v  |
                 +------- cut +        stream lost; resumed, never received, or lost after the grace
                           running -> detached -> reporting    will complete later
                           running -> gone -> closed           SWF closed it first; the outcome is still to come
"""

from __future__ import annotations

import enum
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field

from pyflow_api.v1 import worker_pb2 as pb

from pyflow_host.core.limits import CLOSED_REMEMBERED_MAX
from pyflow_host.core.outcomes import Report
from pyflow_host.core.values import ListKey, TypeKey

PATH_KEPT_MAX = 12


class LeaseState(enum.Enum):
    """Where a task stands."""

    __hash__ = object.__hash__  # Enum's own is written in Python, and every task is looked up in TRANSITIONS four times

    LOOKING_UP = "looking up"
    WAITING = "waiting"
    RUNNING = "running"
    CUT = "cut"
    DETACHED = "detached"
    REPORTING = "reporting"
    GONE = "gone"
    CLOSED = "closed"


class LeaseEvent(enum.Enum):
    """What happens to a task."""

    __hash__ = object.__hash__  # see LeaseState

    LOOKED_UP = "looked up"
    DISPATCHED = "dispatched"
    STREAM_CUT = "stream cut"
    RESUMED = "resumed"
    NEVER_RECEIVED = "never received"
    LATER = "will complete later"
    OUTCOME = "outcome"
    GIVEN_UP = "given up"
    FOUND_GONE = "found gone"
    ENDED = "ended"


_S, _E = LeaseState, LeaseEvent

TRANSITIONS: dict[tuple[LeaseState, LeaseEvent], LeaseState] = {
    (_S.LOOKING_UP, _E.LOOKED_UP): _S.WAITING,
    (_S.LOOKING_UP, _E.GIVEN_UP): _S.REPORTING,
    (_S.LOOKING_UP, _E.FOUND_GONE): _S.CLOSED,
    (_S.WAITING, _E.DISPATCHED): _S.RUNNING,
    (_S.WAITING, _E.GIVEN_UP): _S.REPORTING,
    (_S.WAITING, _E.FOUND_GONE): _S.CLOSED,
    (_S.RUNNING, _E.STREAM_CUT): _S.CUT,
    (_S.RUNNING, _E.RESUMED): _S.RUNNING,
    (_S.RUNNING, _E.NEVER_RECEIVED): _S.WAITING,
    (_S.RUNNING, _E.LATER): _S.DETACHED,
    (_S.RUNNING, _E.OUTCOME): _S.REPORTING,
    (_S.RUNNING, _E.GIVEN_UP): _S.REPORTING,
    (_S.RUNNING, _E.FOUND_GONE): _S.GONE,
    (_S.CUT, _E.RESUMED): _S.RUNNING,
    (_S.CUT, _E.NEVER_RECEIVED): _S.WAITING,
    (_S.CUT, _E.OUTCOME): _S.REPORTING,
    (_S.CUT, _E.GIVEN_UP): _S.REPORTING,
    (_S.CUT, _E.FOUND_GONE): _S.GONE,
    (_S.DETACHED, _E.OUTCOME): _S.REPORTING,
    (_S.DETACHED, _E.FOUND_GONE): _S.CLOSED,
    (_S.DETACHED, _E.RESUMED): _S.RUNNING,
    (_S.REPORTING, _E.ENDED): _S.CLOSED,
    (_S.GONE, _E.ENDED): _S.CLOSED,
}

BEATING = frozenset({_S.LOOKING_UP, _S.WAITING, _S.RUNNING, _S.CUT, _S.DETACHED})
"""States in which the host heartbeats."""


class Reporter(enum.Enum):
    """Whose word is being reported."""

    WORKER = "worker"
    OUTSIDE = "outside"  # CompleteTask
    HOST = "host"  # WorkerLost, NoWorker


class IllegalTransition(Exception):
    """A bug of the host: something happened to a task that cannot happen in its state."""


@dataclass(slots=True, kw_only=True, eq=False)
class Lease:
    """One activity task and what the host knows of it. Times are the core's `now`, in seconds."""

    swf_token: str
    list_key: ListKey
    type: TypeKey
    workflow_id: str
    run_id: str
    activity_id: str
    state: LeaseState
    attempt: int = 1
    input: str | None = None
    started_event_id: int = 0
    token: bytes = b""
    worker_key: str = ""
    start_to_close_s: int | None = None
    heartbeat_s: int | None = None
    timeouts_known: bool = False
    last_progress: str | None = None
    """Of the attempt before."""
    progress: str | None = None
    """The latest of this attempt."""
    received_at: float = 0.0
    dispatched_at: float = 0.0
    beat_at: float = 0.0
    """When SWF last knew the task alive."""
    beating: bool = False
    """A heartbeat is under way."""
    cancel_requested: bool = False
    status_misses: int = 0
    resumed: bool = False
    report: Report | None = None
    """What is being reported to SWF."""
    reporter: Reporter | None = None
    report_failures: int = 0
    ack_owed: bool = False
    """The worker told an outcome after somebody else had: it waits for an ack too."""
    path: list[LeaseEvent] = field(default_factory=list)

    def happen(self, event: LeaseEvent) -> None:
        """Move on; raises IllegalTransition with the path so far."""
        after = TRANSITIONS.get((self.state, event))
        if after is None:
            so_far = ", ".join(step.value for step in self.path) or "nothing yet"
            raise IllegalTransition(
                f"{event.value!r} cannot happen to a task that is {self.state.value!r} ({self.activity_id!r} of "
                f"{self.workflow_id!r}; so far: {so_far})"
            )
        if len(self.path) < PATH_KEPT_MAX:
            self.path.append(event)
        self.state = after

    @property
    def progress_so_far(self) -> str | None:
        """What the next attempt should know: the latest progress of this one, else of those before."""
        return self.last_progress if self.progress is None else self.progress

    @property
    def fields(self) -> dict[str, str]:
        """Ids for structured logs."""
        return {
            "workflow_id": self.workflow_id,
            "run_id": self.run_id,
            "activity_id": self.activity_id,
            "activity": f"{self.type.name}/{self.type.version}",
        }

    def __str__(self) -> str:
        return f"task {self.activity_id!r} ({self.type}) of workflow {self.workflow_id!r}"


class LeaseTable:
    """All open leases by SWF's token, and how the latest closed ones ended."""

    def __init__(self) -> None:
        self._open: dict[str, Lease] = {}
        self._closed: OrderedDict[str, pb.AckStatus] = OrderedDict()

    def __len__(self) -> int:
        return len(self._open)

    def __iter__(self) -> Iterator[Lease]:
        return iter(list(self._open.values()))

    def add(self, lease: Lease) -> None:
        """Begin to hold a task."""
        self._open[lease.swf_token] = lease

    def get(self, swf_token: str) -> Lease | None:
        """The open lease."""
        return self._open.get(swf_token)

    def close(self, lease: Lease, answer_again: pb.AckStatus) -> None:
        """Hold it no longer; `answer_again` is what an outcome sent once more is answered."""
        self._open.pop(lease.swf_token, None)
        self._closed[lease.swf_token] = answer_again
        if len(self._closed) > CLOSED_REMEMBERED_MAX:
            self._closed.popitem(last=False)

    def closed_as(self, swf_token: str) -> pb.AckStatus | None:
        """What to answer for a task that was closed a while ago, None if it is not remembered."""
        return self._closed.get(swf_token)
