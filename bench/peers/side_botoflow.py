"""botoflow: its decider, given the answer of a poll by a poller of ours."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

from botoflow import WorkflowDefinition, activities, activity, execute, return_
from botoflow.decider.decider import Decider
from botoflow.decider.decision_task_poller import DecisionTask
from botoflow.utils import extract_workflows_dict
from side import Replay, SwfHistory, numbers, serve
from side import activity as scheduled


@activities(schedule_to_start_timeout=60, start_to_close_timeout=300)
class Work:
    """Never run here."""

    @activity("1.0", name="work")
    def work(self, number: int) -> Any:
        """Never called: the history has its results."""
        raise NotImplementedError


class Sequence(WorkflowDefinition):
    """N activities, one after another."""

    @execute(version="1.0", execution_start_to_close_timeout=3600)
    def run(self, steps: int) -> Any:
        total = 0
        for number in range(steps):
            result = yield Work.work(number)
            total += result["n"]
        return_(total)


def prepare(steps: int) -> tuple[Replay, int]:
    """See `serve`."""
    definition, kind, _ = found = extract_workflows_dict([Sequence])["Sequence", "1.0"]
    converter = kind.data_converter
    del definition
    history = SwfHistory("ActivityTask", {"input": converter.dumps([[steps], {}])}, datetimes=True)
    for number, result in numbers(steps):
        given = converter.dumps([[number], {}])
        history.step(scheduled(str(number + 1), "work", given), converter.dumps(result))
    task = history.task()
    answers: list[Any] = []

    class Poller:
        def __init__(self, *_: Any) -> None:
            pass

        def poll(self) -> DecisionTask:
            return DecisionTask(self, task)

    client = SimpleNamespace(respond_decision_task_completed=lambda **answer: answers.append(answer))
    decider = Decider(SimpleNamespace(client=client), "d", "t", lambda *_: found, "i", _Poller=Poller)

    def replay() -> Any:
        answers.clear()
        decider.decide()
        decisions = answers[0]["decisions"]
        assert [one["decisionType"] for one in decisions] == ["CompleteWorkflowExecution"], decisions
        return converter.loads(decisions[0]["completeWorkflowExecutionDecisionAttributes"]["result"])

    return replay, len(task["events"])


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    serve(lambda: prepare)
