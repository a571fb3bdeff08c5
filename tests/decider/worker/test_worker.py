"""The worker against a real SWF: sticky decisions, cache misses, several workers, holds, workflow code that blocks."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyflow.deciding import handler
from pyflow.exceptions import PyflowException
from pyflow.starter import WorkflowStatus, signal_workflow, start_workflow, wait_for_workflow
from pyflow.swf import JsonObject
from pyflow.worker import DeciderWorker, WorkerSettings
from worker_embedded import EmbeddedSwf, eventually, history, of_type
from worker_workflows import ChangedWrongly, Changes, Interrupts, Loops, Slow, Steps, TooLong, Waits

RunWorker = Callable[..., DeciderWorker]


@pytest.fixture
def client(swf_server: EmbeddedSwf) -> Any:
    return swf_server.connection().client


def start(client: Any, domain: str, name: str, input: object = None, **options: Any) -> dict[str, str]:
    return start_workflow(domain, name, "1", "t", input=json.dumps(input), client=client, **options)


def wait(client: Any, domain: str, ids: dict[str, str], timeout_s: float = 30) -> WorkflowStatus:
    return wait_for_workflow(domain, ids["workflowId"], ids["runId"], client, timeout_s=timeout_s)


def test_decisions_are_sticky(swf_server: EmbeddedSwf, client: Any, domain: str, run_worker: RunWorker) -> None:
    worker = run_worker(Steps)
    ids = start(client, domain, "Steps", 20)
    assert wait(client, domain, ids).result == "20"
    events = history(swf_server.connection(), domain, ids)
    completed = of_type(events, "DecisionTaskCompleted")
    assert len(completed) == 21
    for attributes in completed[:-1]:
        assert attributes["taskList"] == {"name": worker.sticky_task_lists[0]}
        assert attributes["taskListScheduleToStartTimeout"] == "5"
    scheduled = of_type(events, "DecisionTaskScheduled")
    assert scheduled[0]["taskList"] == {"name": "t"}
    assert {attributes["taskList"]["name"] for attributes in scheduled[1:]} == {worker.sticky_task_lists[0]}
    eventually(lambda: worker.cached_executions() == 0, what="a closed execution leaves the cache")


def test_without_cache_nothing_is_sticky(
    swf_server: EmbeddedSwf, client: Any, domain: str, run_worker: RunWorker
) -> None:
    worker = run_worker(Steps, max_cached_executions=0)
    assert worker.sticky_task_lists == []
    ids = start(client, domain, "Steps", 10)
    assert wait(client, domain, ids).result == "10"
    events = history(swf_server.connection(), domain, ids)
    assert all("taskList" not in attributes for attributes in of_type(events, "DecisionTaskCompleted"))


@pytest.mark.parametrize("settings", [{"max_cached_executions": 1}, {"decision_threads": 3}, {"poll_threads": 5}])
def test_many_executions_however_it_is_set(
    client: Any, domain: str, run_worker: RunWorker, settings: dict[str, int]
) -> None:
    run_worker(Steps, Waits, **settings)
    steps = [start(client, domain, "Steps", number) for number in range(8)]
    waits = [start(client, domain, "Waits") for _ in range(8)]
    for text in ("a", "b", "end"):
        for ids in waits:
            signal_workflow(domain, ids["workflowId"], "go", json.dumps(text), client=client)
    assert [wait(client, domain, ids).result for ids in steps] == [str(number) for number in range(8)]
    for ids in waits:
        assert json.loads(wait(client, domain, ids).result or "") == ["a", "b", "end"]


@pytest.mark.parametrize("cached", [0, 1, 100])
def test_two_workers_on_one_task_list(
    swf_server: EmbeddedSwf, client: Any, domain: str, run_worker: RunWorker, cached: int
) -> None:
    """The other one keeps nothing, or always too little, or everything: no decision is made twice or otherwise."""
    run_worker(Steps)
    run_worker(Steps, max_cached_executions=cached)
    started = [start(client, domain, "Steps", 12) for _ in range(6)]
    assert [wait(client, domain, ids).result for ids in started] == ["12"] * 6
    for ids in started:
        timers = of_type(history(swf_server.connection(), domain, ids), "TimerStarted")
        assert [timer["timerId"] for timer in timers] == [f"sleep{number}" for number in range(1, 13)]


def test_a_worker_that_goes_hands_its_executions_on(
    swf_server: EmbeddedSwf, client: Any, domain: str, run_worker: RunWorker
) -> None:
    first = run_worker(Waits)
    ids = start(client, domain, "Waits")
    signal_workflow(domain, ids["workflowId"], "go", '"a"', client=client)
    eventually(lambda: first.cached_executions() == 1)
    first.stop()
    first.join()
    signal_workflow(domain, ids["workflowId"], "go", '"end"', client=client)
    run_worker(Waits)
    assert json.loads(wait(client, domain, ids).result or "") == ["a", "end"]
    timed_out = of_type(history(swf_server.connection(), domain, ids), "DecisionTaskTimedOut")
    assert [attributes["timeoutType"] for attributes in timed_out] in ([], ["SCHEDULE_TO_START"])


def test_a_decision_made_while_stopping_names_the_shared_task_list(
    swf_server: EmbeddedSwf, client: Any, domain: str, run_worker: RunWorker
) -> None:
    worker = run_worker(Waits)
    ids = start(client, domain, "Waits")
    eventually(lambda: worker.cached_executions() == 1)
    worker.stop()  # the polls under way go on for a while and are answered
    signal_workflow(domain, ids["workflowId"], "go", '"a"', client=client)
    worker.join()
    completed = of_type(history(swf_server.connection(), domain, ids), "DecisionTaskCompleted")
    assert len(completed) == 2
    assert completed[1]["taskList"] == {"name": "t"}
    assert "taskListScheduleToStartTimeout" not in completed[1]


def test_a_bad_deploy_kills_nothing(
    swf_server: EmbeddedSwf, client: Any, domain: str, run_worker: RunWorker, caplog: pytest.LogCaptureFixture
) -> None:
    good = run_worker(Changes)
    ids = start(client, domain, "Changes")

    def events() -> list[JsonObject]:
        return history(swf_server.connection(), domain, ids)

    eventually(lambda: len(of_type(events(), "DecisionTaskCompleted")) == 2)
    good.stop()
    good.join()

    with caplog.at_level(logging.ERROR, logger="pyflow"):
        bad = run_worker(ChangedWrongly)
        signal_workflow(domain, ids["workflowId"], "go", client=client)
        eventually(bad.holds, what="the execution is held")
        eventually(lambda: len(of_type(events(), "DecisionTaskTimedOut")) >= 3, what="it comes again and again")
        bad.stop()
        bad.join()
    said = [record.getMessage() for record in caplog.records if "HELD" in record.getMessage()]
    assert len(said) == 1, "a hold is said once, however often the task comes again"
    assert ids["workflowId"] in said[0]
    assert said[0].count("worker_workflows.py:") >= 2, f"both source lines are named: {said[0]}"
    assert bad.holds()[0].kind == "nondeterminism"
    assert len(of_type(events(), "DecisionTaskCompleted")) == 2, "nothing was answered"

    run_worker(Changes)
    assert wait(client, domain, ids).result == '"right"'


def test_a_history_that_grows_long_is_said_once_for_each_mark(
    swf_server: EmbeddedSwf,
    client: Any,
    domain: str,
    run_worker: RunWorker,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(handler, "HISTORY_MARKS", (20, 40, 400))
    first = run_worker(Waits)
    ids = start(client, domain, "Waits")
    with caplog.at_level(logging.WARNING, logger="pyflow"):
        for number in range(14):
            _wait_for_answers(swf_server, domain, ids, number + 1)
            if number == 7:  # another process does not say again what this one has said
                first.stop()
                first.join()
                run_worker(Waits)
            signal_workflow(domain, ids["workflowId"], "go", str(number), client=client)
        _wait_for_answers(swf_server, domain, ids, 15)
    said = [record.getMessage() for record in caplog.records if "at which SWF terminates" in record.getMessage()]
    lengths = [int(text.partition("its history has ")[2].partition(" ")[0]) for text in said]
    assert len(lengths) == 2, caplog.text
    assert 20 <= lengths[0] < 24
    assert 40 <= lengths[1] < 44
    assert all(ids["workflowId"] in text and "should_continue_as_new" in text for text in said)


def _wait_for_answers(swf_server: EmbeddedSwf, domain: str, ids: dict[str, str], count: int) -> None:
    def answers() -> int:
        return len(of_type(history(swf_server.connection(), domain, ids), "DecisionTaskCompleted"))

    eventually(lambda: answers() == count, what=f"{count} decision tasks are answered")


def test_a_task_of_an_unknown_type_is_held_until_its_class_comes(
    client: Any, domain: str, run_worker: RunWorker
) -> None:
    both = run_worker(Steps, Changes)
    both.stop()
    both.join()
    ids = start(client, domain, "Changes")
    without = run_worker(Steps)
    eventually(without.holds)
    assert "no workflow class with NAME 'Changes' and VERSION '1'" in without.holds()[0].message
    without.stop()
    without.join()
    run_worker(Changes)
    signal_workflow(domain, ids["workflowId"], "go", client=client)
    assert wait(client, domain, ids).result == '"right"'


def test_decisions_that_swf_refuses_hold_the_execution(client: Any, domain: str, run_worker: RunWorker) -> None:
    worker = run_worker(TooLong, Steps)
    ids = start(client, domain, "TooLong")
    other = start(client, domain, "Steps", 3)
    eventually(worker.holds)
    assert worker.holds()[0].run_id == ids["runId"]
    assert "length less than or equal to 256" in worker.holds()[0].message
    assert wait(client, domain, other).result == "3"


def test_code_that_raises_what_ctrl_c_raises_ends_no_thread(
    client: Any, domain: str, run_worker: RunWorker, tmp_path: Path
) -> None:
    flag = tmp_path / "interrupt"
    flag.touch()
    worker = run_worker(Interrupts, Steps)
    ids = start(client, domain, "Interrupts", str(flag))
    eventually(worker.holds)
    assert worker.holds()[0].kind == "author"
    assert "its code raised KeyboardInterrupt" in worker.holds()[0].message
    assert "worker_workflows.py" in worker.holds()[0].message
    assert wait(client, domain, start(client, domain, "Steps", 3)).result == "3"
    flag.unlink()
    assert wait(client, domain, ids, timeout_s=60).result == '"ended"'


def test_code_that_never_waits_is_named_and_the_others_go_on(
    client: Any,
    domain: str,
    run_worker: RunWorker,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> None:
    flag = tmp_path / "loop"
    flag.touch()
    worker = run_worker(Loops, Steps, blocked_after_s=0.4)
    with caplog.at_level(logging.ERROR, logger="pyflow"):
        looping = start(client, domain, "Loops", str(flag))
        eventually(lambda: "BLOCKED" in caplog.text)
        others = [start(client, domain, "Steps", 5) for _ in range(3)]
        assert [wait(client, domain, ids).result for ids in others] == ["5"] * 3
        eventually(worker.holds, what="the loop is interrupted after the task's 3 s")
    blocked = next(record.getMessage() for record in caplog.records if "BLOCKED" in record.getMessage())
    assert "worker_workflows.py:" in blocked
    assert "in run" in blocked
    assert worker.holds()[0].run_id == looping["runId"]
    assert worker.holds()[0].kind == "stuck"
    flag.unlink()
    assert wait(client, domain, looping, timeout_s=60).result == '"ended"'


def test_code_that_has_not_come_back_is_not_begun_again_beside_itself(
    swf_server: EmbeddedSwf, client: Any, domain: str, run_worker: RunWorker, caplog: pytest.LogCaptureFixture
) -> None:
    """Its tasks time out and come again and again while it sleeps where no interrupt reaches it."""
    run_worker(Slow, Steps, blocked_after_s=0.2)
    with caplog.at_level(logging.ERROR, logger="pyflow"):
        slow = start(client, domain, "Slow", 6, task_start_to_close_timeout=1)

        def timed_out() -> int:
            return len(of_type(history(swf_server.connection(), domain, slow), "DecisionTaskTimedOut"))

        eventually(lambda: timed_out() >= 4, what="four tasks time out while it sleeps")
        assert wait(client, domain, start(client, domain, "Steps", 3)).result == "3"
    assert caplog.text.count("BLOCKED") == 1, caplog.text


def test_code_that_is_only_slow_is_answered_and_nobody_waits_for_it(
    swf_server: EmbeddedSwf, client: Any, domain: str, run_worker: RunWorker
) -> None:
    run_worker(Slow, Steps, blocked_after_s=0.3)
    slow = start(client, domain, "Slow", 4)
    eventually(lambda: of_type(history(swf_server.connection(), domain, slow), "DecisionTaskStarted"))
    other = start(client, domain, "Steps", 3)
    assert wait(client, domain, other).result == "3"
    assert wait(client, domain, slow).result == '"slept"'
    ended = [history(swf_server.connection(), domain, ids)[-1]["eventTimestamp"] for ids in (other, slow)]
    assert ended[0] < ended[1], "the others go on while it blocks its thread"


@pytest.mark.parametrize(
    "wrong", [{"poll_threads": 0}, {"decision_threads": 0}, {"sticky_polls": 0, "max_cached_executions": 1}]
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        WorkerSettings(**wrong)  # type: ignore[arg-type]  # only whole numbers are tried


def test_classes_that_cannot_work_are_refused(swf_server: EmbeddedSwf) -> None:
    class NoName(Steps):
        NAME = ""

    connection = swf_server.connection()
    with pytest.raises(PyflowException, match="no NAME"):
        DeciderWorker([NoName], "d", "t", connection=connection)
    with pytest.raises(ValueError, match="both workflow type"):
        DeciderWorker([Changes, ChangedWrongly], "d", "t", connection=connection)
