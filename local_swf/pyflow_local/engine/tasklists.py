"""One task list: tasks that wait, highest priority first, and polls that wait, longest first."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

T = TypeVar("T")


class Waiter:
    """A poll that waits on a task list."""

    __slots__ = ("identity", "options", "poll")

    def __init__(self, poll: int, identity: str | None, options: tuple[int, bool, bool]) -> None:
        """`options` of a decision poll: page size, reverse order, start at the previous started event."""
        self.poll = poll
        self.identity = identity
        self.options = options


class TaskList(Generic[T]):
    """Tasks by priority in order of arrival, and waiting polls. Everything is O(1) but a new priority."""

    __slots__ = ("_priorities", "_queues", "count", "dirty", "key", "waiters")

    def __init__(self, key: tuple[int, str]) -> None:
        self.key = key
        self.count = 0
        self.dirty = False
        self.waiters: OrderedDict[int, Waiter] = OrderedDict()
        self._queues: dict[int, OrderedDict[int, T]] = {}
        self._priorities: list[int] = []

    def push(self, task: T, priority: int) -> None:
        """Add a task behind those of the same priority."""
        queue = self._queues.get(priority)
        if queue is None:
            queue = self._queues[priority] = OrderedDict()
            self._priorities.append(priority)
            self._priorities.sort(reverse=True)
        queue[id(task)] = task
        self.count += 1

    def remove(self, task: T, priority: int) -> None:
        """Take a task out, wherever it stands; nothing happens if it is not there."""
        queue = self._queues.get(priority)
        if queue is not None and queue.pop(id(task), None) is not None:
            self.count -= 1
            self._forget_if_empty(queue, priority)

    def pop(self) -> T | None:
        """The first task of the highest priority, or None."""
        if self.count == 0:
            return None
        for priority in self._priorities:
            queue = self._queues[priority]
            if queue:
                self.count -= 1
                task = queue.popitem(last=False)[1]
                self._forget_if_empty(queue, priority)
                return task
        return None

    def _forget_if_empty(self, queue: OrderedDict[int, T], priority: int) -> None:
        if not queue and priority != 0:  # 0 is nearly every task's priority: keep its queue
            del self._queues[priority]
            self._priorities.remove(priority)

    @property
    def idle(self) -> bool:
        """True when the list holds nothing and can be forgotten."""
        return self.count == 0 and not self.waiters
