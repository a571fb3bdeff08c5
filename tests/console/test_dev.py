"""`pyflow dev` as a process: its one line, its clean end, what it keeps, what it refuses."""

from __future__ import annotations

import http.client
import http.server
import json
import signal
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from console_processes import Ended, Running
from pyflow.swf import ensure_domain, make_client

SWF_DOMAINS_MAX = 100


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_prints_one_line_and_ends_cleanly(go: Callable[..., Running], number: int) -> None:
    swf = go("dev", "--port", "0", "--memory")
    url = swf.wait_for("SWF endpoint: ").split()[-1]
    make_client(endpoint_url=url).list_domains(registrationStatus="REGISTERED")
    ended = swf.end(number)
    assert (ended.code, ended.out) == (0, f"SWF endpoint: {url}\n")
    assert "Traceback" not in ended.err


def test_data_file_is_there_after_a_restart(go: Callable[..., Running], tmp_path: Path) -> None:
    arguments = ("dev", "--port", "0", "--data", str(tmp_path / "swf.db"))
    first = go(*arguments)
    ensure_domain(make_client(endpoint_url=first.wait_for("endpoint").split()[-1]), "kept")
    assert first.end().code == 0
    second = go(*arguments)
    client = make_client(endpoint_url=second.wait_for("endpoint").split()[-1])
    domains = client.list_domains(registrationStatus="REGISTERED")["domainInfos"]
    assert [domain["name"] for domain in domains] == ["kept"]


def test_keeps_everything_in_the_current_directory_unless_told_otherwise(
    go: Callable[..., Running], tmp_path: Path
) -> None:
    go("dev", "--port", "0", cwd=tmp_path).wait_for("SWF endpoint: ")
    assert (tmp_path / "pyflow-dev.db").exists()


def test_answers_only_what_is_signed_with_the_key(go: Callable[..., Running], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "right")
    swf = go("dev", "--port", "0", "--memory", "--require-sigv4", "AKIDEXAMPLE:right")
    url = swf.wait_for("SWF endpoint: ").split()[-1]
    make_client(endpoint_url=url).list_domains(registrationStatus="REGISTERED")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(ClientError, match="signature"):
        make_client(endpoint_url=url).list_domains(registrationStatus="REGISTERED")


def test_port_in_use(run: Callable[..., Ended]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        run("dev", "--memory", "--port", port).assert_told("in use", port, "--port")


def test_data_file_that_is_no_data_file(run: Callable[..., Ended], tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear SWF,\n" * 200, encoding="utf-8")
    run("dev", "--port", "0", "--data", str(path)).assert_told(str(path))
    assert path.read_text(encoding="utf-8").startswith("Dear SWF")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--port", "65536"], ["65536"]),
        (["--port", "http"], ["http"]),
        (["--lambda", "nameonly"], ["nameonly", "NAME=module:function"]),
        (["--lambda", "=a:b"], ["NAME=module:function"]),
        (["--lambda", "f=no_such_module:f"], ["no_such_module"]),
        (["--lambda", "f=console_flows:absent"], ["absent"]),
        (["--lambda", "f=json:loads", "--lambda", "f=json:dumps"], ["twice"]),
        (["--require-sigv4", "key-without-secret"], ["KEY:SECRET"]),
        (["--data", "x.db", "--memory"], ["--memory"]),
        (["--host", "0.0.0.0"], ["0.0.0.0", "--insecure"]),
        (["--lambda-endpoint", "ftp://x"], ["ftp://x", "http://"]),
        (["--poll-hold", "never"], ["never", "seconds"]),
        (["--deny", "RecordMarker"], ["'RecordMarker'", "swf:RecordMarker"]),
        (["--no-lambda", "--lambda", "f=json:loads"], ["--no-lambda contradicts"]),
    ],
)
def test_arguments_that_cannot_be(run: Callable[..., Ended], arguments: list[str], words: list[str]) -> None:
    where = [] if "--data" in arguments else ["--memory"]
    run("dev", *where, "--port", "0", *arguments).assert_told(*words)


# --- the options of the server -------------------------------------------------------------------------------------


def url_of(swf: Running) -> str:
    """Where it listens."""
    return swf.wait_for("SWF endpoint: ").split()[-1]


def client_of(url: str, key: str = "any", secret: str = "any") -> Any:
    """An unmodified boto3 client that tries once."""
    return boto3.client(
        "swf",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=Config(retries={"total_max_attempts": 1}),
    )


def test_signatures_can_be_required(go: Callable[..., Running]) -> None:
    url = url_of(go("dev", "--port", "0", "--memory", "--require-sigv4", "AKID1:first", "--require-sigv4", "AKID2:b:c"))
    for key, secret in (("AKID1", "first"), ("AKID2", "b:c")):
        client_of(url, key, secret).list_domains(registrationStatus="REGISTERED")
    for key, secret, code in (
        ("AKID1", "b:c", "InvalidSignatureException"),
        ("AKID3", "first", "UnrecognizedClientException"),
    ):
        with pytest.raises(ClientError) as caught:
            client_of(url, key, secret).list_domains(registrationStatus="REGISTERED")
        assert caught.value.response["Error"]["Code"] == code


