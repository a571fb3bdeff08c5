"""Descriptors: what a workflow invokes, declared as class attributes and called like methods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from pyflow.exceptions import InvocationException
from pyflow.future import InvocationFuture
from pyflow.options import ActivityOptions, ChildOptions, Duration, LambdaOptions, RetryPolicy, check_tags
from pyflow.workflow_invocation_helper import WorkflowInvocationHelper

if TYPE_CHECKING:
    from typing_extensions import Self

    from pyflow.workflow import Workflow

__all__ = ["ActivityDescriptor", "ChildWorkflowDescriptor", "Invoker", "LambdaDescriptor"]

R = TypeVar("R")


class Invoker(Generic[R]):
    """A descriptor bound to an execution: call it with one argument, or with keyword arguments."""

    __slots__ = ("_descriptor", "_instance", "_options")

    def __init__(self, descriptor: _Descriptor[R], instance: Workflow, options: Any) -> None:
        self._descriptor = descriptor
        self._instance = instance
        self._options = options

    def __call__(self, *args: Any, **kwargs: Any) -> InvocationFuture[R]:
        """Invoke. Keyword arguments become one JSON object; no argument sends no input."""
        if (args and kwargs) or len(args) > 1:
            raise InvocationException(
                f"{self._descriptor._what} must be invoked with either a single positional argument, or any number of "
                f"keyword arguments, but not both."
            )
        return self._descriptor._invoke(self._instance, self._options, args[0] if args else kwargs or None)

    def options(self, **changes: Any) -> Invoker[R]:
        """The same with other options for this call: ``self.charge.options(start_to_close_timeout=60)(order)``."""
        return Invoker(self._descriptor, self._instance, self._descriptor._changed(self._options, changes))


class _Descriptor(Generic[R]):
    _what: str
    _shown: tuple[str, ...]
    _options: Any
    _options_of_two: Mapping[str, str]
    """2.0.0's arguments of the invoke method, and what they are called among the options."""
    returns: Any

    @overload
    def __get__(self, instance: None, owner: type[Workflow]) -> Self: ...

    @overload
    def __get__(self, instance: Workflow, owner: type[Workflow]) -> Invoker[R]: ...

    def __get__(self, instance: Workflow | None, owner: type[Workflow]) -> Any:
        return self if instance is None else Invoker(self, instance, self._options)

    def _invoke(self, instance: Workflow, options: Any, value: Any) -> InvocationFuture[R]:
        raise NotImplementedError

    def _changed(self, options: Any, changes: dict[str, Any]) -> Any:
        """The options with changes; raises TypeError for one that does not exist, naming those that do."""
        unknown = [name for name in changes if name not in options.__slots__]
        if unknown:
            raise TypeError(f"there is no option {', '.join(unknown)} here; there are {', '.join(options.__slots__)}")
        return replace(options, **changes)

    def _say(self, options: LambdaOptions | ActivityOptions | ChildOptions) -> dict[str, Any]:
        """Keyword arguments for the invoke method of a stand-in for ``swf``: 2.0.0's own where they say it all.

        A workflow may be given one, in a test or around the real one, and it may know no others.
        """
        known = self._options_of_two
        new = (name for name in options.__slots__ if name not in known.values())
        if self.returns is not None or any(getattr(options, name) is not None for name in new):
            return {"options": options, "returns": self.returns}
        return {argument: getattr(options, name) for argument, name in known.items()}

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(other) == vars(self)

    def __hash__(self) -> int:
        return hash((type(self), *(str(getattr(self, name)) for name in self._shown)))

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._shown)
        return f"{type(self).__name__}({values})"


class LambdaDescriptor(_Descriptor[R]):
    """Declares a Lambda function: ``total = pyflow.LambdaDescriptor("total", timeout=20, returns=int)``."""

    _what = "Lambda"
    _shown = ("function_name", "timeout")
    _options_of_two: Mapping[str, str] = {"timeout": "timeout"}

    @overload
    def __init__(
        self: LambdaDescriptor[Any],
        function_name: str,
        timeout: Duration | None = ...,
        *,
        retry: RetryPolicy | None = ...,
        returns: None = ...,
    ) -> None: ...

    @overload
    def __init__(
        self,
        function_name: str,
        timeout: Duration | None = ...,
        *,
        retry: RetryPolicy | None = ...,
        returns: type[R],
    ) -> None: ...

    def __init__(
        self,
        function_name: str,
        timeout: Duration | None = None,
        *,
        retry: RetryPolicy | None = None,
        returns: Any = None,
    ) -> None:
        self.function_name = function_name
        self.timeout = timeout
        self.retry = retry
        self.returns = returns
        self._options = LambdaOptions(timeout=timeout, retry=retry)

    def _invoke(self, instance: Workflow, options: LambdaOptions, value: Any) -> InvocationFuture[R]:
        swf = instance.swf
        if type(swf) is WorkflowInvocationHelper:
            return swf.invoke_lambda(self.function_name, value, None, options=options, returns=self.returns)
        return swf.invoke_lambda(self.function_name, value, **self._say(options))


