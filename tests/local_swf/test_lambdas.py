"""Lambda functions in processes of their own: results, exceptions, crashes, timeouts, and the endpoint."""

from __future__ import annotations

import http.server
import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from local_swf_driver import decision
from local_swf_server import RunningServer
from test_http import refused_start

HANDLERS = """
import os, time, json

def with_context(event, context):
    print("printed text must not disturb the answer")
    return {"event": event, "name": context.function_name, "left": context.get_remaining_time_in_millis() > 0}

def plain(event):
    return event

class Refuse(Exception):
    pass

def raises(event):
    raise Refuse("no good")

def dies(event):
    os._exit(3)

def hangs(event):
    time.sleep(60)

def big(event):
    return "x" * 40000

def unserializable(event):
    return object()

def deep(event):
    return deep(event)

def where(event):
    return os.getpid()

class Space:
    @staticmethod
    def inside(event, *, more=1):
        return "inside"
"""
NAMES = ["with_context", "plain", "raises", "dies", "hangs", "big", "unserializable", "deep", "where", "Space.inside"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    folder = tmp_path_factory.mktemp("lambdas")
    (folder / "handlers.py").write_text(HANDLERS)
    arguments = ["--memory"]
    for name in NAMES:
        arguments += ["--lambda", f"{name}=handlers:{name}"]
    running = RunningServer(arguments, folder)
    prepare(running)
    yield running
    running.stop()


def prepare(server: RunningServer) -> None:
    server.client.register_domain(name="d", workflowExecutionRetentionPeriodInDays="1")
    server.client.register_workflow_type(
        domain="d", name="wf", version="1", defaultTaskList={"name": "tl"}, defaultLambdaRole="arn:aws:iam::1:role/r",
        defaultExecutionStartToCloseTimeout="60", defaultTaskStartToCloseTimeout="60", defaultChildPolicy="ABANDON",
    )  # fmt: skip


def outcome(server: RunningServer, name: str, **more: Any) -> tuple[str, dict[str, Any]]:
    """Run one function in a workflow; the event of its end."""
    kind = {"name": "wf", "version": "1"}
    server.client.start_workflow_execution(domain="d", workflowId=name, workflowType=kind)
    poll = {"domain": "d", "taskList": {"name": "tl"}}
    task = server.client.poll_for_decision_task(**poll)
    schedule = decision("ScheduleLambdaFunction", id="1", name=name, **more)
    server.client.respond_decision_task_completed(taskToken=task["taskToken"], decisions=[schedule])
    task = server.client.poll_for_decision_task(**poll)
    done = [decision("CompleteWorkflowExecution")]
    server.client.respond_decision_task_completed(taskToken=task["taskToken"], decisions=done)
    ends = [e for e in task["events"] if e["eventType"].startswith("Lambda")][2:]
    assert len(ends) == 1
    kind_of_end = ends[0]["eventType"]
    return kind_of_end, ends[0][kind_of_end[0].lower() + kind_of_end[1:] + "EventAttributes"]


def test_result_with_context(server: RunningServer) -> None:
    kind, end = outcome(server, "with_context", input='{"a": "\u00e9"}')
    assert kind == "LambdaFunctionCompleted"
    assert json.loads(end["result"]) == {"event": {"a": "\u00e9"}, "name": "with_context", "left": True}


@pytest.mark.parametrize(("given", "result"), [({}, "{}"), ({"input": ""}, "{}"), ({"input": "null"}, "null")])
def test_result_without_context(server: RunningServer, given: dict, result: str) -> None:
    assert outcome(server, "plain", **given)[1]["result"] == result


def test_keyword_arguments_are_no_context(server: RunningServer) -> None:
    assert outcome(server, "Space.inside")[1]["result"] == '"inside"'


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("raises", "Refuse", "no good"),
        ("deep", "RecursionError", "maximum recursion depth exceeded"),
        ("unserializable", "TypeError", "Object of type object is not JSON serializable"),
        ("dies", "Runtime.ExitError", "exit status 3"),
        ("big", "Function.ResponseSizeTooLarge", "40002 characters"),
    ],
)
def test_failures(server: RunningServer, name: str, error: str, message: str) -> None:
    kind, end = outcome(server, name)
    assert (kind, end["reason"]) == ("LambdaFunctionFailed", "UnhandledError")
    details = json.loads(end["details"])
    assert details["errorType"] == error
    assert message in details["errorMessage"]
    if name == "raises":
        assert "handlers.py" in details["stackTrace"][-1]


