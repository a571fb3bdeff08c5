"""`pyflow dev`: the embedded SWF in the foreground, until it is asked to end."""

from __future__ import annotations

import argparse

from pyflow_local.engine.limits import Quotas
from pyflow_local.errors import LocalSwfError
from pyflow_local.server import serve

from pyflow_console.arguments import Commands, declare
from pyflow_console.errors import BadArgument, ConsoleError

PORT_MAX = 65_535
DATA_FILE = "pyflow-dev.db"


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = declare(commands, "dev", run, "run the embedded SWF, for development and for one machine")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--port", type=_port, default=8042, help="port to listen on; 0: any free one (default 8042)")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--data", metavar="FILE", default=DATA_FILE, help=f"keep everything here (default {DATA_FILE})")
    where.add_argument("--memory", action="store_true", help="keep everything in memory only")
    parser.add_argument(
        "--lambda",
        dest="lambdas",
        action="append",
        default=[],
        metavar="NAME=module:function",
        help="run Lambda tasks of this name by a Python function (can be repeated)",
    )
    parser.add_argument(
        "--lambda-endpoint", metavar="URL", help="a Lambda-compatible endpoint for functions not named by --lambda"
    )
    parser.add_argument("--full-sync", action="store_true", help="survive power loss too, not only a killed process")
    parser.add_argument("--relax-quotas", action="store_true", help="lift the quotas that SWF has for an account")
    parser.add_argument(
        "--allow-time-skipping", action="store_true", help="let tests skip time; never where it matters"
    )
    parser.add_argument(
        "--require-sigv4",
        action="append",
        default=[],
        metavar="KEY:SECRET",
        help="answer only what is signed with this key (can be repeated)",
    )
    parser.add_argument("--insecure", action="store_true", help="listen on other than loopback addresses, unchecked")


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT; prints one line when requests are answered. Raises ConsoleError."""
    try:
        serve(
            host=arguments.host,
            port=arguments.port,
            data=None if arguments.memory else arguments.data,
            lambdas=_lambdas(arguments.lambdas),
            ready=lambda url: print(f"SWF endpoint: {url}", flush=True),
            full_sync=arguments.full_sync,
            quotas=Quotas.relaxed() if arguments.relax_quotas else None,
            lambda_endpoint=arguments.lambda_endpoint,
            allow_time_skipping=arguments.allow_time_skipping,
            require_sigv4=_keys(arguments.require_sigv4),
            insecure=arguments.insecure,
        )
    except LocalSwfError as error:
        raise ConsoleError(str(error)) from error
    return 0


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > PORT_MAX:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; a number from 0 to {PORT_MAX} is")
    return int(text)


def _keys(pairs: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in pairs:
        key, _, secret = pair.partition(":")
        if not (key and secret):
            raise BadArgument("a --require-sigv4 is not KEY:SECRET; both are needed")  # not shown: it may be a secret
        found[key] = secret
    return found


def _lambdas(pairs: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in pairs:
        name, _, target = pair.partition("=")
        module_name, _, function_name = target.partition(":")
        if not (name and module_name and function_name):
            raise BadArgument(
                f"--lambda {pair!r} is not NAME=module:function; write for example resize=functions:resize"
            )
        if name in found:
            raise BadArgument(f"--lambda names {name!r} twice; one function serves one name")
        found[name] = target
    return found
