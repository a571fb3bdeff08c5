"""`pyflow why`: says in words why an execution is not moving, and what to do about it."""

from __future__ import annotations

import argparse
import textwrap
import time
from typing import TYPE_CHECKING, Any

from pyflow.exceptions import DeciderException
from pyflow.swf import cold_call
from pyflow.workflow import Workflow

from pyflow_console import executions
from pyflow_console.arguments import Commands, add_execution, declare, host_and_port, seconds
from pyflow_console.decision_state import decision_state, with_decision_begun
from pyflow_console.diagnosis import Case, Finding, diagnose, task_lists_to_ask
from pyflow_console.errors import BadArgument
from pyflow_console.held import hold_of
from pyflow_console.moments import moment, span
from pyflow_console.payload_options import add_payload_options, payload_settings
from pyflow_console.reaching import client_for
from pyflow_console.rehearsal import REHEARSAL_MAX_S, rehearse
from pyflow_console.targets import load_class

if TYPE_CHECKING:
    from mypy_boto3_swf.client import SWFClient

TOLD = 0
HELD = 1


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = declare(commands, "why", run, "say in words why an execution is not moving, and what to do")
    add_execution(parser)
    parser.add_argument(
        "--workflow",
        metavar="MODULE:CLASS",
        help="run this code over the history: says where it waits, or why a decider with it would hold the execution "
        "(exit code 1)",
    )
    parser.add_argument(
        "--within",
        type=seconds,
        default=REHEARSAL_MAX_S,
        metavar="SECONDS",
        help=f"how long that code may take before it counts as looping (default {REHEARSAL_MAX_S:g})",
    )
    add_payload_options(parser)
    parser.add_argument(
        "--decider",
        action="append",
        type=host_and_port,
        default=[],
        metavar="HOST:PORT",
        help="ask the decider with this --metrics-address whether and why it holds the execution; several may be given",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the findings. Raises BadArgument, NotReached, SwfError."""
    workflow_class = load_class(arguments.workflow, Workflow) if arguments.workflow else None
    client = client_for(arguments.domain)
    run_id = executions.run_id_of(client, arguments.domain, arguments.workflow_id, arguments.run_id)
    case = _case(client, arguments.domain, arguments.workflow_id, run_id)
    print(f"{case.workflow_type}, workflow id {case.workflow_id}, run id {case.run_id}")
    found = hold_of(run_id, arguments.decider) if case.is_open else None
    if found is not None:
        _print(_told_by_decider(*found, now_s=case.now_s))
    holds_here = False
    if case.is_open and workflow_class is not None:
        holds_here, finding = _rehearsal(case, workflow_class, arguments)
        _print(finding)
    for finding in diagnose(case, reason_known=found is not None or holds_here):
        _print(finding)
    return HELD if found is not None or holds_here else TOLD


def _case(client: SWFClient, domain: str, workflow_id: str, run_id: str) -> Case:
    description = executions.describe(client, domain, workflow_id, run_id)
    events = list(executions.history(client, domain, workflow_id, run_id))
    decisions, activities = task_lists_to_ask(events)
    return Case(
        domain=domain,
        description=description,
        events=events,
        now_s=time.time(),
        pending_decisions={name: _pending(client, "CountPendingDecisionTasks", domain, name) for name in decisions},
        pending_activities={name: _pending(client, "CountPendingActivityTasks", domain, name) for name in activities},
    )


def _pending(client: SWFClient, operation: str, domain: str, task_list: str) -> int:
    return int(cold_call(client, operation, {"domain": domain, "taskList": {"name": task_list}})["count"])


def _told_by_decider(address: tuple[str, int], entry: dict[str, Any], *, now_s: float) -> Finding:
    since_s = float(entry["since_s"])
    return Finding(
        what=f"The decider at {address[0]}:{address[1]} has held it since {moment(since_s)} "
        f"({span(now_s - since_s)}; tried {entry['times']} times): {entry['message']}"
    )


def _rehearsal(case: Case, workflow_class: type[Workflow], arguments: argparse.Namespace) -> tuple[bool, Finding]:
    """Whether the code here would hold it, and what to say of that."""
    try:
        done = rehearse(
            workflow_class,
            with_decision_begun(case.events, case.now_s),
            workflow_id=case.workflow_id,
            run_id=case.run_id,
            settings=payload_settings(arguments.codecs, arguments.large_payloads),
            within_s=arguments.within,
        )
    except DeciderException as error:
        raise BadArgument(f"--workflow {arguments.workflow}: {error}") from error
    here = f"The code here ({arguments.workflow})"
    if done.held is not None:
        fitting = "that asks for what history holds: the old code, or the change behind swf.patched"
        ending = "that waits for something or ends: what loops or blocks belongs into an activity"
        wanted = ending if done.loops else fitting
        return True, Finding(
            what=f"{here} would hold it: {done.held}",
            todo=f"A decider with it does not answer, and nothing is lost. Deploy code {wanted}",
        )
    waits = f" It waits at {', '.join(done.waiting_at)}." if done.waiting_at else ""
    if decision_state(case.events).in_vain:
        return False, Finding(
            what=f"{here} decides it without trouble.{waits}",
            todo="The decider that took it runs other code, was killed, or is too slow: start deciders with this code",
        )
    return False, Finding(what=f"{here} fits its history.{waits}")


def _print(finding: Finding) -> None:
    print(textwrap.indent(finding.what, "  ").replace("  ", "- ", 1))
    if finding.todo is not None:
        print(f"    -> {finding.todo}")
