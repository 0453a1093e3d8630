"""Quarantine: the bytes as they came, a reason, an event, and one notice to the owner of the queue."""

from __future__ import annotations

from datetime import datetime

from gateway.core.records import Changes, Event, QuarantineRow
from gateway.services.applying import Refusal
from gateway.services.compose import Composer
from gateway.services.context import Context
from gateway.services.ports import Delivery, Transaction
from gateway.services.reading import Arrived, ArrivedOutside, body_digest
from schemas.envelope import GATEWAY_NOTICE


class Quarantine:
    def __init__(self, context: Context, composer: Composer) -> None:
        self._ctx = context
        self._composer = composer

    async def add(
        self,
        tx: Transaction,
        changes: Changes,
        delivery: Delivery,
        arrived: Arrived | ArrivedOutside | None,
        refusal: Refusal,
        now: datetime,
    ) -> None:
        """Into `changes`; the notice once for the same bytes, at most so many a minute, never about a notice."""
        error, digest = refusal.error, body_digest(delivery.body)
        message_id = arrived.envelope.id if arrived is not None else None
        request = (await tx.lock_requests([refusal.request_no])).get(refusal.request_no) if refusal.request_no else None
        changes.quarantine.append(
            QuarantineRow(
                owner=delivery.owner,
                queue=delivery.queue,
                body=delivery.body,
                body_sha256=digest,
                reason=error.code,
                at=now,
                pointer=error.pointer,
                user_id=delivery.user_id,
                message_id=message_id,
                request_no=refusal.request_no,
            )
        )
        changes.events.append(
            Event(
                at=now,
                audience=self._ctx.home.code,
                kind="quarantined",
                request_no=request.request_no if request else None,
                case_no=request.case_no if request else None,
                type=request.type if request else None,
                state=request.state if request else None,
                message_id=message_id,
                digest=arrived.parsed.digest if arrived is not None else None,
                detail=error.code,
            )
        )
        if arrived is not None and arrived.envelope.type == GATEWAY_NOTICE:
            return
        if not await tx.notice_allowed(delivery.owner, digest, now, self._ctx.settings.notices_per_minute):
            return
        more = {"message_id": message_id, "request_no": refusal.request_no, "next_seqno": refusal.next_seqno}
        owner = self._ctx.participant(delivery.owner)
        composed = await self._composer.notice(owner, digest, error, now=now, **more)
        changes.messages.append(composed.message)
        if composed.outbox is not None:
            changes.outbox.append(composed.outbox)
