"""Stepper: takes a workflow through a hand-made history, one decision at a time, and checks each one twice."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any

from pyflow.core.execution import Execution
from pyflow.core.values import Advance, Decision, ExecutionSettings
from pyflow.testing.history import HistoryBuilder
from pyflow.workflow import Workflow

__all__ = ["Stepper"]


class Stepper:
    """Drives one execution. ``history`` is where events are added between decisions.

    Every decision is made by the parked execution and by a fresh one from event 1; they must agree.

    >>> with Stepper(Order, {"id": 7}) as step:
    ...     step.decide()
    ...     step.history.activity_completed("activity1", "paid")
    ...     assert step.decide().closed
    """

    def __init__(
        self,
        workflow: type[Workflow],
        input: Any = None,
        *,
        settings: ExecutionSettings | None = None,
        started: Mapping[str, Any] | None = None,
    ) -> None:
        self._workflow = workflow
        self._settings = settings
        self._kind = (workflow.NAME or "", workflow.VERSION)
        self.history = HistoryBuilder(input, workflow_type=self._kind, started=started)
        self.execution = self.fresh()

    def __enter__(self) -> Stepper:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.execution.evict()

    def fresh(self, workflow: type[Workflow] | None = None) -> Execution:
        """An execution that has seen nothing yet, of this workflow or of a changed one."""
        return Execution(
            workflow or self._workflow,
            domain="test",
            workflow_id=self.history.workflow_id,
            run_id=self.history.run_id,
            workflow_type=self._kind,
            settings=self._settings,
        )

    def advance(self, execution: Execution) -> Advance:
        """Advance an execution over all events up to the started decision task."""
        return execution.advance(
            self.history.events,
            previous_started_event_id=self.history.previous_started_event_id,
            started_event_id=self.history.started_event_id,
        )

    def ask(self) -> Advance:
        """Start a decision task and decide it, without answering."""
        self.history.decision_task()
        parked = self.advance(self.execution)
        other = self.fresh()
        replayed = self.advance(other)
        other.evict()
        if parked != replayed:
            raise AssertionError(f"the parked execution and a replay differ:\n{parked}\n{replayed}")
        return parked

    def decide(self) -> Advance:
        """Start a decision task, decide it, and answer: history takes it all."""
        advance = self.ask()
        if advance.held is not None:
            raise AssertionError(advance.held.message)
        self.history.answer(advance.decisions, advance.execution_context)
        return advance

    def kinds(self) -> list[str]:
        """Decide, and give the decision types."""
        return [str(decision["decisionType"]) for decision in self.decide().decisions]

    @staticmethod
    def attributes(decision: Decision) -> Any:
        """The attributes of a decision, whatever its type."""
        return next(value for name, value in decision.items() if name.endswith("DecisionAttributes"))
