"""What every simulated agency does: take a message, sign for it by name, decide, act once, answer.

An agency sees its own queue, its own keys, its own ledger, and nothing else. It writes its own book: what it received,
what it did (one line for each effect) and what it sent, with digests that it works out itself.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, ClassVar

from lianzhi.partner import Partner, Request
from simulation.pace import Pace
from simulation.reconciliation.journal import Journal

WORKERS = 24  # people at the desk
Body = dict[str, Any]

_DESK = "CREATE TABLE IF NOT EXISTS desk (request_no TEXT PRIMARY KEY, body TEXT NOT NULL)"


@dataclass(frozen=True, slots=True)
class Word:
    """Something to say. head: its codes in clear."""

    verb: str
    body: Body
    head: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Work:
    """What answering comes to. effect: what is now different in the world; reply: what is said about it.

    before: what is said while it is being done.
    """

    effect: str
    reply: Word
    before: tuple[Word, ...] = ()


class Agency(ABC):
    """clerk: who signs for what comes in."""

    clerk: ClassVar[str]

    def __init__(self, partner: Partner, journal: Journal, pace: Pace) -> None:
        self.partner = partner
        self.pace = pace
        self._journal = journal
        self._sent_up_to = 0
        self._looking = asyncio.Lock()
        self._tasks: asyncio.TaskGroup | None = None
        self.busy = 0

    @property
    def code(self) -> str:
        return self.partner.config.code

    async def run(self) -> None:
        """Until the partner is stopped. A fault of ours ends it."""
        await self.partner.prepare(_DESK)
        async with asyncio.TaskGroup() as self._tasks:
            listening = self._tasks.create_task(self._listen())
            self.begin()
            async with asyncio.TaskGroup() as desk:
                for _ in range(WORKERS):
                    desk.create_task(self._attend())
            listening.cancel()

    # what differs from agency to agency

    @abstractmethod
    def receipt(self, request: Request) -> Body:
        """A named person's word that it has come."""

    @abstractmethod
    def fault(self, request: Request) -> Word | None:
        """What the agency says instead of doing it: `supplement-request`, `refuse`, `return`. None: it is in order."""

    @abstractmethod
    def work(self, request: Request, body: Body) -> Work:
        """body: of the `open`, as it was opened here."""

    def begin(self) -> None:
        """What it does of its own accord when it opens; by default nothing."""
        return

    async def heard(self, request: Request, body: Body | None) -> None:
        """Anything else that the court said. body: of the `open`, if it was the court's."""
        await request.done()

    # the desk

    async def _attend(self) -> None:
        async for request in self.partner.inbox:
            self.busy += 1
            try:
                await self._note_received(request)
                await self._take(request)
                await self.note_sent()
            finally:
                self.busy -= 1

    async def _take(self, request: Request) -> None:
        if request.verb == "open":
            await self._opened(request)
        elif request.verb == "supplement":
            body = await self._body(request.request_no)
            assert body is not None, "a supplement follows an open"
            await self._answer(request, body)
        elif request.verb == "withdraw":
            await request.reply("withdraw-ack", {}, effect="reversed")
        else:
            await self.heard(request, await self._body(request.request_no))

    async def _opened(self, request: Request) -> None:
        await self.pace()
        async with request.transaction() as tx:
            body = json.dumps(request.body, ensure_ascii=False)
            tx.execute("INSERT OR REPLACE INTO desk VALUES (?, ?)", (request.request_no, body))
            if receipt := self.receipt(request):
                tx.reply("receipt", receipt)
        await self.pace()
        fault = self.fault(request)
        if fault is None:
            await self._answer(request, request.body)
        else:
            await request.reply(fault.verb, fault.body, **fault.head)

    async def _answer(self, request: Request, body: Body) -> None:
        work = self.work(request, body)
        for word in work.before:
            await request.reply(word.verb, word.body, **word.head)
            await self.pace()
        await request.reply(work.reply.verb, work.reply.body, **work.reply.head)
        self._journal.write("effect", request_no=request.request_no, type=request.type, what=work.effect)

    async def _body(self, request_no: str) -> Body | None:
        rows = await self.partner.query("SELECT body FROM desk WHERE request_no = ?", (request_no,))
        return json.loads(rows[0][0]) if rows else None

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        """Do it beside everything else; it counts as busy until it is done."""
        assert self._tasks is not None, "the agency runs"
        self.busy += 1
        self._tasks.create_task(self._counted(work))

    async def _counted(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
            await self.note_sent()
        finally:
            self.busy -= 1

    # the book

    async def _note_received(self, request: Request) -> None:
        rows = await self.partner.query("SELECT text FROM lz_message WHERE sender = ? AND id = ?", request.key)
        self._journal.write(
            "received",
            request_no=request.request_no,
            verb=request.verb,
            type=request.type,
            id=request.envelope.id,
            digest=_digest(rows[0][0]),
        )

    async def note_sent(self) -> None:
        """Everything that went into our outbox since the last look, the library's own `delivered` included."""
        async with self._looking:
            rows = await self.partner.query(
                "SELECT no, id, request_no, verb, text FROM lz_outbox WHERE no > ? ORDER BY no", (self._sent_up_to,)
            )
            for number, message_id, request_no, verb, text in rows:
                self._journal.write("sent", request_no=request_no, verb=verb, id=message_id, digest=_digest(text))
                self._sent_up_to = number

    async def _listen(self) -> None:
        """The gateway tells us what of ours it would not take."""
        async for notice in self.partner.notices():
            self._journal.write("notice", reason=notice.reason, id=notice.message_id, request_no=notice.request_no)


def _digest(text: str) -> str:
    """base64url(SHA-256(JWS part)), as docs/contracts.md 3.1 defines `originhash`."""
    found = hashlib.sha256(text.partition("~")[0].encode("ascii")).digest()
    return base64.urlsafe_b64encode(found).rstrip(b"=").decode()
