"""A host driven step by step by a case: a real gRPC server that speaks the contract and decides nothing by itself."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message import DecodeError
from pyflow_api.v1 import activity_host_pb2 as host_pb
from pyflow_api.v1 import worker_pb2 as pb

from pyflow_conformance.errors import Mismatch
from pyflow_conformance.referee import Referee
from pyflow_conformance.relay import Relay

SERVICE = "pyflow_api.v1.ActivityHostService"
MESSAGE_BYTES_MAX = 64 * 1024 * 1024
"""Far above the contract's frame limit, so that a frame over it can be seen and told."""
END_GRACE_S = 0.2


class Stream:
    """One stream a worker opened."""

    def __init__(self, number: int, metadata: dict[str, str]) -> None:
        self.number = number
        self.metadata = metadata
        self.hello: pb.Hello | None = None
        self.outcomes: dict[bytes, list[tuple[pb.Outcome, bytes]]] = {}
        """By token, with the bytes of the outcome as they came."""
        self.progress: dict[bytes, list[pb.Progress]] = {}
        self.statuses: dict[int, pb.Status] = {}
        self.draining = False
        self.half_closed = False
        """The worker closed its sending side."""
        self.over = False
        """Ended by either side."""
        self.to_send: asyncio.Queue[bytes] = asyncio.Queue()
        self.end_with: asyncio.Future[tuple[grpc.StatusCode, str]] = asyncio.get_running_loop().create_future()
        self.order: list[tuple[str, bytes]] = []
        """("outcome" or "progress", token) in the order they came."""

    def end(self, code: grpc.StatusCode = grpc.StatusCode.OK, details: str = "") -> None:
        """End the stream with this status, after what was sent before."""
        if not self.end_with.done():
            self.end_with.set_result((code, details))


