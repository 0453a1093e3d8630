"""What a migration derives for rows that were there before is what the writer of today stores beside the same rows.

On a store that an older version left behind (tests/fixtures/written_before), to which every state is added with the
facts that turn and deadline depend on.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text

from gateway.application.ports.lists import RequestFilter
from gateway.core.requests.lifecycle import STATES
from gateway.store import open_store
from gateway.store.engine.database import create_engine, database_url
from gateway.store.tables import REQUEST
from gateway.store.upkeep.migrate import migrate
from tests import postgres
from tests.contract.test_written_before import FIXTURES, restore

DUE = {"kind": "days", "amount": 1, "start": "2026-03-24T02:10:00+00:00", "on": "2026-03-25", "provisional": False,
       "step": 0}  # fmt: skip
FACTS: tuple[dict[str, Any], ...] = (
    {},
    {"team": "执行一队", "objection": "m-1"},
    {"due": DUE | {"at": "2026-03-25T17:59:59.999999+08:00"}},
    {"team": "执行一队", "due": DUE | {"at": "2026-03-25T09:59:59+00:00"}},
    {"objection": "m-1", "due": DUE | {"at": "2026-03-25T09:59:59+00:00", "paused": "2026-03-24T02:10:00+00:00"}},
)


@pytest_asyncio.fixture(params=["sqlite", "postgresql"])
async def old_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """Of a store of f2027db, not migrated."""
    folder = FIXTURES / "f2027db" / request.param
    if request.param == "sqlite":
        (tmp_path / "old.sqlite").write_bytes(gzip.decompress((folder / "store.sqlite.gz").read_bytes()))
        yield f"sqlite:///{tmp_path / 'old.sqlite'}"
        return
    cluster: postgres.Cluster = request.getfixturevalue("cluster")
    url = await cluster.new_database("template0")
    restore(url, gzip.decompress((folder / "store.sql.gz").read_bytes()))
    yield url
    await cluster.drop_database(url)


async def test_columns_that_came_later_are_filled_as_they_would_have_been_written(old_url: str) -> None:
    added = await _add_every_state(old_url)
    await migrate(old_url)
    store = await open_store(old_url)
    try:
        requests = {one.request_no: one for one in await store.requests(RequestFilter(limit=10_000))}
        names = ", ".join(column.name for column in REQUEST.derived)
        async with store.database.engine.connect() as connection:
            rows = (await connection.execute(text(f"SELECT request_no, {names} FROM requests"))).all()
    finally:
        await store.close()
    filled = {number: tuple(values) for number, *values in rows}
    as_today = REQUEST.writer(REQUEST.derived)
    assert filled == {number: tuple(as_today(one)) for number, one in requests.items()}
    assert len(filled) > added >= 5 * sum(map(len, STATES.values()))
    assert {turn for turn, *_ in filled.values()} == {None, "approval", "asker", "asked", "gateway"}


async def _add_every_state(url: str) -> int:
    """One more row for each state of each shape with each of FACTS, else as the first row has it; how many."""
    engine = create_engine(database_url(url))
    every = [(shape, state, facts) for shape in STATES for state, facts in product(sorted(STATES[shape]), FACTS)]
    async with engine.begin() as connection:
        (first,) = (await connection.execute(text("SELECT * FROM requests ORDER BY request_no LIMIT 1"))).mappings()
        columns = [str(name) for name in first]
        more = [
            {**first, "request_no": f"{first['request_no']}-{n}", "shape": shape, "state": state,
             "facts": json.dumps(facts)}
            for n, (shape, state, facts) in enumerate(every)
        ]  # fmt: skip
        names, values = ", ".join(columns), ", ".join(f":{column}" for column in columns)
        await connection.execute(text(f"INSERT INTO requests ({names}) VALUES ({values})"), more)
    await engine.dispose()
    return len(every)
