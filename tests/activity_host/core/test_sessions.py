"""Hello, resume after a cut, ping and silence, draining, grace."""

from __future__ import annotations

import itertools
import json

import pytest
from google.protobuf import duration_pb2
from host_desk import Desk, completed, finished, hello, running
from pyflow_api.v1 import worker_pb2 as pb
from pyflow_host.core import limits
from pyflow_host.core.values import Said, SwfSaid

GONE = SwfSaid(said=Said.GONE, message="Unknown activity, scheduledEventId = 5")


def test_welcome_tells_limits_and_the_default_domain() -> None:
    desk = Desk(ping_interval_s=2.5)
    welcome = desk.last(desk.connect(), pb.Welcome)
    assert (welcome.contract_version, welcome.host_id, welcome.domain) == (1, "host-1", "d")
    assert (welcome.ping_interval.seconds, welcome.ping_interval.nanos) == (2, 500_000_000)
    assert (welcome.limits.result_chars_max, welcome.limits.progress_chars_max) == (32_768, 2_048)


def _lasting(seconds: int) -> pb.ActivityType:
    return pb.ActivityType(name="a", version="1", start_to_close_timeout=duration_pb2.Duration(seconds=seconds))


@pytest.mark.parametrize(
    "change",
    [
        dict(contract_version=0),
        dict(worker_key=""),
        dict(worker_key="x" * 65),
        dict(task_list=""),
        dict(domain="unknown"),
        dict(activity_types=[]),
        dict(activity_types=[pb.ActivityType(name="a", version="1")] * 2),
        dict(activity_types=[pb.ActivityType(name="", version="1")]),
        dict(activity_types=[pb.ActivityType(name="a", version="")]),
        dict(activity_types=[pb.ActivityType(name="a:b", version="1")]),
        dict(activity_types=[pb.ActivityType(name="a", version="1/2")]),
        dict(activity_types=[pb.ActivityType(name="arn", version="1")]),
        dict(activity_types=[_lasting(100_000_000)]),
        dict(activity_types=[_lasting(-1)]),
        dict(task_list=" tl"),
        dict(task_list="t\x85l"),
        dict(task_list="x" * 257),
        dict(domain="x" * 257),
        dict(worker_name="x" * 257),
        dict(language="x" * 65),
        dict(sdk_version="x" * 257),
        dict(runtime_version="x" * 257),
        dict(build_id="x" * 257),
        dict(features=["x"] * 65),
        dict(features=["x" * 65]),
        dict(activity_types=[pb.ActivityType(name="x" * 257, version="1")]),
        dict(activity_types=[pb.ActivityType(name="a", version="1" * 65)]),
        dict(activity_types=[pb.ActivityType(name=f"a{n}", version="1") for n in range(1_001)]),
        dict(resume=[pb.HeldTask()] * 10_001),
    ],
)
def test_hello_that_cannot_be_served_is_final(change: dict[str, object]) -> None:
    desk = Desk()
    stream = desk.open()
    bad = hello()
    for member, value in change.items():
        bad.ClearField(member)  # type: ignore[arg-type]
        bad.MergeFrom(pb.Hello(**{member: value}))  # type: ignore[arg-type]
    desk.frame(stream, hello=bad)
    assert desk.last(stream, pb.GoAway).reason == pb.GO_AWAY_REASON_INCOMPATIBLE
    assert desk.last(stream, pb.GoAway).message
    assert desk.ended == [stream]


def test_made_up_lists_and_types_end_somewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TASK_LISTS_MAX", 2)
    monkeypatch.setattr(limits, "TYPES_OF_LIST_MAX", 3)
    desk = Desk()
    for number in range(2):
        desk.connect(f"w{number}", task_list=f"list{number}", types=("a", "b"))
    desk.connect("w2", task_list="list1", types=("b", "c"))
    for list_name, types in (("list2", ("a",)), ("list1", ("d",))):
        refused = desk.open()
        desk.frame(refused, hello=hello("w3", types, list_name, (), None))
        assert desk.last(refused, pb.GoAway).reason == pb.GO_AWAY_REASON_INCOMPATIBLE
    desk.connect("w4", task_list="list0", types=("a", "b"))


