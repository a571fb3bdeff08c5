"""Token buckets, and the service's rates for those who want to meet its throttling here (reference 10.2 to 10.4)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Rate:
    """A bucket that holds up to `burst` tokens and gains `per_s` of them each second."""

    burst: int
    per_s: int


class Bucket:
    """One bucket, full at first. Exact: it counts in thousandths, and a token a second is one of them a millisecond."""

    __slots__ = ("_at_ms", "_level", "_rate")

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._level = rate.burst * 1000
        self._at_ms = 0

    def take(self, now_ms: int) -> bool:
        """Take a token; False if there is none."""
        self._fill(now_ms)
        if self._level < 1000:
            return False
        self._level -= 1000
        return True

    def is_full(self, now_ms: int) -> bool:
        """Whether it is as good as a new one."""
        self._fill(now_ms)
        return self._level >= self._rate.burst * 1000

    def _fill(self, now_ms: int) -> None:
        if now_ms > self._at_ms:
            gained = (now_ms - self._at_ms) * self._rate.per_s
            self._level = min(self._rate.burst * 1000, self._level + gained)
            self._at_ms = now_ms


class Buckets:
    """A bucket of the same rate for each key. Only those that are not full are kept: no more than were used lately."""

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._buckets: OrderedDict[Hashable, Bucket] = OrderedDict()  # the one used last comes last

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, key: Hashable, now_ms: int) -> bool:
        """Take a token from the key's bucket; False if there is none."""
        buckets = self._buckets
        bucket = buckets.get(key)
        if bucket is None:
            self._forget_full(now_ms)
            bucket = buckets[key] = Bucket(self._rate)
        else:
            buckets.move_to_end(key)
        return bucket.take(now_ms)

    def _forget_full(self, now_ms: int) -> None:
        buckets = self._buckets
        while buckets and next(iter(buckets.values())).is_full(now_ms):
            buckets.popitem(last=False)


_RARE = Rate(200, 6)
_READ = Rate(2000, 6)
_TASK = Rate(2000, 200)
_TAG = Rate(50, 30)
_DOMAIN = Rate(100, 6)

OPERATION_RATES: Mapping[str, Rate] = {
    "CountClosedWorkflowExecutions": _READ,
    "CountOpenWorkflowExecutions": _READ,
    "CountPendingActivityTasks": _RARE,
    "CountPendingDecisionTasks": _RARE,
    "DeleteActivityType": _RARE,
    "DeleteWorkflowType": _RARE,
    "DeprecateActivityType": _RARE,
    "DeprecateDomain": _DOMAIN,
    "DeprecateWorkflowType": _RARE,
    "DescribeActivityType": _READ,
    "DescribeDomain": _RARE,
    "DescribeWorkflowExecution": _READ,
    "DescribeWorkflowType": _READ,
    "GetWorkflowExecutionHistory": Rate(2000, 60),
    "ListActivityTypes": _RARE,
    "ListClosedWorkflowExecutions": _RARE,
    "ListDomains": _DOMAIN,
    "ListOpenWorkflowExecutions": Rate(200, 48),
    "ListTagsForResource": _TAG,
    "ListWorkflowTypes": _RARE,
    "PollForActivityTask": _TASK,
    "PollForDecisionTask": _TASK,
    "RecordActivityTaskHeartbeat": Rate(2000, 160),
    "RegisterActivityType": Rate(200, 60),
    "RegisterDomain": _DOMAIN,
    "RegisterWorkflowType": Rate(200, 60),
    "RequestCancelWorkflowExecution": Rate(2000, 30),
    "RespondActivityTaskCanceled": _TASK,
    "RespondActivityTaskCompleted": _TASK,
    "RespondActivityTaskFailed": _TASK,
    "RespondDecisionTaskCompleted": _TASK,
    "SignalWorkflowExecution": Rate(2000, 30),
    "StartWorkflowExecution": _TASK,
    "TagResource": _TAG,
    "TerminateWorkflowExecution": Rate(2000, 60),
    "UndeprecateActivityType": _RARE,
    "UndeprecateDomain": _DOMAIN,
    "UndeprecateWorkflowType": _RARE,
    "UntagResource": _TAG,
}

DECISION_RATES: Mapping[str, Rate] = {
    "RequestCancelExternalWorkflowExecution": Rate(1200, 120),
    "ScheduleActivityTask": Rate(1000, 200),
    "SignalExternalWorkflowExecution": Rate(1200, 120),
    "StartChildWorkflowExecution": Rate(500, 12),
    "StartTimer": Rate(2000, 200),
    # The service has a cause for these two and publishes no figure: as the call and the decision most like them.
    "ContinueAsNewWorkflowExecution": Rate(2000, 200),
    "ScheduleLambdaFunction": Rate(1000, 200),
}

EXECUTION_RATES: Mapping[str, Rate] = {
    "GetWorkflowExecutionHistory": Rate(400, 200),
    "RecordActivityTaskHeartbeat": Rate(1000, 1000),
    "RequestCancelWorkflowExecution": Rate(200, 200),
    "SignalWorkflowExecution": Rate(1000, 1000),
}

TASK_LIST_RATE = Rate(2000, 2000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """How often things may be done; the defaults are the service's own. What is left out of a mapping has no limit.

    Raises ValueError for names of things that the service does not limit so.
    """

    operations: Mapping[str, Rate] = field(default_factory=lambda: dict(OPERATION_RATES))
    """For each operation, over the whole account."""
    decisions: Mapping[str, Rate] = field(default_factory=lambda: dict(DECISION_RATES))
    """For each type of decision, over the whole account."""
    executions: Mapping[str, Rate] = field(default_factory=lambda: dict(EXECUTION_RATES))
    """For each operation upon one execution."""
    tasks_per_list: Rate = TASK_LIST_RATE
    """Activity tasks scheduled on one task list."""

    def __post_init__(self) -> None:
        for given, known in (
            (self.operations, OPERATION_RATES),
            (self.decisions, DECISION_RATES),
            (self.executions, EXECUTION_RATES),
        ):
            for name in given:
                if name not in known:
                    raise ValueError(f"SWF has no such rate for {name!r}; it has one for {', '.join(known)}")
