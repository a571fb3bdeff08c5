"""The class that workflows derive from."""

from __future__ import annotations

import inspect
import traceback
import typing
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pyflow import payloads
from pyflow.core.context import Context
from pyflow.core.invocations import site_text
from pyflow.core.values import PAYLOAD_CHARACTERS_MAX
from pyflow.exceptions import PayloadTooLargeException, PyflowException, WorkflowFailedException
from pyflow.replay_logging import WorkflowLogger
from pyflow.workflow_invocation_helper import WorkflowInvocationHelper

__all__ = ["Workflow"]


class Workflow:
    """One workflow type. Subclass it, name it, and write ``run`` as ordinary blocking Python.

    An instance is one execution: its attributes are the execution's own variables. Code must do the same when it runs
    again: time, random numbers and the outside world come from ``self.swf``, never from the machine.
    """

    NAME: str | None = None
    """Required: the name of the workflow type."""

    VERSION: str = "1.0"

    DEFAULT_OPTIONS: ClassVar[dict[str, Any]] = {
        "defaultChildPolicy": "TERMINATE",
        "defaultTaskStartToCloseTimeout": 600,
        "defaultExecutionStartToCloseTimeout": 3600,
    }
    """Registered with the type, in seconds. Replaced by what OPTIONS says."""

    OPTIONS: Mapping[str, Any] = {}
    """Other options for RegisterWorkflowType, and other values for the default ones."""

    ON_EXCEPTION: ClassVar[Literal["fail", "hold"]] = "fail"
    """What an exception of the code does: fail the execution, as in 2.0.0, or hold it until a fixed build arrives.
    WorkflowFailedException always fails it."""

    def __init__(self, swf: WorkflowInvocationHelper | None) -> None:
        if not (self.NAME and self.VERSION):
            raise PyflowException("Workflow classes must define the NAME and VERSION properties")
        self._swf = swf

    @property
    def name(self) -> str:
        """The name of this workflow type."""
        assert self.NAME is not None
        return self.NAME

    @property
    def version(self) -> str:
        """The version of this workflow type."""
        return self.VERSION

    @property
    def options(self) -> dict[str, Any]:
        """Options to register the type with."""
        return {**self.DEFAULT_OPTIONS, **self.OPTIONS}

    @property
    def swf(self) -> WorkflowInvocationHelper:
        """Everything the workflow can ask for, wait for and know."""
        return self._swf  # type: ignore[return-value]  # None only while the type is being registered

    if TYPE_CHECKING:
        # Positional only for type checkers, so that a workflow may call its input what it is.
        def run(self, workflow_input: Any, /) -> Any:
            """What the workflow does. Takes the execution's input, gives its result."""
    else:

        def run(self, workflow_input: Any) -> Any:
            """What the workflow does. Takes the execution's input, gives its result."""
            raise NotImplementedError

    @classmethod
    def _pyflow_bind(cls, context: Context) -> Callable[[], str]:
        """What the core runs in the main greenlet: input text in, result text out."""
        return lambda: _run(cls, context)  # not a partial: that would put a C frame on every parked stack


def _run(workflow_class: type[Workflow], context: Context) -> str:
    workflow_input = _read_input(workflow_class, context)
    workflow = workflow_class(WorkflowInvocationHelper(context))
    result = workflow.run(workflow_input)
    for branch in context.failed_branches:
        at = site_text(branch.site) if branch.site else "?"
        WorkflowLogger(context).warning("a branch spawned at %s failed, and nobody looked", at, exc_info=branch.error)
    try:
        text = payloads.to_json(result)
        context.check_payload("the result of the workflow", text)
    except PayloadTooLargeException as error:
        raise WorkflowFailedException("RESULT_TOO_LARGE", str(error)) from error
    except Exception as error:
        kind = context.workflow_type
        raise WorkflowFailedException(
            f"Caught exception while processing workflow result for workflow {kind!r}",
            traceback.format_exc()[-PAYLOAD_CHARACTERS_MAX:],
        ) from error
    return text


def _read_input(workflow_class: type[Workflow], context: Context) -> Any:
    text = context.started_attributes.pop("input", None)
    try:
        return payloads.from_json(context.decoded(text), _input_hint(workflow_class))
    except (ValueError, payloads.PayloadError) as error:
        raise WorkflowFailedException("Invalid input to workflow", str(error)) from error


def _input_hint(workflow_class: type[Workflow]) -> Any:
    """The type written at run's parameter, if any. Looked up once for each class."""
    known = workflow_class.__dict__.get("_pyflow_input_hint", _UNKNOWN)
    if known is _UNKNOWN:
        known = _find_input_hint(workflow_class)
        workflow_class._pyflow_input_hint = known  # type: ignore[attr-defined]  # the class is the natural cache
    return known


_UNKNOWN = object()


def _find_input_hint(workflow_class: type[Workflow]) -> Any:
    parameters = list(inspect.signature(workflow_class.run).parameters)[1:2]
    if not parameters:
        return None
    try:
        return typing.get_type_hints(workflow_class.run).get(parameters[0])
    except Exception:
        return None  # a hint that only a type checker can resolve
