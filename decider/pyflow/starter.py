"""What the outside does with executions: start, look at, wait for, signal, ask to cancel, terminate."""

from __future__ import annotations

import logging
import numbers
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from pyflow.core.history import read_status
from pyflow.swf.api import JsonObject
from pyflow.swf.client import make_client
from pyflow.swf.faults import ExecutionAlreadyStarted, SwfError, UnknownResource
from pyflow.swf.limits import TAGS_MAX, cut_details, cut_reason
from pyflow.swf.registration import cold_call

if TYPE_CHECKING:
    from mypy_boto3_swf.client import SWFClient

__all__ = [
    "WorkflowStatus",
    "WorkflowWaitTimedOut",
    "cancel_workflow",
    "get_workflow_status",
    "signal_workflow",
    "start_workflow",
    "terminate_workflow",
    "wait_for_workflow",
]

logger = logging.getLogger("pyflow")

WAIT_FIRST_S = 0.2
WAIT_GROWTH = 1.5
WAIT_MAX_S = 10.0
"""Between two looks at an execution: DescribeWorkflowExecution refills 6 a second for the account (reference 10.2)."""

_CLOSE_EVENTS = {
    "WorkflowExecutionCompleted",
    "WorkflowExecutionFailed",
    "WorkflowExecutionCanceled",
    "WorkflowExecutionTerminated",
    "WorkflowExecutionContinuedAsNew",
    "WorkflowExecutionTimedOut",
}


@dataclass(order=True)
class WorkflowStatus:
    """The state of an execution; the class of pyflow-swf 2.0.0.

    execution_status           'OPEN' or 'CLOSED'
    workflow_description       the whole answer of DescribeWorkflowExecution
    close_status               once closed: 'COMPLETED', 'FAILED', 'CANCELED', 'TERMINATED', 'CONTINUED_AS_NEW' or
                               'TIMED_OUT'
    latest_activity_timestamp  when an activity of it last changed (datetime), None when it never had one
    result                     the result's text when completed
    failure_reason, failure_details   when failed
    exit_event                 the history event that closed it
    """

    execution_status: str
    workflow_description: Mapping[str, Any]
    close_status: str | None = None
    latest_activity_timestamp: datetime | None = None
    result: str | None = None
    failure_reason: str | None = None
    failure_details: str | None = None
    exit_event: Mapping[str, Any] | None = None

    @property
    def is_open(self) -> bool:
        """True while the execution runs."""
        return self.execution_status == "OPEN"

    @property
    def status(self) -> Any:
        """What the workflow last gave to ``swf.set_status``, also while it runs; None if nothing."""
        return read_status(self.execution_context)

    @property
    def execution_context(self) -> str | None:
        """The text that came with the last decisions (latestExecutionContext)."""
        context = self.workflow_description.get("latestExecutionContext")
        return None if context is None else str(context)


class WorkflowWaitTimedOut(TimeoutError):
    """The execution was still open when the time to wait for it had passed; it goes on."""


def start_workflow(
    domain: str,
    workflow_name: str,
    workflow_version: str,
    task_list: str | None,
    lambda_role: str | None = None,
    input: str | None = None,
    client: SWFClient | None = None,
    task_start_to_close_timeout: float | str | None = None,
    execution_start_to_close_timeout: float | str | None = None,
    task_priority: int | str | None = None,
    tag_list: Iterable[str] | None = None,
    child_policy: str | None = None,
    *,
    workflow_id: str | None = None,
) -> dict[str, str]:
    """Start an execution; returns {'workflowId', 'runId'}.

    What is None is left out, so that the workflow type's defaults hold. Timeouts are in seconds (or "NONE" for the
    task timeout). `input` is the text the workflow is given. Without `workflow_id` one is made up.
    Raises `ExecutionAlreadyStarted`, `UnknownResource`, `DefaultUndefined` and other kinds of `SwfError`.
    """
    client = client or make_client()
    chosen_id = workflow_id or f"{workflow_name}@{uuid.uuid4()}"
    request: JsonObject = {
        "domain": domain,
        "workflowId": chosen_id,
        "workflowType": {"name": workflow_name, "version": workflow_version},
        "taskList": None if task_list is None else {"name": task_list},
        "lambdaRole": lambda_role,
        "input": input,
        "taskStartToCloseTimeout": _text(task_start_to_close_timeout),
        "executionStartToCloseTimeout": _text(execution_start_to_close_timeout),
        "taskPriority": _text(task_priority),
        "tagList": _tags(tag_list),
        "childPolicy": child_policy,
    }
    asked_at = datetime.now(timezone.utc)
    try:
        answer = cold_call(client, "StartWorkflowExecution", _without_none(request))
        run_id = str(answer["runId"])
    except ExecutionAlreadyStarted:
        # Nobody else can have used an id made up here: an earlier attempt of this very call, whose answer was lost
        # and which botocore repeated, has started it (SWF reference 3.5: no idempotency token).
        if workflow_id is not None:
            raise
        run_id = _open_run_of(client, domain, chosen_id, asked_at)
    return {"workflowId": chosen_id, "runId": run_id}