def test_newer_version_is_answered_with_ours() -> None:
    desk = Desk()
    stream = desk.open()
    newer = hello()
    newer.contract_version = 7
    desk.frame(stream, hello=newer)
    assert desk.last(stream, pb.Welcome).contract_version == 1


def test_stream_without_hello_is_ended() -> None:
    desk = Desk()
    silent, talking = desk.open(), desk.open()
    desk.frame(talking, credits=5)
    assert desk.last(talking, pb.GoAway).reason == pb.GO_AWAY_REASON_PROTOCOL_ERROR
    desk.pass_time(10.1)
    assert desk.last(silent, pb.GoAway).reason == pb.GO_AWAY_REASON_PROTOCOL_ERROR
    assert desk.polls == []


def test_second_hello_is_against_the_rules() -> None:
    desk = Desk()
    stream = desk.connect(credits=1)
    desk.frame(stream, hello=hello())
    assert desk.last(stream, pb.GoAway).reason == pb.GO_AWAY_REASON_PROTOCOL_ERROR
    desk.frame(stream, credits=10)
    assert len(desk.polls) == 1, "frames after the end do not count"


def test_cut_and_resume_goes_on_as_if_nothing_happened() -> None:
    desk = Desk()
    stream = desk.connect(credits=2)
    desk.task()
    token = desk.last(stream, pb.Task).task_token
    desk.cut(stream)
    desk.pass_time(4.9)
    again = desk.connect(resume=(running(token),))
    assert desk.last(again, pb.Welcome).resumed == [pb.ResumeAnswer(task_token=token, wanted=True)]
    desk.stay_alive(again, 60, held=(token,))
    assert desk.calls == []
    desk.frame(again, outcomes=[completed(token)])
    desk.answer()
    assert desk.last(again, pb.OutcomeAck).status == pb.ACK_STATUS_REPORTED
    assert desk.ledger()["received"] == desk.ledger()["reported"] == 1


@pytest.mark.parametrize("seen", ["before the cut", "during the cut"])
def test_cancel_that_a_cut_swallowed_is_told_on_the_next_stream(seen: str) -> None:
    desk = Desk(grace_s=20.0)
    stream = desk.connect(credits=1)
    desk.task()
    token = desk.last(stream, pb.Task).task_token
    cancel = SwfSaid(said=Said.OK, cancel_requested=True)
    if seen == "before the cut":
        desk.pass_time(1.5, beats=cancel)
        desk.cut(stream)
    else:
        desk.cut(stream)
        desk.pass_time(1.5, beats=cancel)
    again = desk.connect(resume=(running(token),))
    kinds = [type(item) for item in desk.items[again]]
    assert kinds == [pb.Welcome, pb.Cancel]
    assert desk.last(again, pb.Cancel) == pb.Cancel(task_token=token, reason=pb.CANCEL_REASON_REQUESTED)


def test_heartbeats_go_on_during_the_grace() -> None:
    desk = Desk()
    stream = desk.connect(credits=1)
    desk.task()
    desk.cut(stream)
    desk.pass_time(4.5, beats=None)
    assert desk.calls, "a heartbeat was due"


def test_worker_that_does_not_come_back_is_lost_after_the_grace() -> None:
    desk = Desk(grace_s=5.0)
    stream = desk.connect(credits=1)
    desk.task()
    token = desk.last(stream, pb.Task).task_token
    desk.cut(stream)
    desk.pass_time(5.1)
    assert [call.members["reason"] for call in desk.calls] == ["pyflow.WorkerLost"]
    assert json.loads(desk.calls[0].members["details"])["non_retryable"] is False
    desk.answer()
    assert desk.ledger()["reported"] == 1
    late = desk.connect(resume=(running(token),))
    assert not desk.last(late, pb.Welcome).resumed[0].wanted
    late = desk.connect(resume=(finished(token),))
    assert desk.last(late, pb.Welcome).resumed[0].wanted
    desk.frame(late, outcomes=[completed(token)])
    assert desk.last(late, pb.OutcomeAck).status == pb.ACK_STATUS_GONE


