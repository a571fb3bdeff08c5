"""Whether and when something that did not succeed is tried again. Pure: the jitter comes from the run's own id."""

from __future__ import annotations

import json
import random
from typing import Any

from pyflow.core.hub import FAILED, TIMED_OUT
from pyflow.core.invocations import Invocation
from pyflow.exceptions import Failure
from pyflow.options import DURATION_S_MAX, RetryPolicy

LAMBDA_RETRIES_MAX = 5
"""2.0.0 tried a lambda again this often, at once, when the Lambda service itself had failed."""

LAMBDA_RETRY_REASONS = frozenset({"SdkClientException", "ServiceException"})

WORKER_LOST = "pyflow.WorkerLost"
NO_WORKER = "pyflow.NoWorker"
INFRASTRUCTURE_REASONS = frozenset({WORKER_LOST, NO_WORKER})
"""Reasons by which the activity host says that the activity itself is not to blame."""

INFRASTRUCTURE_POLICY = RetryPolicy(maximum_attempts=10, initial_interval=1, backoff_coefficient=2, maximum_interval=60)
"""For those reasons, where the author gave no policy."""

REFUSALS_MAX = 20
REFUSAL_POLICY = RetryPolicy(maximum_attempts=0, initial_interval=1, backoff_coefficient=2, maximum_interval=60)
"""For decisions that SWF could not take just now: rates and open limits."""

CLOSE_POLICY = RetryPolicy(maximum_attempts=0, initial_interval=1, backoff_coefficient=2, maximum_interval=3600)
"""For a closing decision that SWF refuses: permissions or types may be put right while it waits."""


def is_passing(cause: str) -> bool:
    """True for a failure cause that goes away by waiting (swf-reference 5.2)."""
    return cause.endswith("_RATE_EXCEEDED") or cause.endswith("_LIMIT_EXCEEDED")


def backoff_s(policy: RetryPolicy, failures: int, seed: str) -> float:
    """Seconds to wait after the ``failures``-th failure. The same seed gives the same jitter on every replay."""
    # The exponent is bounded so that an endless policy cannot overflow a float.
    delay = min(policy.maximum_interval, policy.initial_interval * policy.backoff_coefficient ** min(failures - 1, 64))
    if policy.jitter:
        delay *= 1 + policy.jitter * random.Random(seed).uniform(-1, 1)
    return float(min(delay, policy.maximum_interval, DURATION_S_MAX))


def _lambda_error_type(details: str | None) -> str | None:
    """The exception's name in what the Lambda service writes of a function that raised."""
    if not details or "errorType" not in details:
        return None
    try:
        told = json.loads(details)
    except ValueError:
        return None
    return str(told["errorType"]) if isinstance(told, dict) and "errorType" in told else None


def retry_delay_s(invocation: Invocation, outcome: int, value: Any, *, legacy: bool, run_id: str) -> float | None:
    """Seconds until the next attempt, or None if this outcome stands.

    ``value`` is (reason or timeout type, details). ``legacy``: the decision at hand was made by 2.0.0, which knew
    only its own retry of lambdas.
    """
    if outcome not in (FAILED, TIMED_OUT):
        return None
    options = getattr(invocation.request, "options", None)
    policy: RetryPolicy | None = None if legacy else getattr(options, "retry", None)
    reason, details = value
    if policy is None:
        if invocation.kind == "lambda":
            again = outcome == FAILED and reason in LAMBDA_RETRY_REASONS and invocation.attempt <= LAMBDA_RETRIES_MAX
            return 0.0 if again else None
        if legacy or outcome != FAILED or reason not in INFRASTRUCTURE_REASONS:
            return None
        policy = INFRASTRUCTURE_POLICY
    if policy.maximum_attempts and invocation.attempt >= policy.maximum_attempts:
        return None
    failure = Failure.parse(details) if outcome == FAILED else None
    if failure is not None and failure.non_retryable:
        return None
    if outcome == FAILED:
        names = (reason, failure.type if failure else _lambda_error_type(details))
    else:
        names = ("TimedOut", f"TimedOut.{reason}")
    if any(name in policy.non_retryable_types for name in names if name):
        return None
    if failure is not None and failure.next_retry_delay_s is not None:
        return min(max(0.0, failure.next_retry_delay_s), float(DURATION_S_MAX))
    return backoff_s(policy, invocation.attempt, f"{run_id}/{invocation.base_id}/{invocation.attempt}")
