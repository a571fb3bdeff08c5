"""The worker's side of the conversation, against a host that the test plays."""

from __future__ import annotations

import gc
import logging
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyflow_activity import Worker, activity, current
from pyflow_activity.errors import BadUsage, HostRefused, WorkerError
from pyflow_api.v1 import payload_pb2
from pyflow_api.v1 import worker_pb2 as pb
from scripted_host import DEADLINE_S, ScriptedHost, Stream

gates: dict[str, threading.Event] = {}


@activity(version="1")
def double(n: int) -> int:
    return 2 * n


@activity(version="1")
def gated(name: str) -> str:
    current().progress({"in": name})
    assert gates[name].wait(DEADLINE_S)
    return "canceled" if current().cancel_requested else name


class Running:
    """A worker in a thread."""

    def __init__(self, address: str, **options: Any) -> None:
        self.worker = Worker(host=address, task_list="tl", activities=[double, gated], **options)
        self.error: BaseException | None = None
        self.ended = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        try:
            self.worker.run()
        except BaseException as error:
            self.error = error
        self.ended.set()


@pytest.fixture
def host() -> Iterator[ScriptedHost]:
    with tempfile.TemporaryDirectory(prefix="sh") as directory:
        host = ScriptedHost(Path(directory))
        yield host
        for gate in gates.values():
            gate.set()
        host.stop()


def task(token: bytes, name: str = "double", data: bytes = b"21") -> pb.Task:
    return pb.Task(
        task_token=token,
        activity_name=name,
        activity_version="1",
        input=payload_pb2.Payload(data=data),
        workflow_id="wf",
        run_id="run",
        activity_id="activity1",
        attempt=1,
    )


def gate(name: str) -> threading.Event:
    gates[name] = threading.Event()
    return gates[name]


def greeted(host: ScriptedHost, **welcome: Any) -> tuple[Stream, pb.Hello]:
    """The next stream, welcomed; Hello was its first frame."""
    stream = host.stream()
    hello = stream.hear().hello
    stream.welcome(**welcome)
    return stream, hello


def hear_outcomes(stream: Stream, count: int) -> list[pb.Outcome]:
    outcomes: list[pb.Outcome] = []
    while len(outcomes) < count:
        outcomes += stream.hear().outcomes
    return outcomes


def test_hello_then_credits_then_a_task_its_outcome_and_its_credit(host: ScriptedHost) -> None:
    running = Running(host.address, slots=3, name="me", build_id="b1")
    stream, hello = greeted(host)
    assert (hello.contract_version, hello.language, hello.task_list, hello.slots) == (1, "python", "tl", 3)
    assert (hello.worker_name, hello.build_id, hello.domain, list(hello.resume)) == ("me", "b1", "", [])
    assert 16 <= len(hello.worker_key) <= 64
    assert [(kind.name, kind.version) for kind in hello.activity_types] == [("double", "1"), ("gated", "1")]
    assert stream.hear().credits == 3
    stream.say(tasks=[task(b"t1")])
    frame = stream.hear()
    assert frame.credits == 1
    assert frame.outcomes[0].task_token == b"t1"
    assert frame.outcomes[0].completed.result.data == b"42"
    stream.say(acks=[pb.OutcomeAck(task_token=b"t1", status=pb.ACK_STATUS_REPORTED)])
    running.worker.stop()
    assert stream.hear().HasField("draining")
    stream.hear_end()
    stream.hang_up()
    assert running.ended.wait(DEADLINE_S)
    assert running.error is None


def test_ping_is_answered_with_what_is_held(host: ScriptedHost) -> None:
    opened = gate("held")
    Running(host.address, slots=2)
    stream, _ = greeted(host)
    stream.hear()
    stream.say(tasks=[task(b"t1", "gated", b'"held"'), task(b"t2")])
    outcome = hear_outcomes(stream, 1)[0]
    assert outcome.task_token == b"t2"
    stream.say(ping=pb.Ping(nonce=7))
    status = stream.hear().status
    assert (status.nonce, status.slots_free) == (7, 1)
    states = {held.task_token: held.state for held in status.held}
    assert states == {b"t1": pb.TASK_STATE_RUNNING, b"t2": pb.TASK_STATE_FINISHED}
    opened.set()
    hear_outcomes(stream, 1)


