"""What a monitor is told of partners, counted by the database and once more by hand; how much of the store is read."""

from __future__ import annotations

import random
import sqlite3
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from gateway.core.operating.records import QuarantineEnd
from gateway.core.records import Changes, Request
from gateway.core.requests.listing import listed_due, listed_turn
from gateway.core.signals.load import PartnerLoad
from gateway.store import SqlStore
from gateway.store.engine.statements import Query
from gateway.store.upkeep import load
from tests.contract.samples import COURT, GRID, MINUTE, NOW, POLICE, refused, request, sendable, write
from tests.contract.test_open_requests import OTHER, clock
from tests.contract.test_store_plans import fill, plan, scans

DAY = timedelta(days=1)
SOON = NOW + DAY
STATES = (*load.UNDELIVERED_STATES, *load.UNANSWERED_STATES, "completed", "closed", "awaiting-approval", "withdrawing")


def rows(count: int, seed: int = 1) -> list[Request]:
    """Requests of our court to two partners and of another court to ours, in any state, with and without a deadline."""
    chance = random.Random(seed)
    found = []
    for n in range(1, count + 1):
        theirs = chance.random() < 0.2
        facts: Any = {} if chance.random() < 0.2 else {"due": clock(NOW + chance.randint(-72, 72) * timedelta(hours=1))}
        found.append(
            request(
                n,
                state=chance.choice(STATES),
                asker=OTHER if theirs else COURT,
                asked=COURT if theirs else chance.choice((POLICE, GRID)),
                request_no=f"{OTHER if theirs else COURT}-20260324-{n:06}",
                submission_id=None,
                created_at=NOW - (count - n) * MINUTE,
                facts=facts,
            )
        )
    return found


def owed(all_rows: list[Request], code: str) -> list[Request]:
    return [r for r in all_rows if r.asked == code and listed_turn(r) == "asked"]


def due_between(some: list[Request], low: datetime | None, high: datetime) -> int:
    dues = [due for r in some if (due := listed_due(r)) is not None]
    return sum((low is None or due > low) and due <= high for due in dues)


@pytest.mark.parametrize("seed", [1, 2])
async def test_figures_by_partner_are_what_a_count_by_hand_finds(store: SqlStore, seed: int) -> None:
    everything = rows(400, seed)
    await write(store, Changes(new_requests=everything))
    found = (await store.load(COURT, NOW, SOON)).partners
    for code in (POLICE, GRID):
        his = owed(everything, code)
        ours = [r for r in everything if r.asked == code and r.asker == COURT]
        unshown = [r.created_at for r in ours if r.state in load.UNDELIVERED_STATES]
        silent = [r.created_at for r in his if r.asker == COURT and r.state in load.UNANSWERED_STATES]
        assert found[code] == PartnerLoad(
            owes=len(his),
            overdue=due_between(his, None, NOW),
            due_soon=due_between(his, NOW, SOON),
            undelivered=len(unshown),
            oldest_undelivered=min(unshown),
            oldest_unanswered=min(silent),
        )
    assert found[COURT].owes == len(owed(everything, COURT)) > 0


def waits_for(r: Request) -> str | None:
    turn = listed_turn(r)
    if r.asker == COURT:
        return {"gateway": "us", "asker": "us", "asked": "partner", "approval": "approval"}.get(turn or "")
    return {"asked": "us", "asker": "partner", "gateway": "partner"}.get(turn or "")


async def test_what_is_late_is_told_by_whom_it_waits_for(store: SqlStore) -> None:
    everything = rows(400)
    await write(store, Changes(new_requests=everything))
    found = await store.load(COURT, NOW, SOON)
    for name in ("us", "partner", "approval"):
        some = [r for r in everything if waits_for(r) == name]
        assert (name, found.overdue[name]) == (name, due_between(some, None, NOW))
        assert (name, found.due_soon[name]) == (name, due_between(some, NOW, SOON))
    assert min(found.overdue["us"], found.overdue["partner"], found.due_soon["us"]) > 0


