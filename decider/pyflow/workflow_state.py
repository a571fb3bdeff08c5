"""2.0.0's picture of an execution: `workflow_state` of what process_decision_task gives. Only programs read it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

__all__ = ["InvocationState", "WorkflowState"]


@dataclass
class InvocationState:
    """What history says of one lambda, activity, child, timer or marker."""

    NOT_STARTED: ClassVar[int] = 0
    HANDLED: ClassVar[int] = 1
    STARTED: ClassVar[int] = 2
    FAILED: ClassVar[int] = 3
    TIMED_OUT: ClassVar[int] = 4
    CANCELED: ClassVar[int] = 5
    SUCCEEDED: ClassVar[int] = 6
    DONE_STATES: ClassVar[tuple[int, ...]] = (FAILED, TIMED_OUT, CANCELED, SUCCEEDED)

    invocation_id: str
    invocation_args: dict[str, Any] | None = field(default_factory=dict)
    state: int = NOT_STARTED
    retries_left: int = 0
    result: Any = None
    failure_reason: str | None = None
    failure_details: str | None = None

    @property
    def done(self) -> bool:
        """True once the outcome is known, successful or not."""
        return self.state in self.DONE_STATES

    def update_state(
        self,
        state: int | None = None,
        result: Any = None,
        failure_reason: str | None = None,
        failure_details: str | None = None,
    ) -> None:
        """Set what is not None."""
        self.state = self.state if state is None else state
        self.result = self.result if result is None else result
        self.failure_reason = self.failure_reason if failure_reason is None else failure_reason
        self.failure_details = self.failure_details if failure_details is None else failure_details


@dataclass
class WorkflowState:
    """What history says of an execution as a whole."""

    workflow_id: str
    run_id: str
    lambda_role: str | None = None
    workflow_start_time: datetime | float | None = None
    input: Any = None
    completed: bool = False
    """True once a closing decision is made, or the execution has closed."""
    invocation_states: dict[str, InvocationState] = field(default_factory=dict)
    last_seen_event_id: int | None = None

    def get_invocation_state(
        self,
        invocation_id: str,
        initial_state: int = InvocationState.NOT_STARTED,
        num_retries: int = 0,
        invocation_args: dict[str, Any] | None = None,
    ) -> InvocationState:
        """The state of that id; a new one with these values if none is there."""
        found = self.invocation_states.get(invocation_id)
        if found is None:
            found = self.invocation_states[invocation_id] = InvocationState(
                invocation_id=invocation_id,
                invocation_args=invocation_args,
                state=initial_state,
                retries_left=num_retries,
            )
        return found
