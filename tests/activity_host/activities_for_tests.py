"""Activities that the tests of host and worker run."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from pyflow_activity import ActivityCanceled, ActivityFailure, activity, current

PATIENCE_S = 60.0


def until(condition: Any, patience_s: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + patience_s
    pause = threading.Event()
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the test did not let this activity go on")
        pause.wait(0.01)


@activity(version="1.0", start_to_close=60, heartbeat=10)
def add(a: int, b: int = 1) -> dict[str, int]:
    """Adds two numbers."""
    return {"sum": a + b}


@activity
def echo(value: Any = "nothing") -> Any:
    return value


@activity
def facts() -> dict[str, Any]:
    me = current()
    return {
        "workflow_id": me.workflow_id,
        "activity_id": me.activity_id,
        "attempt": me.attempt,
        "key": me.idempotency_key.rpartition("/")[2],  # run ids have slashes of their own
        "last_progress": me.last_progress,
        "time_left_s": me.time_left_s,
        "pid": os.getpid(),
    }


@activity
def hold(path: str, progress: Any = None) -> str:
    """Says that it has begun, waits until it may go on."""
    if progress is not None:
        current().progress(progress)
    Path(f"{path}.pid").write_text(str(os.getpid()))
    Path(f"{path}.begun").write_text("")
    until(Path(f"{path}.go").exists)
    return "went on"


@activity
def until_canceled(path: str) -> None:
    """Never tells progress; ends when it is asked to."""
    Path(f"{path}.begun").write_text("")
    if not current().wait_canceled(PATIENCE_S):
        raise TimeoutError("no cancel came")
    raise ActivityCanceled({"reason": current().cancel_reason})


@activity
def refuses(n: int) -> None:
    try:
        int("x")
    except ValueError as error:
        raise ActivityFailure("Refused", "no luck", {"n": n}, non_retryable=True, next_retry_delay_s=1.5) from error


@activity
def later(path: str) -> None:
    Path(f"{path}.token").write_text(current().complete_later())
    Path(f"{path}.begun").write_text("")


@activity
def too_large() -> str:
    return "x" * 40_000


@activity
def not_a_number() -> dict[str, Any]:
    return {"list": [1, float("nan")]}


@activity
async def canceled_async(path: str) -> None:
    import asyncio

    Path(f"{path}.begun").write_text("")
    await asyncio.sleep(PATIENCE_S)


@activity
def grandchild(path: str) -> int:
    """Leaves a process behind."""
    left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
    Path(f"{path}.begun").write_text(str(left.pid))
    return left.pid
