"""`pyflow replay`: checks saved histories against today's code, before it is deployed."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pyflow.replayer import Replayed, replay_files
from pyflow.workflow import Workflow

from pyflow_console.arguments import Commands, declare
from pyflow_console.payload_options import add_payload_options, payload_settings
from pyflow_console.targets import load_class

FITS = 0
FITS_NOT = 1


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = declare(commands, "replay", run, "check saved histories against today's code of a workflow")
    parser.add_argument("target", metavar="MODULE:CLASS", help="the workflow class, such as orders:Order")
    parser.add_argument(
        "histories", nargs="+", type=Path, metavar="HISTORY", help="what `pyflow history --json` printed, in a file"
    )
    add_payload_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Replay them all; exit code 1 when one does not fit or is no history. Raises BadArgument."""
    workflow_class = load_class(arguments.target, Workflow)
    code = FITS
    settings = payload_settings(arguments.codecs, arguments.large_payloads)
    for path, found in replay_files(workflow_class, arguments.histories, settings=settings):
        if isinstance(found, Replayed):
            waits = f", waiting at {', '.join(found.waiting_at)}" if found.waiting_at else ""
            print(f"{path}: {found.decisions_checked} decisions made again ({found.events} events){waits}")
        else:
            print(f"pyflow: {path}: {found}", file=sys.stderr)
            code = FITS_NOT
    return code
