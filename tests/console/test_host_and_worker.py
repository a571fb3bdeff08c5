"""`pyflow host` and `pyflow worker` as processes: an activity runs through them, and what they say when it cannot."""

from __future__ import annotations

import json
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from console_processes import PYFLOW, Ended, Running, wait_until_registered

DOMAIN = ("--domain", "console")
TASK_LIST = ("--task-list", "greetings")


@pytest.fixture
def address() -> Iterator[str]:
    """An address for a host; short, as a Unix socket's path must be."""
    with tempfile.TemporaryDirectory(prefix="pf-") as directory:
        yield f"unix:{directory}/host.sock"


def call(run: Callable[..., Ended], endpoint: str) -> Ended:
    wait_until_registered(endpoint, "console", "greet", "1.0")
    return run("start", "Caller", "1.0", *DOMAIN, "--input", '"world"', "--wait", "--timeout", "40")


@pytest.mark.usefixtures("decider")
def test_activity_runs_in_a_worker(
    run: Callable[..., Ended], go: Callable[..., Running], endpoint: str, address: str, tmp_path: Path
) -> None:
    state = {"XDG_STATE_HOME": str(tmp_path)}
    host = go("host", *DOMAIN, "--listen", address, **state)
    host.wait_for("Activity host ready")
    go("worker", "greetings", "--host", address, *TASK_LIST)
    done = call(run, endpoint)
    assert (done.code, done.out) == (0, '"Hello, world!"\n'), (done, host.err)


@pytest.mark.usefixtures("decider")
def test_host_starts_the_worker_itself(
    run: Callable[..., Ended], go: Callable[..., Running], endpoint: str, address: str, tmp_path: Path
) -> None:
    command = f"{PYFLOW} worker greetings --task-list greetings"
    host = go("host", *DOMAIN, "--listen", address, "--worker", command, XDG_STATE_HOME=str(tmp_path))
    done = call(run, endpoint)
    assert (done.code, done.out) == (0, '"Hello, world!"\n'), (done, host.err)


@pytest.mark.usefixtures("decider")
def test_host_from_a_configuration_file(
    run: Callable[..., Ended], go: Callable[..., Running], endpoint: str, address: str, tmp_path: Path, folder: Path
) -> None:
    (tmp_path / "tokens").write_text("the-word\n", encoding="utf-8")
    config = tmp_path / "host.toml"
    config.write_text(
        f"""
domains = ["console"]
listen = ["{address}"]
auth_token_file = "tokens"
grace_s = 1
drain_timeout_s = 5
metrics_address = "127.0.0.1:0"

[[worker]]
name = "greeter"
command = ["{PYFLOW}", "worker", "greetings", "--task-list", "greetings"]
directory = "{folder}"
env = {{PYFLOW_HOST_TOKEN = "the-word"}}
""",
        encoding="utf-8",
    )
    state = {"XDG_STATE_HOME": str(tmp_path)}
    host = go("host", "--config", str(config), PYFLOW_LOG_FORMAT="json", **state)
    metrics = host.wait_for("Metrics: ").split()[-1]
    host.wait_for("[greeter-1]")
    done = call(run, endpoint)
    assert (done.code, done.out) == (0, '"Hello, world!"\n'), (done, host.err)
    with urllib.request.urlopen(metrics, timeout=10) as answer:
        assert b"pyflow_host_tasks" in answer.read()
    refused = go("worker", "greetings", "--host", address, *TASK_LIST).end(None)
    refused.assert_told("UNAUTHENTICATED", code=1)
    ended = host.end()
    assert ended.code == 0, ended
    assert " 0 lost; balanced" in ended.out.splitlines()[-1]
    logged = [json.loads(line) for line in ended.err.splitlines()]
    assert any(entry["level"] == "WARNING" and "token" in entry["message"] for entry in logged)


def test_host_over_tls(go: Callable[..., Running], tmp_path: Path) -> None:
    held = Path(__file__).parent.parent / "activity_host" / "certificates"
    host_side = ("--tls-cert", f"{held}/host.pem", "--tls-key", f"{held}/host.key", "--tls-client-ca", f"{held}/ca.pem")
    host = go("host", *DOMAIN, *host_side, XDG_STATE_HOME=str(tmp_path))  # without --listen: loopback, any free port
    address = host.wait_for("Activity host ready").split()[-1]
    worker_side = ("--tls-ca", f"{held}/ca.pem", "--tls-cert", f"{held}/worker.pem", "--tls-key", f"{held}/worker.key")
    go("worker", "greetings", "--host", address, *TASK_LIST, *worker_side).wait_for("onnected")
    stranger = ("--tls-ca", f"{held}/ca.pem", "--give-up-after", "0.5")
    assert go("worker", "greetings", "--host", address, *TASK_LIST, *stranger).end(None).code == 1


def test_worker_started_before_its_host(go: Callable[..., Running], address: str, tmp_path: Path) -> None:
    worker = go("worker", "greetings", "--host", address, *TASK_LIST)
    worker.wait_for("cannot reach an activity host")
    go("host", *DOMAIN, "--listen", address, XDG_STATE_HOME=str(tmp_path)).wait_for("Activity host ready")
    worker.wait_for("onnected")


def test_worker_without_a_host(run: Callable[..., Ended], address: str) -> None:
    ended = run("worker", "greetings", "--host", address, *TASK_LIST, "--start-timeout", "0.3")
    ended.assert_told(address, "gave up", "pyflow host", "--host", code=1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["greetings", *TASK_LIST], ["--host"]),
        (["greetings", "--host", "nonsense", *TASK_LIST], ["nonsense"]),
        (["no_such_module", "--host", "unix:/tmp/x.sock", *TASK_LIST], ["no_such_module"]),
    ],
)
def test_worker_arguments_that_cannot_be(run: Callable[..., Ended], arguments: list[str], words: list[str]) -> None:
    run("worker", *arguments).assert_told(*words)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--listen", "nonsense"], ["nonsense"]),
        (["--listen", "127.0.0.1:0", "--worker", "'"], ["worker command"]),
        (["--listen", "unix:/nonexistent/host.sock"], ["/nonexistent"]),
        (["--listen", "0.0.0.0:0"], ["0.0.0.0"]),
        (["--config", "/nonexistent/host.toml"], ["/nonexistent/host.toml"]),
    ],
)
def test_host_arguments_that_cannot_be(
    run: Callable[..., Ended], tmp_path: Path, arguments: list[str], words: list[str]
) -> None:
    run("host", *DOMAIN, *arguments, XDG_STATE_HOME=str(tmp_path)).assert_told(*words)


def test_address_in_use(run: Callable[..., Ended], go: Callable[..., Running], tmp_path: Path) -> None:
    first = go("host", *DOMAIN, "--listen", "127.0.0.1:0", XDG_STATE_HOME=str(tmp_path))
    taken = first.wait_for("Activity host ready").split()[-1]
    run("host", *DOMAIN, "--listen", taken, XDG_STATE_HOME=str(tmp_path)).assert_told(taken)


def test_swf_that_is_not_there(run: Callable[..., Ended], unused_url: str) -> None:
    ended = run("host", *DOMAIN, "--listen", "127.0.0.1:0", AWS_ENDPOINT_URL_SWF=unused_url)
    ended.assert_told(unused_url, "pyflow dev")
