"""What is counted against one participant: documents that no request names, and the tokens it has used."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, delete, exists, func, select, text

from gateway.core.records import DocumentRow
from gateway.store.columns import Instant, micros
from gateway.store.connection import Connection, scalar
from gateway.store.query import Query
from gateway.store.tables import document_refs, documents_unnamed, tokens_used

_u, _t = documents_unnamed.c, tokens_used.c
_named = exists().where(document_refs.c.sha256 == _u.sha256)
_of = _u.participant == bindparam("whose")

UNNAMED = Query(select(func.count(), func.coalesce(func.sum(_u.size), 0)).where(_of, ~_named))
FORGET_NAMED = Query(delete(documents_unnamed).where(_of, _named))
WAIT_FOR_NAME = Query(
    text(
        "INSERT INTO documents_unnamed (participant, sha256, size) VALUES (:whose, :digest, :bytes) "
        "ON CONFLICT (participant, sha256) DO NOTHING"
    )
)
FORGET_TOKENS = Query(delete(tokens_used).where(_t.expires_at <= bindparam("now", type_=Instant())))
TOKENS_OF = Query(select(func.count()).where(_t.participant == bindparam("whose")))
USE_TOKEN = Query(
    text(
        "INSERT INTO tokens_used (participant, jti, expires_at) VALUES (:whose, :jti, :until) "
        "ON CONFLICT (participant, jti) DO NOTHING RETURNING jti"
    )
)


async def wait_for_name(connection: Connection, row: DocumentRow) -> None:
    """Count the document against who put it until a request names it; what is named by now is counted no more."""
    await connection.fetch(WAIT_FOR_NAME, whose=row.put_by, digest=row.sha256, bytes=row.size)
    await connection.fetch(FORGET_NAMED, whose=row.put_by)


async def use_token(
    connection: Connection, participant: str, jti: str, now: datetime, until: datetime, most: int
) -> bool | None:
    """True: the first use. False: it was used before. None: `most` are remembered already, so this one is not."""
    await connection.fetch(FORGET_TOKENS, now=now)
    if await scalar(connection, TOKENS_OF, whose=participant) >= most:
        return None
    return await scalar(connection, USE_TOKEN, whose=participant, jti=jti, until=micros(until)) is not None
