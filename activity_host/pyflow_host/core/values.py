"""The values of the host's rules: names of types and lists, tasks as SWF gave them, what SWF answered."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from typing import NamedTuple

_ATTEMPT = re.compile(r"^(?P<call>.+)\.attempt(?P<number>[1-9][0-9]{0,5})$", re.DOTALL)


class TypeKey(NamedTuple):
    """An activity type."""

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name!r} version {self.version!r}"


class ListKey(NamedTuple):
    """An activity task list of a domain."""

    domain: str
    task_list: str

    def __str__(self) -> str:
        return f"{self.task_list!r} of domain {self.domain!r}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeDefaults:
    """Default timeouts of a type in seconds; None is SWF's NONE."""

    start_to_close_s: int | None = None
    heartbeat_s: int | None = None
    schedule_to_start_s: int | None = None
    schedule_to_close_s: int | None = None
    description: str = ""

    def differences_to(self, registered: TypeDefaults) -> list[str]:
        """What is registered in another way than this worker offers it, in words."""
        return [
            f"{name.removesuffix('_s')} is {spelled(has)} (worker: {spelled(asks)})"
            for name in ("start_to_close_s", "heartbeat_s", "schedule_to_start_s", "schedule_to_close_s")
            if (has := getattr(registered, name)) != (asks := getattr(self, name))
        ]


@dataclass(slots=True, kw_only=True)
class SwfTask:
    """An activity task as SWF's poll gave it (SWF reference 7.5): no timeouts, no attempt."""

    swf_token: str
    list_key: ListKey
    type: TypeKey
    workflow_id: str
    run_id: str
    activity_id: str
    input: str | None
    started_event_id: int = 0
    unreadable: str = ""
    """Why no worker can be given its input; empty: one can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptFacts:
    """What the history tells about a repeated attempt. Timeouts in seconds, None is NONE."""

    last_progress: str | None
    start_to_close_s: int | None
    heartbeat_s: int | None
    timeouts_known: bool


class Said(enum.Enum):
    """How SWF took a call."""

    OK = "ok"
    GONE = "gone"  # the task is not open any more
    PROBABLY_DONE = "probably done"  # not open any more, and an attempt whose answer was lost may have ended it
    INVALID = "invalid"  # refused as it is; saying it again does not help
    LATER = "later"  # unreachable, throttled, no permission now: say it again


@dataclass(frozen=True, slots=True, kw_only=True)
class SwfSaid:
    """SWF's answer to a respond or a heartbeat, or the lack of one. `message` is for people."""

    said: Said
    message: str = ""
    cancel_requested: bool = False
    execution_closed: bool = False


SWF_OK = SwfSaid(said=Said.OK)


def attempt_of(activity_id: str) -> int:
    """The attempt told by SWF's activityId: `activity1` is 1, `activity1.attempt2` is 2."""
    match = _ATTEMPT.match(activity_id)
    return int(match["number"]) if match else 1


def call_of(activity_id: str) -> str:
    """The activityId without the number of its attempt."""
    match = _ATTEMPT.match(activity_id)
    return match["call"] if match else activity_id


def previous_activity_id(activity_id: str) -> str | None:
    """The activityId of the attempt before, None for a first attempt."""
    attempt = attempt_of(activity_id)
    if attempt < 2:
        return None
    call = call_of(activity_id)
    return call if attempt == 2 else f"{call}.attempt{attempt - 1}"


def spelled(seconds: int | None) -> str:
    """A duration as SWF spells it."""
    return "NONE" if seconds is None else str(seconds)


def swf_length(text: str) -> int:
    """Characters as SWF counts them: UTF-16 units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2
