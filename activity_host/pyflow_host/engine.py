"""The event loop's side of the core: carries its effects out and reports back what came of them."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections import deque
from collections.abc import Callable

from pyflow.swf.lean import LeanTransport
from pyflow_api.v1 import activity_host_pb2 as host_pb
from pyflow_api.v1 import worker_pb2 as pb
from typing_extensions import assert_never

from pyflow_host.core.effects import (
    AnswerComplete,
    AnswerProgress,
    CallSwf,
    Effect,
    EndStream,
    Log,
    LookUpAttempt,
    OpenPoll,
    Register,
    Send,
    TaskEnded,
)
from pyflow_host.core.host_core import HostCore
from pyflow_host.loop_calls import LoopCalls
from pyflow_host.outbox import Outbox
from pyflow_host.swf_calls import SwfCalls
from pyflow_host.swf_side import ConnectedSwf, SwfSide

logger = logging.getLogger("pyflow.host")


class Engine:
    """All methods but `_later` belong to the event loop's thread, and so does the core."""

    def __init__(
        self,
        core: HostCore,
        swf: SwfSide,
        loop: asyncio.AbstractEventLoop,
        on_end: Callable[[TaskEnded, float], None] | None = None,
    ) -> None:
        """`on_end` gets each end that SWF has recorded, and how many seconds the host had the task."""
        self._on_end = on_end
        self._core = core
        self._loop = loop
        self._streams: dict[int, Outbox] = {}
        self._numbers = itertools.count(1)
        self._completes: dict[int, asyncio.Future[pb.OutcomeAck]] = {}
        self._progresses: dict[int, asyncio.Future[AnswerProgress]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = float("inf")
        self._inbox: deque[Callable[[], list[Effect]]] = deque()
        self._inbox_scheduled = False
        self._calls = self._calls_to(swf)
        self._changed = asyncio.Event()

    def open_stream(self, outbox: Outbox) -> int:
        """A worker opened a stream; its number."""
        stream = next(self._numbers)
        self._streams[stream] = outbox
        self._apply(self._core.stream_opened(stream, self._loop.time()))
        return stream

    def frame_received(self, stream: int, frame: pb.WorkerFrame) -> None:
        """A frame came in."""
        now = self._loop.time()
        for effect in self._core.frame_received(stream, frame, now):
            self._do(effect)
        self._apply(self._core.rest_received(stream, frame, now))

    def refuse(self, stream: int, reason: pb.GoAwayReason, message: str) -> None:
        """End a stream with GoAway."""
        self._apply(self._core.refuse(stream, reason, message, self._loop.time()))

    def close_stream(self, stream: int) -> None:
        """A stream ended."""
        self._streams.pop(stream, None)
        self._apply(self._core.stream_closed(stream, self._loop.time()))

    async def complete_task(self, outcome: pb.Outcome) -> pb.OutcomeAck:
        """CompleteTask: returns when SWF has the outcome or has refused it for good."""
        request = next(self._numbers)
        future = self._completes[request] = self._loop.create_future()
        self._apply(self._core.complete_task(request, outcome, self._loop.time()))
        try:
            ack: pb.OutcomeAck = await future
            return ack
        finally:
            self._completes.pop(request, None)

    async def record_progress(self, progress: pb.Progress) -> AnswerProgress:
        """RecordTaskProgress: returns what SWF answered."""
        request = next(self._numbers)
        future = self._progresses[request] = self._loop.create_future()
        self._apply(self._core.record_progress(request, progress, self._loop.time()))
        try:
            answer: AnswerProgress = await future
            return answer
        finally:
            self._progresses.pop(request, None)

    def describe(self) -> host_pb.DescribeHostResponse:
        """The answer to DescribeHost."""
        return self._core.describe()

    def drain(self) -> None:
        """No polls from now on."""
        self._apply(self._core.drain(self._loop.time()))

    def say_goodbye(self) -> None:
        """End all streams."""
        self._apply(self._core.say_goodbye(self._loop.time()))

    async def wait_until(self, condition: Callable[[HostCore], bool], timeout_s: float | None = None) -> bool:
        """Wait until the core is in a state; False when the time was over before."""
        deadline = None if timeout_s is None else self._loop.time() + timeout_s
        while not condition(self._core):
            self._changed.clear()
            left = None if deadline is None else deadline - self._loop.time()
            if left is not None and left <= 0:
                return False
            try:
                await asyncio.wait_for(self._changed.wait(), left)
            except asyncio.TimeoutError:
                return condition(self._core)
        return True

    def close(self) -> None:
        """Let go of the calls under way, and let the threads end."""
        self._calls.close()
        if self._timer is not None:
            self._timer.cancel()

    @property
    def core(self) -> HostCore:
        """The core, for reading its counts."""
        return self._core

    def _calls_to(self, swf: SwfSide) -> SwfCalls:
        if isinstance(swf, ConnectedSwf) and isinstance(swf.api.transport, LeanTransport):
            return LoopCalls(swf, swf.api.transport, self._core, self._loop, self._later, self._apply)
        return SwfCalls(swf, self._core, self._loop, self._later)

    def _apply(self, effects: list[Effect]) -> None:
        for effect in effects:
            self._do(effect)
        self._set_timer()
        self._changed.set()

    def _do(self, effect: Effect) -> None:
        match effect:
            case Send():
                outbox = self._streams.get(effect.stream)
                if outbox is not None:
                    outbox.put(effect.item)
            case CallSwf():
                self._calls.call(effect)
            case OpenPoll():
                self._calls.poll(effect.list_key)
            case EndStream():
                outbox = self._streams.pop(effect.stream, None)
                if outbox is not None:
                    outbox.end()
            case LookUpAttempt():
                self._calls.look_up(effect)
            case Register():
                self._calls.register(effect)
            case AnswerComplete():
                waiting = self._completes.get(effect.request)
                if waiting is not None and not waiting.done():
                    waiting.set_result(effect.ack)
            case AnswerProgress():
                asking = self._progresses.get(effect.request)
                if asking is not None and not asking.done():
                    asking.set_result(effect)
            case TaskEnded():
                if self._on_end is not None:
                    self._on_end(effect, self._loop.time() - effect.received_at)
            case Log():
                logger.log(effect.level, "%s", effect.message, extra={"fields": effect.fields})
            case _:
                assert_never(effect)

    def _set_timer(self) -> None:
        due = self._core.next_due()
        if due >= self._timer_at:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = due
        self._timer = self._loop.call_at(due, self._tick)

    def _tick(self) -> None:
        self._timer, self._timer_at = None, float("inf")
        self._apply(self._core.tick(self._loop.time()))

    def _later(self, report: Callable[[], list[Effect]]) -> None:
        """From any thread: have `report` run on the loop's thread and its effects carried out."""
        self._inbox.append(report)
        if not self._inbox_scheduled:
            self._inbox_scheduled = True
            self._loop.call_soon_threadsafe(self._empty_inbox)

    def _empty_inbox(self) -> None:
        self._inbox_scheduled = False
        while self._inbox:
            for effect in self._inbox.popleft()():
                self._do(effect)
        self._set_timer()
        self._changed.set()
