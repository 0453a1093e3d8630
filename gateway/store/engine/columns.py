"""Column types and key lists: the same bytes mean the same on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic_core import from_json, to_json
from sqlalchemy import ARRAY, BigInteger, Column, Dialect, Integer, Text, TypeDecorator, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

# Collation "C" orders ASCII codes like Python and SQLite do, and compares faster than a locale.
CODE: TypeEngine[str] = Text().with_variant(Text(collation="C"), "postgresql")
# SQLite gives row ids only to INTEGER.
ROW_ID: TypeEngine[int] = BigInteger().with_variant(Integer(), "sqlite")
# 64 bits on both (an INTEGER of SQLite has them): a number that somebody else chooses reaches 2^53 - 1.
NUMBER: TypeEngine[int] = ROW_ID


def micros(moment: datetime) -> int:
    """Microseconds since 1970 UTC of an aware datetime, exact."""
    return (moment - EPOCH) // MICROSECOND


def moment(value: int) -> datetime:
    """The aware UTC datetime of `micros`."""
    return EPOCH + timedelta(microseconds=value)


def json_text(value: Any) -> str:
    """Compact JSON."""
    return to_json(value).decode()


class Instant(TypeDecorator[datetime]):
    """A point in time, stored as integer microseconds since 1970 UTC. A naive datetime raises TypeError."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else micros(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        return None if value is None else moment(value)


class Json(TypeDecorator[Any]):
    """A small JSON value, stored as text; never searched by content."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any | None, dialect: Dialect) -> str | None:
        return None if value is None else json_text(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Any:
        return None if value is None else from_json(value)


class KeyList(TypeDecorator[Sequence[Any]]):
    """Any number of keys in one parameter: an array on PostgreSQL, JSON on SQLite."""

    impl = Text
    cache_ok = True

    def __init__(self, of: type[Text | BigInteger]) -> None:
        super().__init__()
        self.of = of

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(ARRAY(self.of()) if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: Sequence[Any] | None, dialect: Dialect) -> Any:
        return list(value or ()) if dialect.name == "postgresql" else json_text(list(value or ()))


class among(FunctionElement[bool]):
    """`column IN (…)` with one parameter of that name: the text, and so the prepared statement, never changes."""

    inherit_cache = True

    def __init__(self, column: Column[Any], name: str) -> None:
        of = Text if column.type.python_type is str else BigInteger
        super().__init__(column, bindparam(name, type_=KeyList(of)))


@compiles(among, "postgresql")
def _among_postgresql(element: among, compiler: SQLCompiler, **kw: Any) -> str:
    column, keys = element.clauses
    return f"{compiler.process(column, **kw)} = ANY ({compiler.process(keys, **kw)})"


@compiles(among, "sqlite")
def _among_sqlite(element: among, compiler: SQLCompiler, **kw: Any) -> str:
    column, keys = element.clauses
    keys_sql = compiler.process(keys, **kw)
    return f"{compiler.process(column, **kw)} IN (SELECT value FROM json_each({keys_sql}))"  # noqa: S608 -- bound
