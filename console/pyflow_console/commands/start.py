"""`pyflow start`: starts an execution and, if asked, waits for its result."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

from pyflow.starter import WorkflowStatus, WorkflowWaitTimedOut, start_workflow, wait_for_workflow
from pyflow.swf import UnknownResource, is_loopback

from pyflow_console import executions
from pyflow_console.arguments import Commands, add_domain, declare, json_text, seconds
from pyflow_console.errors import BadArgument, ConsoleError
from pyflow_console.payload_options import Change, add_payload_options, payload_changes
from pyflow_console.reaching import client_for

if TYPE_CHECKING:
    from mypy_boto3_swf.client import SWFClient

LOCAL_LAMBDA_ROLE = "arn:aws:iam::123456789012:role/local"
"""For an endpoint on this machine: SWF asks for a role where Lambda tasks are used, the embedded one grants any."""

COMPLETED = 0
NOT_COMPLETED = 1


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = declare(commands, "start", run, "start an execution of a workflow type")
    parser.add_argument("name", metavar="NAME", help="the workflow type's name")
    parser.add_argument("version", metavar="VERSION", help="the workflow type's version")
    add_domain(parser)
    parser.add_argument("--input", metavar="JSON", help="what the workflow is given")
    parser.add_argument("--task-list", help="where decision tasks go; left out: the type's default")
    parser.add_argument("--workflow-id", help="left out: one is made up")
    parser.add_argument("--lambda-role", metavar="ARN", help="the role SWF assumes to invoke Lambda functions")
    parser.add_argument("--tag", action="append", metavar="TAG", help="a tag of the execution (up to 5)")
    parser.add_argument(
        "--wait", action="store_true", help="wait for the end; print the result; exit 1 if there is none"
    )
    parser.add_argument("--timeout", type=seconds, metavar="SECONDS", help="with --wait: how long; default: for ever")
    add_payload_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Start it; prints its ids as JSON, or with --wait the result. Raises ConsoleError, SwfError."""
    text = json_text("--input", arguments.input)
    encode, decode = payload_changes(arguments)
    client = client_for(arguments.domain)
    ids = _start(client, arguments, None if text is None else encode(text))
    if not arguments.wait:
        print(json.dumps(ids))
        return COMPLETED
    print(f"Started workflow id {ids['workflowId']}, run id {ids['runId']}", file=sys.stderr)
    return _tell_end(_end_of(client, arguments, ids), ids, decode)


def _start(client: SWFClient, arguments: argparse.Namespace, text: str | None) -> dict[str, str]:
    role = arguments.lambda_role
    if role is None and is_loopback(str(client.meta.endpoint_url)):
        role = LOCAL_LAMBDA_ROLE
    try:
        return start_workflow(
            arguments.domain,
            arguments.name,
            arguments.version,
            arguments.task_list,
            lambda_role=role,
            input=text,
            client=client,
            tag_list=arguments.tag,
            workflow_id=arguments.workflow_id,
        )
    except UnknownResource as error:
        what = (
            f"domain {arguments.domain!r}"
            if error.is_unknown_domain
            else f"workflow type {arguments.name!r} version {arguments.version!r} in domain {arguments.domain!r}"
        )
        raise BadArgument(
            f"SWF does not know the {what} ({error.message}). Deciders register what they decide: start "
            f"`pyflow decider MODULE:CLASS --domain {arguments.domain} --task-list ...`, or correct the name"
        ) from error
    except ValueError as error:
        raise BadArgument(str(error)) from error


def _end_of(client: SWFClient, arguments: argparse.Namespace, ids: dict[str, str]) -> WorkflowStatus:
    """How the execution ended; one that continued as new ends where the last of its runs does."""
    run_id = ids["runId"]
    while True:
        try:
            status = wait_for_workflow(
                arguments.domain, ids["workflowId"], run_id, client=client, timeout_s=arguments.timeout
            )
        except WorkflowWaitTimedOut as error:
            raise ConsoleError(f"{error}. It goes on; `pyflow status` tells how it fares") from error
        if status.close_status != "CONTINUED_AS_NEW":
            return status
        assert status.exit_event is not None, "a closed execution has an event that closed it"
        run_id = status.exit_event["workflowExecutionContinuedAsNewEventAttributes"]["newExecutionRunId"]
        ids["runId"] = run_id


def _tell_end(status: WorkflowStatus, ids: dict[str, str], decode: Change) -> int:
    if status.close_status == "COMPLETED":
        print("null" if status.result is None else _as_json(decode(status.result)))
        return COMPLETED
    why = ": ".join(executions.told_end(status).values())
    print(f"pyflow: {ids['workflowId']} {status.close_status}{f': {why}' if why else ''}", file=sys.stderr)
    return NOT_COMPLETED


def _as_json(text: str) -> str:
    """The result as it is when it is JSON; deciders other than pyflow's may return any text."""
    try:
        json.loads(text)
    except ValueError:
        return json.dumps(text)
    return text
