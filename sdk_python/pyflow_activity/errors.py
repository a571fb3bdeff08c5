"""Errors of the worker SDK.

BaseException
`-- ActivityCanceled        ends an activity that was asked to stop; `except Exception` lets it pass
ActivityError
|-- ActivityFailure         raised by authors: type, details and retry hints for the workflow
|   `-- (BadInput, BadArguments, BadResult, ResultTooLarge are ActivityFailures of the SDK's own)
|-- ProgressTooLarge        progress details over SWF's 2,048 characters
|-- NotInActivity           current() was called outside an activity
`-- WorkerError             the worker cannot start or go on; the message is for whoever started it
    |-- BadUsage            options, module or activities cannot be used
    `-- HostRefused         the host refused this worker for good
"""

from __future__ import annotations


class ActivityCanceled(BaseException):
    """The activity agrees to stop. `details` (anything JSON can say) tells the workflow how far it came."""

    def __init__(self, details: object = None) -> None:
        super().__init__("the activity was canceled")
        self.details = details


class ActivityError(Exception):
    """Everything below."""


class ActivityFailure(ActivityError):
    """A failure with a name that workflows match on.

    `details` is anything JSON can say. `non_retryable`: another attempt cannot help. `next_retry_delay_s`: how long to
    wait before the next attempt, in seconds; overrides the workflow's back-off once.
    """

    def __init__(
        self,
        type: str,
        message: str = "",
        details: object = None,
        non_retryable: bool = False,
        next_retry_delay_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.type = type
        self.message = message
        self.details = details
        self.non_retryable = non_retryable
        self.next_retry_delay_s = next_retry_delay_s

    def __str__(self) -> str:
        return f"{self.type}: {self.message}" if self.message else self.type


class BadInput(ActivityFailure):
    """The input payload cannot be read."""

    def __init__(self, message: str) -> None:
        super().__init__("pyflow.BadInput", message, non_retryable=True)


class BadArguments(ActivityFailure):
    """The input does not fit the function's parameters."""

    def __init__(self, message: str) -> None:
        super().__init__("pyflow.BadArguments", message, non_retryable=True)


class BadResult(ActivityFailure):
    """The return value has no JSON form."""

    def __init__(self, message: str) -> None:
        super().__init__("pyflow.BadResult", message, non_retryable=True)


class ResultTooLarge(ActivityFailure):
    """The return value is over SWF's limit."""

    def __init__(self, message: str) -> None:
        super().__init__("pyflow.ResultTooLarge", message, non_retryable=True)


class UnknownActivity(ActivityFailure):
    """The task's type is not one of this worker's."""

    def __init__(self, message: str) -> None:
        super().__init__("pyflow.UnknownActivity", message)


class ProgressTooLarge(ActivityError):
    """Progress details are over SWF's limit for them."""


class NotInActivity(ActivityError):
    """`current()` was called outside an activity."""


class WorkerError(ActivityError):
    """The worker cannot start or go on."""


class BadUsage(WorkerError):
    """Options, module or activities cannot be used."""


class HostRefused(WorkerError):
    """The host refused this worker for good."""
