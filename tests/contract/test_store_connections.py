"""More work at once than there are connections: it waits its turn, and no connection is thrown away."""

from __future__ import annotations

import asyncio
import logging

import pytest

from gateway.store import SqlStore
from gateway.store.engine.database import POOL_SIZE

EAGER = 5 * POOL_SIZE


async def test_reads_beyond_the_pool_wait_their_turn(store: SqlStore, caplog: pytest.LogCaptureFixture) -> None:
    opened = most = 0
    full = asyncio.Event()

    async def read() -> None:
        nonlocal opened, most
        async with store.database.reader():
            opened += 1
            most = max(most, opened)
            if opened == POOL_SIZE:
                full.set()
            await full.wait()
            opened -= 1

    with caplog.at_level(logging.ERROR, logger="sqlalchemy.pool"):
        await asyncio.gather(*(read() for _ in range(EAGER)))
    assert most == POOL_SIZE
    assert [record.getMessage() for record in caplog.records if record.name == "sqlalchemy.pool"] == []
