"""A collector of traces: takes OTLP over HTTP, and gives what it was told, span by span."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")


@dataclass(frozen=True, slots=True)
class Seen:
    """One span. service, participant: of the process that wrote it. parent: "" for the first of its trace."""

    service: str
    participant: str
    name: str
    kind: str
    trace_id: str
    span_id: str
    parent: str
    started: int
    ended: int
    attributes: dict[str, Any]
    links: tuple[str, ...]
    failed: bool


@dataclass(slots=True)
class Collector:
    """hangs: it answers nothing. status: of its answers."""

    endpoint: str = ""
    hangs: bool = False
    status: int = 200
    bodies: list[bytes] = field(default_factory=list)
    spans: list[Seen] = field(default_factory=list)
    asked: int = 0

    async def take(self, request: web.Request) -> web.Response:
        self.asked += 1
        if self.hangs:
            await asyncio.Event().wait()
        body = await request.read()
        if self.status == 200:
            self.bodies.append(body)
            self.spans += seen(body)
        return web.Response(
            status=self.status,
            body=ExportTraceServiceResponse().SerializeToString(),
            content_type="application/x-protobuf",
        )

    def of(self, request_no: str) -> list[Seen]:
        return [span for span in self.spans if span.attributes.get("lianzhi.request_no") == request_no]


def seen(body: bytes) -> list[Seen]:
    told = ExportTraceServiceRequest.FromString(body)
    found = []
    for group in told.resource_spans:
        resource = values(group.resource.attributes)
        for scope in group.scope_spans:
            found += [
                Seen(
                    resource["service.name"],
                    resource["lianzhi.participant"],
                    span.name,
                    KINDS[span.kind],
                    span.trace_id.hex(),
                    span.span_id.hex(),
                    span.parent_span_id.hex(),
                    span.start_time_unix_nano,
                    span.end_time_unix_nano,
                    values(span.attributes),
                    tuple(link.trace_id.hex() for link in span.links),
                    span.status.code == 2,
                )
                for span in scope.spans
            ]
    return found


def values(attributes: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}


@asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    """On a free port of loopback until the block is left."""
    collector = Collector()
    app = web.Application()
    app.router.add_post("/v1/traces", collector.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        collector.endpoint = f"http://{host}:{port}"
        yield collector
    finally:
        await runner.cleanup()
