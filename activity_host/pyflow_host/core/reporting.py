"""Outcomes to SWF, and what became of them back to the worker."""

from __future__ import annotations

from pyflow_api.v1 import worker_pb2 as pb

from pyflow_host.core import limits
from pyflow_host.core.effects import AnswerComplete, CallSwf, Level, TaskEnded
from pyflow_host.core.failures import WORKER_LOST, host_failure
from pyflow_host.core.leases import Lease, LeaseEvent, LeaseState, Reporter
from pyflow_host.core.outcomes import Report, failed, invalid_outcome, report_of
from pyflow_host.core.state import HostState, Timer, Worker
from pyflow_host.core.tokens import TokenContent
from pyflow_host.core.values import Said, SwfSaid, attempt_of

NOT_OURS = "The task token is not one of this host's, or was altered."
NOT_YOURS = "The task token was given to another worker."
MOVED_ON = "The task has been given to a worker again since; only the newer token counts."


def outcome_received(state: HostState, worker: Worker, outcome: pb.Outcome, now: float) -> None:
    """A worker tells how a task ended."""
    lease = state.by_token.get(outcome.task_token)
    if lease is None:
        found = _find(state, outcome.task_token, worker)
        if isinstance(found, pb.OutcomeAck):
            state.send(worker, found)
            return
        lease = adopt(state, found, outcome.task_token, LeaseState.RUNNING, now)
        worker.held[lease.swf_token] = lease
    elif lease.worker_key != worker.key:
        state.send(worker, _ack(outcome.task_token, pb.ACK_STATUS_REFUSED, NOT_YOURS))
        return
    if lease.state is LeaseState.REPORTING:
        lease.ack_owed = lease.reporter is not Reporter.WORKER  # else it was sent twice: the ack is on its way
        return
    if lease.state is LeaseState.GONE:
        lease.happen(LeaseEvent.ENDED)
        state.close(lease, pb.ACK_STATUS_GONE)
        state.send(worker, _ack(lease.token, pb.ACK_STATUS_GONE, "SWF had closed the task before."))
        state.log(Level.WARNING, f"{lease} ended after SWF had closed it; its outcome is dropped", **lease.fields)
        return
    if outcome.WhichOneof("result") == "will_complete_later":
        _complete_later(state, worker, lease)
        return
    begin_report(
        state,
        lease,
        report_of(outcome, lease.progress_so_far, state.options.result_chars_max),
        LeaseEvent.OUTCOME,
        Reporter.WORKER,
    )


def outcome_from_outside(state: HostState, request: int, outcome: pb.Outcome, now: float) -> None:
    """Whoever holds the token tells how the task ended (CompleteTask)."""
    token = outcome.task_token
    lease = state.by_token.get(token)
    if lease is None:
        found = _find(state, token, None)
        if isinstance(found, pb.OutcomeAck):
            state.do(AnswerComplete(request, found))
            return
        lease = adopt(state, found, token, LeaseState.DETACHED, now)
    if lease.state is LeaseState.GONE:
        state.do(AnswerComplete(request, _ack(token, pb.ACK_STATUS_GONE, "SWF had closed the task before.")))
        return
    state.requests.setdefault(lease.swf_token, []).append(request)
    if lease.state is not LeaseState.REPORTING:
        begin_report(
            state,
            lease,
            report_of(outcome, lease.progress_so_far, state.options.result_chars_max),
            LeaseEvent.OUTCOME,
            Reporter.OUTSIDE,
        )


def worker_lost(state: HostState, lease: Lease, why: str) -> None:
    """The worker will not tell any more: the host reports the failure, retryable."""
    failure = host_failure(WORKER_LOST, f"{why} The task can be tried again.")
    state.log(Level.WARNING, f"{lease} is reported as {WORKER_LOST}: {why}", **lease.fields)
    begin_report(state, lease, failed(failure, lease.progress_so_far), LeaseEvent.GIVEN_UP, Reporter.HOST)


def begin_report(state: HostState, lease: Lease, report: Report, event: LeaseEvent, reporter: Reporter) -> None:
    """Send the end of a task to SWF."""
    lease.happen(event)
    lease.report, lease.reporter = report, reporter
    state.do(CallSwf(report.call, lease.swf_token, report.members))


def report_again(state: HostState, swf_token: str) -> None:
    """The time to repeat a report has come."""
    lease = state.leases.get(swf_token)
    if lease is not None and lease.state is LeaseState.REPORTING and lease.report is not None:
        state.do(CallSwf(lease.report.call, swf_token, lease.report.members))


