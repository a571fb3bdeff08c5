"""The event loop's side of the core: carries its effects out and reports back what came of them."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections import deque
from collections.abc import Callable

from pyflow.swf import SwfError
from pyflow.swf.trouble import TroubleLog
from pyflow_api.v1 import activity_host_pb2 as host_pb
from pyflow_api.v1 import worker_pb2 as pb
from typing_extensions import assert_never

from pyflow_host.core.effects import (
    AnswerComplete,
    AnswerProgress,
    Call,
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
from pyflow_host.core.values import AttemptFacts, ListKey, Said, SwfSaid
from pyflow_host.outbox import Outbox
from pyflow_host.swf_side import Registered, SwfSide
from pyflow_host.threads import CallThreads

logger = logging.getLogger("pyflow.host")

POLL_THREADS_MAX = 400
REPORT_THREADS_MAX = 16
HEARTBEAT_THREADS_MAX = 8
COLD_THREADS_MAX = 4
"""Registrations and looks into histories."""


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
        self._swf = swf
        self._loop = loop
        self._streams: dict[int, Outbox] = {}
        self._numbers = itertools.count(1)
        self._completes: dict[int, asyncio.Future[pb.OutcomeAck]] = {}
        self._progresses: dict[int, asyncio.Future[AnswerProgress]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = float("inf")
        self._inbox: deque[Callable[[], list[Effect]]] = deque()
        self._inbox_scheduled = False
        self._polls = CallThreads("swf-poll", POLL_THREADS_MAX)
        self._reports = CallThreads("swf-report", REPORT_THREADS_MAX)
        self._heartbeats = CallThreads("swf-heartbeat", HEARTBEAT_THREADS_MAX)
        self._cold = CallThreads("swf-cold", COLD_THREADS_MAX)
        self._troubles = TroubleLog(logger)
        self._changed = asyncio.Event()

    def open_stream(self, outbox: Outbox) -> int:
        """A worker opened a stream; its number."""
        stream = next(self._numbers)
        self._streams[stream] = outbox
        self._apply(self._core.stream_opened(stream, self._loop.time()))
        return stream

    def frame_received(self, stream: int, frame: pb.WorkerFrame) -> None:
        """A frame came in."""
        self._apply(self._core.frame_received(stream, frame, self._loop.time()))

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
        """Let the threads end."""
        for threads in (self._polls, self._reports, self._heartbeats, self._cold):
            threads.close()
        if self._timer is not None:
            self._timer.cancel()

    @property
    def core(self) -> HostCore:
        """The core, for reading its counts."""
        return self._core

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
                threads = self._heartbeats if effect.call is Call.HEARTBEAT else self._reports
                threads.submit(lambda: self._call(effect))
            case OpenPoll():
                self._polls.submit(lambda: self._poll(effect.list_key))
            case EndStream():
                outbox = self._streams.pop(effect.stream, None)
                if outbox is not None:
                    outbox.end()
            case LookUpAttempt():
                self._cold.submit(lambda: self._look_up(effect))
            case Register():
                self._cold.submit(lambda: self._register(effect))
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
        if due is None or due >= self._timer_at:
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

    def _poll(self, list_key: ListKey) -> None:
        name = f"Poll of task list {list_key}"
        try:
            task = self._swf.poll(list_key)
        except SwfError as error:
            self._troubles.had(name, type(error).__name__, f"it fails and is tried again: {error}")
            self._later(lambda: self._core.poll_failed(list_key, self._loop.time()))
        except Exception as error:
            logger.exception("%s failed in an unforeseen way: %s", name, error)
            self._later(lambda: self._core.poll_failed(list_key, self._loop.time()))
        else:
            self._troubles.over(name)
            self._later(lambda: self._core.poll_answered(list_key, task, self._loop.time()))

    def _call(self, effect: CallSwf) -> None:
        name = effect.call.value
        try:
            said = self._swf.call(effect.call, effect.swf_token, effect.members)
        except Exception as error:
            logger.exception("%s failed in an unforeseen way and is tried again: %s", name, error)
            said = SwfSaid(said=Said.LATER, message=str(error))
        if said.said is Said.LATER:
            self._troubles.had(name, "trouble", f"it fails and is tried again: {said.message}")
        else:
            self._troubles.over(name)
        self._later(lambda: self._core.swf_answered(effect.call, effect.swf_token, said, self._loop.time()))

    def _look_up(self, effect: LookUpAttempt) -> None:
        facts: AttemptFacts | None = None
        try:
            facts = self._swf.look_up(effect)
        except Exception as error:
            logger.exception("A history was not understood; its task runs without its last progress: %s", error)
        self._later(lambda: self._core.attempt_looked_up(effect.swf_token, facts, self._loop.time()))

    def _register(self, effect: Register) -> None:
        try:
            found = self._swf.register(effect.list_key, effect.types)
        except Exception as error:
            logger.exception("Registration failed in an unforeseen way: %s", error)
            found = Registered(trouble=str(error))
        name = f"Registration for task list {effect.list_key}"
        if found.trouble:
            self._troubles.had(name, "trouble", f"it fails and is tried again: {found.trouble}")
        else:
            self._troubles.over(name)
        proceed = not found.trouble
        self._later(lambda: self._core.registered(effect.list_key, found.types, proceed, self._loop.time()))
