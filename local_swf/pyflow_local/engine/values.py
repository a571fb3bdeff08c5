"""Plain values that cross the engine's border: replies, what a reply still needs from the store, and effects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

# JSON as the wire carries it. Requests are held against the shape tables before any other code sees them,
# so their members are read without further checks; a precise union type would only add casts.
JsonObject: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class HistorySlice:
    """Events first..last (inclusive ids) of one run, newest first if `reverse`."""

    run: int
    first: int
    last: int
    reverse: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer. Where `history` is set the body is head + those events joined by commas + tail."""

    status: int
    head: bytes
    history: HistorySlice | None = None
    tail: bytes = b""


EMPTY_REPLY = Reply(200, b"")


@dataclass(frozen=True, slots=True)
class Parked:
    """The request is a poll that waits; its answer comes later in an Outbox."""

    poll: int


PARKED = Parked(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedFilter:
    """Which closed executions of a domain are asked for; times are inclusive milliseconds."""

    domain: int
    by_close_time: bool
    oldest_ms: int
    latest_ms: int
    closed_after_ms: int
    workflow_id: str | None = None
    type_name: str | None = None
    type_version: str | None = None
    tag: str | None = None
    close_status: str | None = None


@dataclass(frozen=True, slots=True)
class ClosedRow:
    """One closed execution as the store keeps it; `detail` is its DescribeWorkflowExecution answer."""

    run: int
    domain: int
    start_ms: int
    close_ms: int
    detail: bytes
    events: int


@dataclass(frozen=True, slots=True)
class ClosedPageQuery:
    """Ask the store for up to `limit` closed executions after the position (time, run)."""

    where: ClosedFilter
    after: tuple[int, int] | None
    limit: int
    oldest_first: bool
    finish: Callable[[list[ClosedRow]], Reply]


@dataclass(frozen=True, slots=True)
class ClosedCountQuery:
    """Ask the store how many closed executions match."""

    where: ClosedFilter
    finish: Callable[[int], Reply]


@dataclass(frozen=True, slots=True)
class ClosedLookup:
    """Ask the store for one closed execution."""

    run: int
    finish: Callable[[ClosedRow | None], Reply]


StoreQuery: TypeAlias = ClosedPageQuery | ClosedCountQuery | ClosedLookup
Outcome: TypeAlias = Reply | Parked | ClosedPageQuery | ClosedCountQuery | ClosedLookup


@dataclass(frozen=True, slots=True)
class LambdaInvocation:
    """An effect: invoke this function and report back with `Engine.lambda_ended`."""

    run: int
    scheduled_id: int
    name: str
    payload: str
    timeout_s: int


@dataclass(frozen=True, slots=True)
class LambdaOutcome:
    """How an invocation ended: `result` set, or `reason` and `details` of a failure."""

    result: str | None = None
    reason: str | None = None
    details: str | None = None


@dataclass(slots=True)
class Outbox:
    """What a batch of steps produced: journal to commit first, then answers to send and effects to perform."""

    journal: list[object] = field(default_factory=list)
    answers: list[tuple[int, Reply]] = field(default_factory=list)
    invocations: list[LambdaInvocation] = field(default_factory=list)
