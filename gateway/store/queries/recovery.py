"""After a restore: how far the store has come (docs/adr/0030), what partners speak of that is not there
(docs/adr/0041), and POSTs that a person decides about.

What the marks are compared with only grows, so that single reads in the order of `standing` give one that the store is
never behind of.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Integer,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    select,
    text,
    update,
)

from gateway.core.recovery.doubts import Doubt, State
from gateway.core.recovery.forgotten import Forgotten, ForgottenRequest
from gateway.core.recovery.marks import Age, Mark, Standing
from gateway.store.engine.columns import Instant, among, moment
from gateway.store.engine.connection import Asking, Row, Unit
from gateway.store.engine.database import Reads
from gateway.store.engine.statements import Query
from gateway.store.queries.lists import LAST_EVENT
from gateway.store.tables import DOUBT, FORGOTTEN, REQUEST, incarnations, installation, number_blocks

_f, _d, _i, _a, _n = FORGOTTEN.c, DOUBT.c, installation.c, incarnations.c, number_blocks.c
_ours = _f.sender != _f.owner
_whole_open = and_(_ours, _f.verb == "open", _f.seqno == 1, func.length(_f.body) > 0)
_taken_up = exists().where(REQUEST.c.request_no == _f.request_no)


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))


INSERT_FORGOTTEN = FORGOTTEN.insert("ON CONFLICT (owner, body_sha256) DO NOTHING")
FORGOTTEN_TOTALS = Query(
    select(func.count(), func.coalesce(func.sum(func.length(_f.body)), 0)).where(_f.owner == bindparam("whose"))
)
IS_FORGOTTEN_KEPT = Query(select(_f.id).where(_f.owner == bindparam("whose"), _f.body_sha256 == bindparam("digest")))
FORGOTTEN_OF = Query(
    select(*FORGOTTEN.columns).where(_f.request_no == bindparam("number"), _f.taken_up_at.is_(None)).order_by(_f.id)
)
SUBMITTED_AS = Query(
    select(_f.request_no)
    .where(_f.submissionhash == bindparam("digest"), _ours, _f.verb == "open")
    .distinct()
    .order_by(_f.request_no)
)
FORGOTTEN_REQUESTS = Query(
    select(
        _f.request_no, _f.owner, func.count(), _count(_ours), _count(_whole_open),
        func.sum(func.length(_f.body)), func.min(_f.at), func.max(_f.at), _taken_up,
    )
    .where(_f.taken_up_at.is_(None))
    .group_by(_f.request_no, _f.owner)
    .order_by(func.min(_f.at), _f.request_no)
    .limit(bindparam("limit", type_=Integer()))
)  # fmt: skip
TAKE_FORGOTTEN = Query(delete(FORGOTTEN.table).where(among(_f.id, "ids")).returning(_f.id))
TAKEN_UP = Query(
    update(FORGOTTEN.table)
    .where(among(_f.id, "ids"))
    .values(body=b"", taken_up_at=bindparam("now", type_=Instant()))
    .returning(_f.id)
)

_this = (_d.key == bindparam("which"), _d.client == bindparam("whose"))

DOUBT_OF = Query(select(*DOUBT.columns).where(*_this))
DOUBTS = Query(select(*DOUBT.columns).order_by(_d.at, _d.key).limit(bindparam("limit", type_=Integer())))
COUNT_DOUBTS = Query(select(func.count()).select_from(DOUBT.table))
NOTE_DOUBT = DOUBT.insert()
SETTLE_DOUBT = Query(update(DOUBT.table).where(*_this).values(state=bindparam("said")).returning(_d.key))
DONE_BEFORE = Query(
    update(DOUBT.table)
    .where(_d.submissionhash == bindparam("digest"), _d.state == "waiting")
    .values(state="refused", request_no=bindparam("number"))
    .returning(_d.key)
)
DOUBTS_ENDED = Query(select(_a.doubts_ended_at).where(_a.incarnation == bindparam("incarnation")))
END_DOUBTS = Query(
    update(incarnations)
    .where(_a.incarnation == bindparam("which"))
    .values(doubts_ended_at=bindparam("now", type_=Instant()))
)

INSTALLATION = Query(select(_i.incarnation, _i.sequence, _i.token))
AGES = Query(select(_a.incarnation, _a.shared_event, _a.began_at).order_by(_a.id))
NUMBERS = Query(select(_n.opener, _n.day, _n.next).where(_n.day >= bindparam("since")))
ANY_REQUEST = Query(select(exists().where(REQUEST.c.request_no >= "")))
# Before any block is taken: whoever takes two in one unit locks in the same order.
RAISE_SEQUENCE = Query(update(installation).values(sequence=_i.sequence + 1, token=bindparam("drawn")))
BEGIN_AGE = Query(
    insert(incarnations).values(
        incarnation=bindparam("incarnation"), began_at=bindparam("at", type_=Instant()), shared_event=bindparam("event")
    )
)
REPLACE_INSTALLATION = Query(
    update(installation).values(
        incarnation=bindparam("incarnation"), sequence=bindparam("reached"), token=bindparam("drawn")
    )
)
SKIP_NUMBERS = Query(
    text(
        "INSERT INTO number_blocks (opener, day, next) VALUES (:opener, :day, :following) "
        "ON CONFLICT (opener, day) DO UPDATE SET next = excluded.next WHERE number_blocks.next < excluded.next"
    )
)


class Remnants(Asking):
    """`application.ports.recovery.Remnants`."""

    async def forgotten_of(self, request_no: str) -> list[Forgotten]:
        return await self._all(FORGOTTEN, FORGOTTEN_OF, number=request_no)


class RecoveryReads(Remnants, Reads):
    """`application.ports.recovery.RecoveryReads`."""

    async def standing(self, since: str) -> Standing:
        queries = (INSTALLATION, AGES, NUMBERS, LAST_EVENT, ANY_REQUEST)
        async with self.database.reader() as connection:
            installation, lives, days, events, requests = await connection.fetch_all(queries, since=since)
        ((incarnation, sequence, token),) = installation
        ages = tuple(Age(name, shared, moment(at) if n else None) for n, (name, shared, at) in enumerate(lives))
        numbers = {f"{opener}/{day}": following for opener, day, following in days}
        ((last,),), ((any_request,),) = events, requests
        mark = Mark(incarnation=incarnation, sequence=sequence, token=token, event_id=last or 0, numbers=numbers)
        return Standing(mark, ages, not any_request)

    async def forgotten(self, limit: int) -> list[ForgottenRequest]:
        return [_forgotten_request(row) for row in await self._rows(FORGOTTEN_REQUESTS, limit=limit)]

    async def submitted_as(self, submissionhash: str) -> list[str]:
        return [number for (number,) in await self._rows(SUBMITTED_AS, digest=submissionhash)]

    async def doubt(self, client: str, key: str) -> Doubt | None:
        return await self._one(DOUBT, DOUBT_OF, which=key, whose=client)

    async def doubts(self, limit: int) -> list[Doubt]:
        return await self._all(DOUBT, DOUBTS, limit=limit)

    async def doubts_ended(self, incarnation: str) -> bool:
        return await self._scalar(DOUBTS_ENDED, incarnation=incarnation) is not None


class RecoveryUnit(Remnants, Unit):
    """`application.ports.recovery.RecoveryUnit`."""

    async def raise_sequence(self, token: str) -> None:
        await self._rows(RAISE_SEQUENCE, drawn=token)

    async def begin_age(self, mark: Mark, shared_event: int, at: datetime) -> None:
        """From now on the store is `mark.incarnation`; whoever read it before reads another installation."""
        await self._rows(BEGIN_AGE, incarnation=mark.incarnation, at=at, event=shared_event)
        await self._rows(REPLACE_INSTALLATION, incarnation=mark.incarnation, reached=mark.sequence, drawn=mark.token)
        for name, following in sorted(mark.numbers.items()):
            opener, _, day = name.partition("/")
            await self.skip_numbers(opener, day, following)

    async def skip_numbers(self, opener: str, day: str, following: int) -> None:
        await self._rows(SKIP_NUMBERS, opener=opener, day=day, following=following)

    async def forgotten_totals(self, owner: str) -> tuple[int, int]:
        [(count, size)] = await self._rows(FORGOTTEN_TOTALS, whose=owner)
        return count, int(size)

    async def is_forgotten_kept(self, owner: str, body_sha256: str) -> bool:
        return await self._scalar(IS_FORGOTTEN_KEPT, whose=owner, digest=body_sha256) is not None

    async def end_forgotten(self, messages: Sequence[Forgotten], now: datetime | None) -> int:
        taken = [m.id for m in messages if m.ours and now is not None]
        rest = [m.id for m in messages if m.id not in taken]
        ended = await self._rows(TAKEN_UP, ids=taken, now=now) if taken else ()
        gone = await self._rows(TAKE_FORGOTTEN, ids=rest) if rest else ()
        return len(ended) + len(gone)

    async def done_before(self, submissionhash: str, request_no: str) -> int:
        return len(await self._rows(DONE_BEFORE, digest=submissionhash, number=request_no))

    async def note_doubt(self, doubt: Doubt, most: int) -> bool:
        if await self._scalar(COUNT_DOUBTS) >= most:
            return False
        if await self._one(DOUBT, DOUBT_OF, which=doubt.key, whose=doubt.client) is None:
            await self._db.run(NOTE_DOUBT.bulk, NOTE_DOUBT.rows([doubt]))
        return True

    async def settle_doubt(self, client: str, key: str, state: State) -> bool:
        return await self._scalar(SETTLE_DOUBT, which=key, whose=client, said=state) is not None

    async def end_doubts(self, incarnation: str, now: datetime) -> None:
        await self._rows(END_DOUBTS, which=incarnation, now=now)


def _forgotten_request(row: Row) -> ForgottenRequest:
    number, partner, count, ours, opens, size, first, last, stands = row
    theirs, provable = int(count) - int(ours), bool(opens) or bool(stands)
    return ForgottenRequest(
        number, partner, theirs, int(ours), provable, int(size), moment(first), moment(last), bool(stands)
    )
