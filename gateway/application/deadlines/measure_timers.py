"""What has become due for measures, alerts and the duty roster, by the prefix of the timer's kind."""

from __future__ import annotations

from datetime import datetime

from gateway.application.alerts.duty_roster import ROSTER, due_roster
from gateway.application.context import Context
from gateway.application.conversation.alert_effects import due_hold, due_page, due_questioning
from gateway.application.conversation.measure_changes import due_measure
from gateway.application.ports import Transaction
from gateway.core.expiry import MEASURE
from gateway.core.paging import HOLD, PAGE
from gateway.core.questioning import QUESTIONING
from gateway.core.records import Changes, Request, Timer

KINDS = (MEASURE, PAGE, HOLD, ROSTER, QUESTIONING)


async def due_control(
    context: Context, tx: Transaction, timer: Timer, request: Request | None, changes: Changes, now: datetime
) -> bool:
    """Whether the request's row changed. The timer itself has been cleared by the caller."""
    if timer.kind == ROSTER:
        await due_roster(context, tx, changes, now)
    elif timer.kind.startswith(MEASURE):
        await due_measure(context, tx, timer, changes, now)
    elif request is not None and timer.kind == HOLD:
        return await due_hold(context, tx, request, changes, now)
    elif request is not None and timer.kind == QUESTIONING:
        return due_questioning(context, timer, request, changes, now)
    elif request is not None:
        return await due_page(context, tx, timer, request, changes, now)
    return False
