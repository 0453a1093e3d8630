"""The trace of a request: W3C Trace Context, what a span tells, and the port by which spans leave (docs/adr/0051).

A message carries the context of the span that made it in `traceparent` (docs/contracts.md 3.1), inside the signed
envelope. Whoever resends stored bytes, or answers days later in another process, finds the trace in them; nothing of
it is kept anywhere else. A context that somebody else wrote decides under which ids a span is filed, and nothing more:
whether it is written at all each side decides by its own ratio of the trace's id, never by the flag.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import time_ns
from typing import Literal, Protocol

from lianzhi.crypto import base64url

TRACEPARENT = "traceparent"
"""The HTTP header, and the member of the envelope."""
SYSTEM = "rabbitmq"

Kind = Literal["internal", "server", "client", "producer", "consumer"]
Attributes = Mapping[str, str | int]

# W3C Trace Context, 3.2.2: lower-case hexadecimal; a version after ours may have more behind the flags.
_FORM = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)
_LONGEST = 256
_SAMPLED = 0x01
_HALF = 1 << 64


@dataclass(frozen=True, slots=True)
class TraceContext:
    """trace_id: 32, span_id: 16 digits, hexadecimal, not all zero. sampled: whether that span was written."""

    trace_id: str
    span_id: str
    sampled: bool

    def __str__(self) -> str:
        """As `traceparent` has it, version 00."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"


def parse_traceparent(text: str | None) -> TraceContext | None:
    """None for what is none: W3C Trace Context 4.3 begins a new trace then."""
    if text is None or len(text) > _LONGEST or (found := _FORM.fullmatch(text)) is None:
        return None
    version, trace_id, span_id, flags, more = found.groups()
    if version == "ff" or (version == "00" and more is not None):
        return None
    if not int(trace_id, 16) or not int(span_id, 16):
        return None
    return TraceContext(trace_id, span_id, bool(int(flags, 16) & _SAMPLED))


def is_written(trace_id: str, ratio: float) -> bool:
    """Whether spans of this trace are written where so many of all traces are. One answer everywhere for one ratio, and
    what a smaller ratio takes a larger one takes too (OpenTelemetry's TraceIdRatioBased)."""
    return int(trace_id[16:], 16) < ratio * _HALF


def next_context(parent: TraceContext | None, ratio: float) -> TraceContext:
    """Of a new span: in the parent's trace, else in a new one."""
    trace_id = parent.trace_id if parent is not None else _new_id(16)
    return TraceContext(trace_id, _new_id(8), is_written(trace_id, ratio))


def _new_id(size: int) -> str:
    """Hexadecimal, not all zero."""
    while not any(raw := os.urandom(size)):
        pass
    return raw.hex()


@dataclass(frozen=True, slots=True)
class Span:
    """One piece of work that is over. started, ended: nanoseconds since 1970. attributes: codes and numbers, never a
    payload, a name or a number of a person's. error: a code; None: it went well. links: other traces that it is about.
    """

    name: str
    kind: Kind
    context: TraceContext
    parent: TraceContext | None
    started: int
    ended: int
    attributes: Attributes
    error: str | None = None
    links: tuple[TraceContext, ...] = ()


class Tracer(Protocol):
    """What a side writes its spans with (`lianzhi.otel`); where there is none, nothing is traced."""

    def begin(self, parent: TraceContext | None) -> TraceContext:
        """The context of a new span."""
        ...

    def record(self, span: Span) -> None:
        """Never waits and never raises: what there is no room for is dropped and counted."""
        ...

    def counts(self) -> Mapping[str, int]:
        """What became of the spans so far: `exported`, `dropped` (no room), `failed` (nobody took them)."""
        ...

    async def close(self) -> None:
        """Exports what is left, for a moment."""
        ...


# --- what spans say of a message (OpenTelemetry semantic conventions, messaging; ours begin with `lianzhi.`)


def operation(name: str, *, type: str, destination: str | None = None) -> dict[str, str | int]:
    """type: `create`, `send`, `process`. destination: an exchange or a queue."""
    said: dict[str, str | int] = {
        "messaging.system": SYSTEM,
        "messaging.operation.name": name,
        "messaging.operation.type": type,
    }
    if destination is not None:
        said["messaging.destination.name"] = destination
    return said


def about(*, request_no: str, matter_type: str, verb: str, partner: str, message_id: str) -> dict[str, str | int]:
    """The message, of a verified envelope or of one of ours. partner: the participant at the other end."""
    return {
        "messaging.message.id": message_id,
        "messaging.message.conversation_id": request_no,
        "lianzhi.request_no": request_no,
        "lianzhi.type": matter_type,
        "lianzhi.verb": verb,
        "lianzhi.partner": partner,
    }


class Making:
    """A message of ours that is being made. context: what it carries in `traceparent`."""

    def __init__(self, tracer: Tracer, parent: TraceContext | None) -> None:
        self._tracer = tracer
        self._parent = parent
        self._started = time_ns()
        self.context = tracer.begin(parent)

    def made(self, matter_type: str, verb: str, message: Attributes, links: Sequence[TraceContext] = ()) -> None:
        """message: `about` it."""
        span = Span(
            f"create {matter_type}.{verb}",
            "producer",
            self.context,
            self._parent,
            self._started,
            time_ns(),
            {**operation("create", type="create"), **message},
            links=tuple(links),
        )
        self._tracer.record(span)


def processed(
    tracer: Tracer, queue: str, started: int, parent: TraceContext | None, message: Attributes, error: str | None
) -> None:
    """A message was taken off `queue`, and what came of it is committed. error: the reason for which it was refused."""
    attributes = {**operation("process", type="process", destination=queue), **message}
    tracer.record(
        Span(f"process {queue}", "consumer", tracer.begin(parent), parent, started, time_ns(), attributes, error)
    )


def signed_in(body: bytes) -> tuple[TraceContext, dict[str, str | int]] | None:
    """The context that a message carries, and what is to be said of it; None where it carries none. Nothing is
    verified: only for bytes that we wrote, or verified before we stored them."""
    try:
        event = json.loads(base64url.decode(body.split(b".", 2)[1].decode("ascii")))
        context = parse_traceparent(event.get(TRACEPARENT))
        if context is None:
            return None
        _, matter_type = event["type"].split(".", 1)
        matter_type, _, verb = matter_type.rpartition(".")
        return context, about(
            request_no=event["subject"],
            matter_type=matter_type,
            verb=verb,
            partner=event["receiver"],
            message_id=event["id"],
        )
    except (ValueError, LookupError, TypeError, AttributeError):
        return None
