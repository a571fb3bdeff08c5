"""What workflow code can ask for, as values, and how each becomes one of SWF's decisions.

Nothing changes a request once it is made. They are not frozen dataclasses all the same: making one of those takes three
times as long, and a replay makes one for every step.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, TypeAlias

from pyflow.core.values import Decision
from pyflow.options import ActivityOptions, ChildOptions, Duration, LambdaOptions, duration_text

Encode: TypeAlias = "Callable[[str], str]"

CONTROLS_REMEMBERED_MAX = 4_096
"""Texts of ``control`` that are kept: one for each line of workflow code that asks for something."""


class Request(Protocol):
    """One thing workflow code asks for. ``label`` is what must agree with history; None where nothing must."""

    kind: ClassVar[str]
    ids: ClassVar[str]

    @property
    def label(self) -> str | None:
        """What identifies the request to a reader and to the comparison with history."""

    def decision(self, entity_id: str, at: str, encode: Encode) -> Decision:
        """SWF's wire form."""


def _decision(decision_type: str, attributes: dict[str, Any]) -> Decision:
    key = f"{decision_type[0].lower()}{decision_type[1:]}DecisionAttributes"
    return {"decisionType": decision_type, key: attributes}


@functools.lru_cache(maxsize=CONTROLS_REMEMBERED_MAX)
def control_text(at: str) -> str:
    """What goes into ``control``: where in the code this was asked for."""
    return json.dumps({"at": at}, separators=(",", ":"))


def read_control(attributes: Mapping[str, Any]) -> str | None:
    """Where in the code history says something was asked for; None if it does not say."""
    control = attributes.get("control")
    if not control or not control.startswith('{"at"'):
        return None
    try:
        at = json.loads(control).get("at")
    except ValueError:
        return None
    return at if isinstance(at, str) else None


def _put_durations(attributes: dict[str, Any], **values: Duration | None) -> None:
    for name, value in values.items():
        if value is not None:
            attributes[name] = duration_text(value)


@dataclass(slots=True)
class LambdaRequest:
    """ScheduleLambdaFunction."""

    kind: ClassVar[str] = "lambda"
    ids: ClassVar[str] = "lambda"
    name: str
    input: str | None
    options: LambdaOptions

    @property
    def label(self) -> str:
        """The function's name."""
        return self.name

    def decision(self, entity_id: str, at: str, encode: Encode) -> Decision:
        """SWF's wire form."""
        attributes: dict[str, Any] = {"id": entity_id, "name": self.name, "control": control_text(at)}
        if self.input is not None:
            attributes["input"] = encode(self.input)
        if self.options.timeout:
            _put_durations(attributes, startToCloseTimeout=self.options.timeout)
        return _decision("ScheduleLambdaFunction", attributes)


@dataclass(slots=True)
class ActivityRequest:
    """ScheduleActivityTask."""

    kind: ClassVar[str] = "activity"
    ids: ClassVar[str] = "activity"
    name: str
    version: str
    input: str | None
    options: ActivityOptions

    @property
    def label(self) -> str:
        """Name and version of the activity type."""
        return f"{self.name} {self.version}"

    def decision(self, entity_id: str, at: str, encode: Encode) -> Decision:
        """SWF's wire form."""
        options = self.options
        attributes: dict[str, Any] = {
            "activityId": entity_id,
            "activityType": {"name": self.name, "version": self.version},
            "control": control_text(at),
        }
        if self.input is not None:
            attributes["input"] = encode(self.input)
        _put_durations(
            attributes,
            startToCloseTimeout=options.start_to_close_timeout or None,
            scheduleToStartTimeout=options.schedule_to_start_timeout,
            scheduleToCloseTimeout=options.schedule_to_close_timeout,
            heartbeatTimeout=options.heartbeat_timeout,
        )
        if options.task_list:
            attributes["taskList"] = {"name": options.task_list}
        if options.task_priority is not None:
            attributes["taskPriority"] = str(options.task_priority)
        return _decision("ScheduleActivityTask", attributes)


@dataclass(slots=True)
class ChildRequest:
    """StartChildWorkflowExecution."""

    kind: ClassVar[str] = "child"
    ids: ClassVar[str] = "child_workflow"
    name: str
    version: str
    input: str | None
    options: ChildOptions

    @property
    def label(self) -> str:
        """Name and version of the workflow type."""
        return f"{self.name} {self.version}"

    def decision(self, entity_id: str, at: str, encode: Encode) -> Decision:
        """SWF's wire form."""
        options = self.options
        attributes: dict[str, Any] = {
            "workflowId": entity_id,
            "workflowType": {"name": self.name, "version": self.version},
            "control": control_text(at),
        }
        if self.input is not None:
            attributes["input"] = encode(self.input)
        if options.child_policy is not None:
            attributes["childPolicy"] = options.child_policy
        if options.lambda_role is not None:
            attributes["lambdaRole"] = options.lambda_role
        if options.task_list is not None:
            attributes["taskList"] = {"name": options.task_list}
        if options.task_priority is not None:
            attributes["taskPriority"] = str(options.task_priority)
        if options.tag_list is not None:
            attributes["tagList"] = list(options.tag_list)
        _put_durations(
            attributes,
            executionStartToCloseTimeout=options.execution_start_to_close_timeout,
            taskStartToCloseTimeout=options.task_start_to_close_timeout,
        )
        return _decision("StartChildWorkflowExecution", attributes)


@dataclass(slots=True)
class TimerRequest:
    """StartTimer."""

    kind: ClassVar[str] = "timer"
    ids: ClassVar[str] = "sleep"
    duration: Duration

    @property
    def label(self) -> None:
        """A timer has no name to compare."""
        return

    def decision(self, entity_id: str, at: str, encode: Encode) -> Decision:
        """SWF's wire form."""
        return _decision(
            "StartTimer",
            {
                "timerId": entity_id,
                "startToFireTimeout": duration_text(self.duration),
                "control": control_text(at),
            },
        )