def test_reconnects_and_resumes_whatever_ended_the_stream(host: ScriptedHost) -> None:
    opened = gate("long")
    Running(host.address, slots=3)
    stream, first = greeted(host)
    stream.hear()
    stream.say(tasks=[task(b"t1", "gated", b'"long"'), task(b"t2")])
    hear_outcomes(stream, 1)
    stream.hang_up()  # status OK, not asked for
    stream = host.stream()
    hello = stream.hear().hello
    assert hello.worker_key == first.worker_key
    states = {held.task_token: held.state for held in hello.resume}
    assert states == {b"t1": pb.TASK_STATE_RUNNING, b"t2": pb.TASK_STATE_FINISHED}
    wanted = tuple(pb.ResumeAnswer(task_token=token, wanted=True) for token in (b"t1", b"t2"))
    stream.welcome(resumed=wanted)
    frame = stream.hear()
    assert [outcome.task_token for outcome in frame.outcomes] == [b"t2"]
    assert frame.credits == 2, "one of three still runs"
    opened.set()
    assert hear_outcomes(stream, 1)[0].completed.result.data == b'"long"'


def test_outcome_of_a_task_that_ended_while_cut_off(host: ScriptedHost) -> None:
    opened = gate("cut")
    Running(host.address, slots=1)
    stream, _ = greeted(host)
    stream.hear()
    stream.say(tasks=[task(b"t1", "gated", b'"cut"')])
    assert stream.hear().progress[0].details.data == b'{"in":"cut"}'
    host.stop()
    opened.set()
    host.start()
    stream = host.stream()
    hello = stream.hear().hello
    stream.welcome(resumed=(pb.ResumeAnswer(task_token=b"t1", wanted=True),))
    assert len(hello.resume) == 1
    outcomes: list[pb.Outcome] = []
    credits = 0
    while not outcomes or not credits:
        frame = stream.hear()
        outcomes += frame.outcomes
        credits += frame.credits
    assert (len(outcomes), credits) == (1, 1)


def test_unwanted_task_is_stopped_and_forgotten(host: ScriptedHost) -> None:
    opened = gate("unwanted")
    Running(host.address, slots=1)
    stream, _ = greeted(host)
    stream.hear()
    stream.say(tasks=[task(b"t1", "gated", b'"unwanted"')])
    stream.hear()
    stream.hang_up()
    stream, hello = greeted(host, resumed=(pb.ResumeAnswer(task_token=b"t1", wanted=False),))
    assert len(hello.resume) == 1
    opened.set()
    frame = stream.hear()
    assert (frame.credits, len(frame.outcomes)) == (1, 0), "the slot is free when the function has ended"
    stream.say(ping=pb.Ping(nonce=1))
    assert list(stream.hear().status.held) == []


def test_cancel_reaches_the_function(host: ScriptedHost) -> None:
    opened = gate("cancel")
    Running(host.address)
    stream, _ = greeted(host)
    stream.hear()
    stream.say(tasks=[task(b"t1", "gated", b'"cancel"')])
    stream.hear()
    cancel = pb.Cancel(task_token=b"t1", reason=pb.CANCEL_REASON_REQUESTED)
    stream.say(cancels=[cancel, cancel, pb.Cancel(task_token=b"unknown")])
    stream.say(ping=pb.Ping(nonce=1))
    assert stream.hear().HasField("status"), "the cancels before have been handled"
    opened.set()
    assert hear_outcomes(stream, 1)[0].completed.result.data == b'"canceled"'


