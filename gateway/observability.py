"""Logs: JSON lines on standard error, codes and digests only, never a payload (docs/architecture.md 6)."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TextIO

import structlog
from structlog.typing import EventDict, WrappedLogger

from lianzhi.faults import fault_of

QUIET = ("aiormq", "aio_pika", "aiosqlite", "asyncio", "opentelemetry")
"""Libraries whose own log lines say what ours say already, with tracebacks for every lost link."""

ALIVE_SECONDS = 900.0
"""There is a line at least so often: without one for longer, the log has stopped, whatever else is still."""


class CountingHandler(logging.StreamHandler[TextIO]):
    """Writes lines and counts them, by level, and those that it could not write: a full disk, a log service that is
    gone. Such a failure is never told on standard error, which is mostly where it happened."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self.lines: Counter[str] = Counter(dict.fromkeys(("info", "warning", "error"), 0))
        self.failures = 0
        self._written = time.monotonic()

    @property
    def age(self) -> float:
        """Seconds since the last line was written; before the first, since the beginning."""
        return time.monotonic() - self._written

    def emit(self, record: logging.LogRecord) -> None:
        failures = self.failures
        super().emit(record)
        if self.failures == failures:
            self.lines[record.levelname.lower()] += 1
            self._written = time.monotonic()

    def close(self) -> None:
        """With the file, where it writes to one."""
        if self.stream is not sys.stderr:
            self.stream.close()
        super().close()

    def handleError(self, record: logging.LogRecord) -> None:
        """Called by `emit` in place of raising."""
        self.failures += 1


def log_state() -> CountingHandler | None:
    """Of the log as it is configured now; None: somebody else has configured it."""
    return next((one for one in logging.getLogger().handlers if isinstance(one, CountingHandler)), None)


async def alive(stop: asyncio.Event) -> None:
    """A line now and every `ALIVE_SECONDS`, until `stop`."""
    log = structlog.get_logger("lianzhi")
    while not stop.is_set():
        log.info("alive")
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), ALIVE_SECONDS)


def configure_logging(*, pretty: bool = False, level: int = logging.INFO, file: Path | None = None) -> None:
    """pretty: for a person at a terminal; else JSON. file: instead of standard error. Our own standard-library loggers
    go the same way."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if pretty
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    handler = CountingHandler(sys.stderr if file is None else file.open("a", encoding="utf-8"))
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, faults_by_place, renderer],
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )


def faults_by_place(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Whoever logs an exception (`exc_info=…`), also a library: its type and place go out, its text does not."""
    given = event.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event.update(fault_of(error))
    return event
