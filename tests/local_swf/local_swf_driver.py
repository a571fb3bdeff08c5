"""Drives the service in process with a clock of the test's own: real engine, real SQLite, no sockets, no waiting."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from local_swf_shapes import check_answer
from pyflow_local.engine.limits import Choices, Quotas
from pyflow_local.engine.rates import DECISION_RATES, Rate, Rates
from pyflow_local.engine.restrictions import Restrictions
from pyflow_local.engine.values import LambdaInvocation, LambdaOutcome
from pyflow_local.service import EndedLambda, Incoming, Service
from pyflow_local.store.store import Store

DOMAIN = "d"
START_MS = 1_700_000_000_000
WORKFLOW = {"name": "wf", "version": "1"}
ACTIVITY = {"name": "act", "version": "1"}
TIMEOUTS = ("ScheduleToStart", "ScheduleToClose", "StartToClose", "Heartbeat")

SOME_RESTRICTIONS = (
    Restrictions(
        rates=Rates(
            decisions={kind: Rate(1, 1) for kind in DECISION_RATES},
            executions={
                operation: Rate(1, 1) for operation in ("SignalWorkflowExecution", "RecordActivityTaskHeartbeat")
            },
            tasks_per_list=Rate(1, 1),
        )
    ),
    Restrictions(
        denied=frozenset({"swf:RequestCancelActivityTask", "swf:CompleteWorkflowExecution", "swf:StartTimer"}),
        lambda_service=False,
    ),
)
"""For tests that let anything happen: rates that are soon exhausted, and permissions that are often missed."""


class Refused(Exception):
    """The service answered with an error."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(status, body)
        self.status = status
        self.code = body["__type"].rpartition("#")[2]
        self.message = body.get("message")


def decision(kind: str, **attributes: Any) -> dict[str, Any]:
    """A decision of the wire."""
    return {"decisionType": kind, kind[0].lower() + kind[1:] + "DecisionAttributes": attributes}


def attributes_of(event: dict[str, Any]) -> dict[str, Any]:
    """An event's attributes."""
    kind = event["eventType"]
    return event[kind[0].lower() + kind[1:] + "EventAttributes"]


