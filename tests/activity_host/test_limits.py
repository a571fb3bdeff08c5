"""Floods of connections, streams and calls: refused in so many words, and whoever was there before is served."""

from __future__ import annotations

import asyncio
import contextlib
import json
import resource
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import grpc
import grpc.aio
import pytest
from host_rig import DEADLINE_S, Process, Rig, wait_for
from pyflow_api.v1 import activity_host_pb2 as host_pb
from pyflow_api.v1 import activity_host_pb2_grpc as host_grpc
from pyflow_api.v1 import worker_pb2 as pb
from pyflow_host import open_files
from pyflow_host.auth import TokenCheck
from pyflow_host.core.effects import Call, LookUpAttempt
from pyflow_host.core.host_core import HostCore
from pyflow_host.core.state import CoreOptions
from pyflow_host.core.tokens import Sealer, TokenContent
from pyflow_host.core.values import SWF_OK, AttemptFacts, ListKey, SwfSaid, SwfTask, TypeDefaults, TypeKey
from pyflow_host.engine import Engine
from pyflow_host.server import CONNECTIONS_SPARE, STREAMS_OF_CONNECTION_MAX, HostServer
from pyflow_host.servicer import ActivityHostServicer
from pyflow_host.swf_side import Registered
from pyflow_host.waiting_room import NoRoom, WaitingRoom
from raw_worker import OPTIONS, RawWorker

STREAMS = 20
CONNECTIONS = STREAMS + CONNECTIONS_SPARE
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
"""What HTTP/2 begins with, and empty SETTINGS."""


def host_with_few_streams(rig: Rig) -> Process:
    config = rig.path("host.toml")
    config.write_text(f"streams_max = {STREAMS}")
    return rig.host("--config", str(config))


def works(rig: Rig) -> bool:
    run = rig.run()
    run.schedule("add", "1")
    return run.end()[1].get("result") == '{"sum":2}'


def memory_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize() / 1e6


@contextlib.contextmanager
def connections(rig: Rig, count: int) -> Iterator[list[socket.socket]]:
    """Connections that begin as HTTP/2 does and go on in silence."""
    with contextlib.ExitStack() as stack:
        opened = []
        for _ in range(count):
            one = stack.enter_context(socket.socket(socket.AF_UNIX))
            one.connect(rig.address.removeprefix("unix:"))
            with contextlib.suppress(OSError):  # refused already
                one.sendall(PREFACE)
            opened.append(one)
        yield opened


def is_closed(one: socket.socket) -> bool:
    """Whether the other side has ended it; what it said before is read."""
    one.setblocking(False)
    try:
        while one.recv(4_096):
            pass
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def answered(rig: Rig) -> bool:
    """Whether the host speaks HTTP/2 with one more connection."""
    with connections(rig, 1) as more:
        more[0].settimeout(DEADLINE_S)
        try:
            return bool(more[0].recv(1))
        except ConnectionResetError:
            return False


def test_flood_of_connections_is_cut_off_and_workers_are_served(rig: Rig) -> None:
    host = host_with_few_streams(rig)
    rig.worker()
    assert works(rig)
    before = memory_mb(host.pid)
    with connections(rig, 4 * CONNECTIONS) as flood:
        wait_for(lambda: sum(map(is_closed, flood)) > 3 * CONNECTIONS, "the end of those that are too many")
        assert works(rig)
        kept = CONNECTIONS - 1  # the worker has one
        assert len(flood) - sum(map(is_closed, flood)) <= kept
        grown = memory_mb(host.pid) - before
        assert grown < 50, f"{grown} MB more"
    wait_for(lambda: answered(rig), "an answer to a connection that is not too many")
    assert works(rig)


def test_streams_beyond_the_most_are_told_and_come_in_when_others_leave(rig: Rig) -> None:
    host = host_with_few_streams(rig)
    rig.worker()
    with contextlib.ExitStack() as stack:
        for number in range(STREAMS - 1):
            guest = stack.enter_context(RawWorker(rig.address))
            guest.hello(f"guest{number}")
            assert guest.hear().HasField("welcome")
        for number in range(30):
            with RawWorker(rig.address) as stranger:
                stranger.hello(f"stranger{number}")
                goodbye = stranger.hear_end()
                assert isinstance(goodbye, pb.GoAway)
                assert goodbye.reason == pb.GO_AWAY_REASON_HOST_FULL
                assert goodbye.reconnect_after.seconds > 0
        assert works(rig)
        late = rig.process(
            "pyflow_activity",
            "activities_for_tests",
            "--host",
            rig.address,
            "--task-list",
            "tl",
            "--give-up-after",
            "0.1",
        )
        assert late.wait() == 1
        assert "HOST_FULL" in late.output
    rig.worker()
    assert works(rig)
    assert len([line for line in host.lines if "Streams are refused" in line]) <= 2


def test_one_connection_carries_only_so_many_streams(rig: Rig) -> None:
    rig.host()
    ended = threading.Event()

    def frames(number: int) -> Iterator[pb.WorkerFrame]:
        kind = pb.ActivityType(name="raw", version="1.0")
        hello = pb.Hello(contract_version=1, worker_key=f"w{number}", task_list="tl", activity_types=[kind])
        yield pb.WorkerFrame(hello=hello)
        ended.wait()

    with grpc.insecure_channel(rig.address) as channel:
        stub = host_grpc.ActivityHostServiceStub(channel)  # type: ignore[no-untyped-call]
        streams = [stub.Work(frames(number)) for number in range(STREAMS_OF_CONNECTION_MAX)]
        assert all(next(stream).HasField("welcome") for stream in streams)
        waiting = stub.DescribeHost.future(host_pb.DescribeHostRequest())
        with grpc.insecure_channel(rig.address, options=OPTIONS) as other:
            told = host_grpc.ActivityHostServiceStub(other).DescribeHost(host_pb.DescribeHostRequest())  # type: ignore[no-untyped-call]
        assert len(told.workers) == STREAMS_OF_CONNECTION_MAX
        assert not waiting.done(), "it waits for a stream of its connection to end"
        streams[0].cancel()
        assert len(waiting.result(timeout=DEADLINE_S).workers) == STREAMS_OF_CONNECTION_MAX - 1
        ended.set()


