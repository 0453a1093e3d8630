"""The duty roster: who is on duty when. When somebody is missing within the next day, an alarm is an event,
once a day.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta

from gateway.application.answers import RosterShift, RosterView
from gateway.application.context import Context
from gateway.application.unit_of_work import UnitOfWork
from gateway.core.approvals import check_staff
from gateway.core.records import Changes, DutyShift, Event, Timer
from gateway.core.requests import paging
from gateway.core.routing import Participant
from gateway.core.time.calendar import SHANGHAI
from lianzhi.protocol.envelope import timestamp
from schemas.duty import Roster

DUTY = "duty-roster"
ROSTER = "roster"
AHEAD = timedelta(hours=24)
SHOWN = timedelta(days=366)


class DutyRoster:
    """who: the participant that asks; each has its own."""

    def __init__(self, context: Context) -> None:
        self._ctx = context

    async def put(self, who: Participant, roster: Roster) -> RosterView:
        """In place of the one before. Raises RejectedError unknown-staff."""
        now = self._ctx.clock.now()
        numbers = {f"/shifts/{index}/person": shift.person for index, shift in enumerate(roster.shifts)}
        check_staff(numbers, who.staff, now)
        shifts = [
            DutyShift(who.code, datetime.fromisoformat(s.begins), datetime.fromisoformat(s.ends), s.person)
            for s in roster.shifts
        ]
        async with self._ctx.store.begin() as tx:
            await tx.replace_shifts(who.code, shifts)
        return _view(shifts, now)

    async def get(self, who: Participant) -> RosterView:
        """What is still ahead, by its beginning."""
        now = self._ctx.clock.now()
        async with self._ctx.store.begin() as tx:
            shifts = await tx.shifts(who.code, now, now + SHOWN)
        return _view(shifts, now)


async def watch_roster(context: Context) -> None:
    """The daily look begins, unless it has begun already."""
    async with context.store.begin() as tx:
        if await tx.timer(DUTY, ROSTER) is None:
            changes = Changes()
            changes.set_timer(Timer(DUTY, ROSTER, context.clock.now()))
            await tx.apply(changes)


async def due_roster(unit: UnitOfWork) -> None:
    """Today's look, and when the next one is."""
    home, changes, now = unit.context.home.code, unit.changes, unit.now
    shifts = await unit.tx.shifts(home, now, now + AHEAD)
    gap = paging.empty_until([(s.begins, s.ends) for s in shifts], now, now + AHEAD)
    if gap is not None:
        changes.events.append(
            Event(at=now, audience=home, kind="duty-roster-empty", head={"from": timestamp(gap)}, detail="alarm")
        )
    tomorrow = now.astimezone(SHANGHAI).date() + timedelta(days=1)
    due = datetime.combine(tomorrow, time(unit.context.settings.roster_hour), SHANGHAI)
    changes.set_timer(Timer(DUTY, ROSTER, due))


def _view(shifts: Sequence[DutyShift], now: datetime) -> RosterView:
    gap = paging.empty_until([(s.begins, s.ends) for s in shifts], now, now + AHEAD)
    return RosterView(
        shifts=[RosterShift(begins=timestamp(s.begins), ends=timestamp(s.ends), person=s.person) for s in shifts],
        empty_from=None if gap is None else timestamp(gap),
    )
