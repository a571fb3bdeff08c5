"""Metrics count what happened; spans of a run carry ids that every process can derive."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry
from pyflow.deciding.observer import Observers
from pyflow.metrics import PrometheusObserver
from pyflow.starter import start_workflow, wait_for_workflow
from pyflow.tracing import RunIds, TracingObserver, span_id_of, trace_id_of
from worker_embedded import EmbeddedSwf, eventually, history, of_type
from worker_workflows import Steps


def test_a_run_is_counted_and_traced(swf_server: EmbeddedSwf, domain: str, run_worker: Callable[..., Any]) -> None:
    registry = CollectorRegistry()
    spans = InMemorySpanExporter()
    provider = TracerProvider(id_generator=RunIds())
    provider.add_span_processor(SimpleSpanProcessor(spans))
    observer = Observers(PrometheusObserver(registry), TracingObserver(provider.get_tracer("pyflow")))
    run_worker(Steps, observer=observer)
    client = swf_server.connection().client
    ids = start_workflow(domain, "Steps", "1", "t", input=json.dumps(5), client=client)
    wait_for_workflow(domain, ids["workflowId"], ids["runId"], client, timeout_s=30)

    def value(name: str, **labels: str) -> float:
        return registry.get_sample_value(f"pyflow_{name}", labels) or 0.0

    eventually(lambda: len(spans.get_finished_spans()) == 7, what="a span for each of six decisions, and the run's")
    assert value("decision_tasks_total", workflow="Steps", cache="miss") == 1
    assert value("decision_tasks_total", workflow="Steps", cache="hit") == 5
    assert value("decisions_total", workflow="Steps", decision="StartTimer") == 5
    assert value("decisions_total", workflow="Steps", decision="CompleteWorkflowExecution") == 1
    assert value("polls_total", task_list_kind="shared", result="task") == 1
    assert value("polls_total", task_list_kind="sticky", result="task") == 5
    assert value("decision_seconds_count", workflow="Steps") == 6

    finished = spans.get_finished_spans()
    started = of_type_ids(history(swf_server.connection(), domain, ids), "DecisionTaskStarted")
    run_id = ids["runId"]
    assert {span.context.trace_id for span in finished} == {trace_id_of(run_id)}
    assert [span.context.span_id for span in finished[:6]] == [span_id_of(run_id, event) for event in started]
    assert finished[6].context.span_id == span_id_of(run_id, 1)
    assert {span.parent.span_id for span in finished[:6] if span.parent} == {span_id_of(run_id, 1)}
    assert finished[6].parent is None


def of_type_ids(events: list[dict[str, Any]], event_type: str) -> list[int]:
    assert of_type(events, event_type)
    return [event["eventId"] for event in events if event["eventType"] == event_type]


def test_ids_are_stable() -> None:
    assert trace_id_of("run") == trace_id_of("run") != trace_id_of("run2")
    assert span_id_of("run", 1) != span_id_of("run", 2)
    assert 0 < span_id_of("run", 1) < 2**64
    assert 0 < trace_id_of("run") < 2**128
