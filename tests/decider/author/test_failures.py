"""What a failed invocation tells the author: reason and details as in 2.0.0, structured failures with their causes."""

from __future__ import annotations

import json
import traceback
from typing import Any

import pyflow
import pytest
from pyflow.testing import Stepper

DETAILS = json.dumps(
    {
        "pyflow.failure": 1,
        "type": "ChargeFailed",
        "message": "card refused",
        "stack_trace": "charge.rb:12:in `charge'\nworker.rb:3:in `run'",
        "cause": {
            "type": "Net::ReadTimeout",
            "message": "no answer",
            "stack_trace": "http.rb:7",
            "cause": {"type": "Errno::ETIMEDOUT", "message": "", "stack_trace": "", "cause": None},
            "source_language": "ruby",
        },
        "details": {"card": "x1"},
        "non_retryable": True,
        "next_retry_delay_s": 2.5,
        "source_language": "ruby",
    }
)


@pytest.mark.parametrize(
    ("reason", "details", "text"),
    [(None, None, ""), ("R", None, "R"), (None, "D", "D"), ("R", "D", "R: D"), ("R", "", "R"), ("R", "{}", "R: {}")],
)
def test_text_as_in_two(reason: str | None, details: str | None, text: str) -> None:
    for kind in (pyflow.InvocationFailedException, pyflow.InvocationCanceledException):
        error = kind(reason, details)
        assert str(error) == text
        assert (error.reason, error.details) == (reason, details)


def test_a_structured_failure() -> None:
    error = pyflow.InvocationFailedException("ChargeFailed", DETAILS)
    failure = error.failure
    assert failure is not None
    assert (failure.type, failure.message, failure.source_language) == ("ChargeFailed", "card refused", "ruby")
    assert failure.details == {"card": "x1"}
    assert failure.non_retryable
    assert failure.next_retry_delay_s == 2.5
    assert failure.cause is not None
    assert failure.cause.cause is not None
    assert failure.cause.cause.type == "Errno::ETIMEDOUT"
    assert error.details == DETAILS
    assert str(error) == (
        "ChargeFailed: card refused [ruby]\n"
        "  caused by Net::ReadTimeout: no answer [ruby]\n"
        "  caused by Errno::ETIMEDOUT"
    )


def test_the_cause_chain_is_in_the_traceback() -> None:
    try:
        raise pyflow.InvocationFailedException("ChargeFailed", DETAILS)
    except pyflow.InvocationFailedException as error:
        text = "".join(traceback.format_exception(error))
    assert text.index("Errno::ETIMEDOUT") < text.index("Net::ReadTimeout: no answer") < text.index("charge.rb:12")
    assert "    worker.rb:3:in `run'" in text


@pytest.mark.parametrize(
    "details", ["", "plain", '{"a": 1}', '{"pyflow.failure": ', '["pyflow.failure"]', '"pyflow.failure"']
)
def test_other_details_are_no_failure(details: str) -> None:
    assert pyflow.Failure.parse(details) is None


def test_an_endless_chain_is_cut() -> None:
    link: dict[str, Any] = {"type": "T"}
    for _ in range(200):
        link = {"type": "T", "cause": link}
    failure = pyflow.Failure.parse(json.dumps({"pyflow.failure": 1, **link}))
    depth = 0
    while failure is not None:
        failure, depth = failure.cause, depth + 1
    assert depth == 50


class Unhandled(pyflow.Workflow):
    NAME = "Unhandled"
    charge = pyflow.ActivityDescriptor("charge", "1.0")

    def run(self, given: Any) -> Any:
        return self.charge(given).result()


def test_a_failure_that_nobody_handles_is_told_in_full_by_the_workflow() -> None:
    with Stepper(Unhandled) as step:
        step.decide()
        step.history.activity_failed("activity1", "ChargeFailed", DETAILS)
        attributes = step.attributes(step.decide().decisions[-1])
        assert attributes["reason"] == "Caught exception while executing workflow ('Unhandled', '1.0')"
        details = attributes["details"]
        assert "Net::ReadTimeout: no answer" in details
        assert "charge.rb:12" in details
        assert "test_failures.py" in details
        assert "core/hub.py" not in details  # the traceback begins at the workflow's own code


def test_timeouts_name_their_type() -> None:
    class Times(pyflow.Workflow):
        NAME = "Times"
        work = pyflow.ActivityDescriptor("work", "1.0")

        def run(self, given: Any) -> Any:
            try:
                self.work().result()
            except pyflow.InvocationTimedOutException as error:
                return [str(error), error.timeout_type]

    with Stepper(Times) as step:
        step.decide()
        step.history.activity_timed_out("activity1", "HEARTBEAT")
        result = json.loads(step.attributes(step.decide().decisions[-1])["result"])
        assert result == ["InvocationStep 'activity1' timed out", "HEARTBEAT"]
