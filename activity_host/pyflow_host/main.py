"""A host from a command line: `python -m pyflow_host --domain NAME --listen ADDRESS [--worker COMMAND]...`."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from pyflow.swf import SwfError

from pyflow_host.config import merged, read_config
from pyflow_host.errors import BadOptions, HostError
from pyflow_host.host import run
from pyflow_host.logs import log_to_stderr
from pyflow_host.options import HostOptions, TlsOptions
from pyflow_host.supervisor import WorkerCommand

EXIT_CANNOT_START = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of a host, for this and other command lines; `options_of` reads them."""
    add = parser.add_argument
    add("--config", type=Path, metavar="FILE", help="host.toml; options of the command line win over it")
    add("--domain", dest="domains", action="append", metavar="NAME", help="SWF domain served; several may be given")
    add(
        "--listen",
        action="append",
        metavar="ADDRESS",
        help="unix:/path or host:port (0: any); default 127.0.0.1:0",
    )
    add("--worker", dest="workers", action="append", metavar="COMMAND", help="worker process to keep running")
    add("--token-key-file", type=Path, metavar="FILE", help="the key that seals task tokens (PYFLOW_TOKEN_KEY)")
    add("--auth-token-file", type=Path, metavar="FILE", help="bearer tokens accepted, one a line, read again on change")
    add("--tls-cert", type=Path, metavar="FILE", help="certificate of the listeners that are no Unix sockets")
    add("--tls-key", type=Path, metavar="FILE", help="and its key")
    add("--tls-client-ca", type=Path, metavar="FILE", help="workers must show a certificate signed by this authority")
    add("--insecure", action="store_true", help="allow plaintext on addresses other machines can reach")
    add("--ping-interval", type=float, metavar="SECONDS", help="between signs of life; three without one end a stream")
    add("--grace", type=float, metavar="SECONDS", help="how long a worker may be away before its tasks are lost")
    add("--drain-timeout", type=float, metavar="SECONDS", help="how long running tasks are waited for at the end")
    add("--metrics", metavar="ADDRESS", help="serve Prometheus metrics there, for example 127.0.0.1:9464")


def options_of(arguments: argparse.Namespace) -> HostOptions:
    """HostOptions from a parsed command line and its --config. Raises BadOptions."""
    tls = None
    if arguments.tls_cert or arguments.tls_key or arguments.tls_client_ca:
        if not (arguments.tls_cert and arguments.tls_key):
            raise BadOptions("--tls-cert and --tls-key go together, and --tls-client-ca needs both.")
        tls = TlsOptions(
            cert_file=arguments.tls_cert, key_file=arguments.tls_key, client_ca_file=arguments.tls_client_ca
        )
    given = {
        "domains": arguments.domains,
        "listen": arguments.listen,
        "workers": [WorkerCommand.parsed(text) for text in arguments.workers or ()],
        "token_key_file": arguments.token_key_file,
        "auth_token_file": arguments.auth_token_file,
        "tls": tls,
        "insecure": arguments.insecure or None,
        "ping_interval_s": arguments.ping_interval,
        "grace_s": arguments.grace,
        "drain_timeout_s": arguments.drain_timeout,
        "metrics_address": arguments.metrics,
    }
    return merged(read_config(arguments.config) if arguments.config else {}, given)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a host; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m pyflow_host", description="Run an activity host.")
    add_arguments(parser)
    log_to_stderr(logging.INFO)
    try:
        return run(options_of(parser.parse_args(arguments)))
    except (HostError, SwfError) as error:
        print(f"pyflow host: {error}", file=sys.stderr)
        return EXIT_CANNOT_START
