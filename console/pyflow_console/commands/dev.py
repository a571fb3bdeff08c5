"""`pyflow dev`: the embedded SWF in the foreground, until it is asked to end."""

from __future__ import annotations

import argparse

from pyflow_local.arguments import add_server_arguments, server_options
from pyflow_local.errors import LocalSwfError
from pyflow_local.server import serve_options

from pyflow_console.arguments import Commands, declare
from pyflow_console.errors import ConsoleError

DATA_FILE = "pyflow-dev.db"


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = declare(commands, "dev", run, "run the embedded SWF, for development and for one machine")
    add_server_arguments(parser, data=DATA_FILE)


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT; prints one line when requests are answered. Raises ConsoleError."""
    try:
        serve_options(server_options(arguments), ready=lambda url: print(f"SWF endpoint: {url}", flush=True))
    except LocalSwfError as error:
        raise ConsoleError(str(error)) from error
    return 0
