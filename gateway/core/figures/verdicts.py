"""What is late, missing or done in time, of one row: what the figures count and what the first page lists. Pure.

A verdict of None: its time is not over, and it counts neither as done nor as failed.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from gateway.core.figures.histories import Alert, Ask
from gateway.core.figures.ledgers import LedgerItem
from gateway.core.figures.periods import Period
from gateway.core.figures.rows import Working
from gateway.core.time.calendar import DAY

RECEIPT_WORKING_DAYS = 1
UNCONFIRMED_WORKING_DAYS = 3
ACKNOWLEDGE = timedelta(minutes=10)


def before(moment: datetime | None, as_of: datetime) -> bool:
    return moment is not None and moment < as_of


def is_undelivered(row: Ask, as_of: datetime) -> bool:
    """We had asked it by then, it was neither withdrawn nor rejected, and nothing shows that it arrived."""
    stands = not row.incoming and before(row.created_at, as_of) and not before(row.ended_at, as_of)
    return stands and not before(row.delivered_at, as_of)


def is_past_due(row: Ask, as_of: datetime) -> bool:
    """Also one that has never arrived."""
    return before(row.due, as_of) and not before(row.final_at, as_of) and not before(row.ended_at, as_of)


def received_in_time(row: Ask, now: datetime, working: Working) -> bool | None:
    assert row.delivered_at is not None, "a delivered row"
    limit = working.after(row.delivered_at, RECEIPT_WORKING_DAYS)
    if row.received_at is not None:
        return row.received_at < limit
    return None if now < limit else False


def answered_in_time(row: Ask, now: datetime) -> bool | None:
    assert row.due is not None, "a due row"
    if row.final_at is not None:
        return row.final_at <= row.due
    return None if now <= row.due else False


def acknowledged_in_time(row: Alert, now: datetime) -> bool | None:
    assert row.raised_at is not None, "a raised row"
    limit = row.raised_at + ACKNOWLEDGE
    if row.acknowledged_at is not None:
        return row.acknowledged_at <= limit
    return None if now <= limit else False


def is_unconfirmed(row: Ask, as_of: datetime, working: Working) -> bool:
    """A result that came later than `as_of` is not waiting yet; one confirmed before it no longer."""
    since = row.waiting_since
    return since is not None and working.after(since, UNCONFIRMED_WORKING_DAYS) <= as_of


def lapsed_in(period: Period, measure: LedgerItem, today: date) -> bool:
    """Its last day was the one before a day of the period, and it is over."""
    return measure.due_on is not None and measure.due_on < today and period.has_day(measure.due_on + DAY)
