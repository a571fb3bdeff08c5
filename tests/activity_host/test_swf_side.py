"""What errors of SWF mean for a task."""

from __future__ import annotations

import pytest
from pyflow.swf.faults import refusal
from pyflow_host.core.values import Said
from pyflow_host.swf_side import said_of


@pytest.mark.parametrize("value", ["the secret", "it's 'quoted' at 'times'", "two\nlines", ""])
def test_values_that_swf_quotes_are_not_passed_on(value: str) -> None:
    detail = f"Value '{value}' at 'result' failed to satisfy constraint: Member must have length less than or equal to"
    twice = f"2 validation errors detected: {detail} 32768; {detail.replace('result', 'taskToken')} 1024"
    said = said_of(refusal("RespondActivityTaskCompleted", "ValidationException", twice, 400))
    assert said.said is Said.INVALID
    assert not value or value not in said.message
    for word in ("a value at 'result' failed", "32768", "a value at 'taskToken' failed", "1024"):
        assert word in said.message


def test_codes() -> None:
    def said(code: str, message: str = "", status: int = 400) -> Said:
        return said_of(refusal("RespondActivityTaskCompleted", code, message, status)).said

    assert said("UnknownResourceFault", "Unknown activity, scheduledEventId = 5") is Said.GONE
    assert said("ThrottlingException") is Said.LATER
    assert said("InternalFailure", status=500) is Said.LATER
    assert said("ExpiredTokenException") is Said.LATER
    assert said("NobodyKnowsThis") is Said.INVALID
