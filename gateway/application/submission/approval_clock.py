"""When approvals are due, and what happens when they do not come (docs/domain.md sections 3 and 4).

What was sent first is approved within hours and reviewed on a working day; whatever waits is told every time anew.
"""

from __future__ import annotations

from datetime import datetime

from gateway.application.context import Context
from gateway.application.unit_of_work import UnitOfWork
from gateway.core.records import Changes, Request, Timer
from gateway.core.time import deadlines

APPROVAL = "approval"
GLASS_APPROVAL = "break-glass"
GLASS_REVIEW = "review"
WAITING = frozenset({APPROVAL, GLASS_APPROVAL, GLASS_REVIEW})


def due(context: Context, kind: str, request: Request, now: datetime) -> datetime:
    """kind: one of `WAITING`."""
    settings, calendar = context.settings, context.calendars.now
    terms = settings.terms
    if kind == GLASS_APPROVAL:
        return now + settings.break_glass_approval
    if kind == GLASS_REVIEW:
        return deadlines.due(settings.break_glass_review, now, calendar).at
    return deadlines.due(terms.approval_urgent if request.lane == "urgent" else terms.approval, now, calendar).at


def watch(context: Context, kind: str, request: Request, changes: Changes, now: datetime) -> None:
    changes.set_timer(Timer(request.request_no, kind, due(context, kind, request, now)))


def waited(unit: UnitOfWork, timer: Timer, request: Request) -> bool:
    """A decision is overdue: the B of the AB pair is told, or it is an incident. Whether the request's row changed."""
    if timer.kind == APPROVAL:
        if request.state != "awaiting-approval":
            return False
        backup = request.facts.get("backup") or request.handler
        unit.tell(request, "approval-overdue", detail=f"to:{backup}")
        again = due(unit.context, APPROVAL, request, unit.now)
        unit.changes.set_timer(Timer(request.request_no, APPROVAL, again, timer.count + 1))
        return False
    glass = request.facts.get("break_glass", {})
    if timer.kind == GLASS_APPROVAL and glass.get("state") == "unapproved":
        detail = "break-glass-unapproved"
    elif timer.kind == GLASS_REVIEW and not glass.get("reviewed"):
        detail = "break-glass-unreviewed"
    else:
        return False
    request.reason = detail
    request.updated_at = unit.now
    unit.tell(request, "incident", detail=detail)
    return True
