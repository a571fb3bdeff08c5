"""Sagas: steps with compensations, undone in reverse order when the whole does not succeed."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any

from pyflow.core.context import Context
from pyflow.exceptions import WorkflowContinued, WorkflowEvicted
from pyflow.future import Future
from pyflow.scopes import CancelScope

__all__ = ["CompensationFailed", "Saga"]


class CompensationFailed(Exception):
    """Some compensations failed; the others ran. ``errors`` are theirs, the cause is what made the saga fail."""

    def __init__(self, errors: list[Exception]) -> None:
        super().__init__("; ".join(f"{type(error).__name__}: {error}" for error in errors))
        self.errors = errors


class Saga:
    """Made by ``swf.saga()``. Compensations run shielded from cancellation, the last registered first."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._compensations: list[Callable[[], Any]] = []

    def compensate(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        """Call ``fn(*args, **kwargs)`` if the saga does not succeed; if it gives a future, its result is waited for."""
        self._compensations.append(lambda: fn(*args, **kwargs))

    def __enter__(self) -> Saga:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None or isinstance(error, WorkflowEvicted | WorkflowContinued):
            return
        errors: list[Exception] = []
        with CancelScope(self._context, shield=True):
            for compensation in reversed(self._compensations):
                try:
                    given = compensation()
                    if isinstance(given, Future):
                        given.result()
                except Exception as failed:
                    errors.append(failed)
        if errors:
            raise CompensationFailed(errors) from error
