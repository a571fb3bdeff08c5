"""Outcomes to SWF and acks back."""

from __future__ import annotations

import json

import pytest
from host_desk import KEY, LIST, Desk, completed
from pyflow_api.v1 import failure_pb2, payload_pb2
from pyflow_api.v1 import worker_pb2 as pb
from pyflow_host.core.effects import (
    AnswerComplete,
    AnswerProgress,
    Call,
    CallSwf,
    EndStream,
    OpenPoll,
    TaskEnded,
    Trouble,
)
from pyflow_host.core.values import Said, SwfSaid

GONE = SwfSaid(said=Said.GONE, message="Unknown activity, scheduledEventId = 5")
LATER = SwfSaid(said=Said.LATER, message="unreachable")
INVALID = SwfSaid(said=Said.INVALID, message="too long")


def one_task(desk: Desk, **options: int) -> tuple[int, bytes]:
    """A worker with one task; its stream and the task's token."""
    stream = desk.connect(credits=1, **options)  # type: ignore[arg-type]
    desk.task()
    return stream, desk.last(stream, pb.Task).task_token


def test_result_goes_to_swf_verbatim_and_is_acked_afterwards() -> None:
    desk = Desk()
    stream, token = one_task(desk)
    desk.frame(stream, outcomes=[completed(token, '{"a": 1.50}')], credits=1)
    assert desk.sent(stream, pb.OutcomeAck) == []
    call = desk.answer()
    assert (call.call, call.members) == (Call.COMPLETED, {"result": '{"a": 1.50}'})
    assert desk.sent(stream, pb.OutcomeAck) == [pb.OutcomeAck(task_token=token, status=pb.ACK_STATUS_REPORTED)]
    assert desk.ledger() == dict(
        polls_opened=2, received=1, dispatched=1, reported=1, gone=0, lost=0, held=0, resumed=0
    )


def test_swf_is_told_before_the_rest_of_the_frame_is_looked_at() -> None:
    desk = Desk()
    stream, token = one_task(desk)
    frame = pb.WorkerFrame(outcomes=[completed(token)], credits=1)
    first, rest = desk.core.frame_received(stream, frame, desk.now), desk.core.rest_received(stream, frame, desk.now)
    assert [type(effect) for effect in first] == [CallSwf]
    assert rest == [OpenPoll(LIST)]


def test_nothing_of_a_frame_counts_after_a_refusal() -> None:
    desk = Desk()
    stream = desk.open()
    frame = pb.WorkerFrame(credits=1)
    assert {type(effect) for effect in desk.core.frame_received(stream, frame, desk.now)} >= {EndStream}
    assert desk.core.rest_received(stream, frame, desk.now) == []


def test_ends_are_told_only_when_wanted() -> None:
    for wanted in (False, True):
        desk = Desk(tell_ends=wanted)
        stream, token = one_task(desk)
        desk.frame(stream, outcomes=[completed(token)])
        desk.now += 2
        desk.answer()
        assert [type(effect) for effect in desk.others] == [TaskEnded] * wanted
    assert isinstance(desk.others[0], TaskEnded)
    assert desk.now - desk.others[0].received_at == 2


def test_absent_result_stays_absent() -> None:
    desk = Desk()
    stream, token = one_task(desk)
    desk.frame(stream, outcomes=[pb.Outcome(task_token=token, completed=pb.Completed())])
    assert desk.calls[0].members == {}


def test_canceled_with_details() -> None:
    desk = Desk()
    stream, token = one_task(desk)
    details = pb.Canceled(details=payload_pb2.Payload(data=b'"half"'))
    desk.frame(stream, outcomes=[pb.Outcome(task_token=token, canceled=details)])
    call = desk.answer()
    assert (call.call, call.members) == (Call.CANCELED, {"details": '"half"'})


