"""Several domains, task lists, hosts and workers; what a host tells of itself; supervised workers that misbehave."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sys
import urllib.parse
import urllib.request

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from host_rig import HERE, Process, Rig, wait_for
from pyflow_api.v1 import activity_host_pb2 as host_pb
from pyflow_api.v1 import activity_host_pb2_grpc as host_grpc
from pyflow_api.v1 import worker_pb2 as pb
from pyflow_host.main import main
from raw_worker import RawWorker

SERVICE = "pyflow_api.v1.ActivityHostService"


def describe(rig: Rig) -> host_pb.DescribeHostResponse:
    with grpc.insecure_channel(rig.address) as channel:
        stub = host_grpc.ActivityHostServiceStub(channel)  # type: ignore[no-untyped-call]
        described: host_pb.DescribeHostResponse = stub.DescribeHost(host_pb.DescribeHostRequest(), wait_for_ready=True)
        return described


def test_several_domains_and_task_lists_on_one_host(rig: Rig) -> None:
    second = f"{rig.domain}-2"
    rig.register(second)
    rig.host("--domain", second)
    pids = {}
    places = [(rig.domain, "tl"), (rig.domain, "other"), (second, "tl")]
    for domain, task_list in places:
        options = ("--host", rig.address, "--domain", domain, "--task-list", task_list)
        worker = rig.process("pyflow_activity", "activities_for_tests", *options)
        worker.line_with("Connected to the host")
        pids[domain, task_list] = worker.pid
    for domain, task_list in places:
        wait_for(lambda domain=domain: registered(rig, domain), "the registration")
        run = rig.run(domain)
        run.schedule("facts", taskList={"name": task_list})
        assert json.loads(run.end()[1]["result"])["pid"] == pids[domain, task_list]
    assert describe(rig).domains == [rig.domain, second]


def registered(rig: Rig, domain: str) -> bool:
    kinds = rig.client.list_activity_types(domain=domain, registrationStatus="REGISTERED", name="grandchild")
    return bool(kinds["typeInfos"])


def test_domain_the_host_does_not_serve_is_refused_for_good(rig: Rig) -> None:
    rig.host()
    options = ("--host", rig.address, "--domain", "elsewhere", "--task-list", "tl")
    worker = rig.process("pyflow_activity", "activities_for_tests", *options)
    assert worker.wait() == 1
    assert "does not serve the domain 'elsewhere'" in worker.output


def test_type_that_swf_refuses_keeps_nobody_waiting(rig: Rig) -> None:
    host = rig.host()
    with RawWorker(rig.address) as odd:
        # As many characters as the contract allows, and twice as many as SWF does, which counts UTF-16 units.
        odd.hello("odd", activity_types=[pb.ActivityType(name="\N{OWL}" * 256, version="1.0")])
        assert odd.hear().HasField("welcome")
        host.line_with("cannot be registered, and no workflow can use it")
        rig.worker()
        run = rig.run()
        run.schedule("add", "1")
        assert run.end()[1]["result"] == '{"sum":2}'


def test_two_hosts_on_one_task_list_share_it_and_either_can_go(rig: Rig) -> None:
    hosts, addresses = [], [rig.address, f"unix:{rig.path('second.sock')}"]
    for address in addresses:
        hosts.append(rig.host(listen=address))
        options = ("--host", address, "--task-list", "tl", "--slots", "1")
        rig.process("pyflow_activity", "activities_for_tests", *options).line_with("Connected to the host")
    wait_for(rig.is_registered, "the registration")
    runs = []
    for number in range(2):
        run = rig.run()
        run.schedule("hold", json.dumps({"path": str(rig.path(str(number)))}))
        wait_for(rig.path(f"{number}.begun").exists, "the activity")
        runs.append(run)
    assert rig.path("0.pid").read_text() != rig.path("1.pid").read_text()
    hosts[0].kill()
    for number in range(2):
        rig.path(f"{number}.go").write_text("")
    again = rig.host(listen=addresses[0])
    again.line_with("Connected: ")
    assert [run.end()[1]["result"] for run in runs] == ['"went on"'] * 2


def test_health_reflection_and_description(rig: Rig) -> None:
    rig.host()
    rig.worker("--slots", "5")
    with grpc.insecure_channel(rig.address) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        for service in ("", SERVICE):
            answer = health.Check(health_pb2.HealthCheckRequest(service=service))
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        listed = next(iter(stub.ServerReflectionInfo(iter([request])))).list_services_response.service
        assert SERVICE in {service.name for service in listed}
    described = describe(rig)
    worker = described.workers[0]
    assert (worker.language, worker.domain, worker.task_list) == ("python", rig.domain, "tl")
    assert (worker.credits, worker.tasks_held) == (5, 0)
    assert "add" in {kind.name for kind in worker.activity_types}
    assert described.ledger.polls_opened == 5
    assert not described.draining


def metrics_of(host: Process) -> str:
    url = host.line_with("Metrics: ").removeprefix("Metrics: ")
    with urllib.request.urlopen(url, timeout=60) as answer:
        told: str = answer.read().decode()
        return told


@pytest.mark.parametrize("address", ["127.0.0.1:0", "[::1]:0"])
def test_metrics(rig: Rig, address: str) -> None:
    host = rig.host("--metrics", address)
    rig.worker()
    run = rig.run()
    run.schedule("add", "1")
    run.end()
    wait_for(lambda: "pyflow_host_tasks_reported_total 1.0" in metrics_of(host), "the task in the metrics")
    assert 'pyflow_host_workers{language="python"} 1.0' in metrics_of(host)
    assert "pyflow_host_tasks_lost_total 0.0" in metrics_of(host)


def test_connection_that_asks_for_no_metrics_holds_up_neither_others_nor_the_end(rig: Rig) -> None:
    host = rig.host("--metrics", "127.0.0.1:0")
    url = urllib.parse.urlsplit(host.line_with("Metrics: ").removeprefix("Metrics: "))
    with socket.create_connection((url.hostname, url.port)):
        assert "pyflow_host_tasks_lost_total 0.0" in metrics_of(host)
        host.signal(signal.SIGTERM)
        assert host.wait() == 0


def config(rig: Rig, text: str) -> str:
    path = rig.path("host.toml")
    path.write_text(text)
    return str(path)


def worker_table(extra: str = "", command: str = "") -> str:
    words = [sys.executable, "-m", "pyflow_activity", "activities_for_tests", "--task-list", "tl"]
    return f'[[worker]]\ncommand = {command or json.dumps(words)}\ndirectory = "{HERE}"\n{extra}\n'


def test_config_with_several_workers_and_their_environment(rig: Rig) -> None:
    file = config(rig, worker_table('name = "mine"\ncount = 2\nenv = {PYFLOW_SLOTS = "3"}'))
    host = rig.host("--config", file, env={"PYFLOW_TOKEN_KEY": "c2VjcmV0IGtleSBvZiB0aGUgdGVzdHMgMzIgYnl0ZXM="})
    host.line_with("[mine-1] ")
    host.line_with("[mine-2] ")
    wait_for(lambda: [worker.credits for worker in describe(rig).workers] == [3, 3], "both workers with three slots")
    assert "token.key" not in os.listdir(rig.directory)
    for pid in children_of(host):
        with open(f"/proc/{pid}/environ") as environ:
            assert "PYFLOW_TOKEN_KEY" not in environ.read()


def test_config_names_the_task_list_domain_and_slots_of_a_worker(rig: Rig) -> None:
    command = json.dumps([sys.executable, "-m", "pyflow_activity", "activities_for_tests"])
    extra = f'task_list = "from-config"\ndomain = "{rig.domain}"\nslots = 5\nrestart_backoff_first_s = 0.1'
    rig.host("--config", config(rig, worker_table(extra, command)))
    wait_for(lambda: [worker.task_list for worker in describe(rig).workers] == ["from-config"], "the worker")
    wait_for(lambda: [worker.credits for worker in describe(rig).workers] == [5], "its slots")
    assert describe(rig).workers[0].domain == rig.domain


def children_of(host: Process) -> list[int]:
    with open(f"/proc/{host.pid}/task/{host.pid}/children") as children:
        found = [int(pid) for pid in children.read().split()]
    for task in os.listdir(f"/proc/{host.pid}/task"):
        with open(f"/proc/{host.pid}/task/{task}/children") as children:
            found += [int(pid) for pid in children.read().split()]
    assert found
    return found


def test_crash_loop_backs_off_and_is_visible(rig: Rig) -> None:
    extra = 'name = "broken"\nrestart_backoff_first_s = 0.05\nrestart_backoff_max_s = 0.1'
    command = json.dumps([sys.executable, "-c", "print('I fail'); raise SystemExit(3)"])
    host = rig.host("--config", config(rig, worker_table(extra, command)), "--metrics", "127.0.0.1:0")
    host.line_with("[broken-1] I fail")
    host.line_with("ended by itself with code 3")
    host.line_with("end number 3 in a row")
    counted = re.search(r'pyflow_host_worker_ends_total\{worker="broken-1"\} (\d+)', metrics_of(host))
    assert counted is not None
    assert int(counted[1]) >= 3


def test_command_is_looked_for_in_the_folder_of_the_configuration(rig: Rig) -> None:
    script = rig.path("run-worker")
    script.write_text("#!/bin/sh\necho here\nexec sleep 300\n")
    script.chmod(0o755)
    host = rig.host("--config", config(rig, '[[worker]]\nname = "near"\ncommand = "./run-worker"'))
    host.line_with("[near-1] here")


def test_worker_that_cannot_even_be_started_is_tried_again(rig: Rig) -> None:
    folder = rig.path("mounted")
    folder.mkdir()
    table = f'[[worker]]\nname = "away"\ncommand = "true"\ndirectory = "{folder}"\nrestart_backoff_first_s = 0.2'
    host = rig.host("--config", config(rig, table))
    host.line_with("ended by itself with code 0")
    folder.rmdir()
    host.line_with(f"Worker away-1 (true) cannot be started: No such file or directory: {folder}")
    folder.mkdir()
    wait_for(lambda: host.lines[-1].count("ended by itself with code 0"), "another start")


def test_daemon_that_a_worker_left_does_not_keep_it_from_being_started_again(rig: Rig) -> None:
    program = (
        "import subprocess; left = subprocess.Popen(['sleep', '300'], start_new_session=True); "
        "print('left', left.pid, flush=True)"
    )
    command = json.dumps([sys.executable, "-c", program])
    host = rig.host("--config", config(rig, worker_table('name = "loose"', command)))
    try:
        host.line_with("ended by itself with code 0")
        wait_for(lambda: len(daemons(host)) > 1, "another start")
    finally:
        host.signal(signal.SIGTERM)
        host.wait()
        for pid in daemons(host):
            os.kill(pid, signal.SIGKILL)


def daemons(host: Process) -> list[int]:
    return [int(line.split()[-1]) for line in host.output.splitlines() if line.startswith("[loose-1] left ")]


def test_worker_over_its_memory_limit_is_killed(rig: Rig) -> None:
    program = "import time; keep = bytearray(200 << 20); print('big', flush=True); time.sleep(60)"
    command = json.dumps([sys.executable, "-c", program])
    host = rig.host("--config", config(rig, worker_table('name = "fat"\nmemory_limit = "50 MiB"', command)))
    host.line_with("more than its memory limit of 52428800")
    host.line_with("ended by itself with code 137")


def test_host_asked_to_stop_stops_its_workers_and_their_children(rig: Rig) -> None:
    command = json.dumps(["sh", "-c", "trap '' TERM; sleep 300 & echo child $!; wait; sleep 300"])
    options = ("--config", config(rig, worker_table('name = "deaf"', command)), "--drain-timeout", "0.2")
    host = rig.host(*options)
    child = int(host.line_with("[deaf-1] child ").rpartition(" ")[2])
    host.signal(signal.SIGTERM)
    assert host.wait() == 0
    assert "did not end in time and are killed" in host.output
    wait_for(lambda: not os.path.exists(f"/proc/{child}"), "the end of the child")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("domains = 5", "domains must be a list of texts, not 5"),
        ("unknown = 1", "unknown is not known"),
        ("ping_interval_s = true", "ping_interval_s must be a number"),
        ("polls_of_list_max = 1.5", "polls_of_list_max must be a whole number"),
        ("heartbeats_per_s = 0", "must be above 0"),
        ("polls_of_list_max = 2000", "SWF takes 1 to 1,000"),
        ("[tls]\ncert_file = 'x'", "tls.key_file is missing"),
        ("[[worker]]\nname = 'x'", "worker[0].command must be"),
        ("[[worker]]\ncommand = 'true'\nmemory_limit = 'much'", "spell it like 512 MiB"),
        ("[[worker]]\ncommand = 'true'\nenv = {A = 1}", "env must have texts"),
        ("[[worker]]\ncommand = 'true'\ncount = 0", "count must be 1 or more"),
        ("[[worker]]\ncommand = 'true'\nslots = 0", "slots must be 1 or more"),
        ("[[worker]]\ncommand = 'true'\ndirectory = '/not/there'", "'/not/there' is not there"),
        ("[[worker]]\ncommand = './not-there'", "'./not-there' is not found"),
        ("streams_max = 0", "must be 1 or more"),
        ("[worker]\ncommand = 'true'", "with two brackets"),
        ("not toml", "is not TOML"),
    ],
)
def test_configuration_that_cannot_be_used(
    text: str, says: str, rig: Rig, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SWF", rig.endpoint)
    assert main(["--domain", rig.domain, "--listen", rig.address, "--config", config(rig, text)]) == 2
    told = capsys.readouterr().err
    assert says in told
    assert len(told.strip().splitlines()) == 1
