"""`pyflow signal`: sends a signal to an open execution."""

from __future__ import annotations

import argparse

from pyflow.starter import signal_workflow

from pyflow_console.arguments import json_text
from pyflow_console.swf_errors import speaks_to_swf


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command to the command line."""
    parser = subparsers.add_parser("signal", help="send a signal to an open execution")
    parser.add_argument("workflow_id")
    parser.add_argument("name", help="the signal's name")
    parser.add_argument("--domain", required=True, help="SWF domain")
    parser.add_argument("--run-id", help="default: the open run")
    parser.add_argument("--input", metavar="JSON", help="what the signal carries, as JSON")
    parser.set_defaults(run=run)


@speaks_to_swf
def run(options: argparse.Namespace) -> int:
    """Sends it. Raises CommandFailed."""
    text = json_text("--input", options.input)
    signal_workflow(options.domain, options.workflow_id, options.name, text, options.run_id)
    return 0
