"""Starting, looking at, waiting for, signalling, canceling and terminating executions, against a real SWF."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from pyflow import WorkflowStatus, get_workflow_status, start_workflow, swf
from pyflow.starter import (
    WorkflowWaitTimedOut,
    cancel_workflow,
    signal_workflow,
    terminate_workflow,
    wait_for_workflow,
)
from pyflow.worker import DeciderWorker
from worker_embedded import EmbeddedSwf, eventually, history, of_type
from worker_fault_proxy import FAILED, FaultProxy
from worker_workflows import Steps, Waits

RunWorker = Callable[..., DeciderWorker]


@pytest.fixture
def client(swf_server: EmbeddedSwf) -> Any:
    return swf_server.connection().client


@pytest.fixture
def registered(client: Any, domain: str) -> str:
    """A domain with the type Waits, and nobody who decides."""
    swf.ensure_domain(client, domain)
    swf.ensure_workflow_type(
        client,
        domain,
        "Waits",
        "1",
        task_list="t",
        defaultChildPolicy="TERMINATE",
        defaultTaskStartToCloseTimeout=10,
        defaultExecutionStartToCloseTimeout=100,
    )
    return domain


def started(swf_server: EmbeddedSwf, domain: str, ids: dict[str, str]) -> dict[str, Any]:
    return dict(of_type(history(swf_server.connection(), domain, ids), "WorkflowExecutionStarted")[0])


def test_as_in_2_0_0(swf_server: EmbeddedSwf, client: Any, registered: str) -> None:
    ids = start_workflow(registered, "Waits", "1", "t", None, None, client)
    assert set(ids) == {"workflowId", "runId"}
    assert ids["workflowId"].startswith("Waits@")
    attributes = started(swf_server, registered, ids)
    assert "input" not in attributes
    assert "lambdaRole" not in attributes


def test_everything_given(swf_server: EmbeddedSwf, client: Any, registered: str) -> None:
    ids = start_workflow(
        domain=registered,
        workflow_name="Waits",
        workflow_version="1",
        task_list="other",
        lambda_role="arn:aws:iam::123456789012:role/r",
        input='{"a": 1}',
        client=client,
        task_start_to_close_timeout=7,
        execution_start_to_close_timeout=50,
        task_priority=3,
        tag_list=("x", "y"),
        child_policy="ABANDON",
        workflow_id="mine",
    )
    attributes = started(swf_server, registered, ids)
    assert ids["workflowId"] == "mine"
    assert attributes["taskList"] == {"name": "other"}
    assert attributes["lambdaRole"] == "arn:aws:iam::123456789012:role/r"
    assert attributes["input"] == '{"a": 1}'
    assert attributes["taskStartToCloseTimeout"] == "7"
    assert attributes["executionStartToCloseTimeout"] == "50"
    assert attributes["taskPriority"] == "3"
    assert attributes["tagList"] == ["x", "y"]
    assert attributes["childPolicy"] == "ABANDON"


def test_an_id_in_use(client: Any, registered: str) -> None:
    start_workflow(registered, "Waits", "1", "t", client=client, workflow_id="one")
    with pytest.raises(swf.ExecutionAlreadyStarted, match="another workflow id"):
        start_workflow(registered, "Waits", "1", "t", client=client, workflow_id="one")


def test_unknown_domain_type_and_endpoint(client: Any, registered: str) -> None:
    with pytest.raises(swf.UnknownResource, match="Unknown domain") as caught:
        start_workflow("nowhere", "Waits", "1", "t", client=client)
    assert caught.value.is_unknown_domain
    with pytest.raises(swf.UnknownResource, match="Unknown type"):
        start_workflow(registered, "Nothing", "1", "t", client=client)
    with pytest.raises(swf.Unreachable):
        start_workflow(registered, "Waits", "1", "t", client=swf.make_client(endpoint_url="http://127.0.0.1:9"))


def test_tags_that_cannot_be(client: Any, registered: str) -> None:
    with pytest.raises(TypeError, match="list of texts"):
        start_workflow(registered, "Waits", "1", "t", client=client, tag_list="tag")
    with pytest.raises(ValueError, match="SWF takes 5"):
        start_workflow(registered, "Waits", "1", "t", client=client, tag_list=list("abcdef"))


def test_a_start_whose_answer_was_lost_starts_once(
    swf_server: EmbeddedSwf, registered: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client: Any = swf_server.connection().client
    send = client._endpoint.http_session.send
    lost: list[Any] = []

    def lose_the_first(request: Any) -> Any:
        answer = send(request)
        if b"StartWorkflowExecution" in request.headers["X-Amz-Target"] and not lost:
            lost.append(answer)
            raise ReadTimeoutError(endpoint_url=request.url)
        return answer

    monkeypatch.setattr(client._endpoint.http_session, "send", lose_the_first)
    ids = start_workflow(registered, "Waits", "1", "t", client=client)
    assert lost
    assert json.loads(lost[0].content)["runId"] == ids["runId"]


def test_status_of_a_running_and_a_finished_one(client: Any, domain: str, run_worker: RunWorker) -> None:
    run_worker(Waits, Steps)
    ids = start_workflow(domain, "Waits", "1", "t", client=client)
    status = get_workflow_status(domain, ids["workflowId"], ids["runId"], client)
    assert isinstance(status, WorkflowStatus)
    assert (status.execution_status, status.close_status, status.is_open) == ("OPEN", None, True)
    assert status.workflow_description["executionInfo"]["startTimestamp"] <= datetime.now().astimezone()

    def says() -> Any:
        found = get_workflow_status(domain, ids["workflowId"], ids["runId"], client)
        return found and found.status

    eventually(lambda: says() == {"listens": True})
    signal_workflow(domain, ids["workflowId"], "go", '"end"', ids["runId"], client)
    status = wait_for_workflow(domain, ids["workflowId"], ids["runId"], client, timeout_s=30)
    assert (status.execution_status, status.close_status, status.result) == ("CLOSED", "COMPLETED", '["end"]')
    assert status.exit_event is not None
    assert status.exit_event["eventType"] == "WorkflowExecutionCompleted"


def test_status_of_nothing(client: Any, registered: str) -> None:
    assert get_workflow_status(registered, "nothing", "nothing", client) is None
    with pytest.raises(swf.UnknownResource):
        wait_for_workflow(registered, "nothing", "nothing", client, timeout_s=5)
    assert get_workflow_status("nowhere", "nothing", "nothing", client) is None
    with pytest.raises(swf.UnknownResource, match="Unknown domain"):
        wait_for_workflow("nowhere", "nothing", "nothing", client, timeout_s=5)


def test_waiting_has_an_end(client: Any, registered: str) -> None:
    ids = start_workflow(registered, "Waits", "1", "t", client=client)
    pauses: list[float] = []
    with pytest.raises(WorkflowWaitTimedOut, match=r"still open after 0\.5 s"):
        wait_for_workflow(registered, ids["workflowId"], ids["runId"], client, timeout_s=0.5)
    with pytest.raises(swf.SwfError):
        wait_for_workflow(registered, ids["workflowId"], "other", client, sleep=pauses.append)
    assert pauses == []


def test_waiting_outlasts_troubles(proxy: FaultProxy, client: Any, domain: str, run_worker: RunWorker) -> None:
    run_worker(Steps)
    ids = start_workflow(domain, "Steps", "1", "t", input="3", client=client)
    through = swf.make_client(endpoint_url=proxy.url, attempts_max=1)
    proxy.times(2, FAILED, "DescribeWorkflowExecution")
    status = wait_for_workflow(domain, ids["workflowId"], ids["runId"], through, timeout_s=30)
    assert status.result == "3"
    assert proxy.harmed == 2


def test_terminate_cuts_what_is_too_long(client: Any, registered: str) -> None:
    ids = start_workflow(registered, "Waits", "1", "t", client=client)
    terminate_workflow(registered, ids["workflowId"], reason="ü" * 300, details="d" * 40_000, client=client)
    status = get_workflow_status(registered, ids["workflowId"], ids["runId"], client)
    assert status is not None
    assert status.close_status == "TERMINATED"
    assert status.failure_reason is None
    assert status.exit_event is not None
    attributes = status.exit_event["workflowExecutionTerminatedEventAttributes"]
    assert attributes["reason"].endswith("...[cut]")
    assert (len(attributes["reason"]), len(attributes["details"])) == (256, 32_768)


def test_cancel_reaches_the_workflow(client: Any, domain: str, run_worker: RunWorker) -> None:
    worker = run_worker(Waits)
    ids = start_workflow(domain, "Waits", "1", "t", client=client)
    eventually(lambda: worker.cached_executions() == 1)
    cancel_workflow(domain, ids["workflowId"], client=client)
    status = wait_for_workflow(domain, ids["workflowId"], ids["runId"], client, timeout_s=30)
    assert status.close_status == "CANCELED"


def test_signals_and_cancels_of_nothing(client: Any, registered: str) -> None:
    with pytest.raises(swf.UnknownResource):
        signal_workflow(registered, "nothing", "go", client=client)
    with pytest.raises(swf.UnknownResource):
        cancel_workflow(registered, "nothing", client=client)
    with pytest.raises(swf.UnknownResource):
        terminate_workflow(registered, "nothing", client=client)
