"""Signals that have arrived: kept until a handler or a waiter takes them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from pyflow.core.hub import SUCCEEDED, Completion, Hub
from pyflow.core.scopes import CancelScope


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedSignal:
    """One WorkflowExecutionSignaled event; the input as it was on the wire."""

    name: str
    input: str | None
    workflow_id: str | None
    """Of the sending workflow; None when it came from outside."""
    run_id: str | None
    event_id: int
    time_s: float


Handler: TypeAlias = "Callable[[ReceivedSignal], None]"


class Inbox:
    """Signals of one execution. A handler takes all signals of its name; else waiters take them, first come."""

    __slots__ = ("_handlers", "_hub", "_kept", "_scope", "_waiting")

    def __init__(self, hub: Hub, scope: CancelScope) -> None:
        self._hub = hub
        self._scope = scope
        self._kept: dict[str, deque[ReceivedSignal]] = {}
        self._waiting: dict[str, deque[Completion]] = {}
        self._handlers: dict[str | None, Handler] = {}

    def receive(self, signal: ReceivedSignal) -> None:
        """Give an arriving signal to whoever it is for, or keep it."""
        handler = self._handlers.get(signal.name)
        waiting = self._waiting.get(signal.name)
        if handler is None and not waiting:
            handler = self._handlers.get(None)
        if handler is not None:
            self._start(handler, signal)
        elif waiting:
            self._hub.resolve(waiting.popleft(), SUCCEEDED, signal)
        else:
            self._kept.setdefault(signal.name, deque()).append(signal)

    def next(self, name: str) -> Completion:
        """The next signal of that name: kept already, or still to come."""
        completion = Completion()
        kept = self._kept.get(name)
        if kept:
            self._hub.resolve(completion, SUCCEEDED, kept.popleft())
        else:
            self._waiting.setdefault(name, deque()).append(completion)
        return completion

    def forget(self, name: str, completion: Completion) -> None:
        """Nobody waits for that completion any more: it must not swallow a signal."""
        waiting = self._waiting.get(name)
        if waiting and completion in waiting:
            waiting.remove(completion)

    def handle(self, name: str | None, handler: Handler) -> None:
        """From now on ``handler`` takes signals of that name (None: of every name nobody else takes)."""
        self._handlers[name] = handler
        names = [name] if name is not None else [kept for kept in self._kept if kept not in self._handlers]
        for each in names:
            for signal in self._kept.pop(each, ()):
                self._start(handler, signal)

    def _start(self, handler: Handler, signal: ReceivedSignal) -> None:
        self._hub.spawn(lambda: handler(signal), CancelScope(self._scope), role="handler")