@pytest.mark.parametrize(
    ("data", "content_type", "reason", "says"),
    [
        (b"NaN", "", "pyflow.InvalidOutcome", "not JSON"),
        (b"\xff\xfe", "", "pyflow.InvalidOutcome", "not UTF-8"),
        (b"", "", "pyflow.InvalidOutcome", "not JSON"),
        (b"1", "text/xml", "pyflow.InvalidOutcome", "text/xml"),
        (b'"' + b"x" * 32_767 + b'"', "", "pyflow.ResultTooLarge", "32769"),
        (b'"' + "😀".encode() * 16_384 + b'"', "", "pyflow.ResultTooLarge", "32770"),
    ],
)
def test_result_that_cannot_go_to_swf_fails_the_task(data: bytes, content_type: str, reason: str, says: str) -> None:
    desk = Desk()
    stream, token = one_task(desk)
    result = pb.Completed(result=payload_pb2.Payload(data=data, content_type=content_type))
    desk.frame(stream, outcomes=[pb.Outcome(task_token=token, completed=result)])
    call = desk.answer()
    assert (call.call, call.members["reason"]) == (Call.FAILED, reason)
    assert json.loads(call.members["details"])["non_retryable"] is True
    ack = desk.last(stream, pb.OutcomeAck)
    assert ack.status == pb.ACK_STATUS_INVALID
    assert says in ack.message


def test_result_of_exactly_the_limit_passes() -> None:
    desk = Desk()
    stream, token = one_task(desk)
    desk.frame(stream, outcomes=[completed(token, '"' + "x" * 32_766 + '"')])
    assert desk.calls[0].call is Call.COMPLETED


def test_outcome_without_result_fails_the_task() -> None:
    desk = Desk()
    stream, token = one_task(desk)
    desk.frame(stream, outcomes=[pb.Outcome(task_token=token)])
    desk.answer()
    assert desk.last(stream, pb.OutcomeAck).status == pb.ACK_STATUS_INVALID


def test_swf_refuses_the_outcome_the_task_is_failed_in_its_place() -> None:
    desk = Desk()
    stream, token = one_task(desk)
    desk.frame(stream, outcomes=[completed(token)])
    desk.answer(INVALID)
    call = desk.answer()
    assert (call.call, call.members["reason"]) == (Call.FAILED, "pyflow.InvalidOutcome")
    assert desk.last(stream, pb.OutcomeAck).status == pb.ACK_STATUS_INVALID
    assert desk.ledger()["reported"] == 1


def test_swf_no_longer_waits() -> None:
    desk = Desk()
    stream, token = one_task(desk)
    desk.frame(stream, outcomes=[completed(token)])
    desk.answer(GONE)
    ack = desk.last(stream, pb.OutcomeAck)
    assert (ack.status, ack.message) == (pb.ACK_STATUS_GONE, GONE.message)
    assert desk.ledger()["gone"] == 1


def test_lost_answer_then_unknown_counts_as_reported() -> None:
    desk = Desk()
    stream, token = one_task(desk)
    desk.frame(stream, outcomes=[completed(token)])
    desk.answer(SwfSaid(said=Said.PROBABLY_DONE))
    assert desk.last(stream, pb.OutcomeAck).status == pb.ACK_STATUS_REPORTED


def test_unreachable_swf_is_tried_again_until_it_answers() -> None:
    desk = Desk()
    stream, token = one_task(desk)
    desk.frame(stream, outcomes=[completed(token)])
    for _ in range(12):
        desk.answer(LATER)
        assert desk.calls == []
        desk.pass_time(20.0, beats=None)
        desk.frame(stream, status=pb.Status(nonce=1, held=[pb.HeldTask(task_token=token)]))
    desk.answer()
    assert desk.last(stream, pb.OutcomeAck).status == pb.ACK_STATUS_REPORTED


def test_outcome_sent_twice_makes_one_report_and_one_ack_then_duplicate() -> None:
    desk = Desk()
    stream, token = one_task(desk)
    desk.frame(stream, outcomes=[completed(token), completed(token)])
    assert len(desk.calls) == 1
    desk.answer()
    desk.frame(stream, outcomes=[completed(token)])
    statuses = [ack.status for ack in desk.sent(stream, pb.OutcomeAck)]
    assert statuses == [pb.ACK_STATUS_REPORTED, pb.ACK_STATUS_DUPLICATE]
    assert desk.calls == []


