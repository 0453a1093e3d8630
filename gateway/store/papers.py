"""Documents: who has put one, who may read one, and what comes of naming one (docs/adr/0025).

Naming counts if whoever names it could read it; else it is a claim, which counts from the moment at which that very
party puts the bytes. On PostgreSQL a claim and a put of the same bytes take turns, so that neither misses the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import BindParameter, Integer, bindparam, func, literal_column, select

from gateway.core.records import DocumentRow, Naming
from gateway.store import bulk, tables
from gateway.store.columns import among
from gateway.store.connection import Connection
from gateway.store.query import Query
from gateway.store.rows import DOCUMENT

_d, _p, _rd = tables.documents.c, tables.document_puts.c, tables.document_readers.c
_f, _c = tables.document_refs.c, tables.document_claims.c
_digest: BindParameter[str] = bindparam("digest")

DOCUMENT_BY_DIGEST = Query(select(*DOCUMENT.columns).where(_d.sha256 == _digest))
PUT_BY = Query(
    select(_d.sha256, _d.size, _p.media_type, _p.participant, _p.at)
    .join(tables.document_puts, _p.sha256 == _d.sha256)
    .where(_d.sha256 == _digest, _p.participant == bindparam("whose"))
)
READABLE = Query(select(_rd.sha256).where(_rd.participant == bindparam("whose"), among(_rd.sha256, "digests")))
MAY_READ = Query(
    select(_rd.sha256, _rd.participant).where(among(_rd.sha256, "digests"), among(_rd.participant, "people"))
)
CLAIMS_OF = Query(select(_c.request_no, _c.other).where(_c.sha256 == _digest, _c.named_by == bindparam("whose")))
LOCK_DIGEST = Query(select(func.pg_advisory_xact_lock(literal_column("1868"), bindparam("half", type_=Integer()))))

INSERT_DOCUMENTS = bulk.insert(tables.documents, DOCUMENT.written, "ON CONFLICT (sha256) DO NOTHING")
INSERT_PUTS = bulk.insert(
    tables.document_puts,
    [_p.sha256, _p.participant, _p.media_type, _p.at],
    "ON CONFLICT (sha256, participant) DO NOTHING",
)
INSERT_READERS = bulk.insert(
    tables.document_readers, [_rd.sha256, _rd.participant], "ON CONFLICT (sha256, participant) DO NOTHING"
)
INSERT_REFS = bulk.insert(
    tables.document_refs, [_f.request_no, _f.sha256], "ON CONFLICT (sha256, request_no) DO NOTHING"
)
INSERT_CLAIMS = bulk.insert(
    tables.document_claims,
    [_c.sha256, _c.named_by, _c.request_no, _c.other],
    "ON CONFLICT (sha256, named_by, request_no) DO NOTHING",
)
DELETE_CLAIMS = bulk.delete(tables.document_claims, [_c.sha256, _c.named_by])

new_document = DOCUMENT.writer(DOCUMENT.written)
new_put = DOCUMENT.writer([_d.sha256, _d.put_by, _d.media_type, _d.at])


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
    await connection.run(INSERT_DOCUMENTS, [new_document(d) for d in documents])
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
