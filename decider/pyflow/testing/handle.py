"""WorkflowHandle: one execution of a test environment, as the outside sees it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pyflow import payloads
from pyflow.core.history import read_status
from pyflow.core.values import Event
from pyflow.exceptions import PyflowException

if TYPE_CHECKING:
    from pyflow.testing.environment import WorkflowEnvironment

__all__ = ["WorkflowHandle"]

DOMAIN = "test"


class WorkflowHandle:
    """One execution in the environment."""

    def __init__(self, environment: WorkflowEnvironment, workflow_id: str, run_id: str) -> None:
        self._environment = environment
        self.workflow_id = workflow_id
        self.run_id = run_id

    def history(self) -> list[Event]:
        """All events so far."""
        return self._environment.history(self.workflow_id, self.run_id)

    @property
    def close_event(self) -> Event | None:
        """The last event of a closed execution."""
        last = self.history()[-1]
        closed = last["eventType"].startswith("WorkflowExecution") and last["eventType"] not in (
            "WorkflowExecutionStarted",
            "WorkflowExecutionSignaled",
            "WorkflowExecutionCancelRequested",
        )
        return last if closed else None

    @property
    def close_status(self) -> str | None:
        """``Completed``, ``Failed``, ``Canceled``, ``TimedOut``, ``Terminated``, ``ContinuedAsNew``; None: open."""
        event = self.close_event
        return None if event is None else str(event["eventType"]).removeprefix("WorkflowExecution")

    def result(self) -> Any:
        """The result of a completed execution; raises PyflowException with reason and details for any other end."""
        event = self.close_event
        if event is None:
            raise PyflowException(f"{self.workflow_id} is still open: skip() time, or run_until_closed() it")
        if self.close_status == "ContinuedAsNew":
            raise PyflowException(f"{self.workflow_id} goes on in another run: next_run() is its handle")
        attributes = next(value for name, value in event.items() if name.endswith("EventAttributes"))
        if event["eventType"] != "WorkflowExecutionCompleted":
            raise PyflowException(self._told(attributes))
        return payloads.from_json(self._environment.decode(attributes.get("result")))

    def _told(self, attributes: Mapping[str, Any]) -> str:
        """How it ended, in words; for a timeout what the code was waiting for."""
        told = f"{self.workflow_id} ended as WorkflowExecution{self.close_status}"
        for member in ("reason", "details"):
            told += f": {attributes[member]}" if attributes.get(member) else ""
        at = self._environment.waiting_at(self.run_id) if self.close_status == "TimedOut" else []
        return told + (f"; it was waiting at {', '.join(at)}" if at else "")

    def next_run(self) -> WorkflowHandle:
        """The run in which this one continued as new."""
        event = self.close_event
        if event is None or self.close_status != "ContinuedAsNew":
            raise PyflowException(f"{self.workflow_id} has not continued as new: it is {self.close_status or 'open'}")
        continued = event["workflowExecutionContinuedAsNewEventAttributes"]
        return WorkflowHandle(self._environment, self.workflow_id, continued["newExecutionRunId"])

    def signal(self, name: str, payload: Any = None) -> None:
        """Send a signal from outside."""
        more = {} if payload is None else {"input": payloads.to_json(payload)}
        self._environment.swf.call(
            "SignalWorkflowExecution",
            domain=DOMAIN,
            workflowId=self.workflow_id,
            runId=self.run_id,
            signalName=name,
            **more,
        )

    def cancel(self) -> None:
        """Request cancellation from outside."""
        self._environment.swf.call(
            "RequestCancelWorkflowExecution", domain=DOMAIN, workflowId=self.workflow_id, runId=self.run_id
        )

    def status(self) -> Any:
        """What the code last gave to ``swf.set_status``."""
        described = self._environment.swf.call(
            "DescribeWorkflowExecution",
            domain=DOMAIN,
            execution={"workflowId": self.workflow_id, "runId": self.run_id},
        )
        return read_status(described.get("latestExecutionContext"))
