"""What one page of a history, newest event first, tells about a repeated attempt of an activity."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from pyflow_host.core.values import AttemptFacts, previous_activity_id

LOOK_BACK_EVENTS = 200
"""How many of the newest events are read: enough to reach the attempt before in all but the busiest executions."""


def facts_from(events: Iterable[Mapping[str, Any]], activity_id: str) -> AttemptFacts:
    """Timeouts of the attempt `activity_id` and the last progress of those before; wire dictionaries in."""
    previous_id = previous_activity_id(activity_id)
    ends: dict[int, str | None] = {}
    own: Mapping[str, Any] | None = None
    last_progress: str | None = None
    for event in events:
        kind = event["eventType"]
        if kind == "ActivityTaskTimedOut":
            attributes = event["activityTaskTimedOutEventAttributes"]
            ends[attributes["scheduledEventId"]] = _as_json(attributes.get("details"))
        elif kind == "ActivityTaskFailed":
            attributes = event["activityTaskFailedEventAttributes"]
            ends[attributes["scheduledEventId"]] = _progress_in(attributes.get("details"))
        elif kind == "ActivityTaskScheduled":
            attributes = event["activityTaskScheduledEventAttributes"]
            if own is None and attributes["activityId"] == activity_id:
                own = attributes
            elif attributes["activityId"] == previous_id:
                last_progress = ends.get(event["eventId"])
                previous_id = previous_activity_id(attributes["activityId"])
                if last_progress is not None or previous_id is None:
                    break  # else it told none before it timed out, and what counts is older
    return AttemptFacts(
        last_progress=last_progress,
        start_to_close_s=seconds_of(own.get("startToCloseTimeout")) if own else None,
        heartbeat_s=seconds_of(own.get("heartbeatTimeout")) if own else None,
        timeouts_known=own is not None,
    )


def seconds_of(timeout: str | None) -> int | None:
    """SWF's spelling of a duration; None for NONE and for absent."""
    return None if timeout is None or timeout == "NONE" else int(timeout)


def _as_json(details: str | None) -> str | None:
    """Progress of a worker that does not belong to us may be any text; as JSON it is a string."""
    if details is None:
        return None
    try:
        orjson.loads(details)
    except orjson.JSONDecodeError:
        return orjson.dumps(details).decode()
    return details


def _progress_in(details: str | None) -> str | None:
    try:
        told = orjson.loads(details or "")
    except orjson.JSONDecodeError:
        return None
    if not isinstance(told, dict) or "pyflow.failure" not in told or "last_progress" not in told:
        return None
    return orjson.dumps(told["last_progress"]).decode()
