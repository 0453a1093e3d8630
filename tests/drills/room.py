"""A county court's machine room: the gateway, the court system, a follower of its feed and two agencies, each a program
of its own, at work on a real broker and database. A drill does something to it, and then the three lists are compared.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from itertools import count, islice
from pathlib import Path
from typing import Any

import aio_pika
import aiohttp

from gateway.broker.topology import from_queue, to_queue
from simulation.parties import HANDLER, HOME, PARTNERS
from tests.conftest import Vhost
from tests.drills.comparing import Finding, compare, told_apart
from tests.drills.lists import Effect
from tests.drills.reading import query, read_court, read_effects, read_gateway, read_undone
from tests.drills.work import AGENCIES, answers, order
from tests.eventually import eventually
from tests.walls.library import Program, program
from tests.walls.product import Installation, installed, python

HERE = Path(__file__).parent
SCRIPTS = HERE / "scripts"
INCARNATION = "Lianzhi-Incarnation"
TIMING = {"LEASE_TERM": "1", "MEND_EVERY": "1", "PUBLISH_TIMEOUT": "0.8"}
PACE_SECONDS = 0.04  # between two orders: the load goes on while something happens
PATIENCE_SECONDS = 60.0
MOST_SECONDS = 600.0
LOOK_SECONDS = 0.25
QUIET_SECONDS = 1.0


@dataclass(slots=True)
class Room:
    """store: what reads the gateway's database: a path, or a PostgreSQL URL. sabotage: of every gateway started."""

    site: Installation
    stack: AsyncExitStack
    sabotage: str | None = None
    lost: dict[str, list[Path]] = field(default_factory=dict)  # agency → copies of ledgers that it no longer has
    agencies: dict[str, Program] = field(default_factory=dict)
    gateway: Process | None = None
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    # what is where

    @property
    def store(self) -> str:
        return self.site.environment.get("LIANZHI_STORE__URL", str(self.site.folder / "lianzhi.sqlite"))

    @property
    def book(self) -> Path:
        return self.site.root / "court.jsonl"

    @property
    def feed(self) -> Path:
        return self.site.root / "feed.jsonl"

    @property
    def work(self) -> Path:
        return self.site.root / "work.jsonl"

    def ledger(self, code: str) -> Path:
        return self.site.parties.partners[code] / "inbox.sqlite"

    # programs

    async def open(self) -> None:
        """Everything runs."""
        await self.serve()
        await self.site.court.hand_in_paper()
        said = self.site.root / "answers.json"
        said.write_text(json.dumps(await answers(), ensure_ascii=False))
        config = self.site.parties.write_client(self.site.root / "court-system", self.site.url)
        self.work.touch()
        await asyncio.gather(
            *(self.agency(code) for code in AGENCIES.values()),
            self._program("follower.py", config, self.feed),
            self._program("court.py", config, self.work, self.book),
        )

    async def serve(self, *, wait: bool = True, **environment: Any) -> None:
        """A gateway, in place of one that has ended."""
        words = (python(), str(HERE / "sabotage.py"), self.sabotage) if self.sabotage else ()
        self.gateway = await self.site.serve(wait=wait, program=words, **environment)

    async def agency(self, code: str, *options: object) -> None:
        """Its program, in place of one that has ended."""
        toml = self.site.parties.partners[code] / "partner.toml"
        self.agencies[code] = await self._program("agency.py", toml, self.site.root / "answers.json", *options)

    async def _program(self, script: str, *arguments: object) -> Program:
        started = program(self.site.root, str(SCRIPTS / script), *arguments)
        running = await self.stack.enter_async_context(started)
        await running.told("ready", timeout=PATIENCE_SECONDS)
        return running

    async def starts(self) -> bool:
        """Whether a gateway serves now, in place of one that has ended; not: it has ended with an error."""
        await self.serve(wait=False)
        assert self.gateway is not None
        started = self.gateway

        async def settled() -> str | None:
            if started.returncode is not None:
                return "refused"
            with suppress(aiohttp.ClientError):
                if (await self.site.court.readiness()) == (200, "connected"):
                    return "serves"
            return None

        return await eventually(settled) == "serves"

    async def kill(self) -> None:
        """The gateway, as a power cut would."""
        assert self.gateway is not None and self.gateway.returncode is None, self.site.said()
        self.gateway.kill()
        await self.gateway.wait()

    async def stop(self) -> None:
        """The gateway, in order."""
        assert self.gateway is not None and self.gateway.returncode is None, self.site.said()
        assert await self.site.stop(self.gateway) == 0, self.site.said()

    async def kill_agency(self, code: str) -> None:
        self.agencies[code].process.kill()
        await self.agencies[code].process.wait()

    async def stop_agency(self, code: str) -> None:
        """In order: what it has said is published."""
        assert await self.agencies[code].stop() == 0, self.agencies[code].log

    def ledger_copy(self, code: str) -> Path:
        """Of the ledger as it is now."""
        copy = self.site.root / f"{code}.copy"
        with closing(sqlite3.connect(self.ledger(code))) as live, closing(sqlite3.connect(copy)) as kept:
            live.backup(kept)
        return copy

    def lose_ledger(self, code: str) -> None:
        """Of an agency that does not run. What it had done stays done: its table is read from the lost file too."""
        here = self.ledger(code)
        away = self.site.root / f"{code}.lost-{len(self.lost.get(code, ()))}"
        away.mkdir()
        for part in here.parent.glob(f"{here.name}*"):
            shutil.move(part, away / part.name)
        self.lost.setdefault(code, []).append(away / here.name)

    # load

    def hand_in(self, number: int) -> asyncio.Task[None]:
        """So many orders more, one after another at a steady pace; the task ends when the last stands in the list."""
        return asyncio.create_task(self._hand_in(number))

    async def _hand_in(self, number: int) -> None:
        with self.work.open("a", encoding="utf-8") as work:
            for one in islice(self._numbers, number):
                work.write(json.dumps(order(one), ensure_ascii=False) + "\n")
                work.flush()
                await asyncio.sleep(PACE_SECONDS)

    async def answered(self, number: int) -> None:
        """Until so many matters have been answered 202 in all."""

        def there() -> bool:
            return len({answer.mark for answer in read_court(self.book, self.feed).answers}) >= number

        await eventually(there, PATIENCE_SECONDS)

    async def done(self, number: int) -> None:
        """Until the agencies have done so much in all; their words about the last of it are under way."""
        await eventually(lambda: len(self.effects()) >= number, PATIENCE_SECONDS)

    def runs(self) -> bool:
        """Whether the gateway's process is there, whatever it serves."""
        return self.gateway is not None and self.gateway.returncode is None

    async def ready(self, status: int) -> None:
        """Until `/readyz` answers so."""

        async def told() -> bool:
            assert self.runs(), self.site.said()
            with suppress(aiohttp.ClientError):
                return (await self.site.court.readiness())[0] == status
            return False

        await eventually(told, PATIENCE_SECONDS)

    async def stand_at(self, state: str, asked: str, number: int) -> None:
        """Until at least so many requests to that agency do."""

        async def there() -> bool:
            return len(await self._standing_at(state, asked)) >= number

        await eventually(there, PATIENCE_SECONDS)

    async def urge(self, state: str, asked: str) -> None:
        """The court urges, once everything is quiet, whatever still stands so."""
        await self.quiet(answers=True)
        async with self.site.court.session.get("/readyz") as answer:  # without it, after a restore, it might be a retry
            told = {name: answer.headers[name] for name in (INCARNATION,) if name in answer.headers}
        for number in await self._standing_at(state, asked):
            body = {"verb": "urge", "by": HANDLER, "data": {"level": 1, "note": "请尽快"}}
            how = {"Idempotency-Key": f"urge-{number}", **told}
            path = f"/v1/requests/{number}/messages"
            async with self.site.court.session.post(path, json=body, headers=how) as answer:
                code = (await answer.json(content_type=None)).get("type", "")
                assert answer.status in (202, 409) and not code.endswith("in-doubt"), code  # 409: answered meanwhile

    async def _standing_at(self, state: str, asked: str) -> list[str]:
        (rows,) = await query(
            self.store, f"SELECT request_no FROM requests WHERE state = '{state}' AND asked = '{asked}'"
        )
        return [number for (number,) in rows]

    async def ask_after_all(self) -> None:
        """The court system asks for each request that it was given a number for."""
        with self.work.open("a", encoding="utf-8") as work:
            work.write('{"ask": true}\n')

    async def quiet(self, *, answers: bool = False) -> None:
        """Until the agencies have worked off what lies in their queues: they have done nothing more for a while.
        answers: and the gateway, which runs, what they have said."""
        before, now = -1, len(self.effects())
        while before != now or await self._waiting(answers):
            await asyncio.sleep(QUIET_SECONDS)
            before, now = now, len(self.effects())

    async def worked_off(self) -> None:
        """Until nothing that was published before is still to be done. A queue says only what is ready; what an agency
        has in hand and has not acknowledged shows when its program has ended, so each is ended in order and begun anew.
        """
        while True:
            await self.quiet()
            await asyncio.gather(*(self.stop_agency(code) for code in AGENCIES.values()))
            left = await self._waiting(False) + sum(read_undone(self.ledger(code)) for code in AGENCIES.values())
            await asyncio.gather(*(self.agency(code) for code in AGENCIES.values()))
            if not left:
                return

    async def _waiting(self, answers: bool) -> int:
        """Messages in the queues to the agencies; answers: and from them."""
        found = 0
        async with await aio_pika.connect(self.site.vhost.url()) as connection:
            channel = await connection.channel()
            for code in AGENCIES.values():
                ways = (to_queue, from_queue) if answers else (to_queue,)
                for queue in (way(code, lane) for way in ways for lane in ("normal", "urgent")):
                    declared = await channel.declare_queue(queue, passive=True)
                    found += declared.declaration_result.message_count or 0
        return found

    # reckoning

    async def findings(self, *, forgetful: bool = False, listed: Iterable[str] = ()) -> tuple[Finding, ...]:
        """What the three lists say against each other now."""
        gateway = await read_gateway(self.store, HOME, listed)
        return compare(read_court(self.book, self.feed), self.effects(), gateway, forgetful=forgetful)

    def effects(self) -> tuple[Effect, ...]:
        found: list[Effect] = []
        for code in AGENCIES.values():
            for ledger in (self.ledger(code), *self.lost.get(code, ())):
                found += read_effects(code, ledger)
        return tuple(found)

    async def reckon(
        self, *, forgetful: bool = False, listed: Iterable[str] = (), patience: float = PATIENCE_SECONDS
    ) -> tuple[Finding, ...]:
        """Nothing more is handed in: the findings when everything is well, or those that are left when they have not
        changed for `patience` seconds, or after `MOST_SECONDS`. (On a busy machine work takes longer, but it goes on.)
        """
        listed = tuple(listed)
        clock = asyncio.get_running_loop().time
        before, since, begun = None, clock(), clock()
        while True:
            found = await self.findings(forgetful=forgetful, listed=listed)
            if found != before:
                before, since = found, clock()
            if not found or clock() > since + patience or clock() > begun + MOST_SECONDS:
                return found
            await asyncio.sleep(LOOK_SECONDS)

    async def well(
        self, *, forgetful: bool = False, listed: Iterable[str] = (), patience: float = PATIENCE_SECONDS
    ) -> None:
        """Raises AssertionError with what is wrong. The product itself finds nothing wrong in its database either."""
        found = await self.reckon(forgetful=forgetful, listed=listed, patience=patience)
        assert not found, f"{told_apart(found)}\n{self.site.said()}"
        check = await self.site.run("db", "check")
        assert check.code == 0, check.out + check.err


@asynccontextmanager
async def room(
    root: Path,
    vhost: Vhost,
    *,
    store_url: str | None = None,
    sabotage: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> AsyncIterator[Room]:
    """Open, until the block is left. environment: of the gateway and its commands, more than their own."""
    partners = [form for form in PARTNERS if form["code"] in AGENCIES.values()]
    async with installed(root, vhost, partners=partners, store_url=store_url) as site, AsyncExitStack() as stack:
        site.environment |= {f"LIANZHI_TIMING__{name}": value for name, value in TIMING.items()}
        site.environment |= environment or {}
        here = Room(site, stack, sabotage)
        await here.open()
        yield here
