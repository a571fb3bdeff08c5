"""OpenTelemetry spans of a decider. Needs the optional extra `pyflow-swf[tracing]`.

    provider = TracerProvider(id_generator=RunIds())       ids derived from run and event ids
    Decider(..., observer=TracingObserver(provider.get_tracer("pyflow")))

Trace and span ids are derived from the execution's run id and from event ids, so every process that takes part in a
run (deciders, activity hosts, consoles) names the same trace and the same spans without passing anything along.
"""

from __future__ import annotations

import contextvars
import hashlib
import time
from collections import OrderedDict
from collections.abc import Sequence

from pyflow.deciding.maker import Decided
from pyflow.deciding.observer import Observer
from pyflow.deciding.task import DecisionTask

try:
    from opentelemetry import context as otel_context
    from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
    from opentelemetry.trace import (
        NonRecordingSpan,
        SpanContext,
        SpanKind,
        Status,
        StatusCode,
        TraceFlags,
        Tracer,
        set_span_in_context,
    )
except ImportError as error:
    raise ImportError("pyflow.tracing needs OpenTelemetry: pip install 'pyflow-swf[tracing]'") from error

__all__ = ["RunIds", "TracingObserver", "span_id_of", "trace_id_of"]

NS_PER_S = 1_000_000_000
RUNS_REMEMBERED_MAX = 100_000
"""Open runs whose beginning is remembered for their span; the oldest is forgotten beyond."""

_next_span: contextvars.ContextVar[tuple[str, int] | None] = contextvars.ContextVar("pyflow_next_span", default=None)


def trace_id_of(run_id: str) -> int:
    """The trace of a run: 128 bits, never 0."""
    return _digest("trace", run_id, 16)


def span_id_of(run_id: str, event_id: int) -> int:
    """The span that an event of a run stands for (1 is the run itself): 64 bits, never 0."""
    return _digest("span", f"{run_id}#{event_id}", 8)


class RunIds(IdGenerator):
    """Derived ids for spans that `TracingObserver` begins, random ones for all others."""

    def __init__(self) -> None:
        self._random = RandomIdGenerator()

    def generate_span_id(self) -> int:
        """See `IdGenerator.generate_span_id`."""
        derived = _next_span.get()
        return span_id_of(*derived) if derived is not None else self._random.generate_span_id()

    def generate_trace_id(self) -> int:
        """See `IdGenerator.generate_trace_id`."""
        derived = _next_span.get()
        return trace_id_of(derived[0]) if derived is not None else self._random.generate_trace_id()


class TracingObserver(Observer):
    """Makes one span of each decision task, named by the task's DecisionTaskStarted, and one of the run as it closes.

    The run's span (`span_id_of(run_id, 1)`) is the parent of all. It is made when the closing decision is answered,
    and begins at the first event; a process that closes a run without having seen its first event (it was in the
    cache) knows that time from the decision before, which is why starts are remembered for open runs.
    """

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._began: OrderedDict[str, float] = OrderedDict()

    def answered(self, task: DecisionTask, decided: Decided, *, seconds: float) -> None:
        """See `Observer.answered`."""
        kinds = [str(decision["decisionType"]) for decision in decided.decisions]
        self._span(task, seconds, cache="hit" if decided.from_cache else "miss", decisions=kinds)
        if task.events[0]["eventId"] == 1:
            self._began[task.run_id] = float(task.events[0]["eventTimestamp"])
            if len(self._began) > RUNS_REMEMBERED_MAX:
                self._began.popitem(last=False)
        if decided.closed:
            self._run_span(task, kinds[-1])

    def _run_span(self, task: DecisionTask, how: str) -> None:
        began_s = self._began.pop(task.run_id, None)
        if began_s is None:
            return
        token = _next_span.set((task.run_id, 1))
        try:
            span = self._tracer.start_span(
                f"run {task.workflow_type[0]}",
                context=otel_context.Context(),
                attributes={"swf.domain": task.domain, "swf.workflow_id": task.workflow_id, "swf.run_id": task.run_id},
                start_time=int(began_s * NS_PER_S),
            )
        finally:
            _next_span.reset(token)
        if how == "FailWorkflowExecution":
            span.set_status(Status(StatusCode.ERROR, how))
        span.end()

    def not_answered(self, task: DecisionTask, kind: str) -> None:
        """See `Observer.not_answered`."""
        self._span(task, 0.0, failure=kind)

    def held(self, task: DecisionTask, kind: str) -> None:
        """See `Observer.held`."""
        self._span(task, 0.0, failure=f"held: {kind}")

    def _span(
        self,
        task: DecisionTask,
        seconds: float,
        *,
        cache: str = "",
        decisions: Sequence[str] = (),
        failure: str = "",
    ) -> None:
        end_ns = time.time_ns()
        run = SpanContext(
            trace_id=trace_id_of(task.run_id),
            span_id=span_id_of(task.run_id, 1),
            is_remote=True,
            trace_flags=TraceFlags(TraceFlags.SAMPLED),
        )
        attributes: dict[str, str | int | Sequence[str]] = {
            "swf.domain": task.domain,
            "swf.workflow_id": task.workflow_id,
            "swf.run_id": task.run_id,
            "swf.workflow_type": f"{task.workflow_type[0]} {task.workflow_type[1]}",
            "swf.started_event_id": task.started_event_id,
            "pyflow.decisions": list(decisions),
        }
        if cache:
            attributes["pyflow.cache"] = cache
        token = _next_span.set((task.run_id, task.started_event_id))
        try:
            span = self._tracer.start_span(
                f"decide {task.workflow_type[0]}",
                context=set_span_in_context(NonRecordingSpan(run), otel_context.Context()),
                kind=SpanKind.CONSUMER,
                attributes=attributes,
                start_time=end_ns - int(seconds * NS_PER_S),
            )
        finally:
            _next_span.reset(token)
        if failure:
            span.set_status(Status(StatusCode.ERROR, failure))
        span.end(end_ns)


def _digest(kind: str, text: str, size: int) -> int:
    return int.from_bytes(hashlib.blake2b(f"{kind}:{text}".encode(), digest_size=size).digest(), "big") or 1
