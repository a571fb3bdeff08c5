"""A Failure of the contract as SWF's reason and details, cut to SWF's limits from the deepest stack upward."""

from __future__ import annotations

from typing import Any

import orjson
from pyflow_api.v1 import failure_pb2, payload_pb2

from pyflow_host.core.limits import CAUSE_DEPTH_MAX
from pyflow_host.core.values import swf_length

REASON_CHARS_MAX = 256
DETAILS_CHARS_MAX = 32_768
FIRST_FRAME_CHARS_MAX = 400
"""What a stack keeps at least: its first frame, in any language."""
MESSAGE_CHARS_KEPT = 1_000
CUT = "... [cut]"
FORMAT_VERSION = 1

WORKER_LOST = "pyflow.WorkerLost"
NO_WORKER = "pyflow.NoWorker"
INVALID_OUTCOME = "pyflow.InvalidOutcome"
RESULT_TOO_LARGE = "pyflow.ResultTooLarge"
INPUT_UNREADABLE = "pyflow.InputUnreadable"
HOST_LANGUAGE = "host"

_Level = dict[str, Any]


def host_failure(kind: str, message: str, *, non_retryable: bool = False) -> failure_pb2.Failure:
    """A failure of the host's own."""
    return failure_pb2.Failure(type=kind, message=message, non_retryable=non_retryable, source_language=HOST_LANGUAGE)


def reason_and_details(failure: failure_pb2.Failure, last_progress: str | None = None) -> tuple[str, str]:
    """SWF's `reason` and `details`. `last_progress` is JSON text and comes back to the next attempt."""
    levels = _levels(failure)
    top = levels[0]
    if last_progress is not None:
        top["last_progress"] = orjson.Fragment(last_progress)
    return _head(failure.type or "Failure", REASON_CHARS_MAX), _fitted(
        {"pyflow.failure": FORMAT_VERSION, **top}, levels
    )


def _levels(failure: failure_pb2.Failure) -> list[_Level]:
    levels = [_level(failure)]
    inner = failure
    while inner.HasField("cause") and len(levels) <= CAUSE_DEPTH_MAX:
        inner = inner.cause
        levels.append(_level(inner))
    return levels


def _level(failure: failure_pb2.Failure) -> _Level:
    delay = failure.next_retry_delay
    return {
        "type": failure.type or "Failure",
        "message": failure.message,
        "stack_trace": failure.stack_trace,
        "cause": None,
        "details": _json(failure.details) if failure.HasField("details") else None,
        "non_retryable": failure.non_retryable,
        "next_retry_delay_s": delay.seconds + delay.nanos / 1e9 if failure.HasField("next_retry_delay") else None,
        "source_language": failure.source_language,
    }


def _json(payload: payload_pb2.Payload) -> object:
    """The payload verbatim, or a note in its place: a failure must not get lost over its details."""
    try:
        orjson.loads(payload.data)
    except orjson.JSONDecodeError:
        return {"pyflow.unreadable": f"{len(payload.data)} bytes that are no JSON"}
    return orjson.Fragment(payload.data)


def _fitted(top: _Level, levels: list[_Level]) -> str:
    """The JSON text of the chain within SWF's limit. Drops what helps a reader least, deepest level first."""
    levels = [top, *levels[1:]]
    excess = _excess(levels)
    for level in reversed(levels):
        if excess <= 0:
            break
        stack = level["stack_trace"]
        level["stack_trace"] = cut_stack(stack, max(FIRST_FRAME_CHARS_MAX, len(stack) - excess - len(CUT)))
        excess = _excess(levels)
    for level in reversed(levels):
        if excess <= 0:
            break
        if level["details"] is not None:
            level["details"] = {"pyflow.cut": "the details did not fit into SWF's 32,768 characters"}
        level["message"] = _head(level["message"], MESSAGE_CHARS_KEPT)
        level["type"] = _head(level["type"], REASON_CHARS_MAX)
        excess = _excess(levels)
    while excess > 0 and len(levels) > 1:
        levels.pop()
        excess = _excess(levels)
    if excess > 0:  # only text that JSON writes six times as long can get here
        top.update(message=_head(top["message"], 200), stack_trace="", source_language="")
    return _text(levels)


def _excess(levels: list[_Level]) -> int:
    return swf_length(_text(levels)) - DETAILS_CHARS_MAX


def _text(levels: list[_Level]) -> str:
    chain: _Level | None = None
    for level in reversed(levels):
        chain = {**level, "cause": chain}
    return orjson.dumps(chain).decode()


def cut_stack(stack: str, chars_max: int) -> str:
    """`stack` in at most about `chars_max` characters: its first frame, and the end where the error was raised.

    Python prints the innermost frame last, Ruby and Java print it first: what is kept besides the first frame is the
    part next to the error.
    """
    if len(stack) <= chars_max:
        return stack
    if not stack.startswith("Traceback (most recent call last)") or chars_max <= FIRST_FRAME_CHARS_MAX:
        return _whole_lines(stack[:chars_max]) + "\n" + CUT
    first = _whole_lines(stack[:FIRST_FRAME_CHARS_MAX])
    return f"{first}\n{CUT}\n{stack[-(chars_max - len(first)) :].partition(chr(10))[2]}"


def _whole_lines(text: str) -> str:
    head, newline, _ = text.rpartition("\n")
    return head if newline and head else text


def _head(text: str, chars_max: int) -> str:
    if swf_length(text) <= chars_max:
        return text
    room = chars_max - len(CUT)
    kept = text[:room]
    while swf_length(kept) > room:
        kept = kept[: len(kept) - max(1, (swf_length(kept) - room) // 2)]
    return kept + CUT
