"""No query reads a whole table: every named statement, on both databases, finds its rows by an index."""

from __future__ import annotations

import re
from itertools import chain, combinations, pairwise
from typing import Any

import pytest

from gateway.application.ports.lists import MeasureFilter, RequestFilter
from gateway.core.control.moves import OPEN_STATES
from gateway.core.records import (
    ApprovalRow,
    Changes,
    LedgerLine,
    Naming,
    PartnerClock,
    PartnerVersion,
    PausedRoute,
    Release,
    ReleaseItem,
    SubjectUse,
)
from gateway.store import SqlStore, writes
from gateway.store.engine.columns import Recorded
from gateway.store.engine.statements import Bulk, Query
from gateway.store.queries import (
    alerts,
    arrivals,
    budgets,
    conversations,
    leasing,
    lists,
    measures,
    outbox,
    papers,
    timers,
)
from gateway.store.tables import metadata
from gateway.store.upkeep import health
from tests.contract import samples
from tests.contract.samples import (
    COURT,
    MINUTE,
    NOW,
    POLICE,
    document,
    event,
    held,
    measure,
    number,
    page,
    refused,
    remembered,
    request,
    sendable,
    submission,
    timer,
    write,
)

MODULES = (alerts, arrivals, budgets, conversations, leasing, lists, measures, outbox, papers, timers, writes)
QUERIES = {name: query for module in MODULES for name, query in vars(module).items() if isinstance(query, Query)}
POSTGRES_ONLY = {
    "LOCK_DUE_TIMERS",
    "LOCK_REQUESTS_OF",
    "LOCK_DIGEST",
    "LOCK_OBJECT",
    "LOCK_ALARMS",
    "FEED_LOCK",
}  # locks, which SQLite has no need of
# The index holds unsent rows only; ends after one row; after so many; is asked for everything in a state; a row a year;
# a report's whole period; once after our clock was set back; what is wrong now.
MAY_SCAN = {
    "OLDEST_UNSENT",
    "BACKLOG",
    "READY_ROUTES",
    "NEWEST_QUARANTINE",
    "CALENDARS",
    "REMOVE_CALENDAR",
    "PARTNER_CLOCKS",
    "NEWEST_EVENT_AT",
    "STANDING",
    "MEASURES_ENDING",
    "END_TIMERS",
    "END_PAGES",
}
BULKS = {
    name: bulk
    for module in MODULES
    for name, value in vars(module).items()
    if isinstance(bulk := value.bulk if isinstance(value, Recorded) else value, Bulk)
    and not bulk.sqlite.startswith("INSERT")
}
TABLES = "|".join(metadata.tables)


async def plan(store: SqlStore, query: Query | Bulk) -> list[str]:
    """The lines of the plan that the database makes without knowing the parameters."""
    text = query.sqlite if store.database.is_sqlite else query.postgresql
    sql = text if isinstance(text, str) else text.sql
    async with store.database.engine.connect() as connection:
        if store.database.is_sqlite:
            rows = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", (None,) * sql.count("?"))
            return [row[-1] for row in rows]
        await connection.exec_driver_sql("SET LOCAL plan_cache_mode = force_generic_plan")
        await connection.exec_driver_sql(f"PREPARE asked AS {sql}")
        nulls = ", ".join(["NULL"] * len(set(re.findall(r"\$\d+", sql))))
        rows = await connection.exec_driver_sql(f"EXPLAIN EXECUTE asked ({nulls})".replace(" ()", ""))
        await connection.exec_driver_sql("DEALLOCATE asked")
        return [row[0] for row in rows]


def scans(lines: list[str]) -> list[str]:
    """Reads of a whole table or of a whole index."""
    whole = [line for line in lines if re.search(rf"(SCAN|Seq Scan on) ({TABLES}|earlier)\b", line)]
    for line, following in pairwise([*lines, ""]):
        if re.search(r"Index (Only )?Scan", line) and "Index Cond" not in following:
            whole.append(line)
    return whole


