"""Groups a flat history into turns: what arrived, the decision task that was started, what its answer recorded.

Events that arrive between DecisionTaskStarted and DecisionTaskCompleted were not known to that decision; they belong
to the next turn, after the events which the answer itself recorded. A decision task that timed out made no decision
and is no turn of its own. Under 2.0.0 (recognised by the missing stamp in the execution context) a timed-out task did
wake the code on replay, so its start is kept as a *void start* of the turn that follows.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

from pyflow.core.values import Event
from pyflow.exceptions import StaleExecutionError

Happening: TypeAlias = "tuple[str, Any, Event]"
"""An event type, its attributes, and the whole event."""

STAMP = "pyflow"
"""Member of the execution context that says which generation of pyflow answered a decision task."""

GENERATION = 3

EVENT_TYPES = (
    "WorkflowExecutionStarted",
    "WorkflowExecutionCancelRequested",
    "WorkflowExecutionCompleted",
    "CompleteWorkflowExecutionFailed",
    "WorkflowExecutionFailed",
    "FailWorkflowExecutionFailed",
    "WorkflowExecutionTimedOut",
    "WorkflowExecutionCanceled",
    "CancelWorkflowExecutionFailed",
    "WorkflowExecutionContinuedAsNew",
    "ContinueAsNewWorkflowExecutionFailed",
    "WorkflowExecutionTerminated",
    "DecisionTaskScheduled",
    "DecisionTaskStarted",
    "DecisionTaskCompleted",
    "DecisionTaskTimedOut",
    "ActivityTaskScheduled",
    "ScheduleActivityTaskFailed",
    "ActivityTaskStarted",
    "ActivityTaskCompleted",
    "ActivityTaskFailed",
    "ActivityTaskTimedOut",
    "ActivityTaskCanceled",
    "ActivityTaskCancelRequested",
    "RequestCancelActivityTaskFailed",
    "WorkflowExecutionSignaled",
    "MarkerRecorded",
    "RecordMarkerFailed",
    "TimerStarted",
    "StartTimerFailed",
    "TimerFired",
    "TimerCanceled",
    "CancelTimerFailed",
    "StartChildWorkflowExecutionInitiated",
    "StartChildWorkflowExecutionFailed",
    "ChildWorkflowExecutionStarted",
    "ChildWorkflowExecutionCompleted",
    "ChildWorkflowExecutionFailed",
    "ChildWorkflowExecutionTimedOut",
    "ChildWorkflowExecutionCanceled",
    "ChildWorkflowExecutionTerminated",
    "SignalExternalWorkflowExecutionInitiated",
    "SignalExternalWorkflowExecutionFailed",
    "ExternalWorkflowExecutionSignaled",
    "RequestCancelExternalWorkflowExecutionInitiated",
    "RequestCancelExternalWorkflowExecutionFailed",
    "ExternalWorkflowExecutionCancelRequested",
    "LambdaFunctionScheduled",
    "LambdaFunctionStarted",
    "LambdaFunctionCompleted",
    "LambdaFunctionFailed",
    "LambdaFunctionTimedOut",
    "ScheduleLambdaFunctionFailed",
    "StartLambdaFunctionFailed",
)
"""All of SWF's event types, in the order of its service model (swf-reference 6.8)."""

