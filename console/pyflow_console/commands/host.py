"""`pyflow host`: the activity host."""

from __future__ import annotations

import argparse
from pathlib import Path

from pyflow_host import host
from pyflow_host.errors import BadOptions, HostError
from pyflow_host.options import HostOptions
from pyflow_host.supervisor import WorkerCommand

from pyflow_console.errors import CommandFailed, WrongUsage
from pyflow_console.swf_errors import speaks_to_swf


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command to the command line."""
    parser = subparsers.add_parser(
        "host",
        help="hand SWF's activity tasks to workers",
        description="Serves activity workers of any language until SIGTERM or SIGINT; then waits for open polls (up to "
        "60 s) and running tasks. It can start the workers itself and keep them running.",
    )
    parser.add_argument("--domain", required=True, action="append", help="SWF domain; may be repeated")
    parser.add_argument(
        "--listen",
        required=True,
        action="append",
        metavar="ADDRESS",
        help="unix:/path, 127.0.0.1:7233 or [::1]:0; may be repeated",
    )
    parser.add_argument(
        "--worker", action="append", default=[], metavar="COMMAND", help="a worker to start; may be repeated"
    )
    parser.add_argument("--token-key-file", type=Path, metavar="FILE", help="key that seals task tokens")
    parser.add_argument("--insecure", action="store_true", help="plaintext on addresses that are not of this machine")
    parser.set_defaults(run=run)


@speaks_to_swf
def run(options: argparse.Namespace) -> int:
    """Serves until it is told to stop. Raises CommandFailed."""
    try:
        return host.run(
            HostOptions(
                domains=options.domain,
                listen=options.listen,
                workers=[WorkerCommand.parsed(command) for command in options.worker],
                token_key_file=options.token_key_file,
                insecure=options.insecure,
            )
        )
    except BadOptions as error:
        raise WrongUsage(str(error)) from error
    except HostError as error:
        raise CommandFailed(str(error)) from error
