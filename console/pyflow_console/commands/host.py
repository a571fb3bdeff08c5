"""`pyflow host`: the activity host, which takes activity tasks from SWF and hands them to workers."""

from __future__ import annotations

import argparse

from pyflow_host.errors import HostError
from pyflow_host.host import run as run_host
from pyflow_host.logs import log_to_stderr
from pyflow_host.main import add_arguments, options_of

from pyflow_console.arguments import Commands, add_log_level, declare
from pyflow_console.errors import ConsoleError
from pyflow_console.reaching import client_for


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = declare(commands, "host", run, "run an activity host: SWF's activity tasks out to workers")
    add_arguments(parser)
    add_log_level(parser)


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT, then drain. Raises ConsoleError, SwfError."""
    log_to_stderr(arguments.log_level.upper())
    try:
        options = options_of(arguments)
        options.check()
        client_for(*options.domains, region=options.region, profile=options.profile, endpoint_url=options.endpoint_url)
        return run_host(options)
    except HostError as error:
        raise ConsoleError(str(error)) from error
