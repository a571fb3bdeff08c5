"""The composition: options in, a running server out. `serve` is what `pyflow dev` calls."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import ipaddress
import logging
import resource
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import uvloop

from pyflow_local.clock import SteadyClock
from pyflow_local.engine.limits import POLL_HOLD_MS, Choices, Quotas
from pyflow_local.engine.restrictions import Restrictions
from pyflow_local.engine.values import LambdaInvocation, LambdaOutcome
from pyflow_local.errors import AddressInUse, LocalSwfError, UnsafeBinding
from pyflow_local.http.admin import AdminPaths
from pyflow_local.http.connection import READ_BYTES_MAX, Connection, Request
from pyflow_local.http.frontdesk import Frontdesk
from pyflow_local.http.sigv4 import SignatureCheck
from pyflow_local.lambdas.endpoint import LambdaEndpoint
from pyflow_local.lambdas.pool import LambdaPool
from pyflow_local.service import EndedLambda, Service
from pyflow_local.store.store import Store

log = logging.getLogger("pyflow_local")

BACKLOG = 4096
SHUTDOWN_SECONDS_MAX = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """Everything one can choose about a server."""

    host: str = "127.0.0.1"
    port: int = 8042
    data: str | None = None
    """The data file; None keeps everything in memory."""
    lambdas: Mapping[str, str] = field(default_factory=dict)
    """Function name -> module:function."""
    full_sync: bool = False
    """fsync before every answer: survives power loss; without it only the death of the process."""
    region: str = "us-east-1"
    account: str = "123456789012"
    quotas: Quotas = field(default_factory=Quotas)
    choices: Choices = field(default_factory=Choices)
    restrictions: Restrictions = field(default_factory=Restrictions)
    """Throttling, permissions that nobody has, a region without Lambda; none of it by default."""
    lambda_endpoint: str | None = None
    """URL of a Lambda-compatible endpoint for functions that are not in `lambdas`."""
    allow_time_skipping: bool = False
    """Serve POST /_pyflow/skip-time."""
    require_sigv4: Mapping[str, str] = field(default_factory=dict)
    """Access key -> secret; if not empty, every request must be signed by one of them."""
    insecure: bool = False
    """Serve on a non-loopback address without checking signatures."""
    poll_hold_s: float = POLL_HOLD_MS / 1000
    """Seconds after which a long poll that found nothing is answered; shorter ones are for tests."""


def serve(
    *,
    host: str = "127.0.0.1",
    port: int = 8042,
    data: str | None = None,
    lambdas: Mapping[str, str] | None = None,
    ready: Callable[[str], None] | None = None,
    full_sync: bool = False,
    region: str = "us-east-1",
    account: str = "123456789012",
    quotas: Quotas | None = None,
    choices: Choices | None = None,
    restrictions: Restrictions | None = None,
    lambda_endpoint: str | None = None,
    allow_time_skipping: bool = False,
    require_sigv4: Mapping[str, str] | None = None,
    insecure: bool = False,
    poll_hold_s: float = POLL_HOLD_MS / 1000,
) -> None:
    """Serve SWF until SIGTERM or SIGINT; `ready` gets the URL once requests are answered. Raises LocalSwfError."""
    options = ServerOptions(
        host=host,
        port=port,
        data=data,
        lambdas=lambdas or {},
        full_sync=full_sync,
        region=region,
        account=account,
        quotas=quotas or Quotas(),
        choices=choices or Choices(),
        restrictions=restrictions or Restrictions(),
        lambda_endpoint=lambda_endpoint,
        allow_time_skipping=allow_time_skipping,
        require_sigv4=require_sigv4 or {},
        insecure=insecure,
        poll_hold_s=poll_hold_s,
    )
    serve_options(options, ready)


def serve_options(options: ServerOptions, ready: Callable[[str], None] | None = None) -> None:
    """`serve` for options that are at hand as a value."""
    check_binding(options)
    uvloop.run(_serve(options, ready))


def check_binding(options: ServerOptions) -> None:
    """Refuse to be open to the network unchecked. Raises UnsafeBinding."""
    if is_loopback(options.host) or options.insecure or options.require_sigv4:
        return
    raise UnsafeBinding(
        f"Refusing to listen on {options.host}: anybody who can reach it could run workflows. "
        "Use a loopback address, or --require-sigv4 KEY:SECRET, or --insecure if the network is trusted"
    )


def is_loopback(host: str) -> bool:
    """Whether the address can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _Lambdas:
    """Local functions first, then the endpoint, if there is one."""

    def __init__(self, options: ServerOptions, ended: Callable[[int, int, LambdaOutcome], None]) -> None:
        self.pool = LambdaPool(options.lambdas, options.region, options.account, ended)
        url = options.lambda_endpoint
        self.endpoint = LambdaEndpoint(url, ended) if url is not None else None

    def invoke(self, invocation: LambdaInvocation) -> None:
        if self.endpoint is not None and invocation.name not in self.pool:
            self.endpoint.invoke(invocation)
        else:
            self.pool.invoke(invocation)

    async def stop(self) -> None:
        await self.pool.stop()


