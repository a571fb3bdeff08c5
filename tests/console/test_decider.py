"""`pyflow decider` as a process: it decides, ends cleanly, and says what is wrong with what it was given."""

from __future__ import annotations

import http.server
import signal
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from console_processes import Ended, Running, begin, environment, pyflow

REST = ("--domain", "console", "--task-list", "console")


@pytest.fixture
def silent() -> Iterator[str]:
    """The URL of a port that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def no_swf() -> Iterator[str]:
    """The URL of a web server that is no SWF."""

    class Page(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<html>Welcome</html>")

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("processes", ["1", "2"])
def test_decides_and_ends_cleanly(folder: Path, go: Callable[..., Running], processes: str) -> None:
    swf = go("dev", "--port", "0", "--memory")
    env = environment(AWS_ENDPOINT_URL_SWF=swf.wait_for("endpoint").split()[-1])
    decider = begin("decider", "console_flows:Double", *REST, "--processes", processes, cwd=folder, env=env)
    try:
        decider.wait_for("Beginning to poll")
        done = pyflow("start", "Double", "1.0", "--domain", "console", "--input", "21", "--wait", cwd=folder, env=env)
        assert (done.code, done.out) == (0, '{"double": 42}\n')
        decider.process.terminate()
        decider.wait_for("Stopping")
        swf.end()  # answers the long polls that the decider waits out
        ended = decider.end(None)
    finally:
        decider.process.kill()
    assert ended.code == 0
    assert "Traceback" not in ended.err


def test_settings_and_metrics(folder: Path, env: dict[str, str], go: Callable[..., Running]) -> None:
    """One execution's decisions, seen in the metrics: none of them from a cache, as nothing is kept."""
    place = ("--domain", "metered", "--task-list", "metered")
    given = ("--max-cached-executions", "0", "--poll-threads", "1", "--decision-threads", "2")
    decider = go("decider", "console_flows:Turns", *place, *given, "--metrics-address", "127.0.0.1:0")
    url = decider.wait_for("Metrics: ").split()[-1]
    assert "own task lists: none" in decider.wait_for("Beginning to poll")
    start = ("start", "Turns", "1.0", "--domain", "metered", "--input", "3", "--wait")
    done = pyflow(*start, cwd=folder, env=env)
    assert done.code == 0, done
    counted = 'pyflow_decisions_total{decision="ContinueAsNewWorkflowExecution",workflow="Turns"} 3.0'
    deadline_s = time.monotonic() + 20
    while counted not in (text := urllib.request.urlopen(url).read().decode()):
        assert time.monotonic() < deadline_s, text
    assert 'cache="hit"' not in text
    assert 'task_list_kind="sticky"' not in text


def test_each_process_serves_its_metrics_and_logs_no_more_than_is_asked_for(go: Callable[..., Running]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    where = ("--metrics-address", f"127.0.0.1:{port}")
    decider = go("decider", "console_flows:Double", *REST, "--processes", "2", *where, "--log-level", "warning")
    deadline_s = time.monotonic() + 30
    while not all(_polls(f"http://127.0.0.1:{number}/metrics") for number in (port, port + 1)):
        assert time.monotonic() < deadline_s, decider.err
    assert decider.err == []


def _polls(url: str) -> bool:
    """True once the process there decides: its gauges are set as it begins to wait."""
    try:
        return "pyflow_cached_executions" in urllib.request.urlopen(url).read().decode()
    except urllib.error.URLError:
        return False


def test_metrics_where_somebody_listens(run: Callable[..., Ended]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        run("decider", "console_flows:Double", *REST, "--metrics-address", address).assert_told(address, "in use")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--max-cached-executions", "-1"),
        ("--poll-threads", "0"),
        ("--decision-threads", "many"),
        ("--metrics-address", "9464"),
        ("--metrics-address", "localhost:99999"),
    ],
)
def test_options_that_cannot_be(run: Callable[..., Ended], option: str, value: str) -> None:
    run("decider", "console_flows:Double", *REST, f"{option}={value}").assert_told(option, value)


def test_second_signal_ends_at_once(go: Callable[..., Running]) -> None:
    decider = go("decider", "console_flows:Double", *REST)
    decider.wait_for("Beginning to poll")
    decider.process.send_signal(signal.SIGINT)
    decider.wait_for("Stopping")
    assert decider.end(signal.SIGINT).code == 128 + signal.SIGINT


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("console_flows", ["MODULE:CLASS"]),
        ("no_such_module:Flow", ["no_such_module"]),
        ("console_flows.py:Double", ["console_flows.py", "console_flows"]),
        ("console_flows:Absent", ["Absent", "Double", "Gate"]),
        ("console_flows:NotAWorkflow", ["NotAWorkflow", "Double"]),
    ],
)
def test_classes_that_are_not_there(run: Callable[..., Ended], target: str, words: list[str]) -> None:
    run("decider", target, *REST).assert_told(*words)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import not_installed_at_all", ["not_installed_at_all"]),
        ("def broken(:", ["SyntaxError", "line 1"]),
        ("x = 1\n1 / 0", ["ZeroDivisionError", "line 2"]),
    ],
)
def test_modules_that_cannot_be_imported(env: dict[str, str], tmp_path: Path, source: str, words: list[str]) -> None:
    (tmp_path / "broken_flows.py").write_text(source, encoding="utf-8")
    pyflow("decider", "broken_flows:Flow", *REST, cwd=tmp_path, env=env).assert_told("broken_flows", *words)


def test_class_that_cannot_be_made_without_an_execution(env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "eager.py").write_text(EAGER, encoding="utf-8")
    told = pyflow("decider", "eager:Eager", *REST, cwd=tmp_path, env=env)
    told.assert_told("Eager cannot be registered", "AttributeError", "__init__", "None")


EAGER = """
import pyflow


class Eager(pyflow.Workflow):
    NAME = "Eager"
    VERSION = "1.0"

    def __init__(self, swf):
        super().__init__(swf)
        self.began = swf.workflow_time()
"""


def test_swf_that_is_not_there(run: Callable[..., Ended], unused_url: str) -> None:
    ended = run("decider", "console_flows:Double", *REST, AWS_ENDPOINT_URL_SWF=unused_url)
    ended.assert_told(unused_url, "pyflow dev", "AWS_ENDPOINT_URL_SWF")


def test_endpoint_that_never_answers(run: Callable[..., Ended], silent: str) -> None:
    ended = run("decider", "console_flows:Double", *REST, AWS_ENDPOINT_URL_SWF=silent)
    ended.assert_told("DescribeDomain")


def test_endpoint_that_is_no_swf(run: Callable[..., Ended], no_swf: str) -> None:
    ended = run("decider", "console_flows:Double", *REST, AWS_ENDPOINT_URL_SWF=no_swf)
    ended.assert_told(no_swf, "no SWF")


def test_neither_endpoint_nor_region_nor_credentials(folder: Path) -> None:
    ended = pyflow("decider", "console_flows:Double", *REST, cwd=folder, env=environment())
    ended.assert_told("region", "credentials", "AWS_ENDPOINT_URL_SWF")
