"""The workflow classes of a decider: found by type, registered with SWF, made into executions of the core."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING

from pyflow.core.execution import Execution
from pyflow.core.hub import GreenletPool
from pyflow.core.values import ExecutionSettings
from pyflow.deciding.maker import DecisionMaker, ExecutionLike
from pyflow.deciding.task import DecisionTask
from pyflow.exceptions import PyflowException
from pyflow.options import duration_text
from pyflow.swf.api import JsonObject
from pyflow.swf.registration import ensure_workflow_type

if TYPE_CHECKING:
    from mypy_boto3_swf.client import SWFClient

    from pyflow.workflow import Workflow

logger = logging.getLogger("pyflow")


class WorkflowClasses:
    """Workflow classes by (NAME, VERSION). Refused: two classes of one type (ValueError), one without a NAME
    (PyflowException, as in 2.0.0)."""

    def __init__(self, workflow_classes: Iterable[type[Workflow]]) -> None:
        self._classes: dict[tuple[str, str], type[Workflow]] = {}
        for workflow_class in workflow_classes:
            self._add(workflow_class)

    def types(self) -> list[tuple[str, str]]:
        """The workflow types served, in the order given."""
        return list(self._classes)

    def register(self, client: SWFClient, domain: str, task_list: str) -> None:
        """Register all types that are not there yet. Raises `SwfError`, `PyflowException`."""
        for (name, version), workflow_class in self._classes.items():
            options = _registration_options(workflow_class)
            listed = options.pop("defaultTaskList", {"name": task_list})
            ensure_workflow_type(client, domain, name, version, defaultTaskList=listed, **options)

    def new_execution(
        self, task: DecisionTask, *, settings: ExecutionSettings | None, pool: GreenletPool
    ) -> ExecutionLike | None:
        """A fresh execution for the task; None when no class has its type."""
        workflow_class = self._classes.get(task.workflow_type)
        if workflow_class is None:
            return None
        return Execution(
            workflow_class,
            domain=task.domain,
            workflow_id=task.workflow_id,
            run_id=task.run_id,
            workflow_type=task.workflow_type,
            settings=settings,
            pool=pool,
        )

    def maker(self, *, max_cached: int, settings: ExecutionSettings | None) -> DecisionMaker:
        """A decision maker for one thread, with a greenlet pool of its own."""
        pool = GreenletPool()

        def new_execution(task: DecisionTask) -> ExecutionLike | None:
            return self.new_execution(task, settings=settings, pool=pool)

        return DecisionMaker(new_execution, max_cached=max_cached, on_close=pool.close)

    def _add(self, workflow_class: type[Workflow]) -> None:
        name = workflow_class.__qualname__
        if not workflow_class.NAME or not workflow_class.VERSION:
            raise PyflowException(f"{name} has no NAME or no VERSION: set both class attributes to texts")
        workflow_type = (str(workflow_class.NAME), str(workflow_class.VERSION))
        other = self._classes.get(workflow_type)
        if other is not None and other is not workflow_class:
            raise ValueError(
                f"{name} and {other.__qualname__} are both workflow type {workflow_type}: "
                "give one another NAME or VERSION"
            )
        self._classes[workflow_type] = workflow_class


def _registration_options(workflow_class: type[Workflow]) -> JsonObject:
    """What its type is registered with. ``options`` is a property of the instance, as in 2.0.0."""
    try:
        options = workflow_class(None).options
    except Exception as error:
        raise PyflowException(
            f"{workflow_class.__qualname__} cannot be registered: making one without an execution, to ask for its "
            f"options, raised {type(error).__name__}: {error}. Let its __init__ take None for swf, and use swf in run"
        ) from error
    return {name: duration_text(value) if isinstance(value, timedelta) else value for name, value in options.items()}