def test_task_sent_twice_runs_once(host: ScriptedHost) -> None:
    Running(host.address)
    stream, _ = greeted(host)
    stream.hear()
    stream.say(tasks=[task(b"t1"), task(b"t1")])
    hear_outcomes(stream, 1)
    stream.say(ping=pb.Ping(nonce=1))
    frame = stream.hear()
    assert not frame.outcomes
    assert len(frame.status.held) == 1


def test_silent_host_is_left_and_another_stream_opened(host: ScriptedHost) -> None:
    Running(host.address)
    stream, first = greeted(host, ping_interval_s=0.2)
    stream.hear()
    again, second = greeted(host)
    assert second.worker_key == first.worker_key
    assert again.hear().credits == 8
    assert stream.over.wait(DEADLINE_S)


@pytest.mark.parametrize("reason", ["UNAUTHENTICATED", "INCOMPATIBLE", "SUPERSEDED"])
def test_final_goodbyes_end_the_worker(host: ScriptedHost, reason: str) -> None:
    running = Running(host.address)
    stream = host.stream()
    stream.hear()
    stream.say(go_away=pb.GoAway(reason=pb.GoAwayReason.Value(f"GO_AWAY_REASON_{reason}"), message="because"))
    assert running.ended.wait(DEADLINE_S)
    assert isinstance(running.error, HostRefused)
    assert reason in str(running.error)
    assert "because" in str(running.error)


@pytest.mark.parametrize("reason", ["HOST_DRAINING", "PROTOCOL_ERROR", "SILENT", "UNSPECIFIED"])
def test_other_goodbyes_mean_reconnect(host: ScriptedHost, reason: str) -> None:
    Running(host.address)
    stream, _ = greeted(host)
    stream.say(go_away=pb.GoAway(reason=pb.GoAwayReason.Value(f"GO_AWAY_REASON_{reason}")))
    stream.hang_up()
    greeted(host)


def test_draining_lets_tasks_end_and_waits_for_acks_over_a_cut(host: ScriptedHost) -> None:
    opened = gate("drain")
    running = Running(host.address, slots=2)
    stream, _ = greeted(host)
    stream.hear()
    stream.say(tasks=[task(b"t1", "gated", b'"drain"')])
    stream.hear()
    running.worker.stop()
    assert stream.hear().HasField("draining")
    stream.say(tasks=[task(b"t2")])  # was on its way
    frame = stream.hear()
    assert frame.outcomes[0].task_token == b"t2"
    assert frame.credits == 0
    stream.say(ping=pb.Ping(nonce=3))
    assert stream.hear().status.nonce == 3, "a draining worker is alive"
    stream.hang_up()
    stream = host.stream()
    assert len(stream.hear().hello.resume) == 2
    stream.welcome(resumed=tuple(pb.ResumeAnswer(task_token=token, wanted=True) for token in (b"t1", b"t2")))
    frame = stream.hear()
    assert frame.HasField("draining")
    assert frame.credits == 0
    opened.set()
    hear_outcomes(stream, 1)
    assert not running.ended.is_set()
    stream.say(acks=[pb.OutcomeAck(task_token=token, status=pb.ACK_STATUS_REPORTED) for token in (b"t1", b"t2")])
    stream.hear_end()
    stream.hang_up()
    assert running.ended.wait(DEADLINE_S)
    assert running.error is None


def test_unknown_activity_is_a_failure_of_that_task(host: ScriptedHost) -> None:
    Running(host.address)
    stream, _ = greeted(host)
    stream.hear()
    stream.say(tasks=[task(b"t1", "not mine")])
    failed = hear_outcomes(stream, 1)[0].failed
    assert (failed.type, failed.non_retryable) == ("pyflow.UnknownActivity", False)


def test_gives_up_when_asked_to() -> None:
    running = Running("unix:/nowhere/at/all.sock", give_up_after_s=0.2)
    assert running.ended.wait(DEADLINE_S)
    assert isinstance(running.error, WorkerError)
    assert "unix:/nowhere/at/all.sock" in str(running.error)


