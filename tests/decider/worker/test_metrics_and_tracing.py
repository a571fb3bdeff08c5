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
from pyflow.starter import signal_workflow, start_workflow, wait_for_workflow
from pyflow.tracing import RunIds, TracingObserver, span_id_of, trace_id_of
from worker_embedded import EmbeddedSwf, eventually, history, of_type
from worker_fault_proxy import THROTTLED, FaultProxy
from worker_workflows import ChangedWrongly, Changes, Steps


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


def test_throttles_and_holds_are_counted_and_traced(
    swf_server: EmbeddedSwf, proxy: FaultProxy, domain: str, run_worker: Callable[..., Any]
) -> None:
    registry = CollectorRegistry()
    spans = InMemorySpanExporter()
    provider = TracerProvider(id_generator=RunIds())
    provider.add_span_processor(SimpleSpanProcessor(spans))
    observer = Observers(PrometheusObserver(registry), TracingObserver(provider.get_tracer("pyflow")))
    client = swf_server.connection().client
    good = run_worker(Changes)
    ids = start_workflow(domain, "Changes", "1", "t", client=client)
    eventually(lambda: len(of_type(history(swf_server.connection(), domain, ids), "DecisionTaskCompleted")) == 2)
    good.stop()
    good.join()

    def value(name: str, **labels: str) -> float:
        return registry.get_sample_value(f"pyflow_{name}", labels) or 0.0

    run_worker(ChangedWrongly, Steps, endpoint_url=proxy.url, observer=observer)
    signal_workflow(domain, ids["workflowId"], "go", client=client)
    eventually(lambda: value("holds_total", kind="nondeterminism") == 1, what="the hold is counted")
    eventually(lambda: value("holds_total", kind="resting") >= 1, what="a task that comes while it rests is counted")
    held = [span for span in spans.get_finished_spans() if span.status.description == "held: nondeterminism"]
    assert [span.context.trace_id for span in held if span.context] == [trace_id_of(ids["runId"])]

    proxy.times(3, THROTTLED, "RespondDecisionTaskCompleted")
    steps = start_workflow(domain, "Steps", "1", "t", input=json.dumps(3), client=client)
    assert wait_for_workflow(domain, steps["workflowId"], steps["runId"], client, timeout_s=30).result == "3"
    assert value("call_failures_total", operation="RespondDecisionTaskCompleted", error="Throttled") == 3
    assert value("throttles_total") == 3


def of_type_ids(events: list[dict[str, Any]], event_type: str) -> list[int]:
    assert of_type(events, event_type)
    return [event["eventId"] for event in events if event["eventType"] == event_type]


def test_ids_are_stable() -> None:
    assert trace_id_of("run") == trace_id_of("run") != trace_id_of("run2")
    assert span_id_of("run", 1) != span_id_of("run", 2)
    assert 0 < span_id_of("run", 1) < 2**64
    assert 0 < trace_id_of("run") < 2**128
