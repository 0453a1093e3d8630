"""The database takes nothing for a while, or is not there yet when the gateway starts: what is handed in meanwhile
waits with the court system, and is done once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
import pytest_asyncio

from tests import postgres
from tests.conftest import Vhost
from tests.drills.room import Room, room

ORDERS = 48


async def read_only(here: Room) -> None:
    """As a standby is that was taken for the primary after a power cut."""
    load = here.hand_in(ORDERS)
    await here.answered(ORDERS // 4)
    await here.kill()
    await here.serve()
    await _read_only(here.store, "on")
    await load
    await here.ready(503)
    await _read_only(here.store, "off")


async def _read_only(url: str, switch: str) -> None:
    """For every session from now on: those that are there are ended."""
    name = urlsplit(url).path.removeprefix("/")
    connection = await asyncpg.connect(url.replace(f"/{name}?", "/postgres?"))
    try:
        await connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = {switch}")
        await connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
    finally:
        await connection.close()


@pytest_asyncio.fixture
async def cluster(vhost: Vhost) -> AsyncIterator[postgres.Cluster]:
    """One that the drill may stop. vhost: a drill's tier goes by it."""
    if postgres.binaries() is None:
        pytest.skip("PostgreSQL is not installed")
    own = postgres.Cluster()
    own.start()
    yield own
    own.remove()


async def test_a_database_that_may_only_be_read(tmp_path: Path, vhost: Vhost, postgres_url: str) -> None:
    async with room(tmp_path, vhost, store_url=postgres_url) as here:
        await read_only(here)
        await here.well()


async def test_the_gateway_is_there_before_its_database(
    tmp_path: Path, vhost: Vhost, cluster: postgres.Cluster
) -> None:
    async with room(tmp_path, vhost, store_url=await cluster.new_database("template0")) as here:
        load = here.hand_in(ORDERS)
        await here.answered(ORDERS // 4)
        await here.kill()
        await asyncio.to_thread(cluster.stop)
        await here.serve(wait=False)
        await load
        assert here.runs(), here.site.said()
        await asyncio.to_thread(cluster.start)
        await here.ready(200)
        await here.well()
