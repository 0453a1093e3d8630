"""Within how long each matter is answered: the catalogue's own terms, and a court's or an agreement's rule instead.

The shipped rows are the catalogue's (`MatterType.deadline`) with the text that fixes each (`fixed_by`), or the word
that none does. A row of a file counts for requests whose clock begins while it holds (`since`, `until`); before and
after, the catalogue's does. What a text fixes may only be shortened; what each request states itself is set nowhere
else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from functools import lru_cache
from typing import Annotated, Literal

from pydantic import Field

from schemas.catalogue import Deadline, DeadlineKind, MatterType, catalogue
from schemas.law.force import Entry, Fault, Law, Table, grouped, law
from schemas.law.legal_bases import LEGAL_BASES
from schemas.legal import legal_text
from schemas.values.terms import days_between, days_later, months_later

Kind = Literal["working", "legal", "clock-hours"]
Unit = Literal["days", "months", "hours"]
_FORMS: Mapping[tuple[Kind, Unit], DeadlineKind] = {
    ("working", "days"): DeadlineKind.WORKING_DAYS,
    ("legal", "days"): DeadlineKind.LEGAL_DAYS,
    ("legal", "months"): DeadlineKind.LEGAL_MONTHS,
    ("clock-hours", "hours"): DeadlineKind.CLOCK_HOURS,
}
_WRITTEN = {kind: form for form, kind in _FORMS.items()}
_UNITS: tuple[Unit, ...] = ("days", "months", "hours")
CONVENTION = "工作约定 (working practice)"
STATED = "由每件请求写明 (stated by each request)"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerTerm(Entry):
    """type: a matter type. kind: `working` days; `legal` days or months, whose last day moves on from a rest day
    (CPL-85); `clock-hours` of day and night. One of days, months, hours, as the kind has it."""

    type: str
    kind: Kind
    days: Annotated[int, Field(strict=True, ge=1, le=366)] | None = None
    months: Annotated[int, Field(strict=True, ge=1, le=12)] | None = None
    hours: Annotated[int, Field(strict=True, ge=1, le=8784)] | None = None

    @property
    def units(self) -> list[Unit]:
        """Those that are given; exactly one in a row that was accepted."""
        return [unit for unit in _UNITS if getattr(self, unit) is not None]

    @property
    def deadline(self) -> Deadline:
        """Of a row that was accepted."""
        [unit] = self.units
        return Deadline(_FORMS[self.kind, unit], getattr(self, unit))


def _faults(row: AnswerTerm) -> Iterable[Fault]:
    matter = catalogue().get(row.type)
    fits = [unit for kind, unit in _FORMS if kind == row.kind]
    if matter is None:
        near = get_close_matches(row.type, catalogue(), 3)
        zh, en = (f"，相近的有 {'、'.join(near)}", f"; near: {', '.join(near)}") if near else ("", "")
        yield Fault(
            "type",
            f"没有事项 {row.type}{zh}；全部见 lianzhi types",
            f"No matter type {row.type}{en}; all of them: `lianzhi types`",
        )
    elif matter.states_term:
        yield Fault(
            "type",
            f"{row.type} 的期限由每件请求写明，本表不能另定",
            f"Each request of {row.type} states its own term; this table cannot set it",
        )
    if wrong := [unit for unit in row.units if unit not in fits] or row.units[1:]:
        yield Fault(wrong[0], f"kind = {row.kind} 的只写 {' 或 '.join(fits)}", f"Of kind {row.kind} only {_or(fits)}")
    elif not row.units:
        yield Fault("kind", f"{row.kind} 须写 {' 或 '.join(fits)}", f"{row.kind} needs {_or(fits)}")
    elif matter is not None and matter.fixed_by is not None and not matter.states_term:
        yield from _too_long(row, matter, matter.fixed_by.basis)


def _too_long(row: AnswerTerm, matter: MatterType, basis: str) -> Iterable[Fault]:
    """Where a text fixes the term: only what no calendar makes later."""
    most = longest(matter.deadline)
    own, fixed = row.deadline, matter.deadline
    if own.amount > most.get(own.kind, 0):
        allowed = [Deadline(kind, amount) for kind, amount in most.items()]
        yield Fault(
            row.units[0],
            f"{own.zh}；{legal_text(basis)}规定 {fixed.zh}，本院规定只可缩短："
            + "、".join(f"{_form(one)} 不超过 {one.amount}" for one in allowed),
            f"{own.en}; {basis} says {fixed.en}, which a court's own rule may only shorten: "
            + ", ".join(f"{_form(one)} at most {one.amount}" for one in allowed),
        )


def _form(deadline: Deadline) -> str:
    kind, unit = _WRITTEN[deadline.kind]
    return f"{unit} (kind {kind})"


def _or(units: Iterable[str]) -> str:
    return " or ".join(f"`{unit}`" for unit in units)


def longest(fixed: Deadline) -> Mapping[DeadlineKind, int]:
    """Of each kind the largest amount that ends on no calendar later than `fixed`; a kind that is not named never
    surely does: working days across a long holiday outlast any legal term.

    n days of either kind end by the n-th working day at the latest, and no working day comes sooner than its number; n
    times 24 hours end before the n-th day does. A legal term and one in months are moved on by the same rest days.
    """
    days = fixed.amount
    if fixed.kind is DeadlineKind.CLOCK_HOURS:
        return {DeadlineKind.CLOCK_HOURS: fixed.amount}
    if fixed.kind is DeadlineKind.LEGAL_MONTHS:
        days = _shortest(fixed.amount)
        own = {DeadlineKind.LEGAL_MONTHS: fixed.amount, DeadlineKind.LEGAL_DAYS: days}
    elif fixed.kind is DeadlineKind.WORKING_DAYS:
        own = {DeadlineKind.WORKING_DAYS: days, DeadlineKind.LEGAL_DAYS: days}
    else:
        own = {DeadlineKind.LEGAL_DAYS: days}
    return {**own, DeadlineKind.CLOCK_HOURS: 24 * days}


def _shortest(months: int) -> int:
    """How many days so many months have at least."""
    starts = (days_later("2026-01-01", n) for n in range(365))
    return min(days_between(start, months_later(start, months)) for start in starts)


def _shipped() -> tuple[AnswerTerm, ...]:
    return tuple(map(shipped, catalogue().values()))


def shipped(matter: MatterType) -> AnswerTerm:
    """The catalogue's own term as a row."""
    kind, unit = _WRITTEN[matter.deadline.kind]
    source, since, reading = CONVENTION, date(2026, 1, 1), True
    if matter.states_term:
        source = STATED
    elif matter.fixed_by is not None:
        basis = matter.fixed_by.basis
        text = next(row for row in LEGAL_BASES.default if basis == row.code or basis.startswith(f"{row.code}-"))
        source, since = f"{legal_text(basis)} ({basis})", text.since
        reading = text.reading or matter.fixed_by.reading
    days, months, hours = (matter.deadline.amount if one == unit else None for one in _UNITS)
    return AnswerTerm(
        type=matter.name, kind=kind, days=days, months=months, hours=hours, source=source, since=since, reading=reading
    )


ANSWER_TERMS = Table(
    name="answer-terms",
    zh="事项的办理期限",
    en="Within how long a matter is answered",
    entry=AnswerTerm,
    key=("type",),
    default=(),
    derived=_shipped,
    row_faults=_faults,
)


def own_term(matter: str, day: date) -> AnswerTerm | None:
    """The deployment's own row for a request of this type that begins on `day`. None: the catalogue's `deadline`.

    The rows are asked without the shipped ones, which are the catalogue: a deadline is asked for at every request."""
    return next((row for row in _own(law()).get(matter, ()) if row.holds_on(day)), None)


@lru_cache(maxsize=8)
def _own(tables: Law) -> Mapping[str, tuple[AnswerTerm, ...]]:
    return grouped(ANSWER_TERMS, tables.own(ANSWER_TERMS))


def answer_term(matter: MatterType, day: date) -> Deadline:
    """What counts for a request of this type that begins on `day` and states no term itself."""
    row = own_term(matter.name, day)
    return matter.deadline if row is None else row.deadline
