"""Logging from workflow code without repeating lines on replay."""

from __future__ import annotations

import logging
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any

from pyflow.core.context import Context

__all__ = ["WorkflowLogger", "logger"]

logger = logging.getLogger("pyflow")
"""What pyflow itself logs to."""

if TYPE_CHECKING:
    _Adapter = logging.LoggerAdapter[logging.Logger]
else:
    _Adapter = logging.LoggerAdapter


class WorkflowLogger(_Adapter):
    """Logs to ``pyflow.workflow``, with the execution's ids, and only when the code runs for the first time."""

    def __init__(self, context: Context) -> None:
        name, version = context.workflow_type
        super().__init__(
            logging.getLogger("pyflow.workflow"),
            {
                "workflow_id": context.workflow_id,
                "run_id": context.run_id,
                "workflow_type": f"{name} {version}",
            },
        )
        self._context = context

    def isEnabledFor(self, level: int) -> bool:
        """False during replay."""
        return not self._context.replaying and super().isEnabledFor(level)

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        """Put the workflow id in front; all ids into ``extra``."""
        kwargs["extra"] = {**(self.extra or {}), **(kwargs.get("extra") or {})}
        return f"[{self._context.workflow_id}] {msg}", kwargs
