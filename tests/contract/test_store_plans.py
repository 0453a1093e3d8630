"""No query reads a whole table: every named statement, on both databases, finds its rows by an index."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import Delete, Select, Update
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import asyncpg

from gateway.store import SqlStore, outbox, transaction, writes
from gateway.store.bulk import Bulk
from gateway.store.tables import metadata
from tests.contract.samples import MINUTE, NOW, sendable, write

QUERIES: dict[str, Select[Any] | Update | Delete] = {
    name: query
    for module in (transaction, outbox)
    for name, query in vars(module).items()
    if name.isupper() and not name.startswith("_") and isinstance(query, Select | Update | Delete)
}
del QUERIES["MEASURES"]  # what others narrow
POSTGRES_ONLY = {"LOCK_DUE_TIMERS", "LOCK_REQUESTS_OF"}  # they lock rows, which SQLite has no need of
BULKS = {
    name: bulk
    for module in (writes, outbox)
    for name, bulk in vars(module).items()
    if isinstance(bulk, Bulk) and not bulk.sqlite.startswith("INSERT")
}
SQLITE, POSTGRES = sqlite.dialect(), asyncpg.dialect()  # type: ignore[no-untyped-call]
TABLES = "|".join(metadata.tables)


async def plan(store: SqlStore, query: str | Select[Any] | Update | Delete) -> list[str]:
    """The lines of the plan that the database makes without knowing the parameters."""
    if isinstance(query, str):
        text = query
    else:
        text = str(query.compile(dialect=SQLITE if store.database.is_sqlite else POSTGRES))
    async with store.database.engine.connect() as connection:
        if store.database.is_sqlite:
            nulls = (None,) * text.count("?")
            rows = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", nulls)
            return [row[-1] for row in rows]
        await connection.exec_driver_sql("SET plan_cache_mode = force_generic_plan")
        await connection.exec_driver_sql(f"PREPARE asked AS {text}")
        nulls_text = ", ".join(["NULL"] * len(set(re.findall(r"\$\d+", text))))
        rows = await connection.exec_driver_sql(f"EXPLAIN EXECUTE asked ({nulls_text})".replace(" ()", ""))
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
    async with store.database.reader() as connection:
        await connection.exec_driver_sql("ANALYZE")


@pytest.mark.parametrize("statistics", [False, True], ids=["empty", "filled"])
async def test_every_query_uses_an_index(store: SqlStore, statistics: bool) -> None:
    if statistics:
        await fill(store)
    for name, query in QUERIES.items():
        if name in POSTGRES_ONLY and store.database.is_sqlite:
            continue
        assert scans(await plan(store, query)) == [], name


@pytest.mark.parametrize("statistics", [False, True], ids=["empty", "filled"])
async def test_every_change_uses_an_index(store: SqlStore, statistics: bool) -> None:
    if statistics:
        await fill(store)
    for name, bulk in BULKS.items():
        text = bulk.sqlite if store.database.is_sqlite else bulk.postgresql
        assert scans(await plan(store, text)) == [], name


@pytest.mark.parametrize("statistics", [False, True], ids=["empty", "filled"])
async def test_the_poll_reads_unsent_rows_in_their_order_and_sorts_nothing(store: SqlStore, statistics: bool) -> None:
    if statistics:
        await fill(store)
    lines = "\n".join(await plan(store, outbox.READY))
    assert "outbox_unsent" in lines
    assert "SORT" not in lines.upper()
    assert "TEMP B-TREE" not in lines
