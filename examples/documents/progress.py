"""What happens in a run, read from SWF's histories: new events in, lines for a person out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

PAGE_EVENTS = 100
NAME_CHARS_SHOWN = 19
LANGUAGES = {"documents-ruby": "Ruby", "documents-java": "Java", "documents-python": "Python"}


@dataclass(kw_only=True)
class Run:
    """One execution that is followed."""

    workflow_id: str
    run_id: str
    document: str = ""
    closed: bool = False
    events: dict[int, dict[str, Any]] = field(default_factory=dict)


class Progress:
    """Follows a DocumentPipeline execution, the runs it goes on in, and their children."""

    def __init__(self, swf: Any, domain: str, workflow_id: str, run_id: str) -> None:
        self._swf = swf
        self._domain = domain
        self._root = Run(workflow_id=workflow_id, run_id=run_id)
        self.runs = [self._root]  # the pipeline first, then its children as they start
        self.documents = 0  # how many the listing has named so far
        self.all_listed = False
        self.documents_done = 0

    @property
    def close_event(self) -> dict[str, Any] | None:
        """The last event of the last run, once that is closed."""
        return self._root.events[max(self._root.events)] if self._root.closed else None

    def news(self) -> Iterator[str]:
        """Lines for what has happened since the last call."""
        for run in [run for run in self.runs if not run.closed]:
            for event in self._new_events(run):
                yield from self._line(run, event)

    def _new_events(self, run: Run) -> list[dict[str, Any]]:
        """Reads backward until a known event: the cost is that of the news, not of the history."""
        new: list[dict[str, Any]] = []
        pages = self._swf.get_paginator("get_workflow_execution_history").paginate(
            domain=self._domain,
            execution={"workflowId": run.workflow_id, "runId": run.run_id},
            reverseOrder=True,
            PaginationConfig={"PageSize": PAGE_EVENTS},
        )
        for page in pages:
            fresh = [event for event in page["events"] if event["eventId"] not in run.events]
            new += fresh
            if len(fresh) < len(page["events"]):
                break
        new.reverse()
        run.events.update({event["eventId"]: event for event in new})
        return new

    def _line(self, run: Run, event: dict[str, Any]) -> Iterator[str]:
        kind = event["eventType"]
        attributes = event.get(f"{kind[0].lower()}{kind[1:]}EventAttributes", {})
        if kind.startswith("WorkflowExecution") and kind.removeprefix("WorkflowExecution") in _CLOSES:
            run.closed = True
            if run is self._root and kind == "WorkflowExecutionContinuedAsNew":
                self._root = Run(workflow_id=run.workflow_id, run_id=attributes["newExecutionRunId"])
                self.runs.append(self._root)
        if kind in ("ActivityTaskCompleted", "ActivityTaskFailed", "ActivityTaskTimedOut"):
            yield from self._activity(run, kind, attributes)
        elif kind in ("LambdaFunctionCompleted", "LambdaFunctionFailed", "LambdaFunctionTimedOut"):
            scheduled = run.events[attributes["scheduledEventId"]]["lambdaFunctionScheduledEventAttributes"]
            yield _row("Lambda", scheduled["name"], run.document, _outcome(kind, attributes))
        elif kind == "ChildWorkflowExecutionStarted":
            self._child_started(run, attributes)
        elif kind.startswith("ChildWorkflowExecution"):
            self.documents_done += 1
        elif kind == "WorkflowExecutionSignaled":
            yield _row("signal", attributes["signalName"], "", "received")

    def _activity(self, run: Run, kind: str, attributes: dict[str, Any]) -> Iterator[str]:
        scheduled = run.events[attributes["scheduledEventId"]]["activityTaskScheduledEventAttributes"]
        name = scheduled["activityType"]["name"]
        if name == "list_documents" and kind == "ActivityTaskCompleted":
            listing = json.loads(attributes["result"])
            self.documents += len(listing["names"])
            self.all_listed = not listing["more"]
        language = LANGUAGES.get(scheduled["taskList"]["name"], "?")
        yield _row(language, name, run.document, _outcome(kind, attributes))

    def _child_started(self, run: Run, attributes: dict[str, Any]) -> None:
        initiated = run.events[attributes["initiatedEventId"]]["startChildWorkflowExecutionInitiatedEventAttributes"]
        execution = attributes["workflowExecution"]
        document = json.loads(initiated["input"])["name"]
        child = Run(workflow_id=execution["workflowId"], run_id=execution["runId"], document=document)
        self.runs.append(child)


def _outcome(kind: str, attributes: dict[str, Any]) -> str:
    if kind.endswith("Completed"):
        return "done"
    if kind.endswith("TimedOut"):
        return f"timed out ({attributes.get('timeoutType', 'START_TO_CLOSE')})"
    return f"failed ({attributes.get('reason', 'no reason given')})"


def _row(where: str, what: str, document: str, outcome: str) -> str:
    return f"{where:<8}{what:<18}{_shown(document):<20}{outcome}"


def _shown(name: str) -> str:
    """A file's name for one line of a terminal: nothing unprintable, not too long."""
    printable = "".join(char if char.isprintable() else "?" for char in name)
    return printable if len(printable) <= NAME_CHARS_SHOWN else f"{printable[: NAME_CHARS_SHOWN - 2]}.."


_CLOSES = {"Completed", "Failed", "Canceled", "Terminated", "ContinuedAsNew", "TimedOut"}
