"""2.0.0's object for one decision task: what `Decider.process_decision_task` gives. Programs read and change it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from pyflow import payloads
from pyflow.core.values import PAYLOAD_CHARACTERS_MAX, REASON_CHARACTERS_MAX
from pyflow.event_handler import EventHandler
from pyflow.workflow_state import WorkflowState

__all__ = ["DecisionTaskHelper"]

Event = Mapping[str, Any]

_ID_MEMBERS = ("id", "activityId", "timerId", "workflowId", "markerName", "signalName")
_ROOT_MEMBERS = ("scheduledEventId", "initiatedEventId", "startedEventId")
"""Members by which an event refers to the one that tells what it is about; the first that is there counts."""


class DecisionTaskHelper:
    """A decision task, the decisions that answer it, and what its events say of the execution.

    ``decisions`` and ``execution_context`` are what belongs into RespondDecisionTaskCompleted. A program that sends
    them itself may add to them, or put ``fail_workflow(...)`` in their place.
    """

    def __init__(self, decision_task: dict[str, Any], workflow_state: WorkflowState) -> None:
        self._decision_task = decision_task
        self._event_handler = EventHandler(self)
        self._events_read = 0
        self.workflow_state = workflow_state
        self.decisions: list[dict[str, Any]] = []
        self.execution_context: str | None = None
        """New in 3: send it along. Replay reads it back."""
        self.is_replaying = False
        self.last_event_timestamp: Any = None

    @property
    def decision_task(self) -> dict[str, Any]:
        """The task as it was given."""
        return self._decision_task

    @property
    def task_token(self) -> str:
        """For RespondDecisionTaskCompleted."""
        return str(self._decision_task["taskToken"])

    @property
    def workflow_id(self) -> str:
        """The execution's workflowId."""
        return str(self._decision_task["workflowExecution"]["workflowId"])

    @property
    def run_id(self) -> str:
        """The execution's runId."""
        return str(self._decision_task["workflowExecution"]["runId"])

    @property
    def workflow_name(self) -> str:
        """The workflow type's name."""
        return str(self._decision_task["workflowType"]["name"])

    @property
    def workflow_version(self) -> str:
        """The workflow type's version."""
        return str(self._decision_task["workflowType"]["version"])

    @property
    def events(self) -> list[dict[str, Any]]:
        """The task's events as they were given."""
        events: list[dict[str, Any]] = self._decision_task["events"]
        return events

    @property
    def previous_started_event_id(self) -> int:
        """DecisionTaskStarted of the last task that was answered; 0 for the first."""
        return int(self._decision_task["previousStartedEventId"])

    @property
    def started_event_id(self) -> int:
        """DecisionTaskStarted of this task."""
        return int(self._decision_task["startedEventId"])

    # ---- what the events say

    def is_replay_event(self, event: Event) -> bool:
        """True for an event that an earlier decision has seen."""
        return bool(event["eventId"] <= self.previous_started_event_id)

    def process_next_decision_task(self) -> Event | None:
        """Take the events up to the next DecisionTaskStarted into ``workflow_state``; the last of them, or None."""
        event: Event | None = None
        while self._events_read < len(self.events):
            event = self.events[self._events_read]
            self._events_read += 1
            self.is_replaying = self.is_replay_event(event)
            self.last_event_timestamp = event["eventTimestamp"]
            self._event_handler.update_state_from_event(event)
            if event["eventType"] == "DecisionTaskStarted":
                break
        return event

    @staticmethod
    def event_attributes(event: Event) -> Mapping[str, Any] | None:
        """The attributes of an event."""
        kind = event["eventType"]
        found: Mapping[str, Any] | None = event.get(f"{kind[0].lower()}{kind[1:]}EventAttributes")
        return found

    def root_event_attributes(self, event: Event) -> Mapping[str, Any] | None:
        """The attributes of the event that tells what this one is about; its own if it refers to no other."""
        attributes = self.event_attributes(event)
        root_id = (
            next((attributes[member] for member in _ROOT_MEMBERS if member in attributes), None) if attributes else 0
        )
        root = self._events_by_id.get(root_id)
        return attributes if root is None else self.event_attributes(root)

    def event_invocation_id(self, event: Event) -> str | None:
        """The id of what the event is about: ``lambda1``, ``activity1``, ...; None for an event about nothing of it."""
        attributes = self.root_event_attributes(event) or {}
        return next((attributes[member] for member in _ID_MEMBERS if member in attributes), None)

    @cached_property
    def _events_by_id(self) -> dict[Any, Event]:
        return {event["eventId"]: event for event in self.events}

    # ---- adding decisions by hand

    def schedule_lambda_invocation(
        self, invocation_id: str, function_name: str, input_arg: Any, timeout: object = None
    ) -> None:
        """Add ScheduleLambdaFunction."""
        self._add(
            "ScheduleLambdaFunction",
            id=invocation_id,
            name=function_name,
            input=_text(input_arg),
            startToCloseTimeout=str(timeout) if timeout else None,
        )

    def schedule_activity_invocation(
        self,
        invocation_id: str,
        activity_name: str,
        activity_version: str,
        input_arg: Any,
        timeout: object = None,
        task_list: str | None = None,
    ) -> None:
        """Add ScheduleActivityTask."""
        self._add(
            "ScheduleActivityTask",
            activityId=invocation_id,
            activityType={"name": activity_name, "version": activity_version},
            input=_text(input_arg),
            startToCloseTimeout=str(timeout) if timeout else None,
            taskList={"name": task_list} if task_list else None,
        )

    def schedule_child_workflow_invocation(
        self,
        invocation_id: str,
        name: str,
        version: str,
        input_arg: Any = None,
        child_policy: str | None = None,
        lambda_role: str | None = None,
        task_list: str | None = None,
        execution_start_to_close_timeout: object = None,
    ) -> None:
        """Add StartChildWorkflowExecution; without a role, with that of the parent."""
        timeout = execution_start_to_close_timeout
        self._add(
            "StartChildWorkflowExecution",
            workflowId=invocation_id,
            workflowType={"name": name, "version": version},
            input=_text(input_arg),
            childPolicy=child_policy,
            lambdaRole=self.workflow_state.lambda_role if lambda_role is None else lambda_role,
            taskList=None if task_list is None else {"name": task_list},
            executionStartToCloseTimeout=None if timeout is None else str(timeout),
        )

    def start_timer(self, invocation_id: str, seconds: object) -> None:
        """Add StartTimer."""
        self._add("StartTimer", startToFireTimeout=str(seconds), timerId=invocation_id)

    def set_marker(self, invocation_id: str, value: Any) -> None:
        """Add RecordMarker."""
        self._add("RecordMarker", markerName=invocation_id, details=payloads.to_json(value))

    def schedule_signal(
        self,
        invocation_id: str,
        workflow_id: str,
        input_arg: Any = None,
        run_id: str | None = None,
        control: str | None = None,
    ) -> None:
        """Add SignalExternalWorkflowExecution; ``invocation_id`` is the signal's name."""
        self._add(
            "SignalExternalWorkflowExecution",
            signalName=invocation_id,
            workflowId=workflow_id,
            input=_text(input_arg),
            runId=run_id,
            control=control,
        )

    def complete_workflow(self, result: Any) -> None:
        """Add CompleteWorkflowExecution."""
        self._add("CompleteWorkflowExecution", result=payloads.to_json(result))
        self.workflow_state.completed = True

    def fail_workflow(self, reason: str, details: str) -> None:
        """Add FailWorkflowExecution, cut to what SWF takes."""
        self._add(
            "FailWorkflowExecution", reason=reason[:REASON_CHARACTERS_MAX], details=details[:PAYLOAD_CHARACTERS_MAX]
        )
        self.workflow_state.completed = True

    def cancel_workflow(self, details: str | None) -> None:
        """Add CancelWorkflowExecution."""
        self._add("CancelWorkflowExecution", details=details)
        self.workflow_state.completed = True

    def _add(self, decision_type: str, **attributes: Any) -> None:
        given = {name: value for name, value in attributes.items() if value is not None}
        key = f"{decision_type[0].lower()}{decision_type[1:]}DecisionAttributes"
        self.decisions.append({"decisionType": decision_type, key: given})


def _text(value: Any) -> str | None:
    return None if value is None else payloads.to_json(value)
