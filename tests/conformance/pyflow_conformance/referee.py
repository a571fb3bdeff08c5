"""The rules of the contract that hold in every case, whatever it is about: watched on every frame of a worker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pyflow_api.v1 import worker_pb2 as pb

WORKER_KEY_CHARS_MAX = 64
WORKER_NAME_CHARS_MAX = 256


@dataclass(slots=True)
class _OnStream:
    """What counts for one stream only."""

    granted: int = 0
    sent: int = 0
    outcomes: set[bytes] = field(default_factory=set)
    pings: set[int] = field(default_factory=set)
    welcomed: bool = False
    draining: bool = False
    frames: int = 0


class Referee:
    """Watches one worker process over all its streams; `faults` says what it did against the rules."""

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._key = ""
        self._running: set[bytes] = set()
        self._known: set[bytes] = set()
        self._settled: set[bytes] = set()
        self._finished: set[bytes] = set()
        self._drains = False
        self._on = _OnStream()
        self._frame_bytes_max = 0
        self.faults: list[str] = []

    @property
    def credits_left(self) -> int:
        """Tasks the worker may still be sent on this stream."""
        return self._on.granted - self._on.sent

    @property
    def running(self) -> int:
        """Tasks sent that have had no outcome and are wanted."""
        return len(self._running)

    @property
    def credits_granted(self) -> int:
        """The sum of the credits of this stream."""
        return self._on.granted

    def stream_opened(self) -> None:
        """A new stream begins."""
        self._on = _OnStream()

    def sent(self, frame: pb.HostFrame) -> None:
        """The scripted host sent a frame."""
        on = self._on
        if frame.HasField("welcome"):
            on.welcomed = True
            self._frame_bytes_max = frame.welcome.limits.frame_bytes_max
            for answer in frame.welcome.resumed:
                if not answer.wanted:
                    self._settled.add(answer.task_token)
                    self._running.discard(answer.task_token)
        for task in frame.tasks:
            on.sent += 1
            self._known.add(task.task_token)
            if task.task_token not in self._settled | self._finished:
                self._running.add(task.task_token)
        for ack in frame.acks:
            self._settled.add(ack.task_token)
        if frame.HasField("ping"):
            on.pings.add(frame.ping.nonce)

    def received(self, frame: pb.WorkerFrame) -> None:
        """A frame came from the worker."""
        on = self._on
        on.frames += 1
        if on.frames == 1:
            self._hello(frame)
            return
        if frame.HasField("hello"):
            self._fault("Hello was sent in a frame that is not the first of the stream")
        if on.frames == 2 and self._drains and not (frame.HasField("draining") or frame.HasField("status")):
            self._fault("Draining is not in the first frame after Welcome of a worker that drains")
        if not on.welcomed:
            self._fault("a frame was sent between Hello and Welcome")
        if self._frame_bytes_max and frame.ByteSize() > self._frame_bytes_max:
            self._fault(f"a frame of {frame.ByteSize()} bytes; Welcome allows {self._frame_bytes_max}")
        ended = self._outcomes(frame.outcomes)
        for progress in frame.progress:
            if progress.task_token not in self._known:
                self._fault(f"progress of a task that was never sent: {progress.task_token!r}")
            elif progress.task_token in ended:
                self._fault(f"progress of {progress.task_token!r} in the frame of its outcome: the host cannot see it")
        self._credits(frame)
        if frame.HasField("status"):
            if frame.status.nonce not in on.pings:
                self._fault(f"Status with the nonce {frame.status.nonce}, which no Ping of this stream had")
            on.pings.discard(frame.status.nonce)

    def _hello(self, frame: pb.WorkerFrame) -> None:
        if not frame.HasField("hello"):
            self._fault("the first frame of a stream has no Hello")
            return
        hello = frame.hello
        if frame.outcomes or frame.progress or frame.credits or frame.HasField("status") or frame.HasField("draining"):
            self._fault("the frame of Hello carries more than Hello")
        if not 1 <= len(hello.worker_key) <= WORKER_KEY_CHARS_MAX:
            self._fault(f"worker_key has {len(hello.worker_key)} characters; 1 to {WORKER_KEY_CHARS_MAX} are right")
        if self._key and hello.worker_key != self._key:
            self._fault("worker_key changed within one process")
        self._key = hello.worker_key
        if len(hello.worker_name) > WORKER_NAME_CHARS_MAX:
            self._fault(f"worker_name has more than {WORKER_NAME_CHARS_MAX} characters")
        types = [(kind.name, kind.version) for kind in hello.activity_types]
        if not types or len(types) != len(set(types)):
            self._fault("activity_types must name at least one type, and each once")
        if not hello.task_list:
            self._fault("task_list is empty")
        if hello.language != hello.language.lower() or not hello.language:
            self._fault(f"language must be a name in lower case, not {hello.language!r}")

    def _outcomes(self, outcomes: Sequence[pb.Outcome]) -> set[bytes]:
        ended = set()
        for outcome in outcomes:
            token = outcome.task_token
            ended.add(token)
            if token not in self._known:
                self._fault(f"an outcome of a task that was never sent: {token!r}")
            elif token in self._settled:
                self._fault(f"an outcome of {token!r}, which was acked or is not wanted any more")
            elif token in self._on.outcomes:
                self._fault(f"two outcomes of {token!r} on one stream")
            if outcome.WhichOneof("result") is None:
                self._fault(f"the outcome of {token!r} has no result set")
            self._on.outcomes.add(token)
            self._finished.add(token)
            self._running.discard(token)
        return ended

    def _credits(self, frame: pb.WorkerFrame) -> None:
        on = self._on
        if frame.credits:
            if on.draining or frame.HasField("draining"):
                self._fault("credits were given after or together with Draining")
            on.granted += frame.credits
            # A credit may come a frame before the outcome that freed its slot; `credits` steps look at the sums.
            if self.credits_left > self._slots:
                self._fault(f"{self.credits_left} credits are open: more than the {self._slots} slots")
        if frame.HasField("draining"):
            if on.draining:
                self._fault("Draining was sent twice on one stream")
            on.draining = self._drains = True

    def _fault(self, what: str) -> None:
        self.faults.append(what)
