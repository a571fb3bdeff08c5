"""Starts a worker from a command line: `python -m pyflow_activity MODULE --host ADDRESS --task-list NAME`."""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from pyflow_activity.errors import BadUsage, WorkerError
from pyflow_activity.worker import SLOTS_DEFAULT, START_TIMEOUT_S, Worker

EXIT_DRAINED = 0
EXIT_REFUSED = 1
EXIT_USAGE = 2


def run_worker(
    module: str,
    *,
    host: str | None = None,
    task_list: str | None = None,
    slots: int | None = None,
    domain: str | None = None,
    name: str | None = None,
    start_timeout_s: float | None = None,
    give_up_after_s: float | None = None,
    token_file: str | None = None,
    tls_ca: str | None = None,
    tls_cert: str | None = None,
    tls_key: str | None = None,
    insecure: bool | None = None,
) -> int:
    """Run the activities of `module` (a module's name, or the path of a .py file) until drained; the exit code.

    Options left out come from the environment (see proto/README.md). Messages go to standard error.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        worker = Worker(
            host=host,
            task_list=task_list,
            activities=_imported(module),
            slots=slots if slots is not None else _number("PYFLOW_SLOTS", SLOTS_DEFAULT),
            domain=domain,
            name=name,
            start_timeout_s=start_timeout_s if start_timeout_s is not None else _seconds("PYFLOW_START_TIMEOUT"),
            give_up_after_s=give_up_after_s if give_up_after_s is not None else _seconds("PYFLOW_GIVE_UP_AFTER"),
            token_file=token_file,
            tls_ca=tls_ca,
            tls_cert=tls_cert,
            tls_key=tls_key,
            insecure=insecure,
        )
        worker.run()
    except BadUsage as error:
        print(f"pyflow worker: {error}", file=sys.stderr)
        return EXIT_USAGE
    except WorkerError as error:
        print(f"pyflow worker: {error}", file=sys.stderr)
        return EXIT_REFUSED
    return EXIT_DRAINED


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse a command line and run the worker."""
    parser = argparse.ArgumentParser(prog="python -m pyflow_activity", description="Run the activities of a module.")
    add_arguments(parser)
    options = parser.parse_args(arguments)
    return run_worker(
        options.module,
        host=options.host,
        task_list=options.task_list,
        slots=options.slots,
        domain=options.domain,
        start_timeout_s=options.start_timeout,
        give_up_after_s=options.give_up_after,
        token_file=options.token_file,
        tls_ca=options.tls_ca,
        tls_cert=options.tls_cert,
        tls_key=options.tls_key,
        insecure=options.insecure or None,
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of a worker, for this and other command lines."""
    parser.add_argument("module", help="module name, or path of a .py file, with @activity functions")
    parser.add_argument("--host", metavar="ADDRESS", help="unix:/path or name:port (PYFLOW_HOST_ADDRESS)")
    parser.add_argument("--task-list", metavar="NAME", help="SWF activity task list (PYFLOW_TASK_LIST)")
    parser.add_argument("--domain", metavar="NAME", help="SWF domain; default: the host's first (PYFLOW_DOMAIN)")
    parser.add_argument("--slots", type=int, metavar="N", help=f"tasks at a time; default {SLOTS_DEFAULT}")
    parser.add_argument(
        "--start-timeout",
        type=float,
        metavar="SECONDS",
        help="end when no host has answered within so long of the start; default: as --give-up-after, "
        f"else {START_TIMEOUT_S:g} (PYFLOW_START_TIMEOUT)",
    )
    parser.add_argument(
        "--give-up-after",
        type=float,
        metavar="SECONDS",
        help="end when a host that had answered is gone for so long; default: never (PYFLOW_GIVE_UP_AFTER)",
    )
    parser.add_argument("--token-file", metavar="FILE", help="bearer token for the host (PYFLOW_HOST_TOKEN_FILE)")
    parser.add_argument("--tls-ca", metavar="FILE", help="authority that signed the host's certificate")
    parser.add_argument("--tls-cert", metavar="FILE", help="the worker's own certificate (mTLS)")
    parser.add_argument("--tls-key", metavar="FILE", help="and its key")
    parser.add_argument("--insecure", action="store_true", help="plaintext to another machine")


def _imported(module: str) -> ModuleType:
    path = Path(module)
    name = module
    if module.endswith(".py"):
        if not path.is_file():
            raise BadUsage(f"{module} is not there.")
        sys.path.insert(0, str(path.parent.resolve()))
        name = path.stem
    elif os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            where = f"looked in {os.getcwd()} and Python's path"
            raise BadUsage(f"There is no module {name!r} ({where}). Name a module or a .py file.") from error
        raise BadUsage(
            f"The module {name!r} cannot be imported: it needs {error.name!r}, which is not there."
        ) from error
    except Exception as error:
        where = _last_place(error)
        raise BadUsage(f"The module {name!r} cannot be imported: {type(error).__name__}: {error}{where}") from error


def _last_place(error: BaseException) -> str:
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    return "" if place is None else f" ({place.tb_frame.f_code.co_filename}, line {place.tb_lineno})"


def _number(variable: str, default: int) -> int:
    text = os.environ.get(variable)
    if not text:
        return default
    if not text.isdigit():
        raise BadUsage(f"{variable} is {text!r}; it must be a whole number.")
    return int(text)


def _seconds(variable: str) -> float | None:
    text = os.environ.get(variable)
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        raise BadUsage(f"{variable} is {text!r}; it must be a number of seconds.") from None
