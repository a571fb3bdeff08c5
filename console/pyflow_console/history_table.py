"""A history as lines to read: number, time since the start, event, and what matters of its attributes. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

DETAIL_LENGTH_MAX = 100
VALUE_LENGTH_MAX = 60

SHOWN_KEYS = (
    "workflowType", "activityType", "name", "workflowId", "workflowExecution", "activityId", "id", "timerId",
    "markerName", "signalName", "childPolicy", "startToFireTimeout", "timeoutType", "cause", "reason", "details",
    "input", "result", "externalWorkflowExecution", "newExecutionRunId", "identity", "taskList",
)  # fmt: skip
"""Attributes worth a look, the most telling first; event numbers and timeouts are in `--json`."""


def rows(events: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """One line for each event; times are seconds since the first event."""
    first_s: float | None = None
    for event in events:
        at_s = float(event["eventTimestamp"])
        first_s = at_s if first_s is None else first_s
        line = f"{event['eventId']:>5}  {at_s - first_s:>10.3f} s  {event['eventType']:<44}  {detail(event)}"
        yield line.rstrip()


def detail(event: Mapping[str, Any]) -> str:
    """The attributes worth a look, in one line of bounded length."""
    kind = event["eventType"]
    attributes: Mapping[str, Any] = event.get(f"{kind[0].lower()}{kind[1:]}EventAttributes", {})
    parts = [_part(key, attributes[key]) for key in SHOWN_KEYS if attributes.get(key) not in (None, "")]
    return _cut("  ".join(parts), DETAIL_LENGTH_MAX)


def _part(key: str, value: Any) -> str:
    if isinstance(value, Mapping):
        if "version" in value:
            return f"{value['name']} {value['version']}"
        if "workflowId" in value:
            return str(value["workflowId"])
        value = value.get("name", "")
    text = " ".join(str(value).split())
    return f"{key}={_cut(text, VALUE_LENGTH_MAX)}"


def _cut(text: str, length_max: int) -> str:
    return text if len(text) <= length_max else text[: length_max - 1] + "…"
