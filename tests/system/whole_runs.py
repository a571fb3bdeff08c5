"""Runs the document pipeline with real processes, for tests that look at its outcome or disturb it."""

from __future__ import annotations

import contextlib
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pipeline_run import LOOK_INTERVAL_S, PipelineRun
from pyflow.swf import make_client
from stack import Stack

RUN_DEADLINE_S = 150


@contextlib.contextmanager
def stack_in_short_path(*, supervised: bool, env: Mapping[str, str] | None = None) -> Iterator[Stack]:
    """A stack whose socket path fits a Unix socket's 108 bytes, whatever pytest's temporary folder is called."""
    with tempfile.TemporaryDirectory(prefix="pf-") as directory:
        stack = Stack(Path(directory), supervised=supervised)
        stack.env.update(env or {})
        try:
            stack.start()
            yield stack
        finally:
            stack.stop()


def run_to_end(
    stack: Stack, directory: Path, output: Path, *, disturb: Callable[[PipelineRun], None] | None = None
) -> tuple[PipelineRun, dict[str, Any]]:
    """Follows a run to its close event and gives it with its attributes; `disturb` is called after every look."""
    swf = make_client(endpoint_url=stack.endpoint)
    run = PipelineRun(stack, swf, directory=directory, output=output, time_limit_s=RUN_DEADLINE_S)
    deadline = time.monotonic() + RUN_DEADLINE_S
    while run.close_event is None:
        assert time.monotonic() < deadline, f"the run did not end; {stories(stack)}"
        stack.check()
        for _ in run.look():
            pass
        if disturb is not None:
            disturb(run)
        time.sleep(LOOK_INTERVAL_S)
    kind = run.close_event["eventType"]
    return run, {"kind": kind, **run.close_event[f"{kind[0].lower()}{kind[1:]}EventAttributes"]}


def result_of(end: dict[str, Any]) -> dict[str, Any]:
    assert end["kind"] == "WorkflowExecutionCompleted", end
    found: dict[str, Any] = json.loads(end["result"])
    return found


def stories(stack: Stack) -> str:
    """What every process said last, for the message of a failed test."""
    return "\n".join(process.story("so far") for process in stack.processes.values())
