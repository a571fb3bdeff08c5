"""`pyflow worker`: runs the activities of a Python module for an activity host."""

from __future__ import annotations

import argparse

from pyflow_console.arguments import Commands, declare
from pyflow_console.errors import ConsoleError
from pyflow_console.targets import load_module


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = declare(commands, "worker", run, "run the activities of a Python module, fed by an activity host")
    parser.add_argument("module", metavar="MODULE", help="the module that defines activities")
    parser.add_argument("--host", metavar="ADDRESS", help="the host's address; left out: PYFLOW_HOST_ADDRESS")
    parser.add_argument("--task-list", help="the activity task list; left out: PYFLOW_TASK_LIST")
    parser.add_argument("--slots", type=int, help="how many tasks run at a time; left out: PYFLOW_SLOTS, or 8")


def run(arguments: argparse.Namespace) -> int:
    """Work until SIGTERM or SIGINT, then finish what is running. Raises ConsoleError."""
    from pyflow_activity.errors import WorkerError
    from pyflow_activity.main import run_worker

    load_module(arguments.module)
    try:
        return run_worker(arguments.module, host=arguments.host, task_list=arguments.task_list, slots=arguments.slots)
    except WorkerError as error:
        raise ConsoleError(str(error)) from error
