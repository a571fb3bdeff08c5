"""Streams: Hello and Welcome, resume after a cut, ping and silence, draining, the end and the grace after it."""

from __future__ import annotations

from google.protobuf import duration_pb2
from pyflow_api.v1 import worker_pb2 as pb

from pyflow_host.core import limits
from pyflow_host.core.beating import progress_received
from pyflow_host.core.effects import EndStream, Level, Register, Send
from pyflow_host.core.hello import Greeting, HelloRefused, read_hello
from pyflow_host.core.leases import Lease, LeaseEvent, LeaseState
from pyflow_host.core.placing import give_back_unserved, open_polls, place_again, place_waiting
from pyflow_host.core.reporting import adopt, outcome_received, worker_lost
from pyflow_host.core.state import HostState, Timer, Worker

PING_SLACK = 0.5
"""Share of an interval by which a Ping may be late without making the worker look silent too early."""


def stream_opened(state: HostState, stream: int, now: float) -> None:
    """A stream was opened; Hello must follow."""
    if len(state.by_stream) + len(state.greeting) >= state.options.streams_max:
        _refuse_for_want_of_room(state, stream)
        return
    state.full = False
    state.greeting.add(stream)
    state.set_timer(now + limits.HELLO_WITHIN_S, Timer.HELLO, stream)


def frame_received(state: HostState, stream: int, frame: pb.WorkerFrame, now: float) -> None:
    """A frame of the worker, as far as its outcomes: everything that is set, in the order of the field numbers."""
    worker = state.by_stream.get(stream)
    if worker is None:
        if stream not in state.greeting:
            return  # ended on our side already; what was under way does not count any more
        if not frame.HasField("hello"):
            go_away(
                state, stream, pb.GO_AWAY_REASON_PROTOCOL_ERROR, "The first frame of a stream must carry Hello.", now
            )
            return
        worker = _hello(state, stream, frame.hello, now)
        if worker is None:
            return
    elif frame.HasField("hello"):
        go_away(state, stream, pb.GO_AWAY_REASON_PROTOCOL_ERROR, "Hello was sent twice on one stream.", now)
        return
    for outcome in frame.outcomes:
        outcome_received(state, worker, outcome, now)


def rest_received(state: HostState, stream: int, frame: pb.WorkerFrame, now: float) -> None:
    """What follows the outcomes in a frame that was received."""
    worker = state.by_stream.get(stream)
    if worker is None:
        return
    for progress in frame.progress:
        progress_received(state, worker, progress)
    if (frame.credits or worker.credits_withheld) and not worker.draining and state.grant(worker, frame.credits):
        place_waiting(state, worker, now)
    if frame.HasField("status"):
        _status(state, worker, frame.status, now)
    if frame.HasField("draining") and not worker.draining:
        worker.draining = True
        state.drop_credits(worker)
        give_back_unserved(state, worker)
        state.log(Level.INFO, f"{worker} drains: {len(worker.held)} tasks left", worker=worker.key)
    open_polls(state, state.demand(worker.list_key), now)


def stream_closed(state: HostState, stream: int, now: float) -> None:
    """The stream is gone, for whatever reason."""
    state.greeting.discard(stream)
    worker = state.by_stream.pop(stream, None)
    if worker is None or worker.stream != stream:
        return
    _cut_off(state, worker, now)


def hello_overdue(state: HostState, stream: int, now: float) -> None:
    """The time for Hello is over."""
    if stream in state.greeting:
        message = f"No Hello arrived within {limits.HELLO_WITHIN_S:g} s."
        go_away(state, stream, pb.GO_AWAY_REASON_PROTOCOL_ERROR, message, now)


def ping_due(state: HostState, stream: int, now: float) -> None:
    """Ask the worker for a sign of life, or find that it has been silent for too long."""
    worker = state.by_stream.get(stream)
    if worker is None:
        return
    interval_s = state.options.ping_interval_s
    if now - worker.alive_at >= (limits.SILENT_INTERVALS_MAX - PING_SLACK) * interval_s:
        message = (
            f"No Status came for {now - worker.alive_at:.1f} s; the loop that receives frames must answer each Ping."
        )
        state.log(Level.WARNING, f"{worker} is silent and given up: {message}", worker=worker.key)
        go_away(state, stream, pb.GO_AWAY_REASON_SILENT, message, now)
        return
    worker.ping_nonce += 1
    worker.pinged_at = now
    state.send(worker, pb.Ping(nonce=worker.ping_nonce))
    state.set_timer(_next_round(state, now), Timer.PING, stream)


def grace_over(state: HostState, key: str, generation: int, now: float) -> None:
    """A worker that was cut off has not come back: its tasks are lost."""
    worker = state.workers.get(key)
    if worker is None or worker.generation != generation or worker.stream is not None:
        return
    del state.workers[key]
    for lease in list(worker.held.values()):
        if lease.state is LeaseState.CUT:
            worker_lost(state, lease, f"The {worker} was gone for {state.options.grace_s:g} s while it had the task.")
        elif lease.state is LeaseState.GONE:
            lease.happen(LeaseEvent.ENDED)
            state.close(lease, pb.ACK_STATUS_GONE)
    give_back_unserved(state, worker)
    open_polls(state, state.demand(worker.list_key), now)