@dataclass(slots=True)
class MarkerRequest:
    """RecordMarker."""

    kind: ClassVar[str] = "marker"
    ids: ClassVar[str] = "marker"
    name: str
    details: str | None

    @property
    def label(self) -> str:
        """The marker's name."""
        return self.name

    def decision(self, entity_id: str, at: str, encode: Encode) -> Decision:
        """SWF's wire form."""
        attributes: dict[str, Any] = {"markerName": self.name}
        if self.details is not None:
            attributes["details"] = encode(self.details)
        return _decision("RecordMarker", attributes)


@dataclass(slots=True)
class ExternalSignalRequest:
    """SignalExternalWorkflowExecution."""

    kind: ClassVar[str] = "external_signal"
    ids: ClassVar[str] = "signal"
    workflow_id: str
    run_id: str | None
    signal_name: str
    input: str | None

    @property
    def label(self) -> str:
        """The signal's name."""
        return self.signal_name

    def decision(self, entity_id: str, at: str, encode: Encode) -> Decision:
        """SWF's wire form."""
        attributes: dict[str, Any] = {
            "workflowId": self.workflow_id,
            "signalName": self.signal_name,
            "control": control_text(at),
        }
        if self.run_id is not None:
            attributes["runId"] = self.run_id
        if self.input is not None:
            attributes["input"] = encode(self.input)
        return _decision("SignalExternalWorkflowExecution", attributes)


@dataclass(slots=True)
class ExternalCancelRequest:
    """RequestCancelExternalWorkflowExecution."""

    kind: ClassVar[str] = "external_cancel"
    ids: ClassVar[str] = "cancel"
    workflow_id: str
    run_id: str | None

    @property
    def label(self) -> str:
        """The target's workflow id."""
        return self.workflow_id

    def decision(self, entity_id: str, at: str, encode: Encode) -> Decision:
        """SWF's wire form."""
        attributes: dict[str, Any] = {"workflowId": self.workflow_id, "control": control_text(at)}
        if self.run_id is not None:
            attributes["runId"] = self.run_id
        return _decision("RequestCancelExternalWorkflowExecution", attributes)


@dataclass(slots=True)
class CancelActivityRequest:
    """RequestCancelActivityTask."""

    kind: ClassVar[str] = "cancel_activity"
    ids: ClassVar[str] = ""

    @property
    def label(self) -> None:
        """The id says which one."""
        return

    def decision(self, entity_id: str, at: str, encode: Encode) -> Decision:
        """SWF's wire form."""
        return _decision("RequestCancelActivityTask", {"activityId": entity_id})


@dataclass(slots=True)
class CancelTimerRequest:
    """CancelTimer."""

    kind: ClassVar[str] = "cancel_timer"
    ids: ClassVar[str] = ""

    @property
    def label(self) -> None:
        """The id says which one."""
        return

    def decision(self, entity_id: str, at: str, encode: Encode) -> Decision:
        """SWF's wire form."""
        return _decision("CancelTimer", {"timerId": entity_id})


@dataclass(slots=True)
class CloseRequest:
    """One of the four decisions that close the execution. ``attributes`` are as on the wire, payloads unencoded."""

    kind: ClassVar[str] = "close"
    ids: ClassVar[str] = ""
    decision_type: str
    attributes: Mapping[str, Any]

    @property
    def label(self) -> str:
        """The decision type."""
        return self.decision_type

    def decision(self, entity_id: str, at: str, encode: Encode) -> Decision:
        """SWF's wire form."""
        payloads = ("result", "input")
        return _decision(
            self.decision_type,
            {name: encode(value) if name in payloads else value for name, value in self.attributes.items()},
        )


CLOSING_EVENTS: Mapping[str, str] = {
    "WorkflowExecutionCompleted": "CompleteWorkflowExecution",
    "CompleteWorkflowExecutionFailed": "CompleteWorkflowExecution",
    "WorkflowExecutionFailed": "FailWorkflowExecution",
    "FailWorkflowExecutionFailed": "FailWorkflowExecution",
    "WorkflowExecutionCanceled": "CancelWorkflowExecution",
    "CancelWorkflowExecutionFailed": "CancelWorkflowExecution",
    "WorkflowExecutionContinuedAsNew": "ContinueAsNewWorkflowExecution",
    "ContinueAsNewWorkflowExecutionFailed": "ContinueAsNewWorkflowExecution",
}


def history_label(kind: str, event_type: str, attributes: Mapping[str, Any]) -> str | None:
    """What history says where a request has its ``label``."""
    match kind:
        case "lambda":
            return str(attributes["name"])
        case "activity":
            found = attributes["activityType"]
            return f"{found['name']} {found['version']}"
        case "child":
            found = attributes["workflowType"]
            return f"{found['name']} {found['version']}"
        case "marker":
            return str(attributes["markerName"])
        case "external_signal":
            return str(attributes["signalName"])
        case "external_cancel":
            return str(attributes["workflowId"])
        case "close":
            return CLOSING_EVENTS[event_type]
    return None


ID_MEMBERS: Mapping[str, str] = {
    "lambda": "id",
    "activity": "activityId",
    "cancel_activity": "activityId",
    "timer": "timerId",
    "cancel_timer": "timerId",
    "child": "workflowId",
    "marker": "markerName",
}
"""Where the event of a decision has the id of what was asked for."""


def history_id(kind: str, attributes: Mapping[str, Any]) -> str | None:
    """The id that history gives to what was asked for; None for kinds without one."""
    member = ID_MEMBERS.get(kind)
    return None if member is None else attributes[member]