def test_gives_up_a_host_that_is_gone_only_when_asked_to(host: ScriptedHost) -> None:
    running = Running(host.address, start_timeout_s=0.001, give_up_after_s=0.2)
    stream, _ = greeted(host)
    assert running.worker.wait_connected(DEADLINE_S)
    host.stop()
    stream.hang_up()
    assert running.ended.wait(DEADLINE_S)
    assert isinstance(running.error, WorkerError)
    assert "for 0.2 s" in str(running.error)


@pytest.mark.parametrize(
    ("start_s", "later_s", "patience"),
    [(None, None, (30, None)), (None, 5, (5, 5)), (2, None, (2, None)), (2, 90, (2, 90))],
)
def test_how_long_it_tries(
    start_s: float | None, later_s: float | None, patience: tuple[float | None, float | None]
) -> None:
    worker = Worker(
        host="unix:/a", task_list="tl", activities=[double], start_timeout_s=start_s, give_up_after_s=later_s
    )
    before = worker._patience_s()
    worker._handle(worker._stream, pb.HostFrame(go_away=pb.GoAway(reason=pb.GO_AWAY_REASON_HOST_DRAINING)))
    assert (before, worker._patience_s()) == patience


def test_what_no_host_would_take_is_refused_before_it_is_asked() -> None:
    with pytest.raises(BadUsage, match="build_id has 257 characters; 256 are the most"):
        Running("unix:/nowhere.sock", build_id="x" * 257)
    with pytest.raises(BadUsage, match="slots is 1001"):
        Running("unix:/nowhere.sock", slots=1_001)


def test_token_file_is_read_at_every_connect(host: ScriptedHost, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("first\n")
    Running(host.address, token_file=file)
    stream, hello = greeted(host)
    assert hello.auth_token == "first"
    file.write_text("second\n")
    stream.hang_up()
    assert greeted(host)[1].auth_token == "second"


class _Complaints(logging.Handler):
    """Knows when the worker has said that it cannot reach its host."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.heard = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        if "cannot be read" in record.getMessage():
            self.heard.set()


def test_token_file_that_is_away_is_a_cut_but_for_the_start(host: ScriptedHost, tmp_path: Path) -> None:
    file, complaints = tmp_path / "token", _Complaints()
    with pytest.raises(BadUsage, match="cannot be read"):
        Worker(host=host.address, task_list="tl", activities=[double], token_file=file).run()
    file.write_text("first")
    Running(host.address, token_file=file)
    stream, _ = greeted(host)
    logger = logging.getLogger("pyflow.activity")
    logger.addHandler(complaints)
    try:
        file.unlink()
        stream.hang_up()
        assert complaints.heard.wait(DEADLINE_S)
    finally:
        logger.removeHandler(complaints)
    file.write_text("second")
    assert greeted(host)[1].auth_token == "second"


def calls_of_grpc() -> list[str]:
    """The streams' calls that are still in memory; what the collector would take counts as well."""
    return [type(each).__name__ for each in gc.get_objects() if type(each).__name__ == "_MultiThreadedRendezvous"]


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("ended_by", ["refusal", "hang-up", "drain"])
def test_no_call_outlives_its_stream(no_collector: None, host: ScriptedHost, ended_by: str) -> None:
    """A call that is collected only as the process ends may wait for ever for a lock of gRPC's."""
    running = Running(host.address, give_up_after_s=0.1)
    stream, _ = greeted(host)
    assert running.worker.wait_connected(DEADLINE_S)
    if ended_by == "refusal":
        stream.say(go_away=pb.GoAway(reason=pb.GO_AWAY_REASON_SUPERSEDED, message="because"))
    elif ended_by == "hang-up":
        host.stop()
    else:
        running.worker.stop()
        stream.hear_end()
        stream.hang_up()
    assert running.ended.wait(DEADLINE_S)
    assert calls_of_grpc() == []
