"""The three books that the audit compares, each read for itself: the court's, the agencies', the gateway's store.

The store is read with plain SQL. Nothing here uses the code that wrote the books.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class CourtBook:
    """accepted: request_no → what was handed in, of each 202. said: message id → (request_no, verb), of each 202."""

    accepted: Mapping[str, Mapping[str, Any]]
    said: Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Sent:
    request_no: str | None
    verb: str
    digest: str


@dataclass(frozen=True, slots=True)
class AgencyBook:
    """received: message id → digest. effects: request_no → how many. sent: message id → what."""

    received: Mapping[str, str]
    effects: Counter[str]
    sent: Mapping[str, Sent]


@dataclass(frozen=True, slots=True)
class StoredRequest:
    state: str
    reason: str | None
    type: str
    asker: str
    asked: str


@dataclass(frozen=True, slots=True)
class StoredMessage:
    request_no: str | None
    receiver: str
    verb: str
    disposition: str
    jws: str


@dataclass(frozen=True, slots=True)
class Quarantined:
    owner: str
    reason: str
    sha256: str
    message_id: str | None
    request_no: str | None


@dataclass(frozen=True, slots=True)
class StoreBook:
    """messages: (sender, id) → message. unsent: the same key, of what visibly still waits to be sent."""

    requests: Mapping[str, StoredRequest]
    messages: Mapping[tuple[str, str], StoredMessage]
    unsent: frozenset[tuple[str, str]]
    quarantine: tuple[Quarantined, ...]


def read_court(path: Path) -> CourtBook:
    accepted: dict[str, Mapping[str, Any]] = {}
    said: dict[str, tuple[str, str]] = {}
    for line in _lines(path):
        if line["did"] == "accepted":
            accepted.setdefault(line["request_no"], line)
        elif line["did"] == "said" and "message_id" in line:
            said[line["message_id"]] = (line["request_no"], line["verb"])
    return CourtBook(accepted, said)


def read_agency(path: Path) -> AgencyBook:
    received: dict[str, str] = {}
    effects: Counter[str] = Counter()
    sent: dict[str, Sent] = {}
    for line in _lines(path):
        if line["did"] == "received":
            received[line["id"]] = line["digest"]
        elif line["did"] == "effect":
            effects[line["request_no"]] += 1
        elif line["did"] == "sent":
            sent[line["id"]] = Sent(line.get("request_no"), line["verb"], line["digest"])
    return AgencyBook(received, effects, sent)


def read_store(path: Path) -> StoreBook:
    """path: the gateway's SQLite file, which may be in use. One transaction: one moment."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as db:
        db.execute("BEGIN")
        requests = {
            row[0]: StoredRequest(*row[1:])
            for row in db.execute("SELECT request_no, state, reason, type, asker, asked FROM requests")
        }
        messages = {
            (row[0], row[1]): StoredMessage(*row[2:])
            for row in db.execute("SELECT sender, id, request_no, receiver, verb, disposition, jws FROM messages")
        }
        unsent = db.execute(
            "SELECT sender, message_id FROM outbox WHERE state IN ('ready', 'waiting', 'parked')"
        ).fetchall()
        quarantine = db.execute("SELECT owner, reason, body_sha256, message_id, request_no FROM quarantine").fetchall()
    return StoreBook(requests, messages, frozenset(unsent), tuple(Quarantined(*row) for row in quarantine))


def _lines(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
