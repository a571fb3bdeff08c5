"""`pyflow history`: the history of an execution, to read or as AWS prints it."""

from __future__ import annotations

import argparse
import json
import sys

from pyflow_console import executions, history_table
from pyflow_console.arguments import Commands, add_execution, declare
from pyflow_console.reaching import client_for


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = declare(commands, "history", run, "show the history of an execution")
    add_execution(parser)
    parser.add_argument(
        "--json", action="store_true", help="as `aws swf get-workflow-execution-history` prints it, to save or replay"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the history. Raises BadArgument, SwfError."""
    client = client_for(arguments.domain)
    run_id = executions.run_id_of(client, arguments.domain, arguments.workflow_id, arguments.run_id)
    if arguments.run_id is not None:
        executions.describe(client, arguments.domain, arguments.workflow_id, run_id)
    events = executions.history(client, arguments.domain, arguments.workflow_id, run_id)
    if arguments.json:
        json.dump({"events": list(events)}, sys.stdout, indent=4, ensure_ascii=False)
        print()
    else:
        for line in history_table.rows(events):
            print(line)
    return 0
