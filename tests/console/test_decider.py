"""`pyflow decider` as a process: it decides, ends cleanly, and says what is wrong with what it was given."""

from __future__ import annotations

import http.server
import signal
import socket
import threading
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
