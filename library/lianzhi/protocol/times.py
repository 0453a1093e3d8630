"""Days, moments and sums on the wire: their form, how far a day may lie, and what each is about.

Every day and moment lies within `FIRST`…`LAST`, so that no sum of a date and a term leaves the calendar: a registry's
"9999-12-31" for "without end" is no day: the member is left out.

Each says what it is about: what happened, what is to come, or either. What is stated is judged at the moment at which
it is said: the `time` of the message that carries it, of what a court system hands in the arrival. The same bytes are
judged alike whenever they are read (docs/adr/0038).

- happened (`PastDay`, `PastMoment`, `PastMonth`): not after that moment. `AnswerDay`: nor before the day of the request
  that it answers (`MatterType.asked_on`).
- will happen (`ComingDay`, `ComingMoment`): a meeting, a term that is set for somebody: not over.
- `AnyDay`, `AnyMoment`: a term that is reported or registered may be over or not have begun.

There is no other day or moment in a model; a test walks all of them. Clocks may be `APART`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from enum import StrEnum
from functools import cached_property
from typing import Annotated, get_args

from pydantic import AfterValidator, StringConstraints, ValidationInfo
from pydantic.fields import FieldInfo

from lianzhi.protocol.base import unless_accepted
from lianzhi.protocol.rules import broken

# their form

FIRST, LAST = date(1600, 1, 1), date(2999, 12, 31)
_SHANGHAI = timedelta(hours=8)

_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:[0-9]{2})"
)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MONTH = re.compile(r"[0-9]{4}-(?:0[1-9]|1[0-2])")
_MONEY = re.compile(r"(?:0|[1-9][0-9]{0,11})\.[0-9]{2}")


def moment(text: str) -> str:
    """RFC 3339 with seconds and an offset. Raises `moment-form`, `day-range`."""
    try:
        at = datetime.fromisoformat(text) if _MOMENT.fullmatch(text) else None
    except ValueError:
        at = None  # shaped like one, but no real time
    if at is None or at.tzinfo is None:
        raise broken("moment-form")
    # On the edges the offset decides whether there is such a time here: years first, which cannot overflow.
    if not FIRST.year < at.year < LAST.year:
        _within(at.date())
        _within((at.replace(tzinfo=None) - (at.utcoffset() or timedelta()) + _SHANGHAI).date())
    return text


def day(text: str) -> str:
    """A real calendar day. Raises `day-form`, `day-range`."""
    try:
        on = date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        on = None  # shaped like one, but no real day
    if on is None:
        raise broken("day-form")
    _within(on)
    return text


def month(text: str) -> str:
    """A month `2026-03`. Raises `month-form`, `day-range`."""
    if not _MONTH.fullmatch(text):
        raise broken("month-form")
    if not FIRST.year <= int(text[:4]) <= LAST.year:
        raise _out_of_range()
    return text


def money(text: str) -> str:
    """CNY with two decimals. Raises `money-form`."""
    if not _MONEY.fullmatch(text):
        raise broken("money-form")
    return text


def _within(on: date) -> None:
    if not FIRST <= on <= LAST:
        raise _out_of_range()


def _out_of_range() -> Exception:
    return broken("day-range", first=FIRST.isoformat(), last=LAST.isoformat())


# what each is about

APART = timedelta(minutes=5)
"""By which clocks may differ, as of a message's `time` (docs/contracts.md 3.1)."""
SHANGHAI = timezone(timedelta(hours=8))
_TWO_DAYS = timedelta(days=2)


class Tense(StrEnum):
    """What a day or a moment is about; stands in the annotation of its type."""

    HAPPENED = "happened"
    ANSWERS = "answers"
    COMING = "coming"
    EITHER = "either"


@dataclass(frozen=True)
class Said:
    """When something was said, give or take `APART`: the earliest and the latest moment, and their days. Computed when
    a member asks for them: most of what is validated has none that does."""

    moment: datetime

    @cached_property
    def earliest(self) -> datetime:
        return self.moment - APART

    @cached_property
    def latest(self) -> datetime:
        return self.moment + APART

    @cached_property
    def first_day(self) -> str:
        return day_of(self.earliest).isoformat()

    @cached_property
    def last_day(self) -> str:
        return day_of(self.latest).isoformat()

    @cached_property
    def day_before(self) -> str:
        """A moment that names an earlier day is past, whatever its offset: none is a whole day."""
        return (self.latest - _TWO_DAYS).date().isoformat()


def day_of(moment: datetime) -> date:
    """The day in Shanghai."""
    return moment.astimezone(SHANGHAI).date()


def tense_of(field: FieldInfo) -> set[Tense]:
    """Of a member of a model, whether it stands alone, may be absent or is a list."""
    found, todo = set[Tense](), [*field.metadata, field.annotation]
    while todo:
        part = todo.pop()
        if isinstance(part, Tense):
            found.add(part)
        todo += [*get_args(part), *getattr(part, "__metadata__", ())]
    return found


def _said(info: ValidationInfo) -> Said | None:
    """What the caller of `schemas.validation` gave, if anything."""
    return info.context.get("said") if isinstance(info.context, dict) else None


def _past_day(text: str, info: ValidationInfo) -> str:
    value, said = _day(text, info), _said(info)
    if said is not None and value > said.last_day:
        raise broken("day-in-future")
    return value


def _coming_day(text: str, info: ValidationInfo) -> str:
    value, said = _day(text, info), _said(info)
    if said is not None and value < said.first_day:
        raise broken("day-over")
    return value


def _past_moment(text: str, info: ValidationInfo) -> str:
    value, said = _moment(text, info), _said(info)
    if said is not None and value[:10] >= said.day_before and datetime.fromisoformat(value) > said.latest:
        raise broken("moment-in-future")
    return value


def _coming_moment(text: str, info: ValidationInfo) -> str:
    value, said = _moment(text, info), _said(info)
    if said is not None and datetime.fromisoformat(value) < said.earliest:
        raise broken("moment-over")
    return value


def _past_month(text: str, info: ValidationInfo) -> str:
    value, said = _month(text, info), _said(info)
    if said is not None and value > said.last_day[:7]:
        raise broken("day-in-future")
    return value


_moment, _day, _month = (unless_accepted(check) for check in (moment, day, month))
_LINE, _SHORT = StringConstraints(max_length=40), StringConstraints(max_length=10)

# A moment is RFC 3339 with seconds and an offset: `2026-03-24T09:41:00+08:00`.
PastMoment = Annotated[str, _LINE, AfterValidator(_past_moment), Tense.HAPPENED]
ComingMoment = Annotated[str, _LINE, AfterValidator(_coming_moment), Tense.COMING]
AnyMoment = Annotated[str, _LINE, AfterValidator(_moment), Tense.EITHER]
# A day is a real calendar day, Asia/Shanghai: `2026-03-24`.
PastDay = Annotated[str, _SHORT, AfterValidator(_past_day), Tense.HAPPENED]
AnswerDay = Annotated[str, _SHORT, AfterValidator(_past_day), Tense.ANSWERS]
ComingDay = Annotated[str, _SHORT, AfterValidator(_coming_day), Tense.COMING]
AnyDay = Annotated[str, _SHORT, AfterValidator(_day), Tense.EITHER]
PastMonth = Annotated[str, StringConstraints(max_length=7), AfterValidator(_past_month), Tense.HAPPENED]
