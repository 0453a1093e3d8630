"""No query reads a whole table: every named statement, on both databases, finds its rows by an index."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from gateway.core.records import ApprovalRow, Release, ReleaseItem, SubjectUse
from gateway.store import SqlStore, duty, outbox, paging, reads, transaction, writes
from gateway.store.bulk import Bulk
from gateway.store.query import Query
from gateway.store.tables import metadata
from tests.contract.samples import (
    COURT,
    MINUTE,
    NOW,
    document,
    event,
    measure,
    number,
    page,
    refused,
    remembered,
    sendable,
    submission,
    timer,
    write,
)

QUERIES = {
    name: query
    for module in (transaction, outbox, reads, paging, duty)
    for name, query in vars(module).items()
    if isinstance(query, Query)
}
POSTGRES_ONLY = {
    "LOCK_DUE_TIMERS",
    "LOCK_REQUESTS_OF",
    "LOCK_OBJECT",
    "CLOCK",
}  # locks, which SQLite has no need of; its clock
# The index holds unsent rows only; ends after so many rows; is asked for everything in a state; a row for each year.
MAY_SCAN = {"OLDEST_UNSENT", "NEWEST_QUARANTINE", "MEASURES_IN", "CALENDARS"}
BULKS = {
    name: bulk
    for module in (writes, outbox, paging)
    for name, bulk in vars(module).items()
    if isinstance(bulk, Bulk) and not bulk.sqlite.startswith("INSERT")
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
        changes.documents.append(document(f"sha256-{n}"))
        changes.document_refs.append((number(n), f"sha256-{n}"))
        changes.quarantine.append(refused(owner=f"police-{n}", body_sha256=f"sha256-{n}"))
        changes.idempotency.append(remembered(f"key-{n}"))
        changes.events.append(event(n))
        changes.new_requests[n - 1].case_no, changes.new_requests[n - 1].group_no = f"case-{n}", f"group-{n}"
        changes.approvals.append(ApprovalRow(number(n), "approval", "a", "r", "approve", NOW, NOW, "cms1", "s"))
        changes.subject_uses.append(SubjectUse(f"subject-{n}", number(n), "h", NOW))
        changes.releases.append(Release(f"release-{n}", COURT, f"case-{n}", "paid", "a", NOW, "s"))
        changes.release_items.append(ReleaseItem(f"release-{n}", 1, "withdraw", number(n)))
    await write(store, changes)
    sent = await store.lease_outbox("w", NOW, MINUTE, 500)
    async with store.begin() as unit:
        await unit.mark_sent([row.row_id for row in sent], "w")
        for n in range(1, 500):
            await unit.notice_allowed(COURT, f"sha256-{n}", NOW, 1000)
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


@pytest.mark.parametrize("statistics", [False, True], ids=["empty", "filled"])
async def test_every_change_uses_an_index(store: SqlStore, statistics: bool) -> None:
    if statistics:
        await fill(store)
    found = {name: scans(await plan(store, bulk)) for name, bulk in BULKS.items()}
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize("statistics", [False, True], ids=["empty", "filled"])
async def test_the_poll_reads_unsent_rows_in_their_order_and_sorts_nothing(store: SqlStore, statistics: bool) -> None:
    if statistics:
        await fill(store)
    lines = "\n".join(await plan(store, outbox.READY))
    assert "outbox_unsent" in lines
    assert "SORT" not in lines.upper()
    assert "TEMP B-TREE" not in lines
