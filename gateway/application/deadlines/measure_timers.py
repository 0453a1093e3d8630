"""What has become due for measures, alerts and the duty roster, by the prefix of the timer's kind."""

from __future__ import annotations

from gateway.application.alerts.duty_roster import ROSTER, due_roster
from gateway.application.conversation.alert_effects import due_hold, due_page, due_questioning
from gateway.application.conversation.measure_changes import due_measure
from gateway.application.unit_of_work import UnitOfWork
from gateway.core.control.expiry import MEASURE
from gateway.core.records import Request, Timer
from gateway.core.requests.paging import HOLD, PAGE
from gateway.core.requests.questioning import QUESTIONING

KINDS = (MEASURE, PAGE, HOLD, ROSTER, QUESTIONING)


async def due_control(unit: UnitOfWork, timer: Timer, request: Request | None) -> bool:
    """Whether the request's row changed. The timer itself has been cleared by the caller."""
    if timer.kind == ROSTER:
        await due_roster(unit)
    elif timer.kind.startswith(MEASURE):
        await due_measure(unit, timer)
    elif request is not None and timer.kind == HOLD:
        return await due_hold(unit, request)
    elif request is not None and timer.kind == QUESTIONING:
        return due_questioning(unit, timer, request)
    elif request is not None:
        return await due_page(unit, timer, request)
    return False
