"""A decision task as a value: what of PollForDecisionTask's answer the decider works with."""

from __future__ import annotations

from typing import NamedTuple

from pyflow.swf.api import JsonObject


class DecisionTask(NamedTuple):
    """One decision task with its events, oldest first. (A tuple: the hot path makes one for each decision.)

    `events` ends with the task's own DecisionTaskStarted (`started_event_id`) once complete. They begin with event 1
    or, for a task polled with `startAtPreviousStartedEvent`, with the DecisionTaskStarted of the last decision that
    was answered (`previous_started_event_id`, 0 for the first one). SWF reference 7.4.
    """

    token: str
    domain: str
    workflow_id: str
    run_id: str
    workflow_type: tuple[str, str]
    previous_started_event_id: int
    started_event_id: int
    events: list[JsonObject]
    next_page_token: str | None = None

    @classmethod
    def from_wire(cls, answer: JsonObject, *, domain: str) -> DecisionTask:
        """The task in an answer of PollForDecisionTask that has a `taskToken`."""
        execution = answer["workflowExecution"]
        workflow_type = answer["workflowType"]
        return cls(
            token=answer["taskToken"],
            domain=domain,
            workflow_id=execution["workflowId"],
            run_id=execution["runId"],
            workflow_type=(workflow_type["name"], workflow_type["version"]),
            previous_started_event_id=answer.get("previousStartedEventId", 0),
            started_event_id=answer["startedEventId"],
            events=answer.get("events", []),
            next_page_token=answer.get("nextPageToken"),
        )

    @property
    def name(self) -> str:
        """For messages: type, ids and the task's event."""
        type_name, version = self.workflow_type
        return (
            f"workflow {type_name!r} {version!r} workflowId={self.workflow_id!r} runId={self.run_id!r} "
            f"(decision task started by event {self.started_event_id})"
        )

    def with_events(self, events: list[JsonObject]) -> DecisionTask:
        """The same task with these events and no further page."""
        return self._replace(events=events, next_page_token=None)

    @property
    def gap(self) -> str | None:
        """What is missing from the events of a complete task, in words; None when nothing is."""
        events = self.events
        if not events:
            return "there is no event at all"
        first, last = int(events[0]["eventId"]), int(events[-1]["eventId"])
        if last != self.started_event_id:
            return f"the last event is {last}, but the decision task was started by event {self.started_event_id}"
        if last - first + 1 != len(events):
            return f"between event {first} and {last} there are {len(events)} events instead of {last - first + 1}"
        if first > max(1, self.previous_started_event_id):
            return f"the first event is {first}, but the last answered task was {self.previous_started_event_id}"
        return None
