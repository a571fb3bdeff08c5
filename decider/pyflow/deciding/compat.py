"""One decision task decided on its own, and the object pyflow-swf 2.0.0 returned for it."""

from __future__ import annotations

from dataclasses import dataclass

from pyflow.core.values import ExecutionSettings
from pyflow.deciding.classes import WorkflowClasses
from pyflow.deciding.maker import Decided, Held
from pyflow.deciding.task import DecisionTask
from pyflow.exceptions import DeciderException
from pyflow.swf.api import JsonObject
from pyflow.swf.boto_transport import wire_event


class DecisionHeld(DeciderException):
    """The task must not be answered: code and history disagree, or the framework failed. `kind` says which."""

    def __init__(self, task: DecisionTask, held: Held) -> None:
        super().__init__(f"{task.name} is held: {held.message}")
        self.kind = held.kind


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionTaskAnswer:
    """What `Decider.process_decision_task` gives: the decisions, and the task they answer."""

    decision_task: JsonObject
    decisions: list[JsonObject]
    execution_context: str | None

    @property
    def task_token(self) -> str:
        """For RespondDecisionTaskCompleted."""
        return str(self.decision_task["taskToken"])

    @property
    def workflow_id(self) -> str:
        """The execution's workflowId."""
        return str(self.decision_task["workflowExecution"]["workflowId"])

    @property
    def run_id(self) -> str:
        """The execution's runId."""
        return str(self.decision_task["workflowExecution"]["runId"])

    @property
    def workflow_name(self) -> str:
        """The workflow type's name."""
        return str(self.decision_task["workflowType"]["name"])

    @property
    def workflow_version(self) -> str:
        """The workflow type's version."""
        return str(self.decision_task["workflowType"]["version"])

    @property
    def events(self) -> list[JsonObject]:
        """The task's events as they were given."""
        events: list[JsonObject] = self.decision_task["events"]
        return events

    @property
    def previous_started_event_id(self) -> int:
        """DecisionTaskStarted of the last task that was answered; 0 for the first."""
        return int(self.decision_task["previousStartedEventId"])

    @property
    def started_event_id(self) -> int:
        """DecisionTaskStarted of this task."""
        return int(self.decision_task["startedEventId"])


def decide_once(
    classes: WorkflowClasses, decision_task: JsonObject, *, domain: str, settings: ExecutionSettings | None
) -> DecisionTaskAnswer:
    """Replay the task's whole history and decide; nothing is kept. Raises `DecisionHeld`.

    `decision_task` is in wire form or as boto3 gives it (datetimes).
    """
    task = DecisionTask.from_wire(decision_task, domain=domain)
    task = task.with_events([wire_event(event) for event in task.events])
    if task.gap is not None or task.events[0]["eventId"] != 1:
        raise DeciderException(f"{task.name} cannot be decided: {task.gap or 'its events do not begin with event 1'}")
    maker = classes.maker(max_cached=0, settings=settings)
    try:
        made = maker.make(task)
    finally:
        maker.close()
    if isinstance(made, Held):
        raise DecisionHeld(task, made)
    assert isinstance(made, Decided), "a whole history without a cache is either decided or held"
    return DecisionTaskAnswer(
        decision_task=decision_task, decisions=made.decisions, execution_context=made.execution_context
    )
