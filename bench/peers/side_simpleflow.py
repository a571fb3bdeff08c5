"""simpleflow: its executor replays, as its decider worker does after a poll."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

from side import Replay, SwfHistory, activity, numbers, serve
from simpleflow import Workflow
from simpleflow import activity as activities
from simpleflow.swf.executor import Executor
from simpleflow.swf.mapper.models.domain import Domain
from simpleflow.swf.mapper.models.history import History
from simpleflow.swf.mapper.responses import Response


@activities.with_attributes(name="work", version="1.0", task_list="t")
def work(number: int) -> Any:
    """Never called: the history has its results."""
    raise NotImplementedError


class Sequence(Workflow):
    """N activities, one after another."""

    name = "Sequence"
    version = "1.0"
    task_list = "t"

    def run(self, steps: int) -> int:
        total = 0
        for number in range(steps):
            total += self.submit(work, number).result["n"]
        return total


def prepare(steps: int) -> tuple[Replay, int]:
    """See `serve`."""
    history = SwfHistory("ActivityTask", {"input": json.dumps({"args": [steps], "kwargs": {}})}, datetimes=True)
    for number, result in numbers(steps):
        given = json.dumps({"args": [number], "kwargs": {}})
        history.step(activity(f"activity-work-{number + 1}", "work", given), json.dumps(result))
    executor = Executor(Domain("d"), Sequence)
    events = history.events

    def replay() -> Any:
        response = Response(history=History.from_event_list(events), execution=None)
        decisions = executor.replay(response).decisions
        assert [one["decisionType"] for one in decisions] == ["CompleteWorkflowExecution"], decisions
        return json.loads(decisions[0]["completeWorkflowExecutionDecisionAttributes"]["result"])

    return replay, len(events)


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    sys.setrecursionlimit(10_000)
    serve(lambda: prepare)