def test_outcome_arriving_while_the_loss_is_being_reported_gets_an_ack() -> None:
    desk = Desk()
    stream = desk.connect(credits=1)
    desk.task()
    token = desk.last(stream, pb.Task).task_token
    desk.cut(stream)
    desk.pass_time(5.1)
    again = desk.connect(resume=(finished(token),))
    desk.frame(again, outcomes=[completed(token)])
    desk.answer()
    assert desk.last(again, pb.OutcomeAck).status == pb.ACK_STATUS_GONE


def test_new_host_accepts_the_tasks_of_the_one_before() -> None:
    before = Desk()
    stream = before.connect(credits=2, heartbeat_s=30)
    before.task()
    before.task()
    first, second = (task.task_token for task in before.sent(stream, pb.Task))
    desk = Desk(host_id="host-2")
    again = desk.connect(resume=(running(first), finished(second)))
    assert [answer.wanted for answer in desk.last(again, pb.Welcome).resumed] == [True, True]
    desk.pass_time(0.0, beats=None)
    assert len(desk.calls) == 2, "both are heartbeated at once"
    desk.answer()
    desk.answer()
    desk.frame(again, outcomes=[completed(second)])
    desk.frame(again, outcomes=[completed(first)])
    desk.answer()
    desk.answer()
    assert [ack.status for ack in desk.sent(again, pb.OutcomeAck)] == [pb.ACK_STATUS_REPORTED] * 2
    assert desk.ledger()["resumed"] == desk.ledger()["reported"] == 2


def test_foreign_and_forged_tokens_are_not_resumed() -> None:
    desk = Desk()
    stream = desk.connect(credits=1)
    desk.task()
    token = desk.last(stream, pb.Task).task_token
    other = desk.connect("w2", resume=(running(token), running(b"forged")))
    assert [answer.wanted for answer in desk.last(other, pb.Welcome).resumed] == [False, False]


def test_task_that_was_never_received_is_placed_again() -> None:
    desk = Desk()
    stream = desk.connect(credits=1)
    desk.task()
    desk.cut(stream)
    again = desk.connect(credits=1)
    task = desk.last(again, pb.Task)
    assert task.activity_id == "activity1"
    desk.frame(again, outcomes=[completed(task.task_token)])
    desk.answer()
    assert desk.ledger()["dispatched"] == 2
    assert desk.ledger()["reported"] == 1


def test_hello_at_its_limits_is_served() -> None:
    desk = Desk()
    stream = desk.open()
    full = hello("x" * 64)
    full.MergeFrom(
        pb.Hello(
            features=["x" * 64] * 64,
            sdk_version="x" * 256,
            runtime_version="x" * 256,
            build_id="x" * 256,
            slots=2**32 - 1,
        )
    )
    full.worker_name, full.language, full.task_list = "n" * 256, "l" * 64, "t" * 256
    kinds = [pb.ActivityType(name=f"{n:0256}", version="v" * 64, description="\N{OWL}" * 2_000) for n in range(1_000)]
    full.activity_types.MergeFrom(kinds[:-1])
    desk.frame(stream, hello=full)
    assert desk.sent(stream, pb.Welcome)
    kept = desk.core.describe().workers[0]
    assert (kept.worker_name, kept.language, kept.task_list) == ("n" * 256, "l" * 64, "t" * 256)


