"""OpenTelemetry's exporter: OTLP over HTTP. Only `lianzhi.spans` imports this, and only where traces are configured.

Its tracer makes the spans, under the ids and times that ours have; there is one thread that calls it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

from lianzhi.protocol.tracing import Span, TraceContext

_KINDS = {kind.name.lower(): kind for kind in trace.SpanKind}


class OtlpExporter:
    """url: of the collector. timeout: seconds for one export, with its retries."""

    def __init__(self, url: str, resource: dict[str, str], timeout: float) -> None:
        self._ids, self._made = _Given(), _Collect()
        provider = TracerProvider(
            ALWAYS_ON, Resource.create(dict(resource)), shutdown_on_exit=False, id_generator=self._ids
        )
        provider.add_span_processor(self._made)
        self._tracer = provider.get_tracer("lianzhi")
        self._exporter = OTLPSpanExporter(url, timeout=timeout)
        # Its lines repeat what the collector answered, one for each try; `spans` says in counts what was lost.
        logging.getLogger("opentelemetry.exporter").setLevel(logging.CRITICAL)

    def export(self, spans: Sequence[Span]) -> bool:
        """Whether the collector took them."""
        self._made.ended = []
        for span in spans:
            self._make(span)
        return self._exporter.export(self._made.ended) is SpanExportResult.SUCCESS

    def _make(self, span: Span) -> None:
        self._ids.context = span.context
        within = Context()
        if span.parent is not None:
            within = trace.set_span_in_context(trace.NonRecordingSpan(_context(span.parent)), within)
        links = [trace.Link(_context(link)) for link in span.links]
        made = self._tracer.start_span(
            span.name, within, _KINDS[span.kind], dict(span.attributes), links, start_time=span.started
        )
        if span.error is not None:
            made.set_attribute("error.type", span.error)
            made.set_status(trace.StatusCode.ERROR)
        made.end(span.ended)

    def shutdown(self) -> None:
        """Ends an export that is under way."""
        self._exporter.shutdown()  # type: ignore[no-untyped-call]


class _Given(IdGenerator):
    """The ids of the span that is being made."""

    context: TraceContext

    def generate_trace_id(self) -> int:
        return int(self.context.trace_id, 16)

    def generate_span_id(self) -> int:
        return int(self.context.span_id, 16)


class _Collect(SpanProcessor):
    def __init__(self) -> None:
        self.ended: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        self.ended.append(span)


def _context(context: TraceContext) -> trace.SpanContext:
    flags = trace.TraceFlags(trace.TraceFlags.SAMPLED if context.sampled else trace.TraceFlags.DEFAULT)
    return trace.SpanContext(int(context.trace_id, 16), int(context.span_id, 16), is_remote=True, trace_flags=flags)