def report_answered(state: HostState, lease: Lease, said: SwfSaid, now: float) -> None:
    """SWF answered a report, or did not."""
    report = lease.report
    assert report is not None
    if said.said is Said.LATER:
        lease.report_failures += 1
        wait = limits.REPORT_BACKOFF_FIRST_S * 2.0 ** min(lease.report_failures - 1, 10)
        state.set_timer(now + state.draw() * min(wait, limits.REPORT_BACKOFF_MAX_S), Timer.REPORT, lease.swf_token)
    elif said.said is Said.INVALID and not report.invalid and lease.reporter is not Reporter.HOST:
        lease.report = invalid_outcome(f"SWF refused the outcome: {said.message}")
        state.do(CallSwf(lease.report.call, lease.swf_token, lease.report.members))
    elif said.said is Said.GONE:
        state.ledger.gone += 1
        _end(state, lease, pb.ACK_STATUS_GONE, said.message, pb.ACK_STATUS_GONE)
    elif said.said is Said.INVALID:
        state.ledger.lost += 1
        state.log(Level.ERROR, f"The end of {lease} cannot be reported: {said.message}", **lease.fields)
        _end(state, lease, pb.ACK_STATUS_INVALID, said.message, pb.ACK_STATUS_INVALID)
    else:
        state.ledger.reported += 1
        _tell_end(state, lease, report)
        if report.invalid:
            state.log(Level.WARNING, f"{lease} failed in place of its outcome: {report.invalid}", **lease.fields)
            _end(state, lease, pb.ACK_STATUS_INVALID, report.invalid, pb.ACK_STATUS_DUPLICATE)
        else:
            _end(state, lease, pb.ACK_STATUS_REPORTED, "", pb.ACK_STATUS_DUPLICATE)


def _end(state: HostState, lease: Lease, status: pb.AckStatus, message: str, again: pb.AckStatus) -> None:
    worker = state.held_by(lease)
    if lease.reporter is Reporter.HOST:
        again = pb.ACK_STATUS_GONE
    if worker is not None and lease.reporter is Reporter.WORKER:
        state.send(worker, _ack(lease.token, status, message))
    elif worker is not None and lease.ack_owed:
        state.send(worker, _ack(lease.token, again, "The end of the task was told before."))
    elif worker is not None:  # it runs what has been ended elsewhere
        given_up = lease.reporter is Reporter.HOST
        reason = pb.CANCEL_REASON_LEASE_LOST if given_up else pb.CANCEL_REASON_TIMED_OUT
        state.send(worker, pb.Cancel(task_token=lease.token, reason=reason))
    for request in state.requests.pop(lease.swf_token, ()):
        state.do(AnswerComplete(request, _ack(lease.token, status, message)))
    lease.happen(LeaseEvent.ENDED)
    state.close(lease, again)


def _tell_end(state: HostState, lease: Lease, report: Report) -> None:
    if not state.options.tell_ends or lease.resumed or lease.reporter is None:
        return  # of a task that another host had received, the beginning is not known here
    ended = TaskEnded(
        report.call,
        lease.reporter.value,
        lease.run_id,
        lease.started_event_id,
        lease.attempt,
        lease.received_at,
        {**lease.fields, "task_list": lease.list_key.task_list, "domain": lease.list_key.domain},
    )
    state.do(ended)


def _complete_later(state: HostState, worker: Worker, lease: Lease) -> None:
    if lease.state is not LeaseState.DETACHED:
        lease.happen(LeaseEvent.LATER)
    worker.held.pop(lease.swf_token, None)
    state.send(worker, _ack(lease.token, pb.ACK_STATUS_REPORTED, ""))


def _find(state: HostState, token: bytes, worker: Worker | None) -> TokenContent | pb.OutcomeAck:
    """The content of a token of ours that names a task not held now, or the ack that refuses or settles it."""
    content = state.sealer.unseal(token)
    if content is None:
        return _ack(token, pb.ACK_STATUS_REFUSED, NOT_OURS)
    if worker is not None and content.worker_key != worker.key:
        return _ack(token, pb.ACK_STATUS_REFUSED, NOT_YOURS)
    closed_as = state.leases.closed_as(content.swf_token)
    if closed_as is not None:
        return _ack(token, closed_as, "The end of the task was told before.")
    if state.leases.get(content.swf_token) is not None:
        return _ack(token, pb.ACK_STATUS_REFUSED, MOVED_ON)
    return content


def adopt(state: HostState, content: TokenContent, token: bytes, as_state: LeaseState, now: float) -> Lease:
    """Hold a task that an earlier or another host had received."""
    lease = Lease(
        swf_token=content.swf_token,
        list_key=content.list_key,
        type=content.type,
        workflow_id=content.workflow_id,
        run_id=content.run_id,
        activity_id=content.activity_id,
        state=as_state,
        attempt=attempt_of(content.activity_id),
        token=token,
        worker_key=content.worker_key,
        heartbeat_s=content.heartbeat_s,
        dispatched_at=now,
        beat_at=now,
        resumed=True,
    )
    state.ledger.resumed += 1
    state.leases.add(lease)
    state.by_token[token] = lease
    state.beats.put(now, lease.swf_token)  # nobody knows when it was last heartbeated: do it now
    return lease


def _ack(token: bytes, status: pb.AckStatus, message: str) -> pb.OutcomeAck:
    return pb.OutcomeAck(task_token=token, status=status, message=message[: limits.MESSAGE_CHARS_MAX])