@pytest.mark.parametrize("member", ["worker_name", "language", "domain", "task_list"])
def test_what_a_worker_says_is_not_repeated_at_any_length(member: str) -> None:
    desk = Desk()
    stream = desk.open()
    long = hello()
    setattr(long, member, "x" * 100_000)
    desk.frame(stream, hello=long)
    assert len(desk.last(stream, pb.GoAway).message) <= limits.MESSAGE_CHARS_MAX
    assert max(map(len, desk.logs)) < 2_000


def test_host_that_is_full_says_so_and_has_room_again() -> None:
    desk = Desk(streams_max=3)
    worker, greeting = desk.connect("w1", credits=1), desk.open()
    desk.connect("w2")
    for _ in range(3):
        stranger = desk.open()
        goodbye = desk.last(stranger, pb.GoAway)
        assert (goodbye.reason, goodbye.reconnect_after.seconds) == (pb.GO_AWAY_REASON_HOST_FULL, 5)
        assert "3 streams" in goodbye.message
        assert desk.ended[-1] == stranger
        desk.frame(stranger, hello=hello("w9"))
        desk.cut(stranger)
    assert len([line for line in desk.logs if "Streams are refused" in line]) == 1, "a flood does not fill the log"
    desk.task()
    assert desk.sent(worker, pb.Task), "those who are here are served"
    desk.cut(greeting)
    assert desk.sent(desk.connect("w3"), pb.Welcome)
    desk.open()
    assert len([line for line in desk.logs if "Streams are refused" in line]) == 2


def test_worker_with_other_defaults_than_the_one_before_is_told_of() -> None:
    desk = Desk()
    desk.connect("w1", heartbeat_s=10)
    desk.connect("w2", heartbeat_s=10)
    assert not [line for line in desk.logs if "other defaults" in line]
    desk.connect("w3", heartbeat_s=20)
    told = [line for line in desk.logs if "other defaults" in line]
    assert len(told) == 1
    for words in ("worker name of w3 (test)", "'act' version '1'", "heartbeat is 10 (worker: 20)"):
        assert words in told[0]
    assert "start_to_close" not in told[0]


def test_newer_stream_of_the_same_worker_takes_over() -> None:
    desk = Desk()
    old = desk.connect(credits=2)
    desk.task()
    token = desk.last(old, pb.Task).task_token
    new = desk.connect(resume=(running(token),))
    assert desk.last(old, pb.GoAway).reason == pb.GO_AWAY_REASON_SUPERSEDED
    desk.cut(old)
    desk.pass_time(6.0)
    desk.frame(new, outcomes=[completed(token)])
    desk.answer()
    assert desk.last(new, pb.OutcomeAck).status == pb.ACK_STATUS_REPORTED


def test_ack_that_was_lost_is_given_again() -> None:
    desk = Desk()
    stream = desk.connect(credits=1)
    desk.task()
    token = desk.last(stream, pb.Task).task_token
    desk.frame(stream, outcomes=[completed(token)])
    desk.cut(stream)
    desk.answer()
    again = desk.connect(resume=(finished(token),))
    assert desk.last(again, pb.Welcome).resumed[0].wanted
    desk.frame(again, outcomes=[completed(token)])
    assert desk.last(again, pb.OutcomeAck).status == pb.ACK_STATUS_DUPLICATE
    assert desk.ledger()["reported"] == 1


def test_cut_while_the_report_is_under_way() -> None:
    desk = Desk()
    stream = desk.connect(credits=1)
    desk.task()
    token = desk.last(stream, pb.Task).task_token
    desk.frame(stream, outcomes=[completed(token)])
    desk.cut(stream)
    again = desk.connect(resume=(finished(token),))
    desk.frame(again, outcomes=[completed(token)])
    assert len(desk.calls) == 1
    desk.answer()
    assert desk.last(again, pb.OutcomeAck).status == pb.ACK_STATUS_REPORTED


