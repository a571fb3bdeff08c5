"""Every error of pyflow, with the tree on top. What authors catch is Exception; what they must let pass is not.

PyflowException                       catch this to catch whatever pyflow raises into a workflow
|-- DeciderException                  the decider itself cannot go on
|   |-- NondeterminismError           code and history disagree: the execution is held, not failed
|   |-- IllegalTransitionError        history says something impossible: the execution is held
|   `-- StaleExecutionError           a parked execution was given events that do not follow on
|-- WorkflowFailedException           raise it to fail the workflow with a reason and details
|-- PayloadTooLargeException          a payload is over SWF's limit and no offload is configured
|-- WaitTimedOutException             a timed wait ran out
`-- InvocationException               something that was invoked did not succeed
    |-- InvocationTimedOutException
    |-- InvocationFailedException
    `-- InvocationCanceledException

BaseException
|-- WorkflowCanceledException         delivered where the workflow is blocked; let it through to end as Canceled
|-- WorkflowBlockedException          2.0.0's name; code that re-raised it goes on working
|   `-- WorkflowEvicted               the execution leaves this process's memory
|-- WorkflowContinued                 how continue_as_new() leaves the code
`-- WorkflowStuck                     raised into code that never blocks
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import Any

from pyflow.causes import advice

__all__ = [
    "DeciderException",
    "Failure",
    "IllegalTransitionError",
    "InvocationCanceledException",
    "InvocationException",
    "InvocationFailedException",
    "InvocationTimedOutException",
    "NondeterminismError",
    "PayloadTooLargeException",
    "PyflowException",
    "RemoteFailure",
    "StaleExecutionError",
    "WaitTimedOutException",
    "WorkflowBlockedException",
    "WorkflowCanceledException",
    "WorkflowContinued",
    "WorkflowEvicted",
    "WorkflowFailedException",
    "WorkflowStuck",
]

FAILURE_MARK = "pyflow.failure"
"""The member of a details text that says: this is a structured failure of the activity host."""

CAUSES_MAX = 50
"""A longer chain of causes is cut: no person reads it and no parser should recurse on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What an activity reported: its own type and words, and what caused it. Any source language."""

    type: str
    message: str = ""
    stack_trace: str = ""
    cause: Failure | None = None
    details: Any = None
    non_retryable: bool = False
    next_retry_delay_s: float | None = None
    source_language: str = ""

    @classmethod
    def parse(cls, details: str | None) -> Failure | None:
        """The failure in the details of ActivityTaskFailed, or None if the text is not one."""
        if not details or FAILURE_MARK not in details:
            return None
        try:
            data = json.loads(details)
        except ValueError:
            return None
        if not isinstance(data, dict) or FAILURE_MARK not in data:
            return None
        chain: list[dict[str, Any]] = []
        while isinstance(data, dict) and len(chain) < CAUSES_MAX:
            chain.append(data)
            data = data.get("cause")
        failure: Failure | None = None
        for link in reversed(chain):
            failure = cls._from_link(link, failure)
        return failure

    @classmethod
    def _from_link(cls, link: dict[str, Any], cause: Failure | None) -> Failure:
        delay = link.get("next_retry_delay_s")
        return cls(
            type=str(link.get("type") or ""),
            message=str(link.get("message") or ""),
            stack_trace=str(link.get("stack_trace") or ""),
            cause=cause,
            details=link.get("details"),
            non_retryable=bool(link.get("non_retryable")),
            next_retry_delay_s=float(delay) if isinstance(delay, int | float) else None,
            source_language=str(link.get("source_language") or ""),
        )

    def describe(self) -> str:
        """One line: type, message and language."""
        language = f" [{self.source_language}]" if self.source_language else ""
        return f"{self.type}: {self.message}{language}" if self.message else f"{self.type}{language}"


class PyflowException(Exception):
    """Base class of the exceptions pyflow raises."""


class DeciderException(PyflowException):
    """The decider cannot go on with an execution. Not the author's to catch: it never reaches workflow code."""


class NondeterminismError(DeciderException):
    """Code and history disagree. ``event_id`` is the event at which it was noticed."""

    def __init__(self, message: str, event_id: int | None = None) -> None:
        super().__init__(message)
        self.event_id = event_id


class IllegalTransitionError(DeciderException):
    """An event that cannot follow what history said before. Carries the path taken so far in its text."""


class StaleExecutionError(DeciderException):
    """A parked execution was handed a task that does not follow its last decision: evict it and replay."""


