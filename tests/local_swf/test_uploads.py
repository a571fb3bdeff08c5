"""Histories that arrive in pieces: what is whole is imported, what is not is refused in words, and little is kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from local_swf_driver import Driver, decision
from local_swf_server import RunningServer
from pyflow_local import LocalSwf, ManualClock
from pyflow_local.engine.faults import Fault
from pyflow_local.errors import StorageFailed
from pyflow_local.http import uploads as under_test
from pyflow_local.http.uploads import UPLOADS_MAX, Uploads
from test_http import post

SETTINGS = {
    "workflowType": {"name": "wf", "version": "1"},
    "taskList": {"name": "tl"},
    "childPolicy": "TERMINATE",
    "parentInitiatedEventId": 0,
}
STARTED = {
    "eventId": 1,
    "eventTimestamp": 1.5e9,
    "eventType": "WorkflowExecutionStarted",
    "workflowExecutionStartedEventAttributes": SETTINGS,
}


def signaled(number: int, text: str = "") -> dict[str, Any]:
    """Some further event."""
    attributes = {"signalName": "s", "input": text}
    kind = "WorkflowExecutionSignaled"
    return {"eventId": number, "eventTimestamp": 1.5e9, "eventType": kind, f"w{kind[1:]}EventAttributes": attributes}


class Desk:
    """Takes whole histories, or refuses them."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str, list[int]]] = []
        self.refuses: Exception | None = None
        self.uploads = Uploads(self._import)

    def _import(self, domain: str, workflow_id: str, events: Sequence[bytes]) -> str:
        if self.refuses is not None:
            raise self.refuses
        self.taken.append((domain, workflow_id, [json.loads(event)["eventId"] for event in events]))
        return "the run"

    def send(self, **piece: Any) -> tuple[int, dict[str, Any]]:
        """One piece."""
        status, answer = self.uploads.take(json.dumps(piece).encode())
        return status, json.loads(answer)


def begin(desk: Desk, name: str = "w", **more: Any) -> str:
    """The first piece of two; the upload's name."""
    status, answer = desk.send(domain="d", workflowId=name, events=[STARTED], more=True, **more)
    assert status == 200
    return str(answer["upload"])


def test_in_one_piece_and_in_three() -> None:
    desk = Desk()
    assert desk.send(domain="d", workflowId="w", events=[STARTED]) == (200, {"runId": "the run"})
    upload = begin(desk)
    status, answer = desk.send(upload=upload, events=[signaled(2), signaled(3)], more=True)
    assert status == 200
    assert desk.send(upload=answer["upload"], events=[signaled(4)]) == (200, {"runId": "the run"})
    assert desk.taken == [("d", "w", [1]), ("d", "w", [1, 2, 3, 4])]


def test_a_piece_counts_once() -> None:
    desk = Desk()
    upload = begin(desk)
    assert desk.send(upload=upload, events=[signaled(2)])[0] == 200
    status, answer = desk.send(upload=upload, events=[signaled(2)])
    assert status == 400
    assert "begin again" in answer["message"]
    assert len(desk.taken) == 1


def test_the_oldest_of_too_many_is_forgotten() -> None:
    desk = Desk()
    names = [begin(desk) for _ in range(UPLOADS_MAX + 1)]
    assert desk.send(upload=names[0], events=[signaled(2)])[0] == 400
    assert desk.send(upload=names[1], events=[signaled(2)])[0] == 200


def test_more_than_is_taken_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(under_test, "UPLOAD_BYTES_MAX", 1000)
    desk = Desk()
    status, answer = desk.send(upload=begin(desk), events=[signaled(2, "x" * 1000)], more=True)
    assert status == 400
    assert "larger than 1000 bytes" in answer["message"]


@pytest.mark.parametrize(
    ("piece", "words"),
    [
        ({}, "workflowId"),
        ({"events": 1}, "workflowId"),
        ({"events": [STARTED]}, "workflowId"),
        ({"domain": 1, "workflowId": "w", "events": [STARTED]}, "workflowId"),
        ({"upload": "nothing", "events": [STARTED]}, "begin again"),
        ({"upload": {}, "events": []}, "begin again"),
        ({"domain": "d", "workflowId": "w", "events": []}, "at least one event"),
        ({"domain": "d", "workflowId": "w", "events": [signaled(1)]}, "a history begins with"),
        ({"domain": "d", "workflowId": "w", "events": [STARTED, signaled(3)]}, "Event 2 of the history is missing"),
        ({"domain": "d", "workflowId": "w", "events": [{**STARTED, "eventTimestamp": 1e300}]}, "eventTimestamp"),
    ],
)
def test_pieces_that_are_none(piece: dict[str, Any], words: str) -> None:
    desk = Desk()
    status, answer = desk.send(**piece)
    assert (status, desk.taken) == (400, [])
    assert words in answer["message"]


