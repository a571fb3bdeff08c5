"""`pyflow decider`: runs the code of workflow classes, in one process or several."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from pyflow.deciding.processes import ProcessesFailed, run_processes
from pyflow.swf import SwfError
from pyflow.worker import poll_for_executions
from pyflow.workflow import Workflow

from pyflow_console.arguments import Commands, add_domain, add_log_level, declare
from pyflow_console.errors import BadArgument, ConsoleError
from pyflow_console.logs import log_to_stderr
from pyflow_console.reaching import client_for
from pyflow_console.targets import load_class

PROCESSES_MAX = 64
NOT_DONE = 2


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = declare(commands, "decider", run, "run workflow classes: poll for decision tasks and answer them")
    parser.add_argument("classes", nargs="+", metavar="MODULE:CLASS", help="a workflow class, such as orders:Order")
    add_domain(parser)
    parser.add_argument("--task-list", required=True, help="the task list to poll")
    parser.add_argument("--processes", type=_processes, default=1, help="how many processes decide (default 1)")
    parser.add_argument("--identity", help="what histories call this decider; default: machine and process id")
    parser.add_argument("--max-time", type=float, metavar="SECONDS", help="end after so long; default: run for ever")
    add_log_level(parser)


def run(arguments: argparse.Namespace) -> int:
    """Decide until SIGTERM or SIGINT; then what is under way is finished. Raises ConsoleError, SwfError."""
    load_classes(arguments.classes)
    client_for(arguments.domain)
    work = (
        arguments.classes,
        arguments.domain,
        arguments.task_list,
        arguments.identity,
        arguments.max_time,
        arguments.log_level,
    )
    if arguments.processes == 1:
        decide(*work)
        return 0
    log_to_stderr(arguments.log_level)
    try:
        run_processes(arguments.processes, decide_apart, work, {})
    except ProcessesFailed as error:
        raise ConsoleError(str(error)) from error
    return 0


def load_classes(targets: Sequence[str]) -> list[type[Workflow]]:
    """The workflow classes of MODULE:CLASS arguments. Raises BadArgument."""
    return [load_class(target, Workflow) for target in targets]


def decide(
    targets: Sequence[str],
    domain: str,
    task_list: str,
    identity: str | None,
    max_time_s: float | None,
    log_level: str,
) -> None:
    """The work of one process, which may be a fresh one. Raises ConsoleError, SwfError."""
    log_to_stderr(log_level)
    classes = load_classes(targets)
    try:
        poll_for_executions(classes, domain, task_list, identity, max_time_s)
    except (TypeError, ValueError) as error:
        raise BadArgument(f"these workflow classes cannot be run: {error}") from error


def decide_apart(
    targets: Sequence[str],
    domain: str,
    task_list: str,
    identity: str | None,
    max_time_s: float | None,
    log_level: str,
) -> None:
    """`decide` in a process of several: failures are told here, as there is nobody above who could."""
    try:
        decide(targets, domain, task_list, identity, max_time_s, log_level)
    except (ConsoleError, SwfError) as error:
        print(f"pyflow: {error}", file=sys.stderr)
        raise SystemExit(NOT_DONE) from error


def _processes(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= PROCESSES_MAX:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of processes from 1 to {PROCESSES_MAX}")
    return int(text)
