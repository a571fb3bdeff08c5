"""All 39 operations over boto3, unmodified: every answer is held against the model's output shapes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from local_swf_driver import TIMEOUTS, decision
from local_swf_server import RunningServer
from local_swf_shapes import MODEL, check_answer

WF = {"name": "wf", "version": "1"}
ACT = {"name": "act", "version": "1"}
DEFAULTS = {
    "defaultTaskList": {"name": "tl"},
    "defaultExecutionStartToCloseTimeout": "3600",
    "defaultTaskStartToCloseTimeout": "NONE",
    "defaultChildPolicy": "ABANDON",
    "defaultTaskPriority": "3",
    "defaultLambdaRole": "arn:aws:iam::123456789012:role/r",
}
ACTIVITY_DEFAULTS = {
    "defaultTaskList": {"name": "al"},
    "defaultTaskPriority": "-4",
    **{f"defaultTask{kind}Timeout": "NONE" for kind in TIMEOUTS},
}


class Checked:
    """A boto3 client that notes which operations were answered and checks each answer's raw body."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.seen: set[str] = set()
        client.meta.events.register("after-call.swf", self._after)

    def _after(self, http_response: Any, model: Any, **_: Any) -> None:
        if http_response.status_code == 200:
            content = http_response.content
            check_answer(model.name, json.loads(content) if content else b"")
            self.seen.add(model.name)
        assert http_response.headers["x-amzn-RequestId"]
        assert http_response.headers["Content-Type"] == "application/x-amz-json-1.0"

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)


@pytest.fixture
def swf(shared_server: RunningServer) -> Checked:
    return Checked(shared_server.new_client())


def register(swf: Checked, domain: str) -> None:
    swf.register_domain(
        name=domain,
        description="text",
        workflowExecutionRetentionPeriodInDays="7",
        tags=[{"key": "k", "value": "v"}, {"key": "bare"}],
    )
    swf.register_workflow_type(domain=domain, **WF, description="a workflow", **DEFAULTS)
    swf.register_activity_type(domain=domain, **ACT, description="an activity", **ACTIVITY_DEFAULTS)


def use_domains_and_types(swf: Checked, domain: str) -> None:
    register(swf, domain)
    arn = swf.describe_domain(name=domain)["domainInfo"]["arn"]
    assert arn == f"arn:aws:swf:us-east-1:123456789012:/domain/{domain}"
    swf.tag_resource(resourceArn=arn, tags=[{"key": "k", "value": "w"}])
    swf.untag_resource(resourceArn=arn, tagKeys=["bare", "unknown"])
    assert swf.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "k", "value": "w"}]
    assert domain in [d["name"] for d in swf.list_domains(registrationStatus="REGISTERED")["domainInfos"]]
    assert swf.describe_workflow_type(domain=domain, workflowType=WF)["configuration"] == DEFAULTS
    assert swf.describe_activity_type(domain=domain, activityType=ACT)["configuration"] == ACTIVITY_DEFAULTS
    assert len(swf.list_workflow_types(domain=domain, registrationStatus="REGISTERED")["typeInfos"]) == 1
    assert len(swf.list_activity_types(domain=domain, registrationStatus="REGISTERED", name="act")["typeInfos"]) == 1


def run_an_execution(swf: Checked, domain: str) -> dict[str, str]:
    run_id = swf.start_workflow_execution(
        domain=domain, workflowId="w", workflowType=WF, input="in", tagList=["a", "b"]
    )["runId"]
    execution = {"workflowId": "w", "runId": run_id}
    assert swf.count_pending_decision_tasks(domain=domain, taskList={"name": "tl"})["count"] == 1
    task = swf.poll_for_decision_task(domain=domain, taskList={"name": "tl"}, identity="me")
    schedule = [decision("ScheduleActivityTask", activityType=ACT, activityId=f"a{n}") for n in range(3)]
    swf.respond_decision_task_completed(taskToken=task["taskToken"], decisions=schedule, executionContext="context")
    assert swf.count_pending_activity_tasks(domain=domain, taskList={"name": "al"})["count"] == 3
    tokens = [
        swf.poll_for_activity_task(domain=domain, taskList={"name": "al"}, identity="me")["taskToken"] for _ in range(3)
    ]
    assert swf.record_activity_task_heartbeat(taskToken=tokens[0], details="x")["cancelRequested"] is False
    swf.respond_activity_task_completed(taskToken=tokens[0], result="r")
    swf.respond_activity_task_failed(taskToken=tokens[1], reason="r", details="d")
    swf.respond_activity_task_canceled(taskToken=tokens[2], details="d")
    swf.signal_workflow_execution(domain=domain, workflowId="w", signalName="s", input="i")
    swf.request_cancel_workflow_execution(domain=domain, workflowId="w", runId=run_id)
    detail = swf.describe_workflow_execution(domain=domain, execution=execution)
    assert detail["executionInfo"]["cancelRequested"] is True
    assert detail["latestExecutionContext"] == "context"
    return execution