def test_refusals_of_the_service_are_passed_on() -> None:
    desk = Desk()
    desk.refuses = Fault("UnknownResourceFault", "Unknown domain: d")
    status, answer = desk.send(domain="d", workflowId="w", events=[STARTED])
    assert (status, answer["message"]) == (400, "Unknown domain: d")
    desk.refuses = StorageFailed("the disk is full")
    assert desk.send(domain="d", workflowId="w", events=[STARTED]) == (500, {"message": "the disk is full"})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
NEARLY = st.sampled_from(
    ["NONE", "0", "31536001", "-1", "", [None], ["t"], {"name": None}, {"name": "x", "version": ""}, {"name": "x"},
     {"workflowId": "v", "runId": "r"}, {"workflowId": "v"}, {"workflowId": 1, "runId": 2}]
)  # fmt: skip
SETTING_NAMES = (
    *SETTINGS, "executionStartToCloseTimeout", "taskStartToCloseTimeout", "taskPriority", "tagList", "lambdaRole",
    "parentWorkflowExecution", "continuedExecutionRunId", "input", "workflowId", "domain",
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(
    wrong=st.dictionaries(st.sampled_from(SETTING_NAMES), JSON | NEARLY, max_size=3), workflow_id=st.text(max_size=5)
)
def test_no_settings_break_the_service(wrong: dict[str, Any], workflow_id: str) -> None:
    """Whatever the first event claims: it is refused in words, or the run can be described and listed."""
    tags = wrong.get("tagList")
    assume(not (isinstance(tags, list) and None in tags))  # the service echoes such a list, against its own model
    driver = Driver()

    def take(domain: str, named: str, events: Sequence[bytes]) -> str:
        return driver.service.import_history(domain, named, events, driver.now_ms)[0]

    started = {**STARTED, "workflowExecutionStartedEventAttributes": {**SETTINGS, **wrong}}
    body = json.dumps({"domain": "d", "workflowId": workflow_id, "events": [started]}).encode()
    status, answer = Uploads(take).take(body)
    assert status in {200, 400}, answer
    if status == 200:
        assert driver.describe(json.loads(answer)["runId"], workflow_id)
        driver.call("ListClosedWorkflowExecutions", domain="d", startTimeFilter={"oldestDate": 0})


BODIES = (
    st.binary(max_size=60)
    | JSON.map(lambda value: json.dumps(value).encode())
    | st.lists(JSON | st.just(STARTED), max_size=3).map(
        lambda events: json.dumps({"domain": "d", "workflowId": "w", "events": events}).encode()
    )
)


@settings(max_examples=200, deadline=None)
@given(bodies=st.lists(BODIES, max_size=5))
def test_any_body_gets_an_answer(bodies: list[bytes]) -> None:
    desk = Desk()
    for body in bodies:
        status, answer = desk.uploads.take(body)
        assert status in {200, 400}
        assert isinstance(json.loads(answer), dict)


@pytest.mark.parametrize("depth", [200, 500, 5000])
def test_deep_nesting(depth: int) -> None:
    nested = '{"a":' * depth + "1" + "}" * depth
    body = json.dumps({"domain": "d", "workflowId": "w", "events": [STARTED, signaled(2)]})
    deep = body.replace('"input": ""', f'"input": {nested}')
    assert deep != body
    status, _ = Desk().uploads.take(deep.encode())
    assert status == (200 if depth < 250 else 400)


def test_over_http(run_server: Callable[..., RunningServer]) -> None:
    server = run_server("--memory")
    server.client.register_domain(name="d", workflowExecutionRetentionPeriodInDays="1")
    body = json.dumps({"domain": "d", "workflowId": "w", "events": [STARTED, signaled(2)]}).encode()
    status, answer = post(server, "/_pyflow/import", body)
    assert status == 200
    execution = {"workflowId": "w", "runId": answer["runId"]}
    events = server.client.get_workflow_execution_history(domain="d", execution=execution)["events"]
    assert [event["eventId"] for event in events] == [1, 2]
    assert post(server, "/_pyflow/import", b"[" * 5000)[0] == 400
    assert post(server, "/_pyflow/import", body.replace(b'"d"', b'"nope"'))[0] == 400


def test_importing_first_thing_does_not_swallow_what_the_restart_brought(tmp_path: Path) -> None:
    """Lambda functions that ran when the process died are invoked again, also if an import comes before all else."""
    path = str(tmp_path / "swf.db")
    driver = Driver(path=path)
    run = driver.start(lambdaRole="arn:aws:iam::123456789012:role/r")
    driver.decide(decision("ScheduleLambdaFunction", id="l", name="f"))
    driver.store.close()
    with LocalSwf(path, clock=ManualClock(driver.now_ms), lambdas={"f": lambda _: "again"}) as local:
        local.import_history("d", "w", json.dumps([STARTED]))
        execution = {"workflowId": "w", "runId": run}
        events = local.client().get_workflow_execution_history(domain="d", execution=execution)["events"]
    assert events[-2]["lambdaFunctionCompletedEventAttributes"]["result"] == '"again"'
