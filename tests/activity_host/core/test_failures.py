"""Failures as SWF's reason and details, cut to SWF's limits."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyflow_api.v1 import failure_pb2, payload_pb2
from pyflow_host.core.failures import (
    DETAILS_CHARS_MAX,
    FIRST_FRAME_CHARS_MAX,
    cut_stack,
    host_failure,
    reason_and_details,
)
from pyflow_host.core.values import swf_length


def details_of(failure: failure_pb2.Failure, last_progress: str | None = None) -> dict[str, Any]:
    _, text = reason_and_details(failure, last_progress)
    assert swf_length(text) <= DETAILS_CHARS_MAX
    told: dict[str, Any] = json.loads(text)
    return told


def test_all_members() -> None:
    failure = failure_pb2.Failure(
        type="Bad",
        message="no ü luck",
        stack_trace="at line 1",
        cause=failure_pb2.Failure(type="Deeper", source_language="ruby"),
        details=payload_pb2.Payload(data=b'{"n":12345678901234567890123,"f":1.50}'),
        non_retryable=True,
        source_language="java",
    )
    failure.next_retry_delay.FromMilliseconds(2500)
    reason, text = reason_and_details(failure, '{"at":3}')
    assert reason == "Bad"
    assert '"n":12345678901234567890123,"f":1.50' in text, "details go through verbatim"
    told = json.loads(text)
    assert told["pyflow.failure"] == 1
    assert (told["type"], told["message"], told["stack_trace"]) == ("Bad", "no ü luck", "at line 1")
    assert (told["non_retryable"], told["next_retry_delay_s"], told["source_language"]) == (True, 2.5, "java")
    assert told["last_progress"] == {"at": 3}
    cause = told["cause"]
    assert (cause["type"], cause["cause"], cause["details"], cause["next_retry_delay_s"]) == (
        "Deeper",
        None,
        None,
        None,
    )
    assert "last_progress" not in cause


def test_type_is_cut_to_swfs_reason() -> None:
    reason, _ = reason_and_details(failure_pb2.Failure(type="😀" * 200))
    assert swf_length(reason) <= 256
    assert reason.startswith("😀" * 100)


def test_nameless_failure_gets_a_name() -> None:
    assert reason_and_details(failure_pb2.Failure())[0] == "Failure"


def test_deepest_stack_is_cut_first_and_keeps_its_first_frame() -> None:
    def stack(name: str) -> str:
        return "\n".join(f"{name}.rb:{line}:in 'call'" for line in range(1000))

    failure = failure_pb2.Failure(
        type="Top",
        stack_trace=stack("top")[:15_000],
        cause=failure_pb2.Failure(
            type="Middle",
            stack_trace=stack("middle")[:15_000],
            cause=failure_pb2.Failure(type="Deepest", stack_trace=stack("deepest")[:15_000]),
        ),
    )
    told = details_of(failure)
    deepest = told["cause"]["cause"]["stack_trace"]
    assert deepest.startswith("deepest.rb:0:in 'call'\n")
    assert len(deepest) < 3_000
    assert told["stack_trace"] == stack("top")[:15_000]


def test_python_stack_keeps_the_first_frame_and_the_end() -> None:
    frames = "".join(f'  File "f.py", line {line}, in call\n    call()\n' for line in range(2000))
    stack = f"Traceback (most recent call last):\n{frames}ValueError: the end\n"
    cut = cut_stack(stack, 4_000)
    assert len(cut) <= 4_100
    assert cut.startswith('Traceback (most recent call last):\n  File "f.py", line 0, in call')
    assert cut.endswith("ValueError: the end\n")


def test_huge_message_and_details_fit_too() -> None:
    failure = failure_pb2.Failure(
        type="T" * 1000,
        message="m" * 60_000,
        stack_trace="first frame\n" + "s" * 60_000,
        details=payload_pb2.Payload(data=json.dumps("d" * 40_000).encode()),
    )
    told = details_of(failure, json.dumps("p" * 2_000))
    assert told["message"].startswith("m" * 900)
    assert told["stack_trace"].startswith("first frame")
    assert "pyflow.cut" in told["details"]
    assert told["last_progress"] == "p" * 2_000


def test_details_that_are_no_json_do_not_lose_the_failure() -> None:
    told = details_of(failure_pb2.Failure(type="T", details=payload_pb2.Payload(data=b"\xff")))
    assert told["details"] == {"pyflow.unreadable": "1 bytes that are no JSON"}


def test_long_chains_end_somewhere() -> None:
    failure = failure_pb2.Failure(type="0")
    level = failure
    for number in range(1, 80):
        level.cause.type = str(number)
        level = level.cause
    told: dict[str, Any] | None = details_of(failure)
    depth = 0
    while told is not None:
        told, depth = told["cause"], depth + 1
    assert depth == 17


def test_own_failures() -> None:
    told = details_of(host_failure("pyflow.WorkerLost", "gone"))
    assert (told["source_language"], told["non_retryable"]) == ("host", False)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=400), st.text(max_size=400), st.integers(1, 200)), min_size=1, max_size=18))
def test_whatever_comes_fits_and_reads_back(levels: list[tuple[str, str, int]]) -> None:
    failure = failure_pb2.Failure()
    level = failure
    for position, (message, stack, times) in enumerate(levels):
        if position:
            level.cause.SetInParent()
            level = level.cause
        level.type, level.message, level.stack_trace = f"T{position}", message * times, stack * times
    assert details_of(failure)["type"] == "T0"


@pytest.mark.parametrize("stack", ["", "one line", "x" * 5_000])
def test_stack_of_one_line(stack: str) -> None:
    assert len(cut_stack(stack, FIRST_FRAME_CHARS_MAX)) <= FIRST_FRAME_CHARS_MAX + 10
