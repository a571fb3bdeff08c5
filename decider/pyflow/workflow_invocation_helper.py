"""What workflow code sees as ``self.swf``: everything a workflow can ask for, wait for and know."""

from __future__ import annotations

import functools
import json
import random as random_module
import traceback
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any, Generic, NoReturn, ParamSpec, TypeVar, overload

from pyflow import payloads
from pyflow.branches import spawn, spawn_each
from pyflow.core.context import Context
from pyflow.core.requests import (
    ActivityRequest,
    ChildRequest,
    ExternalCancelRequest,
    ExternalSignalRequest,
    LambdaRequest,
)
from pyflow.core.signals import ReceivedSignal
from pyflow.core.values import PAYLOAD_CHARACTERS_MAX
from pyflow.exceptions import PayloadTooLargeException, PyflowException, WaitTimedOutException
from pyflow.future import BranchFuture, Future, InvocationFuture, InvokeOnceFuture, SignalFuture
from pyflow.options import ActivityOptions, ChildOptions, Duration, LambdaOptions
from pyflow.replay_logging import WorkflowLogger
from pyflow.saga import Saga
from pyflow.scopes import CancelScope
from pyflow.waiting import wait_for
from pyflow.workflow_end import continue_as_new

__all__ = ["Signal", "WorkflowInvocationHelper"]

OPTIONS_REMEMBERED_MAX = 1_024
"""Options made of plain arguments that are kept: code asks for the same ones again and again."""

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal(Generic[S]):
    """A signal that was received."""

    name: str
    payload: S
    """The signal's input: its JSON value, or the text itself if it is not JSON."""
    sender: tuple[str, str] | None
    """(workflow id, run id) of the workflow that sent it; None if it came from outside."""
    time: datetime
    event_id: int


