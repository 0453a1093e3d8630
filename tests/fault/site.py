"""A whole installation for one fault test: a virtual host, a store, keys; processes are started by the test."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import aio_pika
import asyncpg
from aio_pika.exceptions import ChannelNotFoundEntity

from gateway.application.ports.store import Store
from gateway.bootstrap import ROLES, Gateway, Role, running
from gateway.broker.topology import DEAD, GATEWAY_USER, from_queue, to_queue
from gateway.keeping import look_over
from gateway.registry.config import Config, load_config
from gateway.store import open_store
from lianzhi.crypto.sdjwt import parse
from lianzhi.partner import PartnerConfig
from simulation.parties import ASSOCIATION, FUPING, GRID, HOME, LINTONG, PARTNERS, POLICE, Parties
from simulation.private_broker import free_port
from simulation.stage import provision_for, set_stage
from tests.child import Child
from tests.conftest import Vhost
from tests.eventually import eventually
from tests.fault import agencies, entry
from tests.fault.court import Court
from tests.fault.reckoning import ENDED, Reckoning, reckon

AGENCIES = (POLICE, FUPING, GRID, ASSOCIATION)
# What was confirmed must arrive without the clock's help, which would hide a loss: it comes in only where a test asks.
TIMING = {"redeliver_after": 600.0, "mend_every": 1.0, "lease_term": 1.0, "publish_timeout": 0.8}
SETTLE_SECONDS = 40.0


@dataclass(slots=True)
class Site:
    """store_url: of a migrated, empty database. given: sections of the configuration that all processes get."""

    root: Path
    vhost: Vhost
    parties: Parties
    given: dict[str, Any]
    store: Store
    court: Court
    children: list[Child] = field(default_factory=list)
    _names: Iterator[int] = field(default_factory=lambda: count(1))

    # processes

    async def child(self, roles: Sequence[Role] = ROLES, *, fall: entry.Fall | None = None, **given: Any) -> Child:
        """A gateway in a process of its own, running. given: more of the configuration."""
        order = entry.Order(
            folder=self.parties.folder,
            log=self.root / f"gateway-{next(self._names)}.log",
            roles=tuple(roles),
            given=_merged(self.given, given),
            fall=fall or entry.Fall(),
        )
        child = await Child.start(entry.main, order)
        self.children.append(child)
        return child

    async def agency(self, code: str, fall: entry.Fall | None = None) -> Child:
        """An agency's program in a process of its own, running."""
        settings = self.parties.partners[code] / "partner.toml"
        order = entry.AgencyOrder(settings, self.root / f"{code}-{next(self._names)}.log", fall or entry.Fall())
        self.children.append(await Child.start(entry.agency, order))
        return self.children[-1]

    @asynccontextmanager
    async def gateway(self, roles: Sequence[Role] = ROLES, **given: Any) -> AsyncIterator[Gateway]:
        """A gateway in this process. A task of it that fails, fails the test."""
        async with running(self.config(**given), roles) as gateway:
            yield gateway
            failed = [task.exception() for task in gateway.tasks if task.done() and not task.cancelled()]
            assert not any(failed), failed

    def config(self, **given: Any) -> Config:
        return load_config(self.parties.folder, **_merged(self.given, given))

    def agencies(self, *codes: str, amqp_port: int | None = None) -> list[PartnerConfig]:
        """What they were handed over, of all where none is named. amqp_port: of a proxy in front of the broker."""
        return [agencies.settings(self.parties, code, amqp_port) for code in codes or AGENCIES]

    def broker_at(self, port: int) -> dict[str, str]:
        """The section of the configuration for a broker behind a proxy."""
        return {"url": self.vhost.url_at(port, GATEWAY_USER).replace(f":{self.vhost.broker.password}@", "@")}

    async def close(self) -> None:
        for child in self.children:
            await child.kill()
        await self.store.close()

    # what is there

    @property
    def ledgers(self) -> dict[str, Path]:
        """Of the agencies that have ever run."""
        files = {code: self.parties.partners[code] / "inbox.sqlite" for code in AGENCIES}
        return {code: file for code, file in files.items() if file.exists()}

    async def unsent(self, reason: str) -> bool:
        """Whether a message waits to be tried again because of that."""
        url = self.config().store_url
        query = f"SELECT count(*) FROM outbox WHERE state = 'ready' AND reason = '{reason}'"
        if url.startswith("sqlite"):
            with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
                return bool(connection.execute(query).fetchone()[0])
        connection = await asyncpg.connect(url)
        try:
            return bool(await connection.fetchval(query))
        finally:
            await connection.close()

    async def states(self) -> Mapping[str, int]:
        """How many requests stand in each state."""
        found: dict[str, int] = {}
        for key, number in (await self.store.counts())["requests"].items():
            state = key.partition("|")[2]
            found[state] = found.get(state, 0) + number
        return found

    async def at_rest(self) -> bool:
        """Whether every accepted request has come to its end and nothing waits to be sent or read."""
        states = await self.states()
        done = states.keys() <= set(ENDED.values()) and sum(states.values()) == len(self.court.accepted)
        return done and await self.store.backlog() == 0 and not any((await self.waiting()).values())

    async def settled(self, timeout: float = SETTLE_SECONDS) -> None:
        """Until everything is at rest."""
        try:
            await until(self.at_rest, timeout)
        except AssertionError:
            raise AssertionError(await self.describe()) from None

    async def describe(self) -> str:
        """For a test that has failed: where everything is."""
        said = "\n".join(child.said() for child in self.children)
        counts, waiting = await self.store.counts(), await self.waiting()
        return f"accepted {len(self.court.accepted)}; {dict(counts)}; queues {waiting}\n{said}"

    async def waiting(self) -> dict[str, int]:
        """Queue → messages that nobody has taken yet; -1 where there is no such queue."""
        return {name: messages for name, (messages, _) in (await self._declared(*self.queues())).items()}

    async def consumers(self, queue: str) -> int:
        """How many consume from it."""
        return (await self._declared(queue))[queue][1]

    async def _declared(self, *names: str) -> dict[str, tuple[int, int]]:
        found: dict[str, tuple[int, int]] = {}
        async with await aio_pika.connect(self.vhost.url()) as connection:
            for name in names:
                channel = await connection.channel()
                try:
                    told = (await channel.declare_queue(name, passive=True)).declaration_result
                    found[name] = told.message_count or 0, told.consumer_count or 0
                    await channel.close()
                except ChannelNotFoundEntity:
                    found[name] = -1, 0
        return found

    @staticmethod
    def queues() -> list[str]:
        both = [
            queue(code, lane) for code in AGENCIES for queue in (to_queue, from_queue) for lane in ("normal", "urgent")
        ]
        return [*both, DEAD]

    async def reckon(self) -> Reckoning:
        """The final count; every process must have ended, so that what was not acknowledged lies in its queue again."""
        result = await reckon(self.store, self.ledgers, list(self.court.accepted.values()))
        await self._check_left_over()
        checked = await look_over(self.config(), digests=True)
        assert checked.clean, checked.findings
        return result

    async def _check_left_over(self) -> None:
        """Rule 6: what still lies in a queue is a copy of what its reader knows."""
        known = {
            (code, message_id) for code, ledger in self.ledgers.items() for message_id in agencies.message_ids(ledger)
        }
        connection = await aio_pika.connect(self.vhost.url())
        async with connection:
            channel = await connection.channel()
            for name in self.queues():
                queue = await channel.get_queue(name, ensure=False)
                while (message := await queue.get(no_ack=True, fail=False)) is not None:
                    event = parse(message.body).event
                    sender = str(event["source"]).removeprefix("//")
                    if sender == HOME:
                        assert (event["receiver"], event["id"]) in known, f"lost in {name}: {event['type']}"
                    else:
                        async with self.store.begin() as unit:
                            assert await unit.known([(sender, event["id"])]), f"lost in {name}: {event['type']}"


