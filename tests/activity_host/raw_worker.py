"""A worker without the SDK: says exactly what the test wants, right or wrong."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Any

import grpc
from pyflow_api.v1 import activity_host_pb2_grpc as host_grpc
from pyflow_api.v1 import worker_pb2 as pb

DEADLINE_S = 20.0
OPTIONS = (("grpc.max_send_message_length", 64 << 20), ("grpc.use_local_subchannel_pool", 1))


class RawWorker:
    """One stream to a host."""

    def __init__(self, address: str) -> None:
        self._channel = grpc.insecure_channel(address, options=OPTIONS)
        self._to_say: queue.Queue[pb.WorkerFrame | None] = queue.Queue()
        self._heard: queue.Queue[pb.HostFrame | grpc.RpcError | None] = queue.Queue()
        self.call = host_grpc.ActivityHostServiceStub(self._channel).Work(self._frames())  # type: ignore[no-untyped-call]
        threading.Thread(target=self._listen, daemon=True).start()

    def __enter__(self) -> RawWorker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._to_say.put(None)
        self._channel.close()

    def say(self, frame: pb.WorkerFrame | None = None, **members: Any) -> None:
        """A frame to the host."""
        self._to_say.put(frame or pb.WorkerFrame(**members))

    def hello(self, key: str = "raw", **changes: Any) -> None:
        """Hello, and what has changed in it."""
        members = {
            "contract_version": 1,
            "worker_key": key,
            "worker_name": f"raw {key}",
            "language": "raw",
            "task_list": "tl",
            "activity_types": [pb.ActivityType(name="raw", version="1.0")],
        }
        self.say(hello=pb.Hello(**{**members, **changes}))

    def hear(self) -> pb.HostFrame:
        """The next frame that is no Ping; Pings are answered."""
        while True:
            frame = self._heard.get(timeout=DEADLINE_S)
            assert isinstance(frame, pb.HostFrame), f"the stream ended: {frame}"
            if not frame.HasField("ping"):
                return frame
            self.say(status=pb.Status(nonce=frame.ping.nonce))

    def hear_end(self) -> pb.GoAway | grpc.RpcError | None:
        """How the stream ended: what GoAway said, else the error."""
        said: pb.GoAway | None = None
        while True:
            frame = self._heard.get(timeout=DEADLINE_S)
            if not isinstance(frame, pb.HostFrame):
                return said or frame
            if frame.HasField("go_away"):
                said = frame.go_away

    def _frames(self) -> Iterator[pb.WorkerFrame]:
        while (frame := self._to_say.get()) is not None:
            yield frame

    def _listen(self) -> None:
        try:
            for frame in self.call:
                self._heard.put(frame)
        except grpc.RpcError as error:
            self._heard.put(error)
        else:
            self._heard.put(None)
