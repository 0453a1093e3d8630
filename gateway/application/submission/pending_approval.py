"""What is recorded of approvals when a request is made, and how it waits for those that are missing (docs/adr/0014)."""

from __future__ import annotations

from datetime import UTC, datetime

from gateway.application.context import Context
from gateway.application.events import request_events
from gateway.application.submission.approval_clock import APPROVAL, GLASS_APPROVAL, GLASS_REVIEW, watch
from gateway.application.submission.validate import Proof
from gateway.core.records import ApprovalRow, Changes, Request
from gateway.core.routing import Client

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
