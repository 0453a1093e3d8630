"""Whether a database has the schema of this program. Asked at every start, so without alembic (0.3 s to import)."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.store.engine.faults import translated

MIGRATIONS = Path(__file__).parents[1] / "migrations"


def newest() -> str:
    """The revision that this program was written for: the number before the `_` of the last migration's file."""
    return max(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))


async def is_current(engine: AsyncEngine) -> bool:
    """Whether the schema is the one this version of the program was written for."""
    with translated():
        async with engine.connect() as connection:
            return await connection.run_sync(_revisions) == {newest()}


def _revisions(connection: Connection) -> set[str]:
    if not inspect(connection).has_table("alembic_version"):
        return set()
    return set(connection.execute(text("SELECT version_num FROM alembic_version")).scalars())
