"""Where a stranger's choices are tried: the police with their own keys and broker user, everybody else at work.

`others` is everything that is not the stranger's: the requests, messages, measures, timers, papers and events of all
other conversations, and what lies in the others' queues. No choice of the stranger's may change any of it.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aio_pika
import aiohttp
from uuid_utils.compat import uuid7

from lianzhi.crypto import jws, strictjson
from simulation.parties import ASSOCIATION, FUPING, GRID, HOME, POLICE
from tests.agency import Agency
from tests.conftest import Vhost
from tests.eventually import eventually
from tests.fault.court import ENTRUST, LOCATE, NOTICE, PAPER_SHA256, VERIFY
from tests.walls.product import Installation, installed
from tests.words import Said, Talk

STRANGER = POLICE
OTHERS = (GRID, FUPING, ASSOCIATION)
_NOT_HIS = {
    "requests": f"asker != '{STRANGER}' AND asked != '{STRANGER}'",
    "messages": f"sender != '{STRANGER}' AND receiver != '{STRANGER}' AND verb NOT IN ('ping', 'pong')",
    "outbox": f"receiver != '{STRANGER}' AND verb != 'pong'",
    "timers": f"request_no NOT IN (SELECT request_no FROM requests WHERE asked = '{STRANGER}' OR asker = '{STRANGER}') "
    f"AND request_no NOT LIKE '{STRANGER}-%'",
    "measures": f"asked != '{STRANGER}'",
    "documents": f"put_by != '{STRANGER}'",
    "document_refs": f"request_no IN (SELECT request_no FROM requests WHERE asked != '{STRANGER}' "
    f"AND asker != '{STRANGER}')",
    "events": f"request_no IN (SELECT request_no FROM requests WHERE asked != '{STRANGER}' AND asker != '{STRANGER}')",
    "quarantine": f"owner != '{STRANGER}'",
    "approvals": "true",
    "duty_shifts": "true",
    "ledger_entries": f"partner IS NULL OR partner != '{STRANGER}'",
}


@dataclass(slots=True)
class Stage:
    """token, reader: of the court system, and of a client that may only read."""

    site: Installation
    police: Agency
    neighbours: list[Agency]
    talk: Talk
    reader: str
    theirs: dict[str, str] = field(default_factory=dict)
    http: aiohttp.ClientSession | None = None

    # what is there

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Straight from the database file."""
        with closing(sqlite3.connect(f"file:{self.site.folder / 'lianzhi.sqlite'}?mode=ro", uri=True)) as connection:
            return connection.execute(query, values).fetchall()

    async def others(self) -> dict[str, Any]:
        """Everything that is not the stranger's."""
        found: dict[str, Any] = {
            table: sorted(map(repr, self.rows(f"SELECT * FROM {table} WHERE {condition}")))
            for table, condition in _NOT_HIS.items()
        }
        found["queues"] = await self._queues()
        return found

    async def _queues(self) -> dict[str, int]:
        """Messages that wait in the others' queues and in the dead one."""
        found: dict[str, int] = {}
        async with await aio_pika.connect(self.site.vhost.url()) as connection:
            channel = await connection.channel()
            for name in ("lianzhi.dead", *(f"lianzhi.{way}.{code}" for way in ("to", "from") for code in OTHERS)):
                result = (await channel.declare_queue(name, passive=True)).declaration_result
                found[name] = result.message_count or 0
        return found

    async def settled(self) -> None:
        """Until everything that was published has been dealt with, whosever queue it went to."""
        for agency in (self.police, *self.neighbours):
            await agency.fence()
        await eventually(self._at_rest)

    async def _at_rest(self) -> bool:
        unsent = self.rows("SELECT count(*) FROM outbox WHERE state = 'ready'")[0][0]
        return not unsent and not any((await self._queues()).values())

    # messages

    async def says(self, verb: str = "progress", data: Mapping[str, Any] | None = None, **changes: Any) -> Said:
        """The next message of the stranger's own conversation, with what the line changes."""
        seqno = changes.pop("seqno", None) or self._next_seqno()
        return await self.police.make(self.talk, verb, data, seqno=seqno, **changes)

    async def judged(self, said: Said, **publish: Any) -> str:
        """Published with the stranger's own user: `applied`, `held` …, `quarantine: <reason>`, `broker: <refusal>`, or
        `nothing` where it left no trace."""
        try:
            await self.police.publish(said, **publish)
        except (aio_pika.exceptions.AMQPError, aio_pika.exceptions.DeliveryError) as error:
            return f"broker: {type(error).__name__}"
        await self.settled()
        return self.outcome(said)

    def outcome(self, said: Said) -> str:
        kept = self.rows("SELECT reason FROM quarantine WHERE body_sha256 = ? AND owner = ?", said.sha256, STRANGER)
        if kept:
            return f"quarantine: {kept[0][0]}"
        known = self.rows("SELECT disposition FROM messages WHERE digest = ? AND sender = ?", said.digest, STRANGER)
        return str(known[0][0]) if known else "nothing"

    def _next_seqno(self) -> int:
        query = "SELECT asked_seq FROM requests WHERE request_no = ?"
        return int(self.rows(query, self.talk.request_no)[0][0]) + 1

    # HTTP

    def jwt(self, **claims: Any) -> str:
        """The stranger's own credential."""
        now = int(time.time())
        given = {"iss": STRANGER, "sub": STRANGER, "aud": HOME, "iat": now, "exp": now + 240, "jti": str(uuid7())}
        payload = {name: value for name, value in (given | claims).items() if value is not None}
        return jws.sign({"typ": "JWT"}, strictjson.dumps(payload).encode(), self.police.key)

    async def call(
        self, method: str, path: str, *, token: str | None = None, body: bytes | None = None, **headers: str
    ) -> str:
        """`http: <status>` and the problem's code, if it is one."""
        assert self.http is not None
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        credential = {"Authorization": f"Bearer {token or self.jwt()}"}
        async with self.http.request(method, f"{self.site.url}{path}", data=body, headers=credential | given) as answer:
            raw = await answer.read()
        if answer.content_type != "application/problem+json":
            return f"http: {answer.status}"
        return f"http: {answer.status} {json.loads(raw)['type'].rpartition(':')[2]}"

    async def raw(self, *parts: bytes) -> bytes:
        """Bytes to the HTTP port as they are; what comes back until the gateway closes, or half a second of silence."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.site.port)
        try:
            for part in parts:
                writer.write(part)
            async with asyncio.timeout(5):
                return await reader.read(1 << 16)
        except (TimeoutError, OSError):
            return b""
        finally:
            writer.close()


@asynccontextmanager
async def staged(root: Path, vhost: Vhost) -> AsyncIterator[Stage]:
    """One request of every kind of partner, each answered as far as `receipt`; nothing waits anywhere."""
    async with installed(root, vhost) as site:
        added = await site.run("clients", "add", HOME, "reader", "--scope", "read", "--no-keys")
        reader = next(word for word in added.out.split() if word.startswith("lz_reader_"))
        await site.serve()
        await site.court.hand_in_paper()
        numbers: dict[str, str] = {}
        for order in site.court.orders(4, (LOCATE, VERIFY, ENTRUST, NOTICE), first=50):
            await site.court.submit(order)
            numbers[order.type] = site.court.accepted[order.key]
        police, *neighbours = [await site.agency(code) for code in (STRANGER, *OTHERS)]
        stage = Stage(site, police, neighbours, await police.opened(numbers[LOCATE]), reader, numbers)
        for verb in ("delivered", "receipt"):
            await police.say(stage.talk, verb)
        for agency, type in zip(neighbours, (VERIFY, ENTRUST, NOTICE), strict=True):
            await agency.answer(numbers[type], "delivered")
        async with aiohttp.ClientSession() as stage.http:
            await stage.settled()
            yield stage


__all__ = ["PAPER_SHA256", "STRANGER", "Stage", "staged"]
