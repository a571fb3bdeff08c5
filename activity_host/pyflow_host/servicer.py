"""The gRPC service: streams and unary calls to and from the engine."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Final, TypeAlias, TypeVar

import grpc
import grpc.aio
from google.protobuf.message import DecodeError
from pyflow_api.v1 import activity_host_pb2 as host_pb
from pyflow_api.v1 import activity_host_pb2_grpc as host_grpc
from pyflow_api.v1 import worker_pb2 as pb

from pyflow_host.auth import TokenCheck
from pyflow_host.core.effects import Trouble
from pyflow_host.core.limits import FRAME_BYTES_MAX, WORKER_NAME_CHARS_MAX
from pyflow_host.engine import Engine
from pyflow_host.outbox import Outbox
from pyflow_host.waiting_room import NoRoom, WaitingRoom

logger = logging.getLogger("pyflow.host")

_Request = TypeVar("_Request")
_Response = TypeVar("_Response")
WorkContext: TypeAlias = "grpc.aio.ServicerContext[pb.WorkerFrame, pb.HostFrame]"
GOODBYE_WITHIN_S = 5.0
UNREADABLE: Final = object()
"""Stands for bytes that are no WorkerFrame."""
NO_TOKEN = (
    "The token is missing or wrong. Give the worker this host's token (--token-file, PYFLOW_HOST_TOKEN_FILE or "
    "PYFLOW_HOST_TOKEN)."
)


class ActivityHostServicer(host_grpc.ActivityHostServiceServicer):
    """See activity_host.proto. Everything runs on the event loop's thread."""

    def __init__(self, engine: Engine, tokens: TokenCheck, waiting: WaitingRoom | None = None) -> None:
        self._engine = engine
        self._tokens = tokens
        self._waiting = waiting or WaitingRoom()

    async def Work(self, request_iterator: object, context: WorkContext) -> None:
        """One worker's stream."""
        outbox = Outbox()
        stream = self._engine.open_stream(outbox)
        reader = asyncio.create_task(self._read(stream, outbox, context))
        writer = asyncio.create_task(_write(outbox, context))
        # A worker that does not read its goodbye must not keep the stream.
        overdue = asyncio.create_task(outbox.ended_for(GOODBYE_WITHIN_S))
        tasks = (reader, writer, overdue)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._engine.close_stream(stream)
            for task in tasks:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, grpc.RpcError, asyncio.InvalidStateError):
                    await task

    async def _read(self, stream: int, outbox: Outbox, context: WorkContext) -> None:
        first = True
        while True:
            frame = await context.read()
            if frame is UNREADABLE:
                self._engine.refuse(stream, pb.GO_AWAY_REASON_PROTOCOL_ERROR, "A frame is not a WorkerFrame.")
                continue
            if not isinstance(frame, pb.WorkerFrame):
                return  # end of file
            if frame.ByteSize() > FRAME_BYTES_MAX:
                message = f"A frame of {frame.ByteSize()} bytes; {FRAME_BYTES_MAX} are the most."
                self._engine.refuse(stream, pb.GO_AWAY_REASON_PROTOCOL_ERROR, message)
            elif first and frame.HasField("hello") and not self._tokens.accepts(frame.hello.auth_token):
                logger.warning(
                    "Refused worker %r: its token is missing or wrong", frame.hello.worker_name[:WORKER_NAME_CHARS_MAX]
                )
                self._engine.refuse(stream, pb.GO_AWAY_REASON_UNAUTHENTICATED, NO_TOKEN)
            else:
                self._engine.frame_received(stream, frame)
            first = False
            await outbox.emptied()

    async def CompleteTask(
        self,
        request: host_pb.CompleteTaskRequest,
        context: grpc.aio.ServicerContext[host_pb.CompleteTaskRequest, host_pb.CompleteTaskResponse],
    ) -> host_pb.CompleteTaskResponse:
        """See the proto."""
        await self._authenticate(context)
        kind = request.outcome.WhichOneof("result")
        if kind is None or kind == "will_complete_later":
            what = "has no result" if kind is None else "cannot be WillCompleteLater here"
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"The outcome {what}.")
        try:
            with self._waiting.place_for(request.ByteSize()):
                return host_pb.CompleteTaskResponse(ack=await self._engine.complete_task(request.outcome))
        except NoRoom as full:
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, str(full))

    async def RecordTaskProgress(
        self,
        request: host_pb.RecordTaskProgressRequest,
        context: grpc.aio.ServicerContext[host_pb.RecordTaskProgressRequest, host_pb.RecordTaskProgressResponse],
    ) -> host_pb.RecordTaskProgressResponse:
        """See the proto."""
        await self._authenticate(context)
        try:
            with self._waiting.place_for(request.ByteSize()):
                answer = await self._engine.record_progress(request.progress)
        except NoRoom as full:
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, str(full))
        codes = {
            Trouble.REFUSED: grpc.StatusCode.PERMISSION_DENIED,
            Trouble.GONE: grpc.StatusCode.NOT_FOUND,
            Trouble.INVALID: grpc.StatusCode.INVALID_ARGUMENT,
            Trouble.LATER: grpc.StatusCode.UNAVAILABLE,
        }
        if answer.trouble is not None:
            await context.abort(codes[answer.trouble], answer.message)
        return host_pb.RecordTaskProgressResponse(cancel_requested=answer.cancel_requested)

    async def DescribeHost(
        self,
        request: host_pb.DescribeHostRequest,
        context: grpc.aio.ServicerContext[host_pb.DescribeHostRequest, host_pb.DescribeHostResponse],
    ) -> host_pb.DescribeHostResponse:
        """See the proto."""
        await self._authenticate(context)
        return self._engine.describe()

    async def _authenticate(self, context: grpc.aio.ServicerContext[_Request, _Response]) -> None:
        metadata = dict(context.invocation_metadata() or ())
        given = metadata.get("authorization", "")
        text = given if isinstance(given, str) else given.decode("utf-8", "replace")
        if not self._tokens.accepts(text.removeprefix("Bearer ")):
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, NO_TOKEN)


def read_frame(data: bytes) -> object:
    """Deserializes frames of workers. What cannot be read must end in a typed answer, not in gRPC's UNKNOWN."""
    try:
        return pb.WorkerFrame.FromString(data)
    except DecodeError:
        return UNREADABLE


async def _write(outbox: Outbox, context: WorkContext) -> None:
    while True:
        frame = await outbox.take()
        if frame is None:
            return
        await context.write(frame)
