"""What an activity may know and do while it runs: `current()`."""

from __future__ import annotations

import base64
import logging
import re
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar

from pyflow_api.v1 import worker_pb2 as pb

from pyflow_activity.errors import ActivityCanceled, NotInActivity, ProgressTooLarge
from pyflow_activity.payloads import decoded, encoded, json_length

logger = logging.getLogger("pyflow.activity")

PROGRESS_CHARS_MAX = 2_048
_ATTEMPT = re.compile(r"\.attempt[1-9][0-9]*$")
_REASONS = {
    pb.CANCEL_REASON_TIMED_OUT: "TIMED_OUT",
    pb.CANCEL_REASON_EXECUTION_CLOSED: "EXECUTION_CLOSED",
    pb.CANCEL_REASON_LEASE_LOST: "LEASE_LOST",
    pb.CANCEL_REASON_HOST_DRAINING: "HOST_DRAINING",
}
"""Everything else, reasons of later versions of the contract included, reads as REQUESTED."""
_changed = threading.Condition()
"""Of all attempts of the process: cancels are rare, and one for each attempt would cost every task."""
_current: ContextVar[ActivityContext] = ContextVar("pyflow_activity_context")


class ActivityContext:
    """One attempt of one activity. Safe to use from any thread of the activity."""

    def __init__(
        self,
        task: pb.Task,
        *,
        send_progress: Callable[[bytes, bytes], None],
        progress_chars_max: int = PROGRESS_CHARS_MAX,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._task = task
        self._send_progress = send_progress
        self._progress_chars_max = progress_chars_max
        self._clock = clock
        self._started_at = clock()
        self._canceled = False
        self._reason: pb.CancelReason = pb.CANCEL_REASON_UNSPECIFIED
        self._on_cancel: list[Callable[[], None]] = []
        self._completes_later = False

    @property
    def name(self) -> str:
        """The activity's name."""
        return self._task.activity_name

    @property
    def version(self) -> str:
        """The activity's version."""
        return self._task.activity_version

    @property
    def workflow_id(self) -> str:
        """The workflow id of the execution that asked."""
        return self._task.workflow_id

    @property
    def run_id(self) -> str:
        """The run id of the execution that asked."""
        return self._task.run_id

    @property
    def activity_id(self) -> str:
        """SWF's activityId of this attempt."""
        return self._task.activity_id

    @property
    def attempt(self) -> int:
        """1 for the first attempt."""
        return max(1, self._task.attempt)

    @property
    def headers(self) -> dict[str, str]:
        """Trace context and the like."""
        return dict(self._task.headers)

    @property
    def idempotency_key(self) -> str:
        """The same for all attempts of one call, different for any other call: give it to systems that want one."""
        return f"{self.run_id}/{_ATTEMPT.sub('', self.activity_id)}"

    @property
    def time_left_s(self) -> float | None:
        """Seconds until the start-to-close timeout, 0 when it has passed; None: no limit, or not known."""
        if not self._task.HasField("start_to_close_left"):
            return None
        left = self._task.start_to_close_left
        return max(0.0, left.seconds + left.nanos / 1e9 - (self._clock() - self._started_at))

    @property
    def last_progress(self) -> object:
        """What the attempts before told last with `progress`; None if nothing."""
        return decoded(self._task.last_progress) if self._task.HasField("last_progress") else None

    @property
    def logger(self) -> logging.LoggerAdapter[logging.Logger]:
        """A logger that knows the ids of this attempt."""
        ids = {"workflow_id": self.workflow_id, "run_id": self.run_id, "activity_id": self.activity_id}
        return logging.LoggerAdapter(logging.getLogger(f"pyflow.activity.{self.name}"), ids)

    def progress(self, details: object) -> None:
        """Tell how far it is: seen in SWF and by the next attempt (`last_progress`). The latest wins.

        It is cheap and need not be called to stay alive. Raises ProgressTooLarge and, for what JSON cannot say,
        ActivityFailure.
        """
        data = encoded(details)
        length = json_length(data)
        if length > self._progress_chars_max:
            most = self._progress_chars_max
            raise ProgressTooLarge(
                f"Progress details of {length} characters; SWF takes {most}. Tell less, or a reference."
            )
        self._send_progress(self._task.task_token, data)

    @property
    def cancel_requested(self) -> bool:
        """Whether the activity should stop. It may: raise ActivityCanceled, or finish as usual."""
        return self._canceled

    @property
    def cancel_reason(self) -> str:
        """Why: `REQUESTED`, `TIMED_OUT`, `EXECUTION_CLOSED`, `LEASE_LOST`, `HOST_DRAINING`; empty: not canceled."""
        return _REASONS.get(self._reason, "REQUESTED") if self._canceled else ""

    def wait_canceled(self, timeout_s: float | None = None) -> bool:
        """Wait until the activity should stop; False when the time was over before. A sleep that can be canceled."""
        with _changed:
            return _changed.wait_for(lambda: self._canceled, timeout_s)

    def raise_if_canceled(self, details: object = None) -> None:
        """Raise ActivityCanceled(details) if the activity should stop."""
        if self._canceled:
            raise ActivityCanceled(details)

    def complete_later(self) -> str:
        """The result comes later, from whoever has the token returned here (see HostClient), not from `return`."""
        self._completes_later = True
        return base64.urlsafe_b64encode(self._task.task_token).rstrip(b"=").decode()

    @property
    def completes_later(self) -> bool:
        """Whether complete_later was called."""
        return self._completes_later

    def on_cancel(self, call: Callable[[], None]) -> None:
        """Have `call` called, from another thread, when the activity should stop; at once if it should already."""
        with _changed:
            if not self._canceled:
                self._on_cancel.append(call)
                return
        call()

    def cancel(self, reason: pb.CancelReason) -> None:
        """For the worker: the activity should stop."""
        with _changed:
            self._reason = reason
            self._canceled = True
            _changed.notify_all()
            calls, self._on_cancel = self._on_cancel, []
        for call in calls:
            try:
                call()
            except Exception:
                logger.exception("What %s asked to be called on cancel failed", self.name)


def current() -> ActivityContext:
    """The context of the activity that runs here. Raises NotInActivity outside of one."""
    try:
        return _current.get()
    except LookupError:
        raise NotInActivity(
            "current() works inside a running activity only (and in threads it starts with copy_context() of "
            "contextvars). In tests use pyflow_activity.testing.run."
        ) from None


def enter(context: ActivityContext) -> None:
    """For the worker: make `context` the current one of this thread."""
    _current.set(context)
