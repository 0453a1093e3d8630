"""The play itself: hand everything in, wait until nothing is owed any more, compare the books."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from gateway.broker.topology import GATEWAY_USER
from simulation.damage import sabotage as damage
from simulation.damage.sabotage import Sabotage
from simulation.parties import HOME
from simulation.reconciliation.audit import Audit
from simulation.reconciliation.journal import read
from simulation.reconciliation.ledgers import AgencyBook, CourtBook, StoreBook, read_agency, read_court, read_store
from simulation.reconciliation.report import Observed, Report, build, uncaught
from simulation.stage import GATEWAY_PASSWORD
from simulation.theatre import Theatre

STALLED_SECONDS = 6.0  # nobody is busy, nothing moves, and something is still owed: it will not come any more
LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Reading:
    """The three books at one moment."""

    court: CourtBook
    agencies: dict[str, AgencyBook]
    store: StoreBook


class Run:
    """sabotage: what to damage behind the gateway's back."""

    def __init__(self, theatre: Theatre, sabotage: Collection[Sabotage] = ()) -> None:
        self._theatre = theatre
        self._sabotage = sabotage
        self._audit = Audit(HOME, theatre.parties.folder / "keys")

    async def perform(self) -> Report:
        """From the first submission to the comparison."""
        theatre = self._theatre
        if "drop" in self._sabotage:
            damage.drop(theatre.books.store)
        theatre.board.started = time.monotonic()
        await self._hand_in()
        theatre.board.ended = time.monotonic()
        damaged: dict[str, str] = {}
        if "drop" in self._sabotage:
            damaged["drop"] = damage.dropped(theatre.books.store)
        if "double" in self._sabotage:
            damaged["double"] = await self._double()
        if "forge" in self._sabotage:
            damaged["forge"] = damage.forge(theatre.books.store)
        return await self._report(damaged)

    async def _hand_in(self) -> None:
        """Everything that can be; what waits for a seal that will not come is left."""
        handing = asyncio.create_task(self._theatre.court.hand_in(self._theatre.items))
        try:
            await self._settle(handing)
        finally:
            handing.cancel()
            await asyncio.wait((handing,))
        if not handing.cancelled():
            handing.result()

    async def _settle(self, handing: asyncio.Task[None] | None = None) -> None:
        """Until nothing is owed by anybody, or nothing moves any more. handing: what must also be over."""
        last, since = None, time.monotonic()
        while (handing is not None and not handing.done()) or await self._owed():
            pulse = (self._theatre.board.events, self._theatre.board.handed_in)
            if pulse != last or self._theatre.busy:
                last, since = pulse, time.monotonic()
            elif time.monotonic() - since > STALLED_SECONDS:
                return
            await asyncio.sleep(LOOK_SECONDS)

    async def _owed(self) -> bool:
        """Cheap questions first; the books are read only when everybody seems to have finished."""
        theatre = self._theatre
        shown = {no: line.state for no, line in theatre.board.lines.items()}
        if theatre.busy or theatre.court.unfinished(shown):
            return True
        reading = await self._read()
        return bool(
            self._audit.lost(reading.court, reading.agencies, reading.store)
            or reading.store.unsent
            or theatre.court.unfinished({no: request.state for no, request in reading.store.requests.items()})
            or uncaught(read(theatre.books.injections), reading.store.quarantine)
        )

    async def _read(self) -> Reading:
        books = self._theatre.books
        await self._theatre.note_sent()
        return Reading(
            read_court(books.court),
            {code: read_agency(books.agency(code)) for code in self._theatre.agencies},
            read_store(books.store),
        )

    async def _double(self) -> str:
        """And wait until the agency has done it again. The number of that request."""
        theatre = self._theatre
        ledgers = {code: agency.partner.config.ledger for code, agency in theatre.agencies.items()}
        url = theatre.broker.url(user=GATEWAY_USER, password=GATEWAY_PASSWORD)
        number = await damage.double(theatre.books.store, ledgers, url, GATEWAY_USER)
        code = theatre.board.lines[number].partner
        end = time.monotonic() + STALLED_SECONDS
        while read_agency(theatre.books.agency(code)).effects[number] < 2 and time.monotonic() < end:  # noqa: ASYNC110 (a file)
            await asyncio.sleep(LOOK_SECONDS)
        await self._settle()
        return number

    async def _report(self, damaged: Mapping[str, str]) -> Report:
        theatre, reading = self._theatre, await self._read()
        findings = self._audit.examine(reading.court, reading.agencies, reading.store)
        observed = Observed(
            submitted=theatre.board.handed_in,
            checked=theatre.court.checked,
            mixed_up=theatre.court.mixed_up,
            places=theatre.court.places,
            pairs=len({item.pair for item in theatre.items if item.pair}),
            seconds=theatre.board.seconds,
        )
        injections = read(theatre.books.injections)
        return build(observed, reading.court, reading.agencies, reading.store, findings, injections, damaged)
