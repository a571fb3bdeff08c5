"""Futures: what an invocation gives at once. ``result()`` blocks the workflow, never the process."""

from __future__ import annotations

import typing
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from pyflow import payloads
from pyflow.core.context import Context
from pyflow.core.hub import CANCELED, FAILED, PENDING, SUCCEEDED, TIMED_OUT, Completion, Task
from pyflow.core.invocations import Invocation
from pyflow.core.signals import ReceivedSignal
from pyflow.exceptions import (
    DeciderException,
    InvocationCanceledException,
    InvocationFailedException,
    InvocationTimedOutException,
    WaitTimedOutException,
)
from pyflow.options import Duration

__all__ = ["BranchFuture", "Future", "InvocationFuture", "InvokeOnceFuture", "MappedFuture", "WrappedFuture"]

T_co = TypeVar("T_co", covariant=True)
U = TypeVar("U")


class Future(Generic[T_co]):
    """What will be known later. Abstract, as in 2.0.0: own kinds may be given to the wait functions."""

    @property
    def done(self) -> bool:
        """True once the outcome is known, successful or not."""
        raise NotImplementedError

    @property
    def succeeded(self) -> bool:
        """True if it is done and has a result."""
        raise NotImplementedError

    @property
    def failed(self) -> bool:
        """True if it is done and has no result."""
        raise NotImplementedError

    @property
    def exception(self) -> BaseException | None:
        """What ``result()`` would raise; None while it is not done or if it succeeded."""
        raise NotImplementedError

    def result(self) -> T_co:
        """Block until it is done; the result, or the exception."""
        raise NotImplementedError


class CoreFuture(Future[T_co]):
    """A future on a completion of the core."""

    __slots__ = ("_completion", "_context")

    def __init__(self, completion: Completion, context: Context) -> None:
        self._completion = completion
        self._context = context

    @property
    def done(self) -> bool:
        """True once the outcome is known, successful or not."""
        return self._completion.done

    @property
    def succeeded(self) -> bool:
        """True if it is done and has a result."""
        return self._completion.outcome == SUCCEEDED

    @property
    def failed(self) -> bool:
        """True if it is done and has no result."""
        return self.done and not self.succeeded

    @property
    def exception(self) -> BaseException | None:
        """What ``result()`` would raise; None while it is not done or if it succeeded."""
        return self._exception() if self.failed else None

    def result(self, timeout: Duration | None = None) -> T_co:
        """Block until it is done; the result, or the exception.

        ``timeout`` in seconds: raises WaitTimedOutException after that. What was invoked goes on.
        """
        if self._completion.outcome == PENDING:
            self._wait(timeout)
        if self.succeeded:
            return self._value()
        error = self._exception()
        raise error

    def cancel(self) -> None:
        """Ask for cancellation.

        A timer is canceled at once. An activity or child is asked to cancel itself; the future is done when it has
        answered, and may still succeed. SWF cannot cancel a lambda: its future is canceled, its outcome ignored.
        """
        raise NotImplementedError

    def _wait(self, timeout: Duration | None) -> None:
        completion, context = self._completion, self._context
        if timeout is None:
            context.hub.wait((completion,), 1)
            return
        timer = context.start_timer(timeout)
        context.hub.wait((completion, timer), 1)
        if not completion.done:
            raise WaitTimedOutException(f"not done within {timeout} s")
        context.request_cancel(timer)

    def _value(self) -> T_co:
        value: T_co = self._completion.value
        return value

    def _exception(self) -> BaseException:
        raise NotImplementedError


