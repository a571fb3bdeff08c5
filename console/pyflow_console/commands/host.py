"""`pyflow host`: the activity host, which takes activity tasks from SWF and hands them to workers."""

from __future__ import annotations

import argparse
from pathlib import Path

from pyflow_host.errors import HostError
from pyflow_host.host import run as run_host
from pyflow_host.options import HostOptions
from pyflow_host.supervisor import WorkerCommand

from pyflow_console.arguments import Commands, add_log_level, declare
from pyflow_console.errors import ConsoleError
from pyflow_console.logs import log_to_stderr
from pyflow_console.reaching import client_for


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = declare(commands, "host", run, "run an activity host: SWF's activity tasks out to workers")
    parser.add_argument(
        "--domain",
        dest="domains",
        action="append",
        required=True,
        help="the SWF domain (repeated: several; the first is the default of workers that name none)",
    )
    parser.add_argument(
        "--listen",
        action="append",
        required=True,
        metavar="ADDRESS",
        help="unix:/path or host:port; port 0: any free one (can be repeated)",
    )
    parser.add_argument(
        "--worker",
        dest="workers",
        action="append",
        default=[],
        metavar="COMMAND",
        help="a worker process to start and keep running (can be repeated)",
    )
    parser.add_argument("--token-key-file", type=Path, metavar="FILE", help="the key that seals task tokens")
    parser.add_argument("--auth-token-file", type=Path, metavar="FILE", help="bearer tokens accepted, one a line")
    parser.add_argument("--insecure", action="store_true", help="allow plaintext on addresses not of this machine")
    add_log_level(parser)


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT, then drain. Raises ConsoleError, SwfError."""
    log_to_stderr(arguments.log_level)
    try:
        options = HostOptions(
            domains=arguments.domains,
            listen=arguments.listen,
            workers=[WorkerCommand.parsed(text) for text in arguments.workers],
            token_key_file=arguments.token_key_file,
            auth_token_file=arguments.auth_token_file,
            insecure=arguments.insecure,
        )
        options.check()
        client_for(*arguments.domains)
        return run_host(options)
    except HostError as error:
        raise ConsoleError(str(error)) from error
