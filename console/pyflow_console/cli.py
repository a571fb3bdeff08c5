"""The `pyflow` command: reads the command line, runs one command, and tells failures in words.

Exit codes: 0 done; 1 the execution that was waited for did not complete, or code does not fit a history;
2 it could not be done; 130 interrupted.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from importlib.metadata import version

from pyflow_console.errors import ConsoleError

DONE = 0
NOT_DONE = 2
INTERRUPTED = 130
DEBUG_VARIABLE = "PYFLOW_DEBUG"

COMMANDS = {
    "dev": "dev",
    "decider": "decider",
    "host": "host",
    "worker": "worker",
    "start": "start",
    "status": "status",
    "why": "why",
    "history": "history",
    "replay": "replay",
    "import": "importing",
    "signal": "signaling",
}
"""Each command and its module in `commands`."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    try:
        words = sys.argv[1:] if arguments is None else list(arguments)
        parsed = parser(words).parse_args(words)
        code: int = parsed.run(parsed)
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("pyflow: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read the output has seen enough (`pyflow history ... | head`).
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except Exception as error:  # the outermost place there is: every failure becomes words here
        return _tell(error)
    return code


def parser(words: Sequence[str]) -> argparse.ArgumentParser:
    """The command line. Only the command asked for is imported: an activity worker must not pay for boto3."""
    top = argparse.ArgumentParser(
        prog="pyflow",
        description="Durable workflows on Amazon SWF, or on the embedded SWF of this machine.",
        epilog="SWF is found as every AWS tool finds it: AWS_ENDPOINT_URL_SWF, AWS_PROFILE, AWS_REGION, credentials. "
        "With an endpoint on this machine, credentials and region may be missing.",
    )
    top.add_argument("--version", action="version", version=f"pyflow {version('pyflow-swf')}")
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    asked = next((word for word in words if not word.startswith("-")), "")
    for name in [asked] if asked in COMMANDS else COMMANDS:
        importlib.import_module(f"pyflow_console.commands.{COMMANDS[name]}").add(commands)
    return top


def _tell(error: Exception) -> int:
    if os.environ.get(DEBUG_VARIABLE):
        traceback.print_exception(error)
    print(f"pyflow: {_words(error)}", file=sys.stderr)
    return NOT_DONE


def _words(error: Exception) -> str:
    if isinstance(error, ConsoleError):
        return str(error)
    from pyflow.swf.faults import SwfError

    if isinstance(error, SwfError):
        return str(error)
    last = traceback.extract_tb(error.__traceback__)[-1]
    return (
        f"unexpected {type(error).__name__} in {last.name} ({last.filename}:{last.lineno}): {error}. "
        f"This is a fault of pyflow; with {DEBUG_VARIABLE}=1 it shows the whole traceback"
    )


if __name__ == "__main__":
    sys.exit(main())
