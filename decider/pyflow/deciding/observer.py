"""What happens in a decider, as calls that metrics and traces listen to; by default nobody listens."""

from __future__ import annotations

from pyflow.deciding.maker import Decided
from pyflow.deciding.task import DecisionTask
from pyflow.swf.faults import SwfError


class Observer:
    """Base of listeners: every method does nothing. Methods are called from many threads and must not raise."""

    def polled(self, task_list: str, *, empty: bool) -> None:
        """A poll of `task_list` was answered."""

    def poll_failed(self, error: SwfError) -> None:
        """A poll failed."""

    def answered(self, task: DecisionTask, decided: Decided, *, seconds: float) -> None:
        """A decision task was answered and the answer accepted, `seconds` after the poll gave it."""

    def call_failed(self, operation: str, error: SwfError) -> None:
        """An attempt of a call other than a poll failed; it may be tried again."""

    def not_answered(self, task: DecisionTask, kind: str) -> None:
        """A decision task could not be answered: its answer was refused, its history unreadable, ... (`kind`)."""

    def held(self, task: DecisionTask, kind: str) -> None:
        """A decision task is held."""

    def history_read(self, task: DecisionTask, events: int) -> None:
        """The whole history was read because the execution was not in the cache."""

    def blocked(self, task: DecisionTask) -> None:
        """Workflow code does not come back."""

    def gauges(self, *, cached: int, held: int) -> None:
        """How many executions are kept and held now."""


class Observers(Observer):
    """Hands every call to several listeners."""

    def __init__(self, *listeners: Observer) -> None:
        self._listeners = listeners

    def polled(self, task_list: str, *, empty: bool) -> None:
        """See `Observer.polled`."""
        for listener in self._listeners:
            listener.polled(task_list, empty=empty)

    def poll_failed(self, error: SwfError) -> None:
        """See `Observer.poll_failed`."""
        for listener in self._listeners:
            listener.poll_failed(error)

    def answered(self, task: DecisionTask, decided: Decided, *, seconds: float) -> None:
        """See `Observer.answered`."""
        for listener in self._listeners:
            listener.answered(task, decided, seconds=seconds)

    def call_failed(self, operation: str, error: SwfError) -> None:
        """See `Observer.call_failed`."""
        for listener in self._listeners:
            listener.call_failed(operation, error)

    def not_answered(self, task: DecisionTask, kind: str) -> None:
        """See `Observer.not_answered`."""
        for listener in self._listeners:
            listener.not_answered(task, kind)

    def held(self, task: DecisionTask, kind: str) -> None:
        """See `Observer.held`."""
        for listener in self._listeners:
            listener.held(task, kind)

    def history_read(self, task: DecisionTask, events: int) -> None:
        """See `Observer.history_read`."""
        for listener in self._listeners:
            listener.history_read(task, events)

    def blocked(self, task: DecisionTask) -> None:
        """See `Observer.blocked`."""
        for listener in self._listeners:
            listener.blocked(task)

    def gauges(self, *, cached: int, held: int) -> None:
        """See `Observer.gauges`."""
        for listener in self._listeners:
            listener.gauges(cached=cached, held=held)
