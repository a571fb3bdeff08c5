"""`pyflow status`: what an execution is doing, or how it ended."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from pyflow.core.history import read_stamp
from pyflow.starter import get_workflow_status

from pyflow_console import executions
from pyflow_console.arguments import Commands, add_execution, declare
from pyflow_console.payload_options import add_payload_options, payload_changes
from pyflow_console.reaching import client_for

OPEN_KINDS = {
    "openActivityTasks": "activity",
    "openLambdaFunctions": "Lambda",
    "openChildWorkflowExecutions": "child",
    "openTimers": "timer",
    "openDecisionTasks": "decision",
}


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = declare(commands, "status", run, "show what an execution is doing, or how it ended")
    add_execution(parser)
    add_payload_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print it. Raises BadArgument, SwfError."""
    _, decode = payload_changes(arguments)
    client = client_for(arguments.domain)
    run_id = executions.run_id_of(client, arguments.domain, arguments.workflow_id, arguments.run_id)
    executions.describe(client, arguments.domain, arguments.workflow_id, run_id)
    status = get_workflow_status(arguments.domain, arguments.workflow_id, run_id, client)
    assert status is not None, "it was described a moment ago"
    unanswered = None
    if status.workflow_description["openCounts"]["openDecisionTasks"]:
        unanswered = _unanswered(executions.latest_events(client, arguments.domain, arguments.workflow_id, run_id))
    ends = {
        "Decisions": unanswered,
        "Result": None if status.result is None else decode(status.result),
        **executions.told_end(status),
    }
    for name, value in (*_described(status.workflow_description), *ends.items()):
        if value is not None:
            print(f"{name:<14}{value}")
    return 0


def _unanswered(newest_first: Sequence[Mapping[str, Any]]) -> str | None:
    """What an operator should know of decision tasks that deciders took and did not answer; None if all is well."""
    times = 0
    taken_by = None
    for event in newest_first:
        if event["eventType"] == "DecisionTaskCompleted":
            break
        if event["eventType"] == "DecisionTaskStarted" and taken_by is None:
            taken_by = event["decisionTaskStartedEventAttributes"].get("identity")
        if event["eventType"] == "DecisionTaskTimedOut":
            times += event["decisionTaskTimedOutEventAttributes"]["timeoutType"] == "START_TO_CLOSE"
    if not times:
        return None
    return (
        f"{times} in a row not answered, the last taken by {taken_by or 'a decider without a name'}. It holds the "
        "execution, or it was killed or was too slow: `pyflow why` with the same arguments says more"
    )


def _described(description: Any) -> Iterator[tuple[str, str | None]]:
    info = description["executionInfo"]
    configuration = description["executionConfiguration"]
    kind = info["workflowType"]
    yield "Workflow", f"{kind['name']} {kind['version']}"
    yield "Workflow id", info["execution"]["workflowId"]
    yield "Run id", info["execution"]["runId"]
    yield "Status", " ".join(filter(None, (info["executionStatus"], info.get("closeStatus"))))
    yield "Cancel", "requested" if info.get("cancelRequested") and info["executionStatus"] == "OPEN" else None
    yield "Started", _moment(info["startTimestamp"])
    yield "Closed", _moment(info["closeTimestamp"]) if "closeTimestamp" in info else None
    yield "Task list", configuration["taskList"]["name"]
    parent = info.get("parent")
    yield "Parent", f"{parent['workflowId']} {parent['runId']}" if parent else None
    yield "Tags", ", ".join(info["tagList"]) if info.get("tagList") else None
    if info["executionStatus"] == "OPEN":
        yield "Open", _open(description["openCounts"])
    yield from _told(description.get("latestExecutionContext"))


def _told(context: str | None) -> Iterator[tuple[str, str | None]]:
    """What the code last gave to ``swf.set_status``; of a decider that is not pyflow, its whole execution context."""
    stamp = read_stamp(context)
    if stamp is None:
        yield "Context", context
    elif "status" in stamp:
        yield "Says", json.dumps(stamp["status"], ensure_ascii=False)


def _open(counts: dict[str, int]) -> str:
    found = [f"{counts[key]} {word}" for key, word in OPEN_KINDS.items() if counts.get(key)]
    return ", ".join(found) or "nothing"


def _moment(value: datetime) -> str:
    return value.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")
