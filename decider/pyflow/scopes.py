"""Cancellation scopes and shields as with-blocks."""

from __future__ import annotations

from types import TracebackType

from pyflow.core import scopes as core_scopes
from pyflow.core.context import Context
from pyflow.core.invocations import Invocation
from pyflow.exceptions import WorkflowCanceledException
from pyflow.options import Duration

__all__ = ["CancelScope"]


class CancelScope:
    """A region that can be canceled as a whole. Made by ``swf.cancel_scope()``; used once, in one branch."""

    def __init__(self, context: Context, *, timeout: Duration | None = None, shield: bool = False) -> None:
        self._context = context
        self._timeout = timeout
        self._shield = shield
        self._core: core_scopes.CancelScope | None = None
        self._timer: Invocation | None = None

    @property
    def canceled(self) -> bool:
        """True once it has been canceled, for whatever reason."""
        return self._core is not None and self._core.canceled

    @property
    def timed_out(self) -> bool:
        """True if its own timeout canceled it."""
        return self._core is not None and self._core.timed_out

    def cancel(self, message: str = "the scope was canceled") -> None:
        """Cancel what was asked for inside, and deliver WorkflowCanceledException to what waits inside."""
        if self._core is not None:
            self._context.cancel_scope(self._core, message)

    def __enter__(self) -> CancelScope:
        task = self._context.hub.running_task()
        if self._timeout is not None:
            # The timer belongs to the scope around: the scope's own cancellation must not cancel it first.
            self._timer = self._context.start_timer(self._timeout)
            self._timer.on_fire = self._time_out
        self._core = core_scopes.CancelScope(task.scope, shield=self._shield)
        task.scope = self._core
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        core = self._core
        task = self._context.hub.current
        if core is None or task is None or core.parent is None:
            return False
        task.scope = core.parent
        if self._timer is not None and not self._context.hub.evicting:
            self._context.request_cancel(self._timer)
        return isinstance(error, WorkflowCanceledException) and error.scope is core

    def _time_out(self) -> None:
        if self._core is not None:
            self._core.timed_out = True
            self.cancel(f"the scope's {self._timeout} s are over")
