"""Calls to SWF that the event loop makes itself: every way they can end, and that no thread is kept by a poll."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import uvloop
from pyflow.swf import connect
from pyflow.swf.lean import LeanTransport
from pyflow_host import loop_calls, swf_calls
from pyflow_host.core.effects import Call, CallSwf, Effect, Level, Log
from pyflow_host.core.host_core import HostCore
from pyflow_host.core.values import ListKey, Said, SwfSaid, SwfTask
from pyflow_host.loop_calls import LoopCalls
from pyflow_host.swf_side import ConnectedSwf
from scripted_swf import Answer, Request, ScriptedSwf, fault

DEADLINE_S = 30.0
LIST = ListKey("d", "t")
TASK = {
    "taskToken": "token",
    "activityId": "activity1",
    "startedEventId": 6,
    "workflowExecution": {"workflowId": "w", "runId": "r"},
    "activityType": {"name": "n", "version": "1"},
    "input": '"ü"',
}


class Told(HostCore):
    """What a core would have been told."""

    def __init__(self) -> None:
        self.heard: list[SwfTask | SwfSaid | str | None] = []
        self.more = asyncio.Event()

    def poll_answered(self, list_key: ListKey, task: SwfTask | None, now: float) -> list[Effect]:
        return self._hear(task)

    def poll_failed(self, list_key: ListKey, now: float) -> list[Effect]:
        return self._hear("poll failed")

    def swf_answered(self, call: Call, swf_token: str, said: SwfSaid, now: float) -> list[Effect]:
        assert swf_token == "token"
        return self._hear(said)

    async def next(self) -> SwfTask | SwfSaid | str | None:
        """The next thing told."""
        while not self.heard:
            self.more.clear()
            await asyncio.wait_for(self.more.wait(), DEADLINE_S)
        return self.heard.pop(0)

    def _hear(self, what: SwfTask | SwfSaid | str | None) -> list[Effect]:
        self.heard.append(what)
        self.more.set()
        return [Log(Level.DEBUG, "told")]


class Desk:
    """LoopCalls between a scripted SWF and `told`; effects must be applied on the loop's thread."""

    def __init__(self, scripted: ScriptedSwf) -> None:
        self.loop = asyncio.get_running_loop()
        self.told = Told()
        connection = connect(endpoint_url=scripted.url, transport="lean")
        transport = connection.api.transport
        assert isinstance(transport, LeanTransport)
        self.connection = connection
        self.calls = LoopCalls(
            ConnectedSwf(connection, identity="i"), transport, self.told, self.loop, self._later, self._apply
        )

    def report(self, result: str = "1", call: Call = Call.COMPLETED) -> None:
        """Begin a report."""
        self.calls.call(CallSwf(call, "token", {} if call is Call.HEARTBEAT else {"result": result}))

    async def warm(self, scripted: ScriptedSwf) -> None:
        """Have a connection, so that what follows is begun by the loop."""
        scripted.answers(Answer({}))
        self.report()
        await self.told.next()
        scripted.requests.clear()

    def close(self) -> None:
        """Let go."""
        self.calls.close()
        self.connection.close()

    def _later(self, tidings: Callable[[], list[Effect]]) -> None:
        self.loop.call_soon_threadsafe(lambda: self._apply(tidings()))

    def _apply(self, effects: list[Effect]) -> None:
        assert threading.current_thread() is threading.main_thread()


@pytest.fixture
def scripted() -> Iterator[ScriptedSwf]:
    server = ScriptedSwf()
    yield server
    server.close()


def on_loop(scripted: ScriptedSwf, main: Callable[[Desk], Any]) -> None:
    """Run `main` with a desk on the host's kind of event loop."""

    async def run() -> None:
        desk = Desk(scripted)
        try:
            await main(desk)
        finally:
            desk.close()

    uvloop.run(run())


def test_a_task_and_none(scripted: ScriptedSwf) -> None:
    async def main(desk: Desk) -> None:
        for _ in range(3):  # a thread begins the first, the loop the others
            scripted.answers(Answer(TASK), Answer({"startedEventId": 0}))
            desk.calls.poll(LIST)
            task = await desk.told.next()
            assert isinstance(task, SwfTask)
            assert (task.swf_token, task.run_id, task.input, task.started_event_id) == ("token", "r", '"ü"', 6)
            desk.calls.poll(LIST)
            assert await desk.told.next() is None
        assert scripted.connections == 1
        assert scripted.requests[-1].body == {"domain": "d", "taskList": {"name": "t"}, "identity": "i"}

    on_loop(scripted, main)