def test_silent_worker_is_noticed_within_three_intervals() -> None:
    desk = Desk(ping_interval_s=10.0)
    stream = desk.connect(credits=1)
    desk.task()
    desk.frame(stream, progress=[])  # other frames are no sign of life of the loop that receives
    desk.pass_time(30.1)
    assert desk.last(stream, pb.GoAway).reason == pb.GO_AWAY_REASON_SILENT
    assert desk.ended == [stream]
    desk.pass_time(5.1)
    assert desk.calls[0].members["reason"] == "pyflow.WorkerLost"


def test_worker_that_answers_pings_lives() -> None:
    desk = Desk()
    stream = desk.connect(credits=1)
    desk.task()
    desk.stay_alive(stream, 300, held=(desk.last(stream, pb.Task).task_token,))
    assert desk.sent(stream, pb.GoAway) == []
    assert desk.calls == []


def test_workers_are_pinged_together_and_each_once_in_an_interval() -> None:
    desk = Desk(ping_interval_s=10.0)
    pinged_at: dict[int, list[float]] = {}
    for number in range(200):
        pinged_at[desk.connect(f"w{number}")] = []
        desk.pass_time(0.0437)
    rounds = 0
    end = desk.now + 100.0
    while desk.now < end:
        desk.now = desk.core.next_due() + 0.0123  # a clock is looked at late, never early
        before = {stream: len(desk.sent(stream, pb.Ping)) for stream in pinged_at}
        desk.take(desk.core.tick(desk.now))
        pinged = [stream for stream in pinged_at if len(desk.sent(stream, pb.Ping)) > before[stream]]
        rounds += bool(pinged)
        for stream in pinged:
            pinged_at[stream].append(desk.now)
            desk.frame(stream, status=pb.Status(nonce=1))
    assert rounds <= 11 * limits.PING_ROUNDS, "as many for 200 workers as for 20"
    for stream, times in pinged_at.items():
        gaps = [after - before for before, after in itertools.pairwise(times)]
        assert len(gaps) >= 8
        assert gaps == pytest.approx([10.0] * len(gaps), abs=0.02)
        assert desk.sent(stream, pb.GoAway) == []


def test_task_the_worker_does_not_know_of_is_lost() -> None:
    desk = Desk()
    stream = desk.connect(credits=1)
    desk.task()
    desk.stay_alive(stream, 15)
    assert desk.calls == [], "once may be a crossing on the way"
    desk.stay_alive(stream, 10)
    assert [call.members["reason"] for call in desk.calls] == ["pyflow.WorkerLost"]


def test_draining_worker_that_has_nothing_left_goes_without_grace() -> None:
    desk = Desk()
    stream = desk.connect(credits=1)
    desk.task()
    token = desk.last(stream, pb.Task).task_token
    desk.frame(stream, draining=pb.Draining())
    desk.frame(stream, outcomes=[completed(token)])
    desk.answer()
    desk.cut(stream)
    assert desk.core.describe().workers == []
    assert desk.calls == []


def test_gone_task_is_dropped_with_its_worker() -> None:
    desk = Desk()
    stream = desk.connect(credits=1)
    desk.task()
    desk.pass_time(1.1, beats=GONE)
    assert desk.last(stream, pb.Cancel).reason == pb.CANCEL_REASON_TIMED_OUT
    desk.cut(stream)
    desk.pass_time(6.0)
    assert desk.calls == []
    assert desk.ledger()["gone"] == 1


def test_drained_host_refuses_new_workers_but_lets_others_report() -> None:
    desk = Desk()
    stream = desk.connect(credits=1)
    desk.task()
    token = desk.last(stream, pb.Task).task_token
    desk.cut(stream)
    desk.take(desk.core.drain(desk.now))
    stranger = desk.open()
    desk.frame(stranger, hello=hello("w9"))
    assert desk.last(stranger, pb.GoAway).reason == pb.GO_AWAY_REASON_HOST_DRAINING
    again = desk.connect(resume=(finished(token),))
    desk.frame(again, outcomes=[completed(token)])
    desk.answer()
    assert desk.last(again, pb.OutcomeAck).status == pb.ACK_STATUS_REPORTED
