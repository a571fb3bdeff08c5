"""The SWF side of host cases: activity tasks, polls, heartbeats and ends, driven by a case, with a clock of its own.

It knows the operations a host uses and no workflows: tasks come from the case. Time stands still unless the case moves
it (`advance`): long polls then return empty after 60 s, and tasks end by their timeouts.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

POLL_S = 60.0
REGISTRATIONS = {
    "RegisterDomain": "DomainAlreadyExistsFault",
    "RegisterActivityType": "TypeAlreadyExistsFault",
}
ENDS = {
    "RespondActivityTaskCompleted": "completed",
    "RespondActivityTaskFailed": "failed",
    "RespondActivityTaskCanceled": "canceled",
}
THROTTLED = "ThrottlingException"


class Refused(Exception):
    """An answer with an error: type and message."""

    def __init__(self, kind: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.status = status


@dataclass(slots=True, eq=False)
class SwfTask:
    """An activity task. `ended`: how, with the members of the call, once it has."""

    id: str
    activity: str
    version: str
    input: str | None
    start_to_close_s: float | None
    heartbeat_s: float | None
    token: str
    started_at: float | None = None
    beat_at: float = 0.0
    ended: str = ""
    """completed, failed, canceled, timed_out, closed; empty: open."""
    members: dict[str, Any] = field(default_factory=dict)
    heartbeats: list[str | None] = field(default_factory=list)
    responds: int = 0
    """Calls that wanted to end it, those refused included."""
    cancel_requested: bool = False


@dataclass(slots=True, eq=False)
class _Poll:
    task_list: str
    opened_at: float
    answer: asyncio.Future[dict[str, Any]]


@dataclass(slots=True)
class Fault:
    """What goes wrong with the next `times` calls of an operation: see the step SwfFault."""

    operation: str
    times: int
    how: str


class ScriptedSwf:
    """All state of the scripted side. `call` is what the HTTP server asks."""

    def __init__(self, task_list: str) -> None:
        self._task_list = task_list
        self.now = 0.0
        self.tasks: dict[str, SwfTask] = {}
        self.registered: dict[str, dict[str, Any]] = {}
        self.faults: list[Fault] = []
        self.polls_total = 0
        self.polls_aborted = 0
        self._polls: list[_Poll] = []
        self._queue: list[SwfTask] = []
        self._numbers = 0
        self.changed = asyncio.Event()

    @property
    def polls_open(self) -> int:
        """Long polls that wait."""
        return len(self._polls)

    def schedule(
        self, id: str, activity: str, version: str, input: str | None, start_to_close_s: float | None,
        heartbeat_s: float | None,
    ) -> None:  # fmt: skip
        """A task for the next poll."""
        self._numbers += 1
        task = SwfTask(
            id=id, activity=activity, version=version, input=input, start_to_close_s=start_to_close_s,
            heartbeat_s=heartbeat_s, token=f"swf-token-{self._numbers}-{id}",
        )  # fmt: skip
        self.tasks[id] = task
        if self._polls:
            self._hand_out(self._polls.pop(0), task)
        else:
            self._queue.append(task)

    def advance(self, seconds: float) -> None:
        """Move the clock."""
        self.now += seconds
        for poll in [poll for poll in self._polls if self.now - poll.opened_at >= POLL_S]:
            self._polls.remove(poll)
            if not poll.answer.done():
                poll.answer.set_result({"startedEventId": 0, "previousStartedEventId": 0})
        for task in self.tasks.values():
            if task.started_at is None or task.ended:
                continue
            late = task.start_to_close_s is not None and self.now - task.started_at >= task.start_to_close_s
            still = task.heartbeat_s is not None and self.now - task.beat_at >= task.heartbeat_s
            if late or still:
                task.ended = "timed_out"
        self.changed.set()

    async def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """The answer of an operation. Raises Refused, and ConnectionError for "cut without an answer"."""
        fault = self._fault(operation)
        if fault == "throttled":
            raise Refused(THROTTLED, "Rate exceeded")
        if fault == "unavailable":
            raise Refused("InternalFailure", "as the case says", 500)
        if fault == "cut_before":
            raise ConnectionError
        answer = await self._answer(operation, request)
        self.changed.set()
        if fault == "cut_after":
            raise ConnectionError
        return answer

    async def _answer(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        if operation == "PollForActivityTask":
            return await self._poll(request)
        if operation in ENDS:
            return self._end(ENDS[operation], request)
        if operation == "RecordActivityTaskHeartbeat":
            task = self._open(request["taskToken"])
            task.heartbeats.append(request.get("details"))
            task.beat_at = self.now
            return {"cancelRequested": task.cancel_requested}
        if operation in REGISTRATIONS:
            return self._register(operation, request)
        if operation == "DescribeActivityType":
            return self._describe(request)
        if operation == "GetWorkflowExecutionHistory":
            return {"events": []}
        raise Refused("UnknownOperationException", f"{operation} is not scripted")

    async def _poll(self, request: dict[str, Any]) -> dict[str, Any]:
        if request["taskList"]["name"] != self._task_list:
            raise Refused("UnknownResourceFault", f"Unknown task list {request['taskList']['name']}")
        self.polls_total += 1
        poll = _Poll(self._task_list, self.now, asyncio.get_running_loop().create_future())
        if self._queue:
            self._hand_out(poll, self._queue.pop(0))
        else:
            self._polls.append(poll)
            self.changed.set()
        try:
            return await poll.answer
        except asyncio.CancelledError:
            self.polls_aborted += 1
            raise
        finally:
            if poll in self._polls:
                self._polls.remove(poll)

    def _hand_out(self, poll: _Poll, task: SwfTask) -> None:
        task.started_at = task.beat_at = self.now
        answer: dict[str, Any] = {
            "taskToken": task.token,
            "activityId": task.id,
            "startedEventId": 6,
            "workflowExecution": {"workflowId": f"workflow-{task.id}", "runId": f"run-{task.id}"},
            "activityType": {"name": task.activity, "version": task.version},
        }
        if task.input is not None:
            answer["input"] = task.input
        poll.answer.set_result(answer)

    def _end(self, how: str, request: dict[str, Any]) -> dict[str, Any]:
        for task in self.tasks.values():
            task.responds += task.token == request["taskToken"]
        task = self._open(request["taskToken"])
        task.ended = how
        task.members = {name: value for name, value in request.items() if name != "taskToken"}
        return {}

    def _open(self, token: str) -> SwfTask:
        for task in self.tasks.values():
            if task.token == token and not task.ended:
                return task
        raise Refused("UnknownResourceFault", "Unknown activity, scheduledEventId = 5")

    def _register(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        key = f"{operation} {request['name']} {request.get('version', '')}"
        if key in self.registered:
            raise Refused(REGISTRATIONS[operation], f"{request['name']} exists")
        self.registered[key] = request
        return {}

    def _describe(self, request: dict[str, Any]) -> dict[str, Any]:
        kind = request["activityType"]
        found = self.registered.get(f"RegisterActivityType {kind['name']} {kind['version']}")
        if found is None:
            raise Refused("UnknownResourceFault", f"Unknown type {kind['name']}")
        defaults = {name: value for name, value in found.items() if name.startswith("default")}
        return {
            "typeInfo": {"activityType": kind, "status": "REGISTERED", "creationDate": 0.0},
            "configuration": defaults,
        }

    def _fault(self, operation: str) -> str:
        for fault in self.faults:
            if fault.operation == operation and fault.times > 0:
                fault.times -= 1
                return fault.how
        return ""
