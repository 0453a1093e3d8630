"""Logs: JSON lines on standard error, codes and digests only, never a payload (docs/architecture.md 6)."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import structlog
from structlog.typing import EventDict, WrappedLogger

from lianzhi.faults import fault_of

QUIET = ("aiormq", "aio_pika", "aiosqlite", "asyncio", "opentelemetry")
"""Libraries whose own log lines say what ours say already, with tracebacks for every lost link."""


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
    handler = logging.StreamHandler(sys.stderr) if file is None else logging.FileHandler(file, encoding="utf-8")
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
