"""What tests look up in a store behind its ports: nothing of the product asks for these."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text

from gateway.application.ports.lists import MeasureFilter
from gateway.application.ports.store import Store
from gateway.core.records import Measure, Page
from gateway.store.engine.statements import Query
from gateway.store.tables import PAGE


async def measures_in(store: Store, states: Sequence[str]) -> list[Measure]:
    """Every measure in one of these states, by number."""
    return await store.measures(MeasureFilter(states=states, limit=100_000))


async def pages_of(store: Store, alert: str) -> list[Page]:
    """Every page about an alert, in the order in which they were written."""
    names = ", ".join(column.name for column in PAGE.columns)
    sql = f"SELECT {names} FROM pages WHERE alert = :alert ORDER BY id"
    return [PAGE.read(row) for row in await _rows(store, sql, alert=alert)]


async def readers_of(store: Store, sha256: str) -> set[str]:
    """Who may read a document."""
    sql = "SELECT participant FROM document_readers WHERE sha256 = :digest"
    return {participant for (participant,) in await _rows(store, sql, digest=sha256)}


async def _rows(store: Any, sql: str, **parameters: str) -> list[Any]:
    """store: an `SqlStore`, perhaps wrapped by a test."""
    async with store.database.reader() as connection:
        return list(await connection.fetch(Query(text(sql)), **parameters))
