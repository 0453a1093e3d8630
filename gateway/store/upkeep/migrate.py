"""The schema's versions (alembic), applied from the program: `lianzhi db migrate`, the demo, tests.

Each run is one transaction on both databases, so a process killed in the middle leaves the version it found. Two
processes that migrate at once wait for each other.
"""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.store.engine.database import create_engine, database_url, sqlite_path
from gateway.store.engine.faults import translated
from gateway.store.upkeep.version import MIGRATIONS
from lianzhi.files import private_folder

# Whoever migrates beside us may have a large file to copy: longer than a unit of work waits.
SQLITE_WAIT = "PRAGMA busy_timeout=60000"
MIGRATION_LOCK = "SELECT pg_advisory_xact_lock(4993446653023372134)"


async def migrate(url: str) -> None:
    """Bring the database to this version's schema; a SQLite file (and its folder) is made when absent.

    Raises ConfigurationError (bad URL) and StoreUnavailableError. May be run again at any time.
    """
    where = database_url(url)
    path = sqlite_path(where)
    if path is not None:
        private_folder(path.parent)
    engine = create_engine(where)
    try:
        with translated():
            async with engine.connect() as connection:
                if path is not None:
                    await _migrate_sqlite(connection)
                else:
                    await _migrate_postgres(connection)
    finally:
        await engine.dispose()


async def _migrate_sqlite(connection: AsyncConnection) -> None:
    # Changing a table means copying and dropping it, which would set off its foreign keys (sqlite.org/lang_altertable).
    await connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
    await connection.exec_driver_sql(SQLITE_WAIT)
    await connection.exec_driver_sql("BEGIN IMMEDIATE")
    await connection.run_sync(_upgrade)
    await connection.commit()
    await connection.exec_driver_sql("PRAGMA foreign_keys=ON")


async def _migrate_postgres(connection: AsyncConnection) -> None:
    await connection.exec_driver_sql(MIGRATION_LOCK)
    await connection.run_sync(_upgrade)
    await connection.commit()


def _upgrade(connection: Connection) -> None:
    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def alembic_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config
