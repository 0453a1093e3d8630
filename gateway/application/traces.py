"""Spans of the use cases: a message that is made, a message that was taken in (docs/adr/0051).

One request, one trace: its context is that of the POST, or of the partner's message, by which it began, and stands in
its facts. Each message of ours is a span in it, whose context the message carries on. What the clock makes days later,
and what a partner answers that traces nothing itself, belongs there too.
"""

from __future__ import annotations

from collections.abc import Mapping

from gateway.core.records import Message, Request
from lianzhi.protocol.envelope import Envelope
from lianzhi.protocol.tracing import (
    Attributes,
    Making,
    TraceContext,
    Tracer,
    about,
    parse_traceparent,
    processed,
)
from lianzhi.protocol.verbs import VERBS


def trace_of(request: Request) -> TraceContext | None:
    """None: it began while nothing was traced."""
    return parse_traceparent(request.facts.get("trace"))


def making(tracer: Tracer, request: Request) -> Making:
    """A message of ours in `request`; the first one begins its trace where it has none."""
    parent = trace_of(request)
    made = Making(tracer, parent)
    if parent is None:
        request.facts["trace"] = str(made.context)
    return made


def tell_made(made: Making, request: Request, message: Message, cause: TraceContext | None) -> None:
    """cause: the POST that said it, linked where it has a trace of its own."""
    said = about(
        request_no=request.request_no,
        matter_type=request.type,
        verb=message.verb,
        partner=message.receiver,
        message_id=message.id,
    )
    apart = cause is not None and cause.trace_id != made.context.trace_id
    made.made(request.type, message.verb, said, [cause] if cause is not None and apart else ())


def taken_in(
    tracer: Tracer,
    *,
    queue: str,
    owner: str,
    started: int,
    envelope: Envelope | None,
    requests: Mapping[str, Request],
    error: str | None,
) -> None:
    """One delivery, after its commit. envelope: verified, else None: then nothing that its sender wrote is believed,
    and the span begins a trace of its own. error: the reason for which it was refused."""
    request = None if envelope is None else requests.get(envelope.subject)
    parent = None if envelope is None else parse_traceparent(envelope.traceparent)
    if parent is None and request is not None:
        parent = trace_of(request)
    attributes: Attributes = {"lianzhi.partner": owner}
    if envelope is not None and request is not None:
        verb = envelope.verb if envelope.verb in VERBS else "unknown"
        attributes = about(
            request_no=request.request_no,
            matter_type=request.type,
            verb=verb,
            partner=owner,
            message_id=envelope.id,
        )
    processed(tracer, queue, started, parent, attributes, error)
