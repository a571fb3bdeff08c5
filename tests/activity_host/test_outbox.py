"""What waits for one stream: what goes together in a frame, and when it goes."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pyflow_host.outbox
import pytest
import uvloop
from pyflow_api.v1 import worker_pb2 as pb
from pyflow_host.outbox import FRAME_ITEMS_MAX, Outbox

DEADLINE_S = 30.0
ACK = pb.OutcomeAck(task_token=b"a", status=pb.ACK_STATUS_REPORTED)
TASK = pb.Task(task_token=b"t")


def run(test: Coroutine[Any, Any, None]) -> None:
    uvloop.run(test)


async def still_waits(task: asyncio.Task[Any]) -> bool:
    """Whether a task has nothing to go on with, after everything that was ready to run has run."""
    return not (await asyncio.wait((task,), timeout=0))[0]


def test_an_ack_goes_with_what_comes_next() -> None:
    async def test() -> None:
        outbox = Outbox()
        taken = asyncio.create_task(outbox.take())
        outbox.put(ACK)
        assert await still_waits(taken)
        outbox.put(TASK)
        assert await asyncio.wait_for(taken, DEADLINE_S) == pb.HostFrame(acks=[ACK], tasks=[TASK])

    run(test())


def test_an_ack_goes_alone_when_nothing_comes() -> None:
    async def test() -> None:
        outbox = Outbox()
        for acks in ([ACK, ACK], [ACK]):
            taken = asyncio.create_task(outbox.take())
            assert await still_waits(taken)
            for ack in acks:
                outbox.put(ack)
            assert await asyncio.wait_for(taken, DEADLINE_S) == pb.HostFrame(acks=acks)

    run(test())


def test_an_ack_waits_for_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pyflow_host.outbox, "ACK_WAITS_S", 1e6)

    async def test() -> None:
        outbox = Outbox()
        outbox.put(TASK)
        assert await outbox.take() == pb.HostFrame(tasks=[TASK])
        taken = asyncio.create_task(outbox.take())
        assert await still_waits(taken)
        outbox.put(ACK)
        assert await still_waits(taken)
        outbox.end()  # what is in is sent all the same
        assert await asyncio.wait_for(taken, DEADLINE_S) == pb.HostFrame(acks=[ACK])
        assert await outbox.take() is None

    run(test())


def test_what_comes_after_the_end_is_dropped() -> None:
    async def test() -> None:
        outbox = Outbox()
        outbox.end()
        outbox.put(TASK)
        assert await outbox.take() is None

    run(test())


def test_frames_are_cut_by_items_and_after_a_goodbye() -> None:
    async def test() -> None:
        outbox = Outbox()
        for _ in range(FRAME_ITEMS_MAX + 1):
            outbox.put(TASK)
        goodbye = pb.GoAway(reason=pb.GO_AWAY_REASON_HOST_DRAINING)
        outbox.put(goodbye)
        frames = [await asyncio.wait_for(outbox.take(), DEADLINE_S) for _ in range(3)]
        assert [len(frame.tasks) for frame in frames if frame] == [FRAME_ITEMS_MAX, 1, 0]
        assert frames[2] == pb.HostFrame(go_away=goodbye)

    run(test())


def test_who_reads_too_slowly_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pyflow_host.outbox, "PENDING_BYTES_MAX", 100)

    async def test() -> None:
        outbox = Outbox()
        outbox.put(pb.Task(task_token=b"x" * 200))
        waiting = asyncio.create_task(outbox.emptied())
        assert await still_waits(waiting)
        await asyncio.wait_for(outbox.take(), DEADLINE_S)
        await asyncio.wait_for(waiting, DEADLINE_S)

    run(test())
