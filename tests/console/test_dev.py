"""`pyflow dev` as a process: its one line, its clean end, what it keeps, what it refuses."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from console_processes import Ended, Running
from pyflow.swf import ensure_domain, make_client


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
    ],
)
def test_arguments_that_cannot_be(run: Callable[..., Ended], arguments: list[str], words: list[str]) -> None:
    where = [] if "--data" in arguments else ["--memory"]
    run("dev", *where, "--port", "0", *arguments).assert_told(*words)