@asynccontextmanager
async def site_at(root: Path, vhost: Vhost, *, store_url: str | None = None, **given: Any) -> AsyncIterator[Site]:
    """An installation under `root`, the court's paper not yet handed in. store_url: of another database."""
    partners = [p for p in PARTNERS if p["code"] in (*AGENCIES, LINTONG)]
    parties = await set_stage(root, vhost.broker, vhost=vhost.name, partners=partners)
    given = _merged({"timing": TIMING, "http": {"port": free_port()}}, given)
    if store_url is not None:
        given["store"] = {"url": store_url}
    config = load_config(parties.folder, **given)
    url = f"http://127.0.0.1:{config.http.port}"
    async with Court(parties.token, parties.handover, url) as court:
        site = Site(root, vhost, parties, given, await open_store(config.store_url), court)
        try:
            yield site
        finally:
            await site.close()


async def until(check: Callable[[], Awaitable[bool]], timeout: float = 60.0) -> None:
    """`eventually`, for a coroutine function."""
    either: Callable[[], bool | Awaitable[bool]] = check
    await eventually(either, timeout)


async def restore_queues(site: Site) -> None:
    """Applies the topology once more: `lianzhi broker apply`."""
    await provision_for(site.parties, site.vhost.broker, vhost=site.vhost.name)


def _merged(given: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Sections of both; the members of the second where both name one."""
    return {name: {**given.get(name, {}), **more.get(name, {})} for name in {*given, *more}}
