"""The span of one POST at the API, and the context that what it makes continues (docs/adr/0051).

`traceparent` of the caller, where it is well-formed, decides under which trace the call is filed, and nothing else;
`tracestate` is not read. Calls that only read are not traced: long polls would be most of all spans.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from time import time_ns

from aiohttp import hdrs, web

from lianzhi.protocol.envelope import is_request_no
from lianzhi.protocol.tracing import TRACEPARENT, Span, TraceContext, Tracer, parse_traceparent


@dataclass(slots=True)
class TracedCall:
    """A POST that is being answered."""

    tracer: Tracer
    parent: TraceContext | None
    context: TraceContext = field(init=False)
    started: int = field(default_factory=time_ns)

    def __post_init__(self) -> None:
        self.context = self.tracer.begin(self.parent)

    def answered(self, route: str, response: web.StreamResponse, code: str | None, caller: str) -> None:
        """route: the pattern of the address. code: of a refusal. caller: the client's name."""
        attributes: dict[str, str | int] = {
            "http.request.method": hdrs.METH_POST,
            "http.route": route,
            "http.response.status_code": response.status,
            "lianzhi.client": caller,
        }
        number = response.headers.get(hdrs.LOCATION, "").removeprefix("/v1/requests/").partition("/")[0]
        if is_request_no(number):
            attributes["lianzhi.request_no"] = number
        self.tracer.record(
            Span(f"POST {route}", "server", self.context, self.parent, self.started, time_ns(), attributes, code)
        )


TRACED = web.RequestKey("traced", TracedCall)


def begin(request: web.Request, tracer: Tracer) -> TracedCall | None:
    """None for a call that is not traced."""
    if request.method != hdrs.METH_POST:
        return None
    given = request.headers.getall(TRACEPARENT, ())
    request[TRACED] = call = TracedCall(tracer, parse_traceparent(given[0] if len(given) == 1 else None))
    return call
