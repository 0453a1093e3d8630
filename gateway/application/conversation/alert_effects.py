"""Effects of an alert: it marks its measure as hit and has people paged; its answer ends the paging.

A page is a row, written in the same unit as what causes it (`paging` sends it afterwards). Who is paged when is a
timer of the alert, counted from when the alert was raised, so that one that was raised while the gateway was away
pages everybody who is overdue at once, in order. A level at which nobody is to be found never delays the next one.
Facts of an alert: `control` (the measure that was hit), `paging` (A and B, when it was raised, the levels paged).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from gateway.application.context import new_id
from gateway.application.conversation.apply_decision import carry_out
from gateway.application.conversation.measure_effects import change_measure, the_measure
from gateway.application.unit_of_work import UnitOfWork
from gateway.core.control import measures
from gateway.core.control.moves import moved
from gateway.core.records import Changes, Measure, Page, Request, Timer
from gateway.core.requests import paging, questioning
from gateway.core.requests.facts import Paging
from gateway.core.requests.lifecycle import ALERT_OPEN, TERMINAL, Step, decide
from gateway.core.time.calendar import SHANGHAI
from lianzhi.protocol.envelope import timestamp

MOMENT = timedelta(microseconds=1)
_MOVES: Mapping[str, str] = {
    "handed-over": "handed-over",
    "false-hit": "cleared",
    "withdrawn": "cleared",
    "lapsed": "cleared",
}


async def alert_raised(
    unit: UnitOfWork, request: Request, control: Measure | None, payload: Mapping[str, Any], raised_at: datetime
) -> None:
    """A partner opened `request` about the measure `control`. raised_at: by the partner's clock."""
    if control is not None:
        request.facts["control"] = control.measure_no
    if request.shape != "alert":
        return
    if control is not None and (hit := moved(control, "hit")) not in (None, control):
        assert hit is not None
        await change_measure(unit, control, hit, by=request.request_no)
    raised_at = min(raised_at, unit.now)
    asked = None if control is None else await unit.context.store.request(control.request_no)
    request.facts["paging"] = _paging(asked, raised_at)
    if asked is not None and (decision := asked.facts.get("decision")) is not None:
        request.facts["lookout"] = {"decision": decision, "handler": asked.handler}
    for level, wait in paging.waits(unit.context.settings).items():
        unit.changes.set_timer(Timer(request.request_no, paging.PAGE + level, raised_at + wait))
    await page_level(unit, request, "A")
    if isinstance(until := payload.get("hold_until"), str):
        unit.changes.set_timer(Timer(request.request_no, paging.HOLD, datetime.fromisoformat(until)))


def _paging(asked: Request | None, raised_at: datetime) -> Paging:
    """asked: the request that asked for the control."""
    found: Paging = {"at": raised_at.isoformat(), "done": []}
    if asked is not None and asked.handler is not None:
        found["A"] = asked.handler
    if asked is not None and (backup := asked.facts.get("backup")) is not None:
        found["B"] = backup
    return found


async def page_level(unit: UnitOfWork, request: Request, level: str) -> None:
    """Pages everybody of `level`, once; when nobody is to be found there, the next level at once."""
    found = request.facts["paging"].copy()
    following: str | None = level
    while following is not None and following not in found["done"]:
        found["done"] = [*found["done"], following]
        unit.changes.clear_timer(request.request_no, paging.PAGE + following)
        if await _page(unit, request, found, following):
            break
        unit.tell(request, "incident", detail=f"page-nobody:{following}")
        following = paging.next_level(following)
    request.facts["paging"] = found