class Driver:
    """One service. Every call lets a millisecond pass first, so that timestamps tell transactions apart.

    Every answer is held against botocore's output shapes on its way. `causes_seen` is what all drivers have seen in
    histories: (event type, cause).
    """

    causes_seen: ClassVar[set[tuple[str, str]]] = set()

    def __init__(
        self,
        *,
        quotas: Quotas | None = None,
        choices: Choices | None = None,
        restrictions: Restrictions | None = None,
        setup: bool = True,
        path: str | None = None,
    ) -> None:
        self.quotas, self.choices, self.restrictions, self.path = quotas, choices, restrictions, path
        self.now_ms = START_MS
        self.ident = 0
        self.answers: dict[int, dict[str, Any]] = {}
        self.invocations: list[LambdaInvocation] = []
        self.dead: set[int] = set()
        self.storage_may_fail = False
        self._asked: dict[int, str] = {}
        self.open()
        if setup:
            self.setup()

    def open(self) -> None:
        """Open the store and build the service."""
        self.store = Store(self.path)
        self.service = Service(
            self.store,
            self.now_ms,
            quotas=self.quotas,
            choices=self.choices,
            restrictions=self.restrictions,
            alive=lambda ident: ident not in self.dead,
        )
        self.step()

    def restart(self) -> None:
        """Forget everything that is in memory."""
        assert self.path is not None
        self.store.close()
        self.invocations.clear()
        self.open()

    def setup(self) -> None:
        """One domain, one workflow type, one activity type, with all defaults."""
        self.call("RegisterDomain", name=DOMAIN, workflowExecutionRetentionPeriodInDays="7")
        self.workflow_type()
        self.activity_type()

    def workflow_type(self, name: str = "wf", version: str = "1", **more: Any) -> None:
        """Register a workflow type with all defaults."""
        self.call(
            "RegisterWorkflowType",
            **{
                "domain": DOMAIN,
                "name": name,
                "version": version,
                "defaultTaskList": {"name": "tl"},
                "defaultExecutionStartToCloseTimeout": "3600",
                "defaultTaskStartToCloseTimeout": "60",
                "defaultChildPolicy": "TERMINATE",
                **more,
            },
        )

    def activity_type(self, name: str = "act", version: str = "1", **more: Any) -> None:
        """Register an activity type with all defaults and no timeouts."""
        defaults = {f"defaultTask{kind}Timeout": "NONE" for kind in TIMEOUTS}
        self.call(
            "RegisterActivityType",
            **{
                "domain": DOMAIN,
                "name": name,
                "version": version,
                "defaultTaskList": {"name": "al"},
                **defaults,
                **more,
            },
        )

    # --- requests --------------------------------------------------------------------------------------------

    def step(self, requests: list[Incoming] | None = None, ended: list[EndedLambda] | None = None) -> list[int]:
        """One step of the service; answers are kept by ident."""
        for request in requests or []:
            self._asked[request.ident] = request.operation
        result = self.service.step(requests or [], self.now_ms, ended or [])
        for ident, status, body in result.answers:
            self.answers[ident] = {"status": status, "body": json.loads(body) if body else {}}
            if status == 200:
                check_answer(self._asked[ident], self.answers[ident]["body"])
        self.invocations += result.invocations
        if not self.storage_may_fail:
            assert self.service._engine is not None, "a step failed with an internal error (see the log)"
        return result.parked

    def send(self, operation: str, body: bytes) -> int:
        """Send one request as bytes."""
        self.ident += 1
        self.now_ms += 1
        self.step([Incoming(self.ident, operation, body)])
        return self.ident

    def call(self, operation: str, **members: Any) -> dict[str, Any]:
        """Send one request and return its answer. Raises Refused."""
        answer = self.answers.pop(self.send(operation, json.dumps(members).encode()))
        if answer["status"] != 200:
            raise Refused(answer["status"], answer["body"])
        return answer["body"]

    def batch(self, *requests: tuple[str, dict[str, Any]]) -> list[dict[str, Any] | None]:
        """Send several requests that arrive together; None for those that wait."""
        self.now_ms += 1
        incoming = []
        for operation, members in requests:
            self.ident += 1
            incoming.append(Incoming(self.ident, operation, json.dumps(members).encode()))
        self.step(incoming)
        return [self.answers.pop(one.ident, None) for one in incoming]

    def park(self, operation: str, task_list: str, **members: Any) -> int:
        """Begin a poll that may wait; its ident."""
        body = {"domain": DOMAIN, "taskList": {"name": task_list}, **members}
        return self.send(operation, json.dumps(body).encode())

    def poll(self, task_list: str = "tl", **members: Any) -> dict[str, Any] | None:
        """Poll for a decision task; None if there is none now."""
        return self._poll("PollForDecisionTask", task_list, members)

    def poll_activity(self, task_list: str = "al", **members: Any) -> dict[str, Any] | None:
        """Poll for an activity task; None if there is none now."""
        return self._poll("PollForActivityTask", task_list, members)

    def _poll(self, operation: str, task_list: str, members: dict[str, Any]) -> dict[str, Any] | None:
        ident = self.park(operation, task_list, **members)
        answer = self.answers.pop(ident, None)
        if answer is None:
            assert self.service.expire_poll(ident) is not None
            return None
        if answer["status"] != 200:
            raise Refused(answer["status"], answer["body"])
        return answer["body"]

    # --- conversations ---------------------------------------------------------------------------------------

    def start(self, workflow_id: str = "w", **members: Any) -> str:
        """Start an execution; its run id."""
        request = {"domain": DOMAIN, "workflowId": workflow_id, "workflowType": WORKFLOW, **members}
        return self.call("StartWorkflowExecution", **request)["runId"]

    def respond(self, task: dict[str, Any] | None, *decisions: dict[str, Any], **members: Any) -> None:
        """Complete a decision task."""
        assert task is not None, "no decision task was there to answer"
        self.call("RespondDecisionTaskCompleted", taskToken=task["taskToken"], decisions=list(decisions), **members)

    def decide(self, *decisions: dict[str, Any], task_list: str = "tl", **members: Any) -> dict[str, Any]:
        """Poll for a decision task and complete it; the task."""
        task = self.poll(task_list)
        self.respond(task, *decisions, **members)
        assert task is not None
        return task

    def schedule(self, activity_id: str = "a", **attributes: Any) -> dict[str, Any]:
        """A ScheduleActivityTask decision."""
        return decision("ScheduleActivityTask", activityType=ACTIVITY, activityId=activity_id, **attributes)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now_ms += round(seconds * 1000)
        self.step()

    def lambda_ends(self, outcome: LambdaOutcome) -> None:
        """End the oldest invocation that was asked for."""
        asked = self.invocations.pop(0)
        self.now_ms += 1
        self.step(ended=[EndedLambda(asked.run, asked.scheduled_id, outcome)])

    # --- looking ---------------------------------------------------------------------------------------------

    def history(self, run_id: str, workflow_id: str = "w") -> list[dict[str, Any]]:
        """The whole history of a run."""
        execution = {"workflowId": workflow_id, "runId": run_id}
        events = self.call("GetWorkflowExecutionHistory", domain=DOMAIN, execution=execution)["events"]
        for event in events:
            if "cause" in attributes_of(event):
                self.causes_seen.add((event["eventType"], attributes_of(event)["cause"]))
        return events

    def types(self, run_id: str, workflow_id: str = "w") -> list[str]:
        """The event types of a run."""
        return [event["eventType"] for event in self.history(run_id, workflow_id)]

    def last(self, run_id: str, kind: str, workflow_id: str = "w") -> dict[str, Any]:
        """The attributes of the last event of a type."""
        found = [e for e in self.history(run_id, workflow_id) if e["eventType"] == kind]
        assert found, f"no {kind} in {self.types(run_id, workflow_id)}"
        return attributes_of(found[-1])

    def describe(self, run_id: str, workflow_id: str = "w") -> dict[str, Any]:
        """DescribeWorkflowExecution."""
        execution = {"workflowId": workflow_id, "runId": run_id}
        return self.call("DescribeWorkflowExecution", domain=DOMAIN, execution=execution)

    def open_run(self, workflow_id: str) -> str:
        """The run id of the open execution with this workflow id."""
        found = self.call(
            "ListOpenWorkflowExecutions",
            domain=DOMAIN,
            startTimeFilter={"oldestDate": 0},
            executionFilter={"workflowId": workflow_id},
        )["executionInfos"]
        assert len(found) == 1, found
        return found[0]["execution"]["runId"]


_REFERENCES = ("scheduledEventId", "initiatedEventId", "startedEventId", "decisionTaskCompletedEventId")


def line(event: dict[str, Any]) -> str:
    """An event as the golden sequences write it: id, type, references in order, cause or timeout type."""
    attributes = attributes_of(event)
    shown = [str(attributes[name]) for name in _REFERENCES if name in attributes]
    shown += [attributes[name] for name in ("cause", "timeoutType") if name in attributes]
    inside = f"({', '.join(shown)})" if shown else ""
    return f"{event['eventId']} {event['eventType']}{inside}"


def assert_golden(events: list[dict[str, Any]], *groups: list[str]) -> None:
    """The history is exactly these groups, and the events of each group have one timestamp."""
    assert [line(event) for event in events] == [one for group in groups for one in group]
    at = 0
    for group in groups:
        stamps = {event["eventTimestamp"] for event in events[at : at + len(group)]}
        assert len(stamps) == 1, f"{group} were not recorded together"
        at += len(group)