def test_polls_under_way_keep_no_thread(scripted: ScriptedSwf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(swf_calls, "POLL_THREADS_MAX", 2)
    release = threading.Event()
    all_there = threading.Event()

    def hold(request: Request) -> Answer:
        if len(scripted.requests) == 20:
            all_there.set()
        release.wait(DEADLINE_S)
        return Answer(TASK)

    async def main(desk: Desk) -> None:
        scripted.script = hold
        for _ in range(20):
            desk.calls.poll(LIST)
        assert await desk.loop.run_in_executor(None, all_there.wait, DEADLINE_S)
        release.set()
        for _ in range(20):
            assert isinstance(await desk.told.next(), SwfTask)

    on_loop(scripted, main)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(reset=True),
        Answer(TASK, cut_after=5),
        Answer(b"not JSON"),
        fault("ThrottlingException", "Rate exceeded"),
        fault("UnknownResourceFault", "Unknown domain: d"),
        Answer({"taskToken": "without the rest"}),
    ],
)
def test_a_poll_that_fails_is_told_and_sent_once(scripted: ScriptedSwf, answer: Answer) -> None:
    async def main(desk: Desk) -> None:
        await desk.warm(scripted)
        scripted.answers(answer)
        desk.calls.poll(LIST)
        assert await desk.told.next() == "poll failed"
        assert scripted.operations() == ["PollForActivityTask"]
        scripted.answers(Answer(TASK))
        desk.calls.poll(LIST)
        assert isinstance(await desk.told.next(), SwfTask)

    on_loop(scripted, main)


def test_nobody_listens(scripted: ScriptedSwf) -> None:
    async def main(desk: Desk) -> None:
        await desk.warm(scripted)
        await desk.loop.run_in_executor(None, scripted.close)
        desk.connection.close()
        desk.calls.poll(LIST)
        assert await desk.told.next() == "poll failed"

    on_loop(scripted, main)


def test_an_answer_that_does_not_come_is_not_waited_for_for_ever(
    scripted: ScriptedSwf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop_calls, "POLL_READ_TIMEOUT_S", 0.2)
    release = threading.Event()

    async def main(desk: Desk) -> None:
        await desk.warm(scripted)

        def never(request: Request) -> Answer:
            release.wait(DEADLINE_S)
            return Answer(TASK)

        scripted.script = never
        desk.calls.poll(LIST)
        assert await desk.told.next() == "poll failed"
        assert scripted.operations() == ["PollForActivityTask"]
        release.set()
        await desk.loop.run_in_executor(None, scripted.wait_until_all_closed)

    on_loop(scripted, main)


@pytest.mark.parametrize(
    ("answers", "said", "requests"),
    [
        ([Answer({})], Said.OK, 1),
        ([fault("ThrottlingException", "Rate exceeded"), Answer({})], Said.OK, 2),
        ([Answer(reset=True), Answer({})], Said.OK, 2),
        ([fault("UnknownResourceFault", "Unknown activity")], Said.GONE, 1),
        ([Answer(reset=True), fault("UnknownResourceFault", "Unknown activity")], Said.PROBABLY_DONE, 2),
        ([fault("ValidationException", "too long")], Said.INVALID, 1),
        ([fault("AccessDeniedException", "no")], Said.LATER, 1),
    ],
)
def test_reports(scripted: ScriptedSwf, answers: list[Answer], said: Said, requests: int) -> None:
    async def main(desk: Desk) -> None:
        await desk.warm(scripted)
        scripted.answers(*answers)
        desk.report("[2]")
        answer = await desk.told.next()
        assert isinstance(answer, SwfSaid)
        assert answer.said is said
        assert [request.body for request in scripted.requests] == [{"taskToken": "token", "result": "[2]"}] * requests

    on_loop(scripted, main)


def test_a_heartbeat_that_brings_a_cancel(scripted: ScriptedSwf) -> None:
    async def main(desk: Desk) -> None:
        await desk.warm(scripted)
        scripted.answers(Answer({"cancelRequested": True}))
        desk.report(call=Call.HEARTBEAT)
        answer = await desk.told.next()
        assert isinstance(answer, SwfSaid)
        assert answer.cancel_requested

    on_loop(scripted, main)


def test_a_large_result_goes_by_thread(scripted: ScriptedSwf) -> None:
    async def main(desk: Desk) -> None:
        await desk.warm(scripted)
        result = "x" * 30_000
        desk.report(result)
        answer = await desk.told.next()
        assert isinstance(answer, SwfSaid)
        assert answer.said is Said.OK
        assert scripted.requests[0].body["result"] == result

    on_loop(scripted, main)


def test_calls_under_way_at_the_end_are_let_go(scripted: ScriptedSwf, caplog: pytest.LogCaptureFixture) -> None:
    release = threading.Event()

    def hold(request: Request) -> Answer:
        release.wait(DEADLINE_S)
        return Answer({})

    async def main(desk: Desk) -> None:
        await desk.warm(scripted)
        scripted.script = hold
        desk.report()
        desk.close()
        release.set()
        await desk.loop.run_in_executor(None, scripted.wait_until_all_closed)

    with caplog.at_level(logging.WARNING):
        on_loop(scripted, main)
    assert caplog.records == []