def go_away(state: HostState, stream: int, reason: pb.GoAwayReason, message: str, now: float) -> None:
    """End the stream and say why."""
    state.do(Send(stream, pb.GoAway(reason=reason, message=message)))
    state.do(EndStream(stream))
    stream_closed(state, stream, now)


def say_goodbye(state: HostState, now: float) -> None:
    """The host ends: every worker is told to look for another host, or for this one when it is back."""
    for stream in [*state.by_stream, *state.greeting]:
        go_away(state, stream, pb.GO_AWAY_REASON_HOST_DRAINING, "The host stops. Reconnect to the next one.", now)


def _hello(state: HostState, stream: int, hello: pb.Hello, now: float) -> Worker | None:
    try:
        greeting = read_hello(hello, state.options.domains)
        _check_room(state, greeting)
    except HelloRefused as refused:
        name, message = hello.worker_name[: limits.WORKER_NAME_CHARS_MAX], str(refused)[: limits.MESSAGE_CHARS_MAX]
        state.log(Level.WARNING, f"Refused worker {name!r} ({hello.language[: limits.LANGUAGE_CHARS_MAX]}): {message}")
        go_away(state, stream, pb.GO_AWAY_REASON_INCOMPATIBLE, message, now)
        return None
    if state.draining and not hello.resume:
        go_away(state, stream, pb.GO_AWAY_REASON_HOST_DRAINING, "The host stops and takes no new workers.", now)
        return None
    worker = _connect(state, stream, greeting, now)
    never_received = _never_received(worker, hello)
    state.send(worker, _welcome(state, worker, [_resume(state, worker, held, now) for held in hello.resume]))
    state.set_timer(_next_round(state, now), Timer.PING, stream)
    for lease in worker.held.values():
        if lease.cancel_requested and lease.state is LeaseState.RUNNING:  # what was sent before may be lost in the cut
            state.send(worker, pb.Cancel(task_token=lease.token, reason=pb.CANCEL_REASON_REQUESTED))
    for lease in never_received:
        place_again(state, lease, now)
    again = f", resuming {len(hello.resume)} tasks" if hello.resume else ""
    names = ", ".join(f"{key.name}/{key.version}" for key in worker.types)
    state.log(
        Level.INFO,
        f"Connected: {worker} on task list {worker.list_key} with {worker.slots} slots{again}: {names[:500]}",
        worker=worker.key,
    )
    _tell_differences(state, worker)
    _register(state, worker)
    return worker


def _refuse_for_want_of_room(state: HostState, stream: int) -> None:
    streams_max = state.options.streams_max
    goodbye = pb.GoAway(
        reason=pb.GO_AWAY_REASON_HOST_FULL,
        message=f"This host has {streams_max} streams and takes no more. Start another host on the task list, or raise "
        "streams_max of this one.",
        reconnect_after=duration_pb2.Duration(seconds=limits.HOST_FULL_RECONNECT_S),
    )
    state.do(Send(stream, goodbye))
    state.do(EndStream(stream))
    if not state.full:  # once, however many knock
        state.full = True
        state.log(Level.WARNING, f"Streams are refused until others end: {streams_max} are open, the most")


def _tell_differences(state: HostState, worker: Worker) -> None:
    """A type that an earlier worker brought is not looked up on SWF again; what is registered is known."""
    for key, offered in worker.types.items():
        registered = state.registered_defaults.get((worker.list_key.domain, key))
        differences = [] if registered is None else offered.differences_to(registered)
        if differences:
            state.log(
                Level.WARNING,
                f"The {worker} offers activity type {key} with other defaults than it is registered with: "
                f"{', '.join(differences)}. Those are in force; register another version to have the worker's.",
                worker=worker.key,
            )


def _check_room(state: HostState, greeting: Greeting) -> None:
    """The host remembers lists and types for as long as it lives: a flood of made-up ones must end somewhere."""
    demand = state.demands.get(greeting.list_key)
    if demand is None and len(state.demands) >= limits.TASK_LISTS_MAX:
        raise HelloRefused(
            f"This host has served {len(state.demands)} task lists and takes no more. Start another host for "
            f"{greeting.list_key}."
        )
    known = set() if demand is None else demand.registered
    if len(known | greeting.types.keys()) > limits.TYPES_OF_LIST_MAX:
        raise HelloRefused(
            f"With this worker the task list {greeting.list_key} would have more than {limits.TYPES_OF_LIST_MAX} "
            "activity types. Correct their names and versions, or use another task list."
        )