async def _page(unit: UnitOfWork, request: Request, found: Paging, level: str) -> bool:
    """Whether there is somebody at this level."""
    context, now = unit.context, unit.now
    participant = context.participant(request.asked)
    desk = [s.person for s in await unit.tx.shifts(participant.code, now, now + MOMENT)] if level == "desk" else []
    day = now.astimezone(SHANGHAI).date()
    people = paging.persons(level, found, desk, participant.staff, day)
    for number in people:
        channels = [c for c in context.settings.page_channels if paging.reaches(c, participant.staff[number])]
        kind, detail = ("page", f"{level}:{number}") if channels else ("incident", f"page-no-channel:{level}:{number}")
        unit.tell(request, kind, head={"level": level, "person": number}, detail=detail)
        unit.changes.new_pages += [
            Page(
                page_id=new_id(),
                alert=request.request_no,
                participant=participant.code,
                level=level,
                person=number,
                channel=channel,
                raised_at=datetime.fromisoformat(found["at"]),
                at=now,
                due_at=now,
            )
            for channel in channels
        ]
    return bool(people)


async def follow_alert(unit: UnitOfWork, request: Request, said: Mapping[str, Any]) -> None:
    """What was said in an alert, or answered to the record of a handover, moves its measure and stops the pages."""
    number = request.facts.get("control")
    if number is not None and (measure := await the_measure(unit, number)) is not None:
        after = _moved(request, measure, said)
        if after is not None and after != measure:
            await change_measure(unit, measure, after, by=request.request_no)
    if "paging" in request.facts and request.state not in paging.UNANSWERED:
        for level in paging.LEVELS:
            unit.changes.clear_timer(request.request_no, paging.PAGE + level)
        if request.state != "lapsed":  # nobody has answered yet: who was to be told is told
            unit.changes.pages_cancel.append(request.request_no)
        del request.facts["paging"]
    if request.shape == "alert" and request.state in TERMINAL["alert"]:
        unit.changes.clear_timer(request.request_no, paging.HOLD)
    if request.state == "handed-over":
        _taken_over(request, said, unit.changes, unit.now)


def _taken_over(request: Request, said: Mapping[str, Any], changes: Changes, now: datetime) -> None:
    """From the record of the handover on, the questioning counts. The record is never later than now."""
    at = min(datetime.fromisoformat(said["at"]), now) if "at" in said else now
    fact = questioning.begun(request.facts.get("lookout", {}).get("decision"), at)
    if fact is None or "questioning" in request.facts:
        return
    request.facts = {**request.facts, "questioning": fact}
    if (timer := questioning.next_step(request.request_no, fact, 0)) is not None:
        changes.set_timer(timer)


def _moved(request: Request, measure: Measure, said: Mapping[str, Any]) -> Measure | None:
    if request.shape == "alert":
        move = _MOVES.get(request.state)
        return None if move is None else moved(measure, move)
    return next(iter(measures.handed_over([measure], measures.items_done(said))), None)


async def due_page(unit: UnitOfWork, timer: Timer, request: Request) -> bool:
    """Whether the alert's row changed."""
    if "paging" not in request.facts or request.state not in paging.UNANSWERED:
        return False
    await page_level(unit, request, timer.kind.removeprefix(paging.PAGE))
    return True


def due_questioning(unit: UnitOfWork, timer: Timer, request: Request) -> bool:
    """An end of the questioning comes near. Whether the alert's row changed: it never does."""
    fact = request.facts["questioning"]
    head = {
        "clock": questioning.QUESTIONING,
        "step": questioning.STEPS[timer.count],
        "due_at": timestamp(datetime.fromisoformat(fact[questioning.STEPS[timer.count]])),
        "to": request.facts["lookout"]["handler"],
    }
    head = {name: value for name, value in head.items() if value is not None}
    unit.tell(request, "reminder", head=head, detail=questioning.QUESTIONING)
    following = questioning.next_step(request.request_no, fact, timer.count + 1)
    if following is not None:
        unit.changes.set_timer(following)
    return False


async def due_hold(unit: UnitOfWork, request: Request) -> bool:
    """The person could be held no longer: the alert lapses, for everybody to see."""
    if request.state not in ALERT_OPEN:
        return False
    decision = decide(request, Step("lapse", "gateway", unit.now))
    carry_out(unit.context, request, decision, unit.changes, unit.now)
    await follow_alert(unit, request, {})
    unit.tell(request, "incident", detail="alert-lapsed")
    return True
