"""What the core wants done. The shell carries effects out in their order and reports back to HostCore.

Nobody changes an effect. Those that every task has are not frozen all the same: freezing triples what making one costs.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TypeAlias

from pyflow_api.v1 import worker_pb2 as pb

from pyflow_host.core.values import ListKey, TypeDefaults, TypeKey

HostItem: TypeAlias = pb.Welcome | pb.Task | pb.Cancel | pb.OutcomeAck | pb.Ping | pb.GoAway
"""One thing a HostFrame can carry."""


class Call(enum.Enum):
    """SWF operations on one activity task."""

    COMPLETED = "RespondActivityTaskCompleted"
    FAILED = "RespondActivityTaskFailed"
    CANCELED = "RespondActivityTaskCanceled"
    HEARTBEAT = "RecordActivityTaskHeartbeat"


@dataclass(slots=True)
class Send:
    """Put `item` into the next frame of the stream."""

    stream: int
    item: HostItem


@dataclass(frozen=True, slots=True)
class EndStream:
    """End the stream once all that was put into it is on its way."""

    stream: int


@dataclass(slots=True)
class OpenPoll:
    """Poll the list once; answer with `poll_answered` or `poll_failed`."""

    list_key: ListKey


@dataclass(slots=True)
class CallSwf:
    """Make the call for the task; answer with `swf_answered`."""

    call: Call
    swf_token: str
    members: dict[str, str]
    """Members of the request besides taskToken."""


@dataclass(frozen=True, slots=True)
class LookUpAttempt:
    """Read the newest page of the history; answer with `attempt_looked_up`."""

    swf_token: str
    domain: str
    workflow_id: str
    run_id: str
    activity_id: str


@dataclass(frozen=True, slots=True)
class Register:
    """See that the domain and the types exist on SWF; answer with `registered`."""

    list_key: ListKey
    types: dict[TypeKey, TypeDefaults]


@dataclass(frozen=True, slots=True)
class AnswerComplete:
    """Answer a CompleteTask."""

    request: int
    ack: pb.OutcomeAck


@dataclass(frozen=True, slots=True)
class AnswerProgress:
    """Answer a RecordTaskProgress. `trouble` says why SWF does not have it; empty: it has."""

    request: int
    cancel_requested: bool
    trouble: Trouble | None = None
    message: str = ""


class Trouble(enum.Enum):
    """Why progress from outside did not reach SWF."""

    REFUSED = "refused"  # not a token of ours
    GONE = "gone"  # the task is not open any more
    INVALID = "invalid"  # no JSON, or too long
    LATER = "later"  # SWF cannot be reached now


@dataclass(frozen=True, slots=True)
class TaskEnded:
    """SWF has the end of a task, told by `reporter`; `received_at` is the core's time."""

    call: Call
    reporter: str
    run_id: str
    started_event_id: int
    attempt: int
    received_at: float
    fields: dict[str, str]


class Level(enum.IntEnum):
    """Levels of logging's."""

    DEBUG = 10
    INFO = 20
    WARNING = 30
    ERROR = 40


@dataclass(frozen=True, slots=True)
class Log:
    """Say `message`; `fields` are ids for structured logs, never payloads or tokens."""

    level: Level
    message: str
    fields: dict[str, str] = field(default_factory=dict)


Effect: TypeAlias = (
    Send | EndStream | OpenPoll | CallSwf | LookUpAttempt | Register | AnswerComplete | AnswerProgress | TaskEnded | Log
)