def _signature_check(credentials: Mapping[str, str]) -> Callable[[Request], None]:
    check = SignatureCheck(credentials)
    return lambda request: check(request.method, request.path, request.headers, request.body, time.time())


async def _serve(options: ServerOptions, ready: Callable[[str], None] | None) -> None:
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(number, stopping.set)
    _allow_many_connections()
    store = Store(options.data, full_sync=options.full_sync)
    try:
        clock = SteadyClock(store.last_event_ms())
        lambdas = _Lambdas(
            options, lambda run, scheduled_id, outcome: desk.lambda_ended(EndedLambda(run, scheduled_id, outcome))
        )
        desk = Frontdesk(loop, clock, lambdas.invoke, options.poll_hold_s)
        desk.admin = AdminPaths(desk.skip_time, desk.import_history, allow_time_skipping=options.allow_time_skipping)
        if options.require_sigv4:
            desk.check = _signature_check(options.require_sigv4)
        try:
            await lambdas.pool.start()
            await _run(options, desk, store, clock, ready, stopping)
        finally:
            await lambdas.stop()
    finally:
        store.close()


async def _run(
    options: ServerOptions,
    desk: Frontdesk,
    store: Store,
    clock: SteadyClock,
    ready: Callable[[str], None] | None,
    stopping: asyncio.Event,
) -> None:
    service = Service(
        store,
        clock.now_ms(),
        quotas=options.quotas,
        choices=options.choices,
        restrictions=options.restrictions,
        region=options.region,
        account=options.account,
        alive=desk.alive,
    )
    server = await _listen(options, desk, asyncio.get_running_loop())
    gc.collect()
    gc.freeze()  # what was loaded stays: the collector need not look at it again
    desk.begin(service)
    if ready is not None:
        ready(_url(server))
    await stopping.wait()
    server.close()
    desk.stop()
    deadline_s = asyncio.get_running_loop().time() + SHUTDOWN_SECONDS_MAX
    while desk.connected and asyncio.get_running_loop().time() < deadline_s:
        await asyncio.sleep(0.005)  # let the last answers go out


async def _listen(options: ServerOptions, desk: Frontdesk, loop: asyncio.AbstractEventLoop) -> asyncio.Server:
    buffer = memoryview(bytearray(READ_BYTES_MAX))
    try:
        return await loop.create_server(
            lambda: Connection(desk, loop, buffer), options.host, options.port, backlog=BACKLOG
        )
    except OSError as error:
        where = f"{options.host}:{options.port}"
        if error.errno == errno.EADDRINUSE:
            text = f"Port in use: another process listens on {where}. Stop it, or choose another --port (0: any)"
            raise AddressInUse(text) from error
        raise LocalSwfError(f"Cannot listen on {where}: {error.strerror or error}") from error


def _url(server: asyncio.Server) -> str:
    host, port = server.sockets[0].getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _allow_many_connections() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
