"""Migrations: the same schema as the tables say, and a process killed in the middle is no obstacle."""

from __future__ import annotations

import asyncio
import hashlib
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from gateway.store import open_store
from gateway.store.engine.database import create_engine, database_url, sqlite_path
from gateway.store.tables import metadata
from gateway.store.upkeep.migrate import alembic_config, migrate
from lianzhi.errors import ConfigurationError
from tests import postgres
from tests.child import Child
from tests.contract import migration_victim
from tests.contract.samples import number, sendable, write


@pytest_asyncio.fixture
async def empty_postgres(cluster: postgres.Cluster) -> AsyncIterator[str]:
    url = await cluster.new_database("template0")
    yield url
    await cluster.drop_database(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'folder' / 'new.db'}"
    url: str = request.getfixturevalue("empty_postgres")
    return url


async def test_the_migrated_schema_is_the_one_of_the_tables(empty_url: str) -> None:
    await migrate(empty_url)

    def differences(connection: Connection) -> list[Any]:
        found: list[Any] = compare_metadata(MigrationContext.configure(connection), metadata)
        return found

    store = await open_store(empty_url)
    async with store.database.engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await store.close()


async def test_migrating_again_keeps_the_data(empty_url: str) -> None:
    await migrate(empty_url)
    store = await open_store(empty_url)
    await write(store, sendable(1))
    await migrate(empty_url)
    assert await store.request(number(1)) is not None
    await store.close()


async def test_those_who_migrate_at_once_wait_for_each_other(empty_url: str) -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(migrate(empty_url))
    await (await open_store(empty_url)).close()


@pytest.mark.parametrize("statements", [12, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 33))])
async def test_a_migration_killed_in_the_middle_is_run_again(empty_url: str, statements: int, tmp_path: Path) -> None:
    victim = Child(migration_victim.main, migration_victim.Order(empty_url, statements, tmp_path / "log"))
    assert await victim.ended() == -signal.SIGKILL, victim.said()
    with pytest.raises(ConfigurationError, match="db migrate"):
        await open_store(empty_url)
    await migrate(empty_url)
    store = await open_store(empty_url)
    await write(store, sendable(1))
    await store.close()


async def test_what_waited_before_there_was_a_table_for_it_waits_on(empty_url: str) -> None:
    """`held` is filled from the messages that an earlier version had held, and the refused ones get their size."""

    def before(connection: Connection) -> None:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0005")

    where = database_url(empty_url)
    if (path := sqlite_path(where)) is not None:
        path.parent.mkdir(parents=True)
    engine = create_engine(where)
    async with engine.begin() as connection:
        await connection.run_sync(before)
        await connection.execute(
            text(
                "INSERT INTO messages (sender, id, request_no, receiver, verb, seqno, digest, jws, disclosure,"
                " disposition, time, stored_at) VALUES"
                " ('police-610114', 'm-4', :no, 'court-sn0114', 'accept', 4, 'd', 'h.b.s', 'x', 'held', 1, 1),"
                " ('police-610114', 'm-1', :no, 'court-sn0114', 'accept', 1, 'd', 'h.b.s', 'x', 'applied', 1, 1)"
            ),
            {"no": number(1)},
        )
        await connection.execute(
            text(
                "INSERT INTO quarantine (owner, queue, body, body_sha256, reason, at, count)"
                " VALUES ('police-610114', 'q', :body, 's', 'stale', 1, 1)"
            ),
            {"body": b"\xff\x00" * 50_000},
        )
    await engine.dispose()
    await migrate(empty_url)
    store = await open_store(empty_url)
    async with store.begin() as unit:
        (held,) = await unit.held_after(number(1), "police-610114", 0)
        assert (held.seqno, held.message_id, held.verb, held.size) == (4, "m-4", "accept", 8)
        assert held.body_sha256 == hashlib.sha256(b"h.b.s~x~").hexdigest()
        assert await unit.message_start("police-610114", "m-4", 100) == b"h.b.s~x~"
    (row,) = await store.quarantine()
    assert (row.size, len(row.body), row.rule) == (100_000, 100_000, None)
    await store.close()
