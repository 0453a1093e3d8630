"""Everything that runs during a demo, started in the right order and stopped in the reverse one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from lianzhi.client import ClientConfig, CourtClient
from simulation.agencies.agency import Agency
from simulation.clock import SHANGHAI
from simulation.court.company import book, company
from simulation.court.docket import Item, docket
from simulation.court.duty import Duty
from simulation.court.system import CourtSystem
from simulation.damage.injections import Insistent, Interference
from simulation.gateway_process import GatewayProcess
from simulation.pace import Pace
from simulation.parties import HOME, Parties, own_user
from simulation.private_broker import PrivateBroker
from simulation.reconciliation.journal import Journal
from simulation.screen.board import Board
from simulation.stage import provision_for, write_files
from simulation.synthetic import World

Say = Callable[[str], None]
WAIT_SECONDS = 5  # how long the gateway may hold an empty feed back: what a stop may have to wait for


@dataclass(frozen=True, slots=True)
class Books:
    """Where everybody's book lies. store: the gateway's database."""

    folder: Path
    store: Path

    @property
    def court(self) -> Path:
        return self.folder / f"{HOME}.jsonl"

    @property
    def injections(self) -> Path:
        return self.folder / "injections.jsonl"

    def agency(self, code: str) -> Path:
        return book(self.folder, code)


@dataclass(slots=True)
class Theatre:
    """Who and what is on stage."""

    parties: Parties
    broker: PrivateBroker
    gateway: GatewayProcess
    agencies: dict[str, Agency]
    court: CourtSystem
    board: Board
    items: list[Item]
    books: Books

    @property
    def busy(self) -> bool:
        """Whether somebody of ours is just doing something."""
        agencies = self.agencies.values()
        return self.court.working > 0 or any(agency.busy or len(agency.partner.inbox) for agency in agencies)

    async def note_sent(self) -> None:
        """Every agency's book is up to date."""
        for agency in self.agencies.values():
            await agency.note_sent()


@asynccontextmanager
async def theatre(folder: Path, count: int, seed: int, say: Say) -> AsyncIterator[Theatre]:
    """folder: empty; everything is written there. say: one line for each step. Raises ConfigurationError."""
    now = datetime.now(UTC)
    today = now.astimezone(SHANGHAI).date()
    items = docket(count, seed, now)
    async with AsyncExitStack() as stack:
        say("启动私有消息代理和网关进程 A private RabbitMQ, the gateway's own process, keys and participants …")
        broker = PrivateBroker()
        stack.push_async_callback(broker.close)
        gateway = await stack.enter_async_context(GatewayProcess(folder / "gateway", folder / "gateway.log", broker))
        _, parties = await asyncio.gather(
            broker.start(), asyncio.to_thread(write_files, folder, broker, telephones=True, operators=own_user())
        )
        say("建库，建队列、用户和权限 Database; queues, users and permissions of each participant …")
        await provision_for(parties, broker)
        await gateway.serve()
        books = Books(folder / "books", parties.folder / "lianzhi.sqlite")
        say("六个单位和法院系统上线 Six agencies and a court system come on line …")
        agencies = await stack.enter_async_context(company(parties, books.folder, seed=seed, today=today))
        config = ClientConfig.load(parties.write_client(folder / "court", gateway.url))
        client = await stack.enter_async_context(CourtClient.from_config(config, wait=WAIT_SECONDS))
        journal = stack.enter_context(closing(Journal(books.court)))
        injections = stack.enter_context(closing(Journal(books.injections)))
        insistent = await stack.enter_async_context(Insistent(config, injections))
        board = Board(len(items))
        interference = await stack.enter_async_context(
            Interference(
                {code: agency.partner.config for code, agency in agencies.items()},
                injections,
                lambda code, number: court.another(code, number),  # noqa: PLW0108 (it does not exist yet)
            )
        )
        world = World(seed + 1, today)
        duty = Duty(client, journal, Pace(seed))
        court = CourtSystem(client, journal, board, world, duty, insistent, interference.strike)
        yield Theatre(parties, broker, gateway, agencies, court, board, items, books)
