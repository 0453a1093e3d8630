"""Checks that the rows of a database agree with each other: `lianzhi db check`. Reads one snapshot, writes nothing.

Everything under one request number is brought together from its tables, each read in the order of that number, and
judged by `core.recovery.soundness`; what relates other tables is asked in SQL. Memory: the rows of one request, and one
number for each day and opener. Texts of the rules: `core.recovery.soundness_words`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json

from gateway.application.cases.reassign import REASSIGN
from gateway.core.records import Request
from gateway.core.recovery.soundness import Controlled, Finding, Leaving, Rows, Said, Waiting, examine
from gateway.core.recovery.soundness_words import RULES
from gateway.core.routing import route_of
from gateway.store.engine.columns import EPOCH
from gateway.store.tables import metadata
from gateway.store.upkeep.check_sql import ACCEPTED, COUNTS, DOCUMENTS, KNOWN, OF_REQUEST, PAIRS, PARENTS
from gateway.store.upkeep.snapshot import DamagedStoreError, Row, Snapshot
from gateway.store.upkeep.version import newest
from lianzhi.crypto import base64url
from lianzhi.errors import ConfigurationError

BATCH = 500
Look = Callable[[str, int], tuple[str, str, str] | None]


@dataclass(frozen=True, slots=True)
class Parties:
    """Codes of the registered participants. local: those that we sign for; queued: those that have queues."""

    local: frozenset[str]
    queued: frozenset[str]


async def check(
    snapshot: Snapshot, parties: Parties, look: Look | None = None, progress: Callable[[int], None] = lambda _: None
) -> AsyncIterator[Finding]:
    """Everything that contradicts something else. look: (sha256, size) of a document → (rule, found, wanted) of what is
    wrong with its file. progress: hears how many requests have been looked at.

    Raises ConfigurationError (not the schema of this version), StoreUnavailableError.
    """
    await require_current(snapshot)
    try:
        async for finding in _everything(snapshot, parties, look, progress):
            yield finding
    except DamagedStoreError as error:
        yield damaged(error)


def damaged(error: DamagedStoreError) -> Finding:
    """Of a database that cannot be read any further."""
    return Finding("integrity", "database", "-", str(error), "ok")


async def _everything(
    snapshot: Snapshot, parties: Parties, look: Look | None, progress: Callable[[int], None]
) -> AsyncIterator[Finding]:
    if snapshot.is_sqlite:
        async for line in _integrity(snapshot):
            yield Finding("integrity", "database", "integrity_check", line, "ok")
    blocks = {
        (row[0], row[1]): int(row[2]) async for row in snapshot.rows("SELECT opener, day, next FROM number_blocks")
    }
    async for finding in _requests(snapshot, parties, blocks, progress):
        yield finding
    async for finding in _pairs(snapshot, parties, blocks):
        yield finding
    async for finding in _accepted(snapshot):
        yield finding
    if look is not None:
        async for sha256, size in snapshot.rows(DOCUMENTS):
            if (wrong := look(sha256, size)) is not None:
                rule, found, wanted = wrong
                yield Finding(rule, "documents", sha256, found, wanted)


async def require_current(snapshot: Snapshot) -> None:
    """Raises ConfigurationError: `lianzhi db migrate` first."""
    if (found := await revision(snapshot)) != newest():
        raise ConfigurationError(
            f"数据库的结构版本是 {found or '无'}，本程序是 {newest()}；"
            "请先用本程序运行 lianzhi db migrate，或改用相符的程序版本。"
            f" The database has schema {found or 'none'}, this program {newest()}: run `lianzhi db migrate` first, or"
            " use the program that fits."
        )


async def revision(snapshot: Snapshot) -> str | None:
    """The number of the schema's last migration; None where there is none."""
    catalogue = "sqlite_schema WHERE type = 'table' AND name" if snapshot.is_sqlite else "pg_tables WHERE tablename"
    where = f"SELECT count(*) FROM {catalogue} = 'alembic_version'"  # noqa: S608 -- our own names
    if [row[0] async for row in snapshot.rows(where)] == [0]:
        return None
    found = [str(row[0]) async for row in snapshot.rows("SELECT version_num FROM alembic_version")]
    return found[0] if found else None