class InvocationFuture(CoreFuture[T_co]):
    """The outcome of an invocation: lambda, activity, child workflow, timer, external signal or cancel."""

    __slots__ = ("_decoded", "_hint", "_problem")

    def __init__(self, invocation: Invocation, context: Context, hint: Any = None) -> None:
        super().__init__(invocation, context)
        self._hint = hint
        self._decoded: Any = _NOT_YET
        self._problem: ValueError | None = None

    @property
    def _invocation(self) -> Invocation:
        return typing.cast(Invocation, self._completion)

    @property
    def invocation_id(self) -> str:
        """The id of what is waited for: ``lambda1``, ``activity1``, ... For debugging and tests."""
        return self._invocation.id

    @property
    def succeeded(self) -> bool:
        """True if it is done and has a result that can be read."""
        return self._completion.outcome == SUCCEEDED and self._decode()

    def cancel(self) -> None:
        """See CoreFuture.cancel."""
        self._context.request_cancel(self._invocation)

    def _decode(self) -> bool:
        if self._decoded is _NOT_YET and self._problem is None:
            text = self._completion.value
            try:
                if self._context.settings.payload_decode is not None:
                    text = self._context.decoded(text)
                self._decoded = payloads.from_json(text, self._hint)
            except (ValueError, payloads.PayloadError) as error:
                self._problem = error if isinstance(error, ValueError) else ValueError(str(error))
        return self._problem is None

    def _value(self) -> T_co:
        value: T_co = self._decoded
        return value

    def _exception(self) -> BaseException:
        invocation = self._invocation
        outcome = invocation.outcome
        if outcome == SUCCEEDED:
            return InvocationFailedException(_UNREADABLE.get(invocation.kind, UNREADABLE), str(self._problem))
        kind, details = invocation.value
        if outcome == TIMED_OUT:
            said = f"InvocationStep {invocation.id!r} timed out"
            return InvocationTimedOutException(said, timeout_type=kind, details=details)
        if outcome == CANCELED:
            return InvocationCanceledException(None, details)
        if outcome == FAILED:
            return InvocationFailedException(kind, details)
        return DeciderException(f"Unexpected done state: {outcome!r}")


_NOT_YET = object()

UNREADABLE = "Decoding result failed"
_UNREADABLE = {"child": "Failed to decode child workflow output", "marker": "Failed to decode marker value"}
"""2.0.0's words for a result that is not JSON, by kind of invocation."""


class InvokeOnceFuture(InvocationFuture[T_co]):
    """What ``invoke_once`` gives: the callable's result, or its exception as InvocationFailedException."""

    __slots__ = ()

    @property
    def succeeded(self) -> bool:
        """True if the callable returned."""
        return super().succeeded and bool(self._decoded["succeeded"])

    def _value(self) -> T_co:
        result: T_co = self._decoded.get("result")
        return result

    def _exception(self) -> BaseException:
        if self._completion.outcome == SUCCEEDED and self._problem is None:
            return InvocationFailedException(self._decoded.get("reason"), self._decoded.get("details"))
        return super()._exception()


class SignalFuture(CoreFuture[T_co]):
    """The next signal of a name."""

    __slots__ = ("_name", "_read")

    def __init__(
        self, completion: Completion, context: Context, name: str, read: Callable[[ReceivedSignal], T_co]
    ) -> None:
        super().__init__(completion, context)
        self._name = name
        self._read = read

    def cancel(self) -> None:
        """Stop waiting: a signal that comes later is kept for others."""
        self._context.inbox.forget(self._name, self._completion)
        self._context.hub.resolve(self._completion, CANCELED)

    def _value(self) -> T_co:
        return self._read(self._completion.value)

    def _exception(self) -> BaseException:
        return InvocationCanceledException(None, f"nobody waits for signal {self._name!r} any more")


class BranchFuture(CoreFuture[T_co]):
    """The outcome of a spawned branch: what its function returned or raised."""

    __slots__ = ("_task",)

    def __init__(self, task: Task, context: Context) -> None:
        super().__init__(task.completion, context)
        self._task = task

    def cancel(self) -> None:
        """Deliver WorkflowCanceledException where the branch is blocked, and cancel what it waits for."""
        self._context.cancel_scope(self._task.scope, "the branch was canceled")

    def _exception(self) -> BaseException:
        error = self._completion.value
        if self._task in self._context.failed_branches:
            self._context.failed_branches.remove(self._task)
        if self._completion.outcome == CANCELED:
            return InvocationCanceledException("branch canceled", str(error) if error is not None else None)
        return typing.cast(BaseException, error)


class WrappedFuture(Future[T_co]):
    """Wraps another future and passes everything on; subclasses change what they need to."""

    def __init__(self, base_future: Future[Any]) -> None:
        self._base = base_future

    @property
    def done(self) -> bool:
        """As the wrapped future."""
        return self._base.done

    @property
    def failed(self) -> bool:
        """As the wrapped future."""
        return self._base.failed

    @property
    def succeeded(self) -> bool:
        """As the wrapped future."""
        return self._base.succeeded

    @property
    def exception(self) -> BaseException | None:
        """As the wrapped future."""
        return self._base.exception

    def result(self) -> T_co:
        """As the wrapped future."""
        result: T_co = self._base.result()
        return result


class MappedFuture(WrappedFuture[T_co]):
    """A future whose result is ``function(result of another)``."""

    def __init__(self, base_future: Future[U], function: Callable[[U], T_co]) -> None:
        super().__init__(base_future)
        self._function = function

    def result(self) -> T_co:
        """The mapped result."""
        return self._function(self._base.result())
