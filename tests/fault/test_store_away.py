"""The store locked, down or full under load: 503 and nothing written, consumers cancelled and nothing requeued in a
loop; and when it is back, everything goes on."""

from __future__ import annotations

import asyncio
import resource
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.broker.topology import from_queue
from gateway.store.upkeep.migrate import migrate
from simulation.parties import LINTONG
from tests import postgres
from tests.conftest import Vhost
from tests.eventually import eventually
from tests.fault.agencies import working
from tests.fault.site import Site, site_at, until

COUNT = 24
# Nothing comes through it. A queue whose messages are in our hands counts a cancelled consumer until we give them back.
IDLE = from_queue(LINTONG)


async def _away(site: Site, fail: Callable[[], Awaitable[object]], mend: Callable[[], Awaitable[object]]) -> None:
    """Half of the load is under way when the store goes; its answers and the other half find no store."""
    court = site.court
    orders = court.orders(COUNT)
    await court.submit_all(orders[: COUNT // 2])
    await until(lambda: _all_sent(site))
    await fail()
    async with working(*site.agencies()):
        trying = asyncio.create_task(court.submit_all(orders[COUNT // 2 :]))
        await eventually(lambda: court.unavailable)
        await until(lambda: _consumed(site, False))
        assert court.unheard == 0
        await mend()
        await trying
        await site.settled()
        await until(lambda: _consumed(site, True))


async def _reckon(site: Site) -> None:
    result = await site.reckon()
    assert (len(result.ended), result.parked, result.quarantined) == (COUNT, {}, {})


async def _all_sent(site: Site) -> bool:
    states = await site.states()
    return states.get("dispatched", 0) + states.get("sent", 0) == COUNT // 2


async def _consumed(site: Site, wanted: bool) -> bool:
    return (await site.consumers(IDLE) > 0) is wanted


def _file(site: Site) -> Path:
    return Path(site.config().store_url.removeprefix("sqlite:///"))


async def test_the_sqlite_file_is_locked_by_another_process(sqlite_site: Site) -> None:
    site, child = sqlite_site, await sqlite_site.child()
    await site.court.hand_in_paper()
    other = sqlite3.connect(_file(site), isolation_level=None)

    async def lock() -> None:
        other.execute("BEGIN IMMEDIATE")

    async def unlock() -> None:
        other.execute("ROLLBACK")
        other.close()

    await _away(site, lock, unlock)
    await child.stop()
    await _reckon(site)


@pytest.mark.slow
async def test_the_disk_is_full(sqlite_site: Site) -> None:
    """As the process sees it: no file of its may grow (RLIMIT_FSIZE), so SQLite's writes fail halfway."""
    site, child = sqlite_site, await sqlite_site.child()
    await site.court.hand_in_paper()
    unlimited = resource.prlimit(child.pid, resource.RLIMIT_FSIZE)

    async def fill() -> None:
        size = _file(site).with_name(_file(site).name + "-wal").stat().st_size
        resource.prlimit(child.pid, resource.RLIMIT_FSIZE, (size + 1000, unlimited[1]))

    async def clean() -> None:
        resource.prlimit(child.pid, resource.RLIMIT_FSIZE, unlimited)

    await _away(site, fill, clean)
    await child.stop()
    await _reckon(site)


@pytest_asyncio.fixture
async def own_cluster() -> AsyncIterator[postgres.Cluster]:
    """One that the test may stop."""
    if postgres.binaries() is None:
        pytest.skip("PostgreSQL is not installed")
    cluster = postgres.Cluster()
    cluster.start()
    yield cluster
    cluster.remove()


@pytest.mark.slow
async def test_the_database_server_is_stopped_and_started_again(
    tmp_path: Path, vhost: Vhost, own_cluster: postgres.Cluster
) -> None:
    url = await own_cluster.new_database("template0")
    await migrate(url)
    async with site_at(tmp_path, vhost, store_url=url) as site:
        child = await site.child()
        await site.court.hand_in_paper()
        await _away(
            site,
            lambda: asyncio.to_thread(own_cluster.stop),
            lambda: asyncio.to_thread(own_cluster.start),
        )
        await child.stop()
        await _reckon(site)
