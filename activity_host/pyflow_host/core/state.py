"""What the parts of the core share: workers, leases, demand for polls, timers, and the effects collected so far."""

from __future__ import annotations

import enum
import heapq
import math
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from pyflow_api.v1 import worker_pb2 as pb

from pyflow_host.core import limits
from pyflow_host.core.effects import Effect, HostItem, Level, Log, Send
from pyflow_host.core.heartbeats import HeartbeatSchedule
from pyflow_host.core.leases import Lease, LeaseTable
from pyflow_host.core.ledger import Ledger
from pyflow_host.core.tokens import Sealer
from pyflow_host.core.values import ListKey, TypeDefaults, TypeKey


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreOptions:
    """How this host behaves. Times in seconds."""

    host_id: str
    domains: tuple[str, ...]
    """The first is the default of workers that name none."""
    ping_interval_s: float = limits.PING_INTERVAL_S
    grace_s: float = limits.GRACE_S
    wait_for_credit_max_s: float = limits.WAIT_FOR_CREDIT_MAX_S
    cancel_check_interval_s: float = limits.CANCEL_CHECK_INTERVAL_S
    heartbeats_per_s: float = limits.HEARTBEATS_PER_S
    heartbeats_burst: float = limits.HEARTBEATS_BURST
    polls_of_list_max: int = limits.POLLS_OF_LIST_MAX
    streams_max: int = limits.STREAMS_MAX
    payload_bytes_max: int = limits.PAYLOAD_BYTES_MAX
    result_chars_max: int = limits.RESULT_CHARS_MAX
    tell_ends: bool = False
    """Whether TaskEnded is wanted (for traces)."""


@dataclass(slots=True, kw_only=True, eq=False)
class Worker:
    """One worker process, by its key; `stream` is None while it is cut off."""

    key: str
    stream: int | None
    name: str
    language: str
    list_key: ListKey
    types: dict[TypeKey, TypeDefaults]
    slots: int = 0
    credits: int = 0
    credits_withheld: int = 0
    """Granted while it had HELD_TASKS_MAX tasks; they count once some have ended."""
    draining: bool = False
    held: dict[str, Lease] = field(default_factory=dict)
    """By SWF's token: running, reporting, or gone with the outcome still to come."""
    ping_nonce: int = 0
    pinged_at: float = 0.0
    alive_at: float = 0.0
    generation: int = 0
    """Counts connections, so that timers of an earlier one are known as stale."""

    @property
    def takes_tasks(self) -> bool:
        """Whether it may get a task when it has credits."""
        return self.stream is not None and not self.draining

    def __str__(self) -> str:
        return f"worker {self.name or self.key} ({self.language or 'unknown language'})"


@dataclass(slots=True, eq=False)
class Demand:
    """Polls of one list, against the credits of the workers on it."""

    list_key: ListKey
    credits: int = 0
    polls_open: int = 0
    unplaced: int = 0
    """Tasks that are held and wait for a worker; each has a claim on a credit."""
    failures: int = 0
    paused_until: float = 0.0
    registered: set[TypeKey] = field(default_factory=set)
    registering: bool = False
    ready: bool = False
    """The domain and types are known to exist."""
    register_failures: int = 0


class Timer(enum.Enum):
    """What a timer is for; its key is a stream, worker, list or task."""

    HELLO = "hello"
    PING = "ping"
    GRACE = "grace"
    POLL = "poll"
    REGISTER = "register"
    WAITED = "waited"
    REPORT = "report"


