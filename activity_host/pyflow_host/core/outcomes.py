"""An Outcome of the contract as the call that reports it to SWF."""

from __future__ import annotations

from dataclasses import dataclass

import orjson
from pyflow_api.v1 import failure_pb2, payload_pb2
from pyflow_api.v1 import worker_pb2 as pb

from pyflow_host.core.effects import Call
from pyflow_host.core.failures import INVALID_OUTCOME, RESULT_TOO_LARGE, host_failure, reason_and_details
from pyflow_host.core.limits import CONTENT_TYPE_CHARS_MAX, PROGRESS_CHARS_MAX, RESULT_CHARS_MAX
from pyflow_host.core.values import swf_length

JSON_TYPES = ("", "application/json")


@dataclass(slots=True)
class Report:
    """A call to SWF without its taskToken. `invalid` says why the worker's outcome was replaced by a failure."""

    call: Call
    members: dict[str, str]
    invalid: str = ""


class Unreadable(Exception):
    """A payload that cannot go to SWF; the message says why, `kind` is the failure's type."""

    def __init__(self, message: str, kind: str = INVALID_OUTCOME) -> None:
        super().__init__(message)
        self.kind = kind


def report_of(outcome: pb.Outcome, last_progress: str | None, result_chars_max: int = RESULT_CHARS_MAX) -> Report:
    """The report for `outcome`, which must not be WillCompleteLater."""
    kind = outcome.WhichOneof("result")
    try:
        if kind == "completed":
            return _completed(outcome.completed, result_chars_max)
        if kind == "failed":
            return failed(outcome.failed, last_progress)
        if kind == "canceled":
            return _canceled(outcome.canceled)
    except Unreadable as error:
        return invalid_outcome(str(error), error.kind)
    return invalid_outcome("The worker sent an outcome without any result, or of a kind this host does not know.")


def failed(failure: failure_pb2.Failure, last_progress: str | None, invalid: str = "") -> Report:
    """The report of a failure."""
    reason, details = reason_and_details(failure, last_progress)
    return Report(Call.FAILED, {"reason": reason, "details": details}, invalid)


def invalid_outcome(message: str, kind: str = INVALID_OUTCOME) -> Report:
    """The failure reported in the place of an outcome that cannot be."""
    return failed(host_failure(kind, message, non_retryable=True), None, invalid=message)


def progress_text(payload: payload_pb2.Payload) -> str:
    """Progress details as SWF's text; raises Unreadable."""
    return payload_text(payload, "The progress details", PROGRESS_CHARS_MAX)


def payload_text(payload: payload_pb2.Payload, what: str, chars_max: int) -> str:
    """The JSON text of a payload; raises Unreadable when it is none or too long."""
    if payload.content_type not in JSON_TYPES:
        given = payload.content_type[:CONTENT_TYPE_CHARS_MAX]
        raise Unreadable(f"{what} have the content type {given!r}; this host knows application/json.")
    try:
        text = payload.data.decode()
        orjson.loads(text)
    except UnicodeDecodeError as error:
        raise Unreadable(f"{what} are not UTF-8: byte {error.start} cannot be read.") from error
    except orjson.JSONDecodeError as error:
        raise Unreadable(f"{what} are not JSON: {error}.") from error
    length = swf_length(text)
    if length > chars_max:
        message = (
            f"{what} have {length} characters; {chars_max} are the most. Store them elsewhere and return a reference."
        )
        raise Unreadable(message, RESULT_TOO_LARGE)
    return text


def _completed(completed: pb.Completed, result_chars_max: int) -> Report:
    if not completed.HasField("result"):
        return Report(Call.COMPLETED, {})
    return Report(Call.COMPLETED, {"result": payload_text(completed.result, "The result's data", result_chars_max)})


def _canceled(canceled: pb.Canceled) -> Report:
    if not canceled.HasField("details"):
        return Report(Call.CANCELED, {})
    return Report(Call.CANCELED, {"details": payload_text(canceled.details, "The details", RESULT_CHARS_MAX)})
