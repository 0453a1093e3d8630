"""The feed under eight writers: a reader that asks for `id > cursor` misses nothing and sees each request in order.

On PostgreSQL ids are given before they become visible; without the lock of `writes.FEED_LOCK` such a reader loses
events for ever (docs/contracts.md 3.3 Feed). The writers are processes with connections of their own.
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.core.records import Changes, Event
from gateway.store import SqlStore, open_store
from gateway.store.upkeep.migrate import migrate
from tests import postgres

AUDIENCE = "court-sn0114"
WRITERS, UNITS, REQUESTS = 8, 40, 3
EACH_PROCESS = 4


async def write_events(store: SqlStore, writer: int) -> None:
    """UNITS commits; each tells of this writer's own requests, of some twice, and of something that fails."""
    dice = random.Random(writer)
    told: dict[str, int] = defaultdict(int)
    for unit in range(UNITS):
        changes = Changes()
        for _ in range(dice.randint(1, 6)):
            number = f"w{writer}-{dice.randrange(REQUESTS)}"
            told[number] += 1
            changes.events.append(Event(datetime.now(UTC), AUDIENCE, "state", number, detail=str(told[number])))
        try:
            async with store.begin() as work:
                await work.apply(changes)
                if unit % 10 == 9:
                    raise _TakenBackError
        except _TakenBackError:
            for event in changes.events:
                told[str(event.request_no)] -= 1
    async with store.begin() as work:
        await work.apply(
            Changes(
                events=[
                    Event(datetime.now(UTC), AUDIENCE, "end", number, detail=str(count))
                    for number, count in told.items()
                ]
            )
        )


class _TakenBackError(Exception):
    pass


async def write_as_process(url: str, first: int) -> None:
    """Entry of a writing process: EACH_PROCESS writers, each with a pool of its own."""
    stores = [await open_store(url) for _ in range(EACH_PROCESS)]
    await asyncio.gather(*(write_events(store, first + n) for n, store in enumerate(stores)))
    for store in stores:
        await store.close()


async def read_all(store: SqlStore, writing: asyncio.Future[Any]) -> list[Event]:
    """Polls as a waiting client does: never looks back behind its cursor."""
    seen: list[Event] = []
    cursor = 0
    while True:
        finished = writing.done()
        page = await store.events(AUDIENCE, cursor, 17)
        if not page and finished:
            return seen
        seen += page
        cursor = page[-1].id or 0 if page else cursor


def assert_complete_and_in_order(seen: list[Event]) -> None:
    ids = [event.id or 0 for event in seen]
    assert ids == sorted(set(ids))
    told: dict[str, list[str]] = defaultdict(list)
    ended: dict[str, int] = {}
    for event in seen:
        number = str(event.request_no)
        if event.kind == "end":
            ended[number] = int(event.detail or 0)
        else:
            told[number].append(str(event.detail))
    assert len(ended) == WRITERS * REQUESTS
    for number, count in ended.items():
        assert told[number] == [str(n) for n in range(1, count + 1)], number


@pytest.mark.slow
async def test_a_reader_beside_eight_writers_on_postgresql_misses_nothing() -> None:
    if postgres.binaries() is None:
        pytest.skip("PostgreSQL is not installed")
    cluster = postgres.shared()
    url = await cluster.new_database("template0")
    await migrate(url)
    store = await open_store(url)
    entry = "import asyncio, sys; from tests.integration.test_feed import write_as_process as run; "
    entry += "asyncio.run(run(sys.argv[1], int(sys.argv[2])))"
    processes = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", entry, url, str(first))
        for first in range(0, WRITERS, EACH_PROCESS)
    ]
    writing = asyncio.gather(*(process.wait() for process in processes))
    seen = await read_all(store, writing)
    assert await writing == [0] * len(processes)
    await store.close()
    await cluster.drop_database(url)
    assert_complete_and_in_order(seen)


async def test_a_reader_beside_eight_writers_on_sqlite_misses_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'feed.db'}"
    await migrate(url)
    store = await open_store(url, serving=True)
    writing = asyncio.gather(*(write_events(store, n) for n in range(WRITERS)))
    seen = await read_all(store, writing)
    await writing
    await store.close()
    assert_complete_and_in_order(seen)
