"""How an execution stands with its deciders: is a decision task open, who took it, how often in vain. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyflow.core.history import read_stamp

Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionState:
    """The open decision task, if there is one, and what happened to those before it. Times are epoch seconds."""

    task_list: str | None
    """Where the open task is or was waiting; None: there is no open one."""
    scheduled_s: float
    started_s: float | None
    taken_by: str | None
    """Identity of whoever took the open task, or the last one before it."""
    in_vain: int
    """Tasks in a row that were taken and not answered in time."""
    in_vain_since_s: float | None
    """When the first of them was taken."""
    answered_s: float | None
    """The last answer, if there was any."""
    held_back: int
    """Decisions the last answer left for later because too many of their kind are open."""
    status: object
    """What the code last gave to `swf.set_status`."""


def decision_state(events: Sequence[Event]) -> DecisionState:
    """The state after these events, which begin with event 1."""
    scheduled: Event | None = None
    started: Event | None = None
    answered: Event | None = None
    taken_by: str | None = None
    in_vain, since_s = 0, None
    for event in events:
        match event["eventType"]:
            case "DecisionTaskScheduled":
                scheduled, started = event, None
            case "DecisionTaskStarted":
                started = event
                taken_by = event["decisionTaskStartedEventAttributes"].get("identity") or None
            case "DecisionTaskTimedOut":
                if event["decisionTaskTimedOutEventAttributes"]["timeoutType"] == "START_TO_CLOSE":
                    in_vain += 1
                    since_s = since_s or (None if started is None else float(started["eventTimestamp"]))
                scheduled = started = None
            case "DecisionTaskCompleted":
                scheduled, started, answered = None, None, event
                in_vain, since_s = 0, None
    stamp = {}
    if answered is not None:
        stamp = read_stamp(answered["decisionTaskCompletedEventAttributes"].get("executionContext")) or {}
    return DecisionState(
        task_list=None if scheduled is None else scheduled["decisionTaskScheduledEventAttributes"]["taskList"]["name"],
        scheduled_s=0.0 if scheduled is None else float(scheduled["eventTimestamp"]),
        started_s=None if started is None else float(started["eventTimestamp"]),
        taken_by=taken_by,
        in_vain=in_vain,
        in_vain_since_s=since_s,
        answered_s=None if answered is None else float(answered["eventTimestamp"]),
        held_back=int(stamp.get("held", 0)),
        status=stamp.get("status"),
    )


def with_decision_begun(events: Sequence[Event], now_s: float) -> list[Event]:
    """The events as a decider would get them now: an open decision task that nobody has taken is begun."""
    state = decision_state(events)
    if state.task_list is None or state.started_s is not None:
        return list(events)
    last_id = int(events[-1]["eventId"])
    begun = {
        "eventId": last_id + 1,
        "eventType": "DecisionTaskStarted",
        "eventTimestamp": now_s,
        "decisionTaskStartedEventAttributes": {"scheduledEventId": last_id},
    }
    return [*events, begun]
