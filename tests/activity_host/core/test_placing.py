"""Polls against credits, the choice of a worker, waiting and giving back."""

from __future__ import annotations

import json

import pytest
from host_desk import LIST, Desk, completed
from pyflow_api.v1 import worker_pb2 as pb
from pyflow_host.core import limits
from pyflow_host.core.effects import Call, LookUpAttempt
from pyflow_host.core.values import AttemptFacts


def test_no_poll_without_credits_and_no_more_polls_than_credits() -> None:
    desk = Desk()
    stream = desk.connect()
    assert desk.polls == []
    desk.frame(stream, credits=3)
    assert desk.polls == [LIST] * 3
    desk.task()
    assert len(desk.polls) == 2, "the credit that the task used is no reason for another poll"
    desk.no_task()
    assert len(desk.polls) == 2, "an empty poll is followed by another"


def test_polls_are_capped_for_each_list() -> None:
    desk = Desk(polls_of_list_max=4)
    desk.connect(credits=100)
    assert len(desk.polls) == 4


def test_credits_are_capped() -> None:
    desk = Desk(polls_of_list_max=50_000)
    stream = desk.connect()
    for _ in range(5):
        desk.frame(stream, credits=4_000_000_000)
    assert len(desk.polls) == 1_000


def test_tasks_of_one_worker_are_capped_until_some_have_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HELD_TASKS_MAX", 3)
    desk = Desk()
    greedy, other = desk.connect("w1", credits=2), desk.connect("w2", types=("else",))
    desk.task()
    desk.task()
    desk.frame(greedy, credits=5)
    assert len(desk.polls) == 1, "two are held, so that one more fits"
    desk.task()
    assert desk.polls == []
    desk.frame(other, credits=1)
    assert len(desk.polls) == 1, "another worker is served as ever"
    desk.no_task()
    for task in desk.sent(greedy, pb.Task)[:2]:
        desk.frame(greedy, outcomes=[pb.Outcome(task_token=task.task_token, completed=pb.Completed())])
        desk.answer()
    desk.frame(greedy, status=pb.Status(nonce=1))
    assert len(desk.polls) == 1 + 2, "what was withheld counts now"


def test_task_carries_what_swf_gave() -> None:
    desk = Desk()
    stream = desk.connect(credits=1, heartbeat_s=30)
    desk.task(input='{"a":1}')
    task = desk.last(stream, pb.Task)
    assert (task.activity_name, task.activity_version, task.attempt) == ("act", "1", 1)
    assert (task.workflow_id, task.run_id, task.activity_id) == ("wf", "run", "activity1")
    assert task.input.data == b'{"a":1}'
    assert task.heartbeat_timeout.seconds == 30
    assert not task.HasField("start_to_close_left")
    assert not task.HasField("last_progress")


def test_absent_input_stays_absent() -> None:
    desk = Desk()
    stream = desk.connect(credits=1)
    desk.task(input=None)
    assert not desk.last(stream, pb.Task).HasField("input")


def test_two_workers_of_one_type_share_the_load() -> None:
    desk = Desk()
    first, second = desk.connect("w1", credits=4), desk.connect("w2", credits=4)
    for _ in range(6):
        desk.task()
    assert len(desk.sent(first, pb.Task)) == len(desk.sent(second, pb.Task)) == 3


def test_tasks_go_to_a_worker_that_serves_their_type() -> None:
    desk = Desk()
    ruby, java = desk.connect("w1", types=("words",), credits=2), desk.connect("w2", types=("print",), credits=2)
    desk.task(name="print")
    desk.task(name="words")
    assert [task.activity_name for task in desk.sent(ruby, pb.Task)] == ["words"]
    assert [task.activity_name for task in desk.sent(java, pb.Task)] == ["print"]


def test_type_that_nobody_serves_is_given_back_at_once() -> None:
    desk = Desk()
    desk.connect(credits=1)
    desk.task(name="other")
    call = desk.calls[0]
    assert call.call is Call.FAILED
    assert call.members["reason"] == "pyflow.NoWorker"
    details = json.loads(call.members["details"])
    assert "'other' version '1'" in details["message"]
    assert "act/1 (test)" in details["message"]
    assert details["non_retryable"] is False
    desk.answer()
    assert desk.ledger()["reported"] == 1
    assert desk.polls, "the credit is free again"


@pytest.mark.parametrize("activity_id", ["activity1", "activity1.attempt2"])
def test_input_that_cannot_be_read_is_given_back_with_the_reason_and_no_worker_sees_it(activity_id: str) -> None:
    desk = Desk()
    stream = desk.connect(credits=1)
    desk.task(activity_id=activity_id, input=None, unreadable="Its input cannot be decoded: the store is away")
    assert desk.sent(stream, pb.Task) == []
    call = desk.calls[0]
    assert (call.call, call.members["reason"]) == (Call.FAILED, "pyflow.InputUnreadable")
    details = json.loads(call.members["details"])
    assert details["message"] == "Its input cannot be decoded: the store is away"
    assert details["non_retryable"] is False
    desk.answer()
    assert desk.ledger()["reported"] == 1
    assert desk.polls, "the credit is free again"


