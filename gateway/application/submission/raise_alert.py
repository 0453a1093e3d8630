"""A partner that uses the API raises an alert, or records a handover: what `partner_open` does for one on the bus."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.application.context import Context
from gateway.application.conversation.alert_effects import alert_raised
from gateway.application.ports.store import Transaction
from gateway.application.submission.validate import Proof
from gateway.application.unit_of_work import UnitOfWork
from gateway.core.records import Changes, Request
from lianzhi.errors import RejectedError


async def raise_alert(
    context: Context, tx: Transaction, requests: Sequence[Request], proof: Proof, changes: Changes
) -> None:
    """Of the submission `proof`, which makes `requests`. A hit must name a live measure that its sender controls, and
    the object under it; its case is the hit's.

    Raises RejectedError: unknown-control, unknown-ref.
    """
    control_no = proof.matter.alert_control_no(proof.payload)
    for request in requests:
        control = None if control_no is None else await tx.measure_by_control(control_no, request.asker, request.asked)
        if control_no is not None and control is None:
            raise RejectedError("unknown-control", pointer="/payload/control_no")
        if control is not None:
            if control.ref not in request.refs:
                raise RejectedError("unknown-ref", pointer="/payload/ref")
            request.related, request.case_no = control.request_no, control.case_no or None
            request.asked_case_no = request.case_no
        if (control is not None or request.shape == "alert") and context.participant(request.asked).local:
            unit = UnitOfWork(context, tx, changes, request.created_at)
            await alert_raised(unit, request, control, proof.submission.payload, unit.now)
