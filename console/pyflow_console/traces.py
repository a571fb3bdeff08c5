"""`--traces`: an OpenTelemetry exporter by its name, for the spans of deciders and activity hosts."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from pyflow_console.errors import BadArgument

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.sdk.trace.id_generator import IdGenerator

EXPORTERS = "opentelemetry_traces_exporter"
"""The entry points by which OpenTelemetry's own tools find exporters (OTEL_TRACES_EXPORTER)."""

OTLP = ("otlp_proto_http", "otlp_proto_grpc")
"""What `otlp` may mean, the first that is installed."""


def add_traces(parser: argparse.ArgumentParser) -> None:
    """Declare the option; `tracer_provider` reads it."""
    parser.add_argument(
        "--traces",
        metavar="EXPORTER",
        help="make OpenTelemetry spans and export them: otlp (set OTEL_EXPORTER_OTLP_ENDPOINT; needs pip install "
        "opentelemetry-exporter-otlp-proto-http), console, or any other installed exporter. Needs pip install "
        "'pyflow-swf[tracing]'",
    )


def tracer_provider(name: str, ids: Callable[[], IdGenerator], service: str) -> TracerProvider:
    """A provider that exports with the exporter of that name; `service` unless OTEL_SERVICE_NAME says otherwise.

    `ids` makes the generator that derives trace and span ids; it may import OpenTelemetry. Raises BadArgument.
    """
    try:
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise BadArgument("--traces needs OpenTelemetry: pip install 'pyflow-swf[tracing]'") from error
    resource = Resource.create({"service.name": service}).merge(OTELResourceDetector().detect())
    provider = TracerProvider(id_generator=ids(), resource=resource)
    provider.add_span_processor(BatchSpanProcessor(_exporter(name)))
    return provider


def _exporter(name: str) -> SpanExporter:
    installed = {found.name: found for found in entry_points(group=EXPORTERS)}
    found = next((installed[each] for each in (OTLP if name == "otlp" else (name,)) if each in installed), None)
    if found is None:
        hint = " Install it: pip install opentelemetry-exporter-otlp-proto-http." if name == "otlp" else ""
        offer = ", ".join(sorted(installed))
        raise BadArgument(f"--traces: no OpenTelemetry exporter {name!r} is installed.{hint} Installed: {offer}")
    try:
        exporter: SpanExporter = found.load()()
    except Exception as error:  # code of the exporter, which reads its own settings
        raise BadArgument(f"--traces: the exporter {name!r} cannot be made: {type(error).__name__}: {error}") from error
    return exporter