async def fill(store: SqlStore) -> None:
    """Enough rows of every kind that a plan which reads them all would show, and statistics that say so."""
    changes = sendable(*range(1, 500))
    for n in range(1, 500):
        changes.submissions.append(submission(n))
        changes.timers.append(timer(n))
        changes.new_measures.append(measure(n, case_no=f"case-{n}"))
        changes.new_pages.append(page(n))
        changes.documents.append(document(f"{n:064x}"))
        changes.documents_named.append(Naming(number(n), f"{n:064x}", COURT, POLICE))
        changes.documents_named.append(Naming(number(n), f"{n:064x}", f"police-{n}", COURT))
        changes.held.append(held(n, request_no=number(n)))
        changes.early.append(samples.early(n, owner=f"police-{n}"))
        changes.partner_clocks.append(PartnerClock(f"police-{n}", 0, NOW))
        changes.partner_versions.append(PartnerVersion(f"police-{n}", 2, NOW))
        changes.quarantine.append(refused(owner=f"police-{n}", body_sha256=f"sha256-{n}"))
        changes.idempotency.append(remembered(f"key-{n}"))
        changes.events.append(event(n))
        changes.new_requests[n - 1].case_no, changes.new_requests[n - 1].group_no = f"case-{n}", f"group-{n}"
        changes.ledger.append(
            LedgerLine("refusal", number(n), number(n), "opened", "2026-03-24", NOW, request_no=number(n))
        )
        changes.approvals.append(ApprovalRow(number(n), "approval", "a", "r", "approve", NOW, NOW, "cms1", "s"))
        changes.subject_uses.append(SubjectUse(f"subject-{n}", number(n), "h", NOW))
        changes.releases.append(Release(f"release-{n}", COURT, f"case-{n}", "paid", "a", NOW, "s"))
        changes.release_items.append(ReleaseItem(f"release-{n}", 1, "withdraw", number(n)))
    await write(store, changes)
    sent = await store.lease_outbox("w", NOW, MINUTE, 500)
    async with store.begin() as unit:
        await unit.mark_sent([row.row_id for row in sent], "w")
        await unit.alarms.put([samples.alarm(n) for n in range(500)])
        await unit.alarms.tell([samples.telling(n) for n in range(2000)])
        for n in range(1, 500):
            await unit.admit_notice(COURT, f"sha256-{n}", NOW, 1000)
            await unit.begin_pause(
                PausedRoute(f"police-{n}.normal", f"police-{n}", "queue-full", NOW, NOW, 1, 1, told=True)
            )
    await write(store, sendable(500))
    async with store.database.engine.begin() as connection:
        await connection.exec_driver_sql("ANALYZE")


@pytest.mark.parametrize("statistics", [False, True], ids=["empty", "filled"])
async def test_every_query_uses_an_index(store: SqlStore, statistics: bool) -> None:
    if statistics:
        await fill(store)
    left_out = MAY_SCAN | (POSTGRES_ONLY if store.database.is_sqlite else set())
    found = {name: scans(await plan(store, query)) for name, query in QUERIES.items() if name not in left_out}
    assert {name: lines for name, lines in found.items() if lines} == {}


FILTERS = ("type", "state", "receiver", "case_no", "group_no", "after")
COLUMNS = {"type": "type", "state": "state", "receiver": "asked"}


def read_by(store: SqlStore, lines: list[str], table: str) -> list[str]:
    """What each index of `table` is entered with."""
    if store.database.is_sqlite:
        return [line.partition("(")[2] for line in lines if re.search(rf"SEARCH {table} USING", line)]
    return [line.partition("Index Cond:")[2] for line in lines if "Index Cond:" in line]


