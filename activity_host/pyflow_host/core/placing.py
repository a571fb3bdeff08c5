"""Tasks from SWF to workers: polls against credits, the choice of a worker, waiting for one, giving back."""

from __future__ import annotations

import math
from collections import deque

from google.protobuf import duration_pb2
from pyflow_api.v1 import payload_pb2
from pyflow_api.v1 import worker_pb2 as pb

from pyflow_host.core import heartbeats, limits
from pyflow_host.core.effects import Level, LookUpAttempt, OpenPoll
from pyflow_host.core.failures import INPUT_UNREADABLE, NO_WORKER, host_failure
from pyflow_host.core.leases import Lease, LeaseEvent, LeaseState, Reporter
from pyflow_host.core.outcomes import failed
from pyflow_host.core.reporting import begin_report
from pyflow_host.core.state import Demand, HostState, Timer, Worker
from pyflow_host.core.traces import traceparent
from pyflow_host.core.values import AttemptFacts, ListKey, SwfTask, attempt_of


def open_polls(state: HostState, demand: Demand, now: float) -> None:
    """Poll as long as credits are left that no poll and no task has a claim on: SWF cannot take a task back."""
    if state.draining or not demand.ready or now < demand.paused_until:
        return
    unclaimed = min(state.options.polls_of_list_max, demand.credits - demand.unplaced) - demand.polls_open
    for _ in range(unclaimed):
        demand.polls_open += 1
        state.ledger.polls_opened += 1
        state.do(OpenPoll(demand.list_key))


def poll_answered(state: HostState, list_key: ListKey, task: SwfTask | None, now: float) -> None:
    """A poll came back, with a task or without."""
    demand = state.demand(list_key)
    demand.polls_open -= 1
    demand.failures = 0
    if task is not None:
        _received(state, demand, task, now)
    open_polls(state, demand, now)


def poll_failed(state: HostState, list_key: ListKey, now: float) -> None:
    """A poll ended without an answer: the next ones wait a little longer each time."""
    demand = state.demand(list_key)
    demand.polls_open -= 1
    state.ledger.polls_failed += 1
    demand.failures += 1
    bound = min(limits.POLL_BACKOFF_MAX_S, limits.POLL_BACKOFF_FIRST_S * 2.0 ** min(demand.failures - 1, 10))
    demand.paused_until = max(demand.paused_until, now + state.draw() * bound)
    state.set_timer(demand.paused_until, Timer.POLL, list_key)


def _received(state: HostState, demand: Demand, task: SwfTask, now: float) -> None:
    state.ledger.received += 1
    attempt = attempt_of(task.activity_id)
    lease = Lease(
        swf_token=task.swf_token,
        list_key=task.list_key,
        type=task.type,
        workflow_id=task.workflow_id,
        run_id=task.run_id,
        activity_id=task.activity_id,
        state=LeaseState.WAITING if attempt == 1 or task.unreadable else LeaseState.LOOKING_UP,
        attempt=attempt,
        input=task.input,
        started_event_id=task.started_event_id,
        received_at=now,
        beat_at=now,
    )
    state.leases.add(lease)
    demand.unplaced += 1
    defaults = state.registered_defaults.get((task.list_key.domain, task.type))
    if defaults is not None:
        lease.start_to_close_s, lease.heartbeat_s = defaults.start_to_close_s, defaults.heartbeat_s
    interval_s = heartbeats.interval_s(lease.heartbeat_s, state.options.cancel_check_interval_s)
    state.beats.put(now + interval_s, task.swf_token)
    if task.unreadable:
        give_back(state, lease, task.unreadable, INPUT_UNREADABLE)
    elif lease.state is LeaseState.WAITING:
        place(state, lease, now)
    else:
        state.do(LookUpAttempt(task.swf_token, task.list_key.domain, task.workflow_id, task.run_id, task.activity_id))


def attempt_looked_up(state: HostState, swf_token: str, facts: AttemptFacts | None, now: float) -> None:
    """The history was read (None: it could not be, which must not keep the task from running)."""
    lease = state.leases.get(swf_token)
    if lease is None or lease.state is not LeaseState.LOOKING_UP:
        return
    if facts is not None:
        lease.last_progress = facts.last_progress
        if facts.timeouts_known:
            lease.start_to_close_s, lease.heartbeat_s = facts.start_to_close_s, facts.heartbeat_s
    lease.happen(LeaseEvent.LOOKED_UP)
    place(state, lease, now)
    open_polls(state, state.demand(lease.list_key), now)


def place(state: HostState, lease: Lease, now: float) -> None:
    """Give the task to a worker, or let it wait for a busy one, or give it back."""
    key = (lease.list_key, lease.type)
    ready = state.ready.get(key)
    if ready:
        worker = next(iter(ready.values()))
        ready.move_to_end(worker.key)
        dispatch(state, lease, worker, now)
    elif _may_be_served(state, lease):
        state.waiting.setdefault(key, deque()).append(lease)
        state.set_timer(now + state.options.wait_for_credit_max_s, Timer.WAITED, lease.swf_token, len(lease.path))
    else:
        give_back(state, lease, _nobody_serves(state, lease))


