"""Histories out and in, in the form that `aws swf get-workflow-execution-history` prints."""

from __future__ import annotations

import contextlib
import json
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import orjson

from pyflow_local.engine.event_types import EVENT_TYPES, attributes_member
from pyflow_local.errors import BadHistory

if TYPE_CHECKING:
    from mypy_boto3_swf import SWFClient

TIMESTAMP_S_MAX = 253_402_300_799  # the last second of the year 9999
_MEMBERS = {name: attributes_member(name) for name in EVENT_TYPES}


def export_history(client: SWFClient, domain: str, workflow_id: str, run_id: str) -> str:
    """The whole history of an execution as the AWS CLI prints it; works on any SWF. Raises what boto3 raises."""
    pages = client.get_paginator("get_workflow_execution_history").paginate(
        domain=domain, execution={"workflowId": workflow_id, "runId": run_id}
    )
    events = [event for page in pages for event in page["events"]]
    return json.dumps({"events": events}, indent=4, default=_plain)


def _plain(value: object) -> float:
    if isinstance(value, datetime):
        return value.timestamp()
    raise TypeError(f"{type(value).__name__} has no place in a history")


def read_history(text: str) -> list[bytes]:
    """The events of such a file, or of a plain list of them, encoded as the store keeps them.

    Takes timestamps as numbers (CLI 1, boto3 exports) and as ISO 8601 (CLI 2). Raises BadHistory saying which event is
    wrong and how.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadHistory(f"The history is not JSON: {error}") from error
    events = found.get("events") if isinstance(found, dict) else found
    if not isinstance(events, list) or not events:
        raise BadHistory('A history is {"events": [...]} with at least one event, as the AWS CLI prints it')
    if isinstance(events[0], dict) and events[0].get("eventId") != 1 and _id(events[-1]) == 1:
        events = events[::-1]  # printed with --reverse-order
    return [encode_event(number, event) for number, event in enumerate(events, 1)]


def _id(event: object) -> object:
    return event.get("eventId") if isinstance(event, dict) else None


def encode_event(number: int, event: Any) -> bytes:
    """Event `number` of a history as the store keeps it. Raises BadHistory."""
    if not isinstance(event, dict) or event.get("eventId") != number:
        raise BadHistory(f"Event {number} of the history is missing: the file must hold all pages, from event 1 on")
    kind = event.get("eventType")
    if kind not in _MEMBERS:
        raise BadHistory(f"Event {number}: SWF has no event type {kind!r}")
    if number == 1 and kind != "WorkflowExecutionStarted":
        raise BadHistory(f"Event 1 is {kind}; a history begins with WorkflowExecutionStarted")
    attributes = event.get(_MEMBERS[kind])
    if not isinstance(attributes, dict):
        raise BadHistory(f"Event {number} ({kind}) lacks its {_MEMBERS[kind]}")
    if number == 1:
        _check_settings(attributes)
    whole = {
        "eventId": number,
        "eventTimestamp": _seconds(number, event.get("eventTimestamp")),
        "eventType": kind,
        _MEMBERS[kind]: attributes,
    }
    try:
        return orjson.dumps(whole)
    except orjson.JSONEncodeError as error:
        raise BadHistory(f"Event {number} ({kind}) cannot be kept: {error}") from error


def _check_settings(attributes: dict[str, Any]) -> None:
    for member in ("workflowType", "taskList", "childPolicy"):
        if attributes.get(member) is None:
            raise BadHistory(f"Event 1 lacks {member}")
    for member in ("executionStartToCloseTimeout", "taskStartToCloseTimeout"):
        if attributes.get(member) in (None, ""):
            attributes[member] = "NONE"
    parent = attributes.get("parentWorkflowExecution", {"workflowId": "", "runId": ""})
    if not (isinstance(parent, dict) and all(isinstance(parent.get(name), str) for name in ("workflowId", "runId"))):
        raise BadHistory("Event 1: parentWorkflowExecution is no workflow execution")
    if not isinstance(attributes.get("parentInitiatedEventId", 0), int):
        raise BadHistory("Event 1: parentInitiatedEventId is no event id")


def _seconds(number: int, value: object) -> float:
    seconds: float | None = None
    if isinstance(value, int | float) and not isinstance(value, bool):
        seconds = value
    elif isinstance(value, str):
        with contextlib.suppress(ValueError):
            at = datetime.fromisoformat(value.replace("Z", "+00:00"))
            seconds = (at if at.tzinfo is not None else at.replace(tzinfo=timezone.utc)).timestamp()
    if seconds is not None and 0 <= seconds <= TIMESTAMP_S_MAX:
        return float(seconds)
    raise BadHistory(f"Event {number}: eventTimestamp {value!r} is neither epoch seconds nor ISO 8601")
