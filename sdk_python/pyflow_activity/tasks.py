"""The tasks a worker holds: running in its threads, or finished and waiting for the host's ack."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Mapping
from dataclasses import dataclass

from pyflow_api.v1 import worker_pb2 as pb

from pyflow_activity.activity import Activity
from pyflow_activity.context import ActivityContext
from pyflow_activity.names import enum_name
from pyflow_activity.outbox import Outbox
from pyflow_activity.running import LIMITS_DEFAULT, outcome_of

logger = logging.getLogger("pyflow.activity")

_ACK_LEVELS = {
    pb.ACK_STATUS_REPORTED: logging.DEBUG,
    pb.ACK_STATUS_DUPLICATE: logging.INFO,
}


@dataclass(slots=True, eq=False)
class Held:
    """A task received and not yet acked."""

    task: pb.Task
    context: ActivityContext
    outcome: pb.Outcome | None = None
    progress: bytes | None = None
    """The latest, for the next stream."""
    forgotten: bool = False
    """The host does not want it: no outcome is sent."""


class HeldTasks:
    """Runs tasks in `slots` threads and keeps their outcomes until acked. Safe to use from many threads."""

    def __init__(self, activities: Mapping[tuple[str, str], Activity], slots: int) -> None:
        self._activities = activities
        self._slots = slots
        self._held: dict[bytes, Held] = {}
        self._running = 0
        self._lock = threading.Lock()
        self._outbox: Outbox | None = None
        self._limits = LIMITS_DEFAULT
        self._draining = False
        self._queue: queue.SimpleQueue[Held] = queue.SimpleQueue()
        for number in range(slots):
            threading.Thread(target=self._run, name=f"activity-{number}", daemon=True).start()

    def to_resume(self) -> list[pb.HeldTask]:
        """For Hello: everything received and not yet acked."""
        with self._lock:
            return self._listed()

    def connected(self, outbox: Outbox, welcome: pb.Welcome) -> None:
        """Welcome came: outcomes that are wanted, then credits."""
        unwanted = {answer.task_token for answer in welcome.resumed if not answer.wanted}
        with self._lock:
            for token in unwanted:
                self._forget(token)
            self._limits = _limits_of(welcome)
            for token, held in self._held.items():
                if held.outcome is not None:
                    outbox.finished(held.outcome, 0)
                elif held.progress is not None:
                    outbox.progress(token, held.progress)
            if self._draining:
                outbox.drain()
            elif self._slots > self._running:
                outbox.add_credits(self._slots - self._running)
            self._outbox = outbox

    def disconnected(self) -> None:
        """The stream is gone; what ends now waits for the next one."""
        with self._lock:
            self._outbox = None

    def received(self, task: pb.Task) -> None:
        """Run the task as soon as a thread is free."""
        context = ActivityContext(
            task, send_progress=self._progress, progress_chars_max=self._limits.progress_chars_max
        )
        with self._lock:
            if task.task_token in self._held:
                logger.warning("%s was sent twice by the host; the second is ignored", _said(task))
                if self._outbox is not None and not self._draining:
                    self._outbox.add_credits(1)  # the one it took is free again
                return
            held = self._held[task.task_token] = Held(task, context)
            self._running += 1
        self._queue.put(held)

    def canceled(self, cancel: pb.Cancel) -> None:
        """Tell the function that it should stop."""
        with self._lock:
            held = self._held.get(cancel.task_token)
        if held is not None and held.outcome is None:
            held.context.cancel(cancel.reason)

    def acked(self, ack: pb.OutcomeAck) -> None:
        """The host has settled the task: forget it."""
        with self._lock:
            held = self._held.pop(ack.task_token, None)
        if held is not None:
            level = _ACK_LEVELS.get(ack.status, logging.WARNING)
            if logger.isEnabledFor(level):
                status = enum_name(pb.AckStatus, ack.status, "ACK_STATUS_")
                logger.log(
                    level, "%s of workflow %s: %s %s", _said(held.task), held.task.workflow_id, status, ack.message
                )

    def status(self, nonce: int) -> pb.Status:
        """The answer to a Ping."""
        with self._lock:
            return pb.Status(nonce=nonce, held=self._listed(), slots_free=max(0, self._slots - self._running))

    def drain(self) -> None:
        """No new tasks from now on."""
        with self._lock:
            if not self._draining:
                self._draining = True
                if self._outbox is not None:
                    self._outbox.drain()

    @property
    def count(self) -> int:
        """Tasks held."""
        with self._lock:
            return len(self._held)

    @property
    def is_empty(self) -> bool:
        """Whether nothing runs and nothing waits for an ack."""
        with self._lock:
            return not self._held and not self._running

    def _listed(self) -> list[pb.HeldTask]:
        return [
            pb.HeldTask(
                task_token=token, state=pb.TASK_STATE_RUNNING if held.outcome is None else pb.TASK_STATE_FINISHED
            )
            for token, held in self._held.items()
        ]

    def _forget(self, token: bytes) -> None:
        held = self._held.pop(token, None)
        if held is not None:
            held.forgotten = True
            logger.warning("%s is no longer wanted by the host and is stopped", _said(held.task))
            if held.outcome is None:
                held.context.cancel(pb.CANCEL_REASON_LEASE_LOST)

    def _progress(self, token: bytes, details: bytes) -> None:
        with self._lock:
            held = self._held.get(token)
            if held is None or held.outcome is not None:
                return
            held.progress = details
            if self._outbox is not None:
                self._outbox.progress(token, details)

    def _run(self) -> None:
        while True:
            held = self._queue.get()
            task = held.task
            activity = self._activities.get((task.activity_name, task.activity_version))
            outcome = outcome_of(activity, task, held.context, self._limits)
            with self._lock:
                self._running -= 1
                held.outcome = outcome
                credit = 0 if self._draining else 1
                if self._outbox is not None and not held.forgotten:
                    self._outbox.finished(outcome, credit)
                elif self._outbox is not None and credit:
                    self._outbox.add_credits(credit)


def _limits_of(welcome: pb.Welcome) -> pb.Limits:
    """Those of the host; where it names none, SWF's."""
    limits = pb.Limits()
    limits.CopyFrom(LIMITS_DEFAULT)
    limits.MergeFrom(welcome.limits)
    return limits


def _said(task: pb.Task) -> str:
    return f"Task {task.activity_id!r} ({task.activity_name})"
