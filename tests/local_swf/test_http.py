"""The transport: wire details, hostile and broken clients, long polls, the way down."""

from __future__ import annotations

import json
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from local_swf_server import RunningServer

PREFIXES = ["SimpleWorkflowService", "com.amazonaws.swf.service.model.SimpleWorkflowService"]
ANSWER_SECONDS_MAX = 10
STRAY_WAKINGS_MAX = 2  # a page that had to be fetched counts as one


class Wire:
    """A raw connection."""

    def __init__(self, server: RunningServer) -> None:
        self.sock = socket.create_connection(("127.0.0.1", server.port), timeout=ANSWER_SECONDS_MAX)
        self.file = self.sock.makefile("rb")

    def send(self, operation: str, body: bytes, *extra: str, prefix: str = PREFIXES[0]) -> None:
        lines = [f"X-Amz-Target: {prefix}.{operation}", f"Content-Length: {len(body)}", "Host: x", *extra]
        self.sock.sendall(("POST / HTTP/1.1\r\n" + "\r\n".join(lines) + "\r\n\r\n").encode() + body)

    def receive(self) -> tuple[int, dict[str, str], bytes]:
        status = int(self.file.readline().split()[1])
        headers = {}
        while (line := self.file.readline().strip()) != b"":
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        return status, headers, self.file.read(int(headers["content-length"]))

    def call(self, operation: str, body: bytes, *extra: str, **more: Any) -> tuple[int, dict[str, str], bytes]:
        self.send(operation, body, *extra, **more)
        return self.receive()

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()
        self.sock.close()


def works(server: RunningServer) -> None:
    """Other clients are unharmed."""
    with Wire(server) as wire:
        assert wire.call("ListDomains", b'{"registrationStatus":"REGISTERED"}')[0] == 200


@pytest.fixture
def server(shared_server: RunningServer) -> Iterator[RunningServer]:
    yield shared_server
    works(shared_server)


# --- the wire --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("kind", ["application/x-amz-json-1.0", "application/json"])
def test_prefixes_and_content_types(server: RunningServer, prefix: str, kind: str) -> None:
    with Wire(server) as wire:
        body = b'{"registrationStatus":"REGISTERED"}'
        extra = (f"Content-Type: {kind}", "Content-Encoding: amz-1.0")
        status, headers, _ = wire.call("ListDomains", body, *extra, prefix=prefix)
        assert (status, headers["content-type"]) == (200, kind)
        assert len(headers["x-amzn-requestid"]) == 36


def test_void_operations_have_an_empty_body(server: RunningServer) -> None:
    with Wire(server) as wire:
        body = json.dumps({"name": "void", "workflowExecutionRetentionPeriodInDays": "1"}).encode()
        status, headers, answer = wire.call("RegisterDomain", body)
        assert (status, headers["content-length"], answer) == (200, "0", b"")
        status, _, answer = wire.call("RegisterDomain", body)
        wanted = {"__type": "com.amazonaws.swf.base.model#DomainAlreadyExistsFault", "message": "void"}
        assert (status, json.loads(answer)) == (400, wanted)


def test_null_members_are_absent_members(server: RunningServer) -> None:
    with Wire(server) as wire:
        body = b'{"registrationStatus":"REGISTERED","maximumPageSize":null,"reverseOrder":null,"unknown":1}'
        assert wire.call("ListDomains", body)[0] == 200


@pytest.mark.parametrize(
    ("operation", "body", "status", "kind"),
    [
        ("ListDomains", b"{", 400, "com.amazon.coral.service#SerializationException"),
        ("ListDomains", b"\xff\xfe", 400, "com.amazon.coral.service#SerializationException"),
        ("ListDomains", b"[]", 400, "com.amazon.coral.service#SerializationException"),
        ("ListDomains", b"[" * 100_000, 400, "com.amazon.coral.service#SerializationException"),
        ("ListDomains", b'{"a":' * 50_000, 400, "com.amazon.coral.service#SerializationException"),
        ("ListDomains", b'{"registrationStatus":1}', 400, "com.amazon.coral.service#SerializationException"),
        ("ListDomains", b'{"maximumPageSize":1e999}', 400, "com.amazon.coral.service#SerializationException"),
        ("ListDomains", b"", 400, "com.amazon.coral.validate#ValidationException"),
        ("Nope", b"{}", 404, "com.amazon.coral.service#UnknownOperationException"),
        ("", b"{}", 404, "com.amazon.coral.service#UnknownOperationException"),
    ],
)
def test_broken_bodies(server: RunningServer, operation: str, body: bytes, status: int, kind: str) -> None:
    with Wire(server) as wire:
        found, _, answer = wire.call(operation, body)
        assert (found, json.loads(answer)["__type"]) == (status, kind)
        assert wire.call("ListDomains", b'{"registrationStatus":"REGISTERED"}')[0] == 200, "the connection lives on"


