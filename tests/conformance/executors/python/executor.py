"""The Python executor: `python -m pyflow_activity executor.py`. README.md tells what each activity must do."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

from pyflow_activity import (
    ActivityCanceled,
    ActivityFailure,
    HostClient,
    ProgressTooLarge,
    activity,
    current,
)

PATIENCE_S = 60.0
LOOK_S = 0.01


class InnerTrouble(Exception):
    """The first cause."""


class MiddleTrouble(Exception):
    """What it led to."""


class CardExpired(Exception):
    """What the workflow sees."""


class Level(Exception):
    """One of many causes."""


def begin(gate: str) -> None:
    Path(f"{gate}.begun").touch()


def await_go(gate: str) -> None:
    pause, deadline = threading.Event(), time.monotonic() + PATIENCE_S
    while not Path(f"{gate}.go").exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{gate}.go did not come")
        pause.wait(LOOK_S)


@activity(version="1.0", start_to_close=60, heartbeat=2.5, description="gives back what it got", spread=False)
def echo(value: Any) -> Any:
    return value


@activity(name="echo", version="2.0", start_to_close=None, heartbeat=None)
def echo_two(value: Any) -> Any:
    return {"version": 2, "value": value}


@activity
def nothing() -> None:
    return None


@activity
def add(a: int, b: int = 1) -> int:
    return a + b


@activity
def single(document: Any) -> Any:
    return document


@activity
def facts() -> dict[str, Any]:
    me = current()
    left = me.time_left_s
    return {
        "attempt": me.attempt,
        "workflow_id": me.workflow_id,
        "run_id": me.run_id,
        "activity_id": me.activity_id,
        "key": me.idempotency_key,
        "last_progress": me.last_progress,
        "headers": me.headers,
        "has_time_limit": left is not None,
        "time_left_is_right": left is None or 0 <= left <= 30,
    }


@activity
def hold(gate: str, value: Any = None) -> Any:
    begin(gate)
    await_go(gate)
    begin(f"{gate}.end")
    return value


@activity
def until_canceled(gate: str) -> None:
    begin(gate)
    if not current().wait_canceled(PATIENCE_S):
        raise TimeoutError("no cancel came")
    raise ActivityCanceled({"reason": current().cancel_reason})


@activity
def progress_after_cancel(gate: str) -> None:
    begin(gate)
    current().wait_canceled(PATIENCE_S)
    current().progress({"after": "cancel"})
    await_go(gate)
    current().raise_if_canceled()


@activity
def steps(count: int, gate: str) -> int:
    for number in range(1, count + 1):
        current().progress({"step": number})
    begin(gate)
    await_go(gate)
    return count


@activity
def progress_then(what: str) -> str:
    for call in range(1, 501):
        current().progress({"reached": what, "call": call})
    if what == "failure":
        raise CardExpired("right after progress")
    return what


@activity
def long_progress(length: int) -> str:
    try:
        current().progress("x" * length)
    except ProgressTooLarge:
        return "refused"
    return "sent"


@activity
def fail(how: str) -> None:
    match how:
        case "plain":
            raise CardExpired("kaputt ä 😀")
        case "empty":
            raise CardExpired
        case "chain":
            chain()
        case "deep":
            raise levels(40)
        case "author":
            raise ActivityFailure("PaymentRefused", "no money", {"card": "1234"}, True, 2.5)
        case "minimal":
            raise ActivityFailure("Minimal")
        case "nan_details":
            raise ActivityFailure("OddDetails", "they are NaN", {"x": float("nan")})
        case "long":
            raise CardExpired("x" * 100_000)


def chain() -> None:
    try:
        try:
            raise InnerTrouble("disk")
        except InnerTrouble as inner:
            raise MiddleTrouble("ledger") from inner
    except MiddleTrouble as middle:
        raise CardExpired("card") from middle


def levels(depth: int) -> Level:
    outermost = innermost = Level("level 1")
    for number in range(2, depth + 1):
        innermost.__cause__ = Level(f"level {number}")
        innermost = innermost.__cause__
    return outermost


@activity
def make(what: str) -> Any:
    ring: list[Any] = []
    ring.append(ring)
    return {
        "nan": {"list": [1.5, float("nan")]},
        "infinity": [float("-inf")],
        "surrogate": "\ud800",
        "object": object(),
        "ring": ring,
    }[what]


@activity
def big(length: int, text: str = "x") -> str:
    return text * length


@activity
def later(gate: str) -> str:
    Path(f"{gate}.token").write_text(current().complete_later())
    begin(gate)
    return "not the result"


@activity
def later_but_fails() -> None:
    current().complete_later()
    raise CardExpired("after all not")


@activity
def finish_elsewhere(token: str, how: str, value: Any) -> Any:
    with HostClient() as client:
        match how:
            case "complete":
                return client.complete(token, value)
            case "fail":
                return client.fail(token, ActivityFailure("FromOutside", "told by another", value))
            case "progress":
                return client.progress(token, value)
            case _:
                return client.cancel(token)


@activity
def child_process() -> int:
    return subprocess.run(["/bin/sh", "-c", "exit 3"], check=False).returncode


@activity
def die() -> None:
    os.kill(os.getpid(), 9)
