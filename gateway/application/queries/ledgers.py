"""The court's ledgers as they stand today. Only the home court may read them: the caller must have checked it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

from gateway.application.context import Context
from gateway.application.cursors import page_after, page_cursor
from gateway.application.ports.books import LedgerFilter
from gateway.application.queries.ledger_answers import LedgerList, LedgerPage, LedgerSummary, item_view
from gateway.core.figures.indicators import ENDING_DAYS
from gateway.core.figures.ledgers import LEDGERS, LedgerItem, ending, items
from lianzhi.crypto import base64url
from lianzhi.errors import RejectedError

MEASURES = "measure-ending"
ENDING_STATES = ("active", "hit", "lapsed")
"""Live, or lapsed and not ended yet; what was handed over ends by itself."""


class Ledgers:
    def __init__(self, context: Context) -> None:
        self._ctx = context

    async def names(self) -> LedgerList:
        """Every ledger with how many of its items are open and overdue."""
        today = self._ctx.today()
        lines = await self._ctx.store.standing_lines(today.isoformat(), today.isoformat())
        standing = items(lines, today, self._ctx.settings.ledgers)
        standing += await self._ending(LedgerFilter(MEASURES), today)
        still_open = Counter(item.ledger for item in standing if item.open)
        overdue = Counter(item.ledger for item in standing if item.overdue)
        return LedgerList(
            ledgers=[
                LedgerSummary(name=row.name, zh=row.zh, en=row.en, open=still_open[row.name], overdue=overdue[row.name])
                for row in LEDGERS.values()
            ]
        )

    async def page(self, where: LedgerFilter) -> LedgerPage:
        """Items in the order of their numbers; `where.after` is a cursor. Raises RejectedError: unknown-ledger,
        bad-cursor."""
        if where.ledger not in LEDGERS:
            raise RejectedError("unknown-ledger")
        after = None if where.after is None else _after(where.after)
        found = await self.items(replace(where, after=after, limit=where.limit + 1))
        page = found[: where.limit]
        more = page_cursor(base64url.encode(page[-1].item_no.encode())) if len(found) > where.limit else None
        return LedgerPage(ledger=where.ledger, items=[item_view(item) for item in page], next=more)

    async def items(self, where: LedgerFilter) -> list[LedgerItem]:
        """where.after: a number."""
        today = self._ctx.today()
        if where.ledger == MEASURES:
            return (await self._ending(where, today))[: where.limit]
        return items(await self._ctx.store.ledger_page(where), today, self._ctx.settings.ledgers)

    async def _ending(self, where: LedgerFilter, today: date) -> list[LedgerItem]:
        """Unless other days are asked for: past their end, or within 30 days of it."""
        last = where.last or (today + timedelta(days=ENDING_DAYS)).isoformat()
        found = await self._ctx.store.measures_ending(ENDING_STATES, where.first or "", last)
        wanted = [measure for measure in found if measure.measure_no > (where.after or "")]
        return [ending(measure, today) for measure in wanted]


def _after(cursor: str) -> str:
    try:
        return base64url.decode(page_after(cursor)).decode()
    except ValueError as error:
        raise RejectedError("bad-cursor", pointer="/after") from error
