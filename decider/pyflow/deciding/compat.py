"""What pyflow-swf 2.0.0's `Decider` did by itself: decide one task, and poll with a subclass's own method."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pyflow.core.values import ExecutionSettings
from pyflow.deciding.classes import WorkflowClasses
from pyflow.deciding.maker import Decided, Held
from pyflow.deciding.task import DecisionTask
from pyflow.decision_task_helper import DecisionTaskHelper
from pyflow.exceptions import DeciderException
from pyflow.swf.api import JsonObject
from pyflow.swf.boto_transport import wire_event
from pyflow.swf.polling import PollThread
from pyflow.swf.registration import cold_call
from pyflow.workflow_state import WorkflowState

if TYPE_CHECKING:
    from mypy_boto3_swf.client import SWFClient


class DecisionHeld(DeciderException):
    """The task must not be answered: code and history disagree, or the framework failed. `kind` says which."""

    def __init__(self, task: DecisionTask, held: Held) -> None:
        super().__init__(f"{task.name} is held: {held.message}")
        self.kind = held.kind


def decide_once(
    classes: WorkflowClasses, decision_task: JsonObject, *, domain: str, settings: ExecutionSettings | None
) -> DecisionTaskHelper:
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
    answer = DecisionTaskHelper(decision_task, WorkflowState(workflow_id=task.workflow_id, run_id=task.run_id))
    while answer.process_next_decision_task() is not None:
        pass
    answer.decisions = made.decisions
    answer.execution_context = made.execution_context
    answer.workflow_state.completed = answer.workflow_state.completed or made.closed
    return answer


def one_by_one(
    client: SWFClient, request: JsonObject, decide: Callable[[JsonObject], DecisionTaskHelper]
) -> PollThread:
    """2.0.0's loop, for a `Decider` whose subclass decides by itself: one task at a time, with its whole history.

    What `decide` raises, and an answer that SWF refuses, is logged; SWF hands the task out again after its timeout.
    """

    def poll() -> JsonObject:
        task = cold_call(client, "PollForDecisionTask", request)
        while task.get("nextPageToken"):
            page = cold_call(client, "PollForDecisionTask", {**request, "nextPageToken": task.pop("nextPageToken")})
            task["events"] += page.pop("events")
            task["nextPageToken"] = page.get("nextPageToken")
        return task

    def handle(task: JsonObject) -> None:
        answer = decide(task)
        more = {} if answer.execution_context is None else {"executionContext": answer.execution_context}
        given: JsonObject = {"taskToken": answer.task_token, "decisions": answer.decisions, **more}
        cold_call(client, "RespondDecisionTaskCompleted", given)

    return PollThread(poll, handle, name=f"polls of {request['domain']}/{request['taskList']['name']}")
