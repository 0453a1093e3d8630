"""One act of an operator: written once, in the unit of work that does it, as a row and as an event of the home court.

Who, what, about what, why, when. The event's kind is `operated`; its `head` holds user, name, role, act, about, why and
result. Codes and numbers only, and a reason that was looked through (`core.operating.reasons`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import structlog

from gateway.application.unit_of_work import UnitOfWork, request_events
from gateway.core.operating.operators import Operator
from gateway.core.operating.records import ActRow
from gateway.core.records import Event, Request
from lianzhi.errors import RejectedError
from lianzhi.problem import FieldError

KIND = "operated"
log = structlog.get_logger("operate")


@dataclass(frozen=True, slots=True)
class Act:
    """act: its name (`quarantine-close`). about: what it is about (`quarantine:12`)."""

    operator: Operator
    act: str
    about: str
    why: str | None = None


async def record(unit: UnitOfWork, act: Act, result: str, *, request: Request | None = None) -> None:
    """Into the unit: the row at once, the event with its changes."""
    by = act.operator
    await unit.tx.operating.record(ActRow(unit.now, by.user, by.name, by.role, act.act, act.about, act.why, result))
    head: dict[str, Any] = {
        "act": act.act,
        "about": act.about,
        "user": by.user,
        "name": by.name,
        "role": by.role,
        "result": result,
    }
    if act.why is not None:
        head["why"] = act.why
    detail = f"{act.act}:{act.about}:{result}"
    home = unit.context.home.code
    events = [Event(at=unit.now, audience=home, kind=KIND, head=head, detail=detail)]
    if request is not None and home in (request.asker, request.asked):
        told = request_events(unit.context, request, KIND, unit.now, head=head, detail=detail)
        events = [event for event in told if event.audience == home]  # who operates here is no other party's business
    unit.changes.events += events
    log.info("operated", act=act.act, about=act.about, user=by.user, result=result)


def refused(code: str, rule: str, zh: str, en: str, *, pointer: str = "") -> RejectedError:
    """A refusal of an act, in words."""
    return RejectedError(code, [FieldError(pointer=pointer, rule=rule, detail=zh, detail_en=en)])
