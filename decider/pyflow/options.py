"""Options of invocations, as values: timeouts, task lists, retry policies."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, TypeAlias

__all__ = ["NONE", "ActivityOptions", "ChildOptions", "Duration", "LambdaOptions", "RetryPolicy", "duration_text"]

NONE: Literal["NONE"] = "NONE"
"""SWF's word for a timeout that never runs out."""

Duration: TypeAlias = "int | float | str | timedelta"
"""Seconds, a timedelta, or ``"NONE"``. Fractions are rounded up: SWF counts whole seconds."""


def duration_text(value: Duration) -> str:
    """SWF's form of a duration: whole seconds as text, or NONE (swf-reference 2.3).

    >>> duration_text(1.5)
    '2'
    """
    if isinstance(value, str):
        return value
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    if seconds < 0:
        raise ValueError(f"a duration cannot be negative: {seconds} s")
    return str(math.ceil(seconds))


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When a failed invocation is tried again. Failures and timeouts are retried, cancellation never.

    The wait before attempt n+1 is ``initial_interval * backoff_coefficient ** (n - 1)`` seconds, at most
    ``maximum_interval``, moved by up to ``jitter`` of itself either way (derived from the run, so replay agrees).
    A failure that says ``non_retryable`` ends it; one that names its next delay is believed.
    """

    maximum_attempts: int = 3
    """All attempts, the first included. 0 means without end."""
    initial_interval: float = 1.0
    backoff_coefficient: float = 2.0
    maximum_interval: float = 100.0
    jitter: float = 0.0
    """0 to 1."""
    non_retryable_types: Iterable[str] = ()
    """What must not be retried: failure types (of a Lambda function: its exception's name), SWF reasons, or
    ``TimedOut`` / ``TimedOut.HEARTBEAT`` / ..."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "non_retryable_types", tuple(self.non_retryable_types))
        if self.maximum_attempts < 0 or self.initial_interval < 0 or self.maximum_interval < 0:
            raise ValueError("RetryPolicy: attempts and intervals cannot be negative")
        if self.backoff_coefficient < 1:
            raise ValueError("RetryPolicy: backoff_coefficient must be at least 1")
        if not 0 <= self.jitter <= 1:
            raise ValueError("RetryPolicy: jitter must be between 0 and 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class LambdaOptions:
    """Options of a lambda invocation. ``timeout`` is start to close, 1 to 900 seconds."""

    timeout: Duration | None = None
    retry: RetryPolicy | None = None
    """None: as in 2.0.0, service errors are retried up to five times at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityOptions:
    """Options of an activity task. What is None is taken from the registered type's defaults."""

    start_to_close_timeout: Duration | None = None
    schedule_to_start_timeout: Duration | None = None
    schedule_to_close_timeout: Duration | None = None
    heartbeat_timeout: Duration | None = None
    task_list: str | None = None
    task_priority: int | None = None
    retry: RetryPolicy | None = None
    """None: only the loss of a worker, or the lack of one, is retried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildOptions:
    """Options of a child workflow execution. What is None is taken from the registered type's defaults."""

    workflow_id: str | None = None
    """None: one that is unique to this run and call."""
    child_policy: str | None = None
    lambda_role: str | None = None
    """None: the parent's."""
    task_list: str | None = None
    execution_start_to_close_timeout: Duration | None = None
    task_start_to_close_timeout: Duration | None = None
    task_priority: int | None = None
    tag_list: tuple[str, ...] | None = None
    """At most five."""
    retry: RetryPolicy | None = None
