"""Runs an activity in a test, without host or SWF."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import copy_context
from typing import TypeVar

from google.protobuf import duration_pb2
from pyflow_api.v1 import payload_pb2
from pyflow_api.v1 import worker_pb2 as pb

from pyflow_activity.context import ActivityContext, enter
from pyflow_activity.payloads import decoded, encoded

_R = TypeVar("_R")


class ActivityEnvironment:
    """A context for activities under test. `progress` has what they told, in order."""

    def __init__(
        self,
        *,
        attempt: int = 1,
        last_progress: object = None,
        time_left_s: float | None = None,
        workflow_id: str = "test-workflow",
        run_id: str = "test-run",
        activity_id: str = "activity1",
    ) -> None:
        self.progress: list[object] = []
        self._lock = threading.Lock()
        told = None if last_progress is None else payload_pb2.Payload(data=encoded(last_progress))
        left = None if time_left_s is None else _duration(time_left_s)
        task = pb.Task(
            task_token=b"test",
            activity_name="test",
            activity_version="test",
            workflow_id=workflow_id,
            run_id=run_id,
            activity_id=activity_id if attempt == 1 else f"{activity_id}.attempt{attempt}",
            attempt=attempt,
            start_to_close_left=left,
            last_progress=told,
        )
        self.context = ActivityContext(task, send_progress=self._told)

    def run(self, function: Callable[..., _R], *arguments: object, **keywords: object) -> _R:
        """Call the activity with `current()` working; returns and raises what it does."""

        def call() -> _R:
            enter(self.context)
            return function(*arguments, **keywords)

        return copy_context().run(call)

    def cancel(self) -> None:
        """The workflow asks to cancel; may be called while the activity runs in another thread."""
        self.context.cancel(pb.CANCEL_REASON_REQUESTED)

    def _told(self, token: bytes, details: bytes) -> None:
        with self._lock:
            self.progress.append(decoded(payload_pb2.Payload(data=details)))


def run(function: Callable[..., _R], *arguments: object, **keywords: object) -> _R:
    """Run an activity once in an ActivityEnvironment of its own."""
    return ActivityEnvironment().run(function, *arguments, **keywords)


def _duration(seconds: float) -> duration_pb2.Duration:
    duration = duration_pb2.Duration()
    duration.FromNanoseconds(round(seconds * 1e9))
    return duration
