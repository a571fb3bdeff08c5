"""Python exceptions as failures of the contract."""

from __future__ import annotations

import math
import traceback
from types import TracebackType

from google.protobuf import duration_pb2
from pyflow_api.v1 import failure_pb2, payload_pb2

from pyflow_activity.errors import ActivityFailure, BadResult
from pyflow_activity.payloads import encoded

CAUSE_DEPTH_MAX = 16
LANGUAGE = "python"
MESSAGE_CHARS_MAX = 32_768
STACK_CHARS_MAX = 65_536
"""More than SWF takes; the host cuts further."""
FAILURE_BYTES_MAX = 2 * 1024 * 1024
"""Half of a frame: a failure must always fit into one."""
_OWN_PACKAGE = "pyflow_activity"


def failure_of(error: BaseException, cause_depth_max: int = CAUSE_DEPTH_MAX) -> failure_pb2.Failure:
    """The failure, with its causes."""
    failure = _one(error)
    level, seen, inner = failure, {id(error)}, _cause(error)
    for _ in range(cause_depth_max):
        if inner is None or id(inner) in seen:
            break
        seen.add(id(inner))
        level.cause.CopyFrom(_one(inner))
        level, inner = level.cause, _cause(inner)
    if failure.ByteSize() > FAILURE_BYTES_MAX:
        failure.ClearField("cause")  # a long chain of long causes: SWF would keep none of it
    return failure


def _one(error: BaseException) -> failure_pb2.Failure:
    failure = failure_pb2.Failure(
        type=_unicode(type(error).__name__),
        message=_unicode(_message(error))[:MESSAGE_CHARS_MAX],
        stack_trace=_unicode(_stack(error)),
        source_language=LANGUAGE,
    )
    if isinstance(error, ActivityFailure):
        failure.type = _unicode(error.type) or type(error).__name__
        failure.message = _unicode(error.message)[:MESSAGE_CHARS_MAX]
        failure.non_retryable = error.non_retryable
        if error.details is not None:
            failure.details.CopyFrom(_details(error.details))
        if error.next_retry_delay_s is not None and 0 <= error.next_retry_delay_s < math.inf:
            nanos = round(error.next_retry_delay_s * 1e9)
            failure.next_retry_delay.CopyFrom(
                duration_pb2.Duration(seconds=nanos // 1_000_000_000, nanos=nanos % 1_000_000_000)
            )
    return failure


def _details(details: object) -> payload_pb2.Payload:
    try:
        return payload_pb2.Payload(data=encoded(details))
    except BadResult as unwritable:  # the failure itself must get through
        return payload_pb2.Payload(data=encoded({"pyflow.unwritable": unwritable.message}))


def _cause(error: BaseException) -> BaseException | None:
    if error.__cause__ is not None:
        return error.__cause__
    return None if error.__suppress_context__ else error.__context__


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as broken:
        return f"(its text cannot be had: {type(broken).__name__})"


def _stack(error: BaseException) -> str:
    frames = error.__traceback__
    while frames is not None and _is_own(frames) and frames.tb_next is not None:
        frames = frames.tb_next
    try:
        text = "".join(traceback.format_exception(type(error), error, frames, chain=False))
    except Exception as broken:
        return f"(its stack cannot be had: {type(broken).__name__})"
    return text if len(text) <= STACK_CHARS_MAX else text[: STACK_CHARS_MAX // 2] + text[-STACK_CHARS_MAX // 2 :]


def _is_own(frame: TracebackType) -> bool:
    module = str(frame.tb_frame.f_globals.get("__name__", ""))
    return module == _OWN_PACKAGE or module.startswith(f"{_OWN_PACKAGE}.")


def _unicode(text: str) -> str:
    """Protobuf takes no half surrogate pairs."""
    return text.encode("utf-8", "backslashreplace").decode()
