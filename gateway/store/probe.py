"""Whether the store can be written: one row, written again and again.

On SQLite it takes as many pages as a small request, so that it meets a full disk where a request would; PostgreSQL
packs it into a few bytes.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text

from gateway.store.columns import micros
from gateway.store.connection import Connection
from gateway.store.query import Query

PROBE_BYTES = 64 << 10

WRITE_PROBE = Query(
    text(
        "INSERT INTO write_probes (name, at, content) VALUES ('readiness', :now, :content) "
        "ON CONFLICT (name) DO UPDATE SET at = excluded.at, content = excluded.content"
    )
)


async def write(connection: Connection, now: datetime) -> None:
    """Raises StoreUnavailableError, here or at the commit."""
    await connection.fetch(WRITE_PROBE, now=micros(now), content=bytes(PROBE_BYTES))
