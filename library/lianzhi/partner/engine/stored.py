"""Reads back from the ledger what the application has not finished, and what may be tried again."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from lianzhi.partner.engine.intake import Offer
from lianzhi.partner.engine.reception import MENDABLE, Raw
from lianzhi.partner.ledger.records import SetAside
from lianzhi.partner.ledger.unit import Unit
from lianzhi.protocol.tracing import signed_in


def pending_offers(connection: sqlite3.Connection) -> list[Offer]:
    """Applied and not finished by the application, one request's in order of seqno."""
    rows = connection.execute(
        "SELECT sender, id, request_no, verb, length(text) FROM lz_message WHERE state = 'pending'"
        " ORDER BY request_no, seqno"
    )
    return [Offer(*row) for row in rows]


def message_text(connection: sqlite3.Connection, sender: str, message_id: str) -> str | None:
    """The SD-JWT as received, if it is still pending."""
    row = connection.execute(
        "SELECT text FROM lz_message WHERE sender = ? AND id = ? AND state = 'pending'", (sender, message_id)
    ).fetchone()
    return row[0] if row else None


def trace_in(unit: Unit, request_no: str) -> str | None:
    """`traceparent` of the first message of that request, theirs or ours; None where its content is forgotten."""
    for table in ("lz_message", "lz_outbox"):
        row = unit.execute(
            f"SELECT text FROM {table} WHERE request_no = ? AND text != '' ORDER BY no LIMIT 1",  # noqa: S608 (ours)
            (request_no,),
        ).fetchone()
        if row is not None and (found := signed_in(row[0].encode("ascii"))) is not None:
            return str(found[0])
    return None


def set_aside_to_retry(connection: sqlite3.Connection, reasons: Sequence[str] = MENDABLE) -> list[str]:
    """What was set aside for one of these reasons and may be mended by now: digests, oldest first."""
    rows = connection.execute(
        "SELECT sha256 FROM lz_set_aside WHERE reason IN (SELECT value FROM json_each(?)) ORDER BY first_at",
        (json.dumps(reasons),),
    )
    return [row[0] for row in rows]


def set_aside_bodies(connection: sqlite3.Connection, digests: Sequence[str]) -> list[Raw]:
    """Some of them, in that order."""
    wanted = (json.dumps(list(digests)),)
    rows = connection.execute(
        "SELECT s.body, s.queue, s.lane FROM json_each(?) AS d JOIN lz_set_aside AS s ON s.sha256 = d.value"
        " ORDER BY d.key",
        wanted,
    )
    return [Raw(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class Mended:
    """Job: these bytes could be used after all; unless they were refused for another reason, forget them."""

    digests: Collection[str]
    requests: Collection[str] = ()
    ids: Collection[str] = ()

    def run(self, unit: Unit) -> None:
        unit.execute(
            "DELETE FROM lz_set_aside WHERE sha256 IN (SELECT value FROM json_each(?))"
            " AND reason IN (SELECT value FROM json_each(?))",
            (json.dumps(list(self.digests)), json.dumps(MENDABLE)),
        )


@dataclass(frozen=True, slots=True)
class PutAside:
    """Job: a stored message that can no longer be opened."""

    offer: Offer
    item: SetAside

    @property
    def requests(self) -> Collection[str]:
        return (self.offer.request_no,)

    @property
    def ids(self) -> Collection[str]:
        return (self.offer.id,)

    def run(self, unit: Unit) -> None:
        unit.set_state((self.offer.sender, self.offer.id), "set-aside")
        unit.set_aside.append(self.item)


def put_aside(offer: Offer, text: str, reason: str, now: datetime) -> PutAside:
    body = text.encode("ascii")
    item = SetAside(
        hashlib.sha256(body).hexdigest(),
        body,
        "",
        reason,
        now.isoformat(timespec="milliseconds"),
        None,
        offer.sender,
        offer.id,
        offer.request_no,
    )
    return PutAside(offer, item)


@dataclass(frozen=True, slots=True)
class Forget:
    """Job: what was finished before `before` (aware UTC) loses its content; ids, digests and states stay.

    A message that old is `stale` and never asked for again (library/lianzhi/protocol/policy.py, rule 7).
    """

    before: datetime
    requests: Collection[str] = ()
    ids: Collection[str] = ()

    def run(self, unit: Unit) -> None:
        before = (self.before.astimezone(UTC).isoformat(timespec="milliseconds"),)
        unit.execute(
            "UPDATE lz_message SET text = '' WHERE arrived_at < ? AND state IN ('done', 'overtaken') AND text != ''",
            before,
        )
        unit.execute("UPDATE lz_outbox SET text = '' WHERE made_at < ? AND state = 'sent' AND text != ''", before)
        unit.execute("DELETE FROM lz_set_aside WHERE last_at < ?", before)
