"""Puts a host together and runs it until it is asked to end."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import random
import signal
import socket
import uuid
from collections.abc import Callable

import uvloop
from pyflow.swf import SwfConnection, connect
from pyflow.swf.limits import cut_identity
from pyflow_api.v1 import activity_host_pb2 as host_pb

from pyflow_host import open_files
from pyflow_host.addresses import Address
from pyflow_host.auth import TokenCheck, token_keys
from pyflow_host.coded_swf import CodedSwf
from pyflow_host.core.effects import TaskEnded
from pyflow_host.core.host_core import HostCore
from pyflow_host.core.limits import LARGE_PAYLOAD_BYTES_MAX, PAYLOAD_BYTES_MAX, RESULT_CHARS_MAX
from pyflow_host.core.state import CoreOptions
from pyflow_host.core.tokens import Sealer
from pyflow_host.engine import Engine
from pyflow_host.metrics import MetricsServer
from pyflow_host.options import HostOptions
from pyflow_host.server import HostServer
from pyflow_host.servicer import ActivityHostServicer
from pyflow_host.supervisor import Supervisor
from pyflow_host.swf_calls import POLL_THREADS_MAX
from pyflow_host.swf_side import ConnectedSwf, SwfSide

logger = logging.getLogger("pyflow.host")

GC_THRESHOLD = 10_000
"""New objects between two collections; Python's default of 700 is less than one round of Pings makes."""
METRICS_LINE = "Metrics: "
DESCRIBED_WITHIN_S = 10.0
READY_LINE = "Activity host ready: "
SERVER_STOP_GRACE_S = 2.0
KILLED_REPORTED_WITHIN_S = 5.0
"""How long, after the grace, the tasks of workers that had to be killed may take to be reported."""


def run(options: HostOptions, *, swf: SwfSide | None = None) -> int:
    """Run a host until SIGTERM or SIGINT; the exit code (0 when nothing was lost).

    Prints one line "Activity host ready: ADDRESS..." when it serves, and the ledger at the end. `swf` replaces the
    connection to SWF. Raises HostError (BadOptions, CannotListen) and pyflow.swf.NotConfigured before it serves.
    """
    options.check()
    connection: SwfConnection | None = None
    if swf is None:
        connection = _connect(options)
        swf = ConnectedSwf(connection, identity=_identity(), register_domain=options.register_domain)
    if options.payload_codec is not None:
        swf = CodedSwf(swf, options.payload_codec)
    try:
        return uvloop.run(_run(options, swf))
    finally:
        if connection is not None:
            connection.close()


def _connect(options: HostOptions) -> SwfConnection:
    return connect(
        region=options.region,
        profile=options.profile,
        endpoint_url=options.endpoint_url,
        max_pool_connections=POLL_THREADS_MAX,
    )


async def _run(options: HostOptions, swf: SwfSide) -> int:
    loop = asyncio.get_running_loop()
    core = HostCore(
        CoreOptions(
            host_id=uuid.uuid4().hex,
            domains=tuple(options.domains),
            ping_interval_s=options.ping_interval_s,
            grace_s=options.grace_s,
            heartbeats_per_s=options.heartbeats_per_s,
            polls_of_list_max=options.polls_of_list_max,
            streams_max=options.streams_max,
            tell_ends=options.tracer_provider is not None,
            payload_bytes_max=PAYLOAD_BYTES_MAX if options.payload_codec is None else LARGE_PAYLOAD_BYTES_MAX,
            result_chars_max=RESULT_CHARS_MAX if options.payload_codec is None else LARGE_PAYLOAD_BYTES_MAX,
        ),
        Sealer(token_keys(options.token_key_file, os.environ)),
        draw=random.random,
    )
    engine = Engine(core, swf, loop, _on_end(options))
    files_max = open_files.soft_limit()
    server = HostServer(ActivityHostServicer(engine, TokenCheck(options.auth_token_file)), options.streams_max)
    stopping = _stop_signals(loop)
    supervisor: Supervisor | None = None
    metrics: MetricsServer | None = None
    try:
        addresses = server.listen(options.listen, tls=options.tls, insecure=options.insecure)
        supervisor = Supervisor(options.workers, str(_for_workers(addresses)), files_max=files_max)
        if options.metrics_address is not None:
            metrics = MetricsServer(
                options.metrics_address, _from_other_threads(engine, loop), supervisor.ends_by_themselves
            )
            print(f"{METRICS_LINE}{metrics.url}", flush=True)
        await server.start()
        _settle_memory()
        print(f"{READY_LINE}{' '.join(map(str, addresses))}", flush=True)
        supervisor.start()
        await stopping.wait()
        await _drain(options, engine, server, supervisor)
    finally:
        if supervisor is not None:
            supervisor.stop()
            supervisor.kill()
        await server.stop(SERVER_STOP_GRACE_S)
        engine.close()
        if metrics is not None:
            metrics.close()
    print(core.ledger_line(), flush=True)
    return 0 if core.nothing_lost else 1


