"""Column types: the same bytes mean the same on SQLite and PostgreSQL."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Dialect, Integer, Text, TypeDecorator
from sqlalchemy.types import TypeEngine

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

# Collation "C" orders ASCII codes like Python and SQLite do, and compares faster than a locale.
CODE: TypeEngine[str] = Text().with_variant(Text(collation="C"), "postgresql")
# SQLite gives row ids only to INTEGER.
ROW_ID: TypeEngine[int] = BigInteger().with_variant(Integer(), "sqlite")


def micros(moment: datetime) -> int:
    """Microseconds since 1970 UTC of an aware datetime, exact."""
    return (moment - EPOCH) // MICROSECOND


def moment(value: int) -> datetime:
    """The aware UTC datetime of `micros`."""
    return EPOCH + timedelta(microseconds=value)


def json_text(value: Any) -> str:
    """Compact JSON; the empty containers that most columns hold skip the encoder."""
    if value:
        return ENCODE(value)
    return "{}" if isinstance(value, dict) else ENCODE(value)


class Instant(TypeDecorator[datetime]):
    """A point in time, stored as integer microseconds since 1970 UTC. Naive datetimes raise TypeError."""

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
        return None if value is None else json.loads(value)
