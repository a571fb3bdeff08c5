"""Branches: functions of a workflow that run beside each other, and many of one kind with a limit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from pyflow.core.context import Context
from pyflow.future import BranchFuture, Future
from pyflow.waiting import wait_for

S = TypeVar("S")


def spawn(context: Context, call: Callable[[], Any]) -> BranchFuture[Any]:
    """A branch that calls; a future that this gives is part of the branch, so that a descriptor can be spawned."""

    def branch() -> Any:
        given = call()
        return given.result() if isinstance(given, Future) else given

    return BranchFuture(context.spawn(branch), context)


def spawn_each(context: Context, fn: Callable[[S], Any], items: Iterable[S], at_most: int | None) -> list[Any]:
    """See ``swf.map``."""
    waiting = list(items)
    limit = at_most or len(waiting)
    branches: list[BranchFuture[Any]] = []
    running: list[BranchFuture[Any]] = []

    def wait_for_one() -> None:
        wait_for(context, (running,), every=False)
        _raise_first(running)
        running[:] = [branch for branch in running if not branch.done]

    for item in waiting:
        if len(running) >= limit:
            wait_for_one()
        branch = spawn(context, lambda item=item: fn(item))  # type: ignore[misc]  # the default binds this item
        branches.append(branch)
        running.append(branch)
    while running:
        wait_for_one()
    return [branch.result() for branch in branches]


def _raise_first(running: Sequence[BranchFuture[Any]]) -> None:
    for branch in running:
        if branch.failed:
            for other in running:
                if not other.done:
                    other.cancel()
            branch.result()
