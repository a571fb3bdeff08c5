"""2.0.0's small functions on a boto3 SWF client, and the logger: kept for programs, used by nothing here."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pyflow import payloads
from pyflow.replay_logging import logger

if TYPE_CHECKING:
    from mypy_boto3_swf.client import SWFClient

__all__ = [
    "decode_task_result",
    "encode_task_input",
    "init_domain",
    "iter_collection",
    "list_activity_types",
    "list_domains",
    "list_workflow_history",
    "list_workflow_types",
    "logger",
    "poll_for_activity_tasks",
    "poll_for_decision_tasks",
    "schedule_activity_task",
]

SAMPLE_DOMAIN = "SWFSampleDomain"


def encode_task_input(input_obj: Any) -> str:
    """A value as JSON text."""
    return payloads.to_json(input_obj)


def decode_task_result(result_str: str | bytes | None) -> Any:
    """The value of a JSON text; None for no text."""
    return None if result_str is None else json.loads(result_str)


def iter_collection(paginator: Iterable[Mapping[str, Any]], items_key: str) -> Iterator[Any]:
    """The items of all pages, one after another."""
    for page in paginator:
        yield from page[items_key]


def list_domains(swf: SWFClient) -> Iterator[Any]:
    """The registered domains."""
    return _listed(swf, "list_domains", "domainInfos", registrationStatus="REGISTERED")


def list_workflow_types(swf: SWFClient, domain: str) -> Iterator[Any]:
    """The registered workflow types of a domain."""
    return _listed(swf, "list_workflow_types", "typeInfos", domain=domain, registrationStatus="REGISTERED")


def list_activity_types(swf: SWFClient, domain: str) -> Iterator[Any]:
    """The registered activity types of a domain."""
    return _listed(swf, "list_activity_types", "typeInfos", domain=domain, registrationStatus="REGISTERED")


def list_workflow_history(
    swf: SWFClient, domain: str, workflow_id: str, run_id: str, reverse: bool = False
) -> Iterator[Any]:
    """The events of an execution; with ``reverse`` the last first."""
    execution = {"workflowId": workflow_id, "runId": run_id}
    operation = "get_workflow_execution_history"
    return _listed(swf, operation, "events", domain=domain, execution=execution, reverseOrder=reverse)


def poll_for_decision_tasks(swf: SWFClient, domain: str, task_list: str, identity: str) -> Any:
    """One poll: the task with the events of all its pages. Without ``taskToken`` if none came in 60 s."""
    pages = swf.get_paginator("poll_for_decision_task").paginate(
        domain=domain, taskList={"name": task_list}, identity=identity
    )
    task: Any = None
    for page in pages:
        if task is None:
            task = page
        else:
            task["events"] += page["events"]
    return task


def poll_for_activity_tasks(swf: SWFClient, domain: str, task_list: str, identity: str) -> Any:
    """One poll for an activity task. Without ``taskToken`` if none came in 60 s."""
    return swf.poll_for_activity_task(domain=domain, taskList={"name": task_list}, identity=identity)


def schedule_activity_task(
    swf: SWFClient, task: Mapping[str, Any], task_list: str, activity_type: Any, **options: Any
) -> None:
    """Answer a decision task by scheduling one activity; ``options`` are members of the decision."""
    attributes: Any = {
        "activityType": activity_type,
        "activityId": f"activityId-{uuid.uuid4()}",
        "taskList": {"name": task_list},
        **options,
    }
    swf.respond_decision_task_completed(
        taskToken=task["taskToken"],
        decisions=[{"decisionType": "ScheduleActivityTask", "scheduleActivityTaskDecisionAttributes": attributes}],
    )


def init_domain(swf: SWFClient) -> str:
    """Register the domain SWFSampleDomain if it is not there; its name."""
    if not any(domain["name"] == SAMPLE_DOMAIN for domain in list_domains(swf)):
        swf.register_domain(
            name=SAMPLE_DOMAIN, description=f"{SAMPLE_DOMAIN} domain", workflowExecutionRetentionPeriodInDays="1"
        )
    return SAMPLE_DOMAIN


def _listed(swf: SWFClient, operation: Any, items_key: str, **request: Any) -> Iterator[Any]:
    return iter_collection(swf.get_paginator(operation).paginate(**request), items_key)
