"""Exceptions as failures of the contract."""

from __future__ import annotations

import json

from pyflow_activity import ActivityFailure
from pyflow_activity.failures import failure_of


def caught(function: object) -> BaseException:
    try:
        function()  # type: ignore[operator]
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


def test_type_message_and_stack() -> None:
    def fails() -> None:
        raise KeyError("name")

    failure = failure_of(caught(fails))
    assert (failure.type, failure.message, failure.source_language) == ("KeyError", "'name'", "python")
    assert "in fails" in failure.stack_trace
    assert failure.stack_trace.endswith("KeyError: 'name'\n")
    assert not failure.non_retryable
    assert not failure.HasField("cause")
    assert not failure.HasField("details")


def test_everything_an_author_can_say() -> None:
    failure = failure_of(ActivityFailure("Refused", "no", {"n": 1}, non_retryable=True, next_retry_delay_s=2.25))
    assert (failure.type, failure.message, failure.non_retryable) == ("Refused", "no", True)
    assert json.loads(failure.details.data) == {"n": 1}
    assert (failure.next_retry_delay.seconds, failure.next_retry_delay.nanos) == (2, 250_000_000)


def test_chain_of_causes_and_contexts() -> None:
    def fails() -> None:
        try:
            try:
                int("x")
            except ValueError:
                raise KeyError("in between")  # noqa: B904 - the context is the point
        except KeyError as error:
            raise RuntimeError("top") from error

    failure = failure_of(caught(fails))
    assert [failure.type, failure.cause.type, failure.cause.cause.type] == ["RuntimeError", "KeyError", "ValueError"]
    assert not failure.cause.cause.HasField("cause")
    assert "ValueError" not in failure.stack_trace, "each level tells its own stack only"


def test_suppressed_context_is_no_cause() -> None:
    def fails() -> None:
        try:
            int("x")
        except ValueError:
            raise RuntimeError("top") from None

    assert not failure_of(caught(fails)).HasField("cause")


def test_depth_is_limited_and_circles_end() -> None:
    first, second = ValueError("1"), ValueError("2")
    first.__cause__, second.__cause__ = second, first
    failure = failure_of(first)
    assert failure.cause.message == "2"
    assert not failure.cause.HasField("cause")
    top = ValueError("0")
    error = top
    for number in range(40):
        error.__cause__ = ValueError(str(number))
        error = error.__cause__
    depth, level = 0, failure_of(top, 3)
    while level.HasField("cause"):
        depth, level = depth + 1, level.cause
    assert depth == 3


def test_odd_exceptions_get_through() -> None:
    class Broken(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no text")

    assert "its text cannot be had" in failure_of(Broken()).message
    assert failure_of(ValueError("\ud800")).message == "\\ud800"
    unwritable = failure_of(ActivityFailure("T", details=object()))
    assert "pyflow.unwritable" in json.loads(unwritable.details.data)
    assert failure_of(SystemExit(3)).type == "SystemExit"
    assert not failure_of(ActivityFailure("T", next_retry_delay_s=float("nan"))).HasField("next_retry_delay")