class HostState:
    """Everything the core knows. Collects effects until `take_effects`."""

    def __init__(self, options: CoreOptions, sealer: Sealer, draw: Callable[[], float]) -> None:
        self.options = options
        self.sealer = sealer
        self.draw = draw
        """Random numbers in [0, 1) for jitter; an argument so that a test can fix them."""
        self.ledger = Ledger()
        self.leases = LeaseTable()
        self.by_token: dict[bytes, Lease] = {}
        self.workers: dict[str, Worker] = {}
        self.by_stream: dict[int, Worker] = {}
        self.greeting: set[int] = set()
        """Streams without a Hello yet."""
        self.demands: dict[ListKey, Demand] = {}
        self.ready: dict[tuple[ListKey, TypeKey], OrderedDict[str, Worker]] = {}
        """Workers with credits that serve a type, the one that waited longest first."""
        self.waiting: dict[tuple[ListKey, TypeKey], deque[Lease]] = {}
        self.registered_defaults: dict[tuple[str, TypeKey], TypeDefaults] = {}
        self.requests: dict[str, list[int]] = {}
        """CompleteTask calls that wait for the end of a task, by SWF's token."""
        self.progress_requests: dict[str, list[int]] = {}
        """RecordTaskProgress calls that wait for a heartbeat's answer, by SWF's token."""
        self.beats = HeartbeatSchedule(options.heartbeats_per_s, options.heartbeats_burst)
        self.draining = False
        self.full = False
        """Whether streams have been refused since there was room last."""
        self._effects: list[Effect] = []
        self._timers: list[tuple[float, int, Timer, object, int]] = []
        self._timer_count = 0

    def do(self, effect: Effect) -> None:
        """Collect an effect."""
        self._effects.append(effect)

    def send(self, worker: Worker, item: HostItem) -> None:
        """Send `item` if the worker is connected."""
        if worker.stream is not None:
            self._effects.append(Send(worker.stream, item))

    def log(self, level: Level, message: str, **fields: str) -> None:
        """Say something."""
        self._effects.append(Log(level, message, fields))

    def take_effects(self) -> list[Effect]:
        """The effects since the last call."""
        taken, self._effects = self._effects, []
        return taken

    def set_timer(self, at: float, kind: Timer, key: object, generation: int = 0) -> None:
        """Wake `kind` for `key` at `at`. Timers are never taken back; who is woken looks whether it still matters."""
        self._timer_count += 1
        heapq.heappush(self._timers, (at, self._timer_count, kind, key, generation))

    def due_timers(self, now: float) -> list[tuple[Timer, object, int]]:
        """Takes out and gives the timers that are due, in order."""
        due = []
        while self._timers and self._timers[0][0] <= now:
            _, _, kind, key, generation = heapq.heappop(self._timers)
            due.append((kind, key, generation))
        return due

    def next_timer(self) -> float:
        """When the next timer is due; infinity: none is set."""
        return self._timers[0][0] if self._timers else math.inf

    def demand(self, list_key: ListKey) -> Demand:
        """The demand of a list, made on first use."""
        demand = self.demands.get(list_key)
        if demand is None:
            demand = self.demands[list_key] = Demand(list_key)
        return demand

    def add_credits(self, worker: Worker, more: int) -> None:
        """Credits granted; negative ones are used up. Keeps demand and readiness in step."""
        before = worker.credits
        worker.credits = min(limits.CREDITS_MAX, before + more)
        self.demand(worker.list_key).credits += worker.credits - before
        if before <= 0 < worker.credits:
            for type_key in worker.types:
                self.ready.setdefault((worker.list_key, type_key), OrderedDict())[worker.key] = worker
        elif before > 0 >= worker.credits:
            self._unready(worker)

    def grant(self, worker: Worker, credits: int) -> bool:
        """Credits from the worker, and those withheld before; whether there are more now."""
        wanted = min(limits.CREDITS_MAX, worker.credits_withheld + credits)
        room = max(0, limits.HELD_TASKS_MAX - len(worker.held) - max(0, worker.credits))
        given = min(wanted, room)
        worker.credits_withheld = wanted - given
        self.add_credits(worker, given)
        return given > 0

    def drop_credits(self, worker: Worker) -> None:
        """The worker takes no more tasks on this stream."""
        self.demand(worker.list_key).credits -= worker.credits
        worker.credits = worker.credits_withheld = 0
        self._unready(worker)

    def _unready(self, worker: Worker) -> None:
        for type_key in worker.types:
            ready = self.ready.get((worker.list_key, type_key))
            if ready is not None:
                ready.pop(worker.key, None)

    def held_by(self, lease: Lease) -> Worker | None:
        """The worker that holds the task now (a task to be completed later is held by nobody)."""
        worker = self.workers.get(lease.worker_key)
        return worker if worker is not None and lease.swf_token in worker.held else None

    def close(self, lease: Lease, answer_again: pb.AckStatus) -> None:
        """Hold the task no longer."""
        worker = self.workers.get(lease.worker_key)
        if worker is not None:
            worker.held.pop(lease.swf_token, None)
        self.by_token.pop(lease.token, None)
        self.leases.close(lease, answer_again)
