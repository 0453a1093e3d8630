"""The agencies on the stage: one for each partner, each with its own folder, keys, ledger and book."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager, closing
from datetime import date
from pathlib import Path

from gateway.demo.agencies.agency import Agency
from gateway.demo.agencies.association import Association
from gateway.demo.agencies.grid import GridCentre
from gateway.demo.agencies.neighbour import NeighbourCourt
from gateway.demo.agencies.police import Police
from gateway.demo.agencies.register import Register
from gateway.demo.bodies import COURT_CODES
from gateway.demo.clock import wall
from gateway.demo.journal import Journal
from gateway.demo.pace import Pace
from gateway.demo.parties import ASSOCIATION, GRID, PARTNERS, POLICE, Parties
from gateway.demo.synthetic import World
from gateway.partner import Partner, PartnerConfig

NAMES: dict[str, str] = {form["code"]: form["name"]["zh"] for form in PARTNERS}
SIMPLE: dict[str, type[Agency]] = {POLICE: Police, GRID: GridCentre, ASSOCIATION: Association}


@asynccontextmanager
async def company(
    parties: Parties, books: Path, *, seed: int, today: date, without: Collection[str] = ()
) -> AsyncIterator[dict[str, Agency]]:
    """code → agency, connected and not yet at work. books: folder of their books, `<code>.jsonl`. without: who stays
    away."""
    async with AsyncExitStack() as stack:
        agencies: dict[str, Agency] = {}
        for number, (code, folder) in enumerate(parties.partners.items(), start=1):
            if code in without:
                continue
            partner = await stack.enter_async_context(
                Partner(PartnerConfig.load(folder / "partner.toml"), now=wall().now)
            )
            journal = stack.enter_context(closing(Journal(book(books, code))))
            pace = Pace(seed * 100 + number)
            if code in COURT_CODES:
                world = World(seed * 100 + number, today)
                agencies[code] = NeighbourCourt(
                    partner, journal, pace, name=NAMES[code], court_code=COURT_CODES[code], world=world
                )
            else:
                agencies[code] = SIMPLE.get(code, Register)(partner, journal, pace)
        yield agencies


def book(books: Path, code: str) -> Path:
    """Where that agency writes down what it does."""
    return books / f"{code}.jsonl"
