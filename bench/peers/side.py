"""One side of a comparison: a process that replays histories when asked, and says what CPU that took.

Every side runs in its own process with its own packages; this file needs the standard library only. A side reads lines
`{"steps": N, "budget_s": S, "warm_up": true}` and answers each with `{"cpu_s": median CPU seconds of one replay,
"replays": count, "events": events of the history}`.
"""

from __future__ import annotations

import datetime
import gc
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

REPLAYS_MAX = 400
FIRST_S = 1_700_000_000.0
EVENT_EVERY_S = 0.25
TEXT = "x" * 40

Replay = Callable[[], Any]
"""Replays once and gives the result of the workflow, which is the proof that the work was done."""


def expected(steps: int) -> int:
    """What the workflow returns: the sum of what its steps returned."""
    return sum(range(steps))


def payload(number: int) -> dict[str, Any]:
    """What step `number` returned."""
    return {"ok": True, "n": number, "text": TEXT}


def cpu_of(replay: Replay, steps: int) -> float:
    """CPU seconds of one replay, of all threads of this process. AssertionError when its result is not the sum."""
    begun = time.process_time()
    result = replay()
    spent = time.process_time() - begun
    assert result == expected(steps), f"the replay gave {result!r} instead of {expected(steps)}"
    return spent


def serve(new_side: Callable[[], Callable[[int], tuple[Replay, int]]]) -> None:
    """Answer requests until the input ends. A side gives a replay of so many steps, and the number of its events."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # native code that logs there would mix with the answers
    prepare = new_side()
    steps, replay, events = -1, None, 0
    for line in sys.stdin:
        asked = json.loads(line)
        if asked["steps"] != steps:
            replay = None
            gc.unfreeze()
            steps = asked["steps"]
            replay, events = prepare(steps)
            gc.collect()
            gc.freeze()  # the history itself is no garbage of any side
            if asked["warm_up"]:
                cpu_of(replay, steps)
        assert replay is not None
        spent = [cpu_of(replay, steps)]
        while sum(spent) < asked["budget_s"] and len(spent) < REPLAYS_MAX:
            spent.append(cpu_of(replay, steps))
        answer = {"cpu_s": statistics.median(spent), "replays": len(spent), "events": events}
        print(json.dumps(answer), file=answers, flush=True)


class SwfHistory:
    """A history of sequential steps as SWF writes it: six events a step, and the decision task after the last one."""

    def __init__(self, kind: str, started: dict[str, Any], *, datetimes: bool, context: str | None = None) -> None:
        self.events: list[dict[str, Any]] = []
        self._kind = kind
        self._datetimes = datetimes
        self._context = {} if context is None else {"executionContext": context}
        self._now_s = FIRST_S
        common = {
            "childPolicy": "TERMINATE",
            "taskList": {"name": "t"},
            "workflowType": {"name": "Sequence", "version": "1.0"},
            "executionStartToCloseTimeout": "3600",
            "taskStartToCloseTimeout": "600",
            "parentInitiatedEventId": 0,
        }
        self.add("WorkflowExecutionStarted", {**common, **started})
        self.previous_started_event_id = 0
        self.started_event_id = self._decision_task()

    def add(self, event_type: str, attributes: dict[str, Any]) -> int:
        """Append an event; its id."""
        self._now_s += EVENT_EVERY_S
        when: Any = self._now_s
        if self._datetimes:
            when = datetime.datetime.fromtimestamp(when, datetime.timezone.utc)
        key = event_type[0].lower() + event_type[1:] + "EventAttributes"
        event_id = len(self.events) + 1
        self.events.append({"eventTimestamp": when, "eventType": event_type, "eventId": event_id, key: attributes})
        return event_id

    def _decision_task(self) -> int:
        scheduled = self.add("DecisionTaskScheduled", {"taskList": {"name": "t"}, "startToCloseTimeout": "600"})
        return self.add("DecisionTaskStarted", {"scheduledEventId": scheduled, "identity": "bench"})

    def step(self, scheduled: dict[str, Any], result: str) -> None:
        """The decision to do a step, its start and its result, and the decision task after it."""
        answered = {"scheduledEventId": self.started_event_id - 1, "startedEventId": self.started_event_id}
        completed = self.add("DecisionTaskCompleted", {**answered, **self._context})
        opened = self.add(f"{self._kind}Scheduled", {**scheduled, "decisionTaskCompletedEventId": completed})
        begun = self.add(f"{self._kind}Started", {"scheduledEventId": opened, "identity": "bench"})
        ended = {"scheduledEventId": opened, "startedEventId": begun, "result": result}
        self.add(f"{self._kind}Completed", ended)
        self.previous_started_event_id, self.started_event_id = self.started_event_id, self._decision_task()

    def task(self) -> dict[str, Any]:
        """The answer of PollForDecisionTask with the whole history in one page."""
        return {
            "taskToken": "token",
            "startedEventId": self.started_event_id,
            "previousStartedEventId": self.previous_started_event_id,
            "workflowExecution": {"workflowId": "w", "runId": "r"},
            "workflowType": {"name": "Sequence", "version": "1.0"},
            "events": self.events,
        }


def activity(activity_id: str, name: str, given: str) -> dict[str, Any]:
    """Attributes of ActivityTaskScheduled."""
    return {
        "activityId": activity_id,
        "activityType": {"name": name, "version": "1.0"},
        "input": given,
        "taskList": {"name": "t"},
        "scheduleToStartTimeout": "NONE",
        "scheduleToCloseTimeout": "NONE",
        "startToCloseTimeout": "300",
        "heartbeatTimeout": "NONE",
    }


def numbers(steps: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """The steps and what they returned."""
    for number in range(steps):
        yield number, payload(number)
