"""Records to rows and back. The fields of a record are columns of the same name, in the same order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from sqlalchemy import Column, Table

from gateway.core.records import (
    DocumentRow,
    Event,
    IdempotencyRow,
    Measure,
    Message,
    OutboxRow,
    QuarantineRow,
    Request,
    Submission,
    Timer,
)
from gateway.store import tables
from gateway.store.columns import Instant, Json, json_text, micros

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

R = TypeVar("R", bound="DataclassInstance")
Values = tuple[Any, ...]


class Codec(Generic[R]):
    """One record class and its table.

    columns: to select, so that `read` fits. written: what an insert names (the database gives the row id).
    """

    def __init__(self, table: Table, record: Callable[..., R], **renamed: str) -> None:
        names = [renamed.get(f.name, f.name) for f in fields(record)]  # type: ignore[arg-type]
        self.table = table
        self.columns: list[Column[Any]] = [table.c[name] for name in names]
        self.written = [c for c in self.columns if c is not table.autoincrement_column]
        self._record = record
        written = {c.name for c in self.written}
        plain = [f.name for f in fields(record) if renamed.get(f.name, f.name) in written]  # type: ignore[arg-type]
        self._values: Callable[[R], Values] = attrgetter(*plain)
        self._converted = [(i, _to_driver(c)) for i, c in enumerate(self.written) if _to_driver(c) is not None]

    def read(self, row: Iterable[Any]) -> R:
        return self._record(*row)

    def write(self, record: R) -> Values:
        """The values of `written`, as both drivers take them: no per-value work inside SQLAlchemy."""
        values = list(self._values(record))
        for index, convert in self._converted:
            if values[index] is not None:
                values[index] = convert(values[index])  # type: ignore[misc]
        return tuple(values)

    def rows(self, records: Sequence[R]) -> list[Values]:
        return [self.write(record) for record in records]


def _to_driver(column: Column[Any]) -> Callable[[Any], Any] | None:
    if isinstance(column.type, Instant):
        return micros
    return json_text if isinstance(column.type, Json) else None


REQUEST = Codec(tables.requests, Request)
MESSAGE = Codec(tables.messages, Message)
SUBMISSION = Codec(tables.submissions, Submission)
OUTBOX = Codec(tables.outbox, OutboxRow, next_at="due_at")
TIMER = Codec(tables.timers, Timer)
MEASURE = Codec(tables.measures, Measure)
DOCUMENT = Codec(tables.documents, DocumentRow)
QUARANTINE = Codec(tables.quarantine, QuarantineRow)
IDEMPOTENCY = Codec(tables.idempotency, IdempotencyRow)
EVENT = Codec(tables.events, Event)