def test_quotas_can_be_relaxed(go: Callable[..., Running]) -> None:
    def register_one_too_many(*arguments: str) -> None:
        client = client_of(url_of(go("dev", "--port", "0", "--memory", *arguments)))
        for number in range(SWF_DOMAINS_MAX + 1):
            client.register_domain(name=f"d{number}", workflowExecutionRetentionPeriodInDays="1")

    register_one_too_many("--relax-quotas")
    with pytest.raises(ClientError, match="LimitExceededFault"):
        register_one_too_many()


def post(url: str, path: str) -> tuple[int, Any]:
    """Status and answer of an empty POST."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
    connection.request("POST", path, b"{}")
    answer = connection.getresponse()
    found = answer.status, json.loads(answer.read())
    connection.close()
    return found


def test_time_can_be_skipped_if_that_is_allowed(go: Callable[..., Running]) -> None:
    allowed = url_of(go("dev", "--port", "0", "--memory", "--allow-time-skipping"))
    assert post(allowed, "/_pyflow/skip-time") == (200, {"skippedSeconds": 0})
    status, answer = post(url_of(go("dev", "--port", "0", "--memory")), "/_pyflow/skip-time")
    assert status == 403
    assert "--allow-time-skipping" in answer["message"]


class Endpoint(http.server.BaseHTTPRequestHandler):
    """A Lambda-compatible endpoint that answers with the path it was asked for."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        answer = json.dumps(self.path).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Quiet."""


def lambda_end(client: Any, name: str) -> Any:
    """The event with which a Lambda task of a new workflow ended."""
    client.register_domain(name="d", workflowExecutionRetentionPeriodInDays="1")
    client.register_workflow_type(
        domain="d",
        name="wf",
        version="1",
        defaultTaskList={"name": "tl"},
        defaultExecutionStartToCloseTimeout="60",
        defaultTaskStartToCloseTimeout="60",
        defaultChildPolicy="ABANDON",
        defaultLambdaRole="arn:aws:iam::1:role/r",
    )
    client.start_workflow_execution(domain="d", workflowId="w", workflowType={"name": "wf", "version": "1"})
    task = client.poll_for_decision_task(domain="d", taskList={"name": "tl"})
    schedule = {
        "decisionType": "ScheduleLambdaFunction",
        "scheduleLambdaFunctionDecisionAttributes": {"id": "1", "name": name},
    }
    client.respond_decision_task_completed(taskToken=task["taskToken"], decisions=[schedule])
    return client.poll_for_decision_task(domain="d", taskList={"name": "tl"})["events"][-3]


def test_lambda_endpoint(go: Callable[..., Running]) -> None:
    endpoint = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    threading.Thread(target=endpoint.serve_forever, daemon=True).start()
    where = f"http://127.0.0.1:{endpoint.server_port}"
    client = client_of(url_of(go("dev", "--port", "0", "--memory", "--lambda-endpoint", where)))
    ended = lambda_end(client, "far")["lambdaFunctionCompletedEventAttributes"]
    assert ended["result"] == '"/2015-03-31/functions/far/invocations"'
    endpoint.shutdown()
    endpoint.server_close()


def test_what_the_service_may_refuse_can_be_tried_out(go: Callable[..., Running]) -> None:
    refusing = ("--no-lambda", "--deny", "swf:ListDomains", "--throttle")  # local_swf's tests see the last one throttle
    client = client_of(url_of(go("dev", "--port", "0", "--memory", *refusing)))
    failed = lambda_end(client, "far")["scheduleLambdaFunctionFailedEventAttributes"]
    assert failed["cause"] == "LAMBDA_SERVICE_NOT_AVAILABLE_IN_REGION"
    with pytest.raises(client.exceptions.OperationNotPermittedFault):
        client.list_domains(registrationStatus="REGISTERED")


def test_region_and_account_are_those_of_the_arns(go: Callable[..., Running]) -> None:
    url = url_of(go("dev", "--port", "0", "--memory", "--region", "eu-central-1", "--account", "999988887777"))
    client = client_of(url)
    client.register_domain(name="d", workflowExecutionRetentionPeriodInDays="1")
    arn = client.describe_domain(name="d")["domainInfo"]["arn"]
    assert arn == "arn:aws:swf:eu-central-1:999988887777:/domain/d"


def test_long_polls_can_be_short(go: Callable[..., Running]) -> None:
    url = url_of(go("dev", "--port", "0", "--memory", "--poll-hold", "0.1"))
    client = boto3.client(
        "swf",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",
        config=Config(retries={"total_max_attempts": 1}, read_timeout=30),  # half of what SWF holds a poll
    )
    client.register_domain(name="d", workflowExecutionRetentionPeriodInDays="1")
    assert "taskToken" not in client.poll_for_decision_task(domain="d", taskList={"name": "tl"})