def test_task_for_a_busy_worker_waits_for_its_credit() -> None:
    desk = Desk()
    busy = desk.connect("w1", types=("words",), credits=1)
    desk.connect("w2", types=("print",), credits=1)
    desk.task(name="words")
    desk.task(name="words")  # the poll was opened for w2's credit
    assert len(desk.sent(busy, pb.Task)) == 1
    first = desk.last(busy, pb.Task)
    desk.frame(busy, outcomes=[completed(first.task_token)], credits=1)
    assert len(desk.sent(busy, pb.Task)) == 2
    assert desk.ledger()["held"] == 2


def test_task_that_waits_has_a_claim_on_a_credit() -> None:
    desk = Desk()
    desk.connect("w1", types=("words",), credits=1)
    desk.connect("w2", types=("print",), credits=2)
    desk.task(name="words")
    desk.task(name="words")
    assert len(desk.polls) == 1, "two credits are left, one for the task that waits"


def test_task_that_waited_too_long_is_given_back() -> None:
    desk = Desk(wait_for_credit_max_s=5.0)
    busy = desk.connect("w1", types=("words",), credits=1)
    desk.connect("w2", types=("print",), credits=1)
    desk.task(name="words")
    desk.task(name="words")
    desk.pass_time(5.1)
    assert [call.members["reason"] for call in desk.calls] == ["pyflow.NoWorker"]
    assert len(desk.sent(busy, pb.Task)) == 1


def test_draining_worker_gets_nothing_and_what_waits_for_it_alone_is_given_back() -> None:
    desk = Desk()
    stream = desk.connect(credits=2)
    desk.frame(stream, draining=pb.Draining())
    desk.task()
    assert desk.sent(stream, pb.Task) == []
    assert desk.calls[0].members["reason"] == "pyflow.NoWorker"
    desk.frame(stream, credits=5)
    assert len(desk.polls) == 1, "credits of a draining worker do not count; one poll is still open"


def test_task_that_waits_for_a_worker_that_drains_is_given_back_at_once() -> None:
    desk = Desk()
    busy = desk.connect("w1", types=("words",), credits=1)
    desk.connect("w2", types=("print",), credits=1)
    desk.task(name="words")
    desk.task(name="words")
    assert desk.calls == []
    desk.frame(busy, draining=pb.Draining())
    assert [call.members["reason"] for call in desk.calls] == ["pyflow.NoWorker"]


def test_failed_polls_back_off_and_go_on() -> None:
    desk = Desk()
    stream = desk.connect(credits=1)
    for _ in range(4):
        desk.take(desk.core.poll_failed(desk.polls.pop(), desk.now))
        assert desk.polls == []
        desk.stay_alive(stream, 20.0)
        assert len(desk.polls) == 1
    assert desk.core.describe().ledger.polls_opened == 5


def test_repeated_attempt_is_looked_up_before_it_is_sent() -> None:
    desk = Desk()
    stream = desk.connect(credits=1, heartbeat_s=30)
    token = desk.task(activity_id="activity1.attempt2")
    assert desk.sent(stream, pb.Task) == []
    assert isinstance(desk.others[-1], LookUpAttempt)
    facts = AttemptFacts(last_progress='{"at":4}', start_to_close_s=60, heartbeat_s=7, timeouts_known=True)
    desk.now += 2
    desk.take(desk.core.attempt_looked_up(token, facts, desk.now))
    task = desk.last(stream, pb.Task)
    assert task.attempt == 2
    assert task.last_progress.data == b'{"at":4}'
    assert task.heartbeat_timeout.seconds == 7
    assert task.start_to_close_left.seconds == 58


def test_history_that_cannot_be_read_does_not_hold_the_task_up() -> None:
    desk = Desk()
    stream = desk.connect(credits=1)
    token = desk.task(activity_id="activity1.attempt3")
    desk.take(desk.core.attempt_looked_up(token, None, desk.now))
    assert desk.last(stream, pb.Task).attempt == 3


def test_draining_host_opens_no_polls_but_places_what_open_ones_bring() -> None:
    desk = Desk()
    stream = desk.connect(credits=2)
    desk.take(desk.core.drain(desk.now))
    desk.task()
    desk.no_task()
    assert desk.polls == []
    assert desk.core.polls_open == 0
    assert len(desk.sent(stream, pb.Task)) == 1
    assert desk.core.tasks_waited_for == 1
    desk.frame(stream, outcomes=[completed(desk.last(stream, pb.Task).task_token)], credits=1)
    desk.answer()
    assert desk.core.tasks_waited_for == 0
    assert desk.polls == []
    desk.take(desk.core.say_goodbye(desk.now))
    assert desk.last(stream, pb.GoAway).reason == pb.GO_AWAY_REASON_HOST_DRAINING
    assert desk.ended == [stream]
