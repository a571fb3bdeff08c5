"""Fills a data file with closed and open executions, in process: what a server has after months of use."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from typing import Any

from lean_client import DOMAIN
from pyflow_local.service import Incoming, Service
from pyflow_local.store.store import Store

_BATCH = 200
_START_MS = 1_600_000_000_000
_TYPES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("RegisterDomain", {"name": DOMAIN, "workflowExecutionRetentionPeriodInDays": "90"}),
    (
        "RegisterWorkflowType",
        {
            "domain": DOMAIN,
            "name": "w",
            "version": "1",
            "defaultTaskList": {"name": "tl"},
            "defaultExecutionStartToCloseTimeout": "31536000",
            "defaultTaskStartToCloseTimeout": "60",
            "defaultChildPolicy": "TERMINATE",
        },
    ),
    (
        "RegisterActivityType",
        {
            "domain": DOMAIN,
            "name": "a",
            "version": "1",
            "defaultTaskList": {"name": "al"},
            "defaultTaskScheduleToStartTimeout": "600",
            "defaultTaskScheduleToCloseTimeout": "600",
            "defaultTaskStartToCloseTimeout": "60",
            "defaultTaskHeartbeatTimeout": "NONE",
        },
    ),
)
_SCHEDULE = {
    "decisionType": "ScheduleActivityTask",
    "scheduleActivityTaskDecisionAttributes": {
        "activityType": {"name": "a", "version": "1"},
        "activityId": "1",
        "input": "x" * 100,
    },
}
_COMPLETE = {"decisionType": "CompleteWorkflowExecution"}
_WAIT = {
    "decisionType": "StartTimer",
    "startTimerDecisionAttributes": {"timerId": "t", "startToFireTimeout": "30000000"},
}


class Filler:
    """Calls a service in batches, without sockets."""

    def __init__(self, path: str, now_ms: int = _START_MS) -> None:
        self.now_ms = now_ms
        self.store = Store(path)
        self.service = Service(self.store, now_ms)
        self._ident = 0

    def calls(self, operation: str, bodies: Iterator[dict[str, Any]] | list[dict[str, Any]]) -> deque[Any]:
        """The decoded answers, in no particular order for polls."""
        answers: deque[Any] = deque()
        batch: list[Incoming] = []
        for body in bodies:
            self._ident += 1
            batch.append(Incoming(self._ident, operation, json.dumps(body).encode()))
            if len(batch) == _BATCH:
                answers += self._step(batch)
                batch = []
        answers += self._step(batch)
        return answers

    def _step(self, batch: list[Incoming]) -> list[Any]:
        self.now_ms += 1
        found = []
        for _, status, body in self.service.step(batch, self.now_ms).answers:
            if status != 200 and b"AlreadyExists" not in body:
                raise RuntimeError(body)
            found.append(json.loads(body) if body else {})
        return found

    def fill(self, prefix: str, count: int, *, close: bool) -> None:
        """One-activity executions; open ones end in waiting for a far timer."""
        for operation, body in _TYPES:
            self.calls(operation, [body])
        for start in range(0, count, _BATCH):
            self._some(prefix, start, min(_BATCH, count - start), _COMPLETE if close else _WAIT)

    def _some(self, prefix: str, start: int, count: int, last: dict[str, Any]) -> None:
        kind = {"name": "w", "version": "1"}
        starts = ({"domain": DOMAIN, "workflowId": f"{prefix}{start + n}", "workflowType": kind} for n in range(count))
        self.calls("StartWorkflowExecution", starts)
        self._decide(count, _SCHEDULE)
        poll = {"domain": DOMAIN, "taskList": {"name": "al"}, "identity": "filler"}
        tasks = self.calls("PollForActivityTask", [poll] * count)
        done = ({"taskToken": task["taskToken"], "result": "r" * 100} for task in tasks)
        self.calls("RespondActivityTaskCompleted", done)
        self._decide(count, last)

    def _decide(self, count: int, decision: dict[str, Any]) -> None:
        poll = {"domain": DOMAIN, "taskList": {"name": "tl"}, "identity": "filler"}
        tasks = self.calls("PollForDecisionTask", [poll] * count)
        answers = ({"taskToken": task["taskToken"], "decisions": [decision]} for task in tasks)
        self.calls("RespondDecisionTaskCompleted", answers)

    def close(self) -> None:
        """Close the file."""
        self.service.close()
