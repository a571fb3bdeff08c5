"""Host and Python worker as processes against the embedded SWF: results, failures, cancel, progress, kills."""

from __future__ import annotations

import json
import os
import signal

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from host_rig import Rig, wait_for
from pyflow_activity import HostClient


def test_result_with_keyword_arguments(rig: Rig) -> None:
    rig.host()
    rig.worker()
    run = rig.run()
    run.schedule("add", '{"a": 40, "b": 2}')
    assert run.end() == ("Completed", {"result": '{"sum":42}', "scheduledEventId": 5, "startedEventId": 6})


def test_inputs_of_all_kinds_come_back_as_they_were(rig: Rig) -> None:
    rig.host()
    rig.worker()
    for given in ['"ü😀"', "9223372036854775807", "1.5", "null", "[1,[2,[3]]]", '{"x":{"y":null}}', "{}", "true"]:
        run = rig.run()
        run.schedule("echo", given)
        assert run.end()[1]["result"] == given
    run = rig.run()
    run.schedule("echo")
    assert run.end()[1]["result"] == '"nothing"', "no input calls without arguments"


def test_failure_with_its_cause(rig: Rig) -> None:
    rig.host()
    rig.worker()
    run = rig.run()
    run.schedule("refuses", '{"n": 3}')
    kind, attributes = run.end()
    assert (kind, attributes["reason"]) == ("Failed", "Refused")
    told = json.loads(attributes["details"])
    assert (told["message"], told["details"], told["non_retryable"], told["next_retry_delay_s"]) == (
        "no luck",
        {"n": 3},
        True,
        1.5,
    )
    assert told["source_language"] == "python"
    assert "in refuses" in told["stack_trace"]
    assert "running.py" not in told["stack_trace"], "the SDK's own frames tell the author nothing"
    assert told["cause"]["type"] == "ValueError"
    assert "invalid literal" in told["cause"]["message"]


def test_what_cannot_be_passed_is_a_typed_failure(rig: Rig) -> None:
    rig.host()
    rig.worker()
    cases = [
        ("add", '{"a": 1, "c": 2}', "pyflow.BadArguments", "a"),
        ("add", "not json", "pyflow.BadInput", "not JSON"),
        ("too_large", None, "pyflow.ResultTooLarge", "40002"),
        ("not_a_number", None, "pyflow.BadResult", "$.list[1] is nan"),
    ]
    for activity, given, reason, says in cases:
        run = rig.run()
        run.schedule(activity, given)
        if activity == "add" and given and given.startswith("{"):
            # one parameter may be left out, so the object is the single argument: it fails in the addition
            assert run.end()[1]["reason"] == "TypeError"
            continue
        kind, attributes = run.end()
        assert (kind, attributes["reason"]) == ("Failed", reason)
        told = json.loads(attributes["details"])
        assert says in told["message"]
        assert told["non_retryable"] is True


def test_activity_knows_its_attempt_and_what_the_one_before_told(rig: Rig) -> None:
    rig.host()
    worker = rig.worker()
    run = rig.run()
    run.schedule("hold", json.dumps({"path": str(rig.path("a")), "progress": {"at": 7}}))
    wait_for(rig.path("a.begun").exists, "the first attempt")
    worker.kill()
    kind, attributes = run.end()
    assert (kind, attributes["reason"]) == ("Failed", "pyflow.WorkerLost")
    assert json.loads(attributes["details"])["last_progress"] == {"at": 7}
    rig.worker()
    run.schedule("facts", id="activity1.attempt2", heartbeatTimeout="20", startToCloseTimeout="33")
    told = json.loads(run.end(2)[1]["result"])
    assert (told["attempt"], told["key"], told["last_progress"]) == (2, "activity1", {"at": 7})
    assert 0 < told["time_left_s"] <= 33


def test_progress_of_an_attempt_that_timed_out_reaches_the_next(rig: Rig) -> None:
    rig.host()
    rig.worker()
    run = rig.run()
    run.schedule("hold", json.dumps({"path": str(rig.path("a")), "progress": [1, 2]}), startToCloseTimeout="2")
    kind, attributes = run.end()
    assert (kind, attributes["timeoutType"], attributes["details"]) == ("TimedOut", "START_TO_CLOSE", "[1,2]")
    run.schedule("facts", id="activity1.attempt2")
    assert json.loads(run.end(2)[1]["result"])["last_progress"] == [1, 2]
    rig.path("a.go").write_text("")


