"""Terms of the law's table (`schemas.law.terms`) counted on a calendar: until when, and whether a stated day keeps it.

The table tells how many days of which kind; only the gateway has the calendar, so a payload states days and this judges
them.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from gateway.core.calendar import Calendar
from gateway.core.deadlines import last_day
from lianzhi.errors import RejectedError
from schemas.catalogue import Deadline, DeadlineKind, LastDay, MatterType
from schemas.law.terms import term
from schemas.validation import rule_error

_KINDS = {"legal": DeadlineKind.LEGAL_DAYS, "working": DeadlineKind.WORKING_DAYS}


def ends_on(name: str, since: str, calendar: Calendar) -> date:
    """The last day of the term `name` that begins on `since`, YYYY-MM-DD, which does not count itself (CPL-85)."""
    begins = date.fromisoformat(since)
    found = term(name, begins)
    return last_day(Deadline(_KINDS[found.kind], found.days), begins, calendar)


def check_last_days(matter: MatterType, payload: Any, calendar: Calendar) -> None:
    """payload: the validated model. Raises RejectedError invalid-field: each day that is later than its term allows."""
    faults = [
        rule_error(stated.rule, f"/payload{stated.pointer}", **_words(stated))
        for stated in matter.last_days(payload)
        if _late(stated, calendar)
    ]
    if faults:
        raise RejectedError("invalid-field", faults)


def _late(stated: LastDay, calendar: Calendar) -> bool:
    return date.fromisoformat(stated.day) > max(ends_on(name, since, calendar) for name, since in stated.terms)


def _words(stated: LastDay) -> dict[str, str]:
    name, since = stated.terms[-1]
    found = term(name, date.fromisoformat(since))
    working = found.kind == "working"
    return {
        "longest": f"{found.days} 个工作日" if working else f"{found.days} 日",
        "longest_en": f"{found.days} working days" if working else f"{found.days} days",
        "source": found.source,
    }