def test_forged_altered_and_foreign_tokens_are_refused() -> None:
    desk = Desk()
    stream, token = one_task(desk)
    other = desk.connect("w2")
    altered = bytes([*token[:-2], token[-2] ^ 1, token[-1]])
    desk.frame(other, outcomes=[completed(token), completed(altered), completed(b"forged"), completed(b"")])
    assert [ack.status for ack in desk.sent(other, pb.OutcomeAck)] == [pb.ACK_STATUS_REFUSED] * 4
    assert desk.calls == []
    desk.frame(stream, outcomes=[completed(token)])
    assert len(desk.calls) == 1, "the rightful worker is not harmed"


def test_token_of_another_hosts_key_is_refused() -> None:
    theirs = Desk(key=b"x" * 32)
    _, token = one_task(theirs)
    ours = Desk(key=KEY)
    stream = ours.connect()
    ours.frame(stream, outcomes=[completed(token)])
    assert ours.last(stream, pb.OutcomeAck).status == pb.ACK_STATUS_REFUSED


def test_token_of_another_worker_is_refused_by_a_new_host_too() -> None:
    before = Desk()
    _, token = one_task(before)
    desk = Desk(host_id="host-2")
    thief = desk.connect("w2")
    desk.frame(thief, outcomes=[completed(token)])
    assert desk.last(thief, pb.OutcomeAck).status == pb.ACK_STATUS_REFUSED
    assert desk.ledger()["resumed"] == 0


def test_complete_later_frees_the_worker_and_is_completed_from_outside() -> None:
    desk = Desk()
    stream, token = one_task(desk)
    desk.frame(stream, outcomes=[pb.Outcome(task_token=token, will_complete_later=pb.WillCompleteLater())], credits=1)
    assert desk.last(stream, pb.OutcomeAck).status == pb.ACK_STATUS_REPORTED
    assert desk.calls == []
    desk.stay_alive(stream, 30)
    assert desk.ledger()["held"] == 1, "it is heartbeated on"
    desk.take(desk.core.complete_task(77, completed(token), desk.now))
    desk.answer()
    assert desk.others == [AnswerComplete(77, pb.OutcomeAck(task_token=token, status=pb.ACK_STATUS_REPORTED))]
    desk.take(desk.core.complete_task(78, completed(token), desk.now))
    assert desk.others[-1] == AnswerComplete(
        78,
        pb.OutcomeAck(task_token=token, status=pb.ACK_STATUS_DUPLICATE, message="The end of the task was told before."),
    )
    assert desk.ledger()["reported"] == 1


def test_complete_from_outside_while_the_worker_runs_it() -> None:
    desk = Desk()
    stream, token = one_task(desk)
    desk.take(desk.core.complete_task(1, completed(token), desk.now))
    desk.answer()
    assert desk.last(stream, pb.Cancel).task_token == token
    desk.frame(stream, outcomes=[completed(token)])
    assert desk.last(stream, pb.OutcomeAck).status == pb.ACK_STATUS_DUPLICATE


def test_outside_calls_for_a_task_of_an_earlier_host() -> None:
    before = Desk()
    _, token = one_task(before)
    desk = Desk(host_id="host-2")
    progress = pb.Progress(task_token=token, details=payload_pb2.Payload(data=b"5"))
    desk.take(desk.core.record_progress(1, progress, desk.now))
    assert desk.calls[0].members == {"details": "5"}
    desk.answer(SwfSaid(said=Said.OK, cancel_requested=True))
    assert desk.others == [AnswerProgress(1, True)]
    desk.take(desk.core.complete_task(2, completed(token), desk.now))
    desk.answer()
    assert isinstance(desk.others[-1], AnswerComplete)
    assert desk.ledger() == dict(
        polls_opened=0, received=0, dispatched=0, reported=1, gone=0, lost=0, held=0, resumed=1
    )
    desk.take(desk.core.record_progress(3, progress, desk.now))
    assert isinstance(desk.others[-1], AnswerProgress)
    assert desk.others[-1].trouble is Trouble.GONE


def test_failure_carries_the_progress_for_the_next_attempt() -> None:
    desk = Desk()
    stream, token = one_task(desk)
    desk.frame(stream, progress=[pb.Progress(task_token=token, details=payload_pb2.Payload(data=b'{"at":1}'))])
    desk.frame(stream, outcomes=[pb.Outcome(task_token=token, failed=failure_pb2.Failure(type="Bad"))])
    assert json.loads(desk.calls[0].members["details"])["last_progress"] == {"at": 1}
