"""The state of the service: domains, types, executions and what is open inside them."""

from __future__ import annotations

from sys import intern

from pyflow_local.engine.agenda import Entry
from pyflow_local.engine.records import EventsAppended

UNLIMITED_TIMEOUT = "NONE"


class RegisteredType:
    """A workflow or activity type; `defaults` holds only the default members that were given."""

    __slots__ = ("created_ms", "defaults", "deprecated_ms", "description", "name", "version")

    def __init__(
        self, name: str, version: str, description: str | None, created_ms: int, defaults: dict[str, object]
    ) -> None:
        self.name = name
        self.version = version
        self.description = description
        self.created_ms = created_ms
        self.deprecated_ms: int | None = None
        self.defaults = defaults


class Domain:
    """A domain with its types and its open executions, in order of their start."""

    __slots__ = ("deprecated", "description", "name", "number", "open", "retention", "tags", "types")

    def __init__(self, number: int, name: str, description: str | None, retention: str) -> None:
        self.number = number
        self.name = name
        self.description = description
        self.retention = retention
        self.deprecated = False
        self.tags: dict[str, str] = {}
        self.types: dict[str, dict[tuple[str, str], RegisteredType]] = {"WorkflowType": {}, "ActivityType": {}}
        self.open: dict[str, Execution] = {}


class DecisionTask:
    """A decision task that is queued (started_id 0) or started."""

    __slots__ = ("entry", "execution", "list_name", "schedule_to_start", "scheduled_id", "started_id")

    def __init__(self, execution: Execution, scheduled_id: int, list_name: str, schedule_to_start: str) -> None:
        self.execution = execution
        self.scheduled_id = scheduled_id
        self.list_name = list_name
        self.schedule_to_start = schedule_to_start
        self.started_id = 0
        self.entry: Entry | None = None


class ActivityTask:
    """An open activity. Timeouts are milliseconds, None where the setting is NONE."""

    __slots__ = (
        "activity_id",
        "activity_type",
        "cancel_requested_id",
        "entry",
        "execution",
        "heartbeat_details",
        "heartbeat_ms",
        "heartbeat_timeout",
        "input",
        "list_name",
        "priority",
        "schedule_to_close",
        "schedule_to_start",
        "scheduled_id",
        "scheduled_ms",
        "start_to_close",
        "started_id",
        "started_ms",
    )

    def __init__(
        self, execution: Execution, scheduled_id: int, scheduled_ms: int, attributes: dict[str, object]
    ) -> None:
        """`attributes` are those of the ActivityTaskScheduled event."""
        self.execution = execution
        self.scheduled_id = scheduled_id
        self.scheduled_ms = scheduled_ms
        self.activity_id = str(attributes["activityId"])
        self.activity_type = attributes["activityType"]
        self.input = attributes.get("input")
        task_list = attributes["taskList"]
        assert isinstance(task_list, dict)
        self.list_name: str = task_list["name"]
        self.priority = int(str(attributes.get("taskPriority") or 0))
        self.schedule_to_start = timeout_ms(attributes.get("scheduleToStartTimeout"))
        self.schedule_to_close = timeout_ms(attributes.get("scheduleToCloseTimeout"))
        self.start_to_close = timeout_ms(attributes.get("startToCloseTimeout"))
        self.heartbeat_timeout = timeout_ms(attributes.get("heartbeatTimeout"))
        self.started_id = 0
        self.started_ms = 0
        self.heartbeat_ms = 0
        self.heartbeat_details: str | None = None
        self.cancel_requested_id = 0
        self.entry: Entry | None = None

    def due(self) -> tuple[int, str] | None:
        """The earliest deadline (milliseconds) and its timeoutType, or None if nothing can time out."""
        deadlines: list[tuple[int, int, str]] = []
        if self.started_id == 0:
            if self.schedule_to_start is not None:
                deadlines.append((self.scheduled_ms + self.schedule_to_start, 0, "SCHEDULE_TO_START"))
        else:
            if self.start_to_close is not None:
                deadlines.append((self.started_ms + self.start_to_close, 1, "START_TO_CLOSE"))
            if self.heartbeat_timeout is not None:
                deadlines.append((self.heartbeat_ms + self.heartbeat_timeout, 3, "HEARTBEAT"))
        if self.schedule_to_close is not None:
            deadlines.append((self.scheduled_ms + self.schedule_to_close, 2, "SCHEDULE_TO_CLOSE"))
        if not deadlines:
            return None
        due_ms, _, kind = min(deadlines)
        return due_ms, kind


class Timer:
    """An open timer."""

    __slots__ = ("entry", "execution", "started_id", "timer_id")

    def __init__(self, execution: Execution, timer_id: str, started_id: int) -> None:
        self.execution = execution
        self.timer_id = timer_id
        self.started_id = started_id
        self.entry: Entry | None = None


