"""A Core statement that the drivers run: written once in SQLAlchemy, compiled once for each database.

SQLAlchemy's own execution costs a request-sized unit several times what the databases need (SQLite: four thread
changes a statement instead of one), so it stops at the SQL text; values are converted by the types of `columns` and
rows are read by the codecs of `rows`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Dialect, Executable
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.sql.compiler import SQLCompiler

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
