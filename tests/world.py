"""A whole small world: a real broker, a real store, a gateway with all its roles in this process, and its parties.

The court speaks over HTTP (`CourtSystem`); an agency speaks through the partner library (`Office`) or by hand
(`Agency`). Time is the wall clock plus what a test let pass, so every deadline is the real one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import tomlkit

from adapters.contract import Canonical
from adapters.registry import adapter_for
from gateway.application.ports.store import Store
from gateway.bootstrap import ROLES, Gateway, Role, running
from gateway.broker.management import Management
from gateway.core.control.moves import STATES
from gateway.core.records import Event, Measure, QuarantineRow, Request
from gateway.registry.config import load_config
from gateway.registry.installation import HANDOVER, Installation
from lianzhi.partner import Partner, PartnerConfig
from lianzhi.partner.request import Request as Message
from lianzhi.protocol import verbs as replies
from lianzhi.protocol.cards import Classification
from schemas.catalogue import catalogue
from simulation.parties import ASSOCIATION, FUPING, GAOLING, GRID, HOME, PARTNERS, POLICE, Parties
from simulation.private_broker import PrivateBroker
from simulation.stage import set_stage
from tests.agency import Agency
from tests.court_system import CourtSystem
from tests.dated import by_now
from tests.eventually import eventually
from tests.gates import Gates, WorldClock
from tests.stored import measures_in
from tests.words import Said, standing

# Whom most tests meet. Each participant costs the broker four queues to make and to delete.
NEAR: Sequence[Mapping[str, Any]] = tuple(
    p for p in PARTNERS if p["code"] in (POLICE, FUPING, GAOLING, GRID, ASSOCIATION)
)
_numbers = count(1)
T = TypeVar("T")


@asynccontextmanager
async def open_world(
    broker: PrivateBroker, root: Path, partners: Sequence[Mapping[str, Any]] = NEAR
) -> AsyncIterator[World]:
    """Everything made, nothing running yet: `await world.start()`. partners: their participant files' content."""
    vhost = f"world-{next(_numbers)}"
    async with AsyncExitStack() as stack:
        management = await stack.enter_async_context(Management(broker.management_url, broker.admin, broker.password))
        await management.put("vhosts", vhost)
        stack.push_async_callback(management.delete, "vhosts", vhost)
        world = World(await set_stage(root, broker, vhost=vhost, partners=partners))
        stack.push_async_callback(world.close)
        yield world


@dataclass(frozen=True)
class Standing:
    """What must not change when a message is refused."""

    state: str
    reason: str | None
    marks: dict[str, list[str]]
    measures: tuple[tuple[str, str], ...]


class World:
    """parties: as the demo's. gates: how the running gateway is steered. court: the home court's own system."""

    def __init__(self, parties: Parties) -> None:
        self.parties = parties
        self.clock = WorldClock()
        self.gates = Gates(self.clock)
        self.court = CourtSystem(self.clock, parties.handover, parties.token)
        self.gateway: Gateway | None = None
        self._running = AsyncExitStack()
        self._agencies: dict[str, Agency] = {}
        self._offices: dict[str, Office] = {}

    # the gateway's life

    async def start(self, roles: Sequence[Role] = ROLES) -> Gateway:
        config = load_config(self.parties.folder)
        context = running(config, roles, clock=self.clock, wrappers=self.gates.wrappers())
        self.gateway = await self._running.enter_async_context(context)
        if "api" in roles:
            await self.court.connect(self.gateway.url)
        return self.gateway

    async def stop(self) -> None:
        """As a process that is killed: nothing is finished, nothing is acknowledged any more."""
        self.gateway = None
        await self._running.aclose()

    async def restart(self, roles: Sequence[Role] = ROLES) -> None:
        await self.stop()
        await self.start(roles)

    async def close(self) -> None:
        for office in self._offices.values():
            await office.close()
        for agency in self._agencies.values():
            await agency.close()
        await self.court.close()
        await self.stop()

    @property
    def store(self) -> Store:
        assert self.gateway is not None
        return self.gateway.context.store

    # the agencies

    async def agency(self, code: str = POLICE) -> Agency:
        """Speaks by hand, with its own keys and broker user; alone: its office, which would take half of what comes, is
        closed."""
        if (office := self._offices.pop(code, None)) is not None:
            await office.close()
        if code not in self._agencies:
            self._agencies[code] = Agency(self.parties.partners[code], self.clock)
            await self._agencies[code].connect()
        return self._agencies[code]

    async def office(self, code: str = POLICE) -> Office:
        """Speaks through the partner library, alone."""
        if (agency := self._agencies.pop(code, None)) is not None:
            await agency.close()
        if code not in self._offices:
            config = PartnerConfig.load(self.parties.partners[code] / "partner.toml")
            self._offices[code] = Office(Partner(config, now=self.clock.now), self.clock)
            await self._offices[code].open()
        return self._offices[code]

    async def nobody_reads(self, code: str) -> None:
        """What is sent to that agency stays in its queue."""
        for one in (self._offices.pop(code, None), self._agencies.pop(code, None)):
            if one is not None:
                await one.close()

    def register_key(
        self, code: str, label: str, *, since: date, years: int = 2, revoked_at: datetime | None = None
    ) -> None:
        """One more signature key of an agency, before the gateway starts; its private half goes to the agency."""
        installation = Installation(self.parties.folder)
        kid = installation.new_key(code, "sig", label, since=since, years=years, held_by_gateway=False)
        private = f"{kid}.private.jwk"
        (installation.folder / HANDOVER / code / private).rename(self.parties.partners[code] / private)
        if revoked_at is not None:
            file = installation.participant_file(code)
            document = tomlkit.parse(file.read_text(encoding="utf-8"))
            document["keys"][-1]["revoked_at"] = revoked_at
            file.write_text(tomlkit.dumps(document), encoding="utf-8")

    async def _wait(self, check: Callable[[], Awaitable[T | None]]) -> T:
        """`eventually`, as long as the gateway lives: one that has died says why."""

        async def alive() -> T | None:
            for task in self.gateway.tasks if self.gateway else ():
                if task.done():
                    task.result()
            return await check()

        return await eventually(alive)

    # reading

    async def request(self, request_no: str) -> Request:
        found = await self.store.request(request_no)
        assert found is not None, request_no
        return found

    async def reaches(self, request_no: str, state: str) -> Request:
        """The request, once it is in that state."""

        async def there() -> Request | None:
            found = await self.store.request(request_no)
            return found if found is not None and found.state == state else None

        return await self._wait(there)

    async def standing(self, request_no: str) -> Standing:
        request = await self.request(request_no)
        measures = await self.measures(request_no)
        return Standing(request.state, request.reason, request.marks, tuple((m.measure_no, m.state) for m in measures))

    async def measures(self, request_no: str) -> list[Measure]:
        return [m for m in await measures_in(self.store, STATES) if m.request_no == request_no]

    async def told(self, request_no: str, kind: str, detail: str | None = None) -> Event:
        """The event of that request, once it stands in its timeline."""

        async def there() -> Event | None:
            events = await self.store.timeline(request_no)
            return next((e for e in events if e.kind == kind and detail in (None, e.detail)), None)

        return await self._wait(there)

    async def caught_up(self) -> None:
        """Until the gateway's clock has dealt with everything that is due by now."""

        async def nothing_due() -> bool:
            async with self.store.begin() as tx:
                return not await tx.due_timers(self.clock.now(), 1)

        await self._wait(nothing_due)

    async def sent_all(self) -> None:
        """Until nothing waits to be sent."""

        async def nothing_waits() -> bool:
            return await self.store.backlog() == 0

        await self._wait(nothing_waits)

    async def quarantined(self, said: Said, *, count: int = 1) -> QuarantineRow:
        """What quarantine holds of these bytes, once they have come `count` times."""

        async def there() -> QuarantineRow | None:
            rows = await self.store.quarantine(limit=1000)
            return next((r for r in rows if r.body_sha256 == said.sha256 and r.count >= count), None)

        return await self._wait(there)

    async def events(self, **members: Any) -> list[Event]:
        """Of every feed, those with these members."""
        assert self.gateway is not None
        home = self.gateway.context.home.code
        found = await self.store.events(home, 0, 100_000)
        return [e for e in found if all(getattr(e, name) == value for name, value in members.items())]


