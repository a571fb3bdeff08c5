"""Heartbeats in time, cancel, progress, the token bucket."""

from __future__ import annotations

import pytest
from host_desk import Desk
from pyflow_api.v1 import payload_pb2
from pyflow_api.v1 import worker_pb2 as pb
from pyflow_host.core.effects import Call
from pyflow_host.core.heartbeats import HeartbeatSchedule, TokenBucket, interval_s
from pyflow_host.core.values import Said, SwfSaid

CANCEL = SwfSaid(said=Said.OK, cancel_requested=True)
LATER = SwfSaid(said=Said.LATER)


def beats(desk: Desk) -> int:
    return sum(call.call is Call.HEARTBEAT for call in desk.calls)


@pytest.mark.parametrize(("timeout_s", "expected"), [(None, 1.0), (1, 0.4), (2, 0.8), (3, 1.0), (600, 1.0)])
def test_interval(timeout_s: int | None, expected: float) -> None:
    assert interval_s(timeout_s, 1.0) == pytest.approx(expected)


def test_first_heartbeat_is_due_at_its_share_and_the_next_after_the_answer() -> None:
    desk = Desk()
    desk.connect(credits=1, heartbeat_s=1)
    desk.task()
    desk.pass_time(0.39, beats=None)
    assert beats(desk) == 0
    desk.pass_time(0.02, beats=None)
    assert beats(desk) == 1
    desk.pass_time(3.0, beats=None)
    assert beats(desk) == 1, "one at a time"
    desk.answer()
    desk.pass_time(0.41, beats=None)
    assert beats(desk) == 1


def test_cancel_reaches_a_worker_that_never_tells_progress_within_two_seconds() -> None:
    desk = Desk()
    stream = desk.connect(credits=1)
    desk.task()
    began = desk.now
    while not desk.sent(stream, pb.Cancel):
        desk.pass_time(0.1, beats=CANCEL)
    assert desk.now - began < 2.0
    assert desk.last(stream, pb.Cancel).reason == pb.CANCEL_REASON_REQUESTED
    desk.pass_time(5.0, beats=CANCEL)
    assert len(desk.sent(stream, pb.Cancel)) == 1


def test_latest_progress_rides_along_and_stays() -> None:
    desk = Desk()
    stream = desk.connect(credits=1)
    desk.task()
    token = desk.last(stream, pb.Task).task_token
    for number in range(3):
        details = payload_pb2.Payload(data=str(number).encode())
        desk.frame(stream, progress=[pb.Progress(task_token=token, details=details)])
    desk.pass_time(1.1, beats=None)
    assert desk.answer().members == {"details": "2"}
    desk.pass_time(1.1, beats=None)
    assert desk.answer().members == {"details": "2"}


def test_progress_after_cancel_is_still_recorded() -> None:
    desk = Desk()
    stream = desk.connect(credits=1)
    desk.task()
    desk.pass_time(1.1, beats=CANCEL)
    token = desk.last(stream, pb.Task).task_token
    desk.frame(stream, progress=[pb.Progress(task_token=token, details=payload_pb2.Payload(data=b'"late"'))])
    desk.pass_time(1.1, beats=None)
    assert desk.answer(CANCEL).members == {"details": '"late"'}


def test_progress_that_is_too_long_or_no_json_is_dropped() -> None:
    desk = Desk()
    stream = desk.connect(credits=1)
    desk.task()
    token = desk.last(stream, pb.Task).task_token
    for data in (b'"' + b"x" * 2_048 + b'"', b"NaN"):
        desk.frame(stream, progress=[pb.Progress(task_token=token, details=payload_pb2.Payload(data=data))])
    desk.pass_time(1.1, beats=None)
    assert desk.answer().members == {}
    assert sum("is dropped" in line for line in desk.logs) == 2


def test_closed_execution_is_told_as_such() -> None:
    desk = Desk()
    stream = desk.connect(credits=1)
    desk.task()
    desk.pass_time(1.1, beats=SwfSaid(said=Said.GONE, execution_closed=True))
    assert desk.last(stream, pb.Cancel).reason == pb.CANCEL_REASON_EXECUTION_CLOSED


def test_failed_heartbeats_are_tried_again() -> None:
    desk = Desk()
    desk.connect(credits=1)
    desk.task()
    desk.pass_time(3.5, beats=LATER)
    desk.pass_time(1.1, beats=None)
    assert beats(desk) == 1


def test_bucket_spreads_heartbeats_and_serves_the_most_urgent_first() -> None:
    desk = Desk(heartbeats_per_s=10.0, heartbeats_burst=1.0, polls_of_list_max=50)
    desk.connect("patient", types=("slow",), credits=20)
    desk.connect("hasty", types=("fast",), credits=1, heartbeat_s=10)
    for _ in range(20):
        desk.task(name="slow")
    hasty = desk.task(name="fast")
    desk.pass_time(1.0, beats=None)
    assert desk.calls[0].swf_token == hasty
    desk.pass_time(1.0, beats=None)
    assert 5 <= beats(desk) <= 12, "ten a second"


def test_heartbeat_near_its_timeout_needs_no_permit() -> None:
    desk = Desk(heartbeats_per_s=0.001, heartbeats_burst=1.0, polls_of_list_max=50)
    desk.connect(credits=5, heartbeat_s=10)
    for _ in range(5):
        desk.task()
    desk.pass_time(7.9, beats=None)
    assert beats(desk) == 1
    desk.pass_time(0.2, beats=None)
    assert beats(desk) == 5


def test_bucket() -> None:
    bucket = TokenBucket(2.0, 3.0)
    assert [bucket.take(0.0) for _ in range(4)] == [True, True, True, False]
    assert not bucket.take(0.4)
    assert bucket.take(0.5)
    assert [bucket.take(100.0) for _ in range(4)] == [True, True, True, False]
    with pytest.raises(ValueError, match="rate above 0"):
        TokenBucket(0, 1)


def test_schedule_gives_what_is_due_in_order() -> None:
    schedule = HeartbeatSchedule(1.0, 1.0)
    for at, name in ((3.0, "c"), (1.0, "a"), (2.0, "b")):
        schedule.put(at, name)
    assert schedule.next_due() == 1.0
    assert schedule.take_due(2.0) == ["a", "b"]
    assert schedule.next_due() == 3.0
