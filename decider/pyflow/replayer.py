"""Checks saved histories against today's code: the decisions recorded there must be made again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pyflow.core.execution import Execution
from pyflow.core.values import Event, ExecutionSettings
from pyflow.exceptions import DeciderException
from pyflow.workflow import Workflow

__all__ = ["ReplayFailed", "Replayed", "load_history", "replay", "replay_files"]


class ReplayFailed(DeciderException):
    """Today's code does not make the decisions of a saved history; the message shows both sides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """A history that today's code fits."""

    workflow_id: str
    events: int
    decisions_checked: int
    """Decision tasks whose recorded answer was made again."""
    waiting_at: tuple[str, ...]
    """Where the code waits after the last event; empty if it has ended."""


def load_history(path: str | Path) -> list[Event]:
    """A history from a JSON file: a list of events, or what GetWorkflowExecutionHistory and the AWS CLI print."""
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise DeciderException(f"{path} cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise DeciderException(f"{path} is not JSON: {error}") from error
    events = data.get("events") if isinstance(data, dict) else data
    if not isinstance(events, list) or not events or not all(map(_is_event, events)):
        raise DeciderException(f"{path} holds no history: a list of events, or an object with 'events', is needed")
    events.sort(key=lambda event: int(event["eventId"]))
    for number, event in enumerate(events, 1):
        if event["eventId"] != number:
            raise DeciderException(
                f"{path} is no whole history: it has no event {number}. Save it from its first event on and without "
                "a filter"
            )
        stamp = event["eventTimestamp"]
        if isinstance(stamp, str):
            event["eventTimestamp"] = _seconds(stamp, path)
    return events


def _is_event(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    kind = value.get("eventType")
    attributes = f"{kind[0].lower()}{kind[1:]}EventAttributes" if isinstance(kind, str) and kind else ""
    return (
        isinstance(value.get("eventId"), int)
        and isinstance(value.get("eventTimestamp"), (int, float, str))
        and isinstance(value.get(attributes), dict)
    )


def _seconds(text: str, path: str | Path) -> float:
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
    except ValueError as error:
        raise DeciderException(f"{path} has an eventTimestamp that is no moment: {text!r}") from error


def replay(
    workflow_class: type[Workflow],
    history: Sequence[Event] | str | Path,
    *,
    workflow_id: str = "replay",
    run_id: str = "replay",
    settings: ExecutionSettings | None = None,
) -> Replayed:
    """Run today's code over a history. Raises ReplayFailed if it would decide otherwise anywhere, DeciderException if
    it is no history of this workflow. Its version may be another: whether new code fits old runs is what this tells.

    ``run_id`` should be the run's own where code uses ``swf.random`` or ``swf.uuid4`` to decide what to do.
    """
    events = load_history(history) if isinstance(history, str | Path) else list(history)
    first = events[0]
    if first["eventType"] != "WorkflowExecutionStarted":
        raise DeciderException("a history begins with WorkflowExecutionStarted; this one does not")
    kind = first["workflowExecutionStartedEventAttributes"]["workflowType"]
    if kind["name"] != workflow_class.NAME:
        raise DeciderException(
            f"the history is of a workflow {kind['name']!r} (version {kind['version']!r}); "
            f"{workflow_class.__name__} is {workflow_class.NAME!r}"
        )
    execution = Execution(
        workflow_class,
        domain="replay",
        workflow_id=workflow_id,
        run_id=run_id,
        workflow_type=(kind["name"], kind["version"]),
        settings=settings,
    )
    checked = sum(event["eventType"] == "DecisionTaskCompleted" for event in events)
    try:
        advance = execution.advance(events, previous_started_event_id=0, started_event_id=_live_task(events))
        waiting = tuple(execution.waiting_at())
    finally:
        execution.evict()
    if advance.held is not None:
        raise ReplayFailed(advance.held.message)
    return Replayed(
        workflow_id=workflow_id,
        events=len(events),
        decisions_checked=checked,
        waiting_at=() if advance.closed else waiting,
    )


def _live_task(events: Iterable[Event]) -> int:
    """The id of a DecisionTaskStarted that nothing has answered yet; 0 if there is none."""
    live = 0
    for event in events:
        if event["eventType"] == "DecisionTaskStarted":
            live = int(event["eventId"])
        elif event["eventType"] in ("DecisionTaskCompleted", "DecisionTaskTimedOut"):
            live = 0
    return live


def replay_files(
    workflow_class: type[Workflow],
    paths: Iterable[str | Path],
    *,
    workflow_id: str = "replay",
    run_id: str = "replay",
    settings: ExecutionSettings | None = None,
) -> list[tuple[str, Replayed | DeciderException]]:
    """Replay many files; for each its path, and what was found or what is wrong.

    `ReplayFailed` is a history that today's code does not fit; any other `DeciderException` a file that is none.
    """
    results: list[tuple[str, Replayed | DeciderException]] = []
    for path in paths:
        try:
            found = replay(workflow_class, path, workflow_id=workflow_id, run_id=run_id, settings=settings)
        except DeciderException as error:
            results.append((str(path), error))
        else:
            results.append((str(path), found))
    return results
