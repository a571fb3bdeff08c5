"""Waiting for several futures at once."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

from pyflow.core.context import Context
from pyflow.core.hub import Completion
from pyflow.core.invocations import Invocation
from pyflow.exceptions import WaitTimedOutException
from pyflow.future import CoreFuture
from pyflow.options import Duration


def wait_for(
    context: Context,
    given: tuple[Any, ...],
    *,
    every: bool,
    timer: Invocation | None = None,
    timeout: Duration | None = None,
) -> list[Any]:
    """Block until every (or any) future is done, or ``timer`` is. Gives the done ones in the order they finished.

    Those that finished before the same decision keep the order of the arguments, as in 2.0.0.
    """
    futures = list(_flatten(given))
    known = all(isinstance(future, CoreFuture) for future in futures)
    finish = _wait_for_completions if known else _wait_by_asking
    done = finish(context, futures, every, timer)
    satisfied = all(future.done for future in futures) if every else any(future.done for future in futures)
    if not satisfied:
        raise WaitTimedOutException(f"not done within {timeout} s")
    if timer is not None and not timer.done and not _by_legacy(context):
        context.request_cancel(timer)
    return done


def _by_legacy(context: Context) -> bool:
    """2.0.0 left its timers running, and history shows it."""
    return context.turn is not None and context.turn.legacy


def _flatten(given: Iterable[Any]) -> Iterable[Any]:
    for each in given:
        if isinstance(each, list | tuple | set | frozenset):
            yield from each
        else:
            yield each


def _wait_for_completions(context: Context, futures: list[Any], every: bool, timer: Invocation | None) -> list[Any]:
    completions: list[Completion] = [future._completion for future in futures]
    entered = context.hub.turn
    while True:
        pending = [completion for completion in completions if not completion.done]
        if not pending if every else len(pending) < len(completions):
            break
        if timer is not None and timer.done:
            break
        unique = tuple(dict.fromkeys(pending))
        if timer is None:
            context.hub.wait(unique, len(unique) if every else 1)
        else:
            # Woken by each of them or by the timer; the loop asks again.
            context.hub.wait((*unique, timer), 1)
    done = [future for future in futures if future.done]
    done.sort(key=lambda future: max(future._completion.done_turn, entered))
    return done


def _wait_by_asking(context: Context, futures: list[Any], every: bool, timer: Invocation | None) -> list[Any]:
    """For futures of the author's own making: they are asked whenever everything waits."""
    done: list[Any] = []
    waiting = futures
    while True:
        done += [future for future in waiting if future.done]
        waiting = [future for future in waiting if not future.done]
        if not waiting if every else bool(done):
            return done
        if timer is not None and timer.done:
            return done
        context.hub.wait_until(functools.partial(_news, waiting, timer))


def _news(waiting: list[Any], timer: Invocation | None) -> bool:
    return (timer is not None and timer.done) or any(future.done for future in waiting)
