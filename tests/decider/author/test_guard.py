# ruff: noqa: PLW0108 - the calls have to be made by lines of this file
"""The guard finds workflow code that reads the machine, and leaves everything else alone."""

from __future__ import annotations

import datetime
import json
import logging
import random
import socket
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

import pyflow
import pytest
from pyflow.core.values import ExecutionSettings
from pyflow.guard import DeterminismGuard
from pyflow.testing import Stepper

READS: dict[str, Callable[[], Any]] = {
    "time.time()": lambda: time.time(),
    "time.sleep()": lambda: time.sleep(0),
    "time.monotonic()": lambda: time.monotonic(),
    "datetime.now()": lambda: datetime.datetime.now(),
    "date.today()": lambda: datetime.date.today(),
    "random.random()": lambda: random.random(),
    "random.choice()": lambda: random.choice([1, 2]),
    "uuid.uuid4()": lambda: uuid.uuid4(),
    "socket.__init__()": lambda: socket.socket(),
    "threading.__init__()": lambda: threading.Thread(),
    "open()": lambda: open("/dev/null").close(),
}


class Reads(pyflow.Workflow):
    NAME = "Reads"
    work = pyflow.LambdaDescriptor("work")

    def run(self, name: str) -> Any:
        self.work(1).result()  # the watch must outlive a wait
        return str(READS[name]())


class Innocent(pyflow.Workflow):
    NAME = "Innocent"
    work = pyflow.LambdaDescriptor("work")

    def run(self, given: Any) -> Any:
        own = self.swf.random()
        own.choice([1, 2])
        self.swf.logger.warning("logging reads the clock for itself")
        self.swf.invoke_once(time.time).result()
        self.swf.invoke_once(lambda: random.random()).result()
        branch = self.swf.spawn(lambda: [json.dumps({"a": self.work(1).result()}), uuid.UUID(int=1)])
        datetime.datetime(2026, 1, 1).isoformat()
        branch.result()
        return "fine"


RAISES = ExecutionSettings(guard=DeterminismGuard("raise"))


@pytest.mark.parametrize("name", READS)
def test_reading_the_machine_is_named_by_its_line(name: str) -> None:
    with Stepper(Reads, name, settings=RAISES) as step:
        step.decide()
        step.history.lambda_completed("lambda1")
        details = step.attributes(step.decide().decisions[-1])["details"]
        assert f" calls {name}, which gives something else" in details
        assert "test_guard.py:" in details


def test_innocent_code_is_left_alone() -> None:
    step = Stepper(Innocent, settings=RAISES)
    step.history.decision_task()
    advance = step.advance(step.execution)
    step.history.answer(advance.decisions, advance.execution_context)
    step.history.lambda_completed("lambda1")
    step.history.decision_task()
    closing = step.advance(step.execution)
    assert step.attributes(closing.decisions[-1]) == {"result": '"fine"'}
    step.execution.evict()


def test_warnings_are_given_once_for_each_place(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "pyflow")
    warns = ExecutionSettings(guard=DeterminismGuard("warn"))
    with Stepper(Reads, "time.sleep()", settings=warns) as step:
        step.decide()
        step.history.lambda_completed("lambda1")
        assert step.kinds() == ["CompleteWorkflowExecution"]
    assert [record.getMessage().partition(" calls ")[2][:12] for record in caplog.records] == ["time.sleep()"]


def test_the_watch_does_not_leak_out_of_workflow_code() -> None:
    with Stepper(Reads, "time.time()", settings=RAISES) as step:
        step.decide()
        time.time()
        random.random()
