"""Spans of a court system: what it submits, and what it reads of its feed (docs/adr/0051)."""

from __future__ import annotations

from time import time_ns
from typing import Any

from lianzhi.client.problems import ProblemError
from lianzhi.protocol.envelope import Envelope, is_request_no
from lianzhi.protocol.tracing import Span, Tracer, about, parse_traceparent


class Submitting:
    """One thing that is said to the gateway, from the first attempt to the answer. All attempts are one span: which of
    them was accepted, nobody here knows."""

    def __init__(self, tracer: Tracer, path: str) -> None:
        self._tracer = tracer
        self._path = path
        self._started = time_ns()
        self._attempts = 0
        self._context = tracer.begin(None)

    def header(self) -> str:
        """`traceparent` of the next attempt."""
        self._attempts += 1
        return str(self._context)

    def end(self, status: int, document: Any, problem: ProblemError | None) -> None:
        """document: the gateway's JSON, which names the request."""
        attributes: dict[str, str | int] = {
            "http.request.method": "POST",
            "http.response.status_code": status,
            "http.request.resend_count": self._attempts - 1,
        }
        number = document.get("request_no") if isinstance(document, dict) else None
        if isinstance(number, str) and is_request_no(number):
            attributes["lianzhi.request_no"] = number
        route = "/".join("{no}" if is_request_no(part) else part for part in self._path.split("/"))
        error = None if problem is None else problem.code
        self._tracer.record(
            Span(f"POST {route}", "client", self._context, None, self._started, time_ns(), attributes, error)
        )


def read(tracer: Tracer, envelope: Envelope, started: int) -> None:
    """A message of the feed was verified and opened."""
    matter, verb = envelope.matter_type, envelope.verb
    message = about(
        request_no=envelope.subject, matter_type=matter, verb=verb, partner=envelope.sender, message_id=envelope.id
    )
    parent = parse_traceparent(envelope.traceparent)
    span = Span(f"read {matter}.{verb}", "consumer", tracer.begin(parent), parent, started, time_ns(), message)
    tracer.record(span)
