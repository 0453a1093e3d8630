"""Operators' lists of open requests, on both databases: what is in them, in which order, and by which index."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import combinations
from typing import Any

import pytest

from gateway.application.ports.lists import OpenFilter
from gateway.core.operating.records import OpenFigures
from gateway.core.records import Changes, Request
from gateway.core.requests.facts import Facts, MainClock
from gateway.core.requests.listing import Order, Waits
from gateway.core.silence import Silence
from gateway.store import SqlStore
from gateway.store.queries import operating
from gateway.store.queries.open_requests import page_of_open_requests
from tests.contract.samples import COURT, GRID, NOW, POLICE, request, write
from tests.contract.test_store_plans import fill, plan, scans

DAY = timedelta(days=1)
OTHER = "court-sn0115"


def clock(due: datetime, *, paused: bool = False) -> MainClock:
    found: MainClock = {
        "kind": "days", "amount": 1, "start": NOW.isoformat(), "at": due.isoformat(), "on": "2026-03-24",
        "provisional": False, "step": 0,
    }  # fmt: skip
    return {**found, "paused": NOW.isoformat(), "left": 1, "left_kind": "days"} if paused else found


def one(n: int, state: str, due: int | None = None, *, paused: bool = False, **other: Any) -> Request:
    """due: days from now."""
    facts: Facts = other.pop("facts", {})
    if due is not None:
        facts = {**facts, "due": clock(NOW + due * DAY, paused=paused)}
    return request(n, state=state, facts=facts, created_at=NOW - n * DAY, **other)


ROWS = [
    one(1, "dispatched", 3, facts={"team": "t1", "campaign": "c1", "lead": "sn0114-0001"}),
    one(2, "accepted", -2, facts={"team": "t1"}),
    one(3, "completed", 1, handler="sn0114-0008"),
    one(4, "approved", -1, asked=GRID),
    one(5, "awaiting-approval", facts={"team": "t2"}),
    one(6, "closed", -5, facts={"team": "t1"}),
    one(7, "accepted", -3, paused=True),
    one(8, "dispatched", -4, asker=OTHER, asked=COURT, request_no=f"{OTHER}-x8", submission_id=None),
    one(9, "completed", 5, asker=OTHER, asked=COURT, request_no=f"{OTHER}-x9", submission_id=None),
]
FOUND: dict[str, tuple[dict[str, Any], list[int]]] = {
    "by deadline": ({}, [8, 2, 4, 3, 1, 9]),
    "overdue": ({"due_by": NOW}, [8, 2, 4]),
    "by age": ({"order": "age"}, [9, 8, 7, 5, 4, 3, 2, 1]),
    "waits for us": ({"waits": "us"}, [8, 4, 3]),
    "waits for a partner": ({"waits": "partner"}, [2, 1, 9]),
    "waits for an approval": ({"waits": "approval", "order": "age"}, [5]),
    "waits for us, by age": ({"waits": "us", "order": "age"}, [8, 4, 3]),
    "of a partner": ({"partner": POLICE}, [2, 3, 1]),
    "of one that asks": ({"partner": OTHER}, [8, 9]),
    "of a partner, by age": ({"partner": POLICE, "order": "age"}, [7, 5, 3, 2, 1]),
    "of a partner, overdue, by age": ({"partner": POLICE, "order": "age", "due_by": NOW}, [2]),
    "of a partner, waiting for us": ({"partner": OTHER, "waits": "us"}, [8]),
    "of a team": ({"team": "t1"}, [2, 1]),
    "of a team, waiting for a partner": ({"team": "t1", "waits": "partner", "partner": POLICE}, [2, 1]),
    "of a campaign": ({"campaign": "c1"}, [1]),
    "of a leader": ({"lead": "sn0114-0001", "order": "age"}, [1]),
    "of a handler": ({"handler": "sn0114-0008"}, [3]),
    "of a type": ({"type": "police.vehicle-info.query", "partner": GRID}, [4]),
    "of a type that is none": ({"type": "grid.verify.request"}, []),
}


def numbered(n: int) -> str:
    return ROWS[n - 1].request_no


@pytest.mark.parametrize("name", FOUND)
async def test_lists_hold_what_is_asked_for_in_order(store: SqlStore, name: str) -> None:
    await write(store, Changes(new_requests=ROWS))
    conditions, expected = FOUND[name]
    found = await store.open_requests(OpenFilter(COURT, **conditions))
    assert [r.request_no for r in found] == [numbered(n) for n in expected]


@pytest.mark.parametrize("order", ["due", "age"])
@pytest.mark.parametrize("conditions", [{}, {"partner": POLICE}, {"waits": "us"}, {"team": "t1"}])
async def test_pages_follow_each_other(store: SqlStore, order: Order, conditions: dict[str, Any]) -> None:
    """Also where several have the same deadline."""
    rows = [one(n, "accepted", n % 3, facts={"team": "t1"}) for n in range(1, 20)]
    rows += [one(n, "completed", n % 3, facts={"team": "t1"}) for n in range(20, 30)]
    await write(store, Changes(new_requests=[replace(r, created_at=NOW) for r in rows]))
    where = OpenFilter(COURT, order=order, **conditions)
    whole = await store.open_requests(where)
    seen: list[Request] = []
    while page := await store.open_requests(replace(where, after=after_of(seen, order), limit=4)):
        seen += page
    assert [r.request_no for r in seen] == [r.request_no for r in whole]
    assert len(whole) == (10 if conditions.get("waits") else 29)


def after_of(seen: list[Request], order: Order) -> tuple[int, str] | None:
    if not seen:
        return None
    last = seen[-1]
    at = last.created_at if order == "age" else datetime.fromisoformat(last.facts["due"]["at"])
    return (at - datetime.fromisoformat("1970-01-01T00:00:00+00:00")) // timedelta(microseconds=1), last.request_no


async def test_a_list_follows_the_request(store: SqlStore) -> None:
    await write(store, Changes(new_requests=[one(1, "dispatched", 1)]))
    (row,) = await store.open_requests(OpenFilter(COURT, waits="partner"))
    row.state, row.facts = "completed", {**row.facts, "due": clock(NOW - DAY)}
    await write(store, Changes(requests=[row]))
    assert await store.open_requests(OpenFilter(COURT, waits="partner")) == []
    (row,) = await store.open_requests(OpenFilter(COURT, waits="us", due_by=NOW))
    row.state = "closed"
    await write(store, Changes(requests=[row]))
    assert await store.open_requests(OpenFilter(COURT, order="age")) == []


FILTERS = ("handler", "team", "campaign", "lead", "partner", "type")


@pytest.mark.parametrize("statistics", [False, True], ids=["empty", "filled"])
async def test_every_list_is_read_by_an_index(store: SqlStore, statistics: bool) -> None:
    """With none, one and two filters, in both orders, waiting for each and for all."""
    if statistics:
        facts: list[Facts] = [{"team": f"t{n % 9}", "campaign": f"c{n % 7}", "lead": f"l{n % 5}"} for n in range(9)]
        states = ("dispatched", "completed", "approved", "closed", "awaiting-approval")
        rows = [one(n, states[n % 5], n, facts=facts[n % 9], handler=f"h{n % 30}") for n in range(1, 2000)]
        await write(store, Changes(new_requests=rows))
        async with store.database.engine.begin() as connection:
            await connection.exec_driver_sql("ANALYZE")
    whole = {}
    waits: tuple[Waits | None, ...] = (None, "us", "partner", "approval")
    for names in ((), *((n,) for n in FILTERS), *combinations(FILTERS, 2)):
        for wait in waits:
            for order in ("due", "age"):
                conditions: dict[str, Any] = dict.fromkeys(names, "x")
                query, _ = page_of_open_requests(OpenFilter(COURT, waits=wait, order=order, **conditions))
                lines = await plan(store, query)
                if found := scans(lines):
                    whole[names, wait, order] = found
    assert whole == {}


FIGURES = ("EXCHANGES", "OVERDUE", "OUT_TURN", "IN_TURN", "NOT_SHOWN", "CLAIM_DIGEST", "END_DIGEST")


@pytest.mark.parametrize("statistics", [False, True], ids=["empty", "filled"])
async def test_silence_and_figures_are_read_by_an_index(store: SqlStore, statistics: bool) -> None:
    if statistics:
        await fill(store)
    found = {name: scans(await plan(store, getattr(operating, name))) for name in FIGURES}
    assert {name: lines for name, lines in found.items() if lines} == {}


async def test_figures_count_what_stands(store: SqlStore) -> None:
    await write(store, Changes(new_requests=ROWS))
    assert await store.operating.open_figures(COURT, NOW) == OpenFigures(3, 3, 4, 1, 2)


async def test_a_silence_begins_and_ends_once(store: SqlStore) -> None:
    row = Silence(POLICE, "no-consumer", NOW, NOW)
    async with store.begin() as tx:
        assert await tx.operating.put_silence(row)
        assert not await tx.operating.put_silence(row)
        assert await tx.operating.put_silence(replace(row, cause="not-answered"))
    assert await store.operating.silences() == [replace(row, cause="not-answered")]
    async with store.begin() as tx:
        assert await tx.operating.end_silence(POLICE)
        assert not await tx.operating.end_silence(POLICE)


async def test_a_digest_is_one_processes_until_its_term_ends(store: SqlStore) -> None:
    async def claimed(at: datetime) -> int:
        async with store.begin() as tx:
            return await tx.operating.claim_digest("2026-03-25", "r", at, timedelta(minutes=5))

    assert [await claimed(NOW), await claimed(NOW + timedelta(minutes=4))] == [1, 0]
    assert await claimed(NOW + timedelta(minutes=5)) == 2
    async with store.begin() as tx:
        await tx.operating.end_digest("2026-03-25", "r", NOW)
    assert await claimed(NOW + DAY) == 0
