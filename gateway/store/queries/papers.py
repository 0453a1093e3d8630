"""Documents: who has put one, who may read one, and what comes of naming one (docs/adr/0025).

Naming counts if whoever names it could read it; else it is a claim, which counts from the moment at which that very
party puts the bytes. On PostgreSQL a claim and a put of the same bytes take turns, so that neither misses the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import BindParameter, Integer, bindparam, exists, func, literal_column, select, text
from sqlalchemy import delete as sql_delete

from gateway.core.records import DocumentRow, Naming
from gateway.store.engine.columns import among
from gateway.store.engine.connection import Asking, Connection, Unit
from gateway.store.engine.database import Reads
from gateway.store.engine.statements import Query, delete, insert
from gateway.store.tables import (
    DOCUMENT,
    document_claims,
    document_puts,
    document_readers,
    document_refs,
    documents_unnamed,
)

_d, _p, _rd, _u = DOCUMENT.c, document_puts.c, document_readers.c, documents_unnamed.c
_f, _c = document_refs.c, document_claims.c
_digest: BindParameter[str] = bindparam("digest")

DOCUMENT_BY_DIGEST = Query(select(*DOCUMENT.columns).where(_d.sha256 == _digest))
PUT_BY = Query(
    select(_d.sha256, _d.size, _p.media_type, _p.participant, _p.at)
    .join(document_puts, _p.sha256 == _d.sha256)
    .where(_d.sha256 == _digest, _p.participant == bindparam("whose"))
)
READABLE = Query(select(_rd.sha256).where(_rd.participant == bindparam("whose"), among(_rd.sha256, "digests")))
MAY_READ = Query(
    select(_rd.sha256, _rd.participant).where(among(_rd.sha256, "digests"), among(_rd.participant, "people"))
)
CLAIMS_OF = Query(select(_c.request_no, _c.other).where(_c.sha256 == _digest, _c.named_by == bindparam("whose")))
LOCK_DIGEST = Query(select(func.pg_advisory_xact_lock(literal_column("1868"), bindparam("half", type_=Integer()))))

INSERT_DOCUMENTS = DOCUMENT.insert("ON CONFLICT (sha256) DO NOTHING")
INSERT_PUTS = insert(
    document_puts,
    [_p.sha256, _p.participant, _p.media_type, _p.at],
    "ON CONFLICT (sha256, participant) DO NOTHING",
)
INSERT_READERS = insert(document_readers, [_rd.sha256, _rd.participant], "ON CONFLICT (sha256, participant) DO NOTHING")
INSERT_REFS = insert(document_refs, [_f.request_no, _f.sha256], "ON CONFLICT (sha256, request_no) DO NOTHING")
INSERT_CLAIMS = insert(
    document_claims,
    [_c.sha256, _c.named_by, _c.request_no, _c.other],
    "ON CONFLICT (sha256, named_by, request_no) DO NOTHING",
)
DELETE_CLAIMS = delete(document_claims, [_c.sha256, _c.named_by])

_named = exists().where(_f.sha256 == _u.sha256)
_of = _u.participant == bindparam("whose")
UNNAMED = Query(select(func.count(), func.coalesce(func.sum(_u.size), 0)).where(_of, ~_named))
FORGET_NAMED = Query(sql_delete(documents_unnamed).where(_of, _named))
WAIT_FOR_NAME = Query(
    text(
        "INSERT INTO documents_unnamed (participant, sha256, size) VALUES (:whose, :digest, :bytes) "
        "ON CONFLICT (participant, sha256) DO NOTHING"
    )
)

new_put = DOCUMENT.writer([_d.sha256, _d.put_by, _d.media_type, _d.at])


class Readable(Asking):
    """`application.ports.papers.Readable`."""

    async def documents_readable(self, participant: str, digests: Sequence[str]) -> set[str]:
        rows = await self._rows(READABLE, digests=digests, whose=participant)
        return {sha256 for (sha256,) in rows}


class PaperReads(Readable, Reads):
    """`application.ports.papers.PaperReads`."""

    async def document(self, sha256: str) -> DocumentRow | None:
        return await self._one(DOCUMENT, DOCUMENT_BY_DIGEST, digest=sha256)

    async def document_put(self, sha256: str, participant: str) -> DocumentRow | None:
        return await self._one(DOCUMENT, PUT_BY, digest=sha256, whose=participant)

    async def documents_unnamed(self, participant: str) -> tuple[int, int]:
        [(count, used)] = await self._rows(UNNAMED, whose=participant)
        return count, int(used)


class PaperUnit(Readable, Unit):
    """`application.ports.papers.PaperUnit`."""

    async def wait_for_name(self, row: DocumentRow) -> None:
        """What is named by now is counted no more."""
        await self._rows(WAIT_FOR_NAME, whose=row.put_by, digest=row.sha256, bytes=row.size)
        await self._rows(FORGET_NAMED, whose=row.put_by)


async def name(connection: Connection, namings: Sequence[Naming]) -> None:
    """One look for the whole unit of work."""
    if not namings:
        return
    readers = await _readers(connection, namings)
    doubtful = [n for n in namings if (n.sha256, n.named_by) not in readers]
    if doubtful and connection.locks:
        await _take_turns(connection, (n.sha256 for n in doubtful))
        readers |= await _readers(connection, doubtful)
    good = [n for n in namings if (n.sha256, n.named_by) in readers]
    await connection.run(INSERT_REFS, [(n.request_no, n.sha256) for n in good])
    await connection.run(INSERT_READERS, sorted({(n.sha256, n.other) for n in good}))
    claims = [n for n in doubtful if (n.sha256, n.named_by) not in readers]
    await connection.run(INSERT_CLAIMS, [(n.sha256, n.named_by, n.request_no, n.other) for n in claims])


async def put(connection: Connection, documents: Sequence[DocumentRow]) -> None:
    """The bytes are there: `put_by` may read them, and what it named before counts now."""
    if not documents:
        return
    if connection.locks:
        await _take_turns(connection, (d.sha256 for d in documents))
    await connection.run(INSERT_DOCUMENTS.bulk, INSERT_DOCUMENTS.rows(documents))
    await connection.run(INSERT_PUTS, [new_put(d) for d in documents])
    await connection.run(INSERT_READERS, [(d.sha256, d.put_by) for d in documents])
    for document in documents:
        key: dict[str, Any] = {"digest": document.sha256, "whose": document.put_by}
        claims = [tuple(row) for row in await connection.fetch(CLAIMS_OF, **key)]
        await connection.run(INSERT_REFS, [(request_no, document.sha256) for request_no, _ in claims])
        await connection.run(INSERT_READERS, sorted({(document.sha256, other) for _, other in claims}))
        await connection.run(DELETE_CLAIMS, [(document.sha256, document.put_by)] if claims else [])


async def _readers(connection: Connection, namings: Iterable[Naming]) -> set[tuple[str, str]]:
    digests = list({n.sha256 for n in namings})
    people = list({n.named_by for n in namings})
    return {(sha256, who) for sha256, who in await connection.fetch(MAY_READ, digests=digests, people=people)}


async def _take_turns(connection: Connection, digests: Iterable[str]) -> None:
    for half in sorted({int(digest[:8], 16) - 2**31 for digest in digests}):
        await connection.fetch(LOCK_DIGEST, half=half)
