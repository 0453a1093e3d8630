"""Records to rows and back. The fields of a record are columns of the same name, in the same order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic_core import from_json
from sqlalchemy import Boolean, Column, Table
from sqlalchemy.types import TypeEngine

from gateway.core.records import (
    ApprovalRow,
    CalendarYear,
    CaseDebt,
    CourtFigure,
    DocumentRow,
    DutyShift,
    EarlyMessage,
    Event,
    Held,
    IdempotencyRow,
    LedgerLine,
    Measure,
    MeasureStep,
    Message,
    OutboxRow,
    Page,
    PartnerClock,
    PartnerVersion,
    PausedRoute,
    QuarantineRow,
    Release,
    ReleaseItem,
    Request,
    SubjectUse,
    Submission,
    Timer,
)
from gateway.core.recovery.forgotten import Forgotten
from gateway.store import tables
from gateway.store.columns import Instant, Json, json_text, micros, moment

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

R = TypeVar("R", bound="DataclassInstance")
Values = tuple[Any, ...]


class Codec(Generic[R]):
    """One record class and its table. renamed: field → column, where they differ.

    columns: to select, so that `read` fits. written: what an insert names (the database gives the row id).
    """

    def __init__(self, table: Table, record: Callable[..., R], **renamed: str) -> None:
        self.field_of = {renamed.get(f.name, f.name): f.name for f in fields(record)}  # type: ignore[arg-type]
        self.record = record
        self.columns: list[Column[Any]] = [table.c[name] for name in self.field_of]
        self.written = [c for c in self.columns if c is not table.autoincrement_column]
        self._from_driver = _conversions(self.columns, FROM_DRIVER)

    def read(self, row: Iterable[Any]) -> R:
        """The record of a row of `columns`."""
        return self.record(*_converted(row, self._from_driver))

    def writer(self, columns: Sequence[Column[Any]]) -> Callable[[R], Values]:
        """record → its values for `columns`, as both drivers take them."""
        get: Callable[[R], Values] = attrgetter(*(self.field_of[c.name] for c in columns))
        to_driver = _conversions(columns, TO_DRIVER)
        return lambda record: tuple(_converted(get(record), to_driver))


Conversions = list[tuple[int, Callable[[Any], Any]]]
TO_DRIVER: dict[type[TypeEngine[Any]], Callable[[Any], Any]] = {Instant: micros, Json: json_text}
FROM_DRIVER: dict[type[TypeEngine[Any]], Callable[[Any], Any]] = {Instant: moment, Json: from_json, Boolean: bool}


def _conversions(
    columns: Sequence[Column[Any]], by_type: Mapping[type[TypeEngine[Any]], Callable[[Any], Any]]
) -> Conversions:
    return [(i, by_type[type(c.type)]) for i, c in enumerate(columns) if type(c.type) in by_type]


def _converted(row: Iterable[Any], conversions: Conversions) -> list[Any]:
    values = list(row)
    for index, convert in conversions:
        if values[index] is not None:
            values[index] = convert(values[index])
    return values


REQUEST = Codec(tables.requests, Request)
MESSAGE = Codec(tables.messages, Message)
SUBMISSION = Codec(tables.submissions, Submission)
OUTBOX = Codec(tables.outbox, OutboxRow)
PAUSED_ROUTE = Codec(tables.paused_routes, PausedRoute)
TIMER = Codec(tables.timers, Timer)
MEASURE = Codec(tables.measures, Measure)
DOCUMENT = Codec(tables.documents, DocumentRow)
HELD = Codec(tables.held, Held)
PARTNER_VERSION = Codec(tables.partner_versions, PartnerVersion)
EARLY = Codec(tables.early_messages, EarlyMessage)
FORGOTTEN = Codec(tables.forgotten_messages, Forgotten)
PARTNER_CLOCK = Codec(tables.partner_clocks, PartnerClock)
QUARANTINE = Codec(tables.quarantine, QuarantineRow)
IDEMPOTENCY = Codec(tables.idempotency, IdempotencyRow)
EVENT = Codec(tables.events, Event)
LEDGER = Codec(tables.ledger_entries, LedgerLine)
COURT_FIGURE = Codec(tables.court_figures, CourtFigure)
CALENDAR = Codec(tables.calendars, CalendarYear)
MEASURE_STEP = Codec(tables.measure_steps, MeasureStep)
CASE_DEBT = Codec(tables.case_debts, CaseDebt)
PAGE = Codec(tables.pages, Page)
DUTY_SHIFT = Codec(tables.duty_shifts, DutyShift)
APPROVAL = Codec(tables.approvals, ApprovalRow)
SUBJECT_USE = Codec(tables.subject_uses, SubjectUse)
RELEASE = Codec(tables.releases, Release)
RELEASE_ITEM = Codec(tables.release_items, ReleaseItem)