@pytest.mark.parametrize("line", ["GET / HTTP/1.1", "PUT / HTTP/1.1", "POST /other HTTP/1.1", "DELETE /x HTTP/1.1"])
def test_wrong_methods_and_paths(server: RunningServer, line: str) -> None:
    with Wire(server) as wire:
        wire.sock.sendall(f"{line}\r\nHost: x\r\nContent-Length: 0\r\n\r\n".encode())
        status, _, answer = wire.receive()
        assert status == 404
        assert json.loads(answer)["__type"].endswith("#UnknownOperationException")


@pytest.mark.parametrize(
    "garbage",
    [
        b"hello\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01",
        b"POST / HTTP/9.9\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"\x00" * 5000,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
def test_not_http(server: RunningServer, garbage: bytes) -> None:
    with Wire(server) as wire:
        wire.sock.sendall(garbage)
        wire.sock.shutdown(socket.SHUT_WR)
        answer = wire.file.read()
        assert answer == b"" or answer.startswith(b"HTTP/1.1 400")


def test_a_10_mb_body_is_refused_before_it_is_read(server: RunningServer) -> None:
    with Wire(server) as wire:
        wire.sock.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10485760\r\n\r\n" + b"x" * 70_000)
        status, headers, answer = wire.receive()
        assert (status, headers["connection"]) == (413, "close")
        assert json.loads(answer)["__type"].endswith("#RequestEntityTooLargeException")


def cut_off(wire: Wire, part: bytes, times: int) -> bool:
    """Send a part again and again; True if the server ended the connection before all was sent."""
    try:
        for _ in range(times):
            wire.sock.sendall(part)
    except (BrokenPipeError, ConnectionResetError):
        return True
    return False


def test_a_chunked_body_without_end_is_refused(server: RunningServer) -> None:
    with Wire(server) as wire:
        wire.sock.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        assert cut_off(wire, b"10000\r\n" + b"x" * 65536 + b"\r\n", 1000), "65 MB went in"


def test_endless_headers_are_refused(server: RunningServer) -> None:
    with Wire(server) as wire:
        wire.sock.sendall(b"POST / HTTP/1.1\r\n")
        assert cut_off(wire, b"X-A: " + b"a" * 8000 + b"\r\n", 8000), "64 MB of headers went in"


def test_pipelined_requests_are_answered_in_order(server: RunningServer) -> None:
    with Wire(server) as wire:
        for n in range(60):
            wire.send("DescribeDomain", json.dumps({"name": f"none{n}"}).encode())
        for n in range(60):
            assert f"none{n}".encode() in wire.receive()[2]


def test_expect_100_continue(server: RunningServer) -> None:
    with Wire(server) as wire:
        body = b'{"registrationStatus":"REGISTERED"}'
        head = f"POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: {PREFIXES[0]}.ListDomains\r\nExpect: 100-continue\r\n"
        wire.sock.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode())
        assert wire.file.readline() == b"HTTP/1.1 100 Continue\r\n"
        wire.file.readline()
        wire.sock.sendall(body)
        assert wire.receive()[0] == 200


def test_a_thousand_idle_and_half_sent_connections(server: RunningServer) -> None:
    many_files()
    wires = [Wire(server) for _ in range(1000)]
    try:
        for wire in wires[::2]:
            wire.sock.sendall(b"POST / HTTP/1.1\r\nHost:")
        begin = time.monotonic()
        works(server)
        assert time.monotonic() - begin < ANSWER_SECONDS_MAX
    finally:
        for wire in wires:
            wire.__exit__()


# --- long polls ------------------------------------------------------------------------------------------------


def poll_body(domain: str) -> bytes:
    return json.dumps({"domain": domain, "taskList": {"name": "tl"}}).encode()


def prepare(server: RunningServer, domain: str) -> None:
    server.client.register_domain(name=domain, workflowExecutionRetentionPeriodInDays="1")
    server.client.register_workflow_type(
        domain=domain, name="wf", version="1", defaultTaskList={"name": "tl"},
        defaultExecutionStartToCloseTimeout="60", defaultTaskStartToCloseTimeout="60", defaultChildPolicy="ABANDON",
    )  # fmt: skip


def start(server: RunningServer, domain: str) -> None:
    server.client.start_workflow_execution(domain=domain, workflowId="w", workflowType={"name": "wf", "version": "1"})


@pytest.mark.parametrize("how", ["close", "half-close", "reset"])
def test_a_poll_whose_connection_is_gone_gets_no_task(server: RunningServer, how: str) -> None:
    domain = f"gone-{how}"
    prepare(server, domain)
    gone = Wire(server)
    gone.send("PollForDecisionTask", poll_body(domain))
    with Wire(server) as other:  # answered after the poll was parked: requests are handled in order of arrival
        other.call("ListDomains", b'{"registrationStatus":"REGISTERED"}')
    if how == "half-close":
        gone.sock.shutdown(socket.SHUT_WR)
    elif how == "reset":
        gone.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    if how != "half-close":
        gone.file.close()
        gone.sock.close()
    start(server, domain)
    with Wire(server) as wire:
        assert json.loads(wire.call("PollForDecisionTask", poll_body(domain))[2])["startedEventId"] == 3


def test_a_waiting_poll_is_answered_at_once(server: RunningServer) -> None:
    prepare(server, "waiting")
    with Wire(server) as wire:
        wire.send("PollForDecisionTask", poll_body("waiting"))
        start(server, "waiting")
        assert json.loads(wire.receive()[2])["startedEventId"] == 3


# --- beginning and end -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_end_answers_waiting_polls_empty(run_server: Callable[..., RunningServer], number: int) -> None:
    server = run_server("--memory")
    prepare(server, "d")
    with Wire(server) as wire:
        wire.send("PollForDecisionTask", poll_body("d"))
        works(server)
        assert server.stop(number) == 0
        status, _, body = wire.receive()
        assert (status, body) == (200, b'{"previousStartedEventId":0,"startedEventId":0}')


def many_files() -> None:
    """Let this process have thousands of sockets."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 8192)), hard))


def test_the_end_answers_a_thousand_waiting_polls(run_server: Callable[..., RunningServer]) -> None:
    many_files()
    server = run_server("--memory")
    prepare(server, "d")
    wires = [Wire(server) for _ in range(1000)]
    try:
        for wire in wires:
            wire.send("PollForDecisionTask", poll_body("d"))
        works(server)  # answered after all of them were read
        assert server.stop() == 0
        for wire in wires:
            status, _, body = wire.receive()
            assert (status, body) == (200, b'{"previousStartedEventId":0,"startedEventId":0}')
            assert wire.file.read() == b"", "then the connection ends"
    finally:
        for wire in wires:
            wire.__exit__()


def wakings(server: RunningServer) -> int:
    """How often the server's process has gone to sleep so far."""
    text = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(text.partition("\nvoluntary_ctxt_switches:")[2].split()[0])


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc tells how often a process slept on Linux only")
def test_an_idle_server_sleeps(run_server: Callable[..., RunningServer]) -> None:
    """Pending timeouts and waiting polls wake nobody before they are due."""
    server = run_server("--memory")
    prepare(server, "d")
    start(server, "d")
    with Wire(server) as decider, Wire(server) as worker:
        decider.send("PollForDecisionTask", poll_body("d"))
        decider.receive()  # the task's timeout is pending from now on
        decider.send("PollForDecisionTask", poll_body("d"))
        worker.send("PollForActivityTask", poll_body("d"))
        works(server)
        deadline = time.monotonic() + ANSWER_SECONDS_MAX
        before = -1
        while before != (before := wakings(server)):  # the last things of the start
            assert time.monotonic() < deadline, "it does not come to rest"
            time.sleep(0.3)
        time.sleep(1)  # what is observed: a second in which nothing is due
        assert wakings(server) - before <= STRAY_WAKINGS_MAX


def refused_start(*arguments: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "pyflow_local", *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=30)
    return done.returncode, done.stderr


def test_port_in_use(server: RunningServer) -> None:
    status, text = refused_start("--port", str(server.port), "--memory")
    assert status == 2
    assert f"Port in use: another process listens on 127.0.0.1:{server.port}" in text
    assert "Traceback" not in text


def test_unusable_data_file(tmp_path: Path) -> None:
    status, text = refused_start("--port", "0", "--data", str(tmp_path / "no" / "swf.db"))
    assert status == 2
    assert "its directory exists" in text
    assert "Traceback" not in text


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_other_addresses_are_refused_without_checks(host: str) -> None:
    status, text = refused_start("--port", "0", "--memory", "--host", host)
    assert status == 2
    assert f"Refusing to listen on {host}" in text


def test_insecure_lets_others_in(run_server: Callable[..., RunningServer]) -> None:
    server = run_server("--memory", "--host", "0.0.0.0", "--insecure")
    works(server)


# --- our own paths ---------------------------------------------------------------------------------------------


def post(server: RunningServer, path: str, body: bytes = b"") -> tuple[int, Any]:
    with Wire(server) as wire:
        wire.sock.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        status, _, answer = wire.receive()
        return status, json.loads(answer)


def test_health(server: RunningServer) -> None:
    assert post(server, "/_pyflow/health") == (200, {"status": "ok"})


def test_time_skipping_is_off_by_default(server: RunningServer) -> None:
    status, answer = post(server, "/_pyflow/skip-time", b"{}")
    assert status == 403
    assert "--allow-time-skipping" in answer["message"]


def test_time_skipping(run_server: Callable[..., RunningServer]) -> None:
    server = run_server("--memory", "--allow-time-skipping")
    prepare(server, "d")
    start(server, "d")
    status, answer = post(server, "/_pyflow/skip-time", b'{"seconds": 59}')
    assert (status, answer) == (200, {"skippedSeconds": 59})
    since = {"oldestDate": 0}
    count = server.client.count_open_workflow_executions
    assert count(domain="d", startTimeFilter=since)["count"] == 1
    status, answer = post(server, "/_pyflow/skip-time")
    assert status == 200
    assert 0 < answer["skippedSeconds"] <= 1
    closed = server.client.list_closed_workflow_executions(domain="d", startTimeFilter=since)["executionInfos"]
    assert closed[0]["closeStatus"] == "TIMED_OUT"
    assert post(server, "/_pyflow/skip-time")[1] == {"skippedSeconds": 0}
    assert post(server, "/_pyflow/skip-time", b'{"seconds": -1}')[0] == 400
    assert post(server, "/_pyflow/skip-time", b"nonsense")[0] == 400


def test_timers_fire_in_time(server: RunningServer) -> None:
    """Not a speed test: the bound is generous, the bench measures the real lateness."""
    from local_swf_driver import decision

    prepare(server, "timers")
    start(server, "timers")
    poll = {"domain": "timers", "taskList": {"name": "tl"}}
    task = server.client.poll_for_decision_task(**poll)
    timers = [decision("StartTimer", timerId=str(n), startToFireTimeout="1") for n in range(3)]
    server.client.respond_decision_task_completed(taskToken=task["taskToken"], decisions=timers)
    events = server.client.poll_for_decision_task(**poll)["events"]
    at = {event["eventType"]: event["eventTimestamp"] for event in events}
    late = (at["TimerFired"] - at["TimerStarted"]).total_seconds() - 1
    assert 0 <= late < 5


def test_sixteen_threads_of_boto3(server: RunningServer) -> None:
    prepare(server, "many")
    errors: list[BaseException] = []

    def run(number: int) -> None:
        try:
            for n in range(10):
                server.client.start_workflow_execution(
                    domain="many", workflowId=f"{number}-{n}", workflowType={"name": "wf", "version": "1"}
                )
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    counted = server.client.count_open_workflow_executions(domain="many", startTimeFilter={"oldestDate": 0})
    assert counted["count"] == 160