def look_and_close(swf: Checked, domain: str, execution: dict[str, str]) -> None:
    since = {"oldestDate": 0}
    assert swf.count_open_workflow_executions(domain=domain, startTimeFilter=since)["count"] == 1
    assert len(swf.list_open_workflow_executions(domain=domain, startTimeFilter=since)["executionInfos"]) == 1
    swf.terminate_workflow_execution(domain=domain, workflowId="w", reason="r", details="d")
    events = swf.get_workflow_execution_history(domain=domain, execution=execution)["events"]
    assert events[-1]["eventType"] == "WorkflowExecutionTerminated"
    assert swf.count_closed_workflow_executions(domain=domain, closeTimeFilter=since)["count"] == 1
    infos = swf.list_closed_workflow_executions(domain=domain, startTimeFilter=since)["executionInfos"]
    assert infos[0]["closeStatus"] == "TERMINATED"
    assert infos[0]["tagList"] == ["a", "b"]


def retire(swf: Checked, domain: str) -> None:
    swf.deprecate_activity_type(domain=domain, activityType=ACT)
    swf.undeprecate_activity_type(domain=domain, activityType=ACT)
    swf.deprecate_activity_type(domain=domain, activityType=ACT)
    swf.delete_activity_type(domain=domain, activityType=ACT)
    swf.deprecate_workflow_type(domain=domain, workflowType=WF)
    swf.undeprecate_workflow_type(domain=domain, workflowType=WF)
    swf.deprecate_workflow_type(domain=domain, workflowType=WF)
    assert "deprecationDate" in swf.describe_workflow_type(domain=domain, workflowType=WF)["typeInfo"]
    swf.delete_workflow_type(domain=domain, workflowType=WF)
    swf.deprecate_domain(name=domain)
    assert swf.describe_domain(name=domain)["domainInfo"]["status"] == "DEPRECATED"
    swf.undeprecate_domain(name=domain)


def test_all_39_operations(swf: Checked) -> None:
    use_domains_and_types(swf, "all")
    execution = run_an_execution(swf, "all")
    look_and_close(swf, "all", execution)
    retire(swf, "all")
    assert swf.seen == set(MODEL.operation_names)


def code_of(swf: Checked, operation: str, **members: Any) -> tuple[str, str]:
    with pytest.raises(swf.client.exceptions.ClientError) as caught:
        getattr(swf, operation)(**members)
    error = caught.value.response["Error"]
    return error["Code"], error.get("Message", "")


def test_faults_of_domains_and_types(swf: Checked) -> None:
    register(swf, "faults")
    wf_text, act_text = "WorkflowType=[name=wf, version=1]", "ActivityType=[name=act, version=1]"
    nope = {"name": "nope", "version": "2"}
    at = {"domain": "faults"}
    expected = [
        ("register_domain", {"name": "faults", "workflowExecutionRetentionPeriodInDays": "1"},
         "DomainAlreadyExistsFault", "faults"),
        ("undeprecate_domain", {"name": "faults"}, "DomainAlreadyExistsFault", "faults"),
        ("describe_domain", {"name": "nope"}, "UnknownResourceFault", "Unknown domain: nope"),
        ("register_workflow_type", {**at, **WF}, "TypeAlreadyExistsFault", wf_text),
        ("register_activity_type", {**at, **ACT}, "TypeAlreadyExistsFault", act_text),
        ("undeprecate_workflow_type", {**at, "workflowType": WF}, "TypeAlreadyExistsFault", wf_text),
        ("undeprecate_activity_type", {**at, "activityType": ACT}, "TypeAlreadyExistsFault", act_text),
        ("delete_workflow_type", {**at, "workflowType": WF}, "TypeNotDeprecatedFault",
         "The type is currently registered and cannot be deleted in its current state"),
        ("describe_workflow_type", {**at, "workflowType": nope}, "UnknownResourceFault",
         "Unknown type: WorkflowType=[name=nope, version=2]"),
        ("describe_activity_type", {**at, "activityType": nope}, "UnknownResourceFault",
         "Unknown type: ActivityType=[name=nope, version=2]"),
        ("list_tags_for_resource", {"resourceArn": "arn:nope"}, "UnknownResourceFault", "Unknown resource: arn:nope"),
        ("poll_for_decision_task", {"domain": "nope", "taskList": {"name": "x"}}, "UnknownResourceFault",
         "Unknown domain: nope"),
    ]  # fmt: skip
    for operation, members, code, message in expected:
        assert code_of(swf, operation, **members) == (code, message), operation
    swf.deprecate_workflow_type(**at, workflowType=WF)
    assert code_of(swf, "deprecate_workflow_type", **at, workflowType=WF) == ("TypeDeprecatedFault", wf_text)
    swf.deprecate_domain(name="faults")
    assert code_of(swf, "deprecate_domain", name="faults") == ("DomainDeprecatedFault", "faults")
    assert code_of(swf, "register_activity_type", **at, name="n", version="1")[0] == "DomainDeprecatedFault"
    activity = swf.describe_activity_type(**at, activityType=ACT)
    assert activity["typeInfo"]["status"] == "DEPRECATED"
