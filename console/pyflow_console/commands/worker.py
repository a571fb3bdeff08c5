"""`pyflow worker`: runs the activities of a Python module for an activity host."""

from __future__ import annotations

import argparse

from pyflow_activity.connection import HostConnection
from pyflow_activity.errors import WorkerError
from pyflow_activity.main import add_arguments, run_worker

from pyflow_console.arguments import Commands, declare
from pyflow_console.errors import BadArgument
from pyflow_console.targets import load_module


def add(commands: Commands) -> None:
    """Declare the command."""
    add_arguments(declare(commands, "worker", run, "run the activities of a Python module, fed by an activity host"))


def run(arguments: argparse.Namespace) -> int:
    """Work until SIGTERM or SIGINT, then finish what is running. Raises BadArgument."""
    try:
        HostConnection.found(
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
    return run_worker(
        arguments.module,
        host=arguments.host,
        task_list=arguments.task_list,
        slots=arguments.slots,
        domain=arguments.domain,
        start_timeout_s=arguments.start_timeout,
        give_up_after_s=arguments.give_up_after,
        token_file=arguments.token_file,
        tls_ca=arguments.tls_ca,
        tls_cert=arguments.tls_cert,
        tls_key=arguments.tls_key,
        insecure=arguments.insecure or None,
    )