class Office:
    """An agency that uses the partner library, and keeps every message that it was handed until it is asked for."""

    def __init__(self, partner: Partner, clock: WorldClock) -> None:
        self.partner = partner
        self.clock = clock
        self.messages: list[Message] = []
        self._reader: asyncio.Task[None] | None = None

    async def open(self) -> None:
        await self.partner.__aenter__()
        self._reader = asyncio.create_task(self._read())

    async def close(self) -> None:
        self.partner.stop()
        if self._reader is not None:
            await self._reader
        await self.partner.__aexit__()

    async def next(self, request_no: str, verb: str) -> Message:
        """The message of that request with that verb: verified, opened, in its turn."""

        def found() -> Message | None:
            return next((m for m in self.messages if (m.request_no, m.verb) == (request_no, verb)), None)

        return await eventually(found)

    async def understood(self, message: Message) -> dict[str, Any]:
        """Its canonical data, as the agency reads it in its own dialect."""
        return await adapter_for(self.dialect).decode(message.type, message.verb, message.body)

    async def answer(self, request_no: str, verb: str, data: Mapping[str, Any] | None = None) -> None:
        """Say `verb` in a request that we were asked in. data: canonical, by default the standing words."""
        asked = await self.next(request_no, "open")
        head, body = await self._words(asked.type, verb, data)
        await asked.reply(verb, body, **head)

    async def raise_(self, type: str, data: Mapping[str, Any], **how: Any) -> str:
        """Open a request of our own towards the court; its number. data: canonical `Opening`."""
        _, body = await self._words(type, "open", data)
        return await self.partner.open(type, HOME, body, **how)

    async def add(self, type: str, request_no: str, verb: str, data: Mapping[str, Any]) -> None:
        """Say `verb` in a request that we opened."""
        head, body = await self._words(type, verb, data)
        await self.partner.say(request_no, verb, body, **head)

    async def _words(
        self, type: str, verb: str, data: Mapping[str, Any] | None
    ) -> tuple[dict[str, Any], Mapping[str, Any]]:
        """(codes in clear, body in our dialect); the result of a location type is canonical."""
        now = self.clock.now()
        said = standing(verb, now) if data is None else by_now(catalogue()[type], verb, data, now)
        head, body = replies.split(verb, said)
        place = verb in ("result", "correct") and catalogue()[type].result_class is Classification.LOCATION
        if place:
            return head, body
        return head, await adapter_for(self.dialect).encode(Canonical(type, verb, body))

    @property
    def dialect(self) -> str:
        assert self.partner.config.dialect is not None
        return self.partner.config.dialect

    async def _read(self) -> None:
        async for message in self.partner.inbox:
            self.messages.append(message)