async def many_kinds(store: SqlStore) -> None:
    """Requests of twenty types in ten states, asked of five parties, and measures in as many states as there are."""
    asked = [f"police-{n}" for n in range(5)]
    rows = [
        request(n, type=f"type-{n % 20}", state=f"state-{n // 20 % 10}", asked=asked[n // 200 % 5])
        for n in range(1, 2000)
    ]
    for n, row in enumerate(rows):
        row.case_no, row.group_no = f"case-{n}", f"group-{n}"
    held = [measure(n, case_no=f"case-{n // 3}", state=("active", "ended", "lapsed")[n % 3]) for n in range(1, 2000)]
    await write(store, Changes(new_requests=rows, new_measures=held))
    async with store.database.engine.begin() as connection:
        await connection.exec_driver_sql("ANALYZE")


def filtered(whose: str | None, names: tuple[str, ...]) -> RequestFilter:
    conditions: dict[str, Any] = dict.fromkeys(names, "x")
    return RequestFilter(participant=whose, **conditions)


@pytest.mark.parametrize("statistics", [False, True], ids=["empty", "filled"])
async def test_t9_every_filter_of_a_list_is_an_index(store: SqlStore, statistics: bool) -> None:
    """Alone, by twos and by threes, of a participant and of everybody."""
    if statistics:
        await many_kinds(store)
    whole = {}
    for names in chain.from_iterable(combinations(FILTERS, size) for size in (1, 2, 3)):
        for whose in (COURT, None):
            query, _ = lists.page_of_requests(filtered(whose, names))
            if found := scans(await plan(store, query)):
                whole[names, whose] = found
    assert whole == {}


@pytest.mark.parametrize("names", [n for size in (1, 2) for n in combinations(COLUMNS, size)])
async def test_t9_a_filter_without_a_match_reads_nothing(store: SqlStore, names: tuple[str, ...]) -> None:
    """One filter or two are all in the condition of the index, so nothing else is read on the way to the next page."""
    await many_kinds(store)
    for whose in (COURT, None):
        query, _ = lists.page_of_requests(filtered(whose, names))
        opened = read_by(store, await plan(store, query), "requests")[0]
        assert [c for c in names if not re.search(rf"\b{COLUMNS[c]}\b", opened)] == [], opened


async def test_t9_live_measures_are_read_past_what_has_ended(store: SqlStore) -> None:
    await many_kinds(store)
    for filters in ({}, {"case_no": "case-1"}, {"ends_by": "2026-01-01"}, {"after": number(1)}):
        query, _ = lists.page_of_measures(MeasureFilter(COURT, OPEN_STATES, **filters))  # type: ignore[arg-type]
        lines = await plan(store, query)
        ranges = read_by(store, lines, "measures")
        assert scans(lines) == []
        assert len(ranges) == len(OPEN_STATES) * (1 if "case_no" in filters else 2)
        assert [r for r in ranges if "state" not in r] == []


@pytest.mark.parametrize("statistics", [False, True], ids=["empty", "filled"])
async def test_t9_every_figure_is_counted_by_an_index(store: SqlStore, statistics: bool) -> None:
    """What may be read from its beginning is bounded: by the backlog, the number of queues, a limit."""
    if statistics:
        await fill(store)
    bounded = {"outbox", "paused", "timers"}
    found = {n: scans(await plan(store, query)) for n, query in health.COUNTS.items() if n not in bounded}
    assert {name: lines for name, lines in found.items() if lines and not _first_only(lines)} == {}
    assert "timers_due" in "".join(await plan(store, health.TIMERS))
    assert "outbox_unsent" in "".join(await plan(store, health.OUTBOX))


def _first_only(lines: list[str]) -> bool:
    """The least of all is the first entry of an index, which SQLite calls a search and PostgreSQL a scan."""
    return all("Index Only Scan" in line for line in lines)


async def test_t9_a_figure_ends_at_its_bound(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    await fill(store)
    monkeypatch.setattr(health, "MOST", 20)
    found = await store.counts()
    kind = request(1).type
    assert set(found["requests"].values()) == {20} and set(found["requests"]) == {f"{kind}|approved"}
    assert sum(found["timers"].values()) == 20
    assert found["quarantine"] == {refused().reason: 20}


@pytest.mark.parametrize("statistics", [False, True], ids=["empty", "filled"])
async def test_every_change_uses_an_index(store: SqlStore, statistics: bool) -> None:
    if statistics:
        await fill(store)
    found = {name: scans(await plan(store, bulk)) for name, bulk in BULKS.items() if name not in MAY_SCAN}
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize("statistics", [False, True], ids=["empty", "filled"])
async def test_the_poll_reads_ready_rows_in_their_order_and_sorts_nothing(store: SqlStore, statistics: bool) -> None:
    if statistics:
        await fill(store)
    for query in (leasing.READY_ROUTES, leasing.PICK, leasing.PICK_TRIED, leasing.PICK_TOO_FAR_OFF):
        lines = "\n".join(await plan(store, query))
        assert "outbox_ready" in lines
        assert "SORT" not in lines.upper()
        assert "TEMP B-TREE" not in lines


@pytest.mark.parametrize("statistics", [False, True], ids=["empty", "filled"])
async def test_whose_turn_it_is_in_a_request_is_found_in_one_step(store: SqlStore, statistics: bool) -> None:
    """Also where the plan was made while nothing waited and thousands do by now: never by reading what waits."""
    if statistics:
        await fill(store)
    lines = "\n".join(await plan(store, outbox.RELEASE))
    assert "SORT" not in lines.upper()
    assert re.search(r"outbox_unsent (on outbox first|\(request_no=\? AND sender=\?)", lines)
    assert "'waiting'" not in "".join(line for line in lines.splitlines() if "Index Cond" in line)
