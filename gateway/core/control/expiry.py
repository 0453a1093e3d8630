"""When a measure's end is announced, and when it has come. Pure: the timers are rows of the store.

A measure lasts through its last day (Asia/Shanghai), so it is over at the midnight that follows. Reminders stand on
days before the last one (docs/domain.md section 3), at an hour at which somebody reads them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta

from gateway.core.records import Changes, Measure, Request, Timer
from gateway.core.time.calendar import SHANGHAI

MEASURE = "measure:"
LAPSE = 0
WATCHED = ("active", "hit")
ENDS_BY_ITSELF = frozenset({"grace"})
NEVER_RENEWED = frozenset({"dishonest"})  # a listing for a term: its recipients must take it off, nobody prolongs it
_ASKED_FOR_NOTHING = frozenset({"refused", "returned", "rejected"})
_SETTLED = frozenset({"completed", "impossible", "closed"})


def over_at(end_on: str) -> datetime:
    """The first moment at which a measure with this last day is no longer in force."""
    return datetime.combine(date.fromisoformat(end_on) + timedelta(days=1), time(), SHANGHAI)


def remind_at(end_on: str, days: int, hour: int) -> datetime:
    """`hour` o'clock in Shanghai, so many days before the last day."""
    return datetime.combine(date.fromisoformat(end_on) - timedelta(days=days), time(hour), SHANGHAI)


def timer_kind(measure_no: str, days: int) -> str:
    """`measure:<index in its request>:<days>`: the request stands in the timer's key already."""
    return f"{MEASURE}{measure_no.rsplit('-', 1)[1]}:{days}"


def timer_of(timer: Timer) -> tuple[str, int]:
    """(measure_no, days before the end) of a timer of ours."""
    _, index, days = timer.kind.split(":")
    return f"{timer.request_no}-{index}", int(days)


def reschedule(
    before: Measure | None, after: Measure, changes: Changes, now: datetime, *, days: Sequence[int], hour: int
) -> None:
    """Sets and clears the timers of a measure that changed: reminders that are still ahead, and the end itself.

    A measure that was handed over has nothing left to renew: only its end remains.
    """
    watched, ends = after.state in WATCHED, after.state in (*WATCHED, "handed-over")
    was_watched = before is not None and before.state in WATCHED
    same_end = before is not None and before.end_on == after.end_on
    if watched and was_watched and same_end:
        return
    clear(after, changes, days)
    if after.end_on is None or not ends:
        return
    for left in days if watched and after.action not in ENDS_BY_ITSELF else ():
        due = remind_at(after.end_on, left, hour)
        if due > now:
            changes.set_timer(Timer(after.request_no, timer_kind(after.measure_no, left), due))
    changes.set_timer(Timer(after.request_no, timer_kind(after.measure_no, LAPSE), over_at(after.end_on)))


def clear(measure: Measure, changes: Changes, days: Iterable[int]) -> None:
    """None of its timers runs any more."""
    for left in (*days, LAPSE):
        changes.clear_timer(measure.request_no, timer_kind(measure.measure_no, left))


def lapse_cause(measure: Measure, in_case: Iterable[Request]) -> str:
    """Why it was not renewed in time, by the last renewal that named it. in_case: the requests of its case."""
    if measure.action in NEVER_RENEWED:
        return "term-over"
    renewals = [
        r for r in in_case if r.facts.get("measure") == "renew" and measure.measure_no in r.facts.get("targets", ())
    ]
    if not renewals:
        return "renewal-not-asked"
    last = max(renewals, key=lambda r: (r.created_at, r.request_no))
    if last.state in _ASKED_FOR_NOTHING:
        return "renewal-refused"
    if last.state in ("withdrawn", "withdrawing"):
        return "renewal-withdrawn"
    if last.state in ("awaiting-approval", "approved", "blocked", "undeliverable"):
        return "renewal-not-sent"
    return "renewal-not-done" if last.state in _SETTLED else "renewal-unanswered"
