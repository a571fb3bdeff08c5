"""Temporal's Python SDK: its Replayer, sandboxed as it comes or not: `side_temporal.py sandbox|plain`."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

from side import FIRST_S, Replay, expected, numbers, serve
from temporalio import workflow
from temporalio.api.common.v1 import ActivityType, Payload, Payloads, WorkflowType
from temporalio.api.enums.v1 import EventType, TaskQueueKind
from temporalio.api.history.v1 import History, HistoryEvent
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner


@workflow.defn(name="Sequence")
class Sequence:
    """N activities, one after another. Fails when their sum is another than the one it was told to expect."""

    @workflow.run
    async def run(self, steps: int, wanted: int) -> int:
        total = 0
        for number in range(steps):
            result = await workflow.execute_activity("work", number, start_to_close_timeout=timedelta(seconds=300))
            total += result["n"]
        if total != wanted:
            raise ValueError(f"{total} instead of {wanted}")
        return total


def payloads(*values: Any) -> Payloads:
    """JSON, as the SDK's converter writes it."""
    return Payloads(
        payloads=[Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(value).encode()) for value in values]
    )


class TemporalHistory:
    """The same history in Temporal's events."""

    def __init__(self) -> None:
        self.history = History()
        self._now_s = FIRST_S

    def add(self, kind: str) -> HistoryEvent:
        """Append an event."""
        self._now_s += 0.25
        event = self.history.events.add()
        event.event_id = len(self.history.events)
        event.event_type = EventType.Value(f"EVENT_TYPE_{kind}")
        event.event_time.FromNanoseconds(int(self._now_s * 1e9))
        return event

    def task(self) -> int:
        """A workflow task that is answered; the id of its completion."""
        scheduled = self.add("WORKFLOW_TASK_SCHEDULED")
        scheduled.workflow_task_scheduled_event_attributes.task_queue.name = "t"
        scheduled.workflow_task_scheduled_event_attributes.attempt = 1
        started = self.add("WORKFLOW_TASK_STARTED")
        started.workflow_task_started_event_attributes.scheduled_event_id = scheduled.event_id
        completed = self.add("WORKFLOW_TASK_COMPLETED")
        completed.workflow_task_completed_event_attributes.scheduled_event_id = scheduled.event_id
        completed.workflow_task_completed_event_attributes.started_event_id = started.event_id
        return int(completed.event_id)

    def step(self, number: int, result: Any) -> None:
        """An activity from the workflow task that asked for it to its result."""
        asked = self.task()
        scheduled = self.add("ACTIVITY_TASK_SCHEDULED")
        wanted = scheduled.activity_task_scheduled_event_attributes
        wanted.activity_id = str(number + 1)
        wanted.activity_type.CopyFrom(ActivityType(name="work"))
        wanted.task_queue.name, wanted.task_queue.kind = "t", TaskQueueKind.TASK_QUEUE_KIND_NORMAL
        wanted.input.CopyFrom(payloads(number))
        wanted.start_to_close_timeout.FromSeconds(300)
        wanted.workflow_task_completed_event_id = asked
        started = self.add("ACTIVITY_TASK_STARTED")
        started.activity_task_started_event_attributes.scheduled_event_id = scheduled.event_id
        started.activity_task_started_event_attributes.attempt = 1
        completed = self.add("ACTIVITY_TASK_COMPLETED").activity_task_completed_event_attributes
        completed.scheduled_event_id, completed.started_event_id = scheduled.event_id, started.event_id
        completed.result.CopyFrom(payloads(result))


def history_of(steps: int, wanted: int) -> list[HistoryEvent]:
    """A whole execution, closed: the replayer fails when the workflow does not complete where the history says so."""
    made = TemporalHistory()
    started = made.add("WORKFLOW_EXECUTION_STARTED").workflow_execution_started_event_attributes
    started.workflow_type.CopyFrom(WorkflowType(name="Sequence"))
    started.task_queue.name = "t"
    started.input.CopyFrom(payloads(steps, wanted))
    started.original_execution_run_id = started.first_execution_run_id = "r"
    started.workflow_task_timeout.FromSeconds(10)
    started.attempt = 1
    for number, result in numbers(steps):
        made.step(number, result)
    closed = made.task()
    ended = made.add("WORKFLOW_EXECUTION_COMPLETED").workflow_execution_completed_event_attributes
    ended.workflow_task_completed_event_id = closed
    ended.result.CopyFrom(payloads(wanted))
    return list(made.history.events)


class Side:
    """One replayer that is kept, and an event loop that runs only while something is replayed."""

    def __init__(self, runner: dict[str, Any]) -> None:
        self._loop = asyncio.new_event_loop()
        self._histories: asyncio.Queue[WorkflowHistory] = asyncio.Queue()
        self._results = self._loop.run_until_complete(self._start(Replayer(workflows=[Sequence], **runner)))
        wrong = self.failure(history_of(3, expected(3) + 1))
        assert wrong is not None, "a replay that ends in another way than its history must fail"

    async def _start(self, replayer: Replayer) -> Any:
        async def histories() -> AsyncIterator[WorkflowHistory]:
            while True:
                yield await self._histories.get()

        self._scope = replayer.workflow_replay_iterator(histories())
        return await self._scope.__aenter__()

    def failure(self, events: list[HistoryEvent]) -> BaseException | None:
        """Replay; None when the workflow completed as its history says."""

        async def replay() -> BaseException | None:
            await self._histories.put(WorkflowHistory("w", events))
            failure: BaseException | None = (await self._results.__anext__()).replay_failure
            return failure

        return self._loop.run_until_complete(asyncio.wait_for(replay(), 120))

    def prepare(self, steps: int) -> tuple[Replay, int]:
        """See `serve`."""
        events = history_of(steps, expected(steps))

        def replay() -> int:
            failure = self.failure(events)
            assert failure is None, failure
            return expected(steps)

        return replay, len(events)


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    serve(lambda: Side({} if sys.argv[1] == "sandbox" else {"workflow_runner": UnsandboxedWorkflowRunner()}).prepare)
