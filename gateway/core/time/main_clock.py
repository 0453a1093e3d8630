"""The main clock of a request: its deadline, what is said around it, and how it stands still (docs/domain.md 3).

Its kind, start, amount and step stand in the request's facts under `due`, so a pause keeps what is left of it and a
newer calendar lets it be counted again. One timer at a time carries its next step.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from gateway.core.records import Request, Timer
from gateway.core.requests.facts import MainClock
from gateway.core.settings import Terms
from gateway.core.time.calendar import Calendar
from gateway.core.time.deadlines import Due, after, due, left
from gateway.core.time.duty import Duty
from schemas.catalogue import Deadline, DeadlineKind

DUE = "due"
SUPERVISION = "entrust.supervision.request"
REMIND, URGE, URGE_AGAIN, SUPERVISE, ESCALATE = range(5)
STEPS = ("remind", "urge", "urge-again", "supervise", "escalate")


@dataclass(frozen=True, slots=True)
class Basis:
    """What terms are counted on. duty: the asked party's; reads_feed: it has no queue. objection_pauses: as
    the catalogue says of the type."""

    terms: Terms
    calendar: Calendar
    duty: Duty
    reads_feed: bool = False
    objection_pauses: bool = False


def opened(deadline: Deadline, urgency: str, basis: Basis, now: datetime) -> MainClock:
    """Facts `due` of a request that is opened now. urgency: anything but `normal` asks for `terms.urgent`, unless the
    matter is due sooner anyway."""
    urgent = basis.terms.urgent
    if urgency != "normal" and due(urgent, now, basis.calendar).at < due(deadline, now, basis.calendar).at:
        deadline = urgent
    return _counted(deadline, now, REMIND, basis)


def expiry(validity_days: int, request: Request, now: datetime) -> datetime:
    """Until when a receiver takes the `open`. Never the deadline itself: an overdue request is still a request
    (docs/contracts.md 3.2)."""
    expires = now + timedelta(days=validity_days)
    at_the_deadline = "due" in request.facts and expires == datetime.fromisoformat(request.facts["due"]["at"])
    return expires + timedelta(days=1) if at_the_deadline else expires


def _counted(deadline: Deadline, start: datetime, step: int, basis: Basis) -> MainClock:
    end = due(deadline, start, basis.calendar)
    return {
        "kind": deadline.kind.value,
        "amount": deadline.amount,
        "start": start.isoformat(),
        "at": end.at.isoformat(),
        "on": end.on.isoformat(),
        "provisional": end.provisional,
        "step": step,
    }


def counted(clock: MainClock, basis: Basis) -> MainClock:
    """Facts `due` on another calendar."""
    return _counted(_deadline(clock), _start(clock), clock["step"], basis)


def _deadline(clock: MainClock) -> Deadline:
    return Deadline(DeadlineKind(clock["kind"]), clock["amount"])


def _start(clock: MainClock) -> datetime:
    return datetime.fromisoformat(clock["start"])


def paused(clock: MainClock, basis: Basis, now: datetime) -> MainClock:
    """Facts `due` of a clock that stands still from now on."""
    rest = left(_deadline(clock), _start(clock), now, basis.calendar)
    return {**clock, "paused": now.isoformat(), "left": rest.amount, "left_kind": rest.kind.value}


def resumed(clock: MainClock, verb: str | None, basis: Basis, now: datetime) -> MainClock:
    """Facts `due` of a clock that goes on with the time left. verb: that made it go on; work that is sent back
    (`reopen`) has at least one working day, and is urged from the beginning."""
    # What was paused by an earlier version tells its kind alone, and knew no months.
    rest, step = Deadline(DeadlineKind(clock.get("left_kind", clock["kind"])), clock["left"]), clock["step"]
    if verb == "reopen":
        step = URGE
        if rest.amount == 0:
            rest = Deadline(DeadlineKind.WORKING_DAYS, 1)
    return _counted(rest, now, step, basis)


def _end(clock: MainClock, basis: Basis) -> Due:
    """The deadline; on today's calendar, where an earlier one had to guess."""
    if clock["provisional"]:
        return due(_deadline(clock), _start(clock), basis.calendar)
    return Due(date.fromisoformat(clock["on"]), datetime.fromisoformat(clock["at"]))


def _moment(end: Due, step: int, basis: Basis) -> Due:
    """When that step of the main clock is to be said."""
    terms = basis.terms
    if step == REMIND:
        return Due(end.on, end.at - terms.remind_before, end.provisional)
    days = {URGE_AGAIN: terms.urge_again, SUPERVISE: terms.supervise, ESCALATE: terms.escalate}.get(step)
    return end if days is None else after(end, days, basis.calendar)


def _last_step(request: Request) -> int:
    return ESCALATE if request.shape == "ask" else URGE


def has_said_all(request: Request) -> bool:
    """Whether the last step of the main clock is behind it: it runs on and has no timer."""
    return request.facts["due"]["step"] > _last_step(request)


def next_step(request: Request, basis: Basis) -> Timer | None:
    """The next step that is still to be said: one that would come before its own beginning is not."""
    clock = request.facts["due"]
    start, step, last = _start(clock), clock["step"], _end(clock, basis)
    if step == REMIND and (request.shape != "ask" or _moment(last, REMIND, basis).at <= start):
        step = URGE
    if step == SUPERVISE and request.type == SUPERVISION:
        step = ESCALATE  # it is late itself; there is nobody above it to ask
    if step > _last_step(request):
        return None
    end = _moment(last, step, basis)
    return Timer(request.request_no, DUE, end.at, step, start, end.provisional)
