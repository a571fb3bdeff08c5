"""Every quota of the service and every choice made where its behaviour is not documented, in one place."""

from __future__ import annotations

from dataclasses import dataclass

PAGE_SIZE_MAX = 1000
PAGE_TOKEN_LIFETIME_MS = 24 * 3600 * 1000
POLL_HOLD_MS = 60_000
EXECUTION_SECONDS_MAX = 31_536_000
LAMBDA_SECONDS_MIN = 1
LAMBDA_SECONDS_MAX = 900
LAMBDA_SECONDS_DEFAULT = "900"
RETENTION_DAYS_MAX = 90
RESOURCE_TAGS_MAX = 50
TASK_PRIORITY_MIN = -(2**31)
TASK_PRIORITY_MAX = 2**31 - 1
DAY_MS = 24 * 3600 * 1000
UNLIMITED = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotas:
    """Counts the service enforces (SWF quotas page); `relaxed()` lifts all of them."""

    domains: int = 100
    workflow_types_per_domain: int = 10_000
    activity_types_per_domain: int = 10_000
    open_executions_per_domain: int = 100_000
    history_events: int = 25_000
    open_activities: int = 1_000
    open_timers: int = 1_000
    open_children: int = 1_000
    open_lambdas: int = 1_000  # the service publishes no figure
    pollers_per_task_list: int = 1_000

    @staticmethod
    def relaxed() -> Quotas:
        """No limits at all, for load tests and for programs that outgrow the service."""
        return Quotas(
            domains=UNLIMITED,
            workflow_types_per_domain=UNLIMITED,
            activity_types_per_domain=UNLIMITED,
            open_executions_per_domain=UNLIMITED,
            history_events=UNLIMITED,
            open_activities=UNLIMITED,
            open_timers=UNLIMITED,
            open_children=UNLIMITED,
            open_lambdas=UNLIMITED,
            pollers_per_task_list=UNLIMITED,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """Points the documentation leaves open, decided as the reference recommends (its section 14)."""

    child_policy_on_completion: bool = True
    """Apply the child policy when the parent completes, fails or is canceled, as live histories show."""
    child_policy_on_continue_as_new: bool = True
    """Apply it also when the parent continues as new."""
    start_abandoned_child_after_close: bool = True
    """[StartChild, Complete] in one batch: start the child only where the parent's policy is ABANDON."""
