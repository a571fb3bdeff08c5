"""The boto3 transport: one call through a boto3 SWF client, answers back in wire form, errors as `SwfError`."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore import exceptions as boto
from botocore import xform_name

from pyflow.swf.api import HOT_OPERATIONS, JsonObject
from pyflow.swf.faults import (
    AnswerLost,
    AuthFailed,
    CredentialsExpired,
    NotConfigured,
    SwfError,
    Unreachable,
    ValidationFailed,
    refusal,
)

if TYPE_CHECKING:
    from mypy_boto3_swf.client import SWFClient

_METHOD_OF = {operation: xform_name(operation) for operation in HOT_OPERATIONS}


RENEW_AGAIN_AFTER_S = 5.0
"""Between two clients made because credentials had expired, in seconds."""

CLASSES_REMEMBERED_MAX = 256
"""Pairs of our error classes and botocore's; each client brings fault classes of its own."""


class BotoTransport:
    """Sends calls through `client`, whatever its configuration; see `SwfTransport`.

    With `renew`, a new client is made after SWF has said that the credentials have expired: botocore reads those of a
    file once only, and somebody else may have rotated them since.
    """

    def __init__(self, client: SWFClient, *, renew: Callable[[], SWFClient] | None = None) -> None:
        self._client = client
        self._renew = renew
        self._renewed_at_s = float("-inf")
        self._lock = threading.Lock()

    def call(self, operation: str, request: JsonObject) -> JsonObject:
        """See `SwfTransport.call`."""
        method = getattr(self._client, _METHOD_OF.get(operation) or xform_name(operation))
        try:
            answer: JsonObject = method(**request)
        except (boto.BotoCoreError, boto.ClientError) as error:
            said = swf_error(operation, error)
            if isinstance(said, CredentialsExpired):
                self._renew_client()
            raise said from error
        if _is_garbled(answer):
            raise AnswerLost("the answer came in part or is not JSON", operation=operation, code="NotJson")
        return wire(answer)

    def close(self) -> None:
        """The client is its owner's to close."""

    def _renew_client(self) -> None:
        if self._renew is None:
            return
        with self._lock:
            if time.monotonic() - self._renewed_at_s < RENEW_AGAIN_AFTER_S:
                return
            self._renewed_at_s = time.monotonic()
            self._client = self._renew()


def swf_error(operation: str, error: Exception) -> SwfError:
    """The typed error for what botocore raised."""
    if isinstance(error, boto.ClientError):
        answer = error.response
        said = answer.get("Error", {})
        about = answer.get("ResponseMetadata", {})
        return refusal(
            operation,
            said.get("Code", ""),
            said.get("Message", "") or "",
            about.get("HTTPStatusCode", 0),
            about.get("RequestId"),
        )
    kind, message = _judged(error)
    return kind(message, operation=operation, code=type(error).__name__)


def as_both(ours: SwfError, theirs: Exception) -> SwfError:
    """`ours`, which an `except` for the class of `theirs` catches too, with all that `theirs` carries.

    pyflow-swf 2.0.0 let botocore's exceptions through, and its programs catch them: `ClientError`, a client's own
    `exceptions.UnknownResourceFault`. Both kinds are plain Python exceptions, so one object can be both.
    """
    both = _class_of_both(type(ours), type(theirs))  # type: ignore[arg-type]  # classes are hashable, mypy errs
    error = both.__new__(both)
    error.__dict__.update({**theirs.__dict__, **ours.__dict__})
    error.args = ours.args
    return error


@functools.lru_cache(maxsize=CLASSES_REMEMBERED_MAX)
def _class_of_both(ours: type[SwfError], theirs: type[Exception]) -> type[SwfError]:
    return type(ours.__name__, (ours, theirs), {"__module__": ours.__module__})


def _judged(error: Exception) -> tuple[type[SwfError], str]:
    """Which kind of failure a botocore exception is."""
    text = str(error)
    match error:
        # Order matters: EndpointConnectionError and ConnectTimeoutError are ConnectionErrors that sent nothing.
        case boto.EndpointConnectionError() | boto.ConnectTimeoutError() | boto.ProxyConnectionError():
            return Unreachable, text
        case boto.SSLError():
            return Unreachable, f"The encrypted connection could not be set up: {text}"
        case boto.ReadTimeoutError() | boto.ConnectionClosedError() | boto.HTTPClientError():
            return AnswerLost, text
        case boto.ResponseStreamingError() | boto.IncompleteReadError():
            return AnswerLost, text
        case boto.NoCredentialsError() | boto.PartialCredentialsError() | boto.NoRegionError():
            return NotConfigured, text
        case boto.SSOTokenLoadError() | boto.UnauthorizedSSOTokenError() | boto.TokenRetrievalError():
            return CredentialsExpired, text
        case boto.CredentialRetrievalError() | boto.MetadataRetrievalError():
            return CredentialsExpired, text
        case boto.ParamValidationError():
            return ValidationFailed, text
        case _:
            # A body that cannot be parsed (ResponseParserError) and whatever later versions of botocore add.
            return (AnswerLost, text) if "pars" in type(error).__name__.lower() else (AuthFailed, text)


def _is_garbled(answer: JsonObject) -> bool:
    """True when a body came that botocore could make nothing of: it then gives an empty answer without a word."""
    if len(answer) != 1 or "ResponseMetadata" not in answer:
        return False
    length = str(answer["ResponseMetadata"].get("HTTPHeaders", {}).get("content-length", "0"))
    return length.isdigit() and int(length) > len("{}")


def wire(answer: JsonObject) -> JsonObject:
    """`answer` as SWF sent it: no ResponseMetadata, event timestamps as floats. Changes and returns `answer`."""
    answer.pop("ResponseMetadata", None)
    events = answer.get("events")
    if events:
        answer["events"] = [wire_event(event) for event in events]
    return answer


def wire_event(event: JsonObject) -> JsonObject:
    """A history event with its timestamp as a float; the event itself when it is one already."""
    timestamp: Any = event.get("eventTimestamp")
    if isinstance(timestamp, datetime):
        return {**event, "eventTimestamp": timestamp.timestamp()}
    return event
