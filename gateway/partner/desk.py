"""Where the parts meet: the ledger, what we read, what we say, and the publisher. Used by `Partner` and `Request`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from gateway.crypto.keyring import Keyring
from gateway.errors import MisuseError, RejectedError
from gateway.partner.config import PartnerConfig
from gateway.partner.delivered import SHANGHAI
from gateway.partner.inbox import Inbox
from gateway.partner.intake import Ingest, Ingested, Offer
from gateway.partner.ledger import Ledger
from gateway.partner.outbox import Outbox, Publisher
from gateway.partner.reception import Outside, Raw, Reader, Received
from gateway.partner.records import Conversation, OutboxRow, SetAside
from gateway.partner.replies import Saying, Writer
from gateway.partner.request import Finish, Finished, Request, Statement
from gateway.partner.stored import Mended, message_text, pending_offers, put_aside, set_aside_to_retry
from gateway.partner.unit import Key, Unit
from schemas.catalogue import MatterType


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
    matter: MatterType
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
            self.matter.name,
            self.matter.version,
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
    """now: the clock, aware. Everything it gives back is committed."""

    def __init__(
        self,
        config: PartnerConfig,
        ledger: Ledger,
        catalogue: Mapping[str, MatterType],
        publisher: Publisher,
        now: Callable[[], datetime],
    ) -> None:
        keyring: Keyring = config.keyring
        self.config = config
        self.ledger = ledger
        self.now = now
        self.reader = Reader(config.code, keyring, catalogue)
        self.writer = Writer(config.code, config.sign_key, keyring, catalogue, config.open_keys[0].kid)
        self.inbox = Inbox(self)
        self.outbox = Outbox(ledger, publisher)

    def read(self, raws: Sequence[Raw]) -> list[Received | Outside | SetAside]:
        """Verify what arrived; pure."""
        now = self.now()
        return [self.reader.read(raw, now) for raw in raws]

    async def store(self, items: Sequence[Received | Outside | SetAside]) -> Ingested:
        """One transaction for the batch; then its answers are published and its messages offered.

        Raises StoreUnavailableError: nothing of it was kept.
        """
        config = self.config
        job = Ingest(items, self.writer, config.code, config.gateway, config.system, config.delivered, self.now())
        done = await self.ledger.submit(job)
        self.outbox.push(done.send)
        self.inbox.drop(done.dropped)
        self.inbox.offer(done.offers)
        return done

    async def resume(self) -> None:
        """After a start: what was set aside for a reason that may be mended is tried again, and what the
        application has not finished is offered again."""
        pending = await self.ledger.read(pending_offers)
        self.inbox.offer(pending)
        raws = await self.ledger.read(set_aside_to_retry)
        if not raws:
            return
        items = self.read(raws)
        await self.store(items)
        usable = [i.raw for i in items if isinstance(i, Outside) or (isinstance(i, Received) and i.body is not None)]
        await self.ledger.submit(Mended([hashlib.sha256(raw.body).hexdigest() for raw in usable]))

    async def request(self, offer: Offer) -> Request | None:
        """The message for the application; None when it can no longer be opened, which sets it aside."""
        if offer.received is not None and offer.received.body is not None:
            return Request(offer.received.envelope, offer.received.body, self)
        text = await self.ledger.read(lambda connection: message_text(connection, offer.sender, offer.id))
        if text is None:
            return None
        try:
            envelope, body = self.reader.again(text)
        except RejectedError as error:
            await self.ledger.submit(put_aside(offer, text, error.code, self.now()))
            return None
        return Request(envelope, body, self)

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
        matter = self.writer.matter(type)
        lane = "urgent" if urgency != "normal" else "normal"
        row = await self.ledger.submit(
            Opening(self.config.code, receiver, matter, chosen, saying, lane, case_no, related, self.writer, self.now())
        )
        self.outbox.push([row])
        assert row.request_no is not None
        return row.request_no

    async def say_outside(self, kind: str, receiver: str, body: Mapping[str, Any]) -> OutboxRow:
        row = await self.ledger.submit(OutsideSaying(lambda: self.writer.outside(kind, receiver, body, self.now())))
        self.outbox.push([row])
        return row


def utc_now() -> datetime:
    return datetime.now(UTC)
