"""How long operators' lists take on a store that is full: `python -m bench.lists [--requests N] [--events N]`,
on SQLite.

The store is filled through its own writer, 500 requests a unit; one of twelve stays open. Of each list the first page
is read so many times; what is printed is the median in milliseconds and how the database reads it.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from datetime import UTC, datetime, timedelta
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from gateway.application.ports.lists import OpenFilter
from gateway.core.records import Changes, Event, Request
from gateway.store import SqlStore, open_store
from gateway.store.queries.open_requests import page_of_open_requests
from gateway.store.upkeep.migrate import migrate

HOME, NOW = "court-sn0114", datetime(2026, 3, 25, 10, tzinfo=UTC)
STATES = ("dispatched", "accepted", "completed", *("closed",) * 34)
UNIT, TIMES = 500, 21
LISTS: dict[str, dict[str, Any]] = {
    "overdue": {"due_by": NOW},
    "by deadline": {},
    "by age": {"order": "age"},
    "waits for us": {"waits": "us"},
    "waits for a partner": {"waits": "partner"},
    "waits for an approval": {"waits": "approval"},
    "of a partner": {"partner": "police-7"},
    "of a partner, by age": {"partner": "police-7", "order": "age"},
    "of a handler": {"handler": "sn0114-0007"},
    "of a team": {"team": "team-3"},
    "of a team, overdue, by age": {"team": "team-3", "order": "age", "due_by": NOW},
    "of a campaign": {"campaign": "campaign-2"},
    "of a leader": {"lead": "sn0114-0002"},
}


def _request(n: int) -> Request:
    created = NOW - timedelta(minutes=n)
    due = {
        "kind": "days", "amount": 5, "start": created.isoformat(), "at": (created + timedelta(days=5)).isoformat(),
        "on": "2026-03-25", "provisional": False, "step": 0,
    }  # fmt: skip
    facts: Any = {"due": due, "team": f"team-{n % 20}", "campaign": f"campaign-{n % 5}", "lead": f"sn0114-{n % 9:04}"}
    return Request(
        f"{HOME}-{n:09}", "grid.verify.request", 1, "ask", STATES[n % len(STATES)], HOME, f"police-{n % 25}", created,
        created, handler=f"sn0114-{n % 60:04}", facts=facts,
    )  # fmt: skip


async def fill(store: SqlStore, requests: int, events: int) -> None:
    each = events // requests
    for first in range(0, requests, UNIT):
        rows = [_request(n) for n in range(first, min(first + UNIT, requests))]
        told = [Event(r.created_at, HOME, "state", r.request_no, state=r.state) for r in rows for _ in range(each)]
        async with store.begin() as unit:
            await unit.apply(Changes(new_requests=rows, events=told))
    async with store.database.engine.begin() as connection:
        await connection.exec_driver_sql("ANALYZE")


async def measured(store: SqlStore, where: OpenFilter) -> tuple[int, float]:
    """(rows, median milliseconds)."""
    took = []
    for _ in range(TIMES):
        began = time.perf_counter()
        found = await store.open_requests(where)
        took.append((time.perf_counter() - began) * 1000)
    return len(found), median(took)


async def explained(store: SqlStore, where: OpenFilter) -> list[str]:
    sql = page_of_open_requests(where)[0].sqlite.sql
    async with store.database.engine.connect() as connection:
        rows = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", (None,) * sql.count("?"))
        return [row[-1] for row in rows]


async def run(requests: int, events: int, url: str) -> None:
    await migrate(url)
    store = await open_store(url)
    began = time.perf_counter()
    await fill(store, requests, events)
    print(f"{requests} requests, {events} events: filled in {time.perf_counter() - began:.0f} s")
    for name, conditions in LISTS.items():
        where = OpenFilter(HOME, **conditions)
        rows, milliseconds = await measured(store, where)
        print(f"{name:30} {rows:4} rows  {milliseconds:8.2f} ms")
        for line in await explained(store, where):
            print(f"    {line}")
    await store.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=200_000)
    parser.add_argument("--events", type=int, default=1_200_000)
    given = parser.parse_args()
    with TemporaryDirectory() as folder:
        asyncio.run(run(given.requests, given.events, f"sqlite:///{folder}/lists.db"))


if __name__ == "__main__":
    main()
