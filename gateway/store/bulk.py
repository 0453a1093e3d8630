# ruff: noqa: S608 -- names of our own tables and columns only; values are always bound
"""Many rows in one statement, whose text never depends on how many: it is prepared once on both databases.

SQLite binds one row after another inside the driver (`executemany`, whose row count is the sum). PostgreSQL takes
one array a column and joins `UNNEST`: one round trip, and a row count that tells whether every row matched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Table
from sqlalchemy.dialects import postgresql

_POSTGRES = postgresql.dialect()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class Bulk:
    """One statement for many rows of positional values; `Connection.run` executes it."""

    sqlite: str
    postgresql: str


def insert(table: Table, columns: Sequence[Column[Any]], on_conflict: str = "") -> Bulk:
    """Insert rows of `columns`. on_conflict: an `ON CONFLICT …` clause, the same on both databases.

    With `DO UPDATE` no two rows of one run may have the same key (PostgreSQL refuses).
    """
    head = f"INSERT INTO {table.name} ({_names(columns)})"
    return Bulk(
        sqlite=f"{head} VALUES ({', '.join('?' * len(columns))}) {on_conflict}",
        postgresql=f"{head} SELECT * FROM {_unnest(columns)} {on_conflict}",
    )


def update(
    table: Table, columns: Sequence[Column[Any]], keys: Sequence[Column[Any]], also: str = "", condition: str = "TRUE"
) -> Bulk:
    """Set `columns` where `keys` are equal and `condition` holds; rows hold the columns, then the keys. also: `, x = …`
    more to set."""
    name = table.name
    return Bulk(
        sqlite=f"UPDATE {name} SET {', '.join(f'{_quoted(c)} = ?' for c in columns)}{also} "
        f"WHERE {' AND '.join(f'{_quoted(k)} = ?' for k in keys)} AND {condition}",
        postgresql=f"UPDATE {name} SET {', '.join(f'{_quoted(c)} = w.{_quoted(c)}' for c in columns)}{also} "
        f"FROM {_unnest([*columns, *keys])} AS w ({_names([*columns, *keys])}) "
        f"WHERE {' AND '.join(f'{name}.{_quoted(k)} = w.{_quoted(k)}' for k in keys)} AND {condition}",
    )


def update_where(table: Table, assign: str, keys: Sequence[Column[Any]], condition: str) -> Bulk:
    """Set what `assign` says where `keys` are equal and `condition` holds."""
    return Bulk(
        sqlite=f"UPDATE {table.name} SET {assign} WHERE {' AND '.join(f'{_quoted(k)} = ?' for k in keys)} "
        f"AND {condition}",
        postgresql=f"UPDATE {table.name} SET {assign} "
        f"WHERE ({_names(keys)}) IN (SELECT * FROM {_unnest(keys)}) AND {condition}",
    )


def delete(table: Table, keys: Sequence[Column[Any]]) -> Bulk:
    """Delete where `keys` are equal."""
    return Bulk(
        sqlite=f"DELETE FROM {table.name} WHERE {' AND '.join(f'{_quoted(k)} = ?' for k in keys)}",
        postgresql=f"DELETE FROM {table.name} WHERE ({_names(keys)}) IN (SELECT * FROM {_unnest(keys)})",
    )


def _names(columns: Sequence[Column[Any]]) -> str:
    return ", ".join(_quoted(c) for c in columns)


def _quoted(column: Column[Any]) -> str:
    return _POSTGRES.identifier_preparer.quote(column.name)  # double quotes: the same in SQLite


def _unnest(columns: Sequence[Column[Any]]) -> str:
    arrays = (f"${n}::{_array_of(column)}" for n, column in enumerate(columns, start=1))
    return f"UNNEST({', '.join(arrays)})"


def _array_of(column: Column[Any]) -> str:
    return column.type.compile(dialect=_POSTGRES).partition(" COLLATE")[0] + "[]"
