"""Ledgers, the figures of the reports, releases of cases."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.core.records import CourtFigure, Event, LedgerLine, Release, ReleaseItem, Request


@dataclass(frozen=True, slots=True)
class LedgerFilter:
    """Items with a line from `first` to `last` (YYYY-MM-DD, both inside; None: any). after: item number."""

    ledger: str
    first: str | None = None
    last: str | None = None
    after: str | None = None
    limit: int = 50


class Books(Protocol):
    """Outside of a unit of work."""

    async def ledger_page(self, where: LedgerFilter) -> list[LedgerLine]:
        """Every line of the items of one page, by item."""
        ...

    async def standing_lines(self, first: str, last: str) -> list[LedgerLine]:
        """Lines up to `last` of the items that are not settled, or that something happened to since `first`."""
        ...

    def living_requests(self, since: datetime) -> AsyncIterator[list[Request]]:
        """What changed since then, and what is still open: by number, page by page."""
        ...

    async def requests_named(self, numbers: Sequence[str]) -> list[Request]: ...

    async def events_of(self, audience: str, numbers: Sequence[str]) -> list[Event]:
        """Of these requests, in that party's feed; in order."""
        ...

    async def court_figures(self, period: str) -> list[CourtFigure]: ...

    async def release(self, release_no: str) -> Release | None: ...

    async def releases(self, case_no: str) -> list[Release]: ...

    async def release_items(self, release_no: str) -> list[ReleaseItem]: ...


class BookUnit(Protocol):
    """Inside a unit of work."""

    async def ledger_item(self, ledger: str, item_no: str) -> list[LedgerLine]:
        """Its lines; whoever else asks for the same item waits until this unit is over."""
        ...
