"""`--codec`, `--large-payloads` and `--traces` of real processes: what SWF gets, and what is exported."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from console_processes import PYFLOW, Ended, Running, begin, environment, pyflow
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from pyflow.tracing import span_id_of, trace_id_of

FLOWS = """
import pyflow


class Letters(pyflow.Workflow):
    NAME = "Letters"
    VERSION = "1.0"
    greet = pyflow.ActivityDescriptor("greet", "1.0", task_list="letters")

    def run(self, many):
        if many == 0:
            return self.greet("you").result()
        self.swf.start_timer(0).result()
        return "".join(chr(97 + number * number % 26) for number in range(many))


class Backwards:
    def encode(self, text):
        return "backwards:" + text[::-1]

    def decode(self, text):
        return text[:9:-1] if text.startswith("backwards:") else text


NOT_A_CODEC = 3


class Broken:
    def __init__(self):
        raise RuntimeError("no key")
"""
PLACE = ("--domain", "letters", "--task-list", "letters")


@pytest.fixture
def stand(tmp_path: Path) -> Path:
    (tmp_path / "letters.py").write_text(FLOWS, encoding="utf-8")
    (tmp_path / "greetings.py").write_text(
        "from pyflow_activity import activity\n\n\n@activity(version='1.0', start_to_close=60)\n"
        "def greet(name: str) -> str:\n    return f'Hello, {name}!'\n",
        encoding="utf-8",
    )
    return tmp_path


def test_payloads_are_encoded_and_the_large_ones_kept_elsewhere(
    stand: Path, env: dict[str, str], go: Callable[..., Running]
) -> None:
    given = ("--codec", "letters:Backwards", "--large-payloads", "kept")
    decider = go("decider", "letters:Letters", *PLACE, *given, cwd=stand)
    decider.wait_for("Beginning to poll")

    def start(many: int) -> Ended:
        arguments = ("--domain", "letters", "--workflow-id", f"letters-{many}", "--input", str(many), "--wait")
        return pyflow("start", "Letters", "1.0", *arguments, cwd=stand, env=env)

    short = start(3)
    assert short.code == 0, (short, decider.err)
    assert json.loads(short.out) == 'backwards:"eba"'
    large = start(40_000)
    assert large.code == 0, (large, decider.err)
    reference = json.loads(large.out)
    assert len(large.out) < 1_000
    kept = (stand / "kept" / reference["sha256"]).read_text(encoding="utf-8")
    assert kept.startswith('backwards:"')
    assert len(kept) == 40_000 + len('backwards:""')

    saved = stand / "saved.json"
    history = pyflow("history", "letters-40000", "--domain", "letters", "--json", cwd=stand, env=env)
    encoded = history.out.replace('"input": "40000"', '"input": "backwards:00004"')
    assert encoded != history.out
    saved.write_text(encoded, encoding="utf-8")
    replay = ("replay", "letters:Letters", str(saved))
    assert pyflow(*replay, *given, cwd=stand, env=env).code == 0
    pyflow(*replay, cwd=stand, env=env).assert_told("saved.json", code=1)


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--codec", "letters", "MODULE:OBJECT"),
        ("--codec", "letters:Absent", "has no 'Absent'"),
        ("--codec", "letters:NOT_A_CODEC", "encode(text)"),
        ("--codec", "letters:Broken", "RuntimeError: no key"),
        ("--large-payloads", "letters.py", "as a directory"),
        ("--large-payloads", "https://host/path", "s3://BUCKET/PREFIX"),
        ("--large-payloads", "s3:///prefix", "s3://BUCKET/PREFIX"),
        ("--traces", "smoke-signals", "Installed: console"),
    ],
)
def test_options_that_cannot_be(stand: Path, env: dict[str, str], option: str, value: str, words: str) -> None:
    pyflow("decider", "letters:Letters", *PLACE, option, value, cwd=stand, env=env).assert_told(option, words)


@dataclass(frozen=True, slots=True)
class Traced:
    """One run of the workflow, and how the decider and the host that exported its spans ended."""

    run_id: str
    decider: Ended
    host: Ended


def run_traced(stand: Path, go: Callable[..., Running], *options: str, processes: str = "1", **env: str) -> Traced:
    """Nothing is exported before the end unless a batch is full: the end must export what is left."""
    swf = go("dev", "--port", "0", "--memory")
    endpoint = swf.wait_for("endpoint").split()[-1]
    env = environment(AWS_ENDPOINT_URL_SWF=endpoint, OTEL_BSP_SCHEDULE_DELAY="600000", XDG_STATE_HOME=str(stand), **env)
    decider = begin("decider", "letters:Letters", *PLACE, "--processes", processes, *options, cwd=stand, env=env)
    worker = f"{PYFLOW} worker greetings --task-list letters"
    host = begin("host", "--domain", "letters", "--worker", worker, *options, cwd=stand, env=env)
    try:
        decider.wait_for("Beginning to poll")
        host.wait_for("Connected: worker")
        asked = ("--domain", "letters", "--workflow-id", "traced", "--input", "0", "--wait", "--timeout", "40")
        done = pyflow("start", "Letters", "1.0", *asked, cwd=stand, env=env)
        assert (done.code, done.out) == (0, '"Hello, you!"\n'), (done, decider.err, host.err)
        status = pyflow("status", "traced", "--domain", "letters", cwd=stand, env=env).out
        run_id = next(line.split()[-1] for line in status.splitlines() if line.startswith("Run id"))
        for running in (decider, host):
            running.process.terminate()
        decider.wait_for("Stopping")
        host.wait_for("raining")
        swf.end()  # answers the long polls that both wait out
        traced = Traced(run_id, decider.end(None), host.end(None))
    finally:
        decider.process.kill()
        host.process.kill()
    assert (traced.decider.code, traced.host.code) == (0, 0), traced
    return traced


@pytest.mark.parametrize("processes", ["1", "2"])
def test_decider_and_host_export_spans_of_one_trace(stand: Path, go: Callable[..., Running], processes: str) -> None:
    traced = run_traced(stand, go, "--traces", "console", processes=processes)
    for end, name in ((traced.decider, "decide Letters"), (traced.host, "activity greet")):
        assert f'"name": "{name}' in end.out, end
        assert f"0x{trace_id_of(traced.run_id):032x}" in end.out
        assert f"0x{span_id_of(traced.run_id, 1):016x}" in end.out, "the run's span is the parent of both"


class Collector(BaseHTTPRequestHandler):
    """An OpenTelemetry collector, as far as it takes OTLP over HTTP."""

    spans: list[tuple[str, Span]]

    def do_POST(self) -> None:
        request = ExportTraceServiceRequest.FromString(self.rfile.read(int(self.headers["Content-Length"])))
        assert self.path == "/v1/traces"
        for resource in request.resource_spans:
            names = {each.key: each.value.string_value for each in resource.resource.attributes}
            self.spans += [(names["service.name"], span) for scope in resource.scope_spans for span in scope.spans]
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Not into the test's output."""


@pytest.fixture
def collector() -> Iterator[tuple[str, list[tuple[str, Span]]]]:
    """Its endpoint, and the spans it has got with the service that sent each."""
    spans: list[tuple[str, Span]] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Collector,), {"spans": spans}))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", spans
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_collector_gets_the_spans_of_a_run_from_both(
    stand: Path, go: Callable[..., Running], collector: tuple[str, list[tuple[str, Span]]]
) -> None:
    endpoint, spans = collector
    traced = run_traced(stand, go, "--traces", "otlp", OTEL_EXPORTER_OTLP_ENDPOINT=endpoint)
    sent = {(service, span.name) for service, span in spans}
    decider, host = "pyflow-decider", "pyflow-host"
    assert sent == {(decider, "decide Letters"), (decider, "run Letters"), (host, "activity greet/1.0")}
    assert {span.trace_id for _, span in spans} == {trace_id_of(traced.run_id).to_bytes(16, "big")}
    (run,) = [span for _, span in spans if span.name == "run Letters"]
    assert run.parent_span_id == b""
    assert {span.parent_span_id for _, span in spans if span is not run} == {run.span_id}
