"""What the engine asks the store to write: one value for each kind of durable change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class RunOpened:
    """A new execution. Its settings are in its first event; this row holds what events do not."""

    run: int
    domain: int
    workflow_id: str
    run_id: str


@dataclass(slots=True)
class EventsAppended:
    """The events of one transition, encoded, with consecutive ids from `first_id`."""

    run: int
    first_id: int
    events: list[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunClosed:
    """An execution closed; `detail` is its DescribeWorkflowExecution answer, `tags` a JSON list."""

    run: int
    domain: int
    workflow_id: str
    type_name: str
    type_version: str
    start_ms: int
    close_ms: int
    close_status: str
    tags: str
    detail: bytes
    events: int
    heartbeats: bool


@dataclass(frozen=True, slots=True)
class HeartbeatRecorded:
    """The latest heartbeat of an activity; history has no event for it."""

    run: int
    scheduled_id: int
    at_ms: int
    details: str | None


@dataclass(frozen=True, slots=True)
class EntitySaved:
    """A domain or type as it is now; `kind` is domain, WorkflowType or ActivityType; `value` is JSON."""

    kind: str
    domain: int
    name: str
    version: str
    value: bytes


@dataclass(frozen=True, slots=True)
class EntityDeleted:
    """A type that was deleted."""

    kind: str
    domain: int
    name: str
    version: str


Record: TypeAlias = RunOpened | EventsAppended | RunClosed | HeartbeatRecorded | EntitySaved | EntityDeleted
