"""Column types, key lists, and a record as its table: the same bytes mean the same on SQLite and PostgreSQL.

The members of a record are columns of the same name; what a table has beyond them, or otherwise, is said beside it
(`gateway.store.tables`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from types import MappingProxyType, NoneType
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, get_args, get_origin, get_type_hints

from pydantic_core import from_json, to_json
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    bindparam,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import SchemaItem
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

from gateway.store.engine.statements import Bulk, Values, Write, insert, update

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

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


R = TypeVar("R", bound="DataclassInstance")

metadata = MetaData()
_TYPES: dict[Any, Any] = {str: CODE, int: NUMBER, bool: Boolean, datetime: Instant, bytes: LargeBinary}


class Stored(Generic[R]):
    """A record class and the table that is made from it.

    beyond: keys, indexes, and columns. A column with the name of a member stands in its place; one of another name is
    no member and stands before the next given column that is one, else at the end. The rest are made from the members:
    `X | None` may be NULL, what is neither text, number, truth, moment nor bytes is JSON. A member `id: int | None` is
    the row id, which the database gives.

    columns: to select, so that `read` fits. derived: written with every record and never read back, for what rows are
    found and ordered by: column → how it follows from the record. written: what an insert names.
    """

    def __init__(
        self,
        name: str,
        record: Callable[..., R],
        *beyond: SchemaItem,
        derived: Mapping[Column[Any], Callable[[R], Any]] = MappingProxyType({}),
        **options: Any,
    ) -> None:
        others = [item for item in beyond if not isinstance(item, Column)]
        self.table = Table(name, metadata, *_columns(record, beyond), *derived, *others, **options)
        self.c = self.table.c
        self.record = record
        self.columns: list[Column[Any]] = [self.c[f.name] for f in fields(record)]  # type: ignore[arg-type]
        self.derived = list(derived)
        self.written = [c for c in (*self.columns, *derived) if c is not self.table.autoincrement_column]
        self._follows = {column.name: follow for column, follow in derived.items()}
        self._from_driver = _conversions(self.columns, FROM_DRIVER)

    def read(self, row: Iterable[Any]) -> R:
        """The record of a row of `columns`."""
        return self.record(*_converted(row, self._from_driver))

    def writer(self, columns: Sequence[Column[Any]]) -> Callable[[R], Values]:
        """record → its values for `columns`, as both drivers take them."""
        to_driver = _conversions(columns, TO_DRIVER)
        if self._follows:
            each = [self._follows.get(c.name) or attrgetter(c.name) for c in columns]
            return lambda record: tuple(_converted((value(record) for value in each), to_driver))
        get: Callable[[R], Values] = attrgetter(*(c.name for c in columns))
        return lambda record: tuple(_converted(get(record), to_driver))

    def insert(self, on_conflict: str = "") -> Recorded[R]:
        """`statements.insert` of records."""
        return Recorded(insert(self.table, self.written, on_conflict), self.writer(self.written))

    def put(self, *keys: str) -> Recorded[R]:
        """Insert, or replace everything in the row with the same keys."""
        changing = (f'"{c.name}" = excluded."{c.name}"' for c in self.written if c.name not in keys)
        return self.insert(f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {', '.join(changing)}")

    def update(self, columns: Sequence[Column[Any]], keys: Sequence[Column[Any]], also: str = "") -> Recorded[R]:
        """`statements.update` by records."""
        return Recorded(update(self.table, columns, keys, also), self.writer([*columns, *keys]))


class Recorded(Generic[R]):
    """A statement and what it takes of each record."""

    def __init__(self, bulk: Bulk, values: Callable[[R], Values]) -> None:
        self.bulk = bulk
        self._values = values

    def rows(self, records: Iterable[R]) -> list[Values]:
        """For `Connection.run`."""
        return [self._values(record) for record in records]

    def of(self, records: Iterable[R], missing: Exception | None = None) -> Write:
        """For `Connection.run_all`. missing: raised where a record to be changed has no row."""
        values = self._values
        return Write(self.bulk, [values(record) for record in records], missing)


def _columns(record: Callable[..., Any], beyond: Sequence[SchemaItem]) -> list[Column[Any]]:
    kinds = get_type_hints(record)
    given = [item for item in beyond if isinstance(item, Column)]
    columns: list[Column[Any]] = []
    for name in kinds:
        if name in {column.name for column in given}:
            place = [column.name for column in given].index(name) + 1
            columns += given[:place]
            del given[:place]
        elif name == "id" and kinds[name] == int | None:
            columns.append(Column("id", ROW_ID, primary_key=True))
        else:
            columns.append(_column(name, kinds[name]))
    return sorted(columns + given, key=lambda column: not column.primary_key)  # the row id first


def _column(name: str, kind: Any) -> Column[Any]:
    alternatives = [a for a in get_args(kind) if a is not NoneType]
    optional = NoneType in get_args(kind)
    if optional:
        (kind,) = alternatives
    if get_origin(kind) is Literal:
        kind = str
    return Column(name, _TYPES.get(kind, Json), nullable=optional)


Conversions = list[tuple[int, Callable[[Any], Any]]]
TO_DRIVER: dict[type[TypeEngine[Any]], Callable[[Any], Any]] = {Instant: micros, Json: json_text}
FROM_DRIVER: dict[type[TypeEngine[Any]], Callable[[Any], Any]] = {Instant: moment, Json: from_json, Boolean: bool}


def _conversions(
    columns: Sequence[Column[Any]], by_type: Mapping[type[TypeEngine[Any]], Callable[[Any], Any]]
) -> Conversions:
    return [(i, by_type[type(c.type)]) for i, c in enumerate(columns) if type(c.type) in by_type]


def _converted(row: Iterable[Any], conversions: Conversions) -> list[Any]:
    values = list(row)
    for index, convert in conversions:
        if values[index] is not None:
            values[index] = convert(values[index])
    return values