def get_workflow_status(
    domain: str, workflow_id: str, run_id: str, client: SWFClient | None = None
) -> WorkflowStatus | None:
    """The state of an execution, or None when SWF does not know it or its domain. Raises `SwfError`."""
    client = client or make_client()
    try:
        description = _describe(client, domain, workflow_id, run_id)
    except UnknownResource:
        return None
    info = description["executionInfo"]
    status = WorkflowStatus(
        execution_status=info["executionStatus"],
        workflow_description=description,
        latest_activity_timestamp=description.get("latestActivityTaskTimestamp"),
    )
    if status.execution_status == "CLOSED":
        status.close_status = info.get("closeStatus")
        _tell_exit(status, _exit_event(client, domain, workflow_id, run_id))
    return status


def wait_for_workflow(
    domain: str,
    workflow_id: str,
    run_id: str,
    client: SWFClient | None = None,
    *,
    timeout_s: float | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> WorkflowStatus:
    """Wait until the execution is closed and return its status. Looks at it at growing intervals (0.2 s to 10 s).

    Throttling and lost connections are waited out. Raises `WorkflowWaitTimedOut` after `timeout_s` seconds and
    `UnknownResource` when SWF does not know the execution.
    """
    client = client or make_client()
    until_s = None if timeout_s is None else time.monotonic() + timeout_s
    pause_s = WAIT_FIRST_S
    while True:
        if _is_closed(client, domain, workflow_id, run_id):
            status = get_workflow_status(domain, workflow_id, run_id, client)
            if status is not None and not status.is_open:
                return status
        left_s = pause_s if until_s is None else min(pause_s, until_s - time.monotonic())
        if left_s <= 0:
            raise WorkflowWaitTimedOut(
                f"workflowId={workflow_id!r} runId={run_id!r} in domain {domain!r} is still open after {timeout_s} s"
            )
        sleep(left_s)
        pause_s = min(WAIT_MAX_S, pause_s * WAIT_GROWTH)


def signal_workflow(
    domain: str,
    workflow_id: str,
    signal_name: str,
    input: str | None = None,
    run_id: str | None = None,
    client: SWFClient | None = None,
) -> None:
    """Signal an open execution (without `run_id`, the open run of that id). Raises `UnknownResource`, `SwfError`."""
    request = {"domain": domain, "workflowId": workflow_id, "runId": run_id, "signalName": signal_name, "input": input}
    cold_call(client or make_client(), "SignalWorkflowExecution", _without_none(request))


def cancel_workflow(domain: str, workflow_id: str, run_id: str | None = None, client: SWFClient | None = None) -> None:
    """Ask an open execution to cancel itself. Raises `UnknownResource` and other kinds of `SwfError`."""
    request = {"domain": domain, "workflowId": workflow_id, "runId": run_id}
    cold_call(client or make_client(), "RequestCancelWorkflowExecution", _without_none(request))


def terminate_workflow(
    domain: str,
    workflow_id: str,
    run_id: str | None = None,
    *,
    reason: str | None = None,
    details: str | None = None,
    child_policy: str | None = None,
    client: SWFClient | None = None,
) -> None:
    """Close an open execution at once, without asking it. Reason and details are cut to SWF's limits."""
    request = {
        "domain": domain,
        "workflowId": workflow_id,
        "runId": run_id,
        "reason": None if reason is None else cut_reason(reason),
        "details": None if details is None else cut_details(details),
        "childPolicy": child_policy,
    }
    cold_call(client or make_client(), "TerminateWorkflowExecution", _without_none(request))


def _describe(client: SWFClient, domain: str, workflow_id: str, run_id: str) -> JsonObject:
    request = {"domain": domain, "execution": {"workflowId": workflow_id, "runId": run_id}}
    return cold_call(client, "DescribeWorkflowExecution", request)


def _is_closed(client: SWFClient, domain: str, workflow_id: str, run_id: str) -> bool:
    """True once closed; a failure that may pass counts as not yet."""
    try:
        description = _describe(client, domain, workflow_id, run_id)
    except SwfError as error:
        if not error.retryable:
            raise
        logger.warning("Waiting for workflowId=%r goes on: %s", workflow_id, error)
        return False
    return bool(description["executionInfo"]["executionStatus"] == "CLOSED")


def _exit_event(client: SWFClient, domain: str, workflow_id: str, run_id: str) -> JsonObject | None:
    for event in _history_backwards(client, domain, workflow_id, run_id):
        if event["eventType"] in _CLOSE_EVENTS:
            return event
    return None


def _history_backwards(client: SWFClient, domain: str, workflow_id: str, run_id: str) -> Iterator[JsonObject]:
    request: JsonObject = {
        "domain": domain,
        "execution": {"workflowId": workflow_id, "runId": run_id},
        "reverseOrder": True,
        "maximumPageSize": 10,
    }
    while True:
        page = cold_call(client, "GetWorkflowExecutionHistory", request)
        yield from page["events"]
        if "nextPageToken" not in page:
            return
        request["nextPageToken"] = page["nextPageToken"]


def _tell_exit(status: WorkflowStatus, event: JsonObject | None) -> None:
    if event is None:
        return
    status.exit_event = event
    kind = event["eventType"]
    attributes = event.get(f"{kind[0].lower()}{kind[1:]}EventAttributes", {})
    if kind == "WorkflowExecutionCompleted":
        status.result = attributes.get("result")
    elif kind == "WorkflowExecutionFailed":
        status.failure_reason = attributes.get("reason")
        status.failure_details = attributes.get("details")


def _open_run_of(client: SWFClient, domain: str, workflow_id: str, asked_at: datetime) -> str:
    # boto3 sends whole seconds and clocks differ a little: look back a day, the id is unique anyway.
    request = {
        "domain": domain,
        "startTimeFilter": {"oldestDate": asked_at - timedelta(days=1)},
        "executionFilter": {"workflowId": workflow_id},
    }
    found = cold_call(client, "ListOpenWorkflowExecutions", request)["executionInfos"]
    if not found:
        closed = cold_call(client, "ListClosedWorkflowExecutions", request)
        found = closed["executionInfos"]
    if not found:
        raise ExecutionAlreadyStarted(
            f"workflowId {workflow_id!r} was started, but its run cannot be found yet",
            operation="StartWorkflowExecution",
            code="WorkflowExecutionAlreadyStartedFault",
        )
    return str(found[0]["execution"]["runId"])


def _tags(tags: Iterable[str] | None) -> list[str] | None:
    if tags is None:
        return None
    if isinstance(tags, str):
        raise TypeError(f"tag_list is the text {tags!r}; give a list of texts")
    listed = list(tags)
    if len(listed) > TAGS_MAX:
        raise ValueError(f"tag_list has {len(listed)} tags; SWF takes {TAGS_MAX}")
    return listed


def _text(value: float | str | None) -> str | None:
    return str(value) if isinstance(value, numbers.Number) else value  # type: ignore[return-value]  # a number or not


def _without_none(request: Mapping[str, object]) -> JsonObject:
    return {member: value for member, value in request.items() if value is not None}
