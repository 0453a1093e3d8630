"""Messages about requests of ours that the store does not have: `application.ports` says what each query is for."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Integer, and_, bindparam, case, delete, exists, func, select, update

from gateway.core.recovery.forgotten import ForgottenRequest
from gateway.store import bulk
from gateway.store.columns import Instant, among, moment
from gateway.store.connection import Row
from gateway.store.query import Query
from gateway.store.rows import FORGOTTEN
from gateway.store.tables import forgotten_messages, requests

_f = forgotten_messages.c
_ours = _f.sender != _f.owner
_whole_open = and_(_ours, _f.verb == "open", _f.seqno == 1, func.length(_f.body) > 0)
_taken_up = exists().where(requests.c.request_no == _f.request_no)


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))


INSERT = bulk.insert(forgotten_messages, FORGOTTEN.written, "ON CONFLICT (owner, body_sha256) DO NOTHING")
TOTALS = Query(
    select(func.count(), func.coalesce(func.sum(func.length(_f.body)), 0)).where(_f.owner == bindparam("whose"))
)
IS_KEPT = Query(select(_f.id).where(_f.owner == bindparam("whose"), _f.body_sha256 == bindparam("digest")))
OF_REQUEST = Query(
    select(*FORGOTTEN.columns).where(_f.request_no == bindparam("number"), _f.taken_up_at.is_(None)).order_by(_f.id)
)
SUBMITTED_AS = Query(
    select(_f.request_no)
    .where(_f.submissionhash == bindparam("digest"), _ours, _f.verb == "open")
    .distinct()
    .order_by(_f.request_no)
)
LIST = Query(
    select(
        _f.request_no, _f.owner, func.count(), _count(_ours), _count(_whole_open),
        func.sum(func.length(_f.body)), func.min(_f.at), func.max(_f.at), _taken_up,
    )
    .where(_f.taken_up_at.is_(None))
    .group_by(_f.request_no, _f.owner)
    .order_by(func.min(_f.at), _f.request_no)
    .limit(bindparam("limit", type_=Integer()))
)  # fmt: skip
TAKE = Query(delete(forgotten_messages).where(among(_f.id, "ids")).returning(_f.id))
TAKEN_UP = Query(
    update(forgotten_messages)
    .where(among(_f.id, "ids"))
    .values(body=b"", taken_up_at=bindparam("now", type_=Instant()))
    .returning(_f.id)
)

new = FORGOTTEN.writer(FORGOTTEN.written)


def read(row: Row) -> ForgottenRequest:
    number, partner, count, ours, opens, size, first, last, stands = row
    theirs, provable = int(count) - int(ours), bool(opens) or bool(stands)
    return ForgottenRequest(
        number, partner, theirs, int(ours), provable, int(size), moment(first), moment(last), bool(stands)
    )
