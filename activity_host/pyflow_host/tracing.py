"""OpenTelemetry spans of tasks, joined with the decider's: trace and span ids are derived from run and event ids.

Needs the optional extra `pyflow-swf[tracing]`.
"""

from __future__ import annotations

import contextvars
import time

from pyflow_host.core.effects import Call, TaskEnded
from pyflow_host.core.traces import span_id_of, trace_id_of
from pyflow_host.errors import BadOptions

try:
    from opentelemetry import context as otel_context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
    from opentelemetry.trace import (
        NonRecordingSpan,
        SpanContext,
        SpanKind,
        Status,
        StatusCode,
        TraceFlags,
        set_span_in_context,
    )
except ImportError as error:
    raise BadOptions("Traces need OpenTelemetry: pip install 'pyflow-swf[tracing]'.") from error

NS_PER_S = 1_000_000_000
RUN_EVENT_ID = 1
"""The event that stands for the run's own span, the parent of all its activities."""

_next_span: contextvars.ContextVar[tuple[str, int] | None] = contextvars.ContextVar("host_next_span", default=None)


class TaskIds(IdGenerator):
    """Give it to the TracerProvider: derived ids for the spans of tasks, random ones for all others."""

    def __init__(self) -> None:
        self._random = RandomIdGenerator()

    def generate_span_id(self) -> int:
        """See IdGenerator."""
        derived = _next_span.get()
        return self._random.generate_span_id() if derived is None else span_id_of(*derived)

    def generate_trace_id(self) -> int:
        """See IdGenerator."""
        derived = _next_span.get()
        return self._random.generate_trace_id() if derived is None else trace_id_of(derived[0])


class TaskSpans:
    """Makes one span for each task when it has ended."""

    def __init__(self, provider: TracerProvider) -> None:
        self._tracer = provider.get_tracer("pyflow.host")

    def ended(self, end: TaskEnded, seconds: float) -> None:
        """SWF has the end of a task that the host had for `seconds`."""
        now_ns = time.time_ns()
        run = SpanContext(
            trace_id_of(end.run_id),
            span_id_of(end.run_id, RUN_EVENT_ID),
            is_remote=True,
            trace_flags=TraceFlags(TraceFlags.SAMPLED),
        )
        derived = _next_span.set((end.run_id, end.started_event_id))
        try:
            span = self._tracer.start_span(
                f"activity {end.fields['activity']}",
                context=set_span_in_context(NonRecordingSpan(run), otel_context.Context()),
                kind=SpanKind.CONSUMER,
                attributes={
                    **{f"swf.{name}": value for name, value in end.fields.items()},
                    "swf.attempt": end.attempt,
                    "swf.outcome": end.call.name.lower(),
                    "swf.reporter": end.reporter,
                },
                start_time=now_ns - int(seconds * NS_PER_S),
            )
        finally:
            _next_span.reset(derived)
        if end.call is Call.FAILED:
            span.set_status(Status(StatusCode.ERROR))
        span.end(now_ns)
