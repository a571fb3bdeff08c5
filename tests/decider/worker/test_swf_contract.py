"""The same contract for both transports, against a real SWF: what the scripted server cannot know."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from pyflow import swf
from pyflow.starter import start_workflow
from pyflow.swf import JsonObject, SwfApi, SwfConnection
from pyflow.swf.api import SwfTransport
from pyflow.worker import DeciderWorker
from worker_embedded import EmbeddedSwf, eventually
from worker_workflows import Steps, Waits

OPTIONS = {
    "defaultChildPolicy": "TERMINATE",
    "defaultTaskStartToCloseTimeout": 10,
    "defaultExecutionStartToCloseTimeout": 100,
}


@pytest.fixture(params=["lean", "boto3"])
def connection(request: pytest.FixtureRequest, swf_server: EmbeddedSwf) -> SwfConnection:
    return swf_server.connection(transport=request.param)


@pytest.fixture
def api(connection: SwfConnection) -> SwfApi:
    return connection.api


@pytest.fixture
def started(connection: SwfConnection, domain: str) -> dict[str, str]:
    """An execution nobody has decided yet; activity type A exists."""
    client = connection.client
    assert swf.ensure_domain(client, domain)
    assert not swf.ensure_domain(client, domain), "registering again does nothing"
    assert swf.ensure_workflow_type(client, domain, "W", "1", task_list="t", **OPTIONS)
    assert not swf.ensure_workflow_type(client, domain, "W", "1", task_list="other")
    activity = {
        "defaultTaskStartToCloseTimeout": "10",
        "defaultTaskHeartbeatTimeout": "NONE",
        "defaultTaskScheduleToStartTimeout": "10",
        "defaultTaskScheduleToCloseTimeout": "20",
    }
    assert swf.ensure_activity_type(client, domain, "A", "1", task_list="a", **activity)
    return start_workflow(domain, "W", "1", "t", input="ü€😀", client=client)


def poll(domain: str, task_list: str = "t") -> JsonObject:
    return {"domain": domain, "taskList": {"name": task_list}, "identity": "ü"}


def schedule(number: int) -> JsonObject:
    attributes = {"activityId": f"a{number}", "activityType": {"name": "A", "version": "1"}, "input": "ü€😀"}
    return {"decisionType": "ScheduleActivityTask", "scheduleActivityTaskDecisionAttributes": attributes}


def test_a_run_from_start_to_end(api: SwfApi, domain: str, started: dict[str, str]) -> None:
    task = api.poll_for_decision_task(poll(domain))
    assert task["workflowExecution"] == started
    assert task["events"][0]["workflowExecutionStartedEventAttributes"]["input"] == "ü€😀"
    assert isinstance(task["events"][0]["eventTimestamp"], float)
    answer = {"taskToken": task["taskToken"], "decisions": [schedule(n) for n in range(3)], "executionContext": "ü"}
    assert api.respond_decision_task_completed(answer) == {}

    first, second, third = (api.poll_for_activity_task(poll(domain, "a")) for _ in range(3))
    assert {each["input"] for each in (first, second, third)} == {"ü€😀"}
    beat = api.record_activity_task_heartbeat({"taskToken": first["taskToken"], "details": "half"})
    assert beat == {"cancelRequested": False}
    assert api.respond_activity_task_completed({"taskToken": first["taskToken"], "result": "1"}) == {}
    assert api.respond_activity_task_failed({"taskToken": second["taskToken"], "reason": "r", "details": "d"}) == {}
    assert api.respond_activity_task_canceled({"taskToken": third["taskToken"], "details": "d"}) == {}
    with pytest.raises(swf.UnknownResource, match="Unknown activity"):
        api.respond_activity_task_completed({"taskToken": first["taskToken"]})

    own = {**poll(domain), "startAtPreviousStartedEvent": True}
    task = api.poll_for_decision_task(own)
    assert task["previousStartedEventId"] == task["events"][0]["eventId"] == 3
    close = {"decisionType": "CompleteWorkflowExecution"}
    api.respond_decision_task_completed({"taskToken": task["taskToken"], "decisions": [close]})
    events = api.get_workflow_execution_history({"domain": domain, "execution": started})["events"]
    assert events[-1]["eventType"] == "WorkflowExecutionCompleted"


def test_pages(api: SwfApi, domain: str, started: dict[str, str]) -> None:
    task = api.poll_for_decision_task({**poll(domain), "maximumPageSize": 2})
    assert [event["eventId"] for event in task["events"]] == [1, 2]
    rest = api.poll_for_decision_task({**poll(domain), "maximumPageSize": 2, "nextPageToken": task["nextPageToken"]})
    assert [event["eventId"] for event in rest["events"]] == [3]
    request: JsonObject = {"domain": domain, "execution": started, "maximumPageSize": 2}
    page = api.get_workflow_execution_history(request)
    rest = api.get_workflow_execution_history({**request, "nextPageToken": page["nextPageToken"]})
    assert len(page["events"] + rest["events"]) == 3


def test_no_task(api: SwfApi, domain: str, started: dict[str, str]) -> None:
    assert api.poll_for_activity_task(poll(domain, "nobody")) == {"startedEventId": 0}
    assert "taskToken" not in api.poll_for_decision_task(poll(domain, "nobody"))


@pytest.mark.parametrize(
    ("call", "request_body", "error"),
    [
        (SwfApi.poll_for_decision_task, poll("nowhere"), swf.UnknownResource),
        (SwfApi.respond_decision_task_completed, {"taskToken": "nonsense"}, swf.ValidationFailed),
        (SwfApi.respond_activity_task_completed, {"taskToken": "nonsense"}, swf.ValidationFailed),
        (SwfApi.record_activity_task_heartbeat, {"taskToken": "t", "details": "d" * 2_049}, swf.ValidationFailed),
        (SwfApi.respond_activity_task_failed, {"taskToken": "t", "reason": "r" * 257}, swf.ValidationFailed),
        (
            SwfApi.respond_activity_task_completed,
            {"taskToken": "t", "result": "r" * 1_100_000},
            (swf.RequestTooLarge, swf.ValidationFailed, swf.AnswerLost),
        ),
        (SwfApi.respond_activity_task_completed, {"taskToken": "t", "result": object()}, swf.ValidationFailed),
    ],
)
def test_refusals(
    api: SwfApi,
    call: Callable[[SwfApi, JsonObject], JsonObject],
    request_body: JsonObject,
    error: type[Exception] | tuple[type[Exception], ...],
) -> None:
    with pytest.raises(error):
        call(api, request_body)


class Recorder:
    """A transport that keeps every request it passes on."""

    def __init__(self, inner: SwfTransport) -> None:
        self.inner = inner
        self.calls: list[tuple[str, JsonObject]] = []

    def call(self, operation: str, request: JsonObject) -> JsonObject:
        """See `SwfTransport.call`."""
        self.calls.append((operation, json.loads(json.dumps(request))))
        return self.inner.call(operation, request)

    def close(self) -> None:
        """See `SwfTransport.close`."""
        self.inner.close()


def test_every_request_of_the_worker_is_valid_under_the_service_model(
    swf_server: EmbeddedSwf, domain: str, request: pytest.FixtureRequest
) -> None:
    connection = swf_server.connection()
    recorder = Recorder(connection.api.transport)
    connection.api.transport = recorder
    worker = DeciderWorker([Steps, Waits], domain, "t", "x" * 300, connection=connection)
    worker.start()
    try:
        first = start_workflow(domain, "Steps", "1", "t", input="3", client=connection.client)
        eventually(lambda: _is_closed(connection.client, domain, first))
    finally:
        worker.stop()
        worker.join()
    assert {operation for operation, _ in recorder.calls} >= {"PollForDecisionTask", "RespondDecisionTaskCompleted"}
    model = botocore.session.Session().get_service_model("swf")
    for operation, body in recorder.calls:
        shape = model.operation_model(operation).input_shape
        assert shape is not None
        report = ParamValidator().validate(body, shape)
        assert not report.has_errors(), f"{operation}: {report.generate_report()}"
        assert len(body.get("identity", "")) <= 256


def _is_closed(client: Any, domain: str, ids: dict[str, str]) -> bool:
    described = client.describe_workflow_execution(domain=domain, execution=ids)
    return bool(described["executionInfo"]["executionStatus"] == "CLOSED")
