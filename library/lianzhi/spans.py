"""Spans on their way out of this process: a bounded queue, a thread of its own, and where to (docs/handbook/traces.md).

A collector that is slow or away costs spans, never a message: whoever writes one does not wait, and no error comes
back. OpenTelemetry is imported when a tracer is opened, so that nobody pays for it who has not configured it.
"""

from __future__ import annotations

import asyncio
import logging
import re
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from lianzhi.errors import ConfigurationError
from lianzhi.faults import kind_of
from lianzhi.protocol.tracing import Span, TraceContext, next_context

_log = logging.getLogger(__name__)

QUEUE = 10_000
"""Spans that may wait."""
BATCH = 500
EVERY_SECONDS = 1.0
EXPORT_SECONDS = 10.0
CLOSE_SECONDS = 3.0
TOLD_EVERY = 60
"""Rounds of `EVERY_SECONDS` between two lines in the log about spans that were lost."""
PATH = "/v1/traces"
_SERVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", re.ASCII)

Wrong = tuple[str, str]
"""What is wrong, in Chinese and English."""
_NO_URL = (
    "须为采集器的 http:// 或 https:// 地址（OTLP/HTTP，常用端口 4318）",
    "must be the collector's http:// or https:// URL (OTLP over HTTP, usually port 4318)",
)


@dataclass(frozen=True, slots=True)
class TracingSettings:
    """endpoint: of the collector, OTLP over HTTP; without a path it is `/v1/traces`. service: our name there. ratio: of
    all traces, from 0 to 1, that are written."""

    endpoint: str
    service: str
    ratio: float = 1.0

    @property
    def url(self) -> str:
        parts = urlsplit(self.endpoint)
        return self.endpoint if parts.path not in ("", "/") else f"{parts.scheme}://{parts.netloc}{PATH}"


def wrong_endpoint(text: str) -> Wrong | None:
    """What is wrong with the address of a collector."""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return _NO_URL
    if parts.scheme not in ("http", "https") or not host or not text.isascii() or not text.isprintable() or " " in text:
        return _NO_URL
    if "@" in parts.netloc:
        return (
            "地址中不写用户和密码；需要凭证时用环境变量 OTEL_EXPORTER_OTLP_HEADERS",
            "no user and password in the URL: a credential goes into OTEL_EXPORTER_OTLP_HEADERS",
        )
    if parts.query or parts.fragment:
        return "地址不带参数", "the URL has no parameters"
    return None


def wrong_service(text: str) -> Wrong | None:
    if _SERVICE.fullmatch(text):
        return None
    return "须为字母、数字、点、下划线、连字符，至多 63 个", "must be up to 63 letters, digits, dots, - and _"


def wrong_ratio(value: float) -> Wrong | None:
    return None if 0 <= value <= 1 else ("须为 0 至 1 的数", "must be a number from 0 to 1")


class Exporter(Protocol):
    """One thread calls it."""

    def export(self, spans: Sequence[Span]) -> bool:
        """Whether they were taken; may take `EXPORT_SECONDS`."""
        ...

    def shutdown(self) -> None:
        """Ends an export that is under way; called by another thread."""
        ...


def open_tracer(settings: TracingSettings, participant: str) -> ExportingTracer:
    """participant: whose process this is. Raises ConfigurationError where OpenTelemetry is not installed."""
    try:
        from lianzhi.otel import OtlpExporter
    except ImportError as error:
        raise ConfigurationError(
            "[tracing]：未安装 OpenTelemetry，请安装 lianzhi[otel]（网关为 lianzhi-gateway[otel]），或去掉 [tracing]。"
            " OpenTelemetry is not installed: install lianzhi[otel] (lianzhi-gateway[otel] for the gateway), or leave"
            " [tracing] out."
        ) from error
    resource = {"service.name": settings.service, "lianzhi.participant": participant}
    return ExportingTracer(OtlpExporter(settings.url, resource, EXPORT_SECONDS), settings.ratio)


class ExportingTracer:
    """`protocol.tracing.Tracer`, safe from several threads. room: how many spans may wait."""

    def __init__(self, exporter: Exporter, ratio: float, *, room: int = QUEUE) -> None:
        self._exporter = exporter
        self._ratio = ratio
        self._room = room
        self._waiting: deque[Span] = deque()
        self._counts = {"exported": 0, "dropped": 0, "failed": 0}
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._told = (0, 0)
        self._thread: threading.Thread | None = None

    def begin(self, parent: TraceContext | None) -> TraceContext:
        return next_context(parent, self._ratio)

    def record(self, span: Span) -> None:
        if not span.context.sampled:
            return
        if self._thread is None:
            self._start()
        if len(self._waiting) >= self._room:
            with self._lock:
                self._counts["dropped"] += 1
        else:
            self._waiting.append(span)

    def counts(self) -> Mapping[str, int]:
        return dict(self._counts)

    async def close(self) -> None:
        """Exports what is left, `CLOSE_SECONDS` long."""
        self._closing.set()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join, CLOSE_SECONDS)
        self._exporter.shutdown()

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="spans", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        rounds = 0
        while not self._closing.wait(EVERY_SECONDS):
            self._export()
            rounds += 1
            if rounds % TOLD_EVERY == 0:
                self._tell()
        self._export()
        self._counts["failed"] += len(self._waiting)
        self._tell()

    def _export(self) -> None:
        """Everything that waits. Where the collector takes nothing the rest waits for the next round."""
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            if not self._taken(batch):
                self._counts["failed"] += len(batch)
                return
            self._counts["exported"] += len(batch)

    def _taken(self, batch: Sequence[Span]) -> bool:
        try:
            return self._exporter.export(batch)
        except Exception as error:  # whatever the exporter trips over: the next batch is another one
            _log.error("spans cannot be exported: %s", kind_of(error))
            return False

    def _tell(self) -> None:
        lost = self._counts["dropped"], self._counts["failed"]
        if lost != self._told:
            _log.warning("spans lost so far: %d had no room, %d were not taken by the collector", *lost)
            self._told = lost
