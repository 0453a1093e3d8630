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
    """One record class and its table. renamed: field → column, where they differ.

    columns: to select, so that `read` fits. written: what an insert names (the database gives the row id).
    """

    def __init__(self, table: Table, record: Callable[..., R], **renamed: str) -> None:
        self._field = {renamed.get(f.name, f.name): f.name for f in fields(record)}  # type: ignore[arg-type]
        self._record = record
        self.columns: list[Column[Any]] = [table.c[name] for name in self._field]
        self.written = [c for c in self.columns if c is not table.autoincrement_column]

    def read(self, row: Iterable[Any]) -> R:
        return self._record(*row)

    def writer(self, columns: Sequence[Column[Any]]) -> Callable[[R], Values]:
        """record → its values for `columns`, as both drivers take them: SQLAlchemy touches no value."""
        get: Callable[[R], Values] = attrgetter(*(self._field[c.name] for c in columns))
        converted = [(i, convert) for i, c in enumerate(columns) if (convert := _to_driver(c)) is not None]

        def write(record: R) -> Values:
            values = list(get(record))
            for index, convert in converted:
                if values[index] is not None:
                    values[index] = convert(values[index])
            return tuple(values)

        return write


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
