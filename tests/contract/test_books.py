"""Ledgers and the rows of the weekly report, on both databases."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from gateway.application.ports.books import LedgerFilter
from gateway.core.records import Changes, CourtFigure, LedgerLine
from gateway.store import SqlStore
from gateway.store.engine.statements import Query
from gateway.store.queries import books
from tests.contract.samples import COURT, MINUTE, NOW, POLICE, event, measure, number, request, write
from tests.contract.test_store_plans import plan, scans


def line(no: str, source: str = "r", **other: Any) -> LedgerLine:
    values: dict[str, Any] = {
        "kind": "opened",
        "day": "2026-03-24",
        "at": NOW,
        "settles": False,
        "due_on": "2026-04-24",
        "amount": "1234.50",
        "case_no": "（2026）陕0114执123号",
        "request_no": number(1),
        "partner": POLICE,
        "team": "执行一团队",
    }
    return LedgerLine(other.pop("ledger", "fund"), no, source, **(values | other))


async def put(store: SqlStore, *lines: LedgerLine) -> None:
    await write(store, Changes(ledger=list(lines)))


async def page(store: SqlStore, **where: Any) -> list[str]:
    found = await store.ledger_page(LedgerFilter(where.pop("ledger", "fund"), **where))
    return list(dict.fromkeys(one.item_no for one in found))


async def test_lines_come_back_as_they_were(store: SqlStore) -> None:
    bare = line("（2026）陕0114执恢1号", "s", due_on=None, amount=None, case_no=None, request_no=None)
    bare = replace(bare, partner=None, team=None, settles=True)
    await put(store, line("DZ-1"), bare)
    assert await store.ledger_page(LedgerFilter("fund")) == [line("DZ-1"), bare]


async def test_the_same_source_again_replaces_its_line(store: SqlStore) -> None:
    await put(store, line("DZ-1", amount="1.00"), line("DZ-1", amount="2.00"))
    later = line("DZ-1", kind="released", amount="3.00", settles=True, at=NOW + MINUTE, team=None)
    await put(store, later, line("DZ-1", "other"))
    assert await store.ledger_page(LedgerFilter("fund")) == [line("DZ-1", "other"), later]


async def test_pages_hold_whole_items_in_order(store: SqlStore) -> None:
    await put(store, *(line(f"DZ-{n}", f"s-{part}") for n in (3, 1, 2) for part in (1, 2)))
    await put(store, line("DZ-9", ledger="petition"))
    assert await page(store, limit=2) == ["DZ-1", "DZ-2"]
    assert len(await store.ledger_page(LedgerFilter("fund", limit=2))) == 4
    assert await page(store, after="DZ-2", limit=2) == ["DZ-3"]
    assert await page(store, after="DZ-3") == []
    assert await page(store, ledger="petition") == ["DZ-9"]
    assert await page(store, ledger="closure") == []


async def test_days_choose_items_but_never_cut_them(store: SqlStore) -> None:
    await put(store, line("DZ-1", "a", day="2026-03-01"), line("DZ-1", "b", day="2026-03-20"), line("DZ-2"))
    assert await page(store, first="2026-03-20", last="2026-03-20") == ["DZ-1"]
    assert len(await store.ledger_page(LedgerFilter("fund", first="2026-03-20", last="2026-03-20"))) == 2
    assert await page(store, first="2026-03-21") == ["DZ-2"]
    assert await page(store, last="2026-03-01") == ["DZ-1"]


async def test_what_stands_is_what_is_unsettled_or_happened_lately(store: SqlStore) -> None:
    plain: dict[str, Any] = {"ledger": "refusal", "amount": None}
    await put(
        store,
        line("open", **plain, day="2026-01-01"),
        line("old", "a", **plain, day="2026-01-01"),
        line("old", "b", **plain, day="2026-01-05", settles=True),
        line("lately", "a", **plain, day="2026-01-01"),
        line("lately", "b", **plain, day="2026-03-25", settles=True),
        line("paid", "a", day="2026-01-01"),
        line("paid", "b", day="2026-01-02", settles=True),
        line("later", **plain, day="2026-03-30"),
    )
    found = {one.item_no for one in await store.standing_lines("2026-03-23", "2026-03-29")}
    assert found == {"open", "lately", "paid"}, "a sum may be partly paid: it always stands"


async def test_two_that_write_one_item_take_turns(store: SqlStore) -> None:
    order: list[str] = []
    inside = asyncio.Event()

    async def first() -> None:
        async with store.begin() as unit:
            assert await unit.ledger_item("closure", "c") == []
            inside.set()
            await unit.apply(Changes(ledger=[line("c", ledger="closure")]))
            order.append("first")

    async def second() -> None:
        await inside.wait()
        async with store.begin() as unit:
            found = await unit.ledger_item("closure", "c")
            order.append(f"second saw {len(found)}")

    await asyncio.gather(first(), second())
    assert order == ["first", "second saw 1"]


async def test_requests_that_live_or_changed(store: SqlStore) -> None:
    old = NOW - 100 * MINUTE
    await write(
        store,
        Changes(
            new_requests=[
                request(1, state="accepted", updated_at=old),
                request(2, state="closed", updated_at=old),
                request(3, state="closed", updated_at=NOW),
                request(4, state="lapsed", shape="alert", updated_at=old),
                request(5, state="read", shape="notice", updated_at=NOW),
            ]
        ),
    )
    assert [[r.request_no for r in page] async for page in store.living_requests(NOW)] == [[number(1), number(3)]]
    assert [r.request_no for r in await store.requests_named([number(2), number(8)])] == [number(2)]
    assert await store.requests_named([]) == []


async def test_living_requests_come_in_pages(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(books, "PAGE", 2)
    await write(store, Changes(new_requests=[request(n, state="accepted") for n in range(1, 6)]))
    found = [[r.request_no for r in page] async for page in store.living_requests(NOW)]
    assert found == [[number(1), number(2)], [number(3), number(4)], [number(5)]]


async def test_events_of_many_requests_in_one_feed(store: SqlStore) -> None:
    many = [event(n, audience=to, verb=None) for n in range(1, 1202) for to in (COURT, "court-sn0528")]
    await write(store, Changes(events=many))
    found = await store.events_of(COURT, [number(n) for n in range(1, 1202)])
    assert [e.request_no for e in found] == [number(n) for n in range(1, 1202)]
    assert {e.audience for e in found} == {COURT}


async def test_measures_by_their_last_day(store: SqlStore) -> None:
    days = ["2026-03-23", "2026-03-24", "2026-04-23", "2026-04-24", None]
    rows = [measure(n, end_on=day) for n, day in enumerate(days, start=1)]
    rows.append(measure(6, end_on="2026-03-24", state="ended"))
    await write(store, Changes(new_requests=[request(n) for n in range(1, 7)], new_measures=rows))
    found = await store.measures_ending(["active", "lapsed"], "2026-03-24", "2026-04-23")
    assert [m.end_on for m in found] == ["2026-03-24", "2026-04-23"]


async def test_figures_of_the_court_are_kept_by_period(store: SqlStore) -> None:
    first = CourtFigure("2026-W13", "money-in-place-rate", "61.20", NOW)
    corrected = replace(first, value="62.00", at=NOW + MINUTE)
    other = replace(first, period="2026-03")
    await write(store, Changes(court_figures=[first, other]))
    await write(store, Changes(court_figures=[corrected]))
    assert await store.court_figures("2026-W13") == [corrected]
    assert await store.court_figures("2026-03") == [other]
    assert await store.court_figures("2026-W14") == []


@pytest.mark.parametrize("statistics", [False, True], ids=["empty", "filled"])
async def test_a_report_reads_the_events_of_its_requests_and_no_others(store: SqlStore, statistics: bool) -> None:
    """Not the whole feed of the court for each page."""
    if statistics:
        await write(store, Changes(events=[event(n) for n in range(500)]))
        async with store.database.engine.begin() as connection:
            await connection.exec_driver_sql("ANALYZE")
    lines = "\n".join(await plan(store, books.EVENTS_OF))
    assert "events_request" in lines
    assert "events_audience" not in lines


@pytest.mark.parametrize("statistics", [False, True], ids=["empty", "filled"])
async def test_pages_of_a_ledger_are_found_by_its_index(store: SqlStore, statistics: bool) -> None:
    if statistics:
        await put(store, *(line(f"DZ-{n}", ledger=ledger) for n in range(500) for ledger in ("fund", "closure")))
        await write(store, Changes(events=[event(n) for n in range(500)]))
        await write(store, Changes(new_requests=[request(n) for n in range(1, 500)]))
        async with store.database.engine.begin() as connection:
            await connection.exec_driver_sql("ANALYZE")
    queries = {name: query for name, query in vars(books).items() if isinstance(query, Query)}
    left_out = books.MAY_SCAN | ({"LOCK_ITEM"} if store.database.is_sqlite else set())
    assert queries.keys() > left_out
    found = {name: scans(await plan(store, query)) for name, query in queries.items() if name not in left_out}
    assert {name: lines for name, lines in found.items() if lines} == {}
