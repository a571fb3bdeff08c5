"""Engine and store as one: a batch of requests and a time go in, committed answers come out. No sockets, no loop."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import orjson

from pyflow_local.engine.engine import POLLS, Engine
from pyflow_local.engine.faults import Fault
from pyflow_local.engine.importing import import_run
from pyflow_local.engine.limits import Choices, Quotas
from pyflow_local.engine.rebuild import rebuild
from pyflow_local.engine.restrictions import Restrictions
from pyflow_local.engine.values import (
    ClosedCountQuery,
    ClosedLookup,
    ClosedPageQuery,
    LambdaInvocation,
    LambdaOutcome,
    Outcome,
    Parked,
    Reply,
)
from pyflow_local.engine.visibility import retained_after_ms
from pyflow_local.engine.world import World
from pyflow_local.errors import StorageFailed
from pyflow_local.store.store import Store

log = logging.getLogger("pyflow_local")

RETRY_AFTER_FAILURE_MS = 250


@dataclass(frozen=True, slots=True)
class Incoming:
    """One request: `ident` names it until it is answered."""

    ident: int
    operation: str
    body: bytes


@dataclass(frozen=True, slots=True)
class EndedLambda:
    """News of an invocation that ended."""

    run: int
    scheduled_id: int
    outcome: LambdaOutcome


@dataclass(slots=True)
class StepResult:
    """Answers as (ident, status, body), all committed, and invocations to perform."""

    answers: list[tuple[int, int, bytes]] = field(default_factory=list)
    parked: list[int] = field(default_factory=list)
    invocations: list[LambdaInvocation] = field(default_factory=list)


class Service:
    """The embedded SWF without its transport. Single-threaded: one `step` at a time."""

    def __init__(
        self,
        store: Store,
        now_ms: int,
        *,
        quotas: Quotas | None = None,
        choices: Choices | None = None,
        restrictions: Restrictions | None = None,
        region: str = "us-east-1",
        account: str = "123456789012",
        alive: Callable[[int], bool] | None = None,
    ) -> None:
        self._store = store
        self._quotas = quotas or Quotas()
        self._choices = choices or Choices()
        self._gate = restrictions.gate() if restrictions is not None else None
        self._region = region
        self._account = account
        self._alive = alive
        self._parked: dict[int, tuple[str, object]] = {}
        self._failed_until_ms = 0
        self._engine: Engine | None = None
        self._rebuild(now_ms)

    # --- the step --------------------------------------------------------------------------------------------

    def step(self, requests: Sequence[Incoming], now_ms: int, ended: Sequence[EndedLambda] = ()) -> StepResult:
        """Handle everything that arrived, commit it in one transaction, and only then give the answers.

        If the commit fails the whole batch is answered with a 500 that clients retry, and nothing of it stays.
        """
        result = StepResult()
        try:
            outcomes = self._run(requests, now_ms, ended, result)
        except Exception as error:
            self._recover(error, now_ms)
            failure = Fault("InternalFailure", "The request was not carried out; try again").body()
            for request in requests:
                self._parked.pop(request.ident, None)
                result.answers.append((request.ident, 500, failure))
            result.parked.clear()
            return result
        for ident, outcome in outcomes:
            status, body = self._resolve(outcome)
            result.answers.append((ident, status, body))
        return result

    def _run(
        self, requests: Sequence[Incoming], now_ms: int, ended: Sequence[EndedLambda], result: StepResult
    ) -> list[tuple[int, Outcome]]:
        engine = self._engine
        if engine is None:
            engine = self._rebuild(now_ms)
        outcomes: list[tuple[int, Outcome]] = []
        for one in ended:
            engine.lambda_ended(one.run, one.scheduled_id, one.outcome, now_ms)
        for request in requests:
            outcome = self._handle(engine, request, now_ms)
            if type(outcome) is Parked:
                result.parked.append(request.ident)
            else:
                outcomes.append((request.ident, outcome))
        engine.advance(now_ms)
        out = engine.drain()
        self._store.commit(out.journal)
        for ident, _ in out.answers:
            self._parked.pop(ident, None)
        result.invocations = out.invocations
        # Tasks first: whoever gets one has work to do; the others only learn that theirs is done.
        return [*out.answers, *outcomes]

    def _handle(self, engine: Engine, request: Incoming, now_ms: int) -> Outcome:
        try:
            body = orjson.loads(request.body) if request.body else {}
        except orjson.JSONDecodeError:
            fault = Fault("SerializationException")
            return Reply(fault.status, fault.body())
        outcome = engine.handle(request.operation, body, now_ms, request.ident)
        if type(outcome) is Parked:
            self._parked[request.ident] = (request.operation, body)
        return outcome

    def _resolve(self, outcome: Outcome) -> tuple[int, bytes]:
        """The finished answer; what it needs from the store is read after the commit, so it sees the batch."""
        if not isinstance(outcome, Reply):
            assert not isinstance(outcome, Parked)
            try:
                outcome = self._ask(outcome)
            except Fault as fault:
                return fault.status, fault.body()
        if outcome.history is None:
            return outcome.status, outcome.head
        return outcome.status, outcome.head + self._store.history(outcome.history) + outcome.tail

    def _ask(self, query: ClosedLookup | ClosedPageQuery | ClosedCountQuery) -> Reply:
        if isinstance(query, ClosedLookup):
            return query.finish(self._store.closed(query.run))
        if isinstance(query, ClosedPageQuery):
            return query.finish(self._store.closed_page(query))
        return query.finish(self._store.closed_count(query))

    # --- polls -----------------------------------------------------------------------------------------------

    def expire_poll(self, ident: int) -> bytes | None:
        """End a poll that waits: its empty answer, or None if it no longer waits."""
        parked = self._parked.pop(ident, None)
        if parked is None:
            return None
        if self._engine is not None:
            self._engine.drop_poll(ident)
        return POLLS[parked[0]][1].head

    def drop_poll(self, ident: int) -> None:
        """A poll's connection is gone: it must not get a task any more."""
        self.expire_poll(ident)

    # --- histories from elsewhere ----------------------------------------------------------------------------

    def import_history(
        self, domain: str, workflow_id: str, events: Sequence[bytes], now_ms: int
    ) -> tuple[str, StepResult]:
        """Take in a history to look at (see pyflow_local.transfer): its new run id, and what else the step brought.

        Raises Fault, StorageFailed.
        """
        engine = self._engine if self._engine is not None else self._rebuild(now_ms)
        engine.world.set_clock(now_ms)
        run_id = import_run(engine.world, domain, workflow_id, events)
        result = self.step([], now_ms)
        if self._engine is None:
            raise StorageFailed("The history was not taken in: it could not be written (see the server's log)")
        return run_id, result

    # --- time and housekeeping -------------------------------------------------------------------------------

    def next_due_ms(self) -> int | None:
        """When the next step is needed even if no request comes."""
        if self._engine is None:
            return self._failed_until_ms
        return self._engine.next_due_ms()

    def forget_expired(self) -> int:
        """Delete some of the executions whose retention is over; returns how many."""
        if self._engine is None:
            return 0
        world = self._engine.world
        return sum(
            self._store.forget_closed(domain.number, retained_after_ms(domain, world.now_ms))
            for domain in world.domains.values()
        )

    def close(self) -> None:
        """Close the store."""
        self._store.close()

    # --- recovery --------------------------------------------------------------------------------------------

    def _recover(self, error: Exception, now_ms: int) -> None:
        if isinstance(error, StorageFailed):
            log.error("%s; the requests of this moment were refused with a 500", error)
        else:
            log.exception("A step failed; its requests were refused with a 500 and the state is read anew")
        self._engine = None
        self._failed_until_ms = now_ms + RETRY_AFTER_FAILURE_MS

    def _rebuild(self, now_ms: int) -> Engine:
        """State as the store has it. Polls that waited go on waiting; lambdas that ran are invoked again."""
        world = World(self._store.secret, self._quotas, self._choices, self._region, self._account)
        if self._alive is not None:
            world.alive = self._alive
        rebuild(world, self._store.load(), now_ms)
        engine = Engine(world)
        for ident, (operation, body) in list(self._parked.items()):
            engine.handle(operation, body, now_ms, ident)
        world.gate = self._gate  # from here on: a poll that waits has passed it already
        self._engine = engine
        return engine
