"""Spans of tasks, with the ids that deciders derive too."""

from __future__ import annotations

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from pyflow import tracing as deciders
from pyflow_host.core import traces
from pyflow_host.core.effects import Call, TaskEnded
from pyflow_host.tracing import TaskIds, TaskSpans


def test_ids_are_the_deciders() -> None:
    assert traces.trace_id_of("run") == deciders.trace_id_of("run")
    assert traces.span_id_of("run", 7) == deciders.span_id_of("run", 7)
    assert (
        traces.traceparent("run", 7) == f"00-{deciders.trace_id_of('run'):032x}-{deciders.span_id_of('run', 7):016x}-01"
    )


def test_one_span_for_each_task() -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(id_generator=TaskIds())
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    fields = {"activity": "add/1.0", "workflow_id": "wf", "run_id": "run"}
    TaskSpans(provider).ended(TaskEnded(Call.FAILED, "worker", "run", 7, 2, 0.0, fields), 1.5)
    span = exporter.get_finished_spans()[0]
    assert span.name == "activity add/1.0"
    assert span.context is not None
    assert span.parent is not None
    assert (span.context.trace_id, span.context.span_id) == (traces.trace_id_of("run"), traces.span_id_of("run", 7))
    assert span.parent.span_id == deciders.span_id_of("run", 1)
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes is not None
    assert (span.attributes["swf.attempt"], span.attributes["swf.outcome"]) == (2, "failed")
    assert span.end_time is not None
    assert span.start_time is not None
    assert span.end_time - span.start_time == 1_500_000_000
