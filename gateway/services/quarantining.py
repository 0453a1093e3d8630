"""Quarantine: the bytes as they came, a reason, an event, and one notice to the owner of the queue."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from gateway.core.records import Changes, Event, QuarantineRow, Request
from gateway.services.applying import Refusal
from gateway.services.compose import Composer
from gateway.services.context import Context
from gateway.services.ports import Delivery, Transaction
from gateway.services.reading import Arrived, ArrivedOutside, body_digest
from schemas.envelope import GATEWAY_NOTICE

HELD = "held"  # stands for the queue where the bytes waited in the store for their turn


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
        *,
        request: Request | None = None,
    ) -> None:
        """Into `changes`; the notice once for the same bytes, at most so many a minute, never about a notice.

        request: the one that was locked, if there is one.
        """
        message_id = arrived.envelope.id if arrived is not None else None
        digest = arrived.parsed.digest if arrived is not None else None
        if refusal.held is not None:
            body = f"{refusal.held.jws}~{refusal.held.disclosure}~".encode()
            delivery = replace(delivery, owner=refusal.held.sender, queue=HELD, body=body)
            message_id, digest = refusal.held.id, refusal.held.digest
        error, body_sha256 = refusal.error, body_digest(delivery.body)
        changes.quarantine.append(
            QuarantineRow(
                owner=delivery.owner,
                queue=delivery.queue,
                body=delivery.body,
                body_sha256=body_sha256,
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
                digest=digest,
                detail=error.code,
            )
        )
        if arrived is not None and arrived.envelope.type == GATEWAY_NOTICE:
            return
        if not await tx.notice_allowed(delivery.owner, body_sha256, now, self._ctx.settings.notices_per_minute):
            return
        more = {"message_id": message_id, "request_no": refusal.request_no, "next_seqno": refusal.next_seqno}
        owner = self._ctx.participant(delivery.owner)
        composed = await self._composer.notice(owner, body_sha256, error, now=now, **more)
        changes.messages.append(composed.message)
        if composed.outbox is not None:
            changes.outbox.append(composed.outbox)
