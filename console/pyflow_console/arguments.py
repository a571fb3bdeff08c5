"""Arguments that several commands share: how they are declared and what they are checked for."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from pyflow_console.errors import BadArgument

PORT_MAX = 65_535

if TYPE_CHECKING:
    Commands: TypeAlias = argparse._SubParsersAction[argparse.ArgumentParser]
else:
    Commands = object


def declare(
    commands: Commands, name: str, run: Callable[[argparse.Namespace], int], summary: str
) -> argparse.ArgumentParser:
    """A new command's parser; `summary` is its line in the help of `pyflow`."""
    parser = commands.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")
    parser.set_defaults(run=run)
    return parser


def add_domain(parser: argparse.ArgumentParser) -> None:
    """`--domain`, which every command needs that speaks to SWF."""
    parser.add_argument("--domain", required=True, help="the SWF domain")


def add_execution(parser: argparse.ArgumentParser) -> None:
    """The execution a command is about: WORKFLOW_ID, `--run-id`, `--domain`."""
    parser.add_argument("workflow_id", metavar="WORKFLOW_ID", help="the execution's workflow id")
    parser.add_argument("--run-id", help="one run of it; left out: the open run, or else the latest")
    add_domain(parser)


def add_log_level(parser: argparse.ArgumentParser) -> None:
    """`--log-level` of commands that go on running."""
    parser.add_argument(
        "--log-level", default="info", choices=("debug", "info", "warning", "error"), help="what to log (default info)"
    )


def seconds(text: str) -> float:
    """The `type` of an argument that is a number of seconds above 0."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above 0")
    return value


def host_and_port(text: str) -> tuple[str, int]:
    """The `type` of an argument that is an address, `[::1]:9464` among them."""
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdecimal() or int(port) > PORT_MAX:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT, such as 127.0.0.1:9464")
    return host, int(port)


def json_text(argument: str, text: str | None) -> str | None:
    """The text itself when it is JSON; None stays None. Raises BadArgument."""
    if text is None:
        return None
    try:
        json.loads(text, parse_constant=_refuse)
    except ValueError as error:
        raise BadArgument(
            f"{argument} is not JSON: {error}. It was {_shortened(text)}. In a shell, JSON goes between single quotes, "
            f"and a text needs its own double quotes: {argument} '\"text\"'"
        ) from error
    return text


def _refuse(name: str) -> object:
    raise ValueError(f"JSON has no {name}")


def _shortened(text: str, length_max: int = 80) -> str:
    return repr(text) if len(text) <= length_max else f"{text[:length_max]!r}..."