def test_cancel_reaches_an_activity_that_never_heartbeats(rig: Rig) -> None:
    rig.host()
    rig.worker()
    for activity in ("until_canceled", "canceled_async"):
        run = rig.run()
        run.schedule(activity, json.dumps({"path": str(rig.path(activity))}))
        wait_for(rig.path(f"{activity}.begun").exists, "the activity")
        run.cancel()
        kind, attributes = run.end()
        assert kind == "Canceled"
        assert attributes.get("details") == ('{"reason":"REQUESTED"}' if activity == "until_canceled" else None)


def test_killed_worker_is_reported_within_the_grace_and_the_log_names_the_task(rig: Rig) -> None:
    host = rig.host(env={"PYFLOW_LOG_FORMAT": "json"})
    worker = rig.worker()
    run = rig.run()
    run.schedule("hold", json.dumps({"path": str(rig.path("a"))}))
    wait_for(rig.path("a.begun").exists, "the activity")
    worker.kill()
    assert run.end()[1]["reason"] == "pyflow.WorkerLost"
    told = json.loads(host.line_with("is reported as pyflow.WorkerLost"))
    assert (told["level"], told["activity_id"], told["activity"]) == ("WARNING", "activity1", "hold/1.0")
    assert {"workflowId": told["workflow_id"], "runId": told["run_id"]} == run.execution


def test_stopped_worker_is_noticed(rig: Rig) -> None:
    host = rig.host("--ping-interval", "0.3")
    worker = rig.worker()
    run = rig.run()
    run.schedule("hold", json.dumps({"path": str(rig.path("a"))}))
    wait_for(rig.path("a.begun").exists, "the activity")
    worker.signal(signal.SIGSTOP)
    try:
        host.line_with("is silent and given up")
        assert run.end()[1]["reason"] == "pyflow.WorkerLost"
    finally:
        worker.signal(signal.SIGCONT)
    worker.line_with("no longer wanted by the host")
    rig.path("a.go").write_text("")
    other = rig.run()
    other.schedule("add", "1")
    assert other.end()[1]["result"] == '{"sum":2}', "it works on"


def test_host_killed_and_started_again_reports_what_ran_and_what_ended_meanwhile(rig: Rig) -> None:
    host = rig.host()
    worker = rig.worker()
    runs = []
    for name in ("running", "ended"):
        run = rig.run()
        run.schedule("hold", json.dumps({"path": str(rig.path(name))}), heartbeatTimeout="30")
        wait_for(rig.path(f"{name}.begun").exists, name)
        runs.append(run)
    host.kill()
    worker.line_with("Disconnected from the host")
    rig.path("ended.go").write_text("")
    again = rig.host()
    again.line_with("resuming 2 tasks")
    assert runs[1].end()[1]["result"] == '"went on"'
    rig.path("running.go").write_text("")
    assert runs[0].end()[1]["result"] == '"went on"'
    assert [event["eventType"] for event in runs[0].events()].count("ActivityTaskScheduled") == 1


def test_worker_asked_to_stop_finishes_what_runs_and_takes_nothing_new(rig: Rig) -> None:
    host = rig.host()
    worker = rig.worker("--slots", "3")
    runs = []
    for number in range(3):
        run = rig.run()
        run.schedule("hold", json.dumps({"path": str(rig.path(str(number)))}))
        wait_for(rig.path(f"{number}.begun").exists, str(number))
        runs.append(run)
    worker.signal(signal.SIGTERM)
    host.line_with("drains: 3 tasks left")
    other = rig.worker()
    late = rig.run()
    late.schedule("facts")
    assert json.loads(late.end()[1]["result"])["pid"] == other.pid
    for number in range(3):
        rig.path(f"{number}.go").write_text("")
    assert worker.wait() == 0
    assert [run.end()[1]["result"] for run in runs] == ['"went on"'] * 3


