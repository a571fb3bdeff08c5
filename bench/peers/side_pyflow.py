"""This decider, or pyflow-swf 2.0.0: `side_pyflow.py ours|two lambda|activity`, with that one on the path as `pyflow`.

2.0.0 is asked through `Decider.process_decision_task`, its only way; ours through the decision maker of its worker,
without a cache: what the worker does with a polled task that brings the whole history.
"""

from __future__ import annotations

import gc
import json
import logging
import sys
from collections.abc import Callable
from typing import Any

import pyflow
from side import Replay, SwfHistory, activity, numbers, serve

IS_TWO = sys.argv[1] == "two"
STAMP = None if IS_TWO else '{"pyflow":3}'


class Lambdas(pyflow.Workflow):
    """N lambdas, one after another."""

    NAME = "Sequence"
    VERSION = "1.0"
    work = pyflow.LambdaDescriptor("work")

    def run(self, steps: int) -> int:
        total = 0
        for number in range(steps):
            total += self.work(number).result()["n"]
        return total


class Activities(pyflow.Workflow):
    """N activities, one after another."""

    NAME = "Sequence"
    VERSION = "1.0"
    work = pyflow.ActivityDescriptor("work", "1.0")

    def run(self, steps: int) -> int:
        total = 0
        for number in range(steps):
            total += self.work(number).result()["n"]
        return total


def history_of(kind: str, steps: int) -> SwfHistory:
    """The history of `steps` lambdas or activities."""
    given = {"input": json.dumps(steps)}
    if kind == "lambda":
        history = SwfHistory("LambdaFunction", given, datetimes=IS_TWO, context=STAMP)
        for number, result in numbers(steps):
            history.step({"id": f"lambda{number + 1}", "name": "work", "input": str(number)}, json.dumps(result))
    else:
        history = SwfHistory("ActivityTask", given, datetimes=IS_TWO, context=STAMP)
        for number, result in numbers(steps):
            history.step(activity(f"activity{number + 1}", "work", str(number)), json.dumps(result))
    return history


def deciding(workflow: type[pyflow.Workflow], task: dict[str, Any]) -> Callable[[], list[dict[str, Any]]]:
    """A function that decides the task anew at each call."""
    if IS_TWO:
        client: Any = object()
        decider = pyflow.Decider([workflow], "d", "t", "i", client=client)
        return lambda: decider.process_decision_task(task).decisions

    from pyflow.deciding.classes import WorkflowClasses
    from pyflow.deciding.maker import Decided
    from pyflow.deciding.task import DecisionTask
    from pyflow.worker import GC_THRESHOLD

    gc.set_threshold(GC_THRESHOLD, *gc.get_threshold()[1:])  # as the worker does when it starts
    maker = WorkflowClasses([workflow]).maker(max_cached=0, settings=None)

    def decide() -> list[dict[str, Any]]:
        made = maker.make(DecisionTask.from_wire(task, domain="d"))
        assert isinstance(made, Decided), made
        return made.decisions

    return decide


def prepare(steps: int) -> tuple[Replay, int]:
    """See `serve`."""
    kind = sys.argv[2]
    task = history_of(kind, steps).task()
    decide = deciding(Lambdas if kind == "lambda" else Activities, task)

    def replay() -> Any:
        decisions = decide()
        assert [one["decisionType"] for one in decisions] == ["CompleteWorkflowExecution"], decisions
        return json.loads(decisions[0]["completeWorkflowExecutionDecisionAttributes"]["result"])

    return replay, len(task["events"])


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    serve(lambda: prepare)
