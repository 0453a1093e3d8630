"""POSTs that a person decides about after a restore (docs/adr/0030)."""

from __future__ import annotations

from sqlalchemy import Integer, bindparam, func, insert, select, update

from gateway.core.recovery.doubts import Doubt
from gateway.store import tables
from gateway.store.columns import Instant, moment
from gateway.store.connection import Row
from gateway.store.query import Query

_d, _a = tables.doubts.c, tables.incarnations.c
_columns = (
    _d.client,
    _d.key,
    _d.participant,
    _d.path,
    _d.fingerprint,
    _d.at,
    _d.state,
    _d.request_no,
    _d.submissionhash,
    _d.receiver,
    _d.type,
    _d.verb,
    _d.case_no,
)
_this = (_d.key == bindparam("which"), _d.client == bindparam("whose"))

DOUBT = Query(select(*_columns).where(*_this))
DOUBTS = Query(select(*_columns).order_by(_d.at, _d.key).limit(bindparam("limit", type_=Integer())))
COUNT = Query(select(func.count()).select_from(tables.doubts))
NOTE = Query(
    insert(tables.doubts).values(
        client=bindparam("client"), key=bindparam("key"), participant=bindparam("participant"), path=bindparam("path"),
        fingerprint=bindparam("fingerprint"), at=bindparam("at", type_=Instant()), state=bindparam("state"),
        request_no=bindparam("request_no"), submissionhash=bindparam("submissionhash"),
        receiver=bindparam("receiver"), type=bindparam("type"), verb=bindparam("verb"), case_no=bindparam("case_no"),
    )
)  # fmt: skip
SETTLE = Query(update(tables.doubts).where(*_this).values(state=bindparam("said")).returning(_d.key))
DONE_BEFORE = Query(
    update(tables.doubts)
    .where(_d.submissionhash == bindparam("digest"), _d.state == "waiting")
    .values(state="refused", request_no=bindparam("number"))
    .returning(_d.key)
)
ENDED = Query(select(_a.doubts_ended_at).where(_a.incarnation == bindparam("incarnation")))
END = Query(
    update(tables.incarnations)
    .where(_a.incarnation == bindparam("which"))
    .values(doubts_ended_at=bindparam("now", type_=Instant()))
)


def read(row: Row) -> Doubt:
    client, key, participant, path, fingerprint, at, *rest = row
    return Doubt(client, key, participant, path, fingerprint, moment(at), *rest)
