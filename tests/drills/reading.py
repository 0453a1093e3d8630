"""Reads the three lists: the court's book, the agencies' tables and the gateway's database, each by plain means."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg

from tests.drills.lists import Answer, Court, Effect, Gateway, Row, Told

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
REQUESTS = "SELECT request_no, asked, state, reason FROM requests WHERE asker = '{court}'"
EVENTS = (
    "SELECT at / 1000, kind, request_no, verb, state, message_id FROM events WHERE audience = '{court}' ORDER BY id"
)
ACCEPTED = "SELECT substr(key, 7) FROM doubts WHERE state = 'accepted'"
"""A key is `order-` and the mark (work.py)."""


def read_court(book: Path, feed: Path) -> Court:
    """book: of the program that hands in. feed: of the one that follows."""
    handed, answers, refused, unknown = set(), [], {}, {}
    for line in _lines(book):
        if line["did"] == "handed":
            handed.add(line["mark"])
        elif line["did"] == "answered":
            answers.append(Answer(line["mark"], line["request_no"], line["again"]))
        elif line["did"] == "refused":
            refused[line["mark"]] = line["code"]
        elif line["did"] == "unknown":
            unknown[line["request_no"]] = line["code"]
    told, cursors = [], []
    for line in _lines(feed):
        cursors.append(line.pop("cursor"))
        told.append(Told(**{**line, "at": _milliseconds(line["at"])}))
    return Court(frozenset(handed), tuple(answers), refused, unknown, tuple(told), tuple(cursors))


def read_effects(agency: str, ledger: Path) -> tuple[Effect, ...]:
    """ledger: the agency's file, or a copy of it; none yet: nothing done."""
    if not ledger.exists():
        return ()
    with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True, timeout=30)) as db:
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'effects'").fetchall():
            return ()
        rows = db.execute("SELECT id, request_no, mark FROM effects").fetchall()
    return tuple(Effect(id, agency, number, mark) for id, number, mark in rows)


def read_undone(ledger: Path) -> int:
    """Messages that the agency's program has stored and not handled."""
    with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True, timeout=30)) as db:
        (count,) = db.execute("SELECT count(*) FROM lz_message WHERE state = 'pending'").fetchone()
    return int(count)


async def query(store: str, *statements: str) -> list[list[tuple[Any, ...]]]:
    """The rows of each, all of one moment. store: path of a SQLite file, or a PostgreSQL URL."""
    if not store.startswith("postgresql:"):
        with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True, timeout=30)) as db:
            db.execute("BEGIN")
            return [db.execute(statement).fetchall() for statement in statements]
    connection = await asyncpg.connect(store)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            return [[tuple(row) for row in await connection.fetch(statement)] for statement in statements]
    finally:
        await connection.close()


async def read_gateway(store: str, court: str, listed: Iterable[str] = ()) -> Gateway:
    """store: as of `query`. listed: statements that give (number or mark, reason) of what a person is shown."""
    own = (REQUESTS.format(court=court), EVENTS.format(court=court), ACCEPTED)
    requests, events, accepted, *shown = await query(store, *own, *listed)
    return Gateway(
        requests={number: Row(*rest) for number, *rest in requests},
        listed=dict(row for rows in shown for row in rows),
        events=tuple(Told(*row) for row in events),
        accepted=frozenset(mark for (mark,) in accepted),
    )


def _milliseconds(text: str) -> int:
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(milliseconds=1)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """What is written whole; a process that was killed may have left half a line."""
    if path.exists():
        for line in path.read_text("utf-8").rpartition("\n")[0].splitlines():
            yield json.loads(line)
