"""SWF refuses timers for their rate: nothing can wait in workflow time then, so the answers themselves come later."""

from __future__ import annotations

import pyflow
from pyflow.starter import start_workflow, wait_for_workflow
from pyflow.swf import connect, ensure_domain
from pyflow.testing import Stepper
from pyflow.worker import DeciderWorker
from pyflow_local import LocalSwf, Rate, Rates, Restrictions

TIMERS = 20
BURST, PER_S = 5, 5
COMPLETED_WITHIN_S = 60


class ManyTimers(pyflow.Workflow):
    NAME = "ManyTimers"
    VERSION = "1.0"
    OPTIONS = {"defaultTaskStartToCloseTimeout": 30, "defaultExecutionStartToCloseTimeout": 600}  # noqa: RUF012 - as users write it

    def run(self, count: int) -> int:
        return len(self.swf.wait_for_all([self.swf.start_timer(1) for _ in range(count)]))


def test_a_refused_timer_is_asked_for_again_in_an_answer_that_waits_longer_each_time() -> None:
    with Stepper(ManyTimers, 1) as step:
        advance = step.ask()
        waits = [advance.answer_after_s]
        for _ in range(4):
            completed = step.history.complete_task(advance.execution_context)
            step.history.refused(
                "StartTimerFailed",
                timerId="sleep1",
                cause="TIMER_CREATION_RATE_EXCEEDED",
                decisionTaskCompletedEventId=completed,
            )
            advance = step.ask()
            assert [step.attributes(decision)["timerId"] for decision in advance.decisions] == ["sleep1"]
            waits.append(advance.answer_after_s)
        assert waits == [0.0, 1.0, 2.0, 4.0, 8.0]
        step.history.answer(advance.decisions, advance.execution_context)
        step.history.timer_fired("sleep1")
        assert step.decide().answer_after_s == 0.0


def test_a_throttled_account_is_waited_out_without_a_storm() -> None:
    rates = Rates(decisions={"StartTimer": Rate(BURST, PER_S)})
    with LocalSwf(poll_seconds=1, restrictions=Restrictions(rates=rates)) as local:
        client = local.client()
        ensure_domain(client, "throttled")
        worker = DeciderWorker([ManyTimers], "throttled", "decider", connection=connect(client=client))
        worker.start()
        try:
            ids = start_workflow("throttled", "ManyTimers", "1.0", "decider", input=str(TIMERS), client=client)
            status = wait_for_workflow(
                "throttled", ids["workflowId"], ids["runId"], client=client, timeout_s=COMPLETED_WITHIN_S
            )
            events = client.get_workflow_execution_history(
                domain="throttled", execution={"workflowId": ids["workflowId"], "runId": ids["runId"]}
            )["events"]
        finally:
            worker.stop()
            worker.join()
    assert status.result == str(TIMERS)
    refused = [event for event in events if event["eventType"] == "StartTimerFailed"]
    assert TIMERS - BURST <= len(refused) <= 3 * TIMERS, "asked again at once it would be hundreds"
