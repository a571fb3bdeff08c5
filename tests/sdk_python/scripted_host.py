"""A host whose lines the test writes: a real gRPC server that does what it is told and notes what it hears."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path

import grpc
from google.protobuf import duration_pb2
from pyflow_api.v1 import activity_host_pb2_grpc as host_grpc
from pyflow_api.v1 import worker_pb2 as pb

DEADLINE_S = 20.0


class Stream:
    """One stream of a worker, played by the test."""

    def __init__(self) -> None:
        self._heard: queue.Queue[pb.WorkerFrame | None] = queue.Queue()
        self._to_say: queue.Queue[pb.HostFrame | None] = queue.Queue()
        self.over = threading.Event()

    def hear(self) -> pb.WorkerFrame:
        """The next frame of the worker."""
        frame = self._heard.get(timeout=DEADLINE_S)
        assert frame is not None, "the worker closed its side"
        return frame

    def hear_end(self) -> None:
        """The worker closes its side, whatever it says before."""
        while self._heard.get(timeout=DEADLINE_S) is not None:
            pass

    def say(self, **members: object) -> None:
        """A frame to the worker."""
        self._to_say.put(pb.HostFrame(**members))  # type: ignore[arg-type]

    def welcome(self, ping_interval_s: float = 60.0, resumed: tuple[pb.ResumeAnswer, ...] = ()) -> None:
        """The usual Welcome."""
        interval = duration_pb2.Duration()
        interval.FromMilliseconds(int(ping_interval_s * 1000))
        limits = pb.Limits(
            frame_bytes_max=4 << 20,
            payload_bytes_max=1 << 17,
            result_chars_max=32_768,
            progress_chars_max=2_048,
            cause_depth_max=16,
        )
        self.say(
            welcome=pb.Welcome(
                contract_version=1, host_id="h", ping_interval=interval, limits=limits, resumed=resumed, domain="d"
            )
        )

    def hang_up(self) -> None:
        """End the stream with status OK."""
        self._to_say.put(None)

    def serve(self, frames: Iterator[pb.WorkerFrame]) -> Iterator[pb.HostFrame]:
        """For the server."""
        threading.Thread(target=self._listen, args=(frames,), daemon=True).start()
        while (frame := self._to_say.get()) is not None:
            yield frame

    def _listen(self, frames: Iterator[pb.WorkerFrame]) -> None:
        try:
            for frame in frames:
                self._heard.put(frame)
        except grpc.RpcError:
            pass
        except Exception:  # grpc raises a bare Exception when the worker has gone
            pass
        self._heard.put(None)
        self.over.set()


class ScriptedHost(host_grpc.ActivityHostServiceServicer):
    """Listens on a Unix socket; `stream()` is the next stream a worker opens."""

    def __init__(self, directory: Path) -> None:
        self.address = f"unix:{directory}/s.sock"
        self._streams: queue.Queue[Stream] = queue.Queue()
        self._all: list[Stream] = []
        self._server: grpc.Server | None = None
        self.start()

    def start(self) -> None:
        """Serve (again)."""
        self._server = grpc.server(futures.ThreadPoolExecutor(8))
        host_grpc.add_ActivityHostServiceServicer_to_server(self, self._server)  # type: ignore[no-untyped-call]
        self._server.add_insecure_port(self.address)
        self._server.start()

    def stop(self) -> None:
        """All streams break."""
        assert self._server is not None
        for stream in self._all:
            stream.hang_up()
        self._server.stop(0).wait()

    def stream(self) -> Stream:
        """The next stream."""
        return self._streams.get(timeout=DEADLINE_S)

    def Work(self, request_iterator: Iterator[pb.WorkerFrame], context: grpc.ServicerContext) -> Iterator[pb.HostFrame]:
        """See the proto."""
        stream = Stream()
        self._all.append(stream)
        self._streams.put(stream)
        return stream.serve(request_iterator)
