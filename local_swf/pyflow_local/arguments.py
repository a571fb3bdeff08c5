"""The command line of a server: declared once, for `pyflow dev` and for `python -m pyflow_local`."""

from __future__ import annotations

import argparse
from typing import Any

from pyflow_local.engine.limits import Quotas
from pyflow_local.engine.rates import Rates
from pyflow_local.engine.restrictions import Restrictions
from pyflow_local.errors import BadServerArgument
from pyflow_local.server import ServerOptions

PORT_MAX = 65_535
_DEFAULTS = ServerOptions()


def add_server_arguments(parser: argparse.ArgumentParser, data: str | None) -> None:
    """Declare everything that can be chosen about a server; `data` is the data file unless another one is given."""
    kept = f"default {data}" if data else "default: in memory"
    add = parser.add_argument
    add("--host", default=_DEFAULTS.host, help=f"address to listen on (default {_DEFAULTS.host})")
    add("--port", type=_port, default=_DEFAULTS.port, help=f"port; 0: any free one (default {_DEFAULTS.port})")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--data", metavar="FILE", default=data, help=f"keep everything in this file ({kept})")
    where.add_argument("--memory", action="store_true", help="keep everything in memory only")
    add("--full-sync", action="store_true", help="survive power loss too, not only a killed process")
    add(
        "--lambda",
        dest="lambdas",
        action="append",
        default=[],
        metavar="NAME=module:function",
        help="run Lambda tasks of this name by a Python function (can be repeated)",
    )
    add("--lambda-endpoint", metavar="URL", help="forward all other Lambda tasks to this Lambda-compatible endpoint")
    add("--relax-quotas", action="store_true", help="lift the service's quotas (they are enforced otherwise)")
    add("--throttle", action="store_true", help="throttle calls and decisions as the service does (never otherwise)")
    add(
        "--deny",
        dest="denied",
        action="append",
        default=[],
        metavar="swf:ACTION",
        help="refuse an operation or a decision, such as swf:RecordMarker, as missing IAM permissions do (repeatable)",
    )
    add("--no-lambda", action="store_true", help="behave as in a region without AWS Lambda")
    add("--allow-time-skipping", action="store_true", help="serve POST /_pyflow/skip-time, which moves the clock")
    add(
        "--require-sigv4",
        action="append",
        default=[],
        metavar="KEY:SECRET",
        help="refuse requests that are not signed by this access key (can be repeated)",
    )
    add("--insecure", action="store_true", help="listen on other than loopback addresses without any check")
    add("--region", default=_DEFAULTS.region, help=f"region in ARNs (default {_DEFAULTS.region})")
    add("--account", default=_DEFAULTS.account, help=f"account number in ARNs (default {_DEFAULTS.account})")
    add(
        "--poll-hold",
        dest="poll_hold_s",
        type=_seconds,
        default=_DEFAULTS.poll_hold_s,
        metavar="SECONDS",
        help=f"answer a long poll that found nothing after so long (default {_DEFAULTS.poll_hold_s:.0f}, as SWF)",
    )


def server_options(arguments: argparse.Namespace) -> ServerOptions:
    """What was asked for. Raises BadServerArgument for texts that do not have the form they must have."""
    return ServerOptions(
        host=arguments.host,
        port=arguments.port,
        data=None if arguments.memory else arguments.data,
        lambdas=_lambdas(arguments.lambdas),
        full_sync=arguments.full_sync,
        region=arguments.region,
        account=arguments.account,
        quotas=Quotas.relaxed() if arguments.relax_quotas else Quotas(),
        restrictions=_restrictions(arguments),
        lambda_endpoint=arguments.lambda_endpoint,
        allow_time_skipping=arguments.allow_time_skipping,
        require_sigv4=_credentials(arguments.require_sigv4),
        insecure=arguments.insecure,
        poll_hold_s=arguments.poll_hold_s,
    )


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > PORT_MAX:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; a number from 0 to {PORT_MAX} is")
    return int(text)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above 0")
    return value


def _restrictions(arguments: argparse.Namespace) -> Restrictions:
    if arguments.no_lambda and (arguments.lambdas or arguments.lambda_endpoint):
        raise BadServerArgument("--no-lambda contradicts --lambda and --lambda-endpoint; give one or the other")
    rates = Rates() if arguments.throttle else None
    try:
        return Restrictions(denied=frozenset(arguments.denied), rates=rates, lambda_service=not arguments.no_lambda)
    except ValueError as error:
        raise BadServerArgument(f"--deny: {error}") from error


def _lambdas(pairs: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in pairs:
        name, _, target = pair.partition("=")
        module_name, _, function_name = target.partition(":")
        if not (name and module_name and function_name):
            raise BadServerArgument(
                f"--lambda {pair!r} is not NAME=module:function; write for example resize=functions:resize"
            )
        _put("--lambda", found, name, target)
    return found


def _credentials(pairs: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for number, pair in enumerate(pairs, 1):
        key, _, secret = pair.partition(":")
        if not (key and secret):
            # The text itself may be a secret: it must not get into a log.
            raise BadServerArgument(f"--require-sigv4 number {number} is not KEY:SECRET (an access key and its secret)")
        _put("--require-sigv4", found, key, secret)
    return found


def _put(option: str, found: dict[str, Any], name: str, value: str) -> None:
    if name in found:
        raise BadServerArgument(f"{option} names {name!r} twice; give it once")
    found[name] = value
