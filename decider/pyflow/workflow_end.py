"""Ending a run on purpose: continue as new."""

from __future__ import annotations

from typing import Any, NoReturn

from pyflow.core.context import Context
from pyflow.core.requests import CloseRequest
from pyflow.exceptions import WorkflowContinued
from pyflow.options import check_tags, duration_text

_DURATIONS = {
    "execution_start_to_close_timeout": "executionStartToCloseTimeout",
    "task_start_to_close_timeout": "taskStartToCloseTimeout",
}
_TEXTS = {
    "child_policy": "childPolicy",
    "lambda_role": "lambdaRole",
    "task_priority": "taskPriority",
    "workflow_type_version": "workflowTypeVersion",
}


def continue_as_new(context: Context, text: str | None, **options: Any) -> NoReturn:
    """Leave the workflow's code with the decision to continue.

    SWF would take what is not given from the type's registration, not from this run (swf-reference 8.7), so this run's
    own settings are sent along.
    """
    context.check_may_ask()
    unknown = set(options) - set(_DURATIONS) - set(_TEXTS) - {"task_list", "tag_list"}
    if unknown:
        raise TypeError(f"continue_as_new has no option {', '.join(sorted(unknown))}")
    run = context.started_attributes
    attributes: dict[str, Any] = {}
    if text is not None:
        attributes["input"] = text
    for option, member in (*_DURATIONS.items(), *_TEXTS.items()):
        value = options.get(option)
        if value is not None:
            attributes[member] = duration_text(value) if option in _DURATIONS else str(value)
        elif run.get(member) is not None:
            attributes[member] = run[member]
    task_list = options.get("task_list")
    if task_list is not None:
        attributes["taskList"] = {"name": task_list}
    elif run.get("taskList"):
        attributes["taskList"] = dict(run["taskList"])
    tags = options.get("tag_list", run.get("tagList"))
    if tags:
        check_tags(tags)
        attributes["tagList"] = list(tags)
    raise WorkflowContinued(CloseRequest("ContinueAsNewWorkflowExecution", attributes))
