"""`pyflow dev`: the embedded SWF."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pyflow_local.errors import LocalSwfError
from pyflow_local.server import ServerOptions, serve_options

from pyflow_console.errors import CommandFailed, WrongUsage


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command to the command line."""
    parser = subparsers.add_parser(
        "dev",
        help="run an SWF on this machine",
        description="Runs the embedded SWF until SIGTERM or SIGINT. Prints its endpoint when it is ready to serve.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, default=8042, help="port; 0 takes a free one (default: 8042)")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--data", metavar="FILE", help="keep everything in this file (default: pyflow-dev.db)")
    where.add_argument("--memory", action="store_true", help="keep everything in memory")
    parser.add_argument(
        "--lambda",
        dest="lambdas",
        metavar="NAME=module:function",
        action="append",
        default=[],
        help="run a Python function as the Lambda function NAME; may be repeated",
    )
    parser.add_argument(
        "--full-sync",
        action="store_true",
        help="survive power loss too, not only the end of this process (slower)",
    )
    parser.add_argument("--insecure", action="store_true", help="serve unsigned requests on a non-loopback address")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Serves until it is told to stop. Raises CommandFailed."""
    server = ServerOptions(
        host=options.host,
        port=options.port,
        data=None if options.memory else options.data or "pyflow-dev.db",
        lambdas=_lambdas(options.lambdas),
        full_sync=options.full_sync,
        insecure=options.insecure,
    )
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        serve_options(server, lambda endpoint: print(f"SWF endpoint: {endpoint}", flush=True))
    except LocalSwfError as error:
        raise CommandFailed(str(error)) from error
    return 0


def _lambdas(texts: list[str]) -> dict[str, str]:
    lambdas = {}
    for text in texts:
        name, _, target = text.partition("=")
        module, _, function = target.partition(":")
        if not (name and module and function):
            raise WrongUsage(f"--lambda {text}: write NAME=module:function, for example greet=functions:greet.")
        lambdas[name] = target
    return lambdas
