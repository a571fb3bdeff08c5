"""The port through which the rest of the house reaches SWF's hot operations: plain wire dictionaries in and out.

A request is what the service model calls the input shape: `{"domain": "d", "taskList": {"name": "t"}}`. An answer is
the output shape as SWF sent it: timestamps are floats (epoch seconds), absent members are absent, an operation
without output gives `{}`. Every failure is a `SwfError` (see `faults`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol, TypeAlias

JsonObject: TypeAlias = dict[str, Any]
"""A decoded JSON object as it goes over the wire."""

POLL_FOR_DECISION_TASK: Final = "PollForDecisionTask"
POLL_FOR_ACTIVITY_TASK: Final = "PollForActivityTask"
RESPOND_DECISION_TASK_COMPLETED: Final = "RespondDecisionTaskCompleted"
RESPOND_ACTIVITY_TASK_COMPLETED: Final = "RespondActivityTaskCompleted"
RESPOND_ACTIVITY_TASK_FAILED: Final = "RespondActivityTaskFailed"
RESPOND_ACTIVITY_TASK_CANCELED: Final = "RespondActivityTaskCanceled"
RECORD_ACTIVITY_TASK_HEARTBEAT: Final = "RecordActivityTaskHeartbeat"
GET_WORKFLOW_EXECUTION_HISTORY: Final = "GetWorkflowExecutionHistory"

POLLS: Final = frozenset({POLL_FOR_DECISION_TASK, POLL_FOR_ACTIVITY_TASK})
"""Operations that may hand out a task: never repeated by a transport on its own, never aborted."""

HOT_OPERATIONS: Final = (
    POLL_FOR_DECISION_TASK,
    POLL_FOR_ACTIVITY_TASK,
    RESPOND_DECISION_TASK_COMPLETED,
    RESPOND_ACTIVITY_TASK_COMPLETED,
    RESPOND_ACTIVITY_TASK_FAILED,
    RESPOND_ACTIVITY_TASK_CANCELED,
    RECORD_ACTIVITY_TASK_HEARTBEAT,
    GET_WORKFLOW_EXECUTION_HISTORY,
)


class SwfTransport(Protocol):
    """One attempt of one call: what the boto3 and the lean transport each implement. Safe to use from many threads."""

    def call(self, operation: str, request: JsonObject) -> JsonObject:
        """Send `request` for `operation` (one of HOT_OPERATIONS) once; raises `SwfError`."""

    def close(self) -> None:
        """Let go of connections; calls under way end in an error, so polls must have been waited out before."""


class SwfApi:
    """The hot operations of SWF over a transport, with repeats where a repeat is safe.

    Polls are attempted once and raise at once: a poll whose answer was lost may have been handed a task, and the loop
    that polls decides when to poll again. The other calls are repeated by `retry` (see there). Safe to use from many
    threads.
    """

    def __init__(self, transport: SwfTransport, retry: RetryPolicy) -> None:
        self.transport = transport
        """What sends the calls; read-only."""
        self._retry = retry

    def poll_for_decision_task(self, request: JsonObject) -> JsonObject:
        """Long poll, up to 60 s, or the next page with `nextPageToken`; no `taskToken` in the answer means no task.

        A next page claims no task (SWF reference 7.4), so it is repeated like any read.
        """
        if "nextPageToken" in request:
            return self._retry.call(self.transport, POLL_FOR_DECISION_TASK, request)
        return self.transport.call(POLL_FOR_DECISION_TASK, request)

    def poll_for_activity_task(self, request: JsonObject) -> JsonObject:
        """Long poll, up to 60 s; no `taskToken` in the answer means no task."""
        return self.transport.call(POLL_FOR_ACTIVITY_TASK, request)

    def respond_decision_task_completed(self, request: JsonObject) -> JsonObject:
        """Answer a decision task."""
        return self._retry.call(self.transport, RESPOND_DECISION_TASK_COMPLETED, request)

    def respond_activity_task_completed(self, request: JsonObject) -> JsonObject:
        """Report the result of an activity task."""
        return self._retry.call(self.transport, RESPOND_ACTIVITY_TASK_COMPLETED, request)

    def respond_activity_task_failed(self, request: JsonObject) -> JsonObject:
        """Report the failure of an activity task."""
        return self._retry.call(self.transport, RESPOND_ACTIVITY_TASK_FAILED, request)

    def respond_activity_task_canceled(self, request: JsonObject) -> JsonObject:
        """Report that an activity task let itself be canceled."""
        return self._retry.call(self.transport, RESPOND_ACTIVITY_TASK_CANCELED, request)

    def record_activity_task_heartbeat(self, request: JsonObject) -> JsonObject:
        """Report that an activity task is alive; the answer's `cancelRequested` says whether it should stop."""
        return self._retry.call(self.transport, RECORD_ACTIVITY_TASK_HEARTBEAT, request)

    def get_workflow_execution_history(self, request: JsonObject) -> JsonObject:
        """One page of a history."""
        return self._retry.call(self.transport, GET_WORKFLOW_EXECUTION_HISTORY, request)

    def go_on(self, operation: str, request: JsonObject, first: Callable[[], JsonObject]) -> JsonObject:
        """A call other than a poll whose first attempt somebody else has begun: `first` ends it or raises its error."""
        return self._retry.call(self.transport, operation, request, first)

    def close(self) -> None:
        """Let go of connections (wait polls out before)."""
        self.transport.close()


class RetryPolicy(Protocol):
    """How a call other than a poll is repeated."""

    def call(
        self,
        transport: SwfTransport,
        operation: str,
        request: JsonObject,
        first: Callable[[], JsonObject] | None = None,
    ) -> JsonObject:
        """Call until it succeeds, cannot succeed, or attempts are used up. `first` ends an attempt already begun."""
