"""The agencies on the stage: one for each partner, each with its own folder, keys, ledger and book."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager, closing
from datetime import date
from pathlib import Path

from lianzhi.partner import Partner, PartnerConfig
from simulation.agencies.agency import Agency
from simulation.agencies.association import Association
from simulation.agencies.grid import GridCentre
from simulation.agencies.neighbour import NeighbourCourt
from simulation.agencies.police import Police
from simulation.agencies.register import Register
from simulation.clock import wall
from simulation.court.bodies import COURT_CODES
from simulation.pace import Pace
from simulation.parties import ASSOCIATION, GRID, PARTNERS, POLICE, Parties
from simulation.reconciliation.journal import Journal
from simulation.synthetic import World

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
