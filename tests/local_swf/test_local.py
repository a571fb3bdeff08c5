"""LocalSwf: boto3 without a socket, threads, a clock of one's own; histories out and in."""

from __future__ import annotations

import json
import threading
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import boto3
import pytest
from local_swf_checker import check_history
from local_swf_driver import decision
from local_swf_shapes import check_answer
from pyflow_local import LocalSwf, ManualClock
from pyflow_local.errors import BadHistory
from pyflow_local.transfer import export_history, read_history

WF = {"name": "wf", "version": "1"}
POLL = {"domain": "d", "taskList": {"name": "tl"}}


def prepare(swf: Any) -> None:
    swf.register_domain(name="d", workflowExecutionRetentionPeriodInDays="90")
    swf.register_workflow_type(
        domain="d", **WF, defaultTaskList={"name": "tl"}, defaultLambdaRole="arn:aws:iam::1:role/r",
        defaultExecutionStartToCloseTimeout="31536000", defaultTaskStartToCloseTimeout="60",
        defaultChildPolicy="ABANDON",
    )  # fmt: skip


def respond(swf: Any, task: dict, *decisions: dict) -> None:
    swf.respond_decision_task_completed(taskToken=task["taskToken"], decisions=list(decisions))


def test_a_year_in_a_moment() -> None:
    with LocalSwf(clock=ManualClock()) as local:
        swf = local.client()
        prepare(swf)
        run = swf.start_workflow_execution(domain="d", workflowId="w", workflowType=WF)["runId"]
        months = 12
        for n in range(months):
            task = swf.poll_for_decision_task(**POLL)
            respond(swf, task, decision("StartTimer", timerId=str(n), startToFireTimeout=str(30 * 86400)))
            assert "taskToken" not in swf.poll_for_decision_task(**POLL)
            assert local.skip_to_next()
        respond(swf, swf.poll_for_decision_task(**POLL), decision("CompleteWorkflowExecution"))
        execution = {"workflowId": "w", "runId": run}
        events = swf.get_workflow_execution_history(domain="d", execution=execution)["events"]
        check_history(events)
        took = events[-1]["eventTimestamp"] - events[0]["eventTimestamp"]
        assert took.total_seconds() == months * 30 * 86400


def test_advance_fires_everything_on_the_way_at_its_own_time() -> None:
    local = LocalSwf(clock=ManualClock())
    swf = local.client()
    prepare(swf)
    swf.start_workflow_execution(domain="d", workflowId="w", workflowType=WF)
    timers = [decision("StartTimer", timerId=s, startToFireTimeout=s) for s in ("30", "10", "20")]
    respond(swf, swf.poll_for_decision_task(**POLL), *timers)
    local.advance(25)
    events = swf.poll_for_decision_task(**POLL)["events"]
    begun = events[4]["eventTimestamp"]
    fired = [
        (e["timerFiredEventAttributes"]["timerId"], (e["eventTimestamp"] - begun).total_seconds())
        for e in events
        if e["eventType"] == "TimerFired"
    ]
    assert fired == [("10", 10), ("20", 20)]


def test_a_poll_waits_for_another_thread() -> None:
    with LocalSwf() as local:
        swf = local.client()
        prepare(swf)
        found: list[dict] = []
        thread = threading.Thread(target=lambda: found.append(local.client().poll_for_decision_task(**POLL)))
        thread.start()
        swf.start_workflow_execution(domain="d", workflowId="w", workflowType=WF)
        thread.join(10)
        assert found[0]["startedEventId"] == 3


def test_a_waiting_poll_lets_timers_fire() -> None:
    with LocalSwf() as local:
        swf = local.client()
        prepare(swf)
        swf.start_workflow_execution(domain="d", workflowId="w", workflowType=WF)
        timer = decision("StartTimer", timerId="t", startToFireTimeout="1")
        respond(swf, swf.poll_for_decision_task(**POLL), timer)
        kinds = [event["eventType"] for event in swf.poll_for_decision_task(**POLL)["events"]]
        assert "TimerFired" in kinds