def test_input_that_is_not_json(server: RunningServer) -> None:
    assert json.loads(outcome(server, "plain", input="{")[1]["details"])["errorType"] == "JSONDecodeError"


def test_timeout(server: RunningServer) -> None:
    kind, end = outcome(server, "hangs", startToCloseTimeout="1")
    assert (kind, end["timeoutType"]) == ("LambdaFunctionTimedOut", "START_TO_CLOSE")


def test_unknown_function(server: RunningServer) -> None:
    kind, end = outcome(server, "nobody")
    assert (kind, end["reason"]) == ("LambdaFunctionFailed", "ResourceNotFoundException")
    assert end["details"].endswith(":function:nobody")


def test_context_names_region_and_account(tmp_path: Path, run_server: Callable[..., RunningServer]) -> None:
    (tmp_path / "arns.py").write_text("def name_of(event, context):\n    return context.invoked_function_arn\n")
    server = run_server("--memory", "--region", "eu-west-1", "--account", "42", "--lambda", "name_of=arns:name_of")
    prepare(server)
    assert outcome(server, "name_of")[1]["result"] == '"arn:aws:lambda:eu-west-1:42:function:name_of"'


def test_only_what_handlers_print_is_printed(tmp_path: Path, run_server: Callable[..., RunningServer]) -> None:
    (tmp_path / "quiet.py").write_text(
        "import sys\n\ndef reads(event):\n    print('from the handler')\n    return sys.stdin.read()\n"
    )
    server = run_server("--memory", "--lambda", "reads=quiet:reads")
    prepare(server)
    assert outcome(server, "reads")[1]["result"] == '""', "standard input is empty for a handler"
    assert server.process.stderr is not None
    server.process.send_signal(signal.SIGTERM)
    assert server.process.stderr.read() == "from the handler\n"


def test_processes_end_with_the_server(tmp_path: Path, run_server: Callable[..., RunningServer]) -> None:
    (tmp_path / "handlers.py").write_text(HANDLERS)
    server = run_server("--memory", "--lambda", "where=handlers:where")
    prepare(server)
    pid = int(outcome(server, "where")[1]["result"])
    os.kill(pid, 0)
    assert server.stop() == 0
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("nowhere:f", "module nowhere cannot be imported"),
        ("json:nothing", "module json has no nothing"),
        ("json", "is not NAME=module:function"),
        ("json:__name__", "is not callable"),
    ],
)
def test_bad_targets(target: str, message: str) -> None:
    status, text = refused_start("--port", "0", "--memory", "--lambda", f"f={target}")
    assert status == 2
    assert f"f={target}" in text
    assert message in text
    assert "Traceback" not in text


class Endpoint(http.server.BaseHTTPRequestHandler):
    """A Lambda-compatible endpoint."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        name = self.path.split("/")[3]
        assert self.path == f"/2015-03-31/functions/{name}/invocations"
        status, headers, answer = 200, {}, b'{"got": ' + body + b"}"
        if name == "raises":
            headers, answer = {"X-Amz-Function-Error": "Unhandled"}, b'{"errorMessage": "m", "errorType": "E"}'
        elif name == "missing":
            status, headers = 404, {"X-Amzn-ErrorType": "ResourceNotFoundException:http://x/"}
            answer = b'{"Type": "User", "Message": "Function not found: missing"}'
        self.send_response(status)
        for key, value in {**headers, "Content-Length": str(len(answer))}.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Quiet."""


def test_endpoint(run_server: Callable[..., RunningServer]) -> None:
    endpoint = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    thread = threading.Thread(target=endpoint.serve_forever, daemon=True)
    thread.start()
    server = run_server("--memory", "--lambda-endpoint", f"http://127.0.0.1:{endpoint.server_port}")
    prepare(server)
    assert outcome(server, "fine", input="[1]")[1]["result"] == '{"got": [1]}'
    kind, end = outcome(server, "raises")
    assert (kind, end["reason"]) == ("LambdaFunctionFailed", "UnhandledError")
    assert json.loads(end["details"]) == {"errorMessage": "m", "errorType": "E"}
    end = outcome(server, "missing")[1]
    assert (end["reason"], end["details"]) == ("ResourceNotFoundException", "Function not found: missing")
    endpoint.shutdown()
    endpoint.server_close()
    assert outcome(server, "gone")[1]["reason"] == "ServiceException"
