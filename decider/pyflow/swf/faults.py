"""What can go wrong in talking to SWF, as typed errors that say what happened, whose doing it is and what to do.

    SwfError                        everything below; carries operation, code, message
    |-- NotConfigured               no region, no credentials, unknown profile: nothing was sent
    |-- Unreachable                 no connection: nothing reached SWF                        (retryable)
    |-- AnswerLost                  sent, but no whole answer came: it may have had effect    (retryable with care)
    `-- Refused                     SWF answered with an error
        |-- UnknownResource         domain, type, execution or task is not there or no longer open
        |-- AlreadyExists           domain or type is registered already
        |-- ExecutionAlreadyStarted an open execution has this workflow id
        |-- Deprecated              domain or type is deprecated
        |-- DefaultUndefined        a setting is neither in the request nor among the type's defaults
        |-- LimitExceeded           too many domains, types, open executions or pollers
        |-- Throttled               the account's rate is used up                             (retryable)
        |-- ValidationFailed        SWF does not accept the request as it is
        |-- RequestTooLarge         more than 1 MB
        |-- AuthFailed              credentials missing, wrong or without permission
        |   `-- CredentialsExpired  temporary credentials are past their end                  (retryable after refresh)
        |-- ServerFailed            SWF failed (5xx)                                          (retryable)
        `-- OtherRefusal            any code not known here

Codes and messages: SWF reference sections 1.3 to 1.5. Both transports (boto3 and lean) raise these.
"""

from __future__ import annotations

from typing import ClassVar


class SwfError(Exception):
    """A call to SWF failed.

    `operation` is SWF's name of the call ("PollForDecisionTask"), `code` the error code without its namespace,
    `status` the HTTP status (None when there was no answer), `request_id` SWF's id of the request if it gave one.
    `retryable` tells whether the very same call may succeed later.
    """

    retryable: ClassVar[bool] = False
    what_to_do: ClassVar[str] = ""

    def __init__(
        self,
        message: str,
        *,
        operation: str = "",
        code: str = "",
        status: int | None = None,
        request_id: str | None = None,
        may_have_had_effect: bool = False,
    ) -> None:
        self.message = message
        self.operation = operation
        self.code = code
        self.status = status
        self.request_id = request_id
        self.may_have_had_effect = may_have_had_effect
        """True when an earlier attempt of the same call was sent and its answer lost: it may have been carried out."""
        super().__init__(self._sentence())

    def _sentence(self) -> str:
        parts = [f"{self.operation}: " if self.operation else "", self._what_happened()]
        if advice := self._advice():
            parts.append(f" {advice}")
        if self.request_id:
            parts.append(f" (request id {self.request_id})")
        return "".join(parts)

    def _what_happened(self) -> str:
        return _ended(self.message)

    def _advice(self) -> str:
        return self.what_to_do


class NotConfigured(SwfError):
    """Region, credentials or profile cannot be found; nothing was sent."""


class Unreachable(SwfError):
    """No connection to the endpoint; the call had no effect."""

    retryable = True
    what_to_do = (
        "Is the endpoint right (AWS_ENDPOINT_URL_SWF, AWS_ENDPOINT_URL, profile, region), is it running, "
        "and does the network let you through?"
    )


class AnswerLost(SwfError):
    """The request was sent but its answer did not come, or came in part. It may have been carried out."""

    retryable = True
    what_to_do = "The request may have been carried out. It is the network or the endpoint; the call can be repeated."


class Refused(SwfError):
    """SWF answered with an error."""

    def _what_happened(self) -> str:
        said = f": {self.message}" if self.message else " without further words"
        return _ended(f"SWF refused with {self.code}{said}")


_UNKNOWN = (
    ("Unknown domain", "Register it, or check its name, the region and the endpoint."),
    ("Unknown type", "Register it (deciders and hosts do so as they start), or check name, version and domain."),
    ("Unknown execution", "It is closed or never was: check workflow id, run id and domain."),
    ("Unknown", "What it belongs to has been completed, has timed out or is closed: there is nothing left to answer."),
)
"""What SWF says it does not know, and what to do about it; the first that fits (SWF reference 1.4)."""


class UnknownResource(Refused):
    """The domain, type, execution or task is not there or no longer open (UnknownResourceFault)."""

    what_to_do = "Check the name, the region and the endpoint."

    def _advice(self) -> str:
        return next((advice for start, advice in _UNKNOWN if self.message.startswith(start)), self.what_to_do)

    @property
    def is_unknown_domain(self) -> bool:
        """True when it is the domain that is not there."""
        return self.message.startswith("Unknown domain")


class AlreadyExists(Refused):
    """The domain or type is registered already (DomainAlreadyExistsFault, TypeAlreadyExistsFault)."""

    what_to_do = "It stays as it is; other defaults need another version."


class ExecutionAlreadyStarted(Refused):
    """An open execution has this workflow id."""

    what_to_do = "Choose another workflow id, or wait until the open execution closes."


