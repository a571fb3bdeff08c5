"""A worker that is wrong on purpose: `faulty.py FAULT [options]`. The suite's own tests see that each fault is caught.

It is the Python executor with one function of the SDK replaced by one that breaks a rule of the contract.
"""

from __future__ import annotations

import itertools
import json
import os
import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
from pyflow_activity import failures, main, outbox, running, tasks, worker
from pyflow_activity.errors import HostRefused
from pyflow_api.v1 import worker_pb2 as pb


def wrapped(owner: Any, name: str, around: Callable[..., Any]) -> None:
    """Replace a function by `around`, which is given the old one first."""
    before = getattr(owner, name)
    setattr(owner, name, lambda *arguments, **keywords: around(before, *arguments, **keywords))


def none() -> None:
    """For comparison."""


def too_many_credits() -> None:
    wrapped(outbox.Outbox, "add_credits", lambda old, self, credits: old(self, credits + 1))


def no_credit_back() -> None:
    wrapped(outbox.Outbox, "finished", lambda old, self, outcome, credits: old(self, outcome, 0))


def forgets_what_it_holds() -> None:
    wrapped(tasks.HeldTasks, "to_resume", lambda old, self: [])


def forgets_before_the_ack() -> None:
    def forget(old: Any, self: Any, status: int) -> pb.Status:
        self._held = {token: held for token, held in self._held.items() if held.outcome is None}
        told: pb.Status = old(self, status)
        return told

    wrapped(tasks.HeldTasks, "status", forget)


def sends_outcomes_twice() -> None:
    def twice(old: Any, self: Any, outcome: pb.Outcome, credits: int) -> None:
        old(self, outcome, credits)
        old(self, outcome, 0)

    wrapped(outbox.Outbox, "finished", twice)


def runs_duplicates() -> None:
    def forget_first(old: Any, self: Any, task: pb.Task) -> None:
        self._held.pop(task.task_token, None)
        old(self, task)

    wrapped(tasks.HeldTasks, "received", forget_first)


def answers_no_ping() -> None:
    wrapped(outbox.Outbox, "status", lambda old, self, status: None)


def answers_with_another_nonce() -> None:
    wrapped(tasks.HeldTasks, "status", lambda old, self, nonce: old(self, nonce // 2))


def hears_the_end_of_a_stream_as_its_own() -> None:
    def said(old: Any, error: grpc.RpcError) -> str:
        if isinstance(error, grpc.Call) and error.code() is grpc.StatusCode.CANCELLED:
            raise HostRefused("we were told to stop, were we not?")
        text: str = old(error)
        return text

    wrapped(worker, "_said", said)


def exits_with_0_when_refused() -> None:
    wrapped(main, "main", lambda old, *arguments: 0 * old(*arguments))


def new_key_at_each_connect() -> None:
    def hello(old: Any, self: Any) -> pb.Hello:
        self._key = secrets.token_hex(16)
        told: pb.Hello = old(self)
        return told

    wrapped(worker.Worker, "_hello", hello)


def never_notices_silence() -> None:
    wrapped(worker.Worker, "_watch", lambda old, self: None)


def drops_tasks_when_asked_to_stop() -> None:
    wrapped(worker.Worker, "_on_signal", lambda old, self, number, frame: os._exit(0))


def escapes_all_but_ascii() -> None:
    wrapped(running, "encoded", lambda old, value: json.dumps(value, separators=(",", ":")).encode())


def sends_nothing_for_null() -> None:
    def completed(old: Any, result: object, *more: Any) -> pb.Outcome:
        outcome: pb.Outcome = old(result, *more)
        if result is None and outcome.HasField("completed"):
            outcome.completed.ClearField("result")
        return outcome

    wrapped(running, "_completed", completed)


def writes_nan() -> None:
    wrapped(running, "encoded", lambda old, value: json.dumps(value).encode())


def knows_no_limits() -> None:
    wrapped(running, "json_length", lambda old, data: 0)


def loses_causes() -> None:
    wrapped(failures, "_cause", lambda old, error: None)


def loses_the_last_progress() -> None:
    """As one does that tells progress now and then, and not at the end."""
    calls = itertools.count()

    def now_and_then(old: Any, self: Any, token: bytes, details: bytes) -> None:
        if next(calls) % 100 == 0:
            old(self, token, details)

    wrapped(outbox.Outbox, "progress", now_and_then)


def treats_a_cancel_as_unheard() -> None:
    wrapped(tasks.HeldTasks, "canceled", lambda old, self, cancel: None)


def tries_for_ever() -> None:
    wrapped(worker.Worker, "_patience_s", lambda old, self: None)


def gives_up_a_host_that_was_there() -> None:
    wrapped(worker.Worker, "_patience_s", lambda old, self: self._start_timeout_s)


FAULTS: dict[str, Callable[[], None]] = {
    name: value
    for name, value in list(globals().items())
    if getattr(value, "__module__", "") == __name__ and name not in ("wrapped",) and callable(value)
}

if __name__ == "__main__":
    FAULTS[sys.argv[1]]()
    sys.exit(main.main([str(Path(__file__).with_name("executor.py")), *sys.argv[2:]]))
