"""`pyflow worker`: runs the activities of a Python module for an activity host."""

from __future__ import annotations

import argparse
import socket
import sys
import threading
import time

from pyflow_activity.connection import HostConnection
from pyflow_activity.errors import WorkerError
from pyflow_activity.main import add_arguments, run_worker

from pyflow_console.arguments import Commands, declare, seconds
from pyflow_console.errors import BadArgument, NotReached
from pyflow_console.targets import load_module

START_TIMEOUT_S = 30.0
CONNECT_TIMEOUT_S = 5.0
LOOK_INTERVAL_S = 0.1


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = declare(commands, "worker", run, "run the activities of a Python module, fed by an activity host")
    add_arguments(parser)
    parser.add_argument(
        "--start-timeout",
        type=seconds,
        default=START_TIMEOUT_S,
        metavar="SECONDS",
        help="how long to wait for the host to be there at the start; a host lost later is waited for "
        f"as --give-up-after says (default {START_TIMEOUT_S:g})",
    )


def run(arguments: argparse.Namespace) -> int:
    """Work until SIGTERM or SIGINT, then finish what is running. Raises BadArgument, NotReached."""
    try:
        connection = HostConnection.found(
            arguments.host,
            token_file=arguments.token_file,
            tls_ca=arguments.tls_ca,
            tls_cert=arguments.tls_cert,
            tls_key=arguments.tls_key,
            insecure=arguments.insecure or None,
        )
    except WorkerError as error:
        raise BadArgument(str(error)) from error
    if not arguments.module.endswith(".py"):
        load_module(arguments.module)  # a wrong name is told now, not when a host is there
    wait_for_host(connection.address, arguments.start_timeout)
    return run_worker(
        arguments.module,
        host=arguments.host,
        task_list=arguments.task_list,
        slots=arguments.slots,
        domain=arguments.domain,
        give_up_after_s=arguments.give_up_after,
        token_file=arguments.token_file,
        tls_ca=arguments.tls_ca,
        tls_cert=arguments.tls_cert,
        tls_key=arguments.tls_key,
        insecure=arguments.insecure or None,
    )


def wait_for_host(address: str, timeout_s: float) -> None:
    """Wait until somebody listens at the address; says at once when nobody does. Raises NotReached in the end."""
    until_s = time.monotonic() + timeout_s
    told, pause = False, threading.Event()
    while True:
        try:
            _connect(address, max(0.1, min(CONNECT_TIMEOUT_S, until_s - time.monotonic())))
            return
        except OSError as error:
            trouble = error.strerror or str(error)
        if time.monotonic() >= until_s:
            raise NotReached(
                f"there is no activity host at {address} ({trouble}); waited {timeout_s:g} s. "
                f"Start it with `pyflow host --domain ... --listen {address}`, or correct --host"
            )
        if not told:
            print(f"pyflow: no activity host at {address} yet ({trouble}); waiting {timeout_s:g} s", file=sys.stderr)
            told = True
        pause.wait(LOOK_INTERVAL_S)


def _connect(address: str, timeout_s: float) -> None:
    if address.startswith("unix:"):
        path = address.removeprefix("unix:")
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(timeout_s)
            probe.connect(path.removeprefix("//") if path.startswith("///") else path)
        return
    host, _, port = address.rpartition(":")
    socket.create_connection((host.removeprefix("[").removesuffix("]"), int(port)), timeout=timeout_s).close()
