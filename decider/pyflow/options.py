"""Options of invocations, as values: timeouts, task lists, retry policies."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, TypeAlias

__all__ = ["NONE", "ActivityOptions", "ChildOptions", "Duration", "LambdaOptions", "RetryPolicy", "duration_text"]

NONE: Literal["NONE"] = "NONE"
"""SWF's word for a timeout that never runs out."""

DURATION_S_MAX = 99_999_999
"""SWF takes eight digits (swf-reference 2.3)."""

TAGS_MAX = 5
"""Tags of one execution (swf-reference 2.1)."""

Duration: TypeAlias = "int | float | str | timedelta"
"""Seconds, a timedelta, or ``"NONE"``. Fractions are rounded up: SWF counts whole seconds."""


def duration_text(value: Duration) -> str:
    """SWF's form of a duration: whole seconds as text, or NONE (swf-reference 2.3).

    >>> duration_text(1.5)
    '2'
    """
    if isinstance(value, str):
        if value == NONE or (value.isdecimal() and int(value) <= DURATION_S_MAX):
            return value
        raise ValueError(f"{value!r} is no duration: give seconds, a timedelta or pyflow.NONE")
    if not isinstance(value, int | float | timedelta):
        raise TypeError(f"{value!r} is no duration: give seconds, a timedelta or pyflow.NONE")
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    if not 0 <= seconds <= DURATION_S_MAX:
        raise ValueError(f"a duration of {seconds} s cannot be: SWF takes 0 to {DURATION_S_MAX:,} s")
    return str(math.ceil(seconds))


def _check(options: LambdaOptions | ActivityOptions | ChildOptions, *durations: str) -> None:
    """Refuse what SWF would, where the author gave it: SWF refuses the whole answer, and the execution is held."""
    for name in durations:
        value = getattr(options, name)
        if value:  # 2.0.0 took 0 and "" for nothing given
            duration_text(value)
    if options.retry is not None and not isinstance(options.retry, RetryPolicy):
        raise TypeError(f"retry is {options.retry!r}; give a pyflow.RetryPolicy(...)")


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

    def __post_init__(self) -> None:
        _check(self, "timeout")


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

    def __post_init__(self) -> None:
        _check(
            self,
            "start_to_close_timeout",
            "schedule_to_start_timeout",
            "schedule_to_close_timeout",
            "heartbeat_timeout",
        )


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

    def __post_init__(self) -> None:
        _check(self, "execution_start_to_close_timeout", "task_start_to_close_timeout")
        if self.tag_list is not None:
            check_tags(self.tag_list)


def check_tags(tags: object) -> None:
    """Raise for what cannot be the tags of an execution."""
    if isinstance(tags, str) or not isinstance(tags, Sequence):
        raise TypeError(f"tag_list is {tags!r}; give a list of texts")
    if len(tags) > TAGS_MAX:
        raise ValueError(f"tag_list has {len(tags)} tags; SWF takes {TAGS_MAX}")
