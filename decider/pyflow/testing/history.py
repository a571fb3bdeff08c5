"""HistoryBuilder: writes histories as SWF would, event by event, for tests of deciders and workflows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from pyflow.core.history import attributes_key
from pyflow.core.values import Decision, Event

__all__ = ["HistoryBuilder"]

Attributes: TypeAlias = "dict[str, Any]"

DEFAULT_CHILD_POLICY = "TERMINATE"
FIRST_EVENT_S = 1_700_000_000.0
EVENT_EVERY_S = 0.25

_ECHOED_BY_ACTIVITY = {
    "scheduleToStartTimeout": "NONE",
    "scheduleToCloseTimeout": "NONE",
    "startToCloseTimeout": "300",
    "heartbeatTimeout": "NONE",
}


class HistoryBuilder:
    """A growing history. Each call appends events as SWF orders them and gives the id of the one that matters.

    >>> history = HistoryBuilder(input="world")
    >>> _ = history.decision_task()                       # scheduled and started: now advance an Execution
    >>> _ = history.answer([{"decisionType": "StartTimer",
    ...     "startTimerDecisionAttributes": {"timerId": "sleep1", "startToFireTimeout": "5"}}])
    >>> _ = history.timer_fired("sleep1")
    """

    def __init__(
        self,
        input: Any = None,
        *,
        workflow_type: tuple[str, str] = ("Test", "1.0"),
        workflow_id: str = "workflow-1",
        run_id: str = "run-1",
        started: Mapping[str, Any] | None = None,
    ) -> None:
        self.workflow_type = workflow_type
        self.workflow_id = workflow_id
        self.run_id = run_id
        self.events: list[dict[str, Any]] = []
        self.now_s = FIRST_EVENT_S
        self.previous_started_event_id = 0
        self.started_event_id = 0
        self._scheduled_task = 0
        self._opened: dict[tuple[str, str], int] = {}
        self._begun: dict[int, int] = {}
        attributes: Attributes = {
            "childPolicy": DEFAULT_CHILD_POLICY,
            "taskList": {"name": "decider"},
            "workflowType": {"name": workflow_type[0], "version": workflow_type[1]},
            "executionStartToCloseTimeout": "3600",
            "taskStartToCloseTimeout": "600",
            "parentInitiatedEventId": 0,
        }
        if input is not None:
            attributes["input"] = json.dumps(input)
        attributes.update(started or {})
        self.add("WorkflowExecutionStarted", attributes)
        self.schedule_task()

    # ---- the ground

    def add(self, event_type: str, attributes: Mapping[str, Any] | None = None) -> int:
        """Append any event. Gives its id."""
        self.now_s = round(self.now_s + EVENT_EVERY_S, 3)
        event_id = len(self.events) + 1
        self.events.append(
            {
                "eventId": event_id,
                "eventTimestamp": self.now_s,
                "eventType": event_type,
                attributes_key(event_type): dict(attributes or {}),
            }
        )
        return event_id

    def pass_time(self, seconds: float) -> None:
        """Let the clock run."""
        self.now_s += seconds

    def schedule_task(self) -> int:
        """DecisionTaskScheduled, unless one is waiting (swf-reference 7.3)."""
        if not self._scheduled_task:
            self._scheduled_task = self.add("DecisionTaskScheduled", {"taskList": {"name": "decider"}})
        return self._scheduled_task

    def decision_task(self) -> dict[str, Any]:
        """Start the waiting decision task. Gives it as PollForDecisionTask would, with the whole history."""
        scheduled = self.schedule_task()
        self._scheduled_task = 0
        self.started_event_id = self.add("DecisionTaskStarted", {"scheduledEventId": scheduled})
        self._begun[self.started_event_id] = scheduled
        return self.task()

    def task(self) -> dict[str, Any]:
        """The started decision task."""
        return {
            "taskToken": f"token-{self.started_event_id}",
            "startedEventId": self.started_event_id,
            "previousStartedEventId": self.previous_started_event_id,
            "workflowExecution": {"workflowId": self.workflow_id, "runId": self.run_id},
            "workflowType": {"name": self.workflow_type[0], "version": self.workflow_type[1]},
            "events": list(self.events),
        }

    def decision_task_timed_out(self) -> int:
        """The started decision task times out, and another is scheduled."""
        event_id = self.add(
            "DecisionTaskTimedOut",
            {
                "timeoutType": "START_TO_CLOSE",
                "scheduledEventId": self._begun[self.started_event_id],
                "startedEventId": self.started_event_id,
            },
        )
        self.started_event_id = 0
        self.schedule_task()
        return event_id

    def answer(self, decisions: Iterable[Decision], execution_context: str | None = None) -> int:
        """Complete the started decision task and record what its decisions make of history.

        All of them succeed. Gives the id of DecisionTaskCompleted.
        """
        completed = self.complete_task(execution_context)
        for decision in decisions:
            self._decide(completed, decision)
        return completed

    def complete_task(self, execution_context: str | None = None) -> int:
        """DecisionTaskCompleted alone."""
        attributes: Attributes = {
            "scheduledEventId": self._begun[self.started_event_id],
            "startedEventId": self.started_event_id,
        }
        if execution_context is not None:
            attributes["executionContext"] = execution_context
        self.previous_started_event_id = self.started_event_id
        self.started_event_id = 0
        return self.add("DecisionTaskCompleted", attributes)

    def opened(self, kind: str, identity: str) -> int:
        """Id of the latest event that opened an entity: kind ``activity``, ``lambda``, ``timer``, ``child``, ..."""
        return self._opened[kind, identity]

    # ---- what decisions make of history

    def _decide(self, completed: int, decision: Decision) -> None:
        decision_type = decision["decisionType"]
        key = f"{decision_type[0].lower()}{decision_type[1:]}DecisionAttributes"
        asked: Attributes = dict(decision.get(key) or {})
        asked["decisionTaskCompletedEventId"] = completed
        match decision_type:
            case "ScheduleActivityTask":
                asked = {**_ECHOED_BY_ACTIVITY, "taskList": {"name": "default"}, **asked}
                self._open("activity", asked["activityId"], "ActivityTaskScheduled", asked)
            case "ScheduleLambdaFunction":
                self._open("lambda", asked["id"], "LambdaFunctionScheduled", asked)
            case "StartTimer":
                self._open("timer", asked["timerId"], "TimerStarted", asked)
            case "StartChildWorkflowExecution":
                asked = {"childPolicy": DEFAULT_CHILD_POLICY, "taskList": {"name": "default"}, **asked}
                self._open("child", asked["workflowId"], "StartChildWorkflowExecutionInitiated", asked)
            case "SignalExternalWorkflowExecution":
                identity = f"{asked['workflowId']}/{asked['signalName']}"
                self._open("external_signal", identity, "SignalExternalWorkflowExecutionInitiated", asked)
            case "RequestCancelExternalWorkflowExecution":
                identity = asked["workflowId"]
                self._open("external_cancel", identity, "RequestCancelExternalWorkflowExecutionInitiated", asked)
            case "RecordMarker":
                self.add("MarkerRecorded", asked)
            case "RequestCancelActivityTask":
                self.add("ActivityTaskCancelRequested", asked)
                scheduled = self._opened["activity", asked["activityId"]]
                if scheduled not in self._begun:
                    self._end(
                        "ActivityTaskCanceled",
                        {
                            "scheduledEventId": scheduled,
                            "startedEventId": 0,
                            "latestCancelRequestedEventId": len(self.events),
                        },
                    )
            case "CancelTimer":
                asked["startedEventId"] = self._opened["timer", asked["timerId"]]
                self.add("TimerCanceled", asked)
            case "CompleteWorkflowExecution" | "FailWorkflowExecution" | "CancelWorkflowExecution":
                verb = decision_type.removesuffix("WorkflowExecution")
                past = {"Complete": "Completed", "Fail": "Failed", "Cancel": "Canceled"}[verb]
                self.add(f"WorkflowExecution{past}", asked)
            case "ContinueAsNewWorkflowExecution":
                asked["newExecutionRunId"] = f"{self.run_id}+"
                self.add("WorkflowExecutionContinuedAsNew", asked)
            case _:
                raise ValueError(f"no such decision: {decision_type}")

    def _open(self, kind: str, identity: str, event_type: str, attributes: Attributes) -> None:
        self._opened[kind, identity] = self.add(event_type, attributes)

    def _end(self, event_type: str, attributes: Attributes) -> int:
        event_id = self.add(event_type, attributes)
        self.schedule_task()
        return event_id

    # ---- activities

    def activity_started(self, activity_id: str) -> int:
        """A worker has the activity."""
        scheduled = self._opened["activity", activity_id]
        self._begun[scheduled] = self.add("ActivityTaskStarted", {"scheduledEventId": scheduled})
        return self._begun[scheduled]

    def _activity(self, activity_id: str, event_type: str, **attributes: Any) -> int:
        scheduled = self._opened["activity", activity_id]
        if scheduled not in self._begun:
            self.activity_started(activity_id)
        return self._end(
            event_type,
            {
                "scheduledEventId": scheduled,
                "startedEventId": self._begun[scheduled],
                **{name: value for name, value in attributes.items() if value is not None},
            },
        )

    def activity_completed(self, activity_id: str, result: Any = None) -> int:
        """The activity succeeds (and starts first, if it had not)."""
        return self._activity(activity_id, "ActivityTaskCompleted", result=json.dumps(result))

    def activity_failed(self, activity_id: str, reason: str, details: str | None = None) -> int:
        """The activity fails (and starts first, if it had not)."""
        return self._activity(activity_id, "ActivityTaskFailed", reason=reason, details=details)

    def activity_canceled(self, activity_id: str, details: str | None = None) -> int:
        """The activity reports that it stopped (and starts first, if it had not)."""
        return self._activity(activity_id, "ActivityTaskCanceled", details=details)

    def activity_timed_out(self, activity_id: str, timeout_type: str = "START_TO_CLOSE") -> int:
        """The activity times out. SCHEDULE_TO_START: without having started."""
        if timeout_type == "SCHEDULE_TO_START":
            scheduled = self._opened["activity", activity_id]
            return self._end(
                "ActivityTaskTimedOut",
                {"timeoutType": timeout_type, "scheduledEventId": scheduled, "startedEventId": 0},
            )
        return self._activity(activity_id, "ActivityTaskTimedOut", timeoutType=timeout_type)

    # ---- lambdas

    def _lambda(self, lambda_id: str, event_type: str, **attributes: Any) -> int:
        scheduled = self._opened["lambda", lambda_id]
        started = self.add("LambdaFunctionStarted", {"scheduledEventId": scheduled})
        return self._end(
            event_type,
            {
                "scheduledEventId": scheduled,
                "startedEventId": started,
                **{name: value for name, value in attributes.items() if value is not None},
            },
        )

    def lambda_completed(self, lambda_id: str, result: Any = None) -> int:
        """The function starts and returns."""
        return self._lambda(lambda_id, "LambdaFunctionCompleted", result=json.dumps(result))

    def lambda_failed(self, lambda_id: str, reason: str, details: str | None = None) -> int:
        """The function starts and raises."""
        return self._lambda(lambda_id, "LambdaFunctionFailed", reason=reason, details=details)

    def lambda_timed_out(self, lambda_id: str) -> int:
        """The function starts and does not return in time."""
        return self._lambda(lambda_id, "LambdaFunctionTimedOut", timeoutType="START_TO_CLOSE")

    # ---- timers

    def timer_fired(self, timer_id: str) -> int:
        """The timer fires."""
        return self._end("TimerFired", {"timerId": timer_id, "startedEventId": self._opened["timer", timer_id]})

    # ---- children

    def child_started(self, workflow_id: str, run_id: str | None = None) -> int:
        """The child's execution exists."""
        initiated = self._opened["child", workflow_id]
        self._begun[initiated] = self._end(
            "ChildWorkflowExecutionStarted", {**self._child(initiated, run_id), "initiatedEventId": initiated}
        )
        return self._begun[initiated]

    def _child(self, initiated: int, run_id: str | None = None) -> Attributes:
        attributes = self.events[initiated - 1][attributes_key("StartChildWorkflowExecutionInitiated")]
        workflow_id = attributes["workflowId"]
        return {
            "workflowExecution": {"workflowId": workflow_id, "runId": run_id or f"run-of-{workflow_id}"},
            "workflowType": attributes["workflowType"],
        }

    def child_closed(self, workflow_id: str, how: str = "Completed", **attributes: Any) -> int:
        """The child closes (and starts first, if it had not): Completed, Failed, TimedOut, Canceled, Terminated."""
        initiated = self._opened["child", workflow_id]
        if initiated not in self._begun:
            self.child_started(workflow_id)
        if "result" in attributes:
            attributes["result"] = json.dumps(attributes["result"])
        if how == "TimedOut":
            attributes.setdefault("timeoutType", "START_TO_CLOSE")
        return self._end(
            f"ChildWorkflowExecution{how}",
            {
                **self._child(initiated),
                "initiatedEventId": initiated,
                "startedEventId": self._begun[initiated],
                **attributes,
            },
        )

    # ---- the outside world

    def signal(self, name: str, payload: Any = None, sender: tuple[str, str] | None = None) -> int:
        """A signal arrives."""
        attributes: Attributes = {"signalName": name, "externalInitiatedEventId": 0}
        if payload is not None:
            attributes["input"] = json.dumps(payload)
        if sender is not None:
            attributes["externalWorkflowExecution"] = {"workflowId": sender[0], "runId": sender[1]}
        return self._end("WorkflowExecutionSignaled", attributes)

    def cancel_requested(self, cause: str | None = None) -> int:
        """Somebody asks the execution to cancel itself."""
        attributes: Attributes = {"externalInitiatedEventId": 0}
        if cause is not None:
            attributes["cause"] = cause
        return self._end("WorkflowExecutionCancelRequested", attributes)

    def external_signal_delivered(self, workflow_id: str, signal_name: str) -> int:
        """The signal sent to another execution has arrived there."""
        return self._end(
            "ExternalWorkflowExecutionSignaled",
            {
                "workflowExecution": {"workflowId": workflow_id, "runId": "run-of-" + workflow_id},
                "initiatedEventId": self._opened["external_signal", f"{workflow_id}/{signal_name}"],
            },
        )

    def external_cancel_delivered(self, workflow_id: str) -> int:
        """The cancel request has reached the other execution."""
        return self._end(
            "ExternalWorkflowExecutionCancelRequested",
            {
                "workflowExecution": {"workflowId": workflow_id, "runId": "run-of-" + workflow_id},
                "initiatedEventId": self._opened["external_cancel", workflow_id],
            },
        )

    def refused(self, event_type: str, **attributes: Any) -> int:
        """Any event that says SWF did not do something; a decision task follows."""
        return self._end(event_type, attributes)

    def new_events(self, after: int) -> list[Event]:
        """Events with an id above ``after``: what a sticky decision task carries."""
        return list(self.events[after:])
