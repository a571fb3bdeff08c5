"""Our vocabulary is that of AWS's service model: every event, every decision, every attribute name."""

from __future__ import annotations

import botocore.session
import pytest
from pyflow.core import requests
from pyflow.core.history import DECISION_KINDS, EVENT_TYPES, attributes_key
from pyflow.core.lifecycle import REFERENCES
from pyflow.options import ActivityOptions, ChildOptions, LambdaOptions

MODEL = botocore.session.Session().get_service_model("swf")


def test_event_types_are_those_of_the_model() -> None:
    assert sorted(EVENT_TYPES) == sorted(MODEL.shape_for("EventType").enum)


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_attribute_keys_are_members_of_an_event(event_type: str) -> None:
    assert attributes_key(event_type) in MODEL.shape_for("HistoryEvent").members


@pytest.mark.parametrize("event_type", REFERENCES)
def test_references_are_members(event_type: str) -> None:
    shape = MODEL.shape_for("HistoryEvent").members[attributes_key(event_type)]
    assert REFERENCES[event_type] in shape.members


@pytest.mark.parametrize("event_type", DECISION_KINDS)
def test_events_recorded_by_an_answer_name_it(event_type: str) -> None:
    shape = MODEL.shape_for("HistoryEvent").members[attributes_key(event_type)]
    assert "decisionTaskCompletedEventId" in shape.members


FULL = [
    requests.LambdaRequest("f", "1", LambdaOptions(timeout=5)),
    requests.ActivityRequest(
        "a",
        "1",
        "2",
        ActivityOptions(
            start_to_close_timeout=1,
            schedule_to_start_timeout=2,
            schedule_to_close_timeout="NONE",
            heartbeat_timeout=4,
            task_list="list",
            task_priority=-3,
        ),
    ),
    requests.ChildRequest(
        "c",
        "1",
        "2",
        ChildOptions(
            child_policy="ABANDON",
            lambda_role="role",
            task_list="list",
            execution_start_to_close_timeout=1,
            task_start_to_close_timeout=2,
            task_priority=3,
            tag_list=("a", "b"),
        ),
    ),
    requests.TimerRequest(1.2),
    requests.MarkerRequest("m", "details"),
    requests.ExternalSignalRequest("w", "r", "s", "i"),
    requests.ExternalCancelRequest("w", "r"),
    requests.CancelActivityRequest(),
    requests.CancelTimerRequest(),
    requests.CloseRequest("CompleteWorkflowExecution", {"result": "1"}),
    requests.CloseRequest("FailWorkflowExecution", {"reason": "r", "details": "d"}),
    requests.CloseRequest("CancelWorkflowExecution", {"details": "d"}),
    requests.CloseRequest("ContinueAsNewWorkflowExecution", {"input": "1", "tagList": ["a"]}),
]


@pytest.mark.parametrize("request_", FULL, ids=lambda each: f"{each.kind}-{each.label}")
def test_decisions_are_valid_under_the_model(request_: requests.Request) -> None:
    from botocore.validate import ParamValidator

    decision = request_.decision("id-1", "file.py:1", lambda text: text)
    report = ParamValidator().validate(decision, MODEL.shape_for("Decision"))
    assert not report.has_errors(), report.generate_report()
    assert decision["decisionType"] in MODEL.shape_for("DecisionType").enum
