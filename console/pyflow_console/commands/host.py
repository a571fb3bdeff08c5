"""`pyflow host`: the activity host, which takes activity tasks from SWF and hands them to workers."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING

from pyflow_host.coded_swf import PayloadCodec
from pyflow_host.errors import HostError
from pyflow_host.host import run as run_host
from pyflow_host.logs import log_to_stderr
from pyflow_host.main import add_arguments, options_of

from pyflow_console.arguments import Commands, add_log_level, declare
from pyflow_console.errors import ConsoleError
from pyflow_console.payload_options import add_payload_options, payload_functions
from pyflow_console.reaching import client_for
from pyflow_console.traces import add_traces, tracer_provider

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.id_generator import IdGenerator


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = declare(commands, "host", run, "run an activity host: SWF's activity tasks out to workers")
    add_arguments(parser)
    add_payload_options(parser)
    add_traces(parser)
    add_log_level(parser)


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT, then drain. Raises ConsoleError, SwfError."""
    log_to_stderr(arguments.log_level.upper())
    try:
        options = options_of(arguments)
        options.check()
        functions = payload_functions(arguments.codecs, arguments.large_payloads)
        if functions is not None:
            options = replace(options, payload_codec=PayloadCodec(encode=functions[0], decode=functions[1]))
        client_for(*options.domains, region=options.region, profile=options.profile, endpoint_url=options.endpoint_url)
        if arguments.traces is None:
            return run_host(options)
        provider = tracer_provider(arguments.traces, _task_ids, "pyflow-host")
        try:
            return run_host(replace(options, tracer_provider=provider))
        finally:
            provider.shutdown()  # exports what is left
    except HostError as error:
        raise ConsoleError(str(error)) from error


def _task_ids() -> IdGenerator:
    from pyflow_host.tracing import TaskIds  # OpenTelemetry is optional

    return TaskIds()
