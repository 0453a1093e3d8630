"""Which clocks run in a request, until when, and what is said when they fall due (docs/domain.md section 3).

Pure: `running` reads off a request which clocks run, `change` turns what an event did to it into timers to set and to
clear, `fallen_due` says what a due timer means. `docs/clocks.md` is written from `RULES`, and a test compares them.

The main clock (`due`) is the deadline of the request itself, with what is said around it (its steps). It stands still
wherever the asked party waits for the asker, that is outside the states that `RULES` names, and where the catalogue
says so while an objection is unanswered. The fact `objection` says of one that is unanswered whether it stops it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fnmatch import fnmatchcase

from gateway.core.records import Request, Timer
from gateway.core.requests.facts import Facts, MainClock
from gateway.core.requests.lifecycle import ALERT_OPEN, ANSWERED, BEFORE, TERMINAL, WORKING
from gateway.core.settings import Terms
from gateway.core.time.calendar import Calendar
from gateway.core.time.deadlines import Due, Duty, after, due, left, within_duty
from schemas.catalogue import Deadline, DeadlineKind

DUE = "due"
SUPERVISION = "entrust.supervision.request"
REMIND, URGE, URGE_AGAIN, SUPERVISE, ESCALATE = range(5)
STEPS = ("remind", "urge", "urge-again", "supervise", "escalate")
RECEIPT, SUPPLEMENT, OBJECTION = "receipt", "supplement", "objection"
CONFIRM, WITHDRAWAL, APPROVAL, HOLD = "confirm", "withdrawal", "approval", "hold"
UNSENT, BLOCKED = "unsent", "blocked"


@dataclass(frozen=True, slots=True)
class Basis:
    """What terms are counted on. duty: the asked party's; reads_feed: it has no queue. objection_pauses: as
    the catalogue says of the type."""

    terms: Terms
    calendar: Calendar
    duty: Duty
    reads_feed: bool = False
    objection_pauses: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """Clock `kind` runs in `states` of `shape`. restarts: at each change between them."""

    kind: str
    shape: str
    states: tuple[str, ...]
    restarts: bool = False


RULES: tuple[Rule, ...] = (
    *(Rule(APPROVAL, shape, ("awaiting-approval",)) for shape in ("ask", "notice")),
    *(Rule(UNSENT, shape, ("approved",)) for shape in TERMINAL),
    *(Rule(BLOCKED, shape, ("blocked",)) for shape in TERMINAL),
    Rule(RECEIPT, "ask", ("delivered",)),
    Rule(DUE, "ask", ("dispatched", "undeliverable", "delivered", "received", *WORKING)),
    Rule(DUE, "alert", ("raised", *ALERT_OPEN[2:])),
    Rule(DUE, "notice", ("sent", "undeliverable", "delivered")),
    Rule(SUPPLEMENT, "ask", ("supplement-wanted",)),
    Rule(OBJECTION, "ask", ("delivered", "received", *WORKING, "supplement-wanted", *ANSWERED)),
    Rule(CONFIRM, "ask", ANSWERED, restarts=True),
    *(Rule(WITHDRAWAL, shape, ("withdrawing",)) for shape in TERMINAL),
    Rule(HOLD, "alert", ALERT_OPEN),
)
_BY_STATE: Mapping[tuple[str, str], tuple[Rule, ...]] = {
    (rule.shape, state): tuple(r for r in RULES if r.shape == rule.shape and state in r.states)
    for rule in RULES
    for state in rule.states
}
# Whoever reads a feed says no `delivered`: its receipt is awaited from the commit on (docs/contracts.md 3.2).
_READ_FROM_A_FEED = Rule(RECEIPT, "ask", ("dispatched",))


@dataclass(frozen=True, slots=True)
class Change:
    """Timers to set, and kinds whose timer is no longer wanted."""

    set: list[Timer] = field(default_factory=list)
    clear: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class FallenDue:
    """What a due timer means. event: kind of the event, detail: its code; level: of an urge to the asked party;
    to: staff number of whom it is for; supervise: ask the superior; lapse: the alert ends; following: what the same
    clock does next."""

    event: str
    detail: str
    level: int | None = None
    to: str | None = None
    supervise: bool = False
    lapse: bool = False
    following: Timer | None = None


def running(request: Request, basis: Basis) -> dict[str, str]:
    """kind → what it runs for; another word there means that it begins anew."""
    shape, state, facts = request.shape, request.state, request.facts
    rules = _BY_STATE.get((shape, state), ())
    if basis.reads_feed and state in _READ_FROM_A_FEED.states:
        rules = (*rules, _READ_FROM_A_FEED)
    return {rule.kind: state if rule.restarts else "" for rule in rules if _wanted(rule.kind, facts)}


def _wanted(kind: str, facts: Facts) -> bool:
    if kind == DUE:
        return "due" in facts and not facts.get("objection")
    if kind == OBJECTION:
        return "objection" in facts
    return kind != HOLD or "hold_until" in facts


def change(request: Request, was: Mapping[str, str], verb: str | None, basis: Basis, now: datetime) -> Change:
    """After `verb` (None: no message) brought `request` to where it is now; was: `running` before it.

    The request's facts are replaced: an objection is noted, the main clock stopped or started.
    """
    facts = request.facts = request.facts.copy()
    if verb == "objection":
        facts["objection"] = basis.objection_pauses
    elif verb == "objection-answer":
        facts.pop("objection", None)
    runs = running(request, basis)
    if DUE not in runs and _is_under_way(request) and "paused" not in facts["due"]:
        facts["due"] = paused(facts["due"], basis, now)
    elif DUE in runs and "paused" in facts["due"]:
        facts["due"] = resumed(facts["due"], verb, basis, now)
    elif DUE in runs and DUE not in was and facts["due"]["provisional"]:
        facts["due"] = counted(facts["due"], basis)
    begun = (timer_of(request, kind, now, basis) for kind, about in runs.items() if was.get(kind) != about)
    return Change([timer for timer in begun if timer is not None], [kind for kind in was if kind not in runs])


def _is_under_way(request: Request) -> bool:
    """Sent, and not over. Also what was answered before the broker confirmed it."""
    return "due" in request.facts and request.state not in (*BEFORE, *TERMINAL[request.shape])


def timer_of(request: Request, kind: str, start: datetime, basis: Basis) -> Timer | None:
    """The timer of a clock that began at `start`; None when its last step has been said."""
    if kind == DUE:
        return next_step(request, basis)
    if kind == HOLD:
        return Timer(request.request_no, HOLD, datetime.fromisoformat(request.facts["hold_until"]), 0, start)
    end = _term(kind, request, start, basis)
    return Timer(request.request_no, kind, end.at, 0, start, end.provisional)


def _term(kind: str, request: Request, start: datetime, basis: Basis) -> Due:
    terms = basis.terms
    if kind == RECEIPT and not basis.duty.takes_always(request.type):
        return within_duty(start, terms.receipt_days, basis.duty, basis.calendar)
    span = {RECEIPT: terms.receipt_always, UNSENT: terms.unsent, BLOCKED: terms.blocked}.get(kind)
    if span is not None:
        return Due(start.date(), start + span)
    fast = any(fnmatchcase(request.type, pattern) for pattern in terms.fast)
    deadline = {
        SUPPLEMENT: terms.supplement,
        OBJECTION: terms.objection,
        CONFIRM: terms.confirm,
        WITHDRAWAL: terms.withdrawal_fast if fast else terms.withdrawal,
        APPROVAL: terms.approval_urgent if request.lane == "urgent" else terms.approval,
    }[kind]
    return due(deadline, start, basis.calendar)


# --- what has fallen due


def fallen_due(timer: Timer, request: Request, basis: Basis) -> FallenDue:
    """Of a request in which this clock still runs. The main clock's next step is noted in the request's facts."""
    if timer.kind == DUE:
        return _stepped(timer, request, basis)
    if timer.kind in (UNSENT, BLOCKED, WITHDRAWAL):
        detail = {UNSENT: "unconfirmed", BLOCKED: "blocked", WITHDRAWAL: "withdrawal-unanswered"}[timer.kind]
        return FallenDue("incident", detail)
    if timer.kind == HOLD:
        return FallenDue("lapse", HOLD, lapse=True)
    if timer.kind == RECEIPT:
        return FallenDue("overdue", RECEIPT, level=1)
    backup = timer.kind in (APPROVAL, CONFIRM)
    return FallenDue("reminder", timer.kind, to=(request.facts.get("backup") if backup else None) or request.handler)


def _stepped(timer: Timer, request: Request, basis: Basis) -> FallenDue:
    step = timer.count
    request.facts = {**request.facts, "due": {**request.facts["due"], "step": step + 1}}
    following = next_step(request, basis)
    if step == REMIND:
        return FallenDue("reminder", DUE, to=request.handler, following=following)
    if step == ESCALATE:
        return FallenDue("escalate", DUE, to=request.handler, following=following)
    if step == SUPERVISE:
        return FallenDue("overdue", STEPS[step], supervise=True, following=following)
    level = (1 if step == URGE else 2) if request.shape == "ask" else None
    return FallenDue("overdue", STEPS[step], level=level, following=following)


def counted_again(timer: Timer, request: Request, basis: Basis) -> Timer | None:
    """A provisional timer on a newer calendar; the main clock's facts move with it."""
    if timer.start_at is None:
        return timer
    if timer.kind == DUE:
        request.facts = {**request.facts, "due": counted(request.facts["due"], basis)}
    return timer_of(request, timer.kind, timer.start_at, basis)


# --- the main clock
#
# Its kind, start, amount and step stand in the request's facts under `due`, so a pause keeps what is left of it and a
# newer calendar lets it be counted again. One timer at a time carries its next step.


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