class Deprecated(Refused):
    """The domain or type is deprecated, or (TypeNotDeprecatedFault) is not yet deprecated."""

    what_to_do = "Use another one or change its status first (Undeprecate..., Deprecate...)."


class DefaultUndefined(Refused):
    """A setting is neither in the request nor among the type's defaults; `message` names it."""

    what_to_do = "Give the setting in the call, or register a version of the type that has a default for it."


class LimitExceeded(Refused):
    """Too many domains, types, open executions or pollers."""

    what_to_do = "Use fewer, or ask AWS for a higher quota."


class Throttled(Refused):
    """The account's rate for this call is used up."""

    retryable = True
    what_to_do = "It is retried later by itself; if it goes on, use fewer pollers or ask AWS for a higher rate."


class ValidationFailed(Refused):
    """SWF does not accept the request as it is; repeating it cannot help."""

    what_to_do = "The request must be changed."


class RequestTooLarge(Refused):
    """The request has more than 1 MB."""

    what_to_do = "SWF takes requests of up to 1 MB: send less at once, or keep large payloads elsewhere."


class AuthFailed(Refused):
    """Credentials are missing, wrong or without permission."""

    what_to_do = "Check the credentials and the permissions (IAM) of whoever they belong to, and the machine's clock."


class CredentialsExpired(AuthFailed):
    """Temporary credentials are past their end."""

    retryable = True
    what_to_do = "Renew them (for example `aws sso login`); the process picks fresh ones up by itself."


class ServerFailed(Refused):
    """SWF failed on its side (5xx)."""

    retryable = True
    what_to_do = "It is SWF's failure and is retried by itself."


class OtherRefusal(Refused):
    """An error code not known here."""


_BY_CODE: dict[str, type[Refused]] = {
    "UnknownResourceFault": UnknownResource,
    "DomainAlreadyExistsFault": AlreadyExists,
    "TypeAlreadyExistsFault": AlreadyExists,
    "WorkflowExecutionAlreadyStartedFault": ExecutionAlreadyStarted,
    "DomainDeprecatedFault": Deprecated,
    "TypeDeprecatedFault": Deprecated,
    "TypeNotDeprecatedFault": Deprecated,
    "DefaultUndefinedFault": DefaultUndefined,
    "LimitExceededFault": LimitExceeded,
    "TooManyTagsFault": LimitExceeded,
    "OperationNotPermittedFault": AuthFailed,
    "ValidationException": ValidationFailed,
    "SerializationException": ValidationFailed,
    "UnknownOperationException": ValidationFailed,
    "RequestEntityTooLargeException": RequestTooLarge,
    "ThrottlingException": Throttled,
    "Throttling": Throttled,
    "TooManyRequestsException": Throttled,
    "RequestLimitExceeded": Throttled,
    "SlowDown": Throttled,
    "ExpiredTokenException": CredentialsExpired,
    "ExpiredToken": CredentialsExpired,
    "RequestExpired": CredentialsExpired,
    "MissingAuthenticationTokenException": AuthFailed,
    "MissingAuthenticationToken": AuthFailed,
    "UnrecognizedClientException": AuthFailed,
    "InvalidClientTokenId": AuthFailed,
    "InvalidSignatureException": AuthFailed,
    "SignatureDoesNotMatch": AuthFailed,
    "IncompleteSignature": AuthFailed,
    "IncompleteSignatureException": AuthFailed,
    "AccessDeniedException": AuthFailed,
    "AccessDenied": AuthFailed,
    "OptInRequired": AuthFailed,
    "InternalFailure": ServerFailed,
    "InternalServerError": ServerFailed,
    "ServiceUnavailable": ServerFailed,
    "ServiceUnavailableException": ServerFailed,
    "RequestTimeout": ServerFailed,
    "RequestTimeoutException": ServerFailed,
}

_HTTP_TOO_LARGE = 413
_HTTP_TOO_MANY = 429
_HTTP_SERVER_ERROR_FIRST = 500


def refusal(operation: str, code: str, message: str, status: int, request_id: str | None = None) -> Refused:
    """The typed error for an error answer of SWF.

    `code` may carry its namespace ("com.amazonaws.swf.base.model#UnknownResourceFault"). An unknown code is judged
    by its HTTP status.
    """
    short = code.rpartition("#")[2].partition(":")[0]
    kind = _BY_CODE.get(short)
    if kind is None:
        kind = _by_status(status)
    return kind(message, operation=operation, code=short or f"HTTP {status}", status=status, request_id=request_id)


def _by_status(status: int) -> type[Refused]:
    if status >= _HTTP_SERVER_ERROR_FIRST:
        return ServerFailed
    if status == _HTTP_TOO_MANY:
        return Throttled
    if status == _HTTP_TOO_LARGE:
        return RequestTooLarge
    return OtherRefusal


def _ended(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