def test_waiting_room_has_a_most_of_calls_and_of_bytes() -> None:
    room = WaitingRoom(calls_max=3, bytes_max=100)
    with room.place_for(40):
        with room.place_for(60), pytest.raises(NoRoom, match="2 calls with 100 bytes"), room.place_for(1):
            pass
        with room.place_for(0), room.place_for(0), pytest.raises(NoRoom, match="3 calls"), room.place_for(0):
            pass
    with room.place_for(100):
        pass


class SlowSwf:
    """An SWF that takes every report, but not before it is told to."""

    def __init__(self) -> None:
        self.asked = threading.Semaphore(0)
        self.answers = threading.Event()

    def poll(self, list_key: ListKey) -> SwfTask | None:
        raise AssertionError("nobody is there to poll for")

    def call(self, call: Call, swf_token: str, members: dict[str, str]) -> SwfSaid:
        self.asked.release()
        assert self.answers.wait(DEADLINE_S)
        return SWF_OK

    def look_up(self, wanted: LookUpAttempt) -> AttemptFacts | None:
        raise AssertionError("no task was received")

    def register(self, list_key: ListKey, types: dict[TypeKey, TypeDefaults]) -> Registered:
        raise AssertionError("no worker is there")


async def calls_that_wait_for_swf(address: str, sealer: Sealer) -> None:
    loop, swf = asyncio.get_running_loop(), SlowSwf()
    core = HostCore(CoreOptions(host_id="h", domains=("d",)), sealer, draw=lambda: 0.5)
    engine = Engine(core, swf, loop)
    servicer = ActivityHostServicer(engine, TokenCheck(None), WaitingRoom(calls_max=3))
    server = HostServer(servicer, STREAMS)
    server.listen([address], tls=None, insecure=False)
    await server.start()
    try:
        async with grpc.aio.insecure_channel(address) as channel:
            stub = host_grpc.ActivityHostServiceStub(channel)  # type: ignore[no-untyped-call]
            waiting = [stub.CompleteTask(completed(sealer, number)) for number in range(3)]
            for _ in waiting:
                assert await loop.run_in_executor(None, swf.asked.acquire, True, DEADLINE_S)
            progress = pb.Progress(task_token=completed(sealer, 9).outcome.task_token)
            for more in (
                stub.CompleteTask(completed(sealer, 8), timeout=DEADLINE_S),
                stub.RecordTaskProgress(host_pb.RecordTaskProgressRequest(progress=progress), timeout=DEADLINE_S),
            ):
                with pytest.raises(grpc.aio.AioRpcError, match="3 calls with") as refused:
                    await more
                assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            swf.answers.set()
            for call in waiting:
                assert (await call).ack.status == pb.ACK_STATUS_REPORTED
            again = await stub.CompleteTask(completed(sealer, 8))  # a call begins as it is made: only now there is room
            assert again.ack.status == pb.ACK_STATUS_REPORTED
    finally:
        swf.answers.set()
        engine.close()
        await server.stop(0)


def completed(sealer: Sealer, number: int) -> host_pb.CompleteTaskRequest:
    """The request that completes a task which an earlier host has given out."""
    place, kind = ListKey("d", "tl"), TypeKey("a", "1")
    content = TokenContent(
        swf_token=f"swf-{number}", list_key=place, type=kind, worker_key="w", heartbeat_s=None, activity_id="activity1"
    )
    outcome = pb.Outcome(task_token=sealer.seal(content), completed=pb.Completed())
    return host_pb.CompleteTaskRequest(outcome=outcome)


def test_calls_that_wait_for_swf_are_not_taken_without_end() -> None:
    with tempfile.TemporaryDirectory(prefix="ah") as directory:
        asyncio.run(calls_that_wait_for_swf(f"unix:{directory}/h.sock", Sealer((b"k" * 32,))))


def test_files_are_made_room_for_and_workers_keep_the_limit_they_had(rig: Rig) -> None:
    program = "import resource; print('files', resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
    command = [sys.executable, "-c", program]
    table = f"[[worker]]\nname = 'w'\ncommand = {json.dumps(command)}\n"
    config = rig.path("host.toml")
    config.write_text(f"streams_max = 1000\n{table}")
    few = 'ulimit -S -n 800 && ulimit -H -n 4000 && exec "$@"'
    options = ("--domain", rig.domain, "--listen", rig.address, "--config", str(config))
    host = Process(["sh", "-c", few, "sh", sys.executable, "-m", "pyflow_host", *options], rig.env)
    try:
        _opens_as_many_files_as_it_needs(host)
    finally:
        host.kill()


def _opens_as_many_files_as_it_needs(host: Process) -> None:
    assert host.line_with("[w-1] files ").endswith(" 800")
    limits = Path(f"/proc/{host.pid}/limits").read_text()
    line = next(line for line in limits.splitlines() if line.startswith("Max open files"))
    assert int(line.split()[3]) == 1_000 + CONNECTIONS_SPARE + open_files.FILES_OF_THE_HOST
    assert "may open no more files" not in host.output