def test_host_asked_to_stop_waits_its_poll_out_and_loses_nothing(rig: Rig) -> None:
    host = rig.host()
    worker = rig.worker("--slots", "1")
    first = rig.run()
    first.schedule("add", "1")
    assert first.end()[1]["result"] == '{"sum":2}'
    host.signal(signal.SIGTERM)
    host.line_with("Draining: no new polls; 1 polls are waited out")
    with grpc.insecure_channel(rig.address) as channel:
        health = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
        assert health.status == health_pb2.HealthCheckResponse.NOT_SERVING, "load balancers send nobody new"
    host.signal(signal.SIGTERM)
    host.line_with("polls are still waited out")
    last = rig.run()
    last.schedule("add", "2")  # the open poll brings it; a host that dropped its poll would lose it
    assert last.end()[1]["result"] == '{"sum":3}'
    assert host.wait() == 0
    assert "2 tasks received, 0 resumed, 2 dispatched, 2 reported, 0 gone, 0 lost; balanced." in host.output
    worker.line_with("HOST_DRAINING")
    assert not rig.path("h.sock").exists()


def test_type_that_nobody_serves_fails_at_once(rig: Rig) -> None:
    rig.host()
    rig.worker()
    rig.client.register_activity_type(domain=rig.domain, name="unknown", version="1.0")
    run = rig.run()
    run.schedule("unknown")
    kind, attributes = run.end()
    assert (kind, attributes["reason"]) == ("Failed", "pyflow.NoWorker")
    message = json.loads(attributes["details"])["message"]
    assert "'unknown' version '1.0'" in message
    assert "add/1.0 (python)" in message


def test_type_registered_with_other_defaults_is_said(rig: Rig) -> None:
    rig.client.register_activity_type(
        domain=rig.domain,
        name="add",
        version="1.0",
        defaultTaskStartToCloseTimeout="5",
        defaultTaskHeartbeatTimeout="10",
    )
    host = rig.host()
    rig.worker()
    line = host.line_with("is registered on SWF with other defaults")
    assert "start_to_close is 5 (worker: 60)" in line
    assert "heartbeat" not in line


def test_result_that_comes_later_from_elsewhere(rig: Rig) -> None:
    rig.host()
    rig.worker("--slots", "1")
    run = rig.run()
    run.schedule("later", json.dumps({"path": str(rig.path("a"))}), heartbeatTimeout="3")
    wait_for(rig.path("a.begun").exists, "the activity")
    other = rig.run()
    other.schedule("add", "1")
    assert other.end()[0] == "Completed", "the slot is free"
    token = rig.path("a.token").read_text()
    with HostClient(rig.address) as client:
        assert client.progress(token, {"asked": True}) is False
        run.cancel()
        wait_for(lambda: client.progress(token), "the cancel")
        assert client.complete(token, {"by": "a person"}) == "REPORTED"
        assert client.complete(token, 2) == "DUPLICATE"
        forged = token[:60] + ("A" if token[60] != "A" else "B") + token[61:]
        assert client.complete(forged, 1) == "REFUSED"
    assert run.end()[1]["result"] == '{"by":"a person"}'


def test_supervised_workers(rig: Rig) -> None:
    command = f"{os.sys.executable} -m pyflow_activity activities_for_tests --task-list tl"  # type: ignore[attr-defined]
    host = rig.host("--worker", command, "--worker", command)
    host.line_with("[python-1]")
    host.line_with("[python-2]")
    for number in (1, 2):
        wait_for(
            lambda number=number: any(
                f"[python-{number}]" in line and "Connected" in line for line in list(host.lines)
            ),
            "the worker",
        )
    wait_for(rig.is_registered, "the registration of the activity types")
    run = rig.run()
    run.schedule("hold", json.dumps({"path": str(rig.path("a"))}))
    wait_for(rig.path("a.begun").exists, "the activity")
    os.kill(int(rig.path("a.pid").read_text()), signal.SIGKILL)
    assert run.end()[1]["reason"] == "pyflow.WorkerLost"
    host.line_with("ended by itself with code 137")
    run.schedule("grandchild", json.dumps({"path": str(rig.path("g"))}), id="activity1.attempt2")
    left = json.loads(run.end(2)[1]["result"])
    host.kill()
    wait_for(lambda: not _runs(left), f"the end of the grandchild {left} of\n{host.output}")


def _runs(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