class WorkflowFailedException(PyflowException):
    """Raise it in a workflow to fail the execution with this reason (<= 256 characters) and details."""

    def __init__(self, reason: str, details: str | None = None) -> None:
        super().__init__(reason, details)

    @property
    def reason(self) -> str:
        """Short, for machines: what get_workflow_status gives as failure_reason."""
        return str(self.args[0])

    @property
    def details(self) -> str | None:
        """Longer, for people."""
        return None if self.args[1] is None else str(self.args[1])


class PayloadTooLargeException(PyflowException):
    """A payload of ``length`` characters where SWF takes ``limit``. Pass a reference, or configure offloading."""

    def __init__(self, what: str, length: int, limit: int) -> None:
        super().__init__(
            f"{what} has {length:,} characters as JSON; SWF takes {limit:,}. Pass a reference to the data instead of "
            f"the data, or give the worker an offload (pyflow.payloads.Offload)."
        )
        self.length = length
        self.limit = limit


class InvocationException(PyflowException):
    """Something that was invoked did not succeed."""


class InvocationTimedOutException(InvocationException):
    """An invocation timed out. ``timeout_type`` is SWF's: START_TO_CLOSE, HEARTBEAT, ..."""

    def __init__(self, *args: object, timeout_type: str | None = None, details: str | None = None) -> None:
        super().__init__(*args)
        self.timeout_type = timeout_type
        self.details = details


class RemoteFailure(Exception):
    """One link of a remote cause chain, so that a traceback shows it; never raised by itself."""

    def __init__(self, failure: Failure) -> None:
        trace = failure.stack_trace.strip("\n")
        super().__init__(failure.describe() + ("\n" + _indent(trace) if trace else ""))
        self.failure = failure


class InvocationFailedException(InvocationException):
    """An invocation failed. ``reason`` and ``details`` are SWF's strings, ``failure`` their parsed form or None."""

    def __init__(self, reason: str | None = None, details: str | None = None) -> None:
        self.reason = reason
        self.details = details
        self.failure = Failure.parse(details)
        super().__init__(_readable(reason, details, self.failure))
        self.__cause__ = _cause_chain(self.failure)
        what_to_do = advice(reason)
        if what_to_do is not None and sys.version_info >= (3, 11):
            # In tracebacks only: the text of the exception is 2.0.0's.
            self.add_note(what_to_do)


class InvocationCanceledException(InvocationException):
    """An invocation was canceled."""

    def __init__(self, reason: str | None = None, details: str | None = None) -> None:
        self.reason = reason
        self.details = details
        super().__init__(_readable(reason, details, None))


class WaitTimedOutException(PyflowException):
    """A timed wait ended before what it waited for."""


class WorkflowCanceledException(BaseException):
    """Cancellation, delivered at the point where workflow code is blocked.

    Clean up in ``finally`` or in an ``except`` that ends with ``raise``. Let through, the execution ends as Canceled.
    Not an Exception, so that ``except Exception`` around an invocation cannot eat it.
    """

    def __init__(self, message: str = "", scope: Any = None) -> None:
        super().__init__(message)
        self.scope = scope


class WorkflowBlockedException(BaseException):
    """How 2.0.0 left blocked code. Nothing raises it now; code that lets it pass goes on working."""


class WorkflowEvicted(WorkflowBlockedException):
    """The execution leaves memory: unwind. Every wait and every command raises this again at once."""


class WorkflowContinued(BaseException):
    """Leaves workflow code after ``swf.continue_as_new``."""

    def __init__(self, request: object) -> None:
        super().__init__("the workflow continues as new")
        self.request = request


class WorkflowStuck(BaseException):
    """Raised by a watchdog into workflow code that has run too long without blocking."""


def _readable(reason: str | None, details: str | None, failure: Failure | None) -> str:
    """2.0.0's text, except that a structured failure is told in words and with its causes."""
    if failure is None:
        return f"{reason}: {details}" if reason and details else reason or details or ""
    head = failure.describe()
    lines = [head if not reason or reason == failure.type else f"{reason}: {head}"]
    cause = failure.cause
    while cause is not None:
        lines.append(f"  caused by {cause.describe()}")
        cause = cause.cause
    return "\n".join(lines)


def _cause_chain(failure: Failure | None) -> RemoteFailure | None:
    links: list[Failure] = []
    while failure is not None:
        links.append(failure)
        failure = failure.cause
    below: RemoteFailure | None = None
    for link in reversed(links):
        error = RemoteFailure(link)
        error.__cause__ = below
        below = error
    return below


def _indent(text: str) -> str:
    return "\n".join("    " + line for line in text.splitlines())
