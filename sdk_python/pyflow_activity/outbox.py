"""What a worker has to say on one stream, bundled into frames."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Iterator

from pyflow_api.v1 import payload_pb2
from pyflow_api.v1 import worker_pb2 as pb

FRAME_OUTCOMES_MAX = 256
ITEM_OVERHEAD_BYTES = 16
FRAME_OVERHEAD_BYTES = 64
"""Credits and Draining beside the items."""


class Outbox:
    """Safe to use from many threads; `frames` feeds the stream."""

    def __init__(self, hello: pb.Hello, frame_bytes_max: int) -> None:
        self._first: pb.WorkerFrame | None = pb.WorkerFrame(hello=hello)
        self._frame_bytes_max = frame_bytes_max
        self._outcomes: deque[pb.Outcome] = deque()
        self._progress: dict[bytes, bytes] = {}
        self._credits = 0
        self._status: pb.Status | None = None
        self._draining = False
        self._closed = False
        self._lock = threading.Lock()
        self._wake: queue.SimpleQueue[None] = queue.SimpleQueue()
        """Wakes the thread that takes; a Condition is written in Python and costs each task several times as much."""
        self._waiting = False

    def limit(self, frame_bytes_max: int) -> None:
        """Frames of at most so many bytes from now on."""
        with self._lock:
            self._frame_bytes_max = frame_bytes_max

    def finished(self, outcome: pb.Outcome, credits: int) -> None:
        """A task has ended; `credits` more can be taken."""
        with self._lock:
            if outcome.HasField("completed"):
                self._progress.pop(outcome.task_token, None)  # of no use to anybody any more
            self._outcomes.append(outcome)
            self._credits += credits
            self._notify()

    def add_credits(self, credits: int) -> None:
        """More tasks can be taken."""
        with self._lock:
            self._credits += credits
            self._notify()

    def progress(self, token: bytes, details: bytes) -> None:
        """The latest details of a task."""
        with self._lock:
            self._progress[token] = details
            self._notify()

    def status(self, status: pb.Status) -> None:
        """The answer to a Ping."""
        with self._lock:
            self._status = status
            self._notify()

    def drain(self) -> None:
        """No new tasks."""
        with self._lock:
            self._draining = True
            self._credits = 0
            self._notify()

    def close(self) -> None:
        """Nothing follows what is in here."""
        with self._lock:
            self._closed = True
            self._notify()

    def frames(self) -> Iterator[pb.WorkerFrame]:
        """Frames as they fill, until closed and empty."""
        while (frame := self._take()) is not None:
            yield frame

    def _notify(self) -> None:
        if self._waiting:
            self._waiting = False
            self._wake.put(None)

    def _take(self) -> pb.WorkerFrame | None:
        while True:
            with self._lock:
                if self._first is not None:
                    first, self._first = self._first, None
                    return first
                if self._has_any():
                    return self._bundle()
                if self._closed:
                    return None
                self._waiting = True
            self._wake.get()

    def _has_any(self) -> bool:
        return bool(self._outcomes or self._progress or self._credits or self._draining) or self._status is not None

    def _bundle(self) -> pb.WorkerFrame:
        frame = pb.WorkerFrame()
        size = FRAME_OVERHEAD_BYTES
        if self._progress and any(outcome.task_token in self._progress for outcome in self._outcomes):
            # In an earlier frame: in one frame the host reads outcomes first, and the last progress of a task that has
            # just failed is what its next attempt begins from.
            self._add_progress(frame, size)
            self._add_draining(frame)
            return frame
        while self._outcomes and len(frame.outcomes) < FRAME_OUTCOMES_MAX:
            size += self._outcomes[0].ByteSize() + ITEM_OVERHEAD_BYTES
            if frame.outcomes and size > self._frame_bytes_max:
                return frame
            frame.outcomes.append(self._outcomes.popleft())
        self._add_progress(frame, size)
        frame.credits, self._credits = self._credits, 0
        if self._status is not None:
            frame.status.CopyFrom(self._status)
            self._status = None
        self._add_draining(frame)
        return frame

    def _add_draining(self, frame: pb.WorkerFrame) -> None:
        if self._draining:
            frame.draining.SetInParent()
            self._draining = False

    def _add_progress(self, frame: pb.WorkerFrame, size: int) -> None:
        """As much as fits; at least one into an empty frame."""
        while self._progress:
            token = next(iter(self._progress))
            size += len(self._progress[token]) + len(token) + 2 * ITEM_OVERHEAD_BYTES
            if size > self._frame_bytes_max and (frame.progress or frame.outcomes):
                return
            details = payload_pb2.Payload(data=self._progress.pop(token))
            frame.progress.append(pb.Progress(task_token=token, details=details))
