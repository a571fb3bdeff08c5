"""The polls of a lane's own task list and its answers under way, without a thread for each: one poll(2) over all.

A lane that waits for its own tasks itself, decides them and sends the answers saves two changes of thread for each
decision; they cost more than deciding. What goes wrong or takes long is handed to the same code that poll threads use.
"""

from __future__ import annotations

import logging
import select
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from pyflow.deciding.maker import Decided
from pyflow.deciding.task import DecisionTask
from pyflow.swf.api import POLL_FOR_DECISION_TASK, RESPOND_DECISION_TASK_COMPLETED, JsonObject
from pyflow.swf.faults import SwfError
from pyflow.swf.lean import Exchange, LeanTransport
from pyflow.swf.limits import POLL_READ_TIMEOUT_S
from pyflow.swf.polling import POLL_BACKOFF_FIRST_S, POLL_BACKOFF_MAX_S
from pyflow.swf.retry import backoff_s
from pyflow.swf.trouble import TroubleLog

logger = logging.getLogger("pyflow")

ANSWERS_UNDER_WAY_MAX = 64
"""Answers whose receipt is waited for; with more, no new poll is begun."""

LOOK_EVERY_S = 5.0
"""How often polls that wait too long are looked for, in seconds."""


@dataclass(slots=True)
class PollUnderWay:
    """A poll of the own task list."""

    exchange: Exchange
    since_s: float


@dataclass(slots=True)
class AnswerUnderWay:
    """An answer that was sent."""

    exchange: Exchange
    since_s: float
    task: DecisionTask
    decided: Decided
    handled_since_s: float


UnderWay = PollUnderWay | AnswerUnderWay


class OwnPolls:
    """Keeps `count` polls of one task list under way. Used by one thread at a time (the lane's present one)."""

    def __init__(
        self,
        transport: LeanTransport,
        request: JsonObject,
        *,
        count: int,
        name: str,
        group: str,
        troubles: TroubleLog,
        on_poll_failed: Callable[[SwfError], None],
    ) -> None:
        self.request = request
        self.stopping = threading.Event()
        self.drained = threading.Event()
        self.woken = False
        self._transport = transport
        self._count = count
        self._name = name
        self._group = group
        self._troubles = troubles
        self._on_poll_failed = on_poll_failed
        self._under_way: dict[int, UnderWay] = {}
        self._polls = 0
        self._failures = 0
        self._not_before_s = 0.0
        self._look_at_s = 0.0
        self._poller = select.poll()

    def watch(self, wake_fd: int) -> None:
        """Let `ready` return early when this descriptor becomes readable; `woken` is then true."""
        self._poller.register(wake_fd, select.POLLIN)

    def fill(self) -> None:
        """Begin polls until `count` are under way, unless stopping, backing off, or swamped with answers."""
        if self.stopping.is_set():
            if not self._under_way:
                self.drained.set()
            return
        while self._polls < self._count and len(self._under_way) - self._polls < ANSWERS_UNDER_WAY_MAX:
            now_s = time.monotonic()
            if now_s < self._not_before_s:
                return
            try:
                exchange = self._transport.begin(POLL_FOR_DECISION_TASK, self.request)
            except SwfError as error:
                self._failed(error)
                return
            self._polls += 1
            self._add(PollUnderWay(exchange, now_s))

    def ready(self) -> list[UnderWay]:
        """Wait until an answer comes in, something wakes, or it is time to look again; give what can be finished."""
        now_s = time.monotonic()
        wait_s = LOOK_EVERY_S
        if self._not_before_s > now_s and self._polls < self._count:
            wait_s = min(wait_s, self._not_before_s - now_s)
        come = []
        self.woken = False
        for fd, _ in self._poller.poll(wait_s * 1000):
            under_way = self._under_way.get(fd)
            if under_way is None:
                self.woken = True
            else:
                self._remove(fd)
                come.append(under_way)
        if now_s >= self._look_at_s:
            self._look_at_s = now_s + LOOK_EVERY_S
            come += self._overdue(now_s)
        return come

    def finish_poll(self, poll: PollUnderWay) -> JsonObject | None:
        """The poll's answer, or None when it failed (which is said and backed off from)."""
        self._polls -= 1
        try:
            answer = self._finish(poll)
        except SwfError as error:
            self._failed(error)
            return None
        if self._failures:
            self._failures = 0
            self._troubles.over(self._group, who=self._name)
        return answer

    def begin_answer(self, request: JsonObject, task: DecisionTask, decided: Decided, handled_since_s: float) -> None:
        """Send an answer. Raises `SwfError`."""
        exchange = self._transport.begin(RESPOND_DECISION_TASK_COMPLETED, request)
        self._add(AnswerUnderWay(exchange, time.monotonic(), task, decided, handled_since_s))

    def finish_answer(self, answer: AnswerUnderWay) -> None:
        """Take the receipt of an answer. Raises `SwfError`."""
        self._finish(answer)

    def _finish(self, under_way: UnderWay) -> JsonObject:
        if time.monotonic() - under_way.since_s >= POLL_READ_TIMEOUT_S:
            raise self._transport.give_up(under_way.exchange, "no answer came in time")
        return self._transport.finish(under_way.exchange)

    def _overdue(self, now_s: float) -> list[UnderWay]:
        late = [fd for fd, each in self._under_way.items() if now_s - each.since_s >= POLL_READ_TIMEOUT_S]
        return [self._remove(fd) for fd in late]

    def _add(self, under_way: UnderWay) -> None:
        fd = under_way.exchange.fileno()
        self._under_way[fd] = under_way
        self._poller.register(fd, select.POLLIN)

    def _remove(self, fd: int) -> UnderWay:
        self._poller.unregister(fd)
        return self._under_way.pop(fd)

    def _failed(self, error: SwfError) -> None:
        self._failures += 1
        wait_s = backoff_s(self._failures, first_s=POLL_BACKOFF_FIRST_S, max_s=POLL_BACKOFF_MAX_S)
        self._not_before_s = time.monotonic() + wait_s
        what = f"polling fails and is tried again: {error}"
        self._troubles.had(self._group, type(error).__name__, what, who=self._name)
        self._on_poll_failed(error)
