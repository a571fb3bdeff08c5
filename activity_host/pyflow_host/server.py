"""The gRPC server: listeners, limits, health and reflection."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Sequence
from pathlib import Path

import grpc
import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from pyflow_api.v1 import activity_host_pb2 as host_pb
from pyflow_api.v1 import worker_pb2 as pb

from pyflow_host.addresses import Address, clear_stale_socket
from pyflow_host.core.limits import FRAME_BYTES_MAX, UNARY_CALLS_MAX
from pyflow_host.errors import BadOptions, CannotListen
from pyflow_host.open_files import room_for
from pyflow_host.options import TlsOptions
from pyflow_host.servicer import ActivityHostServicer, read_frame
from pyflow_host.tls import CertificateFiles

logger = logging.getLogger("pyflow.host")

SERVICE = host_pb.DESCRIPTOR.services_by_name["ActivityHostService"].full_name
MESSAGE_BYTES_MAX = 2 * FRAME_BYTES_MAX
"""gRPC's own limit: above the contract's, so that a frame somewhat too big gets a typed answer."""
STREAMS_OF_CONNECTION_MAX = 100
"""A worker needs one; HTTP/2 tells the other side, whose further calls wait."""
CONNECTIONS_SPARE = 100
"""Connections of a listener beyond one for each stream: health checks, unary calls, workers told to leave."""
RPCS_BESIDES_WORK_MAX = 2 * UNARY_CALLS_MAX
"""Unary calls, health checks, reflection, and streams that are just told that there is no room."""
CONNECTION_IDLE_S = 300
"""A connection without a call for so long is closed; whoever still needs it connects again unseen."""
HANDSHAKE_WITHIN_S = 20

_OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
    ("grpc.max_send_message_length", MESSAGE_BYTES_MAX),
    ("grpc.max_concurrent_streams", STREAMS_OF_CONNECTION_MAX),
    ("grpc.max_connection_idle_ms", CONNECTION_IDLE_S * 1_000),
    ("grpc.server_handshake_timeout_ms", HANDSHAKE_WITHIN_S * 1_000),
    ("grpc.so_reuseport", 0),  # a second host on the same port must fail, not share it
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.keepalive_time_ms", 30_000),  # half-open connections of workers that are gone are cleared away
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
)


class HostServer:
    """The server of one host. Belongs to the event loop's thread."""

    def __init__(self, servicer: ActivityHostServicer, streams_max: int) -> None:
        """Fewer than `streams_max` workers can connect if the process may not open so many files; that is logged."""
        wanted = streams_max + CONNECTIONS_SPARE
        connections_max = room_for(wanted)
        if connections_max < wanted:
            logger.warning(
                "Only %d connections of a listener are accepted: the process may open no more files (ulimit -n)",
                connections_max,
            )
        self._server = grpc.aio.server(
            options=(*_OPTIONS, ("grpc.max_allowed_incoming_connections", connections_max)),
            maximum_concurrent_rpcs=streams_max + RPCS_BESIDES_WORK_MAX,
        )
        self._server.add_generic_rpc_handlers((_handlers(servicer),))
        self._sockets: list[Path] = []
        self._health = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        reflection.enable_server_reflection((SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME), self._server)

    def listen(self, wanted: Sequence[str], *, tls: TlsOptions | None, insecure: bool) -> list[Address]:
        """Bind all addresses; returns them with their real ports. Raises BadOptions and CannotListen."""
        addresses = [Address.parsed(text) for text in wanted]
        for address in addresses:
            if not address.is_of_this_machine and tls is None and not insecure:
                raise BadOptions(
                    f"{address} can be reached from other machines, and without TLS so could be all tasks and results. "
                    "Give a certificate and key (--tls-cert, --tls-key), listen on 127.0.0.1 or a Unix socket, or say "
                    "--insecure if the network is trusted."
                )
        return [self._bind(address, tls) for address in addresses]

    async def start(self) -> None:
        """Serve, and be healthy."""
        await self._server.start()
        for service in ("", SERVICE):
            await self._health.set(service, health_pb2.HealthCheckResponse.SERVING)

    async def drain(self) -> None:
        """Serve those who are here; tell load balancers to send nobody new."""
        await self._health.enter_graceful_shutdown()

    async def stop(self, grace_s: float) -> None:
        """Stop serving; calls under way get `grace_s` to end."""
        await self._server.stop(grace_s)
        for path in self._sockets:
            path.unlink(missing_ok=True)

    def _bind(self, address: Address, tls: TlsOptions | None) -> Address:
        if address.path is not None:
            return self._bind_unix(address)
        text = str(address)
        try:
            if tls is None:
                port = self._server.add_insecure_port(text)
            else:
                port = self._server.add_secure_port(text, CertificateFiles(tls).credentials())
        except RuntimeError as error:
            raise CannotListen(f"{text} cannot be listened on: {_why(address)} Name another address.") from error
        return address.with_port(port)

    def _bind_unix(self, address: Address) -> Address:
        assert address.path is not None
        clear_stale_socket(address.path)
        mask = os.umask(0o177)  # the socket must never be there with wider rights, not even for a moment
        try:
            self._server.add_insecure_port(str(address))
        except RuntimeError as error:
            raise CannotListen(f"{address} cannot be listened on. May you write to {address.path.parent}?") from error
        finally:
            os.umask(mask)
        self._sockets.append(address.path)
        return address


def _handlers(servicer: ActivityHostServicer) -> grpc.GenericRpcHandler:
    """The generated registration, except that frames are read by `read_frame`."""
    unary = {
        name: grpc.unary_unary_rpc_method_handler(
            getattr(servicer, name),
            request_deserializer=getattr(host_pb, f"{name}Request").FromString,
            response_serializer=getattr(host_pb, f"{name}Response").SerializeToString,
        )
        for name in ("CompleteTask", "RecordTaskProgress", "DescribeHost")
    }
    work = grpc.stream_stream_rpc_method_handler(
        servicer.Work,
        request_deserializer=read_frame,
        response_serializer=pb.HostFrame.SerializeToString,
    )
    return grpc.method_handlers_generic_handler(SERVICE, {**unary, "Work": work})


def _why(address: Address) -> str:
    """gRPC does not say why; trying once more by hand does."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address.host, address.port))
    except OSError as error:
        return f"{error.strerror}."
    return "gRPC refused it without a reason."
