"""What the gateway lives on is put back to an earlier point while work goes on, and the operator does what he is told.

Between the copy and the accident the gateway is restarted once, so that numbers of a new block are given in the time
that is lost. Lost are then: requests that agencies have done, answers that they gave, POSTs whose 202 was never read.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from tests import postgres
from tests.conftest import Vhost
from tests.drills.archiving import ArchivingCluster
from tests.drills.copies import STORE, Copy, Folder, PostgresDump, ProductsBackup, SqliteFile
from tests.drills.room import Room, room
from tests.drills.work import AGENCIES

ORDERS = 72
LISTED = (
    "SELECT request_no, reason FROM quarantine WHERE reason = 'unknown-request' AND request_no IS NOT NULL",
    "SELECT substr(key, 7), state FROM doubts WHERE state <> 'accepted'",
)
"""What a person is shown: `lianzhi quarantine list`, `lianzhi db doubts list` (the key names the matter)."""
SOON = {"LIANZHI_TIMING__REDELIVER_AFTER": "3"}
"""Seconds. An order that was answered in the lost time looks unanswered, and goes again."""
Take = Callable[[Room], Awaitable[Copy]]


async def database_alone(here: Room) -> Copy:
    if here.store.startswith("postgresql:"):
        return await PostgresDump.of(here.store, here.site.root)
    return SqliteFile.of(here.site.folder / STORE, here.site.root)


async def folder_alone(here: Room) -> Copy:
    return Folder.of(here.site.folder, here.site.root, store=False)


async def both(here: Room) -> Copy:
    return Folder.of(here.site.folder, here.site.root, store=True)


async def products_backup(here: Room) -> Copy:
    return await ProductsBackup.of(here.site, here.site.root)


@pytest_asyncio.fixture
async def archiving(vhost: Vhost) -> AsyncIterator[ArchivingCluster]:
    """vhost: a drill's tier goes by it."""
    if postgres.binaries() is None:
        pytest.skip("PostgreSQL is not installed")
    cluster = ArchivingCluster()
    cluster.start()
    yield cluster
    cluster.remove()


async def put_back(here: Room, take: Take = database_alone) -> bool:
    """The accident under load, and the way back; whether the gateway first refused to go on."""
    load = here.hand_in(ORDERS)
    await here.answered(ORDERS // 6)
    copy = await take(here)
    await here.kill()
    await here.serve()
    await here.answered(ORDERS // 2)
    await here.kill()
    await copy.put_back()
    refused = not await here.starts()
    if refused:
        assert "lianzhi db restored" in here.site.said()
        done = await here.site.run("db", "restored", "--yes")
        assert done.code == 0, done.out + done.err
        await here.serve()
    await load
    await decide(here)
    for code in AGENCIES.values():
        await here.urge("delivered", code)  # who has answered in the lost time says it again
    await here.ask_after_all()
    return refused


async def decide(here: Room) -> None:
    """The operator asks the agencies about each doubtful POST: what was done is refused, the rest accepted. They can
    answer when they have worked off what they were sent."""
    await here.worked_off()
    done = {effect.mark for effect in here.effects()}
    listed = await here.site.run("db", "doubts", "list", "--json")
    for row in listed.json() if listed.code == 0 else ():
        said = "refuse" if row["key"].removeprefix("order-") in done else "accept"
        settled = await here.site.run("db", "doubts", said, row["client"], row["key"])
        assert settled.code == 0, settled.err


async def test_the_database_alone(tmp_path: Path, vhost: Vhost) -> None:
    async with room(tmp_path, vhost, environment=SOON) as here:
        assert await put_back(here), "an older copy of the database was served"
        await here.well(forgetful=True, listed=LISTED)


async def test_the_folder_alone(tmp_path: Path, vhost: Vhost) -> None:
    """An older mark beside the keys says nothing against the database; nothing is lost, nobody has to do anything."""
    async with room(tmp_path, vhost) as here:
        assert not await put_back(here, folder_alone)
        await here.well()


async def test_database_and_folder_together(tmp_path: Path, vhost: Vhost) -> None:
    """As a snapshot of the machine: the broker's mark alone can tell."""
    async with room(tmp_path, vhost, environment=SOON) as here:
        assert await put_back(here, both), "an older copy of the machine was served"
        await here.well(forgetful=True, listed=LISTED)


async def test_postgresql_at_an_earlier_point(tmp_path: Path, vhost: Vhost, postgres_url: str) -> None:
    async with room(tmp_path, vhost, store_url=postgres_url, environment=SOON) as here:
        assert await put_back(here), "an older copy of the database was served"
        await here.well(forgetful=True, listed=LISTED)


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
async def test_the_products_own_backup(tmp_path: Path, vhost: Vhost, postgres_url: str, database: str) -> None:
    """As the handbook says: `db backup` while it serves, `db restore --over`, `db restored --yes`."""
    url = postgres_url if database == "postgresql" else None
    async with room(tmp_path, vhost, store_url=url, environment=SOON) as here:
        assert await put_back(here, products_backup), "an older copy of the database was served"
        await here.well(forgetful=True, listed=LISTED)


async def test_postgresql_at_a_point_in_time(tmp_path: Path, vhost: Vhost, archiving: ArchivingCluster) -> None:
    """With a base backup and the archived log, as an operator does it: other connections than the gateway's notice."""
    url = await archiving.new_database("template0")
    async with room(tmp_path, vhost, store_url=url, environment=SOON) as here:
        await archiving.begin()

        async def mark(_: Room) -> Copy:
            return await archiving.mark()

        assert await put_back(here, mark), "an older state of the database was served"
        await here.well(forgetful=True, listed=LISTED)
