"""What an execution has asked for and not got yet, read from its history. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyflow.core.history import DECISION_KINDS, attributes_key
from pyflow.core.lifecycle import REFERENCES
from pyflow.core.requests import history_id, history_label, read_control

Event = Mapping[str, Any]

OPENS = {
    "ActivityTaskScheduled": "activity",
    "LambdaFunctionScheduled": "lambda",
    "TimerStarted": "timer",
    "StartChildWorkflowExecutionInitiated": "child",
    "SignalExternalWorkflowExecutionInitiated": "external_signal",
    "RequestCancelExternalWorkflowExecutionInitiated": "external_cancel",
}
"""Events that begin something, and the decider's word for what they begin."""

TAKES = {"ActivityTaskStarted", "LambdaFunctionStarted", "ChildWorkflowExecutionStarted"}
"""Events by which somebody takes it."""

# That a timer is canceled is the decider's own decision, and refers to no other event for its core.
ENDS = {*REFERENCES.keys() - TAKES, "TimerCanceled"}
"""Events by which it ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenWork:
    """One thing that is asked for and not there yet. Times are epoch seconds."""

    kind: str
    label: str
    identity: str
    """The id that history gives it."""
    asked_at: str | None
    """The line of workflow code, where the decision says it."""
    asked_s: float
    attributes: Mapping[str, Any]
    """Of the event that began it."""
    taken_s: float | None
    taken_by: str | None
    """Identity of the activity worker, or the run id of the child."""
    cancel_requested: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LastTaken:
    """The last activity task of a task list that somebody took."""

    by: str
    at_s: float


def open_work(events: Iterable[Event]) -> list[OpenWork]:
    """What is open after these events, oldest first."""
    found: dict[int, tuple[str, Event]] = {}
    taken: dict[int, Event] = {}
    cancels: set[str] = set()
    for event in events:
        event_type = event["eventType"]
        if event_type in OPENS:
            found[event["eventId"]] = (OPENS[event_type], event)
        elif event_type in TAKES:
            taken[_attributes(event)[REFERENCES[event_type]]] = event
        elif event_type in ENDS:
            found.pop(_attributes(event).get(REFERENCES.get(event_type, "startedEventId"), 0), None)
        elif event_type == "ActivityTaskCancelRequested":
            cancels.add(_attributes(event)["activityId"])
    return [_work(kind, event, taken.get(event_id), cancels) for event_id, (kind, event) in found.items()]


def last_taken(events: Iterable[Event]) -> dict[str, LastTaken]:
    """For each activity task list of these events, the last task that was taken from it."""
    lists: dict[int, str] = {}
    found: dict[str, LastTaken] = {}
    for event in events:
        if event["eventType"] == "ActivityTaskScheduled":
            lists[event["eventId"]] = _attributes(event)["taskList"]["name"]
        elif event["eventType"] == "ActivityTaskStarted":
            attributes = _attributes(event)
            task_list = lists[attributes["scheduledEventId"]]
            found[task_list] = LastTaken(by=attributes.get("identity") or "", at_s=float(event["eventTimestamp"]))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A decision that SWF did not take. Its code learns of it as a failure, once it looks."""

    event_type: str
    name: str
    cause: str
    at_s: float


def refused(events: Sequence[Event]) -> list[Refused]:
    """What SWF refused of the last two answers to decision tasks: a refusal is always followed by another task."""
    before: list[Refused] = []
    found: list[Refused] = []
    for event in events:
        event_type = event["eventType"]
        attributes = _attributes(event) if event_type in DECISION_KINDS else {}
        if event_type == "DecisionTaskCompleted":
            before, found = found, []
        elif "cause" in attributes and event_type.endswith("Failed"):
            kind = DECISION_KINDS[event_type]
            name = (history_label(kind, event_type, attributes) if kind != "close" else "") or ""
            found.append(
                Refused(
                    event_type=event_type, name=name, cause=attributes["cause"], at_s=float(event["eventTimestamp"])
                )
            )
    return before + found


def _work(kind: str, event: Event, taken: Event | None, cancels: set[str]) -> OpenWork:
    attributes = _attributes(event)
    identity = history_id(kind, attributes) or attributes.get("workflowId", "")
    taken_by = None
    if taken is not None:
        begun = _attributes(taken)
        taken_by = begun["workflowExecution"]["runId"] if kind == "child" else begun.get("identity")
    return OpenWork(
        kind=kind,
        label=history_label(kind, event["eventType"], attributes) or "",
        identity=identity,
        asked_at=read_control(attributes),
        asked_s=float(event["eventTimestamp"]),
        attributes=attributes,
        taken_s=None if taken is None else float(taken["eventTimestamp"]),
        taken_by=taken_by,
        cancel_requested=kind == "activity" and identity in cancels,
    )


def _attributes(event: Event) -> Mapping[str, Any]:
    found: Mapping[str, Any] = event[attributes_key(event["eventType"])]
    return found
