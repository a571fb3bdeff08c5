"""Heartbeats of running tasks: sent in time, and what their answers mean for the worker."""

from __future__ import annotations

from pyflow_api.v1 import worker_pb2 as pb

from pyflow_host.core import heartbeats
from pyflow_host.core.effects import AnswerProgress, Call, CallSwf, Level, Trouble
from pyflow_host.core.leases import BEATING, Lease, LeaseEvent, LeaseState
from pyflow_host.core.outcomes import Unreadable, progress_text
from pyflow_host.core.placing import withdraw
from pyflow_host.core.reporting import NOT_OURS, adopt
from pyflow_host.core.state import HostState, Worker
from pyflow_host.core.values import Said, SwfSaid

_TAKES_PROGRESS = frozenset({LeaseState.RUNNING, LeaseState.CUT, LeaseState.DETACHED})


def progress_received(state: HostState, worker: Worker, progress: pb.Progress) -> None:
    """The latest details of a running task; they ride on the next heartbeat."""
    lease = state.by_token.get(progress.task_token)
    if lease is None or lease.worker_key != worker.key or lease.state not in _TAKES_PROGRESS:
        return  # it has just ended, or is not this worker's: nothing to tell
    if not progress.HasField("details"):
        return
    try:
        lease.progress = progress_text(progress.details)
    except Unreadable as error:
        state.log(Level.WARNING, f"Progress of {lease} is dropped: {error}", **lease.fields)


def progress_from_outside(state: HostState, request: int, progress: pb.Progress, now: float) -> None:
    """Whoever holds the token tells progress; SWF is asked at once, so that the answer is SWF's."""
    lease = state.by_token.get(progress.task_token)
    if lease is None:
        content = state.sealer.unseal(progress.task_token)
        if content is None:
            state.do(AnswerProgress(request, False, Trouble.REFUSED, NOT_OURS))
            return
        if state.leases.closed_as(content.swf_token) is not None or state.leases.get(content.swf_token) is not None:
            state.do(AnswerProgress(request, False, Trouble.GONE, "The task has ended or was given to a worker again."))
            return
        lease = adopt(state, content, progress.task_token, LeaseState.DETACHED, now)
    if lease.state not in _TAKES_PROGRESS:
        state.do(AnswerProgress(request, False, Trouble.GONE, "The task has ended."))
        return
    if progress.HasField("details"):
        try:
            lease.progress = progress_text(progress.details)
        except Unreadable as error:
            state.do(AnswerProgress(request, False, Trouble.INVALID, str(error)))
            return
    state.progress_requests.setdefault(lease.swf_token, []).append(request)
    if not lease.beating:
        _beat(state, lease)


def beat_due(state: HostState, now: float) -> None:
    """Send the heartbeats that are due, those nearest to their timeout first, as far as permits go."""
    due = []
    for swf_token in state.beats.take_due(now):
        lease = state.leases.get(swf_token)
        if lease is None or lease.state not in BEATING or lease.beating:
            continue  # ended, or under way: its answer schedules the next
        due.append(lease)
    due.sort(key=lambda lease: heartbeats.latest(lease.beat_at, lease.heartbeat_s))
    put_off = 0
    for lease in due:
        latest = heartbeats.latest(lease.beat_at, lease.heartbeat_s)
        if state.beats.bucket.take(now) or now >= latest:
            _beat(state, lease)
        else:
            put_off += 1
            state.beats.put(min(now + put_off * state.beats.bucket.seconds_each, latest), lease.swf_token)


def beat_answered(state: HostState, lease: Lease, said: SwfSaid, now: float) -> None:
    """SWF answered a heartbeat, or did not."""
    lease.beating = False
    _answer_requests(state, lease, said)
    if lease.state not in BEATING:
        return
    if said.said is Said.GONE or said.said is Said.PROBABLY_DONE:
        _found_gone(state, lease, said)
        return
    if said.said is Said.OK:
        lease.beat_at = now
        if said.cancel_requested and not lease.cancel_requested:
            lease.cancel_requested = True
            _cancel(state, lease, pb.CANCEL_REASON_REQUESTED)
    elif said.said is Said.INVALID:
        state.log(Level.WARNING, f"SWF refused the progress of {lease}: {said.message}", **lease.fields)
        lease.progress = None
    next_s = heartbeats.interval_s(lease.heartbeat_s, state.options.cancel_check_interval_s)
    state.beats.put(now + next_s, lease.swf_token)


def _beat(state: HostState, lease: Lease) -> None:
    lease.beating = True
    # The latest details go along each time: whether a heartbeat without details clears them is not known (SWF 7.10).
    members = {} if lease.progress is None else {"details": lease.progress}
    state.do(CallSwf(Call.HEARTBEAT, lease.swf_token, members))


def _found_gone(state: HostState, lease: Lease, said: SwfSaid) -> None:
    state.ledger.gone += 1
    unplaced = lease.state in (LeaseState.LOOKING_UP, LeaseState.WAITING)
    state.log(Level.WARNING, f"SWF has closed {lease}: {said.message}", **lease.fields)
    if unplaced:
        withdraw(state, lease)
    lease.happen(LeaseEvent.FOUND_GONE)
    if lease.state is LeaseState.CLOSED:
        state.close(lease, pb.ACK_STATUS_GONE)
        return
    closed = said.execution_closed
    _cancel(state, lease, pb.CANCEL_REASON_EXECUTION_CLOSED if closed else pb.CANCEL_REASON_TIMED_OUT)


def _cancel(state: HostState, lease: Lease, reason: pb.CancelReason) -> None:
    worker = state.held_by(lease)
    if worker is not None:
        state.send(worker, pb.Cancel(task_token=lease.token, reason=reason))


def _answer_requests(state: HostState, lease: Lease, said: SwfSaid) -> None:
    troubles = {
        Said.GONE: Trouble.GONE,
        Said.PROBABLY_DONE: Trouble.GONE,
        Said.INVALID: Trouble.INVALID,
        Said.LATER: Trouble.LATER,
    }
    for request in state.progress_requests.pop(lease.swf_token, ()):
        state.do(AnswerProgress(request, said.cancel_requested, troubles.get(said.said), said.message))
