"""The worker behind a network that does harm: it survives, says each trouble once, loses no decision, and recovers."""

from __future__ import annotations

import json
import logging
import re
import threading
from collections.abc import Callable
from typing import Any

import pytest
from pyflow.starter import signal_workflow, start_workflow, wait_for_workflow
from pyflow.swf import JsonObject
from pyflow.worker import DeciderWorker
from worker_embedded import EmbeddedSwf, eventually, history, of_type
from worker_fault_proxy import EXPIRED, FAILED, THROTTLED, FaultProxy, Harm
from worker_workflows import Steps, Waits

RunWorker = Callable[..., DeciderWorker]
POLL = "PollForDecisionTask"
RESPOND = "RespondDecisionTaskCompleted"
HISTORY = "GetWorkflowExecutionHistory"


@pytest.fixture
def client(swf_server: EmbeddedSwf) -> Any:
    return swf_server.connection().client


@pytest.fixture
def check(swf_server: EmbeddedSwf, client: Any, domain: str) -> Callable[..., list[JsonObject]]:
    """Run `Steps` to its end and check its history; gives the events."""

    def run(steps: int = 8, timeout_s: float = 60) -> list[JsonObject]:
        ids = start_workflow(domain, "Steps", "1", "t", input=json.dumps(steps), client=client)
        assert wait_for_workflow(domain, ids["workflowId"], ids["runId"], client, timeout_s=timeout_s).result == str(
            steps
        )
        events = history(swf_server.connection(), domain, ids)
        timers = [attributes["timerId"] for attributes in of_type(events, "TimerStarted")]
        assert len(timers) == len(set(timers)) == steps, "every timer was started exactly once"
        return events

    return run


@pytest.mark.parametrize(
    ("operation", "harm", "word"),
    [
        (POLL, THROTTLED, "Throttled"),
        (POLL, FAILED, "ServerFailed"),
        (POLL, EXPIRED, "CredentialsExpired"),
        (POLL, Harm(cut_before=True), "AnswerLost"),
        (POLL, Harm(status=502, body=b"<html>bad gateway</html>"), "ServerFailed"),
        (RESPOND, THROTTLED, "Throttled"),
        (RESPOND, FAILED, "ServerFailed"),
        (RESPOND, EXPIRED, "CredentialsExpired"),
        (RESPOND, Harm(cut_before=True), "AnswerLost"),
    ],
)
def test_troubles_that_pass(
    proxy: FaultProxy,
    run_worker: RunWorker,
    check: Callable[..., object],
    caplog: pytest.LogCaptureFixture,
    operation: str,
    harm: Harm,
    word: str,
) -> None:
    run_worker(Steps, endpoint_url=proxy.url)
    proxy.times(6, harm, operation)
    with caplog.at_level(logging.INFO, logger="pyflow"):
        check()
    assert proxy.harmed >= 6
    warned = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert all(re.search(r"tried again|works again", record.getMessage()) for record in warned), caplog.text
    per_name: dict[str, int] = {}
    for record in warned:
        name = record.getMessage().partition(": ")[0]
        per_name[name] = per_name.get(name, 0) + 1
    assert max(per_name.values(), default=0) <= 3, f"each trouble is said once while it lasts: {caplog.text}"


def test_answers_whose_receipt_is_lost(
    proxy: FaultProxy, run_worker: RunWorker, check: Callable[..., list[JsonObject]]
) -> None:
    """SWF has the answer but the worker cannot know: it must neither repeat it nor trust its cache."""
    run_worker(Steps, endpoint_url=proxy.url)
    proxy.times(4, Harm(cut_after=True), RESPOND)
    events = check()
    assert proxy.harmed == 4
    assert of_type(events, "DecisionTaskTimedOut") == []


