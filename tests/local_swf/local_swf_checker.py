"""Checks a history on its own: ids, references, one end for everything that began (I2 to I4 of the fault plan)."""

from __future__ import annotations

from typing import Any

# member -> the event types it may point to; all references point backward
_REFERENCES: dict[str, dict[str, str]] = {
    "DecisionTaskCompleted": {"scheduledEventId": "DecisionTaskScheduled", "startedEventId": "DecisionTaskStarted"},
    "DecisionTaskStarted": {"scheduledEventId": "DecisionTaskScheduled"},
    "DecisionTaskTimedOut": {"scheduledEventId": "DecisionTaskScheduled", "startedEventId": "DecisionTaskStarted"},
    "ActivityTaskStarted": {"scheduledEventId": "ActivityTaskScheduled"},
    "ActivityTaskCompleted": {"scheduledEventId": "ActivityTaskScheduled", "startedEventId": "ActivityTaskStarted"},
    "ActivityTaskFailed": {"scheduledEventId": "ActivityTaskScheduled", "startedEventId": "ActivityTaskStarted"},
    "ActivityTaskTimedOut": {"scheduledEventId": "ActivityTaskScheduled", "startedEventId": "ActivityTaskStarted"},
    "ActivityTaskCanceled": {"scheduledEventId": "ActivityTaskScheduled", "startedEventId": "ActivityTaskStarted"},
    "TimerFired": {"startedEventId": "TimerStarted"},
    "TimerCanceled": {"startedEventId": "TimerStarted"},
    "ChildWorkflowExecutionStarted": {"initiatedEventId": "StartChildWorkflowExecutionInitiated"},
    "LambdaFunctionStarted": {"scheduledEventId": "LambdaFunctionScheduled"},
    "LambdaFunctionCompleted": {"scheduledEventId": "LambdaFunctionScheduled"},
    "LambdaFunctionFailed": {"scheduledEventId": "LambdaFunctionScheduled"},
}  # fmt: skip
_ENDS = {
    "DecisionTaskStarted": ("startedEventId", {"DecisionTaskCompleted", "DecisionTaskTimedOut"}),
    "ActivityTaskScheduled": (
        "scheduledEventId",
        {"ActivityTaskCompleted", "ActivityTaskFailed", "ActivityTaskTimedOut", "ActivityTaskCanceled"},
    ),
    "TimerStarted": ("startedEventId", {"TimerFired", "TimerCanceled"}),
}
CLOSES = {f"WorkflowExecution{how}" for how in ("Completed", "Failed", "Canceled", "TimedOut", "Terminated")} | {
    "WorkflowExecutionContinuedAsNew"
}


def attributes_of(event: dict[str, Any]) -> dict[str, Any]:
    """An event's attributes."""
    kind = event["eventType"]
    found: dict[str, Any] = event[kind[0].lower() + kind[1:] + "EventAttributes"]
    return found


def check_history(events: list[dict[str, Any]]) -> None:
    """Assert that a history could have been written by SWF."""
    ids = [event["eventId"] for event in events]
    assert ids == list(range(1, len(events) + 1)), f"event ids are not dense: {ids}"
    stamps = [event["eventTimestamp"] for event in events]
    assert stamps == sorted(stamps), "timestamps go back"
    kinds = [event["eventType"] for event in events]
    assert kinds[:2] == ["WorkflowExecutionStarted", "DecisionTaskScheduled"]
    assert not CLOSES & set(kinds[:-1]), "something follows the close"
    open_decision = 0
    for event in events:
        attributes = attributes_of(event)
        for member, wanted in _REFERENCES.get(event["eventType"], {}).items():
            target = attributes[member]
            if target == 0:
                continue  # "never started"
            assert target < event["eventId"]
            assert kinds[target - 1] == wanted, f"{event} points to {kinds[target - 1]}"
        if event["eventType"] == "DecisionTaskStarted":
            assert open_decision == 0, "two decision tasks are started at once"
            open_decision = event["eventId"]
        elif event["eventType"] in {"DecisionTaskCompleted", "DecisionTaskTimedOut"} and attributes["startedEventId"]:
            assert attributes["startedEventId"] == open_decision
            open_decision = 0
    for kind, (member, ends) in _ENDS.items():
        begun = {event["eventId"] for event in events if event["eventType"] == kind}
        ended = [attributes_of(event)[member] for event in events if event["eventType"] in ends]
        ended = [one for one in ended if one]
        assert len(ended) == len(set(ended)), f"a {kind} ended twice"
        assert set(ended) <= begun
