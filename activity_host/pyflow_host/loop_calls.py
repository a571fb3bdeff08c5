"""The calls to SWF that the event loop itself sends and receives, where nothing can keep it waiting.

A task then passes the host without changing threads, which costs more than everything else the host does for it.
What may wait is left to threads: connecting, a large request, a refresh of credentials, the repeats of a failed call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn, TypeAlias

from pyflow.swf.api import POLL_FOR_ACTIVITY_TASK, JsonObject
from pyflow.swf.lean import Exchange, LeanTransport
from pyflow.swf.limits import POLL_READ_TIMEOUT_S

from pyflow_host.core.effects import CallSwf, Effect
from pyflow_host.core.host_core import HostCore
from pyflow_host.core.values import ListKey
from pyflow_host.swf_calls import SwfCalls, Tidings
from pyflow_host.swf_side import ConnectedSwf, said_in, task_in

Ended: TypeAlias = Callable[[Callable[[], JsonObject]], None]
"""Gets a function that gives the answer or raises the call's error."""


@dataclass(slots=True, eq=False)
class UnderWay:
    """A request that was sent; `deadline` is when its answer is not waited for any longer."""

    exchange: Exchange
    ended: Ended
    deadline: asyncio.TimerHandle


class LoopCalls(SwfCalls):
    """Belongs to the event loop's thread. `apply` carries out what the core wants, on that thread."""

    def __init__(
        self,
        swf: ConnectedSwf,
        transport: LeanTransport,
        core: HostCore,
        loop: asyncio.AbstractEventLoop,
        later: Callable[[Tidings], None],
        apply: Callable[[list[Effect]], None],
    ) -> None:
        super().__init__(swf, core, loop, later)
        self._connected = swf
        self._transport = transport
        self._apply = apply
        self._under_way: dict[int, UnderWay] = {}

    def poll(self, list_key: ListKey) -> None:
        """See SwfCalls. A thread only begins the poll, if anything: none is kept while SWF holds it."""
        request = self._connected.poll_request(list_key)

        def ended(answer: Callable[[], JsonObject]) -> None:
            self._apply(self._polled(list_key, lambda: task_in(answer(), list_key))())

        try:
            exchange = self._transport.begin_now(POLL_FOR_ACTIVITY_TASK, request)
        except Exception as error:
            self._loop.call_soon(ended, _raising(error))
        else:
            if exchange is None:
                self._polls.submit(lambda: self._begin_poll(request, ended))
            else:
                self._watch(exchange, ended)

    def call(self, effect: CallSwf) -> None:
        """See SwfCalls. A call that fails is repeated by a thread."""
        request = {"taskToken": effect.swf_token, **effect.members}

        def ended(answer: Callable[[], JsonObject]) -> None:
            try:
                said = said_in(answer())
            except Exception as error:
                first = _raising(error)
                self._call_in_thread(effect, lambda: self._connected.go_on(effect.call, request, first))
            else:
                self._apply(self._called(effect, lambda: said)())

        try:
            exchange = self._transport.begin_now(effect.call.value, request)
        except Exception as error:
            ended(_raising(error))
        else:
            if exchange is None:
                super().call(effect)
            else:
                self._watch(exchange, ended)

    def close(self) -> None:
        """See SwfCalls. Answers that are still to come are not waited for."""
        for fd, under_way in self._under_way.items():
            self._loop.remove_reader(fd)
            under_way.deadline.cancel()
            self._transport.give_up(under_way.exchange, "the host ends")
        self._under_way.clear()
        super().close()

    def _begin_poll(self, request: JsonObject, ended: Ended) -> None:
        try:
            exchange = self._transport.begin(POLL_FOR_ACTIVITY_TASK, request)
        except Exception as error:
            answer = _raising(error)
            self._loop.call_soon_threadsafe(ended, answer)
        else:
            self._loop.call_soon_threadsafe(self._watch, exchange, ended)

    def _watch(self, exchange: Exchange, ended: Ended) -> None:
        fd = exchange.fileno()
        deadline = self._loop.call_later(POLL_READ_TIMEOUT_S, self._too_late, fd)
        self._under_way[fd] = UnderWay(exchange, ended, deadline)
        self._loop.add_reader(fd, self._readable, fd)

    def _readable(self, fd: int) -> None:
        try:
            answer = self._transport.finish_now(self._under_way[fd].exchange)
        except Exception as error:  # foreseen or not: who waits for the answer must hear of it
            self._end(fd, _raising(error))
        else:
            if answer is not None:
                self._end(fd, lambda: answer)

    def _too_late(self, fd: int) -> None:
        self._end(fd, _raising(self._transport.give_up(self._under_way[fd].exchange, "no answer came in time")))

    def _end(self, fd: int, answer: Callable[[], JsonObject]) -> None:
        under_way = self._under_way.pop(fd)
        try:
            under_way.ended(answer)
        finally:
            under_way.deadline.cancel()
            if fd not in self._under_way:  # else the next call took this connection, and the loop goes on watching it
                self._loop.remove_reader(fd)


def _raising(error: Exception) -> Callable[[], JsonObject]:
    def answer() -> NoReturn:
        raise error

    return answer
