"""A worker without an SDK for host cases: sends the frames a case says and keeps what comes back."""

from __future__ import annotations

import asyncio
import contextlib

import grpc
import grpc.aio
from google.protobuf import json_format
from pyflow_api.v1 import worker_pb2 as pb

from pyflow_conformance import host_steps as steps
from pyflow_conformance.scripted_host import MESSAGE_BYTES_MAX, SERVICE

OPTIONS = (
    ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
    ("grpc.max_send_message_length", MESSAGE_BYTES_MAX),
    ("grpc.use_local_subchannel_pool", 1),
)


class ScriptedWorker:
    """One stream. Pings are answered unless it is mute, and with what it holds unless it is forgetful."""

    def __init__(self, address: str, changed: asyncio.Event, *, key: str, mute: bool, forgetful: bool) -> None:
        self.key = key
        self._mute = mute
        self._forgetful = forgetful
        self._changed = changed
        self._channel = grpc.aio.insecure_channel(address, options=OPTIONS)
        self._call: grpc.aio.StreamStreamCall[bytes, bytes] = self._channel.stream_stream(f"/{SERVICE}/Work")()
        self._reader = asyncio.create_task(self._read())
        self.welcome: pb.Welcome | None = None
        self.go_away: pb.GoAway | None = None
        self.tasks: dict[str, list[pb.Task]] = {}
        """By activity id."""
        self.acks: dict[bytes, list[pb.OutcomeAck]] = {}
        self.cancels: dict[bytes, list[pb.Cancel]] = {}
        self.received = 0
        self.granted = 0
        self.over = False
        self.holding: dict[bytes, None] = {}
        """Tokens of tasks not acked yet, those resumed included: what Status tells."""

    async def send(self, frame: pb.WorkerFrame, more: bytes = b"") -> None:
        """Send a frame; errors of a stream that is over do not matter."""
        self.granted += frame.credits
        with contextlib.suppress(grpc.RpcError, asyncio.InvalidStateError):
            await self._call.write(frame.SerializeToString() + more)

    async def leave(self, *, cut: bool) -> None:
        """Close the sending side, or drop the stream."""
        with contextlib.suppress(grpc.RpcError, asyncio.InvalidStateError):
            if cut:
                self._call.cancel()
            else:
                await self._call.done_writing()

    async def close(self) -> None:
        """End everything."""
        self._reader.cancel()
        self._call.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)
        await self._channel.close()

    async def _read(self) -> None:
        try:
            while isinstance(data := await self._call.read(), bytes):
                await self._received(pb.HostFrame.FromString(data))
                self._changed.set()
        except (grpc.RpcError, asyncio.CancelledError):
            pass
        finally:
            self.over = True
            self._changed.set()

    async def _received(self, frame: pb.HostFrame) -> None:
        if frame.HasField("welcome"):
            self.welcome = frame.welcome
        for task in frame.tasks:
            self.received += 1
            self.tasks.setdefault(task.activity_id, []).append(task)
            self.holding[task.task_token] = None
        for cancel in frame.cancels:
            self.cancels.setdefault(cancel.task_token, []).append(cancel)
        for ack in frame.acks:
            self.acks.setdefault(ack.task_token, []).append(ack)
            self.holding.pop(ack.task_token, None)
        if frame.HasField("go_away"):
            self.go_away = frame.go_away
        if frame.HasField("ping") and not self._mute:
            await self.send(pb.WorkerFrame(status=self._status(frame.ping.nonce)))

    def _status(self, nonce: int) -> pb.Status:
        tokens = [] if self._forgetful else self.holding
        held = [pb.HeldTask(task_token=token, state=pb.TASK_STATE_RUNNING) for token in tokens]
        return pb.Status(nonce=nonce, held=held)


def hello_of(step: steps.Worker, key: str, task_list: str, resume: list[pb.HeldTask]) -> pb.Hello:
    """The Hello a step says."""
    hello = pb.Hello(
        contract_version=1,
        worker_key=key,
        worker_name=f"scripted {step.name}",
        language="scripted",
        auth_token=step.token,
        task_list=task_list,
        activity_types=[pb.ActivityType(name=name, version="1.0") for name in step.activities],
        slots=16,
        resume=resume,
    )
    json_format.ParseDict(step.hello, hello)
    return hello
