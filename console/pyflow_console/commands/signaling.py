"""`pyflow signal`: sends a signal to an open execution."""

from __future__ import annotations

import argparse

from pyflow.starter import signal_workflow
from pyflow.swf import UnknownResource

from pyflow_console.arguments import Commands, add_execution, declare, json_text
from pyflow_console.errors import BadArgument
from pyflow_console.payload_options import add_payload_options, payload_changes
from pyflow_console.reaching import client_for


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = declare(commands, "signal", run, "send a signal to an open execution")
    add_execution(parser)
    parser.add_argument("signal_name", metavar="SIGNAL", help="the signal's name")
    parser.add_argument("--input", metavar="JSON", help="what the signal carries")
    add_payload_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Send it. Raises BadArgument, SwfError."""
    text = json_text("--input", arguments.input)
    if text is not None:
        text = payload_changes(arguments)[0](text)
    client = client_for(arguments.domain)
    try:
        signal_workflow(
            arguments.domain, arguments.workflow_id, arguments.signal_name, text, arguments.run_id, client=client
        )
    except UnknownResource as error:
        if error.is_unknown_domain:
            raise
        raise BadArgument(
            f"domain {arguments.domain!r} has no open execution {arguments.workflow_id!r}"
            f"{f' with the run id {arguments.run_id!r}' if arguments.run_id else ''}: it is closed or was never there. "
            f"`pyflow status {arguments.workflow_id} --domain {arguments.domain}` tells"
        ) from error
    return 0
