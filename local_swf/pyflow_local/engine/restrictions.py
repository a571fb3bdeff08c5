"""What is refused whatever the state: permissions one does not have, exhausted rates, a region without Lambda.

All of it is off unless it is asked for. Where the service's behaviour is not documented it is chosen here: a caller
without a permission gets the fault that the API reference names for it; permissions are checked before rates, and both
before the rules of the operation or decision itself.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from pyflow_local.engine.decision_shapes import DECISIONS
from pyflow_local.engine.faults import Fault
from pyflow_local.engine.operations import OPERATIONS
from pyflow_local.engine.rates import Bucket, Buckets, Rates
from pyflow_local.engine.tokens import ACTIVITY, read_task_token
from pyflow_local.engine.values import JsonObject

PERMISSION_PREFIX = "swf:"
NOT_PERMITTED = "OPERATION_NOT_PERMITTED"
NO_LAMBDA = "LAMBDA_SERVICE_NOT_AVAILABLE_IN_REGION"
LAMBDA = "ScheduleLambdaFunction"

# IAM knows the decisions as actions too, but for the one to invoke a function: that is the execution's role's business.
PERMISSIONS = frozenset(PERMISSION_PREFIX + name for name in (*OPERATIONS, *DECISIONS) if name != LAMBDA)

_RATE_CAUSES = {
    "ContinueAsNewWorkflowExecution": "CONTINUE_AS_NEW_WORKFLOW_EXECUTION_RATE_EXCEEDED",
    "RequestCancelExternalWorkflowExecution": "REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_RATE_EXCEEDED",
    "ScheduleActivityTask": "ACTIVITY_CREATION_RATE_EXCEEDED",
    "ScheduleLambdaFunction": "LAMBDA_FUNCTION_CREATION_RATE_EXCEEDED",
    "SignalExternalWorkflowExecution": "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_RATE_EXCEEDED",
    "StartChildWorkflowExecution": "CHILD_CREATION_RATE_EXCEEDED",
    "StartTimer": "TIMER_CREATION_RATE_EXCEEDED",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Restrictions:
    """What one can take away from the callers. Raises ValueError for a permission that SWF does not know."""

    denied: frozenset[str] = frozenset()
    """Permissions that nobody has, as IAM names them: "swf:RecordMarker"."""
    rates: Rates | None = None
    """Throttle as the service does; None: never."""
    lambda_service: bool = True
    """False: SWF in a region without AWS Lambda."""

    def __post_init__(self) -> None:
        for name in sorted(self.denied - PERMISSIONS):
            raise ValueError(f"{name!r} is no permission of SWF; {PERMISSION_PREFIX}RecordMarker is one")

    def gate(self) -> Gate | None:
        """What enforces them; None if there is nothing to enforce."""
        return None if self == Restrictions() else Gate(self)


class Gate:
    """Enforces restrictions. It outlives the state it guards: what was taken stays taken when that is read anew."""

    def __init__(self, restrictions: Restrictions) -> None:
        rates = restrictions.rates
        self._denied = restrictions.denied
        self._lambda_service = restrictions.lambda_service
        self._operations = {name: Bucket(rate) for name, rate in rates.operations.items()} if rates else {}
        self._decisions = {name: Bucket(rate) for name, rate in rates.decisions.items()} if rates else {}
        self._executions = {name: Buckets(rate) for name, rate in rates.executions.items()} if rates else {}
        self._task_lists = Buckets(rates.tasks_per_list) if rates else None

    def admit(self, operation: str, now_ms: int) -> None:
        """Let a call pass. Raises OperationNotPermittedFault, ThrottlingException."""
        permission = PERMISSION_PREFIX + operation
        if permission in self._denied:
            raise Fault("OperationNotPermittedFault", f"Not authorized to perform: {permission}")
        bucket = self._operations.get(operation)
        if bucket is not None and not bucket.take(now_ms):
            raise _throttled()

    def admit_to_execution(self, secret: bytes, operation: str, request: JsonObject, now_ms: int) -> None:
        """Let a call upon one execution pass. Raises ThrottlingException, ValidationException for a bad token."""
        buckets = self._executions.get(operation)
        if buckets is not None and not buckets.take(_execution_key(secret, request), now_ms):
            raise _throttled()

    def decision_cause(self, kind: str, now_ms: int) -> str | None:
        """The cause for which a decision is refused, None if it is not."""
        if PERMISSION_PREFIX + kind in self._denied:
            return NOT_PERMITTED
        if kind == LAMBDA and not self._lambda_service:
            return NO_LAMBDA
        bucket = self._decisions.get(kind)
        return None if bucket is None or bucket.take(now_ms) else _RATE_CAUSES[kind]

    def task_list_cause(self, domain: int, task_list: str, now_ms: int) -> str | None:
        """The cause for which no further activity task can be scheduled on a list just now, None if one can."""
        lists = self._task_lists
        return (
            None if lists is None or lists.take((domain, task_list), now_ms) else _RATE_CAUSES["ScheduleActivityTask"]
        )


def _throttled() -> Fault:
    return Fault("ThrottlingException", "Rate exceeded")


def _execution_key(secret: bytes, request: JsonObject) -> Hashable:
    """What names the execution a request is about: its task's token, or its ids."""
    if "taskToken" in request:
        return read_task_token(secret, request["taskToken"], ACTIVITY).run
    named = request.get("execution") or request
    return request["domain"], named["workflowId"], named.get("runId")
