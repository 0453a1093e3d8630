"""No query reads a whole table: every named statement, on both databases, finds its rows by an index."""

from __future__ import annotations

import re

import pytest

from gateway.store import SqlStore, outbox, reads, transaction, writes
from gateway.store.bulk import Bulk
from gateway.store.query import Query
from gateway.store.tables import metadata
from tests.contract.samples import MINUTE, NOW, sendable, write

QUERIES = {
    name: query
    for module in (transaction, outbox, reads)
    for name, query in vars(module).items()
    if isinstance(query, Query)
}
POSTGRES_ONLY = {"LOCK_DUE_TIMERS", "LOCK_REQUESTS_OF", "CLOCK"}  # row locks, which SQLite has no need of; its clock
# Only unsent rows stand in the index that one reads; the other ends after so many rows.
MAY_SCAN = {"OLDEST_UNSENT", "NEWEST_QUARANTINE"}
BULKS = {
    name: bulk
    for module in (writes, outbox)
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
    return [line for line in lines if re.search(rf"(SCAN|Seq Scan on) ({TABLES}|earlier)\b", line)]


async def fill(store: SqlStore) -> None:
    """Enough sent rows that a plan which reads them all would show, and statistics that say so."""
    await write(store, sendable(*range(1, 500)))
    sent = await store.lease_outbox("w", NOW, MINUTE, 500)
    async with store.begin() as unit:
        await unit.mark_sent([row.row_id for row in sent], "w")
    await write(store, sendable(500))
    async with store.database.engine.begin() as connection:
        await connection.exec_driver_sql("ANALYZE")


@pytest.mark.parametrize("statistics", [False, True], ids=["empty", "filled"])
async def test_every_query_uses_an_index(store: SqlStore, statistics: bool) -> None:
    if statistics:
        await fill(store)
    for name, query in QUERIES.items():
        if name in MAY_SCAN or (name in POSTGRES_ONLY and store.database.is_sqlite):
            continue
        assert scans(await plan(store, query)) == [], name


@pytest.mark.parametrize("statistics", [False, True], ids=["empty", "filled"])
async def test_every_change_uses_an_index(store: SqlStore, statistics: bool) -> None:
    if statistics:
        await fill(store)
    for name, bulk in BULKS.items():
        assert scans(await plan(store, bulk)) == [], name


@pytest.mark.parametrize("statistics", [False, True], ids=["empty", "filled"])
async def test_the_poll_reads_unsent_rows_in_their_order_and_sorts_nothing(store: SqlStore, statistics: bool) -> None:
    if statistics:
        await fill(store)
    lines = "\n".join(await plan(store, outbox.READY))
    assert "outbox_unsent" in lines
    assert "SORT" not in lines.upper()
    assert "TEMP B-TREE" not in lines
