"""The stage of the week: a virtual host, a database and a gateway of its own, in this process, on the moved clock."""

from __future__ import annotations

import asyncio
import secrets
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import aiohttp
import tomlkit

from gateway.application.ports.store import Store
from gateway.bootstrap import Gateway, Wrappers, running
from gateway.broker.management import Management
from gateway.registry.config import FILE, load_config
from gateway.registry.installation import write_secret
from lianzhi.client import ClientConfig, CourtClient
from lianzhi.partner import Partner, PartnerConfig
from simulation.agencies.agency import Agency
from simulation.clock import SHANGHAI, StageClock, hang_up
from simulation.court.bodies import Clerk, Draft
from simulation.court.company import company
from simulation.parties import GRID, HANDLER, HOME, LINTONG
from simulation.private_broker import PrivateBroker
from simulation.stage import set_stage
from simulation.synthetic import World
from simulation.week.pages import Platform, platform

VHOST = "week"
BEGINS = datetime(2026, 3, 23, 9, 0, tzinfo=SHANGHAI)  # a Monday; unreal people have no other calendar than ours
SILENT = (GRID, LINTONG)  # they store what comes, and say nothing by themselves
PATIENCE = 60.0
LOOK = 0.05


class SceneError(Exception):
    """It did not go as it must. Its text says what was awaited, and what was there."""


class _StoreOnStage:
    """The store as it is, but for the time: the database of the week has the clock of the week."""

    def __init__(self, store: Store, clock: StageClock) -> None:
        self._store = store
        self._clock = clock

    async def now(self) -> datetime:
        return self._clock.now()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


@dataclass(slots=True)
class WeekStage:
    """Who and what is there. silent: partners that speak only when a scene makes them."""

    clock: StageClock
    gateway: Gateway
    client: CourtClient
    agencies: dict[str, Agency]
    silent: dict[str, Partner]
    pages: Platform
    world: World
    folder: Path
    token: str

    def at(self, day: int, hour: int, minute: int = 0) -> datetime:
        """day: 0 is the Monday."""
        return BEGINS.replace(hour=hour, minute=minute) + (day * (BEGINS.replace(day=24) - BEGINS))

    async def let_pass(self, until: datetime) -> None:
        """Time passes, and what became due is dealt with."""
        self.clock.until(until)

        async def nothing_due() -> bool:
            store = self.gateway.context.store
            async with store.begin() as tx:
                return not await tx.due_timers(self.clock.now(), 1)

        await self.until(nothing_due, "everything due was dealt with")

    async def until(self, check: Callable[[], Awaitable[bool]], what: str) -> None:
        """Raises SceneError."""
        loop = asyncio.get_running_loop()
        end = loop.time() + PATIENCE
        while not await check():
            for task in self.gateway.tasks:
                if task.done():
                    task.result()
            if loop.time() > end:
                raise SceneError(f"未等到 Waited in vain: {what}")
            await asyncio.sleep(LOOK)

    async def reaches(self, number: str, *states: str) -> str:
        """The request's state, once it is one of these."""

        async def there() -> bool:
            return (await self.client.request(number)).state in states

        await self.until(there, f"{number} {' / '.join(states)}")
        return (await self.client.request(number)).state

    def clerk(self) -> Clerk:
        """Who drafts at this hour."""
        return Clerk(self.world, self.clock.now())

    async def hand_in(self, draft: Draft, *receivers: str) -> list[str]:
        """With its papers; the numbers that it got. receivers: instead of the draft's own."""
        for paper in draft.papers:
            await self.client.put_document(paper.content, media_type=paper.document["media_type"])
        accepted = await self.client.submit(draft.body, receivers=receivers or (draft.receiver,))
        return list(accepted.request_nos)

    async def settled(self, number: str) -> None:
        """Answered, and found good."""
        await self.reaches(number, "completed")
        await self.client.answer(number, "confirm", {"why": "已核对"}, by=HANDLER)

    async def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """What the library has no word for."""
        headers = {"Authorization": f"Bearer {self.token}"}
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, self.gateway.url + path, json=body, headers=headers) as answer,
        ):
            found: dict[str, Any] = await answer.json()
            if answer.status >= 400:
                raise SceneError(f"{method} {path}: {answer.status} {found.get('type')}")
            return found


@asynccontextmanager
async def week_stage(folder: Path, broker: PrivateBroker) -> AsyncIterator[WeekStage]:
    """folder: empty; everything of the week is written there."""
    clock = StageClock(BEGINS)
    hang_up(clock)
    async with AsyncExitStack() as stack:
        management = await stack.enter_async_context(Management(broker.management_url, broker.admin, broker.password))
        await management.put("vhosts", VHOST)
        parties = await set_stage(folder, broker, vhost=VHOST, users="-week")
        pages = await stack.enter_async_context(platform("whsec_" + b64encode(secrets.token_bytes(24)).decode()))
        _page_to(parties.folder, pages)
        wrappers = Wrappers(store=lambda store: cast(Store, _StoreOnStage(store, clock)))
        config = load_config(parties.folder)
        gateway = await stack.enter_async_context(running(config, clock=clock, wrappers=wrappers))
        agencies = await stack.enter_async_context(
            company(parties, folder / "books", seed=5, today=BEGINS.date(), without=SILENT)
        )
        silent = {
            code: await stack.enter_async_context(Partner(_unchecked(parties.partners[code]), now=clock.now))
            for code in SILENT
        }
        client = await stack.enter_async_context(
            CourtClient.from_config(ClientConfig.load(parties.write_client(folder / HOME, gateway.url)), now=clock.now)
        )
        working = [asyncio.create_task(agency.run()) for agency in agencies.values()]
        stack.push_async_callback(_end, working)
        world = World(11, BEGINS.date())
        yield WeekStage(clock, gateway, client, agencies, silent, pages, world, folder, parties.token)


def _unchecked(folder: Path) -> PartnerConfig:
    """Of a partner that was given no contract: what it says wrongly reaches the gateway, which refuses it."""
    return replace(PartnerConfig.load(folder / "partner.toml"), contract=None)


def _page_to(installation: Path, pages: Platform) -> None:
    file = installation / FILE
    document = tomlkit.parse(file.read_text(encoding="utf-8"))
    document["notify"] = {"webhook": {"url": pages.url, "secret_file": "platform.secret"}}
    file.write_text(tomlkit.dumps(document), encoding="utf-8")
    write_secret(installation / "platform.secret", pages.secret + "\n")


async def _end(working: list[asyncio.Task[None]]) -> None:
    for task in working:
        task.cancel()
    await asyncio.gather(*working, return_exceptions=True)
