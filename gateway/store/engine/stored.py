"""A record and its table. The members of the record are columns of the same name; what a table has beyond them, or
otherwise, is said beside it (`gateway.store.tables`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from operator import attrgetter
from types import NoneType
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, get_args, get_origin, get_type_hints

from pydantic_core import from_json
from sqlalchemy import Boolean, Column, LargeBinary, MetaData, Table
from sqlalchemy.schema import SchemaItem
from sqlalchemy.types import TypeEngine

from gateway.store.engine.columns import CODE, NUMBER, ROW_ID, Instant, Json, json_text, micros, moment
from gateway.store.engine.statements import Bulk, Values, Write, insert, update

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

R = TypeVar("R", bound="DataclassInstance")

metadata = MetaData()
_TYPES: dict[Any, Any] = {str: CODE, int: NUMBER, bool: Boolean, datetime: Instant, bytes: LargeBinary}


class Stored(Generic[R]):
    """A record class and the table that is made from it.

    beyond: keys, indexes, and columns. A column with the name of a member stands in its place; one of another name is
    no member and stands before the next given column that is one, else at the end. The rest are made from the members:
    `X | None` may be NULL, what is neither text, number, truth, moment nor bytes is JSON. A member `id: int | None` is
    the row id, which the database gives.

    columns: to select, so that `read` fits. written: what an insert names.
    """

    def __init__(self, name: str, record: Callable[..., R], *beyond: SchemaItem, **options: Any) -> None:
        self.table = Table(name, metadata, *_columns(record, beyond), *_others(beyond), **options)
        self.c = self.table.c
        self.record = record
        self.columns: list[Column[Any]] = [self.c[f.name] for f in fields(record)]  # type: ignore[arg-type]
        self.written = [c for c in self.columns if c is not self.table.autoincrement_column]
        self._from_driver = _conversions(self.columns, FROM_DRIVER)

    def read(self, row: Iterable[Any]) -> R:
        """The record of a row of `columns`."""
        return self.record(*_converted(row, self._from_driver))

    def writer(self, columns: Sequence[Column[Any]]) -> Callable[[R], Values]:
        """record → its values for `columns`, as both drivers take them."""
        get: Callable[[R], Values] = attrgetter(*(c.name for c in columns))
        to_driver = _conversions(columns, TO_DRIVER)
        return lambda record: tuple(_converted(get(record), to_driver))

    def insert(self, on_conflict: str = "") -> Recorded[R]:
        """`statements.insert` of records."""
        return Recorded(insert(self.table, self.written, on_conflict), self.writer(self.written))

    def put(self, *keys: str) -> Recorded[R]:
        """Insert, or replace everything in the row with the same keys."""
        changing = [c.name for c in self.written if c.name not in keys]
        return self.insert(f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {_taken_over(changing)}")

    def update(self, columns: Sequence[Column[Any]], keys: Sequence[Column[Any]], also: str = "") -> Recorded[R]:
        """`statements.update` by records."""
        return Recorded(update(self.table, columns, keys, also), self.writer([*columns, *keys]))


class Recorded(Generic[R]):
    """A statement and what it takes of each record."""

    def __init__(self, bulk: Bulk, values: Callable[[R], Values]) -> None:
        self.bulk = bulk
        self._values = values

    def rows(self, records: Iterable[R]) -> list[Values]:
        return [self._values(record) for record in records]

    def of(self, records: Iterable[R], missing: Exception | None = None) -> Write:
        return Write(self.bulk, self.rows(records), missing)


def _taken_over(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}" = excluded."{name}"' for name in names)


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


def _others(beyond: Sequence[SchemaItem]) -> list[SchemaItem]:
    return [item for item in beyond if not isinstance(item, Column)]


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