class ActivityDescriptor(_Descriptor[R]):
    """Declares an activity type, with its timeouts, task list and retry policy.

    ``timeout`` is 2.0.0's name for ``start_to_close_timeout``. What is not given comes from the registered type.
    """

    _what = "Activity"
    _shown = ("activity_name", "activity_version", "timeout", "task_list")
    _options_of_two: Mapping[str, str] = {"timeout": "start_to_close_timeout", "task_list": "task_list"}

    @overload
    def __init__(
        self: ActivityDescriptor[Any],
        activity_name: str,
        activity_version: str,
        timeout: Duration | None = ...,
        task_list: str | None = ...,
        *,
        start_to_close_timeout: Duration | None = ...,
        schedule_to_start_timeout: Duration | None = ...,
        schedule_to_close_timeout: Duration | None = ...,
        heartbeat_timeout: Duration | None = ...,
        task_priority: int | None = ...,
        retry: RetryPolicy | None = ...,
        returns: None = ...,
    ) -> None: ...

    @overload
    def __init__(
        self,
        activity_name: str,
        activity_version: str,
        timeout: Duration | None = ...,
        task_list: str | None = ...,
        *,
        start_to_close_timeout: Duration | None = ...,
        schedule_to_start_timeout: Duration | None = ...,
        schedule_to_close_timeout: Duration | None = ...,
        heartbeat_timeout: Duration | None = ...,
        task_priority: int | None = ...,
        retry: RetryPolicy | None = ...,
        returns: type[R],
    ) -> None: ...

    def __init__(
        self,
        activity_name: str,
        activity_version: str,
        timeout: Duration | None = None,
        task_list: str | None = None,
        *,
        start_to_close_timeout: Duration | None = None,
        schedule_to_start_timeout: Duration | None = None,
        schedule_to_close_timeout: Duration | None = None,
        heartbeat_timeout: Duration | None = None,
        task_priority: int | None = None,
        retry: RetryPolicy | None = None,
        returns: Any = None,
    ) -> None:
        self.activity_name = activity_name
        self.activity_version = activity_version
        self.timeout = timeout if timeout is not None else start_to_close_timeout
        self.task_list = task_list
        self.retry = retry
        self.returns = returns
        self._options = ActivityOptions(
            start_to_close_timeout=self.timeout,
            schedule_to_start_timeout=schedule_to_start_timeout,
            schedule_to_close_timeout=schedule_to_close_timeout,
            heartbeat_timeout=heartbeat_timeout,
            task_list=task_list,
            task_priority=task_priority,
            retry=retry,
        )

    def _invoke(self, instance: Workflow, options: ActivityOptions, value: Any) -> InvocationFuture[R]:
        swf, name, version = instance.swf, self.activity_name, self.activity_version
        if type(swf) is WorkflowInvocationHelper:
            return swf.invoke_activity(name, version, value, options=options, returns=self.returns)
        return swf.invoke_activity(name, version, input_arg=value, **self._say(options))

    def _changed(self, options: Any, changes: dict[str, Any]) -> Any:
        if "timeout" in changes:
            changes["start_to_close_timeout"] = changes.pop("timeout")
        return super()._changed(options, changes)


class ChildWorkflowDescriptor(_Descriptor[R]):
    """Declares a workflow type to be started as a child. What is not given comes from the registered type."""

    _what = "Child workflow"
    _shown = (
        "workflow_name",
        "workflow_version",
        "child_policy",
        "lambda_role",
        "task_list",
        "execution_start_to_close_timeout",
    )
    _options_of_two: Mapping[str, str] = {name: name for name in _shown[2:]}

    @overload
    def __init__(
        self: ChildWorkflowDescriptor[Any],
        workflow_name: str,
        workflow_version: str,
        child_policy: str | None = ...,
        lambda_role: str | None = ...,
        task_list: str | None = ...,
        execution_start_to_close_timeout: Duration | None = ...,
        *,
        task_start_to_close_timeout: Duration | None = ...,
        task_priority: int | None = ...,
        tag_list: list[str] | tuple[str, ...] | None = ...,
        workflow_id: str | None = ...,
        retry: RetryPolicy | None = ...,
        returns: None = ...,
    ) -> None: ...

    @overload
    def __init__(
        self,
        workflow_name: str,
        workflow_version: str,
        child_policy: str | None = ...,
        lambda_role: str | None = ...,
        task_list: str | None = ...,
        execution_start_to_close_timeout: Duration | None = ...,
        *,
        task_start_to_close_timeout: Duration | None = ...,
        task_priority: int | None = ...,
        tag_list: list[str] | tuple[str, ...] | None = ...,
        workflow_id: str | None = ...,
        retry: RetryPolicy | None = ...,
        returns: type[R],
    ) -> None: ...

    def __init__(
        self,
        workflow_name: str,
        workflow_version: str,
        child_policy: str | None = None,
        lambda_role: str | None = None,
        task_list: str | None = None,
        execution_start_to_close_timeout: Duration | None = None,
        *,
        task_start_to_close_timeout: Duration | None = None,
        task_priority: int | None = None,
        tag_list: list[str] | tuple[str, ...] | None = None,
        workflow_id: str | None = None,
        retry: RetryPolicy | None = None,
        returns: Any = None,
    ) -> None:
        if tag_list is not None:
            check_tags(tag_list)
        self.workflow_name = workflow_name
        self.workflow_version = workflow_version
        self.child_policy = child_policy
        self.lambda_role = lambda_role
        self.task_list = task_list
        self.execution_start_to_close_timeout = execution_start_to_close_timeout
        self.returns = returns
        self._options = ChildOptions(
            workflow_id=workflow_id,
            child_policy=child_policy,
            lambda_role=lambda_role,
            task_list=task_list,
            execution_start_to_close_timeout=execution_start_to_close_timeout,
            task_start_to_close_timeout=task_start_to_close_timeout,
            task_priority=task_priority,
            tag_list=None if tag_list is None else tuple(tag_list),
            retry=retry,
        )

    def _invoke(self, instance: Workflow, options: ChildOptions, value: Any) -> InvocationFuture[R]:
        swf, name, version = instance.swf, self.workflow_name, self.workflow_version
        if type(swf) is WorkflowInvocationHelper:
            return swf.invoke_child_workflow(name, version, value, options=options, returns=self.returns)
        return swf.invoke_child_workflow(name, version, input_arg=value, **self._say(options))