DECISION_KINDS: dict[str, str] = {
    "ActivityTaskScheduled": "activity",
    "ScheduleActivityTaskFailed": "activity",
    "ActivityTaskCancelRequested": "cancel_activity",
    "RequestCancelActivityTaskFailed": "cancel_activity",
    "LambdaFunctionScheduled": "lambda",
    "ScheduleLambdaFunctionFailed": "lambda",
    "TimerStarted": "timer",
    "StartTimerFailed": "timer",
    "TimerCanceled": "cancel_timer",
    "CancelTimerFailed": "cancel_timer",
    "MarkerRecorded": "marker",
    "RecordMarkerFailed": "marker",
    "StartChildWorkflowExecutionInitiated": "child",
    "StartChildWorkflowExecutionFailed": "child",
    "SignalExternalWorkflowExecutionInitiated": "external_signal",
    "RequestCancelExternalWorkflowExecutionInitiated": "external_cancel",
    "WorkflowExecutionCompleted": "close",
    "CompleteWorkflowExecutionFailed": "close",
    "WorkflowExecutionFailed": "close",
    "FailWorkflowExecutionFailed": "close",
    "WorkflowExecutionCanceled": "close",
    "CancelWorkflowExecutionFailed": "close",
    "WorkflowExecutionContinuedAsNew": "close",
    "ContinueAsNewWorkflowExecutionFailed": "close",
}
"""Events recorded by an answer, and the kind of command each one answers."""

_ARRIVAL, _DECISION, _CHILD_FAILED, _IGNORED, _STARTED, _COMPLETED, _TIMED_OUT = range(7)


def attributes_key(event_type: str) -> str:
    """The member of an event that holds its attributes."""
    return f"{event_type[0].lower()}{event_type[1:]}EventAttributes"


def _classify(event_type: str) -> int:
    special = {
        "DecisionTaskScheduled": _IGNORED,
        "DecisionTaskStarted": _STARTED,
        "DecisionTaskCompleted": _COMPLETED,
        "DecisionTaskTimedOut": _TIMED_OUT,
        "StartChildWorkflowExecutionFailed": _CHILD_FAILED,
    }
    return special.get(event_type, _DECISION if event_type in DECISION_KINDS else _ARRIVAL)


_CLASSES = {name: (_classify(name), attributes_key(name)) for name in EVENT_TYPES}
_OF_A_LATER_SERVICE = _IGNORED, ""
"""An event type that is not known here: nothing here asked for it."""


def epoch_s(timestamp: Any) -> float:
    """Epoch seconds of an event's timestamp, to the millisecond. boto3 gives datetimes, the wire numbers."""
    return round(float(timestamp if isinstance(timestamp, (int, float)) else timestamp.timestamp()), 3)


class Turn:
    """One decision: what had arrived, the task's start, and (on replay) what the answer recorded."""

    __slots__ = ("arrivals", "completed", "decisions", "held", "legacy", "started_at", "started_id", "void_starts")

    def __init__(self, arrivals: list[Happening], started: Event, void_starts: list[tuple[int, Event]]) -> None:
        self.arrivals = arrivals
        self.started_id: int = started["eventId"]
        """Id of the DecisionTaskStarted event."""
        self.started_at: Any = started["eventTimestamp"]
        """As it came (`epoch_s`): few decisions ask what time it is."""
        self.completed: Event | None = None
        self.decisions: list[Happening] = []
        self.void_starts = void_starts
        """Starts that timed out, each with the number of arrivals before it."""
        self.legacy = False
        """True if 2.0.0, or anything else that leaves no stamp, answered it."""
        self.held = 0
        """How many commands the answer held back."""

    def complete(self, event: Event) -> None:
        """Note the DecisionTaskCompleted and read its stamp."""
        self.completed = event
        stamp = read_stamp(event["decisionTaskCompletedEventAttributes"].get("executionContext"))
        if stamp is None:
            self.legacy = True
        elif stamp:
            self.held = int(stamp.get("held", 0))


def read_stamp(context: str | None) -> dict[str, Any] | None:
    """What this decider put into an execution context, or None if somebody else wrote it."""
    if context == '{"pyflow":3}':  # by far the most frequent one
        return {}
    if not context or not context.startswith('{"' + STAMP + '"'):
        return None
    try:
        stamp = json.loads(context)
    except ValueError:
        return None
    return stamp if isinstance(stamp, dict) and stamp.get(STAMP) == GENERATION else None


def read_status(context: str | None) -> Any:
    """What ``swf.set_status`` put into an execution context; None if nothing did."""
    stamp = read_stamp(context)
    return stamp.get("status") if stamp else None