class ScriptedHost:
    """The host of one worker process."""

    def __init__(
        self, directory: Path, slots: int, *, unix: bool = False, tls: grpc.ServerCredentials | None = None
    ) -> None:
        self._inner = directory / "in.sock"
        self.relay = Relay(self._inner, directory / "h.sock" if unix else None)
        self._tls = tls
        self._server: grpc.aio.Server | None = None
        self._numbers = 0
        self._changed = asyncio.Event()
        self.streams: list[Stream] = []
        self.referee = Referee(slots)
        self.unary_seen: list[tuple[str, host_pb.CompleteTaskRequest | host_pb.RecordTaskProgressRequest, str]] = []
        """Unary calls: method, request, and its authorization."""
        self.ack_status = "ACK_STATUS_REPORTED"
        self.cancel_requested = False
        self.unary_code: grpc.StatusCode | None = None
        """How unary calls are answered."""
        self.deaf = False
        """Frames of the worker are not read: its sending is held up by flow control."""

    async def start(self) -> None:
        """Serve."""
        server = grpc.aio.server(
            options=[
                ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
                ("grpc.max_send_message_length", MESSAGE_BYTES_MAX),
            ]
        )
        server.add_generic_rpc_handlers((self._handlers(),))
        target = f"unix:{self._inner}"
        if self._tls is None:
            server.add_insecure_port(target)
        else:
            server.add_secure_port(target, self._tls)
        await server.start()
        self._server = server
        await self.relay.listen()

    async def close(self) -> None:
        """End everything."""
        await self.relay.close()
        for stream in self.streams:
            stream.end()
        if self._server is not None:
            await self._server.stop(END_GRACE_S)

    def send(self, stream: Stream, frame: pb.HostFrame) -> None:
        """Put a frame into a stream."""
        self.referee.sent(frame)
        stream.to_send.put_nowait(frame.SerializeToString())

    async def until(self, condition: Callable[[], Any], what: str, within_s: float) -> Any:
        """Wait until `condition` gives something true and give it. Raises Mismatch."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within_s
        while True:
            self._changed.clear()
            self.check()
            if found := condition():
                return found
            left = deadline - loop.time()
            if left <= 0:
                raise Mismatch(f"{what}: not within {within_s:g} s")
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._changed.wait(), left)

    def check(self) -> None:
        """Raises Mismatch if the worker broke a rule of the contract."""
        if self.referee.faults:
            raise Mismatch("against the contract: " + "; ".join(dict.fromkeys(self.referee.faults)))

    def notify(self) -> None:
        """Have `until` look again."""
        self._changed.set()

    def _handlers(self) -> grpc.GenericRpcHandler:
        return grpc.method_handlers_generic_handler(
            SERVICE,
            {
                "Work": grpc.stream_stream_rpc_method_handler(self._work),
                "CompleteTask": grpc.unary_unary_rpc_method_handler(self._complete_task),
                "RecordTaskProgress": grpc.unary_unary_rpc_method_handler(self._record_progress),
            },
        )

    async def _work(self, requests: object, context: grpc.aio.ServicerContext[bytes, bytes]) -> None:
        self._numbers += 1
        metadata = {str(key): str(value) for key, value in context.invocation_metadata() or ()}
        stream = Stream(self._numbers, metadata)
        self.streams.append(stream)
        self.referee.stream_opened()
        reader = asyncio.create_task(self._read(stream, context))
        writer = asyncio.create_task(self._write(stream, context))
        try:
            await asyncio.wait((reader, stream.end_with), return_when=asyncio.FIRST_COMPLETED)
            code, details = stream.end_with.result() if stream.end_with.done() else (grpc.StatusCode.OK, "")
            await asyncio.wait((asyncio.ensure_future(stream.to_send.join()), writer), timeout=END_GRACE_S)
            if code is not grpc.StatusCode.OK:
                await context.abort(code, details)
        finally:
            reader.cancel()
            writer.cancel()
            stream.over = True
            self.notify()

    async def _write(self, stream: Stream, context: grpc.aio.ServicerContext[bytes, bytes]) -> None:
        while True:
            data = await stream.to_send.get()
            try:
                await context.write(data)
            finally:
                stream.to_send.task_done()

    async def _read(self, stream: Stream, context: grpc.aio.ServicerContext[bytes, bytes]) -> None:
        try:
            while True:
                while self.deaf:
                    await asyncio.sleep(0.01)
                data = await context.read()
                if not isinstance(data, bytes):
                    stream.half_closed = True
                    return
                self._received(stream, data)
                self.notify()
        except grpc.RpcError:
            pass  # the worker or the network ended the stream
        finally:
            self.notify()

    def _received(self, stream: Stream, data: bytes) -> None:
        try:
            frame = pb.WorkerFrame.FromString(data)
        except DecodeError:
            self.referee.faults.append(f"a frame that is no WorkerFrame: {data[:80].hex()}")
            return
        if stream is self.streams[-1]:
            self.referee.received(frame)
        if frame.HasField("hello"):
            stream.hello = frame.hello
        for outcome, raw in zip(frame.outcomes, raw_items(data, 2), strict=True):
            stream.outcomes.setdefault(outcome.task_token, []).append((outcome, raw))
            stream.order.append(("outcome", outcome.task_token))
        for progress in frame.progress:
            stream.progress.setdefault(progress.task_token, []).append(progress)
            stream.order.append(("progress", progress.task_token))
        if frame.HasField("status"):
            stream.statuses[frame.status.nonce] = frame.status
        stream.draining |= frame.HasField("draining")

    async def _complete_task(self, data: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
        request = host_pb.CompleteTaskRequest.FromString(data)
        await self._unary("CompleteTask", request, context)
        ack = pb.OutcomeAck(task_token=request.outcome.task_token, status=self.ack_status)
        return host_pb.CompleteTaskResponse(ack=ack).SerializeToString()

    async def _record_progress(self, data: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
        request = host_pb.RecordTaskProgressRequest.FromString(data)
        await self._unary("RecordTaskProgress", request, context)
        return host_pb.RecordTaskProgressResponse(cancel_requested=self.cancel_requested).SerializeToString()

    async def _unary(
        self,
        method: str,
        request: host_pb.CompleteTaskRequest | host_pb.RecordTaskProgressRequest,
        context: grpc.aio.ServicerContext[bytes, bytes],
    ) -> None:
        metadata = {str(key): str(value) for key, value in context.invocation_metadata() or ()}
        self.unary_seen.append((method, request, metadata.get("authorization", "")))
        self.notify()
        if self.unary_code is not None:
            await context.abort(self.unary_code, "as the case says")


def raw_items(data: bytes, field_number: int) -> list[bytes]:
    """The bytes of each item of a repeated message field, as they are in a serialised message."""
    items, position = [], 0
    while position < len(data):
        tag, position = _varint(data, position)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == 0:
            _, position = _varint(data, position)
        elif wire_type == 2:
            length, position = _varint(data, position)
            if number == field_number:
                items.append(data[position : position + length])
            position += length
        else:
            position += 8 if wire_type == 1 else 4
    return items


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
