"""The calls to SWF that the core wants made, each in a thread for as long as it takes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TypeAlias

from pyflow.swf import SwfError
from pyflow.swf.trouble import TroubleLog

from pyflow_host.core.effects import Call, CallSwf, Effect, LookUpAttempt, Register
from pyflow_host.core.host_core import HostCore
from pyflow_host.core.values import AttemptFacts, ListKey, Said, SwfSaid, SwfTask
from pyflow_host.swf_side import Registered, SwfSide
from pyflow_host.threads import CallThreads

logger = logging.getLogger("pyflow.host")

POLL_THREADS_MAX = 400
REPORT_THREADS_MAX = 16
HEARTBEAT_THREADS_MAX = 8
COLD_THREADS_MAX = 4
"""Registrations and looks into histories."""

Tidings: TypeAlias = Callable[[], list[Effect]]
"""Tells the core what came of a call, on the event loop's thread; what the core wants done then."""


class SwfCalls:
    """Its methods belong to the event loop's thread; `later` takes Tidings there from any thread."""

    def __init__(
        self, swf: SwfSide, core: HostCore, loop: asyncio.AbstractEventLoop, later: Callable[[Tidings], None]
    ) -> None:
        self._swf = swf
        self._core = core
        self._loop = loop
        self._later = later
        self._polls = CallThreads("swf-poll", POLL_THREADS_MAX)
        self._reports = CallThreads("swf-report", REPORT_THREADS_MAX)
        self._heartbeats = CallThreads("swf-heartbeat", HEARTBEAT_THREADS_MAX)
        self._cold = CallThreads("swf-cold", COLD_THREADS_MAX)
        self._troubles = TroubleLog(logger)

    def poll(self, list_key: ListKey) -> None:
        """Poll the list once."""
        self._polls.submit(lambda: self._later(self._polled(list_key, lambda: self._swf.poll(list_key))))

    def call(self, effect: CallSwf) -> None:
        """Report the end of a task, or a heartbeat."""
        self._call_in_thread(effect, lambda: self._swf.call(effect.call, effect.swf_token, effect.members))

    def look_up(self, effect: LookUpAttempt) -> None:
        """Read what history tells of an attempt."""
        self._cold.submit(lambda: self._later(self._looked_up(effect)))

    def register(self, effect: Register) -> None:
        """See that domain and types exist."""
        self._cold.submit(lambda: self._later(self._registered(effect)))

    def close(self) -> None:
        """Let the threads end."""
        for threads in (self._polls, self._reports, self._heartbeats, self._cold):
            threads.close()

    def _call_in_thread(self, effect: CallSwf, ask: Callable[[], SwfSaid]) -> None:
        threads = self._heartbeats if effect.call is Call.HEARTBEAT else self._reports
        threads.submit(lambda: self._later(self._called(effect, ask)))

    def _polled(self, list_key: ListKey, ask: Callable[[], SwfTask | None]) -> Tidings:
        try:
            task = ask()
        except SwfError as error:
            self._troubles.had(_poll_of(list_key), type(error).__name__, f"it fails and is tried again: {error}")
            return lambda: self._core.poll_failed(list_key, self._loop.time())
        except Exception as error:
            logger.exception("%s failed in an unforeseen way: %s", _poll_of(list_key), error)
            return lambda: self._core.poll_failed(list_key, self._loop.time())
        if self._troubles.lasts:
            self._troubles.over(_poll_of(list_key))
        return lambda: self._core.poll_answered(list_key, task, self._loop.time())

    def _called(self, effect: CallSwf, ask: Callable[[], SwfSaid]) -> Tidings:
        name = effect.call.value
        try:
            said = ask()
        except Exception as error:
            logger.exception("%s failed in an unforeseen way and is tried again: %s", name, error)
            said = SwfSaid(said=Said.LATER, message=str(error))
        if said.said is Said.LATER:
            self._troubles.had(name, "trouble", f"it fails and is tried again: {said.message}")
        else:
            self._troubles.over(name)
        return lambda: self._core.swf_answered(effect.call, effect.swf_token, said, self._loop.time())

    def _looked_up(self, effect: LookUpAttempt) -> Tidings:
        facts: AttemptFacts | None = None
        try:
            facts = self._swf.look_up(effect)
        except Exception as error:
            logger.exception("A history was not understood; its task runs without its last progress: %s", error)
        return lambda: self._core.attempt_looked_up(effect.swf_token, facts, self._loop.time())

    def _registered(self, effect: Register) -> Tidings:
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
        return lambda: self._core.registered(effect.list_key, found.types, proceed, self._loop.time())


def _poll_of(list_key: ListKey) -> str:
    return f"Poll of task list {list_key}"