class Child:
    """An open child as its parent sees it; `run` is 0 until it has started."""

    __slots__ = ("initiated_id", "run", "started_id")

    def __init__(self, initiated_id: int) -> None:
        self.initiated_id = initiated_id
        self.run = 0
        self.started_id = 0


class LambdaTask:
    """An open lambda task."""

    __slots__ = (
        "entry",
        "execution",
        "function_id",
        "input",
        "name",
        "scheduled_id",
        "start_to_close_s",
        "started_id",
    )

    def __init__(self, execution: Execution, scheduled_id: int, attributes: dict[str, object]) -> None:
        """`attributes` are those of the LambdaFunctionScheduled event."""
        self.execution = execution
        self.scheduled_id = scheduled_id
        self.function_id = str(attributes["id"])
        self.name = str(attributes["name"])
        self.input = attributes.get("input")
        self.start_to_close_s = int(str(attributes["startToCloseTimeout"]))
        self.started_id = 0
        self.entry: Entry | None = None


class Execution:
    """An open execution. Dicts of open things are None until first needed: most executions have few."""

    __slots__ = (
        "activities",
        "activity_ids",
        "cancel_requested",
        "child_policy",
        "children",
        "close_status",
        "context",
        "continued_from",
        "domain",
        "entry",
        "exec_timeout",
        "heartbeats",
        "lambda_role",
        "lambdas",
        "last_task_list",
        "latest_activity_ms",
        "next_id",
        "parent",
        "parent_initiated_id",
        "parent_run",
        "previous_started_id",
        "priority",
        "queued",
        "run",
        "run_id",
        "start_ms",
        "started",
        "sticky_list",
        "sticky_timeout",
        "tags",
        "tail",
        "task_list",
        "task_timeout",
        "timers",
        "type_name",
        "type_version",
        "workflow_id",
    )

    def __init__(self, run: int, domain: Domain, workflow_id: str, run_id: str, start_ms: int) -> None:
        self.run = run
        self.domain = domain
        self.workflow_id = workflow_id
        self.run_id = run_id
        self.start_ms = start_ms
        self.next_id = 1
        self.tail: EventsAppended | None = None
        self.entry: Entry | None = None
        self.queued: DecisionTask | None = None
        self.started: DecisionTask | None = None
        self.previous_started_id = 0
        self.sticky_list: str | None = None
        self.sticky_timeout = UNLIMITED_TIMEOUT
        self.cancel_requested = False
        self.heartbeats = False  # whether the store holds heartbeats of this run
        self.close_status: str | None = None
        self.context: str | None = None
        self.latest_activity_ms = 0
        self.activities: dict[int, ActivityTask] | None = None
        self.activity_ids: dict[str, ActivityTask] | None = None
        self.timers: dict[str, Timer] | None = None
        self.children: dict[int, Child] | None = None
        self.lambdas: dict[int, LambdaTask] | None = None
        self.parent: dict[str, object] | None = None
        self.parent_run = 0
        self.parent_initiated_id = 0
        self.continued_from: str | None = None

    def settle(self, attributes: dict[str, object]) -> None:
        """Take over the settings in the attributes of a WorkflowExecutionStarted event."""
        kind, task_list = attributes["workflowType"], attributes["taskList"]
        assert isinstance(kind, dict)
        assert isinstance(task_list, dict)
        # Thousands of executions share these few texts: keep one copy of each.
        self.type_name: str = intern(kind["name"])
        self.type_version: str = intern(kind["version"])
        self.task_list: str = intern(task_list["name"])
        self.last_task_list: str = self.task_list
        self.exec_timeout = intern(str(attributes["executionStartToCloseTimeout"]))
        self.task_timeout = intern(str(attributes["taskStartToCloseTimeout"]))
        self.child_policy = intern(str(attributes["childPolicy"]))
        self.priority = attributes.get("taskPriority")
        self.tags = attributes.get("tagList")
        self.lambda_role = attributes.get("lambdaRole")
        parent = attributes.get("parentWorkflowExecution")
        self.parent = parent if isinstance(parent, dict) else None
        self.parent_initiated_id = int(str(attributes.get("parentInitiatedEventId") or 0))

    @property
    def reference(self) -> dict[str, object]:
        """The WorkflowExecution structure that names this run."""
        return {"workflowId": self.workflow_id, "runId": self.run_id}

    @property
    def type_reference(self) -> dict[str, object]:
        """The WorkflowType structure of this run."""
        return {"name": self.type_name, "version": self.type_version}


def timeout_ms(text: object) -> int | None:
    """A duration of the wire as milliseconds; None for NONE and for an absent value."""
    return None if text is None or text == UNLIMITED_TIMEOUT else int(str(text)) * 1000