async def _drain(options: HostOptions, engine: Engine, server: HostServer, supervisor: Supervisor) -> None:
    """Polls first, since one may still bring a task; then the tasks; then everybody is sent on."""
    loop = asyncio.get_running_loop()
    engine.drain()
    await server.drain()
    await engine.wait_until(lambda core: core.polls_open == 0)
    supervisor.stop()
    deadline = loop.time() + options.drain_timeout_s
    done = await engine.wait_until(lambda core: core.tasks_waited_for == 0, options.drain_timeout_s)
    if not done:
        logger.warning(
            "%d tasks still run after %g s; workers of their own go on with them and report through the next host",
            engine.core.tasks_waited_for,
            options.drain_timeout_s,
        )
    ended = await loop.run_in_executor(None, supervisor.join, max(1.0, deadline - loop.time()))
    if not ended:
        killed = supervisor.kill()
        logger.warning("%d supervised workers did not end in time and are killed; their tasks are reported", killed)
        await loop.run_in_executor(None, supervisor.join, KILLED_REPORTED_WITHIN_S)
        await engine.wait_until(lambda core: core.tasks_waited_for == 0, options.grace_s + KILLED_REPORTED_WITHIN_S)
    engine.say_goodbye()


def _settle_memory() -> None:
    """Keep the garbage collector from going through what lasts as long as the process, at every round of Pings."""
    gc.collect()
    gc.freeze()
    if gc.get_threshold()[0] < GC_THRESHOLD:
        gc.set_threshold(GC_THRESHOLD, *gc.get_threshold()[1:])


def _on_end(options: HostOptions) -> Callable[[TaskEnded, float], None] | None:
    if options.tracer_provider is None:
        return None
    from pyflow_host.tracing import TaskSpans  # OpenTelemetry is optional

    return TaskSpans(options.tracer_provider).ended


def _from_other_threads(engine: Engine, loop: asyncio.AbstractEventLoop) -> Callable[[], host_pb.DescribeHostResponse]:
    async def describe() -> host_pb.DescribeHostResponse:
        return engine.describe()

    def call() -> host_pb.DescribeHostResponse:
        return asyncio.run_coroutine_threadsafe(describe(), loop).result(DESCRIBED_WITHIN_S)

    return call


def _stop_signals(loop: asyncio.AbstractEventLoop) -> asyncio.Event:
    stopping = asyncio.Event()

    def asked(number: signal.Signals) -> None:
        if stopping.is_set():
            logger.info("%s again: polls are still waited out, or SWF would lose the tasks they bring", number.name)
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked, number)
    return stopping


def _for_workers(addresses: list[Address]) -> Address:
    """The address supervised workers are told: one of this machine if there is any."""
    for address in addresses:
        if address.is_of_this_machine:
            return address
    return addresses[0]


def _identity() -> str:
    return cut_identity(f"pyflow-host {socket.gethostname()}:{os.getpid()}")
