"""Reports on the ledger: counts, messages set aside, messages refused, requests that nobody answered."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from lianzhi.crypto.sdjwt import parse
from lianzhi.partner.engine.intake import CLOCK_OFFSET, NOT_KEPT
from lianzhi.protocol.envelope import parse_timestamp

_LATEST = 50
BUSY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class SetAsideLine:
    """One line of the list: never the bytes."""

    reason: str
    pointer: str | None
    sender: str | None
    message_id: str | None
    request_no: str | None
    first_at: str
    last_at: str
    count: int
    sha256: str


@dataclass(frozen=True, slots=True)
class NoticeLine:
    """What the gateway said of a message of ours: codes and numbers. sent_again: messages that went out for it."""

    at: str
    reason: str
    rule: str | None
    pointer: str | None
    request_no: str | None
    message_id: str | None
    next_seqno: int | None
    clock_offset_ms: int | None
    sent_again: int


@dataclass(frozen=True, slots=True)
class Findings:
    """messages: by state. outbox: by state. waiting_since: when the oldest unconfirmed message of ours was made.
    errors: why unconfirmed ones were not taken. unanswered: requests withdrawn and without a `withdraw-ack`.
    lead: how much earlier than its own `time` the latest message arrived here at most; positive = our clock is slow.
    not_kept: what could not be used and had no room either. clock_offset: how far the gateway last said that our
    clock is ahead of its own.
    """

    messages: dict[str, int]
    outbox: dict[str, int]
    waiting_since: str | None
    errors: list[str]
    refused: list[tuple[str, str, str]]
    unanswered: list[str]
    set_aside: list[SetAsideLine]
    notices: list[NoticeLine]
    lead: timedelta | None
    last_arrival: datetime | None
    duplicates: int
    not_kept: int
    clock_offset: timedelta | None


NOTHING_YET = Findings({}, {}, None, [], [], [], [], [], None, None, 0, 0, None)


def findings_in(ledger: Path) -> Findings | None:
    """Of a ledger that other processes may use; it is only read. None: there is none. Raises sqlite3.Error."""
    if not ledger.exists():
        return None
    with closing(_opened(ledger)) as connection:
        return findings(connection)


def has_pong(ledger: Path, ping: str) -> bool:
    """Whether the answer to our ping has come. Raises sqlite3.Error."""
    with closing(_opened(ledger)) as connection:
        texts = [text for (text,) in connection.execute(_PONGS, (_LATEST,))]
    return any(text and parse(text.encode("ascii")).event.get("causationid") == ping for text in texts)


def _opened(ledger: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{ledger.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_SECONDS)


def findings(connection: sqlite3.Connection) -> Findings:
    """All of it, by one connection to a ledger of this version."""
    return Findings(
        messages=_counts(connection, "lz_message"),
        outbox=_counts(connection, "lz_outbox"),
        waiting_since=_one(connection, "SELECT min(made_at) FROM lz_outbox WHERE state = 'ready'"),
        errors=_column(connection, "SELECT DISTINCT error FROM lz_outbox WHERE state = 'ready' AND error IS NOT NULL"),
        refused=connection.execute(
            "SELECT request_no, verb, error FROM lz_outbox WHERE state = 'refused' ORDER BY no DESC LIMIT ?", (_LATEST,)
        ).fetchall(),
        unanswered=_column(connection, _UNANSWERED),
        set_aside=[SetAsideLine(*row) for row in connection.execute(_SET_ASIDE, (_LATEST,))],
        notices=[NoticeLine(*row) for row in connection.execute(_NOTICES, (_LATEST,))],
        lead=_lead(connection),
        last_arrival=_last_arrival(connection),
        duplicates=_counter(connection, "duplicates") or 0,
        not_kept=_counter(connection, NOT_KEPT) or 0,
        clock_offset=None if (ms := _counter(connection, CLOCK_OFFSET)) is None else timedelta(milliseconds=ms),
    )


_UNANSWERED = """
SELECT request_no FROM lz_message AS m WHERE verb = 'withdraw' AND state IN ('pending', 'done')
AND NOT EXISTS (SELECT 1 FROM lz_outbox WHERE cause = m.id AND verb = 'withdraw-ack') ORDER BY no
"""
_PONGS = "SELECT text FROM lz_message WHERE verb = 'pong' ORDER BY no DESC LIMIT ?"
_SET_ASIDE = """
SELECT reason, pointer, sender, message_id, request_no, first_at, last_at, count, sha256 FROM lz_set_aside
ORDER BY last_at DESC LIMIT ?
"""
_NOTICES = """
SELECT at, reason, rule, pointer, request_no, message_id, next_seqno, clock_offset_ms, sent_again FROM lz_notice
ORDER BY no DESC LIMIT ?
"""


def _counts(connection: sqlite3.Connection, table: str) -> dict[str, int]:
    return dict(connection.execute(f"SELECT state, count(*) FROM {table} GROUP BY state").fetchall())  # noqa: S608


def _one(connection: sqlite3.Connection, sql: str) -> Any:
    row = connection.execute(sql).fetchone()
    return row[0] if row else None


def _counter(connection: sqlite3.Connection, name: str) -> int | None:
    row = connection.execute("SELECT value FROM lz_counter WHERE name = ?", (name,)).fetchone()
    return row[0] if row else None


def _column(connection: sqlite3.Connection, sql: str) -> list[str]:
    return [row[0] for row in connection.execute(sql)]


def _last_arrival(connection: sqlite3.Connection) -> datetime | None:
    text = _one(connection, "SELECT arrived_at FROM lz_message ORDER BY no DESC LIMIT 1")
    return datetime.fromisoformat(text) if text else None


def _lead(connection: sqlite3.Connection) -> timedelta | None:
    """A message cannot arrive before it was made: where it seems so, the clocks differ by at least so much."""
    rows = connection.execute(
        "SELECT text, arrived_at FROM lz_message WHERE text != '' ORDER BY no DESC LIMIT ?", (_LATEST,)
    ).fetchall()
    leads = [
        parse_timestamp(parse(text.encode("ascii")).event["time"]) - datetime.fromisoformat(at) for text, at in rows
    ]
    return max(leads, default=None)
