# ruff: noqa: S608 -- names of our own tables and columns only; values are always bound
"""Statements that the drivers run: written once in SQLAlchemy, compiled once for each database, prepared once.

SQLAlchemy's own execution costs a request-sized unit several times what the databases need (SQLite: four thread
changes a statement instead of one), so it stops at the SQL text.

A `Bulk` is one statement for many rows, whose text never depends on how many. SQLite binds one row after another
inside the driver (`executemany`, whose row count is the sum). PostgreSQL takes one array a column and joins `UNNEST`:
one round trip, and a row count that tells whether every row matched.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Dialect, Executable, Table
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.sql.compiler import SQLCompiler

Values = Sequence[Any]
SQLITE: Dialect = sqlite.dialect()
POSTGRES: Dialect = asyncpg.dialect()  # type: ignore[no-untyped-call]


class Text:
    """The text for one database and how parameters by name become its positional values."""

    def __init__(self, statement: Executable, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)  # type: ignore[attr-defined]
        assert isinstance(compiled, SQLCompiler)
        self.sql = str(compiled)
        self._parameters: list[tuple[str, Any, Callable[[Any], Any] | None]] = [
            (
                name,
                compiled.params[name],
                compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect),
            )
            for name in compiled.positiontup or ()
        ]

    def values(self, given: Mapping[str, Any]) -> tuple[Any, ...]:
        """Positional values; what is not given has the value that the statement itself says."""
        return tuple(
            convert(value) if convert is not None else value
            for value, convert in ((given.get(name, own), convert) for name, own, convert in self._parameters)
        )


class Query:
    """A named statement; its parameters are its `bindparam`s. sqlite: that database's own form, where it needs one."""

    def __init__(self, statement: Executable, *, sqlite: Executable | None = None) -> None:
        self.sqlite = Text(statement if sqlite is None else sqlite, SQLITE)
        self.postgresql = Text(statement, POSTGRES)


@dataclass(frozen=True, slots=True)
class Bulk:
    """One statement for many rows of positional values; `Connection.run` executes it."""

    sqlite: str
    postgresql: str


@dataclass(slots=True)  # not frozen: each unit of work makes forty, and freezing doubles what one costs
class Write:
    """One statement for all `rows`. missing: raised where not every row of an update was found."""

    bulk: Bulk
    rows: Sequence[Values]
    missing: Exception | None = None


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
    return POSTGRES.identifier_preparer.quote(column.name)  # double quotes: the same in SQLite


def _unnest(columns: Sequence[Column[Any]]) -> str:
    arrays = (f"${n}::{_array_of(column)}" for n, column in enumerate(columns, start=1))
    return f"UNNEST({', '.join(arrays)})"


def _array_of(column: Column[Any]) -> str:
    return column.type.compile(dialect=POSTGRES).partition(" COLLATE")[0] + "[]"