async def test_messages_are_counted_by_where_they_go(store: SqlStore) -> None:
    await write(store, sendable(*range(1, 7)))
    for leased in await store.lease_outbox("w", NOW, MINUTE, 2):
        async with store.begin() as unit:
            await unit.mark_sent([leased.row_id], "w")
            await unit.apply(Changes(outbox_dead=[(leased.sender, leased.message_id)]))
    one = (await store.load(COURT, NOW, SOON)).partners[POLICE]
    assert (one.dead, sum(one.ready.values())) == (2, 4)


async def test_a_quarantined_message_is_open_until_somebody_deals_with_it_and_again_when_it_comes_again(
    store: SqlStore,
) -> None:
    async def open_rows() -> dict[str, int]:
        return dict((await store.load(COURT, NOW, SOON)).quarantine_open)

    rubbish = [refused(body_sha256=f"sha256-{n}") for n in range(3)]
    await write(store, Changes(quarantine=rubbish))
    reason = rubbish[0].reason
    assert await open_rows() == {reason: 3}
    first = (await store.operating.quarantine(owner=None, whole=True, limit=1))[0][0]
    assert first.id is not None
    async with store.begin() as unit:
        await unit.operating.end_quarantine(QuarantineEnd(first.id, NOW, "u", "p", "closed", "why", first.count))
    assert await open_rows() == {reason: 2}
    await write(store, Changes(quarantine=[replace(rubbish[2])]))
    again = await open_rows()
    assert again == {reason: 3}, "its bytes came once more"


async def test_the_oldest_of_a_state_and_type(store: SqlStore) -> None:
    everything = rows(100)
    await write(store, Changes(new_requests=everything))
    for state in ("delivered", "closed"):
        expected = min(r.created_at for r in everything if r.state == state)
        assert await store.oldest_of(state, request(1).type) == expected
    assert await store.oldest_of("raised", "grid.visit.request") is None


async def test_an_empty_store_has_nothing_to_tell(store: SqlStore) -> None:
    found = await store.load(COURT, NOW, SOON)
    assert (found.partners, found.quarantine_open) == ({}, {})
    assert set(found.overdue.values()) | set(found.due_soon.values()) == {0}


QUERIES = {name: query for name, query in vars(load).items() if isinstance(query, Query)}


@pytest.mark.parametrize("statistics", [False, True], ids=["empty", "filled"])
async def test_every_figure_is_a_range_of_an_index(store: SqlStore, statistics: bool) -> None:
    """The newest rows of the quarantine are read backwards by their number, and no more of them than are asked for."""
    if statistics:
        await fill(store)
    assert len(QUERIES) == len(load.LOAD) + 1
    found = {n: scans(await plan(store, query)) for n, query in QUERIES.items() if n != "QUARANTINE_OPEN"}
    assert {name: lines for name, lines in found.items() if lines} == {}


def steps(path: str, queries: list[Query], parameters: dict[str, Any]) -> int:
    """Instructions of SQLite's machine, in thousands of which one is not noticed."""
    counted = 0

    def count() -> int:
        nonlocal counted
        counted += 1
        return 0

    connection = sqlite3.connect(path)
    try:
        connection.set_progress_handler(count, 10)
        for query in queries:
            connection.execute(query.sqlite.sql, query.sqlite.values(parameters)).fetchall()
    finally:
        connection.close()
    return counted


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_is_done_costs_nothing(store: SqlStore) -> None:
    """With twenty times as many closed requests behind the same open ones, as much work: counted, not timed."""
    asked: dict[str, Any] = {
        "most": 10_000, "newest": 2_000, "now": NOW, "soon": SOON, "home": COURT, "home_first": f"{COURT}-",
        "home_end": f"{COURT}.",
    }  # fmt: skip
    path = str(store.database.path)
    await write(store, Changes(new_requests=rows(100)))
    await write(store, Changes(new_requests=[request(n, state="closed") for n in range(1_000, 1_200)]))
    before = steps(path, list(load.LOAD), asked)
    await write(store, Changes(new_requests=[request(n, state="closed") for n in range(2_000, 6_000)]))
    assert 0 < steps(path, list(load.LOAD), asked) <= before * 1.1
