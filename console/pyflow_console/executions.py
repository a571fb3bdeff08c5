"""Finds the run an operator means, and reads what SWF holds of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from pyflow.core.history import attributes_key
from pyflow.starter import WorkflowStatus
from pyflow.swf import UnknownResource, cold_call

from pyflow_console.errors import BadArgument

if TYPE_CHECKING:
    from mypy_boto3_swf.client import SWFClient

HISTORY_PAGE = 1000
LATEST_EVENTS = 100
LONG_AGO = datetime(2010, 1, 1, tzinfo=timezone.utc)
"""Before SWF was: every execution it still keeps began later."""


def run_id_of(client: SWFClient, domain: str, workflow_id: str, run_id: str | None) -> str:
    """`run_id` itself, or without one the open run of that workflow id, or else the latest closed one.

    Raises BadArgument when SWF knows none, SwfError.
    """
    if run_id is not None:
        return run_id
    request: dict[str, Any] = {
        "domain": domain,
        "startTimeFilter": {"oldestDate": LONG_AGO},
        "executionFilter": {"workflowId": workflow_id},
        "maximumPageSize": 1,
    }
    for operation in ("ListOpenWorkflowExecutions", "ListClosedWorkflowExecutions"):
        found = cold_call(client, operation, request)["executionInfos"]
        if found:
            return str(found[0]["execution"]["runId"])
    raise BadArgument(
        f"domain {domain!r} has no execution with the workflow id {workflow_id!r}, neither open nor kept since its "
        "end. Check the id, --domain and the endpoint"
    )


def describe(client: SWFClient, domain: str, workflow_id: str, run_id: str) -> dict[str, Any]:
    """SWF's description of a run. Raises SwfError, BadArgument when SWF does not know it."""
    request = {"domain": domain, "execution": {"workflowId": workflow_id, "runId": run_id}}
    try:
        return cold_call(client, "DescribeWorkflowExecution", request)
    except UnknownResource as error:
        if error.is_unknown_domain:
            raise
        raise BadArgument(f"domain {domain!r} has no execution {workflow_id!r} with the run id {run_id!r}") from error


def told_end(status: WorkflowStatus) -> dict[str, str]:
    """Why an execution did not complete, in the words of the event that closed it, by what they are called there."""
    event = status.exit_event
    if event is None or status.close_status in ("COMPLETED", "CONTINUED_AS_NEW"):
        return {}
    attributes = event[attributes_key(event["eventType"])]
    members = {"cause": "Cause", "timeoutType": "Timeout", "reason": "Reason", "details": "Details"}
    return {name: attributes[member] for member, name in members.items() if attributes.get(member)}


def history(client: SWFClient, domain: str, workflow_id: str, run_id: str) -> Iterator[dict[str, Any]]:
    """All events of a run, oldest first, `eventTimestamp` as epoch seconds. Raises SwfError."""
    request: dict[str, Any] = {
        "domain": domain,
        "execution": {"workflowId": workflow_id, "runId": run_id},
        "maximumPageSize": HISTORY_PAGE,
    }
    while True:
        page = cold_call(client, "GetWorkflowExecutionHistory", request)
        for event in page["events"]:
            # SWF's wire, and AWS's own command with its usual settings, have numbers; boto3 makes datetimes of them.
            yield {**event, "eventTimestamp": round(event["eventTimestamp"].timestamp(), 3)}
        if not page.get("nextPageToken"):
            return
        request["nextPageToken"] = page["nextPageToken"]


def latest_events(client: SWFClient, domain: str, workflow_id: str, run_id: str) -> list[dict[str, Any]]:
    """The last `LATEST_EVENTS` events of a run, newest first. Raises SwfError."""
    request: dict[str, Any] = {
        "domain": domain,
        "execution": {"workflowId": workflow_id, "runId": run_id},
        "maximumPageSize": LATEST_EVENTS,
        "reverseOrder": True,
    }
    found: list[dict[str, Any]] = cold_call(client, "GetWorkflowExecutionHistory", request)["events"]
    return found
