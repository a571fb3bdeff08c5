"""`pyflow import`: histories out of one SWF into another, by the command line, to be looked at and replayed there."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest
from console_processes import Ended, Running, environment, pyflow
from pyflow.swf import make_client

DOMAIN = ("--domain", "elsewhere")


@pytest.fixture
def saved(run: Callable[..., Ended], decider: object, tmp_path: Path) -> Path:
    """A file with what `pyflow history --json` printed of an execution that has ended."""
    workflow_id = f"é-{tmp_path.name}"
    where = ("--domain", "console")
    started = run("start", "Double", "1.0", *where, "--workflow-id", workflow_id, "--input", "4", "--wait")
    assert started.code == 0, started
    path = tmp_path / "copied.json"
    path.write_text(run("history", workflow_id, *where, "--json").out, encoding="utf-8")
    return path


def run_id_in(ended: Ended) -> str:
    """The run id that `pyflow import` printed."""
    assert ended.code == 0, ended
    return ended.out.splitlines()[0].removeprefix("Run id: ")


def same_events(printed: str, path: Path) -> bool:
    """Whether `pyflow history --json` printed what is in the file."""
    events: object = json.loads(printed)["events"]
    return bool(events == json.loads(path.read_text(encoding="utf-8"))["events"])


def test_into_the_server_that_runs(run: Callable[..., Ended], saved: Path, tmp_path: Path) -> None:
    run_id = run_id_in(run("import", str(saved), *DOMAIN))
    looked = ("copied", *DOMAIN, "--run-id", run_id)
    printed = run("history", *looked, "--json").out
    assert same_events(printed, saved)
    assert "WorkflowExecutionCompleted" in run("history", "copied", *DOMAIN).out  # the latest of that workflow id
    status = run("status", *looked).out
    assert "CLOSED COMPLETED" in status
    assert '{"double": 8}' in status
    again = tmp_path / "again.json"
    again.write_text(printed, encoding="utf-8")
    replayed = run("replay", "console_flows:Double", str(again))
    assert (replayed.code, "1 decisions made again (5 events)" in replayed.out) == (0, True), replayed


def test_into_the_file_of_a_server_that_is_stopped(
    run: Callable[..., Ended], go: Callable[..., Running], saved: Path, folder: Path, tmp_path: Path
) -> None:
    data = str(tmp_path / "swf.db")
    imported = run("import", str(saved), *DOMAIN, "--workflow-id", "w", "--data", data)
    run_id = run_id_in(imported)
    url = go("dev", "--port", "0", "--data", data).wait_for("SWF endpoint: ").split()[-1]
    looked = imported.out.splitlines()[1].partition(": pyflow ")[2].split()  # what it says to look with
    printed = pyflow(*looked, "--json", cwd=folder, env=environment(AWS_ENDPOINT_URL_SWF=url))
    assert same_events(printed.out, saved)
    assert run_id in looked
    run("import", str(saved), *DOMAIN, "--data", data).assert_told("another process is using it")


def test_a_history_that_the_second_aws_cli_printed_backwards_of_a_run_that_goes_on(
    run: Callable[..., Ended], saved: Path
) -> None:
    events = json.loads(saved.read_text(encoding="utf-8"))["events"][:-2]
    for event in events:
        event["eventTimestamp"] = datetime.fromtimestamp(event["eventTimestamp"], timezone.utc).isoformat()
    saved.write_text(json.dumps({"events": events[::-1]}), encoding="utf-8")
    run_id = run_id_in(run("import", str(saved), *DOMAIN, "--workflow-id", "unfinished"))
    assert "OPEN" in run("status", "unfinished", *DOMAIN, "--run-id", run_id).out


def test_a_history_of_many_megabytes(run: Callable[..., Ended], saved: Path) -> None:
    begun = json.loads(saved.read_text(encoding="utf-8"))["events"][0]
    at_s = begun["eventTimestamp"]
    signals = [
        {
            "eventId": number,
            "eventTimestamp": at_s,
            "eventType": "WorkflowExecutionSignaled",
            "workflowExecutionSignaledEventAttributes": {"signalName": "s", "input": "é" * 8000},
        }
        for number in range(2, 502)
    ]
    saved.write_text(json.dumps({"events": [begun, *signals]}), encoding="utf-8")
    assert saved.stat().st_size > 10_000_000
    run_id = run_id_in(run("import", str(saved), *DOMAIN, "--workflow-id", "long"))
    assert same_events(run("history", "long", *DOMAIN, "--run-id", run_id, "--json").out, saved)


def test_into_a_server_that_wants_signatures(
    run: Callable[..., Ended], go: Callable[..., Running], saved: Path, folder: Path
) -> None:
    url = go("dev", "--port", "0", "--memory", "--require-sigv4", "AKID:right").wait_for("SWF endpoint: ").split()[-1]
    signed = {"AWS_ENDPOINT_URL_SWF": url, "AWS_ACCESS_KEY_ID": "AKID", "AWS_REGION": "eu-west-1"}
    right = environment(**signed, AWS_SECRET_ACCESS_KEY="right")
    run_id_in(pyflow("import", str(saved), *DOMAIN, cwd=folder, env=right))
    wrong = environment(**signed, AWS_SECRET_ACCESS_KEY="wrong")
    pyflow("import", str(saved), *DOMAIN, cwd=folder, env=wrong).assert_told("signature")


@pytest.fixture
def stranger() -> Iterator[tuple[str, list[str]]]:
    """An HTTP server that is no embedded SWF: its URL and the paths it was asked for."""
    paths: list[str] = []

    class Answers(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_error(404)

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}", paths
    server.shutdown()
    server.server_close()


def test_nothing_is_sent_to_what_is_no_embedded_swf(stranger: tuple[str, list[str]], saved: Path, folder: Path) -> None:
    url, paths = stranger
    told = pyflow("import", str(saved), *DOMAIN, cwd=folder, env=environment(AWS_ENDPOINT_URL_SWF=url))
    told.assert_told("no embedded SWF", url)
    assert paths == ["/_pyflow/health"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, ["cannot be read", "No such file"]),
        ("Dear SWF", ["not JSON"]),
        ('{"events": []}', ["at least one event"]),
        ('{"events": [{"eventId": 3}]}', ["Event 1", "missing"]),
    ],
)
def test_files_that_are_no_history(
    run: Callable[..., Ended], tmp_path: Path, text: str | None, words: list[str]
) -> None:
    path = tmp_path / "letter.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    run("import", str(path), *DOMAIN).assert_told("letter.json", *words)


def test_a_workflow_id_that_cannot_be(run: Callable[..., Ended], saved: Path, tmp_path: Path) -> None:
    arguments = ("import", str(saved), *DOMAIN, "--workflow-id", "a:b")
    run(*arguments).assert_told("refused the history", "workflowId")
    run(*arguments, "--data", str(tmp_path / "other.db")).assert_told("refused the history", "workflowId")


def test_the_domain_is_registered_once(run: Callable[..., Ended], saved: Path, endpoint: str) -> None:
    for _ in range(2):
        run_id_in(run("import", str(saved), "--domain", "new", "--workflow-id", "w"))
    client = make_client(endpoint_url=endpoint)
    found = client.describe_domain(name="new")["configuration"]["workflowExecutionRetentionPeriodInDays"]
    assert found == "90"
