"""`pyflow`: reads the command line, runs one command, turns failures into one message and an exit code."""

from __future__ import annotations

import argparse
import importlib
import logging
import sys
from collections.abc import Sequence

from pyflow_console.errors import CommandFailed

COMMANDS = ("dev", "decider", "host", "worker", "start", "status", "history", "signal")
EXIT_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """The command's exit code: 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    options = parser(words).parse_args(words)
    logging.basicConfig(
        level=logging.DEBUG if options.verbose else logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    for noisy in ("botocore", "boto3", "urllib3"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    try:
        code: int = options.run(options)
    except CommandFailed as error:
        print(f"pyflow {options.command}: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    return code


def parser(words: Sequence[str]) -> argparse.ArgumentParser:
    """The command line. Only the command asked for is imported: an activity worker must not pay for boto3."""
    top = argparse.ArgumentParser(
        prog="pyflow",
        description="Durable workflows on Amazon SWF. SWF is found as every AWS tool finds it: AWS_ENDPOINT_URL_SWF, "
        "profile, region. `pyflow dev` runs one on this machine.",
    )
    top.add_argument("--verbose", action="store_true", help="log more")
    subparsers = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    asked = next((word for word in words if not word.startswith("-")), None)
    for name in [asked] if asked in COMMANDS else COMMANDS:
        importlib.import_module(f"pyflow_console.commands.{name}").add_parser(subparsers)
    return top