async def counts(snapshot: Snapshot) -> dict[str, int]:
    """Rows by table, of those that a person knows."""
    return {table: int(row[0]) for table, sql in COUNTS.items() async for row in snapshot.rows(sql)}


async def _integrity(snapshot: Snapshot) -> AsyncIterator[str]:
    """What SQLite finds wrong with its file. Of a table WITHOUT ROWID whose key does not stand first, SQLite 3.40 looks
    at the wrong column for NULL and calls sound rows broken: that is asked for again in SQL. No limit to the lines,
    or the false ones would use it up."""
    null: dict[str, bool] = {}
    async for (line,) in snapshot.rows(f"PRAGMA integrity_check({2**31 - 1})"):
        name = str(line).removeprefix("NULL value in ")
        table, _, column = name.partition(".")
        if name != line and name not in null:
            known = table in metadata.tables and column in metadata.tables[table].c
            asked = f'SELECT 1 FROM {table} WHERE "{column}" IS NULL LIMIT 1'  # noqa: S608 -- our own names
            null[name] = not known or bool([row async for row in snapshot.rows(asked)])
        if line != "ok" and null.get(name, True):
            yield str(line)


# --- conversations


async def _requests(
    snapshot: Snapshot, parties: Parties, blocks: dict[tuple[str, str], int], progress: Callable[[int], None]
) -> AsyncIterator[Finding]:
    done = 0
    async for rows, broken in conversations(snapshot):
        opener, _, rest = rows.number.rpartition("-")[0].rpartition("-")
        block = blocks.get((opener, rest))
        for finding in (*broken, *examine(rows, parties.local, block)):
            yield finding
        done += 1
        if done % BATCH == 0:
            progress(done)
    progress(done)


async def conversations(snapshot: Snapshot) -> AsyncIterator[tuple[Rows, list[Finding]]]:
    """Number by number, what stands under it in any table; and what could not be read of it."""
    heads = [(table, stream, await anext(stream, None)) for table, stream in _streams(snapshot)]
    while numbers := [row[0] for _, _, row in heads if row is not None]:
        rows, broken = Rows(min(numbers)), []
        for index, (table, stream, head) in enumerate(heads):
            row = head
            while row is not None and row[0] == rows.number:
                try:
                    _ADD[table](rows, row)
                except ValueError:
                    broken.append(Finding("json", table, rows.number, "?", "JSON"))
                row = await anext(stream, None)
            heads[index] = table, stream, row
        yield rows, broken


def _streams(snapshot: Snapshot) -> Iterable[tuple[str, AsyncIterator[Row]]]:
    return [(table, snapshot.rows(sql)) for table, sql in OF_REQUEST.items()]


def _request(rows: Rows, row: Row) -> None:
    number, shape, state, asker, asked, reason, asker_seq, asked_seq, held, marks, facts = row
    rows.request = Request(
        request_no=number, type="", version=0, shape=shape, state=state, asker=asker, asked=asked, created_at=EPOCH,
        updated_at=EPOCH, reason=reason, asker_seq=asker_seq, asked_seq=asked_seq, held=held,
    )  # fmt: skip
    rows.request.marks, rows.request.facts = from_json(marks), from_json(facts)


def _event(rows: Rows, row: Row) -> None:
    """What is about a number that we never had, or only about a stored row, names no type."""
    _, kind, type_, detail = row
    rows.told.add((kind, detail))
    rows.loose = rows.loose or not (type_ is None and kind in ("gap", "incident"))


_ADD: dict[str, Callable[[Rows, Row], None]] = {
    "requests": _request,
    "messages": lambda rows, row: rows.messages.append(Said(*row[1:])),
    "outbox": lambda rows, row: rows.outbox.append(Leaving(*row[1:])),
    "held": lambda rows, row: rows.held.append(Waiting(*row[1:])),
    "timers": lambda rows, row: rows.timers.append(row[1]),
    "measures": lambda rows, row: rows.measures.append(Controlled(*row[1:])),
    "events": _event,
}