def dispatch(state: HostState, lease: Lease, worker: Worker, now: float) -> None:
    """Send the task to the worker."""
    state.demand(lease.list_key).unplaced -= 1
    state.add_credits(worker, -1)
    lease.happen(LeaseEvent.DISPATCHED)
    lease.worker_key = worker.key
    lease.dispatched_at = now
    lease.status_misses = 0
    lease.token = state.sealer.seal(lease)
    state.by_token[lease.token] = lease
    worker.held[lease.swf_token] = lease
    state.ledger.dispatched += 1
    state.send(worker, _task(lease, now))
    if lease.cancel_requested:
        state.send(worker, pb.Cancel(task_token=lease.token, reason=pb.CANCEL_REASON_REQUESTED))


def place_waiting(state: HostState, worker: Worker, now: float) -> None:
    """The worker has credits again: first the tasks that wait for it."""
    if not state.waiting:
        return
    for type_key in worker.types:
        queue = state.waiting.get((worker.list_key, type_key))
        while queue and worker.credits > 0:
            dispatch(state, queue.popleft(), worker, now)
        if queue is not None and not queue:
            del state.waiting[(worker.list_key, type_key)]


def place_again(state: HostState, lease: Lease, now: float) -> None:
    """The worker never received the task: its code has not run, and another worker may."""
    lease.happen(LeaseEvent.NEVER_RECEIVED)
    worker = state.workers.get(lease.worker_key)
    if worker is not None:
        worker.held.pop(lease.swf_token, None)
    state.by_token.pop(lease.token, None)
    lease.token, lease.worker_key = b"", ""
    state.demand(lease.list_key).unplaced += 1
    place(state, lease, now)


def give_back_unserved(state: HostState, worker: Worker) -> None:
    """The worker takes no more tasks: what waited for it alone is given back at once."""
    for type_key in worker.types:
        queue = state.waiting.get((worker.list_key, type_key))
        if queue and not _may_be_served(state, queue[0]):
            del state.waiting[(worker.list_key, type_key)]
            for lease in queue:
                give_back(state, lease, _nobody_serves(state, lease))


def waited_long(state: HostState, swf_token: str, generation: int) -> None:
    """The time a task may wait for a busy worker is over."""
    lease = state.leases.get(swf_token)
    if lease is None or lease.state is not LeaseState.WAITING or len(lease.path) != generation:
        return
    withdraw(state, lease, claimed=True)
    limit = state.options.wait_for_credit_max_s
    give_back(state, lease, f"No worker that serves {lease.type} had a free slot within {limit:g} s.")


def withdraw(state: HostState, lease: Lease, *, claimed: bool = False) -> None:
    """Take a task out of the queue it waits in; `claimed`: it keeps its claim on a credit for the moment."""
    queue = state.waiting.get((lease.list_key, lease.type))
    if queue is not None and lease in queue:
        queue.remove(lease)
        if not queue:
            del state.waiting[(lease.list_key, lease.type)]
    if not claimed:
        state.demand(lease.list_key).unplaced -= 1


def give_back(state: HostState, lease: Lease, why: str, reason: str = NO_WORKER) -> None:
    """Fail the task with a reason that a retry policy tries again."""
    state.demand(lease.list_key).unplaced -= 1
    state.log(Level.WARNING, f"{lease} is reported as {reason}: {why}", **lease.fields)
    report = failed(host_failure(reason, why), lease.last_progress)
    begin_report(state, lease, report, LeaseEvent.GIVEN_UP, Reporter.HOST)


def _may_be_served(state: HostState, lease: Lease) -> bool:
    """Whether a worker that is busy, or away within its grace, serves the type."""
    return any(
        not worker.draining and worker.list_key == lease.list_key and lease.type in worker.types
        for worker in state.workers.values()
    )


def _nobody_serves(state: HostState, lease: Lease) -> str:
    there = sorted(
        {
            f"{type_key.name}/{type_key.version} ({worker.language})"
            for worker in state.workers.values()
            if worker.list_key == lease.list_key and worker.takes_tasks
            for type_key in worker.types
        }
    )
    shown = ", ".join(there[:20]) + (f" and {len(there) - 20} more" if len(there) > 20 else "")
    connected = f"Connected on this task list are workers for: {shown}." if there else "No worker is connected there."
    return (
        f"No connected worker serves the activity {lease.type} on the task list {lease.list_key}. {connected} "
        "Start a worker for it, or correct the name, version or task list that the workflow asks for."
    )


def _task(lease: Lease, now: float) -> pb.Task:
    task = pb.Task(
        task_token=lease.token,
        activity_name=lease.type.name,
        activity_version=lease.type.version,
        workflow_id=lease.workflow_id,
        run_id=lease.run_id,
        activity_id=lease.activity_id,
        attempt=lease.attempt,
    )
    task.headers["traceparent"] = traceparent(lease.run_id, lease.started_event_id)
    if lease.input is not None:
        task.input.data = lease.input.encode()
    if lease.start_to_close_s is not None:
        left = max(0.0, lease.start_to_close_s - (now - lease.received_at))
        task.start_to_close_left.CopyFrom(_duration(left))
    if lease.heartbeat_s is not None:
        task.heartbeat_timeout.CopyFrom(duration_pb2.Duration(seconds=lease.heartbeat_s))
    if lease.last_progress is not None:
        task.last_progress.CopyFrom(payload_pb2.Payload(data=lease.last_progress.encode()))
    return task


def _duration(seconds: float) -> duration_pb2.Duration:
    whole = math.floor(seconds)
    return duration_pb2.Duration(seconds=whole, nanos=int((seconds - whole) * 1e9))
