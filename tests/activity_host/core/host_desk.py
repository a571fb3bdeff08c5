"""A host core on a desk: the test plays workers, SWF and the clock by hand."""

from __future__ import annotations

import itertools
from typing import TypeVar

from google.protobuf import duration_pb2
from pyflow_api.v1 import payload_pb2
from pyflow_api.v1 import worker_pb2 as pb
from pyflow_host.core.effects import Call, CallSwf, Effect, EndStream, HostItem, Log, OpenPoll, Register, Send
from pyflow_host.core.host_core import HostCore
from pyflow_host.core.state import CoreOptions
from pyflow_host.core.tokens import Sealer
from pyflow_host.core.values import SWF_OK, ListKey, SwfSaid, SwfTask, TypeKey

LIST = ListKey("d", "tl")
KEY = b"k" * 32

_Item = TypeVar("_Item", bound=HostItem)


class Desk:
    """`now` moves when the test says so. Everything the core wanted is kept, newest last."""

    def __init__(self, *, key: bytes = KEY, host_id: str = "host-1", **options: float) -> None:
        core_options = CoreOptions(host_id=host_id, domains=("d", "d2"), **options)  # type: ignore[arg-type]
        self.core = HostCore(core_options, Sealer((key,)), draw=lambda: 0.5)
        self.now = 1000.0
        self.items: dict[int, list[HostItem]] = {}
        self.ended: list[int] = []
        self.polls: list[ListKey] = []
        self.calls: list[CallSwf] = []
        self.others: list[Effect] = []
        self.logs: list[str] = []
        self._streams = itertools.count(1)
        self._tasks = itertools.count(1)

    def take(self, effects: list[Effect]) -> None:
        """Note what the core wants; registrations succeed at once."""
        for effect in effects:
            match effect:
                case Send():
                    self.items.setdefault(effect.stream, []).append(effect.item)
                case EndStream():
                    self.ended.append(effect.stream)
                case OpenPoll():
                    self.polls.append(effect.list_key)
                case CallSwf():
                    self.calls.append(effect)
                case Register():
                    self.take(self.core.registered(effect.list_key, effect.types, True, self.now))
                case Log():
                    self.logs.append(effect.message)
                case _:
                    self.others.append(effect)

    def open(self) -> int:
        """A stream without Hello."""
        stream = next(self._streams)
        self.items[stream] = []
        self.take(self.core.stream_opened(stream, self.now))
        return stream

    def connect(
        self,
        key: str = "w1",
        *,
        credits: int = 0,
        types: tuple[str, ...] = ("act",),
        task_list: str = "tl",
        resume: tuple[pb.HeldTask, ...] = (),
        heartbeat_s: int | None = None,
    ) -> int:
        """A worker with a stream, welcomed."""
        stream = self.open()
        self.frame(stream, hello=hello(key, types, task_list, resume, heartbeat_s))
        if credits:
            self.frame(stream, credits=credits)
        return stream

    def frame(self, stream: int, **members: object) -> None:
        """A frame from the worker."""
        frame = pb.WorkerFrame(**members)  # type: ignore[arg-type]
        self.take(self.core.frame_received(stream, frame, self.now))
        self.take(self.core.rest_received(stream, frame, self.now))

    def cut(self, stream: int) -> None:
        """The stream breaks."""
        self.take(self.core.stream_closed(stream, self.now))

    def task(
        self, *, name: str = "act", activity_id: str = "activity1", input: str | None = "1", unreadable: str = ""
    ) -> str:
        """The oldest poll brings a task; returns SWF's token."""
        list_key = self.polls.pop(0)
        token = f"swf-{next(self._tasks)}"
        task = SwfTask(
            swf_token=token,
            list_key=list_key,
            type=TypeKey(name, "1"),
            workflow_id="wf",
            run_id="run",
            activity_id=activity_id,
            input=input,
            unreadable=unreadable,
        )
        self.take(self.core.poll_answered(list_key, task, self.now))
        return token

    def no_task(self) -> None:
        """The oldest poll comes back empty."""
        self.take(self.core.poll_answered(list_key := self.polls.pop(0), None, self.now))
        assert list_key

    def answer(self, said: SwfSaid = SWF_OK) -> CallSwf:
        """SWF answers the oldest call."""
        call = self.calls.pop(0)
        self.take(self.core.swf_answered(call.call, call.swf_token, said, self.now))
        return call

    def pass_time(self, seconds: float, *, beats: SwfSaid | None = SWF_OK) -> None:
        """Time passes, timer by timer; heartbeats are answered with `beats` (None: left to the test)."""
        end = self.now + seconds
        while (due := self.core.next_due()) <= end:
            self.now = max(self.now, due)
            self.take(self.core.tick(self.now))
            while beats is not None and any(call.call is Call.HEARTBEAT for call in self.calls):
                beat = next(call for call in self.calls if call.call is Call.HEARTBEAT)
                self.calls.remove(beat)
                self.take(self.core.swf_answered(beat.call, beat.swf_token, beats, self.now))
        self.now = end

    def stay_alive(self, stream: int, seconds: float, held: tuple[bytes, ...] = ()) -> None:
        """Time passes in which the worker answers every Ping."""
        end = self.now + seconds
        while self.now < end:
            before = len(self.sent(stream, pb.Ping))
            self.pass_time(min(1.0, end - self.now))
            if len(self.sent(stream, pb.Ping)) > before:
                states = [pb.HeldTask(task_token=token) for token in held]
                self.frame(stream, status=pb.Status(nonce=1, held=states))

    def sent(self, stream: int, kind: type[_Item]) -> list[_Item]:
        """Items of one kind that went into the stream."""
        return [item for item in self.items[stream] if isinstance(item, kind)]

    def last(self, stream: int, kind: type[_Item]) -> _Item:
        """The newest of them."""
        return self.sent(stream, kind)[-1]

    def ledger(self) -> dict[str, int]:
        """The ledger's counts, which must balance at any time."""
        told = self.core.describe().ledger
        counts = {field.name.removeprefix("tasks_"): getattr(told, field.name) for field in told.DESCRIPTOR.fields}
        ins = counts["received"] + counts["resumed"]
        assert ins == counts["reported"] + counts["gone"] + counts["lost"] + counts["held"], counts
        return counts


def hello(
    key: str = "w1",
    types: tuple[str, ...] = ("act",),
    task_list: str = "tl",
    resume: tuple[pb.HeldTask, ...] = (),
    heartbeat_s: int | None = None,
) -> pb.Hello:
    """A Hello that is in order."""
    beat = None if heartbeat_s is None else duration_pb2.Duration(seconds=heartbeat_s)
    offered = [pb.ActivityType(name=name, version="1", heartbeat_timeout=beat) for name in types]
    return pb.Hello(
        contract_version=1,
        worker_key=key,
        worker_name=f"name of {key}",
        language="test",
        task_list=task_list,
        activity_types=offered,
        resume=resume,
    )


def completed(token: bytes, result: str = "7") -> pb.Outcome:
    """An outcome with a result."""
    return pb.Outcome(task_token=token, completed=pb.Completed(result=payload_pb2.Payload(data=result.encode())))


def running(token: bytes) -> pb.HeldTask:
    """A task that still runs."""
    return pb.HeldTask(task_token=token, state=pb.TASK_STATE_RUNNING)


def finished(token: bytes) -> pb.HeldTask:
    """A task that has ended and awaits its ack."""
    return pb.HeldTask(task_token=token, state=pb.TASK_STATE_FINISHED)