# --- between tables


async def _pairs(snapshot: Snapshot, parties: Parties, blocks: dict[tuple[str, str], int]) -> AsyncIterator[Finding]:
    for rule, table, sql in (*PAIRS, *PARENTS):
        async for key, found, wanted in snapshot.rows(sql):
            yield Finding(rule, table, str(key), str(found), str(wanted))
    missing = snapshot.rows(
        "SELECT m.sender || '/' || m.id, m.receiver FROM messages AS m LEFT JOIN outbox AS o"
        " ON o.message_id = m.id AND o.sender = m.sender WHERE m.disposition = 'sent' AND o.id IS NULL"
    )
    async for key, receiver in missing:
        if receiver in parties.queued:
            yield Finding("outbox-missing", "messages", key, "0", "1")
    async for key, routing_key, route in snapshot.rows(
        "SELECT sender || '/' || message_id, routing_key, route FROM outbox"
    ):
        if route != route_of(routing_key):
            yield Finding("outbox-route", "outbox", key, route, route_of(routing_key))
    async for number, court in snapshot.rows("SELECT release_no, court FROM releases"):
        day, _, used = number.removeprefix(f"{court}-").partition("-")
        following = blocks.get((court, day), 0)
        if not used.isdigit() or int(used) >= following:
            yield Finding("release-number", "number_blocks", number, str(following), f"> {used}")
    async for key, body in snapshot.rows(
        "SELECT s.sender || '/' || s.id, s.body FROM submissions AS s WHERE NOT EXISTS (SELECT 1 FROM requests AS r"
        " WHERE r.request_no = s.request_no) AND NOT EXISTS (SELECT 1 FROM releases AS d WHERE d.release_no ="
        " s.request_no) AND NOT EXISTS (SELECT 1 FROM requests AS g WHERE g.group_no = s.request_no)"
    ):
        if not _reassigns(bytes(body)):
            yield Finding("submission-request", "submissions", key, "0", "1")


def _reassigns(body: bytes) -> bool:
    """Whether it orders 交叉执行: that has a number of its own, and within the court no request under it."""
    try:
        envelope = from_json(base64url.decode(body.split(b".")[1].decode("ascii")))
        return bool(envelope["type"] == f"lianzhi.{REASSIGN}.open")
    except (ValueError, LookupError, TypeError):
        return False


async def _accepted(snapshot: Snapshot) -> AsyncIterator[Finding]:
    """Whatever number an answer that is remembered has told exists."""
    batch: list[tuple[str, set[str]]] = []
    async for key, number, response in snapshot.rows(ACCEPTED):
        try:
            batch.append((key, numbers_in(from_json(response)) | ({number} if number else set())))
        except ValueError:
            yield Finding("json", "idempotency", key, "?", "JSON")
        if len(batch) == BATCH:
            for finding in await _unknown(snapshot, batch):
                yield finding
            batch.clear()
    for finding in await _unknown(snapshot, batch):
        yield finding


def numbers_in(answer: Any) -> set[str]:
    """Numbers of requests, releases and groups that an answer tells."""
    if not isinstance(answer, dict):
        return set()
    found = {answer[name] for name in ("request_no", "release_no", "group_no") if answer.get(name)}
    for name in ("requests", "notices"):
        for line in answer.get(name) or ():
            number = line.get("request_no") if isinstance(line, dict) else line
            found |= {number} if isinstance(number, str) else set()
    return found


async def _unknown(snapshot: Snapshot, batch: Collection[tuple[str, set[str]]]) -> list[Finding]:
    asked = {number for _, numbers in batch for number in numbers}
    known = {row[0] async for row in snapshot.rows(KNOWN, asked)} if asked else set()
    return [
        Finding("accepted", "idempotency", key, "0", number)
        for key, numbers in batch
        for number in sorted(numbers - known)
    ]


def told(finding: Finding) -> tuple[str, str]:
    """The rule that it breaks, Chinese and English."""
    return RULES[finding.rule]
