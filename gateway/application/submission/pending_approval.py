"""What is recorded of approvals when a request is made, and how it waits for those that are missing (docs/adr/0014)."""

from __future__ import annotations

from datetime import UTC, datetime

from gateway.application.context import Context
from gateway.application.submission.validate import Proof
from gateway.application.unit_of_work import UnitOfWork, request_events
from gateway.core.records import ApprovalRow, Changes, Request, Timer
from gateway.core.routing import Client
from gateway.core.time import deadlines

APPROVAL = "approval"
GLASS_APPROVAL = "break-glass"
GLASS_REVIEW = "review"
WAITING = frozenset({APPROVAL, GLASS_APPROVAL, GLASS_REVIEW})
UNBOUND = "approval-unbound"
"""Event: an approval counts that does not say what it is over; until `approvals.bound` is `required`."""


def record_approvals(
    context: Context, request: Request, proof: Proof, client: Client, changes: Changes, now: datetime
) -> None:
    """Those that came with the submission: the court system's word, checked."""
    if proof.unbound:
        changes.events += request_events(context, request, UNBOUND, now, detail=",".join(proof.unbound))
    changes.approvals += [
        ApprovalRow(
            request_no=request.request_no,
            kind="approval",
            approver=approval.by,
            role=approval.role,
            decision=approval.decision,
            at=datetime.fromisoformat(approval.at).astimezone(UTC),
            recorded_at=now,
            client=client.id,
            submission_id=proof.submission_id,
        )
        for approval in proof.submission.approvals
    ]


def await_approval(context: Context, request: Request, changes: Changes, now: datetime) -> None:
    """Stored, not sent: nothing leaves before its approvals (docs/architecture.md 4 rule 6)."""
    request.state = "awaiting-approval"
    watch(context, APPROVAL, request, changes, now)
    changes.events += request_events(context, request, "awaiting-approval", now)


def break_glass(context: Context, request: Request, proof: Proof, changes: Changes, now: datetime) -> None:
    """Sent at once, marked, and owed an approval within hours and a review the next working day."""
    glass = proof.submission.break_glass
    assert glass is not None, "what waits is not sent"
    request.facts["break_glass"] = {"by": glass.by, "state": "unapproved"}
    watch(context, GLASS_APPROVAL, request, changes, now)
    watch(context, GLASS_REVIEW, request, changes, now)
    changes.events += request_events(context, request, "break-glass", now, detail=f"by:{glass.by}")


# --- when approvals are due, and what happens when they do not come (docs/domain.md sections 3 and 4)
#
# What was sent first is approved within hours and reviewed on a working day; whatever waits is told every time anew.


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
