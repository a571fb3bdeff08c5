"""Collects what arrives, runs it through the service in one step per loop turn, holds the long polls."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Protocol

from pyflow_local.clock import SteadyClock
from pyflow_local.engine.faults import Fault
from pyflow_local.engine.values import LambdaInvocation
from pyflow_local.http.admin import HEALTH_PATH
from pyflow_local.http.connection import Connection, Request
from pyflow_local.http.wire import RequestIds, operation_of
from pyflow_local.service import EndedLambda, Incoming, Service, StepResult

SKIP_STOPS_MAX = 100_000
HOUSEKEEPING_SECONDS = 600.0
HOUSEKEEPING_PAUSE_SECONDS = 0.05


class Admin(Protocol):
    """Answers requests to paths of our own; None if the path is not one of them."""

    def __call__(self, request: Request) -> tuple[int, bytes] | None: ...


class Frontdesk:
    """The Desk of all connections (see Connection); runs on one event loop."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        clock: SteadyClock,
        invoke: Callable[[LambdaInvocation], None],
        poll_hold_s: float,
    ) -> None:
        self._loop = loop
        self._clock = clock
        self._invoke = invoke
        self._poll_hold_s = poll_hold_s
        self._service: Service | None = None
        self.check: Callable[[Request], None] | None = None
        self.admin: Admin | None = None
        self._ids = RequestIds()
        self._idents = 0
        self._connections: set[Connection] = set()
        self._asking: dict[int, Connection] = {}
        # ident -> when the long poll ends, in the loop's time: skipping SWF's time does not shorten a poll
        self._polls: OrderedDict[int, float] = OrderedDict()
        self._arrived: list[Incoming] = []
        self._ended: list[EndedLambda] = []
        self._turn_planned = False
        self._wake: asyncio.TimerHandle | None = None
        self._stopped = False

    def begin(self, service: Service) -> None:
        """Serve with this service from now on."""
        self._service = service
        self.plan_turn()
        self._loop.call_later(HOUSEKEEPING_PAUSE_SECONDS, self._keep_house)

    # --- the Desk of connections -----------------------------------------------------------------------------

    def open(self, connection: Connection) -> None:
        """A connection was made."""
        self._connections.add(connection)

    def closed(self, connection: Connection) -> None:
        """A connection is gone: a poll that waited on it must not be handed a task."""
        self._connections.discard(connection)
        ident = connection.waiting_for
        if ident:
            self._asking.pop(ident, None)
            if self._polls.pop(ident, None) is not None and self._service is not None:
                self._service.drop_poll(ident)

    def request_id(self) -> bytes:
        """A new request id."""
        return self._ids.next()

    def take(self, connection: Connection, request: Request) -> None:
        """Queue a request for the next turn, or refuse it at once."""
        try:
            if self.check is not None and request.path != HEALTH_PATH:
                self.check(request)
            if request.path != b"/" and self.admin is not None and (answer := self.admin(request)) is not None:
                connection.reply(*answer)
                return
            if request.path != b"/" or request.method != b"POST":
                raise Fault("UnknownOperationException", "SWF is spoken as POST /")
            operation = operation_of(request.headers.get(b"x-amz-target", b""))
        except Fault as fault:
            connection.reply(fault.status, fault.body())
            return
        self._idents += 1
        ident = connection.waiting_for = self._idents
        self._asking[ident] = connection
        self._arrived.append(Incoming(ident, operation, request.body))
        self.plan_turn()

    @property
    def connected(self) -> bool:
        """Whether any connection is open."""
        return bool(self._connections)

    def alive(self, ident: int) -> bool:
        """Whether the poll's client is still there."""
        connection = self._asking.get(ident)
        return connection is not None and connection.alive()

    # --- turns -----------------------------------------------------------------------------------------------

    def plan_turn(self) -> None:
        """Have a turn after everything that is readable now has been read: that is the group of the commit."""
        if not self._turn_planned and not self._stopped:
            self._turn_planned = True
            self._loop.call_soon(self._turn)

    def lambda_ended(self, ended: EndedLambda) -> None:
        """News of an invocation."""
        self._ended.append(ended)
        self.plan_turn()

    def _turn(self) -> None:
        self._turn_planned = False
        service = self._service
        if service is None or self._stopped:
            return
        now_ms = self._clock.now_ms()
        arrived, self._arrived = self._arrived, []
        ended, self._ended = self._ended, []
        self._expire_polls()
        self._carry_out(service, service.step(arrived, now_ms, ended))

    def _carry_out(self, service: Service, result: StepResult) -> None:
        for ident in result.parked:
            if ident in self._asking:
                self._polls[ident] = self._loop.time() + self._poll_hold_s
            else:
                service.drop_poll(ident)
        for ident, status, body in result.answers:
            self._polls.pop(ident, None)
            connection = self._asking.pop(ident, None)
            if connection is not None:
                connection.reply(status, body)
        for invocation in result.invocations:
            self._invoke(invocation)
        self._plan_wake()

    def _expire_polls(self) -> None:
        now_s = self._loop.time()
        while self._polls:
            ident, ends_s = next(iter(self._polls.items()))
            if ends_s > now_s:
                return
            self._end_poll(ident)

    def _end_poll(self, ident: int) -> None:
        del self._polls[ident]
        assert self._service is not None
        body = self._service.expire_poll(ident)
        connection = self._asking.pop(ident, None)
        if connection is not None and body is not None:
            connection.reply(200, body)

    def _plan_wake(self) -> None:
        assert self._service is not None
        due_ms = self._service.next_due_ms()
        at_s = next(iter(self._polls.values())) if self._polls else None
        if due_ms is not None:
            due_s = self._loop.time() + (due_ms - self._clock.now_ms()) / 1000
            at_s = due_s if at_s is None else min(at_s, due_s)
        if at_s is None:
            return
        if self._wake is not None:
            if self._wake.when() <= at_s:
                return  # wakes early enough; if it turns out too early, the turn plans again
            self._wake.cancel()
        self._wake = self._loop.call_at(at_s, self._woken)

    def _woken(self) -> None:
        self._wake = None
        self.plan_turn()

    def _keep_house(self) -> None:
        if self._stopped or self._service is None:
            return
        more = self._service.forget_expired()
        self._loop.call_later(HOUSEKEEPING_PAUSE_SECONDS if more else HOUSEKEEPING_SECONDS, self._keep_house)

    def skip_time(self, by_ms: int | None) -> int:
        """Move the clock by milliseconds, or to the next due event for None; everything due on the way happens at
        its own time. Returns the milliseconds skipped.
        """
        service = self._service
        assert service is not None
        begin_ms = self._clock.now_ms()
        target_ms = service.next_due_ms() if by_ms is None else begin_ms + by_ms
        if target_ms is None:
            return 0
        for _ in range(SKIP_STOPS_MAX):
            due_ms = service.next_due_ms()
            if due_ms is None or due_ms > target_ms:
                break
            self._clock.skip(due_ms - self._clock.now_ms())
            self._turn()
        self._clock.skip(target_ms - self._clock.now_ms())
        self._turn()
        return max(0, target_ms - begin_ms)

    def import_history(self, domain: str, workflow_id: str, events: Sequence[bytes]) -> str:
        """Take in a history to look at; its run id. Raises Fault, StorageFailed."""
        service = self._service
        assert service is not None
        run_id, result = service.import_history(domain, workflow_id, events, self._clock.now_ms())
        self._carry_out(service, result)
        return run_id

    # --- the end ---------------------------------------------------------------------------------------------

    def stop(self) -> None:
        """Answer what has arrived, end every long poll with an empty answer, close the connections."""
        self._turn()
        for ident in list(self._polls):
            self._end_poll(ident)
        self._stopped = True
        if self._wake is not None:
            self._wake.cancel()
        for connection in list(self._connections):
            connection.close_when_idle()
