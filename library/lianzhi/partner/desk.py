"""Holds together the parts of a running partner, for `Partner` and `Request`: ledger, reading, replies, publisher."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from time import time_ns
from typing import Any

from lianzhi.crypto.keyring import Keyring
from lianzhi.errors import MisuseError, RejectedError, StoreUnavailableError
from lianzhi.partner.config import PartnerConfig
from lianzhi.partner.delivered import SHANGHAI
from lianzhi.partner.engine.asking import AskForMissing
from lianzhi.partner.engine.intake import Ingest, Ingested, Offer
from lianzhi.partner.engine.outbox import Outbox, Publisher
from lianzhi.partner.engine.reception import MENDABLE, Outside, Raw, Reader, Received, set_aside
from lianzhi.partner.engine.replies import Saying, Writer
from lianzhi.partner.engine.stored import (
    Mended,
    message_text,
    pending_offers,
    put_aside,
    set_aside_bodies,
    set_aside_to_retry,
)
from lianzhi.partner.inbox import Inbox
from lianzhi.partner.ledger import Ledger
from lianzhi.partner.ledger.records import Conversation, OutboxRow, SetAside
from lianzhi.partner.ledger.unit import Key, Unit
from lianzhi.partner.request import Finish, Finished, Request, Statement
from lianzhi.protocol.cards import TypeCard
from lianzhi.protocol.tracing import Tracer, about, parse_traceparent, processed

_log = logging.getLogger(__name__)

RETRIED_TOGETHER = 64  # messages set aside that are read again at once

Item = Received | Outside | SetAside


@dataclass(frozen=True, slots=True)
class OutsideSaying:
    """Job: a message outside any request, made by `write`."""

    write: Callable[[], OutboxRow]
    requests: Collection[str] = ()
    ids: Collection[str] = ()

    def run(self, unit: Unit) -> OutboxRow:
        row = self.write()
        unit.send(row)
        return row


@dataclass(frozen=True, slots=True)
class Opening:
    """Job: a request that we open, with the next number of the day."""

    code: str
    receiver: str
    card: TypeCard
    dialect: str
    saying: Saying
    lane: str
    case_no: str | None
    related: str | None
    writer: Writer
    now: datetime
    requests: Collection[str] = ()
    ids: Collection[str] = ()

    def run(self, unit: Unit) -> OutboxRow:
        day = self.now.astimezone(SHANGHAI).strftime("%Y%m%d")
        (number,) = unit.execute(
            "INSERT INTO lz_counter VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value",
            (f"number:{day}",),
        ).fetchone()
        conversation = Conversation(
            f"{self.code}-{day}-{number:06d}",
            self.card.name,
            self.card.version,
            "asker",
            self.receiver,
            self.dialect,
            lane=self.lane,
            case_no=self.case_no,
            opened=True,
            started=True,
        )
        row = self.writer.say(conversation, self.saying, self.now, related=self.related)
        conversation.refs = list(self.saying.head.get("refs", ()))
        unit.put(conversation)
        unit.send(row)
        return row


class Desk:
    """now: the clock, aware. Everything it gives back is committed. tracer: None where nothing is traced."""

    def __init__(
        self,
        config: PartnerConfig,
        ledger: Ledger,
        cards: Mapping[str, TypeCard],
        publisher: Publisher,
        now: Callable[[], datetime],
        tracer: Tracer | None = None,
    ) -> None:
        keyring: Keyring = config.keyring
        self.config = config
        self.ledger = ledger
        self.now = now
        self.reader = Reader(config.code, keyring, cards)
        self._tracer = tracer
        seals_to = config.open_keys[0].kid
        self.writer = Writer(config.code, config.sign_key, keyring, cards, seals_to, config.contract, tracer)
        self.inbox = Inbox(self.request, room=config.bounds.waiting_messages, room_bytes=config.bounds.waiting_bytes)
        self.outbox = Outbox(ledger, publisher)

    def read(self, raws: Sequence[Raw]) -> list[Item]:
        """Verify what arrived; pure."""
        now = self.now()
        return [self.reader.read(raw, now) for raw in raws]

    async def store(self, items: Sequence[Item]) -> Ingested:
        """One transaction for the batch; then its answers are published and its messages offered.

        A message that makes our own code fail is set aside as `poison`; the others of its batch are stored one by one.
        Raises StoreUnavailableError: some of it may have been kept, and the same batch may be stored again.
        """
        try:
            return await self._ingest(items)
        except StoreUnavailableError:
            raise
        except Exception as error:  # which of them it was shows when each is alone
            _log.error("a batch of %d cannot be stored: %s, one by one", len(items), type(error).__name__)
        done = Ingested()
        for item in items:
            done.add(await self._ingest_alone(item))
        return done

    async def _ingest_alone(self, item: Item) -> Ingested:
        try:
            return await self._ingest([item])
        except StoreUnavailableError:
            raise
        except Exception as error:  # a fault of ours that this message lays bare
            _log.error("a message cannot be stored: %s, set aside", type(error).__name__)
            return await self._ingest([_poison(item, self.now())])

    async def _ingest(self, items: Sequence[Item]) -> Ingested:
        c, started = self.config, 0 if self._tracer is None else time_ns()
        job = Ingest(items, self.writer, c.code, c.gateway, c.system, c.delivered, self.now(), c.bounds)
        done = await self.ledger.submit(job)
        if self._tracer is not None:
            for item in items:
                _trace(self._tracer, item, started)
        self.outbox.push(done.send)
        self.inbox.drop(done.dropped)
        self.inbox.offer(done.offers)
        return done

    async def ask_for_missing(self) -> None:
        """Say what has been missing for too long. Raises StoreUnavailableError."""
        c = self.config
        self.outbox.push(await self.ledger.submit(AskForMissing(self.writer, c.gateway, c.bounds, self.now())))

    async def resume(self) -> None:
        """After a start: what was set aside for a reason that may be mended is tried again, and what the
        application has not finished is offered again."""
        pending = await self.ledger.read(pending_offers)
        self.inbox.offer(pending)
        await self.try_again(MENDABLE, all_of_it=True)

    async def try_again(self, reasons: Sequence[str], *, all_of_it: bool = False) -> int:
        """What was set aside for one of these reasons is read once more, and stored where it can be used by now. How
        many still stand aside. all_of_it: what is refused again is written down too."""
        digests = await self.ledger.read(partial(set_aside_to_retry, reasons=reasons))
        left = len(digests)
        for start in range(0, len(digests), RETRIED_TOGETHER):
            some = digests[start : start + RETRIED_TOGETHER]
            raws = await self.ledger.read(partial(set_aside_bodies, digests=some))
            items = [item for item in self.read(raws) if all_of_it or not isinstance(item, SetAside)]
            again = await self.store(items)
            usable = [i for i in items if isinstance(i, Outside) or (isinstance(i, Received) and i.body is not None)]
            mended = {item.raw.sha256 for item in usable} - set(again.set_aside)
            await self.ledger.submit(Mended(sorted(mended)))
            left -= len(mended)
        return left

    async def request(self, offer: Offer) -> Request | None:
        """The message for the application; None when it can no longer be read, which sets it aside."""
        if offer.received is not None and offer.received.body is not None:
            return Request(offer.received.envelope, offer.received.body, self, self._tracer)
        text = await self.ledger.read(lambda connection: message_text(connection, offer.sender, offer.id))
        if text is None:
            return None
        try:
            envelope, body = self.reader.again(text)
        except Exception as error:  # a rule's, a newer schema's, or a fault of ours: the others go on
            reason = error.code if isinstance(error, RejectedError) else "poison"
            _log.error("%s in %s cannot be read again: %s, set aside", offer.verb, offer.request_no, reason)
            await self.ledger.submit(put_aside(offer, text, reason, self.now()))
            return None
        return Request(envelope, body, self, self._tracer)

    async def finish(
        self, request_no: str, key: Key | None, statements: Sequence[Statement], sayings: Sequence[Saying]
    ) -> Finished:
        job = Finish(request_no, key, statements, sayings, self.writer, self.now())
        finished = await self.ledger.submit(job)
        self.outbox.push(finished.send)
        self.inbox.drop(finished.dropped)
        return finished

    async def open(
        self,
        type: str,
        receiver: str,
        saying: Saying,
        *,
        urgency: str,
        case_no: str | None,
        related: str | None,
        dialect: str | None,
    ) -> str:
        chosen = dialect or self.config.dialect
        if chosen is None:
            raise MisuseError(
                "partner.toml 未写 dialect（字段规范，如 police/1） give dialect, here or in partner.toml"
            )
        card = self.writer.card(type)
        lane = "urgent" if urgency != "normal" else "normal"
        row = await self.ledger.submit(
            Opening(self.config.code, receiver, card, chosen, saying, lane, case_no, related, self.writer, self.now())
        )
        self.outbox.push([row])
        assert row.request_no is not None
        return row.request_no

    async def say_outside(self, kind: str, receiver: str, body: Mapping[str, Any]) -> OutboxRow:
        row = await self.ledger.submit(OutsideSaying(lambda: self.outside(kind, receiver, body)))
        self.outbox.push([row])
        return row

    def outside(self, kind: str, receiver: str, body: Mapping[str, Any]) -> OutboxRow:
        """A signed message outside any request that is not stored."""
        return self.writer.outside(kind, receiver, body, self.now())


def _trace(tracer: Tracer, item: Item, started: int) -> None:
    """What was committed. Nothing is believed of bytes that did not verify, nor of their content where it cannot be
    used; pings and notices are not traced."""
    if isinstance(item, SetAside):
        processed(tracer, item.queue, started, None, {}, item.reason)
    elif isinstance(item, Received):
        one, fault = item.envelope, item.arrival.fault
        known = (
            {}
            if fault is not None
            else about(
                request_no=one.subject,
                matter_type=one.matter_type,
                verb=one.verb,
                partner=one.sender,
                message_id=one.id,
            )
        )
        processed(tracer, item.raw.queue, started, parse_traceparent(one.traceparent), known, fault)


def _poison(item: Item, now: datetime) -> SetAside:
    """Raises what it cannot be: a `SetAside` that could not be stored either is our own fault and ends the program."""
    if isinstance(item, SetAside):
        return replace(item, reason="poison")
    return set_aside(item.raw, now, "poison", None, item.arrival if isinstance(item, Received) else None)


def utc_now() -> datetime:
    return datetime.now(UTC)
