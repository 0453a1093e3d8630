"""Operators' lists: what is open, overdue, and for whom it waits. Codes, numbers and times only."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from gateway.application.context import Context
from gateway.application.cursors import FIRST, page_after, page_cursor
from gateway.application.ports.lists import OpenFilter
from gateway.core.records import Request
from gateway.core.requests.lifecycle import BEFORE
from gateway.core.requests.listing import Order, listed_due, listed_turn
from gateway.core.requests.turns import waits_for
from lianzhi.errors import RejectedError

UNDELIVERED = frozenset({*BEFORE, "dispatched", "raised", "sent", "undeliverable"})
"""States in which the other side has not shown that it has the request."""
_AFTER = re.compile(r"(?P<order>due|age) (?P<at>[0-9]{1,18}) (?P<number>[ -~]+)")
_MICROSECOND = timedelta(microseconds=1)


class OpenRequests:
    def __init__(self, context: Context) -> None:
        self._ctx = context

    async def page(self, where: OpenFilter, cursor: str | None) -> tuple[list[Request], str | None]:
        """The requests of one page and the cursor of the next. cursor: of the last page, with the same order. Raises
        RejectedError bad-cursor."""
        after = None if cursor is None else _read(cursor, where.order)
        found = await self._ctx.store.open_requests(replace(where, after=after, limit=where.limit + 1))
        page = found[: where.limit]
        return page, _cursor(page[-1], where.order) if len(found) > where.limit else None

    async def list(self, where: OpenFilter, cursor: str | None) -> dict[str, Any]:
        """As operators see them. Raises RejectedError bad-cursor."""
        page, more = await self.page(where, cursor)
        now = self._ctx.clock.now()
        return {"requests": [shown(request, where.home, now) for request in page], "next": more}


def shown(request: Request, home: str, now: datetime) -> dict[str, Any]:
    """waits: us, partner, approval. overdue: as of `now`."""
    due, outbound = listed_due(request), request.asker == home
    return {
        "request_no": request.request_no,
        "type": request.type,
        "state": request.state,
        "partner": request.asked if outbound else request.asker,
        "waits": _waits(request, home),
        "due_at": None if due is None else due.isoformat(),
        "overdue": due is not None and due <= now,
        "undelivered": outbound and request.state in UNDELIVERED,
        "handler": request.handler,
        "team": request.facts.get("team"),
        "campaign": request.facts.get("campaign"),
        "lead": request.facts.get("lead"),
        "reason": request.reason,
        "created_at": request.created_at.isoformat(),
    }


def _waits(request: Request, home: str) -> str | None:
    if listed_turn(request) == "approval":
        return "approval"
    owes = waits_for(request, home)
    return None if owes is None else "us" if owes == home else "partner"


def _cursor(last: Request, order: Order) -> str:
    at = last.created_at if order == "age" else listed_due(last)
    return page_cursor(f"{order} {((at or FIRST) - FIRST) // _MICROSECOND} {last.request_no}")


def _read(cursor: str, order: Order) -> tuple[int, str]:
    found = _AFTER.fullmatch(page_after(cursor))
    if found is None or found["order"] != order:
        raise RejectedError("bad-cursor", pointer="/after")
    return int(found["at"]), found["number"]