def _connect(state: HostState, stream: int, greeting: Greeting, now: float) -> Worker:
    state.greeting.discard(stream)
    worker = state.workers.get(greeting.key)
    generation = 1
    held: dict[str, Lease] = {}
    if worker is not None:
        if worker.stream is not None:
            old = worker.stream
            go_away(
                state, old, pb.GO_AWAY_REASON_SUPERSEDED, "A newer stream with this worker_key has taken over.", now
            )
        generation, held = worker.generation + 1, worker.held
    worker = Worker(
        key=greeting.key,
        stream=stream,
        name=greeting.name,
        language=greeting.language,
        list_key=greeting.list_key,
        types=greeting.types,
        slots=greeting.slots,
        held=held,
        alive_at=now,
        generation=generation,
    )
    state.workers[greeting.key] = state.by_stream[stream] = worker
    return worker


def _never_received(worker: Worker, hello: pb.Hello) -> list[Lease]:
    """Tasks sent on an earlier stream that the worker does not know of."""
    known = {held.task_token for held in hello.resume}
    return [lease for lease in worker.held.values() if lease.state is LeaseState.CUT and lease.token not in known]


def _resume(state: HostState, worker: Worker, held: pb.HeldTask, now: float) -> pb.ResumeAnswer:
    finished = held.state == pb.TASK_STATE_FINISHED
    return pb.ResumeAnswer(task_token=held.task_token, wanted=_wanted(state, worker, held.task_token, finished, now))


def _wanted(state: HostState, worker: Worker, token: bytes, finished: bool, now: float) -> bool:
    lease = state.by_token.get(token)
    if lease is None:
        content = state.sealer.unseal(token)
        if content is None or content.worker_key != worker.key or state.leases.get(content.swf_token) is not None:
            return False
        if state.leases.closed_as(content.swf_token) is not None:
            return finished  # its outcome is answered with how the task ended
        lease = adopt(state, content, token, LeaseState.RUNNING, now)
    elif lease.worker_key != worker.key:
        return False
    elif lease.state is LeaseState.GONE:
        lease.happen(LeaseEvent.ENDED)
        state.close(lease, pb.ACK_STATUS_GONE)
        return False
    elif lease.state is LeaseState.REPORTING:
        if not finished:
            return False  # given up or told by others meanwhile; a finished one learns so from its ack
    else:
        lease.happen(LeaseEvent.RESUMED)
    worker.held[lease.swf_token] = lease
    lease.status_misses = 0
    return True


def _welcome(state: HostState, worker: Worker, resumed: list[pb.ResumeAnswer]) -> pb.Welcome:
    interval = duration_pb2.Duration()
    interval.FromMilliseconds(int(state.options.ping_interval_s * 1000))
    return pb.Welcome(
        contract_version=limits.CONTRACT_VERSION,
        host_id=state.options.host_id,
        ping_interval=interval,
        limits=pb.Limits(
            frame_bytes_max=limits.FRAME_BYTES_MAX,
            payload_bytes_max=state.options.payload_bytes_max,
            result_chars_max=state.options.result_chars_max,
            progress_chars_max=limits.PROGRESS_CHARS_MAX,
            cause_depth_max=limits.CAUSE_DEPTH_MAX,
        ),
        resumed=resumed,
        domain=worker.list_key.domain,
    )


def _next_round(state: HostState, now: float) -> float:
    """When to ping next: workers share a few rounds in each interval, for waking up costs more than a Ping does."""
    round_s = state.options.ping_interval_s / limits.PING_ROUNDS
    return round((now + state.options.ping_interval_s) / round_s) * round_s


def _register(state: HostState, worker: Worker) -> None:
    demand = state.demand(worker.list_key)
    new = {key: defaults for key, defaults in worker.types.items() if key not in demand.registered}
    if new and not demand.registering:
        demand.registering = True
        state.do(Register(worker.list_key, new))


def register_missing(state: HostState, list_key: object) -> None:
    """Register what connected workers of the list offer and is not known to exist yet."""
    for worker in state.workers.values():
        if worker.list_key == list_key and worker.stream is not None:
            _register(state, worker)


def _cut_off(state: HostState, worker: Worker, now: float) -> None:
    state.drop_credits(worker)
    worker.stream = None
    running = 0
    for lease in worker.held.values():
        if lease.state is LeaseState.RUNNING:
            lease.happen(LeaseEvent.STREAM_CUT)
            running += 1
    if worker.draining and not worker.held:
        del state.workers[worker.key]
        give_back_unserved(state, worker)
        state.log(Level.INFO, f"Left: {worker}", worker=worker.key)
        return
    state.set_timer(now + state.options.grace_s, Timer.GRACE, worker.key, worker.generation)
    state.log(Level.INFO, f"Disconnected: {worker}, with {running} running tasks", worker=worker.key)


def _status(state: HostState, worker: Worker, status: pb.Status, now: float) -> None:
    worker.alive_at = now
    if not worker.held:
        return
    known = {held.task_token for held in status.held}
    lost = []
    for lease in worker.held.values():
        if lease.state is not LeaseState.RUNNING or lease.dispatched_at >= worker.pinged_at:
            continue  # it may have been on its way when the Ping was
        lease.status_misses = 0 if lease.token in known else lease.status_misses + 1
        if lease.status_misses >= limits.STATUS_MISSES_MAX:
            lost.append(lease)
    for lease in lost:
        worker_lost(state, lease, f"The {worker} does not know the task any more.")