class WorkflowInvocationHelper:
    """The interface of one execution to its workflow code. Every call is safe to replay."""

    CHILD_POLICY_TERMINATE = "TERMINATE"
    CHILD_POLICY_REQUEST_CANCEL = "REQUEST_CANCEL"
    CHILD_POLICY_ABANDON = "ABANDON"

    def __init__(self, context: Context) -> None:
        self._context = context
        self._logger: WorkflowLogger | None = None

    # ---- what code may know

    @property
    def domain(self) -> str:
        """The SWF domain."""
        return self._context.domain

    @property
    def workflow_id(self) -> str:
        """The workflowId of this execution."""
        return self._context.workflow_id

    @property
    def run_id(self) -> str:
        """The runId of this execution."""
        return self._context.run_id

    @property
    def lambda_role(self) -> str | None:
        """The IAM role lambdas are invoked with."""
        return self._context.started_attributes.get("lambdaRole")

    @property
    def tag_list(self) -> list[str]:
        """The tags this execution was started with."""
        return list(self._context.started_attributes.get("tagList") or ())

    @property
    def parent(self) -> tuple[str, str] | None:
        """(workflow id, run id) of the parent; None for an execution without one."""
        found = self._context.started_attributes.get("parentWorkflowExecution")
        return (found["workflowId"], found["runId"]) if found else None

    @property
    def continued_from(self) -> str | None:
        """The run id of the run that continued as this one."""
        return self._context.started_attributes.get("continuedExecutionRunId")

    @property
    def is_replaying(self) -> bool:
        """True while code runs again over decisions made before."""
        return self._context.replaying

    @property
    def history_length(self) -> int:
        """Events in history so far. SWF ends the execution at 25,000."""
        return self._context.history_length

    @property
    def should_continue_as_new(self) -> bool:
        """True once history is long enough that continuing as new is advised (10,000 events)."""
        return self._context.history_length >= self._context.settings.history_events_advice

    @property
    def logger(self) -> WorkflowLogger:
        """A logger that is silent during replay, so that every line appears once."""
        if self._logger is None:
            self._logger = WorkflowLogger(self._context)
        return self._logger

    def workflow_time(self) -> datetime:
        """The time of the decision at hand, in UTC: the same on every replay."""
        return datetime.fromtimestamp(self._context.now_s, timezone.utc)

    def random(self) -> random_module.Random:
        """Random numbers of this run: the same on every replay."""
        return self._context.random()

    def uuid4(self) -> uuid.UUID:
        """A UUID of this run: the same on every replay."""
        return self._context.uuid4()

    def set_status(self, status: Any) -> None:
        """Any JSON value, readable from outside while the execution runs: ``get_workflow_status(...).status``."""
        text = payloads.to_json(status)
        if len(text) > PAYLOAD_CHARACTERS_MAX // 2:
            raise PayloadTooLargeException("the status", len(text), PAYLOAD_CHARACTERS_MAX // 2)
        self._context.status = json.loads(text)

    # ---- invoking

    def invoke_lambda(
        self,
        function_name: str,
        input_arg: Any = None,
        timeout: Duration | None = None,
        *,
        options: LambdaOptions | None = None,
        returns: Any = None,
    ) -> InvocationFuture[Any]:
        """Invoke a Lambda function through SWF.

        :param input_arg: any JSON value; None sends no input
        :param timeout: seconds from start to close, 1 to 900
        :return: a future of the function's result
        """
        settings = options or _lambda_options(timeout)
        request = LambdaRequest(function_name, self._input("the input of", function_name, input_arg), settings)
        return InvocationFuture(self._context.ask(request), self._context, returns)

    def invoke_activity(
        self,
        name: str,
        version: str,
        input_arg: Any = None,
        timeout: Duration | None = None,
        task_list: str | None = None,
        *,
        options: ActivityOptions | None = None,
        returns: Any = None,
    ) -> InvocationFuture[Any]:
        """Schedule an activity task.

        :param input_arg: any JSON value; None sends no input
        :param timeout: seconds from start to close
        :param task_list: None takes the activity type's default
        :param options: instead of ``timeout`` and ``task_list``: all of SWF's options and a retry policy
        :return: a future of the activity's result
        """
        settings = options or _activity_options(timeout, task_list)
        request = ActivityRequest(name, version, self._input("the input of", name, input_arg), settings)
        return InvocationFuture(self._context.ask(request), self._context, returns)

    def invoke_child_workflow(
        self,
        name: str,
        version: str,
        input_arg: Any = None,
        child_policy: str | None = None,
        lambda_role: str | None = None,
        task_list: str | None = None,
        execution_start_to_close_timeout: Duration | None = None,
        *,
        options: ChildOptions | None = None,
        returns: Any = None,
    ) -> InvocationFuture[Any]:
        """Start a child workflow execution. What is not given is taken from the type's defaults.

        :param child_policy: what the *child's* children meet when it closes early: one of CHILD_POLICY_...
        :param lambda_role: None passes on this execution's role
        :return: a future of the child's result
        """
        settings = options or _child_options(child_policy, lambda_role, task_list, execution_start_to_close_timeout)
        if settings.lambda_role is None and self.lambda_role is not None:
            settings = replace(settings, lambda_role=self.lambda_role)
        request = ChildRequest(name, version, self._input("the input of", name, input_arg), settings)
        return InvocationFuture(self._context.ask(request, settings.workflow_id), self._context, returns)

    def invoke_once(self, callable: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> InvokeOnceFuture[R]:
        """Call a Python function in the decider, once in the life of the execution.

        Its result (any JSON value) or its exception is recorded in a marker and given again on replay. It runs in the
        decider's own thread: keep it short. It must not use ``self.swf``.
        """

        def compute() -> str:
            try:
                return payloads.to_json({"succeeded": True, "result": callable(*args, **kwargs)})
            except Exception:
                return payloads.to_json(
                    {
                        "succeeded": False,
                        "reason": "Exception raised while invoking callable",
                        "details": traceback.format_exc()[-PAYLOAD_CHARACTERS_MAX // 2 :],
                    }
                )

        return InvokeOnceFuture(self._context.once(compute), self._context)

    def start_timer(self, seconds: Duration) -> InvocationFuture[None]:
        """A future that is done in that many seconds (whole ones: fractions are rounded up)."""
        return InvocationFuture(self._context.start_timer(seconds), self._context)

    def sleep(self, seconds: Duration) -> None:
        """Block for that many seconds."""
        self.start_timer(seconds).result()

    def record_marker(self, name: str, details: Any = None) -> None:
        """Write a marker into history, for people and tools that read it."""
        text = None if details is None else self._input("marker", name, details)
        self._context.note(name, text)

    # ---- other executions

    def signal_execution(
        self, workflow_id: str, signal_name: str, payload: Any = None, run_id: str | None = None
    ) -> InvocationFuture[None]:
        """Signal another execution of this domain. Done once SWF has delivered it; fails if it is not open."""
        text = self._input("signal", signal_name, payload)
        request = ExternalSignalRequest(workflow_id, run_id, signal_name, text)
        return InvocationFuture(self._context.ask(request), self._context)

    def cancel_execution(self, workflow_id: str, run_id: str | None = None) -> InvocationFuture[None]:
        """Ask another execution of this domain to cancel itself. Done once SWF has delivered the request."""
        return InvocationFuture(self._context.ask(ExternalCancelRequest(workflow_id, run_id)), self._context)

    # ---- signals

    @overload
    def signal(self, name: str, returns: None = None) -> SignalFuture[Signal[Any]]: ...
    @overload
    def signal(self, name: str, returns: type[S]) -> SignalFuture[Signal[S]]: ...
    def signal(self, name: str, returns: Any = None) -> SignalFuture[Signal[Any]]:
        """A future of the next signal of that name: one that has come already, or one still to come."""
        completion = self._context.inbox.next(name)
        return SignalFuture(completion, self._context, name, lambda received: self._signal(received, returns))

    @overload
    def wait_for_signal(self, name: str, timeout: Duration | None = None, returns: None = None) -> Signal[Any]: ...
    @overload
    def wait_for_signal(self, name: str, timeout: Duration | None = None, *, returns: type[S]) -> Signal[S]: ...
    def wait_for_signal(self, name: str, timeout: Duration | None = None, returns: Any = None) -> Signal[Any]:
        """Block until a signal of that name is there, and take it.

        :raises WaitTimedOutException: if none came within ``timeout`` seconds
        """
        future = self.signal(name, returns)
        try:
            return future.result(timeout)
        except BaseException:
            if not future.done:
                future.cancel()
            raise

    def on_signal(self, name: str | None, handler: Callable[[Signal[Any]], object], returns: Any = None) -> None:
        """From now on call ``handler`` for every signal of that name, in a branch of its own, before anything else.

        ``None`` takes signals nobody else takes. What has come already is handed over at once. An exception of the
        handler fails the workflow.
        """
        self._context.check_may_ask()
        self._context.inbox.handle(name, lambda received: _drop(handler(self._signal(received, returns))))

    def _signal(self, received: ReceivedSignal, hint: Any) -> Signal[Any]:
        text = received.input
        try:
            text = self._context.decoded(text)
            payload = payloads.from_json(text, hint)
        except ValueError:
            payload = text
        sender = (received.workflow_id, received.run_id or "") if received.workflow_id else None
        return Signal(
            name=received.name,
            payload=payload,
            sender=sender,
            time=datetime.fromtimestamp(received.time_s, timezone.utc),
            event_id=received.event_id,
        )

    # ---- waiting

    def wait_for_all(self, *futures: Any) -> list[Any]:
        """Block until all are done. Futures or lists of futures; gives them in the order they finished."""
        return wait_for(self._context, futures, every=True)

    def wait_for_any(self, *futures: Any) -> list[Any]:
        """Block until any is done. Futures or lists of futures; gives those that are, in the order they finished."""
        return wait_for(self._context, futures, every=False)

    def timed_wait_for_all(self, timeout: Duration, *futures: Any) -> list[Any]:
        """As wait_for_all; raises WaitTimedOutException if not all are done within ``timeout`` seconds."""
        return wait_for(self._context, futures, every=True, timer=self._context.start_timer(timeout), timeout=timeout)

    def timed_wait_for_any(self, timeout: Duration, *futures: Any) -> list[Any]:
        """As wait_for_any; raises WaitTimedOutException if none is done within ``timeout`` seconds."""
        return wait_for(self._context, futures, every=False, timer=self._context.start_timer(timeout), timeout=timeout)

    def wait_until(self, condition: Callable[[], bool], timeout: Duration | None = None) -> None:
        """Block until ``condition()`` is true. It may look at what signal handlers and branches have changed.

        :raises WaitTimedOutException: if it is not within ``timeout`` seconds
        """
        if condition():
            return
        if timeout is None:
            self._context.hub.wait_until(condition)
            return
        timer = self._context.start_timer(timeout)
        self._context.hub.wait_until(lambda: timer.done or condition())
        if not condition():
            raise WaitTimedOutException(f"the condition was not true within {timeout} s")
        self._context.request_cancel(timer)

    # ---- branches

    @overload
    def spawn(self, fn: Callable[P, Future[R]], *args: P.args, **kwargs: P.kwargs) -> BranchFuture[R]: ...
    @overload
    def spawn(self, fn: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> BranchFuture[R]: ...
    def spawn(self, fn: Callable[P, Any], *args: P.args, **kwargs: P.kwargs) -> BranchFuture[Any]:
        """Run a function, or a descriptor, as a branch of its own. It begins when the caller blocks.

        When ``run`` returns, branches that still run are dropped: wait for what must be finished.
        """
        return spawn(self._context, lambda: fn(*args, **kwargs))

    def gather(self, *futures: Future[Any] | Iterable[Future[Any]]) -> list[Any]:
        """Block until all are done, and give their results in the order of the arguments.

        The first one that failed, in that order, raises; the others are waited for all the same.
        """
        flat = [each for given in futures for each in ([given] if isinstance(given, Future) else given)]
        self.wait_for_all(flat)
        return [future.result() for future in flat]

    @overload
    def map(self, fn: Callable[[S], Future[R]], items: Iterable[S], at_most: int | None = None) -> list[R]: ...
    @overload
    def map(self, fn: Callable[[S], R], items: Iterable[S], at_most: int | None = None) -> list[R]: ...
    def map(self, fn: Callable[[S], Any], items: Iterable[S], at_most: int | None = None) -> list[Any]:
        """``fn(item)`` for every item, each in a branch, at most so many at a time. Results in the items' order.

        ``fn`` may be a descriptor: ``self.swf.map(self.resize, images, at_most=20)``. If one raises, no new ones begin,
        those that run are canceled, and its exception is raised.
        """
        return spawn_each(self._context, fn, items, at_most)

    # ---- cancellation

    def cancel_scope(self, timeout: Duration | None = None) -> CancelScope:
        """A with-block that can be canceled as a whole, by ``scope.cancel()`` or after ``timeout`` seconds.

        Leaving it by its own cancellation is not an error: look at ``scope.canceled`` and ``scope.timed_out``.
        """
        return CancelScope(self._context, timeout=timeout)

    @contextmanager
    def shield(self) -> Iterator[None]:
        """A with-block that cancellation from outside does not enter; it is delivered after the block."""
        with CancelScope(self._context, shield=True):
            yield

    def saga(self) -> Saga:
        """A with-block whose compensations run in reverse order if it fails or is canceled.

        ``saga.compensate(self.refund, order)`` after each step that would have to be undone.
        """
        return Saga(self._context)

    # ---- changing code under running executions

    def patched(self, patch_id: str) -> bool:
        """True for executions that had not passed here before the patch came; they remember it.

        ``if self.swf.patched("new-pricing"): new() else: old()``. Once no execution needs the old way, remove it.
        """
        return self._context.patched(patch_id)

    def version(self, component: str, minimum: int, maximum: int, allowed: int | None = None) -> int:
        """The version of a component that this execution uses, between ``minimum`` and ``maximum``.

        New executions get ``allowed`` (default: ``maximum``): deploy new code everywhere with the old version
        allowed, then raise it. An execution outside of the range is held until a build comes that supports it.
        """
        return self._context.version(component, minimum, maximum, maximum if allowed is None else allowed)

    def continue_as_new(self, input_arg: Any = None, **options: Any) -> NoReturn:
        """End this run and go on in a new one, with the same workflow id and a fresh history.

        Options that are not given are those of this run: ``tag_list``, ``task_list``, ``task_priority``,
        ``child_policy``, ``lambda_role``, ``execution_start_to_close_timeout``, ``task_start_to_close_timeout``,
        ``workflow_type_version``.
        """
        text = self._input("the input of", "the new run", input_arg)
        continue_as_new(self._context, text, **options)

    # ---- inside

    def _input(self, what: str, name: str, value: Any) -> str | None:
        if value is None:
            return None
        text = payloads.to_json(value)
        if len(text) > PAYLOAD_CHARACTERS_MAX:
            self._context.check_payload(f"{what} {name}", text)
        return text


@functools.lru_cache(maxsize=OPTIONS_REMEMBERED_MAX)
def _lambda_options(timeout: Duration | None) -> LambdaOptions:
    return LambdaOptions(timeout=timeout)


@functools.lru_cache(maxsize=OPTIONS_REMEMBERED_MAX)
def _activity_options(timeout: Duration | None, task_list: str | None) -> ActivityOptions:
    return ActivityOptions(start_to_close_timeout=timeout, task_list=task_list)


@functools.lru_cache(maxsize=OPTIONS_REMEMBERED_MAX)
def _child_options(
    policy: str | None, role: str | None, task_list: str | None, timeout: Duration | None
) -> ChildOptions:
    return ChildOptions(
        child_policy=policy, lambda_role=role, task_list=task_list, execution_start_to_close_timeout=timeout
    )


def _drop(value: object) -> None:
    if isinstance(value, Future):
        raise PyflowException("A signal handler gave back a future; call its result() in the handler instead.")
