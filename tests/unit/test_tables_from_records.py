"""A table is made from its record: what the members say, and what is said beside them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import pytest
from sqlalchemy import Column, MetaData, PrimaryKeyConstraint, Text
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from gateway.store.engine import columns
from gateway.store.engine.columns import CODE, ROW_ID, Instant, Stored


@dataclass(slots=True)
class Line:
    name: str
    kind: Literal["a", "b"]
    count: int
    at: datetime
    read_at: datetime | None
    body: bytes
    done: bool
    head: dict[str, Any] | None
    words: list[str]
    note: str | None = None
    id: int | None = None


@pytest.fixture(autouse=True)
def apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tables are not the store's."""
    monkeypatch.setattr(columns, "metadata", MetaData())


def ddl(stored: Stored[Any]) -> list[str]:
    text = str(CreateTable(stored.table).compile(dialect=postgresql.dialect()))  # type: ignore[no-untyped-call]
    return [line.strip(" \t,") for line in text.strip().splitlines()[1:-1]]


def test_members_are_columns_and_the_row_id_stands_first() -> None:
    assert ddl(Stored("lines", Line)) == [
        "id BIGSERIAL NOT NULL",
        'name TEXT COLLATE "C" NOT NULL',
        'kind TEXT COLLATE "C" NOT NULL',
        "count BIGINT NOT NULL",
        "at BIGINT NOT NULL",
        "read_at BIGINT",
        "body BYTEA NOT NULL",
        "done BOOLEAN NOT NULL",
        "head TEXT",
        "words TEXT NOT NULL",
        'note TEXT COLLATE "C"',
        "PRIMARY KEY (id)",
    ]


def test_what_is_said_beside_a_record_stands_in_its_place_or_before_the_next_member() -> None:
    lines = Stored(
        "lines",
        Line,
        Column("due_at", Instant, nullable=False),
        Column("note", Text),
        Column("owner", CODE),
        PrimaryKeyConstraint("id", name="line"),
    )
    assert ddl(lines)[-4:] == [
        "due_at BIGINT NOT NULL",
        "note TEXT",
        'owner TEXT COLLATE "C"',
        "CONSTRAINT line PRIMARY KEY (id)",
    ]
    assert [c.name for c in lines.columns] == list(Line.__slots__)
    assert [c.name for c in lines.written] == [name for name in Line.__slots__ if name != "id"]


def test_a_table_may_have_a_row_id_that_its_record_does_not_know() -> None:
    @dataclass(slots=True)
    class Bare:
        name: str

    bare = Stored("bare", Bare, Column("id", ROW_ID, primary_key=True))
    assert [line.split()[0] for line in ddl(bare)[:2]] == ["id", "name"]
    assert [c.name for c in bare.columns] == ["name"]


def test_put_replaces_all_but_the_keys() -> None:
    sql = Stored("lines", Line).put("name", "kind").bulk.sqlite
    assert sql.startswith("INSERT INTO lines (name, kind, count, at, ")
    assert 'ON CONFLICT (name, kind) DO UPDATE SET "count" = excluded."count", "at" = excluded."at"' in sql
    assert '"name" = ' not in sql
