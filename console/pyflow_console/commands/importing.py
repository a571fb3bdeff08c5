"""`pyflow import`: a saved history, from Amazon SWF too, into an embedded SWF, to look at it there."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pyflow.swf import ensure_domain
from pyflow_local import LocalSwf, LocalSwfError
from pyflow_local.engine.faults import Fault
from pyflow_local.transfer import read_history

from pyflow_console import embedded
from pyflow_console.arguments import Commands, add_domain, declare
from pyflow_console.errors import BadArgument, ConsoleError
from pyflow_console.reaching import client_for

if TYPE_CHECKING:
    from mypy_boto3_swf.client import SWFClient

RETENTION_DAYS = 90
"""Of a domain that is registered for it: as long as there is, since whoever imports a history wants to look at it."""


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = declare(commands, "import", run, "take a saved history into the embedded SWF, to look at it there")
    parser.add_argument(
        "history",
        type=Path,
        metavar="HISTORY",
        help="what `pyflow history --json` or `aws swf get-workflow-execution-history` printed, in a file",
    )
    add_domain(parser)
    parser.add_argument("--workflow-id", help="the workflow id it gets (default: the file's name without its ending)")
    parser.add_argument(
        "--data", metavar="FILE", help="the data file of an embedded SWF that is stopped; left out: the one that runs"
    )


def run(arguments: argparse.Namespace) -> int:
    """Import it, and say how to look at it. A domain that is not there is registered. Raises ConsoleError, SwfError."""
    path: Path = arguments.history
    workflow_id: str = arguments.workflow_id or path.stem
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadArgument(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    try:
        events = read_history(text)
        if arguments.data is not None:
            run_id = _into_file(arguments.data, arguments.domain, workflow_id, text)
        else:
            run_id = _into_server(arguments.domain, workflow_id, events)
    except LocalSwfError as error:
        raise ConsoleError(f"{path} was not imported: {error}") from error
    print(f"Run id: {run_id}")
    print(f"Look at it with: pyflow history {workflow_id} --domain {arguments.domain} --run-id {run_id}")
    return 0


def _into_file(data: str, domain: str, workflow_id: str, text: str) -> str:
    """Into the data file of a server that does not run. Raises ConsoleError, LocalSwfError."""
    with LocalSwf(data) as local:
        _provide_domain(local.client(), domain)
        try:
            return local.import_history(domain, workflow_id, text)
        except Fault as fault:
            raise ConsoleError(f"the embedded SWF refused the history: {fault.message}") from fault


def _into_server(domain: str, workflow_id: str, events: Sequence[bytes]) -> str:
    """Into the server that the environment names. Raises ConsoleError, SwfError."""
    client = client_for()
    embedded.check_embedded(client.meta.endpoint_url)
    _provide_domain(client, domain)
    return embedded.import_history(client.meta.endpoint_url, client.meta.region_name, domain, workflow_id, events)


def _provide_domain(client: SWFClient, domain: str) -> None:
    ensure_domain(client, domain, retention_days=RETENTION_DAYS)