class HistoryReader:
    """Takes events as they come and gives turns. Remembers the turn that is still unanswered."""

    __slots__ = ("_arrivals", "_between", "_live", "_open", "_sink", "_turn", "_voids", "last_event_id")

    def __init__(self) -> None:
        self.last_event_id = 0
        self._live: Turn | None = None
        self._turn: Turn | None = None
        self._open: Event | None = None
        self._arrivals: list[Happening] = []
        self._between: list[Happening] = []
        self._sink = self._arrivals
        self._voids: list[tuple[int, Event]] = []

    def read(self, events: Iterable[Event], started_event_id: int) -> Iterator[Turn]:
        """Give turns as they are complete. First, where there is one, the turn that was live before and is answered
        now; last the live one, unless the history is that of a closed execution (``started_event_id`` is 0).

        Raises StaleExecutionError if the events do not follow what was read before.
        """
        turn = self._turn
        whole: Turn | None = None
        completed_id = turn.completed["eventId"] if turn is not None and turn.completed is not None else 0
        due = self.last_event_id + 1
        for event in events:
            event_id = event["eventId"]
            if event_id != due:
                if event_id < due:
                    continue
                raise StaleExecutionError(
                    f"events do not follow: event {due} is due, event {event_id} was given. Evict the execution and "
                    f"read its whole history again."
                )
            due += 1
            event_type = event["eventType"]
            kind, key = _CLASSES.get(event_type, _OF_A_LATER_SERVICE)
            if kind == _ARRIVAL:
                self._sink.append((event_type, event[key], event))
            elif kind == _IGNORED:
                continue
            elif kind == _DECISION:
                attributes = event[key]
                own = turn is not None and attributes["decisionTaskCompletedEventId"] == completed_id
                (turn.decisions if own and turn is not None else self._sink).append((event_type, attributes, event))
            elif kind == _STARTED:
                if whole is not None:
                    yield whole
                    whole = None
                self._open = event
                self._sink = self._between
            elif kind == _COMPLETED:
                whole = turn = self._complete(event)
                completed_id = event_id
            elif kind == _TIMED_OUT:
                self._void(event)
            elif kind == _CHILD_FAILED:
                attributes = event[key]
                at_once = not attributes.get("initiatedEventId")
                (turn.decisions if at_once and turn is not None else self._sink).append((event_type, attributes, event))
        self.last_event_id = due - 1
        if whole is not None:
            yield whole
        if started_event_id:
            yield self._live_turn(started_event_id)

    def _complete(self, event: Event) -> Turn:
        turn = self._live
        if turn is None:
            if self._open is None:
                raise StaleExecutionError(f"event {event['eventId']} completes a decision task that never started")
            turn = Turn(self._arrivals, self._open, self._voids)
        self._live = None
        turn.complete(event)
        self._turn = turn
        self._open = None
        self._voids = []
        self._arrivals, self._between = self._between, []
        self._sink = self._arrivals
        return turn

    def _void(self, event: Event) -> None:
        if self._live is not None:
            raise StaleExecutionError(
                f"event {event['eventId']}: the decision task answered from here timed out, so the answer was not "
                f"accepted. Evict the execution and read its whole history again."
            )
        if self._open is not None:
            self._voids.append((len(self._arrivals), self._open))
            self._arrivals += self._between
            self._between.clear()
            self._open = None
        self._sink = self._arrivals

    def _live_turn(self, started_event_id: int) -> Turn:
        if self._open is None or self._open["eventId"] != started_event_id:
            raise StaleExecutionError(
                f"the events end at {self.last_event_id} without the start of the decision task, event "
                f"{started_event_id}. A page may be missing: read the history again."
            )
        self._live = Turn(self._arrivals, self._open, [])
        self._open = None  # a parked execution keeps as little of history as it can
        self._arrivals = []
        self._voids = []
        return self._live
