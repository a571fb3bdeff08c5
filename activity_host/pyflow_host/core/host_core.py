"""HostCore: what happened goes in, what is to be done comes out. The only part of the core the shell talks to."""

from __future__ import annotations

from collections.abc import Callable

from pyflow_api.v1 import activity_host_pb2 as host_pb
from pyflow_api.v1 import worker_pb2 as pb

from pyflow_host.core import beating, limits, placing, reporting, sessions
from pyflow_host.core.effects import Call, Effect, Level
from pyflow_host.core.leases import LeaseState
from pyflow_host.core.state import CoreOptions, HostState, Timer, Worker
from pyflow_host.core.tokens import Sealer
from pyflow_host.core.values import AttemptFacts, ListKey, SwfSaid, SwfTask, TypeDefaults, TypeKey

_NOT_WAITED_FOR = frozenset({LeaseState.DETACHED, LeaseState.GONE})


class HostCore:
    """The host without its shell. Not thread-safe; `now` is any clock in seconds that never goes back.

    Every method returns the effects to carry out, in order.
    """

    def __init__(self, options: CoreOptions, sealer: Sealer, *, draw: Callable[[], float]) -> None:
        self._state = HostState(options, sealer, draw)

    def stream_opened(self, stream: int, now: float) -> list[Effect]:
        """A worker opened the stream; streams have numbers that are never used again."""
        sessions.stream_opened(self._state, stream, now)
        return self._state.take_effects()

    def frame_received(self, stream: int, frame: pb.WorkerFrame, now: float) -> list[Effect]:
        """A frame came in on the stream. `rest_received` must follow, once the effects of this are carried out."""
        sessions.frame_received(self._state, stream, frame, now)
        return self._state.take_effects()

    def rest_received(self, stream: int, frame: pb.WorkerFrame, now: float) -> list[Effect]:
        """The rest of the frame, looked at after SWF was told of the outcomes: nobody waits for it."""
        sessions.rest_received(self._state, stream, frame, now)
        return self._state.take_effects()

    def stream_closed(self, stream: int, now: float) -> list[Effect]:
        """The stream ended, from either side."""
        sessions.stream_closed(self._state, stream, now)
        return self._state.take_effects()

    def refuse(self, stream: int, reason: pb.GoAwayReason, message: str, now: float) -> list[Effect]:
        """The shell found that the stream must not go on (no valid auth token, flooding)."""
        sessions.go_away(self._state, stream, reason, message, now)
        return self._state.take_effects()

    def poll_answered(self, list_key: ListKey, task: SwfTask | None, now: float) -> list[Effect]:
        """A poll came back; None: there was no task."""
        placing.poll_answered(self._state, list_key, task, now)
        return self._state.take_effects()

    def poll_failed(self, list_key: ListKey, now: float) -> list[Effect]:
        """A poll ended without an answer."""
        placing.poll_failed(self._state, list_key, now)
        return self._state.take_effects()

    def attempt_looked_up(self, swf_token: str, facts: AttemptFacts | None, now: float) -> list[Effect]:
        """LookUpAttempt is done; None: the history could not be read."""
        placing.attempt_looked_up(self._state, swf_token, facts, now)
        return self._state.take_effects()

    def swf_answered(self, call: Call, swf_token: str, said: SwfSaid, now: float) -> list[Effect]:
        """CallSwf is done."""
        lease = self._state.leases.get(swf_token)
        if lease is None:
            return self._state.take_effects()
        if call is Call.HEARTBEAT:
            beating.beat_answered(self._state, lease, said, now)
        elif lease.state is LeaseState.REPORTING:
            reporting.report_answered(self._state, lease, said, now)
        return self._state.take_effects()

    def registered(
        self, list_key: ListKey, types: dict[TypeKey, TypeDefaults], proceed: bool, now: float
    ) -> list[Effect]:
        """Register is done. `types` are those now known to exist, with their real defaults; `proceed`: poll."""
        state = self._state
        demand = state.demand(list_key)
        demand.registering = False
        demand.registered.update(types)
        for key, defaults in types.items():
            state.registered_defaults[(list_key.domain, key)] = defaults
        if proceed:
            demand.ready = True
            demand.register_failures = 0
            sessions.register_missing(state, list_key)
            placing.open_polls(state, demand, now)
        else:
            demand.register_failures += 1
            bound = limits.REGISTER_BACKOFF_FIRST_S * 2.0 ** min(demand.register_failures - 1, 10)
            wait_s = state.draw() * min(limits.REGISTER_BACKOFF_MAX_S, bound)
            state.set_timer(now + wait_s, Timer.REGISTER, list_key)
        return state.take_effects()

    def complete_task(self, request: int, outcome: pb.Outcome, now: float) -> list[Effect]:
        """CompleteTask was called; answered with AnswerComplete."""
        reporting.outcome_from_outside(self._state, request, outcome, now)
        return self._state.take_effects()

    def record_progress(self, request: int, progress: pb.Progress, now: float) -> list[Effect]:
        """RecordTaskProgress was called; answered with AnswerProgress."""
        beating.progress_from_outside(self._state, request, progress, now)
        return self._state.take_effects()

    def tick(self, now: float) -> list[Effect]:
        """Time has passed; call it when `next_due` is reached."""
        state = self._state
        for kind, key, generation in state.due_timers(now):
            self._timer(kind, key, generation, now)
        beating.beat_due(state, now)
        return state.take_effects()

    def next_due(self) -> float:
        """When `tick` has something to do; infinity: not before something else happens."""
        return min(self._state.next_timer(), self._state.beats.next_due())

    def drain(self, now: float) -> list[Effect]:
        """No polls from now on. Everything else goes on."""
        state = self._state
        if not state.draining:
            state.draining = True
            running, polls = len(state.leases), self.polls_open
            message = f"Draining: no new polls; {polls} polls are waited out (up to 60 s), {running} tasks run."
            state.log(Level.INFO, message)
        return state.take_effects()

    def say_goodbye(self, now: float) -> list[Effect]:
        """End every stream with GoAway HOST_DRAINING. Tasks still running go on in their workers."""
        sessions.say_goodbye(self._state, now)
        return self._state.take_effects()

    @property
    def polls_open(self) -> int:
        """Polls under way."""
        return sum(demand.polls_open for demand in self._state.demands.values())

    @property
    def tasks_waited_for(self) -> int:
        """Tasks whose end this host still expects to report."""
        return sum(1 for lease in self._state.leases if lease.state not in _NOT_WAITED_FOR)

    @property
    def streams(self) -> int:
        """Workers connected."""
        return len(self._state.by_stream)

    @property
    def nothing_lost(self) -> bool:
        """Whether the end of every task that ended here is known to SWF."""
        return self._state.ledger.lost == 0

    def ledger_line(self) -> str:
        """The ledger for people. A task that SWF closed and whose worker still runs is counted as gone, not held."""
        return self._state.ledger.line(self._held())

    def describe(self) -> host_pb.DescribeHostResponse:
        """The answer to DescribeHost."""
        state = self._state
        ledger = state.ledger
        return host_pb.DescribeHostResponse(
            host_id=state.options.host_id,
            domains=state.options.domains,
            workers=[_described(worker) for worker in state.workers.values() if worker.stream is not None],
            ledger=host_pb.Ledger(
                polls_opened=ledger.polls_opened,
                tasks_received=ledger.received,
                tasks_resumed=ledger.resumed,
                tasks_dispatched=ledger.dispatched,
                tasks_reported=ledger.reported,
                tasks_gone=ledger.gone,
                tasks_lost=ledger.lost,
                tasks_held=self._held(),
            ),
            draining=state.draining,
        )

    def _held(self) -> int:
        return sum(1 for lease in self._state.leases if lease.state is not LeaseState.GONE)

    def _timer(self, kind: Timer, key: object, generation: int, now: float) -> None:
        state = self._state
        if kind is Timer.PING and isinstance(key, int):
            sessions.ping_due(state, key, now)
        elif kind is Timer.HELLO and isinstance(key, int):
            sessions.hello_overdue(state, key, now)
        elif kind is Timer.GRACE and isinstance(key, str):
            sessions.grace_over(state, key, generation, now)
        elif kind is Timer.WAITED and isinstance(key, str):
            placing.waited_long(state, key, generation)
        elif kind is Timer.REPORT and isinstance(key, str):
            reporting.report_again(state, key)
        elif kind is Timer.POLL and isinstance(key, ListKey):
            placing.open_polls(state, state.demand(key), now)
        elif kind is Timer.REGISTER:
            sessions.register_missing(state, key)


def _described(worker: Worker) -> host_pb.ConnectedWorker:
    return host_pb.ConnectedWorker(
        worker_key=worker.key,
        worker_name=worker.name,
        language=worker.language,
        domain=worker.list_key.domain,
        task_list=worker.list_key.task_list,
        activity_types=[pb.ActivityType(name=key.name, version=key.version) for key in worker.types],
        credits=worker.credits,
        tasks_held=len(worker.held),
    )