def test_lambdas_in_process() -> None:
    def double(event: int) -> int:
        return event * 2

    def bad(event: object, context: Any) -> None:
        raise ValueError(context.function_name)

    local = LocalSwf(clock=ManualClock(), lambdas={"double": double, "bad": bad})
    swf = local.client()
    prepare(swf)
    swf.start_workflow_execution(domain="d", workflowId="w", workflowType=WF)
    calls = [decision("ScheduleLambdaFunction", id=name, name=name, input="21") for name in ("double", "bad", "nobody")]
    respond(swf, swf.poll_for_decision_task(**POLL), *calls)
    events = swf.poll_for_decision_task(**POLL)["events"]
    ends = [e for e in events if e["eventType"] in {"LambdaFunctionCompleted", "LambdaFunctionFailed"}]
    assert ends[0]["lambdaFunctionCompletedEventAttributes"]["result"] == "42"
    assert json.loads(ends[1]["lambdaFunctionFailedEventAttributes"]["details"])["errorMessage"] == "bad"
    assert ends[2]["lambdaFunctionFailedEventAttributes"]["reason"] == "ResourceNotFoundException"


def test_an_existing_client_and_a_file(tmp_path: Path) -> None:
    path = str(tmp_path / "swf.db")
    client = boto3.client("swf", region_name="eu-west-1", aws_access_key_id="k", aws_secret_access_key="s")
    with LocalSwf(path) as local:
        local.attach(client)
        prepare(client)
    with LocalSwf(path) as local:
        assert local.client().describe_domain(name="d")["domainInfo"]["status"] == "REGISTERED"


def test_errors_are_botocores() -> None:
    with LocalSwf() as local:
        swf = local.client()
        with pytest.raises(swf.exceptions.UnknownResourceFault, match="Unknown domain: nope"):
            swf.describe_domain(name="nope")


# --- histories out and in --------------------------------------------------------------------------------------


def a_history(local: LocalSwf) -> str:
    swf = local.client()
    prepare(swf)
    run = swf.start_workflow_execution(domain="d", workflowId="w", workflowType=WF, tagList=["t"])["runId"]
    respond(swf, swf.poll_for_decision_task(**POLL), decision("RecordMarker", markerName="m"))
    swf.signal_workflow_execution(domain="d", workflowId="w", signalName="s", input="\u00e9")
    respond(swf, swf.poll_for_decision_task(**POLL), decision("CompleteWorkflowExecution", result="r"))
    return export_history(swf, "d", "w", run)


def imported(text: str) -> tuple[dict, dict]:
    with LocalSwf(clock=ManualClock()) as other:
        swf = other.client()
        swf.register_domain(name="x", workflowExecutionRetentionPeriodInDays="1")
        run = other.import_history("x", "w", text)
        execution = {"workflowId": "w", "runId": run}
        history = swf.get_workflow_execution_history(domain="x", execution=execution)
        detail = swf.describe_workflow_execution(domain="x", execution=execution)
        listed = swf.list_closed_workflow_executions(
            domain="x", closeTimeFilter={"oldestDate": 0}, tagFilter={"tag": "t"}
        )
        assert [info["execution"] for info in listed["executionInfos"]] == [execution]
        return history, detail


def test_out_and_in() -> None:
    with LocalSwf(clock=ManualClock()) as local:
        text = a_history(local)
    events = json.loads(text)["events"]
    check_answer("GetWorkflowExecutionHistory", {"events": events})
    history, detail = imported(text)
    check_history(history["events"])
    found = [{**event, "eventTimestamp": event["eventTimestamp"].timestamp()} for event in history["events"]]
    assert found == events
    assert detail["executionInfo"]["closeStatus"] == "COMPLETED"
    assert detail["executionInfo"]["tagList"] == ["t"]


def test_in_from_the_second_cli_and_reversed_and_unfinished() -> None:
    with LocalSwf(clock=ManualClock()) as local:
        events = json.loads(a_history(local))["events"][:-2]
    for event in events:
        event["eventTimestamp"] = datetime.fromtimestamp(event["eventTimestamp"], timezone.utc).isoformat()
    history, detail = imported(json.dumps({"events": events[::-1]}))
    assert len(history["events"]) == len(events)
    assert detail["executionInfo"]["executionStatus"] == "OPEN"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON"),
        ("[]", "A history is"),
        ('{"events": []}', "at least one event"),
        ('{"events": [{"eventId": 2}]}', "Event 1 of the history is missing"),
        ('{"events": [{"eventId": 1, "eventType": "Nope"}]}', "SWF has no event type 'Nope'"),
        ('{"events": [{"eventId": 1, "eventType": "TimerFired"}]}', "a history begins with"),
        ('{"events": [{"eventId": 1, "eventType": "WorkflowExecutionStarted"}]}', "lacks its"),
        ('{"events": [{"eventId": 1, "eventType": "WorkflowExecutionStarted", '
         '"workflowExecutionStartedEventAttributes": {}}]}', "lacks workflowType"),
    ],
)  # fmt: skip
def test_what_is_no_history(text: str, message: str) -> None:
    with pytest.raises(BadHistory, match=message):
        read_history(text)