def test_tasks_lost_with_their_poll_come_again(
    proxy: FaultProxy, run_worker: RunWorker, client: Any, domain: str, swf_server: EmbeddedSwf
) -> None:
    """A poll cut after SWF has handed a task to it: the task times out and is decided then."""
    run_worker(Waits, endpoint_url=proxy.url)
    lose = threading.Event()
    lost: list[bytes] = []

    def rewrite(answer: bytes) -> bytes:
        if b"taskToken" in answer and not lose.is_set():
            lose.set()
            lost.append(answer)
            return answer[: len(answer) // 2]
        return answer

    proxy.harm = lambda operation, body: Harm(rewrite=rewrite) if operation == POLL and not lose.is_set() else None
    eventually(lambda: proxy.harmed >= 4, what="all polls go through the harm")
    ids = start_workflow(domain, "Waits", "1", "t", client=client)
    signal_workflow(domain, ids["workflowId"], "go", '"end"', client=client)
    assert wait_for_workflow(domain, ids["workflowId"], ids["runId"], client, timeout_s=60).result == '["end"]'
    assert lost
    assert of_type(history(swf_server.connection(), domain, ids), "DecisionTaskTimedOut")


def test_events_that_come_incomplete_are_read_again(
    proxy: FaultProxy, run_worker: RunWorker, check: Callable[..., object], caplog: pytest.LogCaptureFixture
) -> None:
    dropped: list[int] = []

    def drop_an_event(answer: bytes) -> bytes:
        decoded = json.loads(answer)
        if len(decoded.get("events", [])) > 2 and len(dropped) < 5:
            dropped.append(decoded["events"].pop(1)["eventId"])
        return json.dumps(decoded).encode()

    proxy.harm = lambda operation, body: Harm(rewrite=drop_an_event) if operation == POLL else None
    with caplog.at_level(logging.WARNING, logger="pyflow"):
        run_worker(Steps, endpoint_url=proxy.url)
        check()
    assert len(dropped) == 5
    assert caplog.text.count("its events came incomplete") == 5


def test_a_history_that_cannot_be_read_leaves_the_task_to_its_timeout(
    proxy: FaultProxy, run_worker: RunWorker, client: Any, domain: str, swf_server: EmbeddedSwf
) -> None:
    first = run_worker(Waits, endpoint_url=proxy.url, max_cached_executions=1)
    one = start_workflow(domain, "Waits", "1", "t", client=client)
    eventually(lambda: first.cached_executions() == 1)
    other = start_workflow(domain, "Waits", "1", "t", client=client)  # pushes the first one out of the cache
    eventually(lambda: len(of_type(history(swf_server.connection(), domain, other), "DecisionTaskCompleted")) == 1)
    proxy.times(5, FAILED, HISTORY)
    signal_workflow(domain, one["workflowId"], "go", '"end"', client=client)
    assert wait_for_workflow(domain, one["workflowId"], one["runId"], client, timeout_s=60).result == '["end"]'
    assert proxy.harmed == 5


def test_swf_is_gone_for_a_while(
    proxy: FaultProxy,
    swf_server: EmbeddedSwf,
    run_worker: RunWorker,
    check: Callable[..., object],
    caplog: pytest.LogCaptureFixture,
) -> None:
    run_worker(Steps)
    check()
    with caplog.at_level(logging.INFO, logger="pyflow"):
        swf_server.stop()
        eventually(lambda: "Unreachable" in caplog.text or "cannot be reached" in caplog.text)
        swf_server.begin()

        def works_again() -> bool:
            check(2)  # a poll works again for sure once it has been given something
            return "works again" in caplog.text

        eventually(works_again, what="all polls work again")
    assert caplog.text.count("works again") == 1
    begun = [record.getMessage() for record in caplog.records if "polling fails" in record.getMessage()]
    assert len(begun) <= 2, f"all polls together say that connections break, and that none can be made: {begun}"


@pytest.mark.parametrize("transport", ["boto3", "lean"])
def test_a_client_given_by_the_user_is_honoured(
    proxy: FaultProxy, domain: str, check: Callable[..., object], swf_server: EmbeddedSwf, transport: str
) -> None:
    from pyflow import Decider
    from pyflow.swf import ensure_domain, make_client
    from pyflow.worker import WorkerSettings

    client = make_client(endpoint_url=proxy.url, attempts_max=1) if transport == "boto3" else None
    ensure_domain(swf_server.connection().client, domain)
    patch = pytest.MonkeyPatch()
    patch.setenv("AWS_ENDPOINT_URL_SWF", swf_server.url)
    try:
        decider = Decider([Steps], domain, "t", "me", client, settings=WorkerSettings(poll_threads=1))
        decider.ensure_workflows_registered()
        runner = threading.Thread(target=decider.poll_for_decision_tasks, args=(4,))
        runner.start()
        check()
        runner.join(30)
        assert not runner.is_alive()
    finally:
        patch.undo()
    assert ("PollForDecisionTask" in proxy.passed) is (transport == "boto3")
    assert ("RegisterWorkflowType" in proxy.passed) is (transport == "boto3")
