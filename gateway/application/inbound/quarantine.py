"""Quarantine: the bytes as they came, a reason, an event, and one notice to the owner of the queue.

Everything of it is bounded (docs/adr/0022): of a long message its beginning and the digest of all of it are kept;
bytes that are there already are counted, not listed again; rows beyond those of one hour and owner are counted only;
notices are few a minute. What a message in its turn was refused for is an event in any case: it used up its number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gateway.application.context import Context
from gateway.application.conversation.compose import Composer
from gateway.application.conversation.ledger_entries import book_turned_away
from gateway.application.conversation.read_message import Arrived, ArrivedOutside, body_digest
from gateway.application.inbound.ahead_of_turn import TOO_FAR, TOO_MUCH, bound_reached
from gateway.application.inbound.apply_messages import Refusal
from gateway.application.inbound.notices import (
    NAMES_ANSWERS,
    Told,
    expected_of,
    named_in,
    notice_body,
    offset_ms,
    version_for,
)
from gateway.application.ports.arrivals import ArrivalUnit
from gateway.application.ports.broker import Delivery
from gateway.application.ports.store import Transaction
from gateway.core.records import Changes, Event, QuarantineRow, Request
from lianzhi.protocol.envelope import GATEWAY_NOTICE, parse_timestamp

HELD = "held"  # stands for the queue where the bytes waited in the store for their turn
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Refused:
    """One refusal. arrived: None where the bytes are not a message of their owner's. request: the one that was locked
    and that its sender is a party of, if there is one. waits: it is not refused, only told of."""

    delivery: Delivery
    arrived: Arrived | ArrivedOutside | None
    refusal: Refusal
    request: Request | None = None
    waits: bool = False


@dataclass(slots=True)
class _Bytes:
    """What is refused, from a queue or from among those that waited."""

    owner: str
    queue: str
    start: bytes
    sha256: str
    size: int
    message_id: str | None
    digest: str | None


class Quarantine:
    def __init__(self, context: Context, composer: Composer) -> None:
        self._ctx = context
        self._composer = composer

    async def keep(self, tx: Transaction, changes: Changes, all_refused: Sequence[Refused], now: datetime) -> None:
        """What one unit of work refuses, into `changes`. all_refused: at least one."""
        both = [(one, self._bytes(one)) for one in all_refused]
        known = await tx.quarantined([(bytes_.owner, bytes_.sha256) for _, bytes_ in both])
        room: dict[str, int] = {}
        quiet: set[str] = set()
        for one, bytes_ in both:
            if one.waits:
                await self._tell(tx, changes, one, bytes_, now)
                continue
            self._ctx.tallies.refused(bytes_.owner, one.refusal.error.code)
            key = (bytes_.owner, bytes_.sha256)
            again = key in known
            if again or await self._room(tx, room, bytes_.owner, now):
                if bytes_.size > len(bytes_.start):
                    self._ctx.reached.count("quarantine_bytes", bytes_.owner)
                changes.quarantine.append(self._row(one, bytes_, now))
                known.add(key)
                kept = True
            else:
                bound_reached(self._ctx, changes, "quarantine_rows_per_hour", bytes_.owner, now)
                kept = False
            if one.refusal.numbered and one.refusal.error.code == NAMES_ANSWERS and one.request and bytes_.message_id:
                book_turned_away(self._ctx, one.request, bytes_.message_id, changes, now)
            if one.refusal.numbered or (kept and not again):
                changes.events.append(self._event(one, bytes_, now))
            if bytes_.owner in quiet or (again and not one.refusal.numbered):
                continue
            if not await self._tell(tx, changes, one, bytes_, now) and not one.refusal.numbered:
                quiet.add(bytes_.owner)  # so many were told in this minute: nor will the next be

    def _bytes(self, one: Refused) -> _Bytes:
        delivery, held, longest = one.delivery, one.refusal.held, self._ctx.bounds.quarantine_bytes
        if held is not None:
            return _Bytes(
                held.sender,
                HELD,
                one.refusal.start[:longest],
                held.body_sha256,
                held.size,
                held.message_id,
                held.digest,
            )
        arrived = one.arrived
        return _Bytes(
            delivery.owner,
            delivery.queue,
            delivery.body[:longest],
            delivery.body_sha256 or body_digest(delivery.body),
            len(delivery.body) if delivery.size is None else delivery.size,
            arrived.envelope.id if arrived is not None else None,
            arrived.parsed.digest if arrived is not None else None,
        )

    async def _room(self, tx: ArrivalUnit, room: dict[str, int], owner: str, now: datetime) -> bool:
        """Whether one row more of that owner may be written within this hour."""
        if owner not in room:
            most = self._ctx.bounds.quarantine_rows_per_hour
            room[owner] = most - await tx.quarantined_since(owner, now - HOUR, now, most)
        room[owner] -= 1
        return room[owner] >= 0

    def _row(self, one: Refused, bytes_: _Bytes, now: datetime) -> QuarantineRow:
        error = one.refusal.error
        first = error.errors[0] if error.errors else None
        return QuarantineRow(
            owner=bytes_.owner,
            queue=bytes_.queue,
            body=bytes_.start,
            body_sha256=bytes_.sha256,
            reason=error.code,
            at=now,
            pointer=error.pointer,
            user_id=one.delivery.user_id,
            message_id=bytes_.message_id,
            request_no=one.refusal.request_no,
            size=bytes_.size,
            rule=first.rule if first else error.code,
            detail_zh=first.detail if first else error.reason.zh,
            detail_en=first.detail_en if first else error.reason.en,
        )

    def _event(self, one: Refused, bytes_: _Bytes, now: datetime) -> Event:
        """In the timeline of the request only where the sender is a party of it: whoever else names it writes nothing
        there."""
        request = one.request if one.request and bytes_.owner in (one.request.asker, one.request.asked) else None
        return Event(
            at=now,
            audience=self._ctx.home.code,
            kind="quarantined",
            request_no=request.request_no if request else None,
            case_no=request.case_no if request else None,
            type=request.type if request else None,
            state=request.state if request else None,
            message_id=bytes_.message_id,
            digest=bytes_.digest,
            detail=one.refusal.error.code,
        )

    async def _tell(self, tx: Transaction, changes: Changes, one: Refused, bytes_: _Bytes, now: datetime) -> bool:
        """The notice, once for the same bytes, at most so many a minute, never about a notice. False when so many went
        in this minute: another to the same owner may not go either."""
        if one.arrived is not None and one.arrived.envelope.type == GATEWAY_NOTICE:
            return True
        if not one.delivery.traced:  # nothing shows that the owner sent these bytes
            return True
        error = one.refusal.error
        # What only finds no room now may be refused for something else when it comes again: that is told too.
        again = one.waits or error.code in (TOO_FAR, TOO_MUCH)
        about = f"{error.code}:{bytes_.sha256}" if again else bytes_.sha256
        room = await tx.admit_notice(bytes_.owner, about, now, self._ctx.bounds.notices_per_minute)
        if room == "full":
            self._ctx.reached.count("notices_per_minute", bytes_.owner)
        if room != "free":
            return room == "told"
        owner = self._ctx.participant(bytes_.owner)
        version = await version_for(self._ctx, tx, owner)
        told = Told(
            body_sha256=bytes_.sha256,
            error=error,
            message_id=bytes_.message_id,
            request_no=one.refusal.request_no,
            next_seqno=one.refusal.next_seqno,
        )
        if version > 1:
            told = await self._more(tx, told, one, bytes_, now)
        body = notice_body(told, version, self._ctx.identity.incarnation)
        composed = await self._composer.outside(owner, GATEWAY_NOTICE, body, now=now)
        changes.messages.append(composed.message)
        if composed.outbox is not None:
            changes.outbox.append(composed.outbox)
        return True

    async def _more(self, tx: Transaction, told: Told, one: Refused, bytes_: _Bytes, now: datetime) -> Told:
        """What version 2 says also of bytes that are no message of their owner's."""
        arrived, refusal = one.arrived, one.refusal
        if refusal.held is not None:
            return told
        if arrived is not None:
            offset = offset_ms(parse_timestamp(arrived.envelope.time), now)
            number = told.request_no if told.next_seqno is not None else None
            return replace(told, request_no=number, clock_offset_ms=offset)
        named = named_in(self._ctx, one.delivery.body)
        offset_or_none = offset_ms(named.time, now) if named.time is not None else None
        expected = None if named.request_no is None else await expected_of(tx, named.request_no, bytes_.owner)
        return replace(
            told,
            request_no=named.request_no if expected is not None else None,
            next_seqno=expected,
            clock_offset_ms=offset_or_none,
        )
