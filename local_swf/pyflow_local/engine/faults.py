"""The errors SWF answers with.

Fault (an answer, HTTP 400 and the like)
 ├─ modeled faults           UnknownResourceFault, TypeAlreadyExistsFault, ... (namespace com.amazonaws.swf.base.model)
 └─ generic service errors   ValidationException, SerializationException, ... (namespaces of the coral framework)
ClosedRun (never leaves the engine)
"""

from __future__ import annotations

import orjson

_MODEL = "com.amazonaws.swf.base.model#"
_VALIDATE = "com.amazon.coral.validate#"
_SERVICE = "com.amazon.coral.service#"
_AVAILABILITY = "com.amazon.coral.availability#"

NAMESPACES = {
    "UnknownResourceFault": _MODEL,
    "DomainAlreadyExistsFault": _MODEL,
    "DomainDeprecatedFault": _MODEL,
    "TypeAlreadyExistsFault": _MODEL,
    "TypeDeprecatedFault": _MODEL,
    "TypeNotDeprecatedFault": _MODEL,
    "WorkflowExecutionAlreadyStartedFault": _MODEL,
    "DefaultUndefinedFault": _MODEL,
    "LimitExceededFault": _MODEL,
    "TooManyTagsFault": _MODEL,
    "OperationNotPermittedFault": _MODEL,
    "ValidationException": _VALIDATE,
    "SerializationException": _SERVICE,
    "ThrottlingException": _AVAILABILITY,
    "InternalFailure": _SERVICE,
    "UnknownOperationException": _SERVICE,
    "RequestEntityTooLargeException": _SERVICE,
    "RequestTimeout": _SERVICE,
    "MissingAuthenticationTokenException": _SERVICE,
    "UnrecognizedClientException": _SERVICE,
    "InvalidSignatureException": _SERVICE,
    "IncompleteSignatureException": _SERVICE,
    "AccessDeniedException": _SERVICE,
}
_STATUS = {
    "InternalFailure": 500,
    "UnknownOperationException": 404,
    "RequestEntityTooLargeException": 413,
    "RequestTimeout": 408,
    "MissingAuthenticationTokenException": 403,
    "AccessDeniedException": 403,
}


class Fault(Exception):
    """A request that SWF refuses: `code` is the error's short name, `message` may be None (SWF then sends none)."""

    def __init__(self, code: str, message: str | None = None) -> None:
        super().__init__(f"{code}: {message}" if message else code)
        self.code = code
        self.message = message

    @property
    def status(self) -> int:
        """The HTTP status this error travels with."""
        return _STATUS.get(self.code, 400)

    def body(self) -> bytes:
        """The JSON body, with the full `__type` that old clients compare literally."""
        answer = {"__type": NAMESPACES[self.code] + self.code}
        if self.message is not None:
            answer["message"] = self.message
        return orjson.dumps(answer)


class ClosedRun(Exception):
    """A token names a run that is not open; the engine turns this into the fault once it knows the run's name."""

    def __init__(self, run: int) -> None:
        super().__init__(run)
        self.run = run


def invalid(message: str) -> Fault:
    """A ValidationException with this text."""
    return Fault("ValidationException", message)


def unknown_domain(name: str) -> Fault:
    """The fault for a domain that was never registered."""
    return Fault("UnknownResourceFault", f"Unknown domain: {name}")


def unknown_execution(workflow_id: str, run_id: str | None) -> Fault:
    """The fault for an execution that does not exist or is closed."""
    if run_id:
        text = f"Unknown execution: WorkflowExecution=[workflowId={workflow_id}, runId={run_id}]"
    else:
        text = f"Unknown execution, workflowId = {workflow_id}"
    return Fault("UnknownResourceFault", text)


def type_text(kind: str, name: str, version: str) -> str:
    """How the service names a type in messages; `kind` is WorkflowType or ActivityType."""
    return f"{kind}=[name={name}, version={version}]"


def unknown_type(kind: str, name: str, version: str) -> Fault:
    """The fault for a type that is not registered in the domain."""
    return Fault("UnknownResourceFault", f"Unknown type: {type_text(kind, name, version)}")
