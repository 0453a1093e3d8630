"""What operators do and look at: `application.ports.operating` says what each of these is for (docs/adr/0047)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import (
    ColumnElement,
    Integer,
    and_,
    bindparam,
    func,
    insert,
    literal,
    literal_column,
    or_,
    select,
    text,
    tuple_,
    union,
    update,
)

from gateway.core.operating.records import (
    ActRow,
    DeadMessage,
    Hold,
    OpenFigures,
    OwnMessage,
    PartnerStanding,
    Plan,
    QuarantineEnd,
    Scope,
)
from gateway.core.records import Event, QuarantineRow
from gateway.core.silence import Exchange, Silence
from gateway.store.engine.columns import CODE, Instant, Json, among, moment
from gateway.store.engine.connection import Row, Unit
from gateway.store.engine.database import Reads
from gateway.store.engine.statements import Query, delete
from gateway.store.tables import (
    ACT,
    DIGEST,
    EVENT,
    HOLD,
    MESSAGE,
    OUTBOX,
    PLAN,
    QUARANTINE,
    QUARANTINE_END,
    REQUEST,
    SILENCE,
)

_a, _h, _q, _e, _p = ACT.c, HOLD.c, QUARANTINE.c, QUARANTINE_END.c, PLAN.c
_o, _m, _r, _ev = OUTBOX.c, MESSAGE.c, REQUEST.c, EVENT.c
outbox, messages, requests = OUTBOX.table, MESSAGE.table, REQUEST.table
_limit = bindparam("limit", type_=Integer())
RECENT = 200
"""Requests of a partner that its standing is read from."""
MOST = 10_000
"""What is counted is counted so far."""

PUT_SILENCE = SILENCE.insert(
    "ON CONFLICT (participant) DO UPDATE SET cause = excluded.cause, since = excluded.since "
    "WHERE silences.cause <> excluded.cause"
)
END_SILENCE = delete(SILENCE.table, [SILENCE.c.participant])
SILENCES = Query(select(*SILENCE.columns).order_by(SILENCE.c.participant))
CLAIM_DIGEST = Query(
    text(
        "INSERT INTO digests (day, recipient, until, attempts) VALUES (:day, :recipient, :until, 1) "
        "ON CONFLICT (day, recipient) DO UPDATE SET until = excluded.until, attempts = digests.attempts + 1 "
        "WHERE digests.ended_at IS NULL AND digests.until <= :now RETURNING attempts"
    ).bindparams(
        bindparam("day", type_=CODE), bindparam("recipient", type_=CODE), bindparam("until", type_=Instant()),
        bindparam("now", type_=Instant()),
    )
)  # fmt: skip
END_DIGEST = Query(
    update(DIGEST.table)
    .where(DIGEST.c.day == bindparam("on"), DIGEST.c.recipient == bindparam("whose"))
    .values(ended_at=bindparam("at", type_=Instant()))
)
INSERT_ACT = ACT.insert()
INSERT_HOLD = HOLD.insert("ON CONFLICT (scope, name) DO NOTHING")
END_HOLD = delete(HOLD.table, [_h.scope, _h.name])
HOLDS = Query(select(*HOLD.columns).order_by(_h.scope, _h.name))
LOCK_HOLD = Query(
    select(*HOLD.columns).where(_h.scope == bindparam("which"), _h.name == bindparam("called")).with_for_update()
)
_acts = select(*ACT.columns).where(_a.id < bindparam("before")).order_by(_a.id.desc()).limit(_limit)
ACTS = Query(_acts)
ACTS_ABOUT = Query(_acts.where(_a.about == bindparam("what")))
LOCK_ABOUT = Query(select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("about"), literal_column("0")))))
ACTS_OF_MANY = Query(select(*ACT.columns).where(among(_a.about, "abouts")).order_by(_a.id))

# Bytes are never read for a list.
_listed = [literal(b"").label("body") if c is _q.body else c for c in QUARANTINE.columns]
_with_end = QUARANTINE.table.outerjoin(QUARANTINE_END.table, _e.row_id == _q.id)
_rows = select(*_listed, *QUARANTINE_END.columns).select_from(_with_end).order_by(_q.id.desc()).limit(_limit)
_of = _q.owner == bindparam("whose")
_open = or_(_e.row_id.is_(None), _q.count > _e.count)
ROWS = {
    (False, True): Query(_rows),
    (True, True): Query(_rows.where(_of)),
    (False, False): Query(_rows.where(_open)),
    (True, False): Query(_rows.where(_of, _open)),
}
"""(of one owner, also what is dealt with) → the list."""
LOCK_ROW = Query(select(*QUARANTINE.columns).where(_q.id == bindparam("row")).with_for_update())
END_OF_ROW = Query(select(*QUARANTINE_END.columns).where(_e.row_id == bindparam("row")))
END_ROW = QUARANTINE_END.insert(
    'ON CONFLICT (row_id) DO UPDATE SET at = excluded.at, "user" = excluded."user", person = excluded.person, '
    'how = excluded.how, why = excluded.why, "count" = excluded."count" '
    'WHERE quarantine_ends."count" < excluded."count"',
)
_judged = [_q.reason, _q.pointer, _q.rule, _q.detail_zh, _q.detail_en]
JUDGE_ROW = QUARANTINE.update(_judged, [_q.id])

_is_dead = text("(outbox.state = 'parked' OR outbox.state = 'dead')")
_dead_columns = (
    _o.sender, _o.message_id, _o.receiver, _o.request_no, _o.verb, _o.seqno, _o.state, _o.reason, _m.stored_at,
    _m.digest, _r.state,
)  # fmt: skip
_dead = (
    select(*_dead_columns)
    .select_from(
        outbox.join(messages, and_(_m.id == _o.message_id, _m.sender == _o.sender)).outerjoin(
            requests, _r.request_no == _o.request_no
        )
    )
    .where(_is_dead)
    .order_by(_o.id)
)
DEAD = Query(_dead.limit(_limit))
DEAD_OF = Query(_dead.where(_o.receiver == bindparam("whose")).limit(_limit))
_named = _dead.where(among(_o.message_id, "ids"))
DEAD_NAMED, LOCK_DEAD = Query(_named), Query(_named.with_for_update(of=outbox))
COUNT_DEAD = Query(
    select(func.count()).select_from(
        select(_o.id).where(_is_dead, _o.receiver == bindparam("whose")).limit(MOST).subquery()
    )
)
REQUESTS_OF = Query(
    select(_r.request_no).where(among(_r.request_no, "numbers")).order_by(_r.request_no).with_for_update()
)

ADD_PLAN = Query(
    insert(PLAN.table)
    .values(
        at=bindparam("at", type_=Instant()), user=bindparam("user"), person=bindparam("person"),
        items=bindparam("items", type_=Json()), digest=bindparam("digest"), state=bindparam("state"),
    )
    .returning(_p.plan_no)
)  # fmt: skip
_plan = select(*PLAN.columns).where(_p.plan_no == bindparam("number"))
PLAN_BY_NUMBER, LOCK_PLAN = Query(_plan), Query(_plan.with_for_update())
PLANS = Query(select(*PLAN.columns).order_by(_p.plan_no.desc()).limit(_limit))
PUT_PLAN = PLAN.update(
    [_p.state, _p.begun_at, _p.begun_by, _p.begun_person, _p.outcomes, _p.ended_at, _p.ended_by, _p.ended_person],
    [_p.plan_no],
)

OWN_MESSAGES = Query(
    select(_m.id, _m.seqno, _m.verb, _o.state, _m.disclosure.is_not(None))
    .select_from(messages.join(outbox, and_(_o.message_id == _m.id, _o.sender == _m.sender)))
    .where(_m.request_no == bindparam("number"), _m.sender == bindparam("by"), _m.seqno > 0)
    .order_by(_m.seqno)
    .limit(_limit)
)

_incidents = select(*EVENT.columns).where(text("events.kind = 'incident'"), _ev.audience == bindparam("to"))
INCIDENTS = Query(_incidents.where(_ev.id < bindparam("before")).order_by(_ev.id.desc()).limit(_limit))
INCIDENT = Query(_incidents.where(_ev.id == bindparam("event")))

# A court's numbers grow with the day, so the last ones that name a partner are its most recent requests.
_recent_asked = (
    select(_r.request_no)
    .where(
        _r.asked == bindparam("whose"), _r.request_no > bindparam("home_first"), _r.request_no < bindparam("home_end")
    )
    .order_by(_r.request_no.desc())
    .limit(RECENT)
)
_recent_opened = (
    select(_r.request_no)
    .where(_r.request_no > bindparam("own_first"), _r.request_no < bindparam("own_end"))
    .order_by(_r.request_no.desc())
    .limit(RECENT)
)
_theirs, _verb = _m.sender == bindparam("whose"), _m.verb
_latest = (
    func.max(_m.stored_at).filter(_m.receiver == bindparam("whose"), _m.disposition == "sent"),
    func.max(_m.stored_at).filter(_theirs, _verb == "delivered"),
    func.max(_m.stored_at).filter(_theirs, *(_verb != verb for verb in ("open", "delivered", "withdraw-ack"))),
)
LAST = tuple(
    Query(select(*_latest).where(_m.request_no.in_(select(recent.subquery().c.request_no))))
    for recent in (_recent_asked, _recent_opened)
)
UNDELIVERED_STATES = ("approved", "blocked", "dispatched", "raised", "sent", "undeliverable")
UNDELIVERED = Query(
    select(func.count()).select_from(
        select(_r.request_no).where(_r.asked == bindparam("whose"), among(_r.state, "states")).limit(MOST).subquery()
    )
)

# Of each recent request, and of each that is not delivered: when it went, when it was shown, when it was answered.
_without_answer = ("dispatched", "raised", "sent", "undeliverable")
_known = (_r.request_no, _r.due_at, _r.turn)
_of_home = [_r.request_no > bindparam("home_first"), _r.request_no < bindparam("home_end")]
_asked = select(*_known).where(_r.asked == bindparam("whose"), *_of_home).order_by(_r.request_no.desc()).limit(RECENT)
_unshown = (
    select(*_known)
    .where(_r.asked == bindparam("whose"), among(_r.state, "states"), *_of_home)
    .order_by(_r.request_no)
    .limit(RECENT)
)
_looked_at = union(*(select(one.subquery()) for one in (_asked, _unshown))).subquery()
_sent = func.min(_m.stored_at).filter(_m.receiver == bindparam("whose"), _m.disposition == "sent")
_shown = func.min(_m.stored_at).filter(_theirs, _verb == "delivered")
_answered = func.min(_m.stored_at).filter(_theirs, *(_verb != verb for verb in ("open", "delivered", "withdraw-ack")))
EXCHANGES = Query(
    select(_sent, _shown, _answered, func.min(_looked_at.c.due_at), func.min(_looked_at.c.turn))
    .select_from(_looked_at.join(messages, _m.request_no == _looked_at.c.request_no))
    .group_by(_looked_at.c.request_no)
)


def _figure(*conditions: ColumnElement[bool]) -> Query:
    return Query(select(func.count()).select_from(select(_r.request_no).where(*conditions).limit(MOST).subquery()))


_is_open: ColumnElement[bool] = literal_column("requests.turn <> ''")
OVERDUE = _figure(_is_open, _r.due_at <= bindparam("now", type_=Instant()))
# As rows of columns, so that only the index over just these will do.
_out, _in = tuple_(_r.turn, _r.asker), tuple_(_r.asked, _r.turn)
_turn: ColumnElement[str] = bindparam("whose_turn")
_court: ColumnElement[str] = bindparam("asker")
_out_row, _in_row = tuple_(_turn, _court), tuple_(_court, _turn)
OUT_TURN = _figure(_is_open, _out >= _out_row, _out <= _out_row)
IN_TURN = _figure(_is_open, _in >= _in_row, _in <= _in_row)
# Of one state; a court's code begins the numbers of what it asks.
_in_state, _state = tuple_(_r.state, _r.request_no), bindparam("which", type_=CODE)
NOT_SHOWN = _figure(
    _in_state > tuple_(_state, bindparam("home_first")), _in_state < tuple_(_state, bindparam("home_end"))
)

LAST_ID = 2**63 - 1


def _dead_message(row: Row) -> DeadMessage:
    sender, message_id, receiver, request_no, verb, seqno, state, reason, stored_at, digest, request_state = row
    return DeadMessage(
        sender, message_id, receiver, request_no, verb, seqno, state, reason, moment(stored_at), digest, request_state
    )


class SqlOperatingUnit(Unit):
    """Inside one unit of work."""

    async def put_silence(self, silence: Silence) -> bool:
        return await self._db.run(PUT_SILENCE.bulk, PUT_SILENCE.rows([silence])) == 1

    async def end_silence(self, participant: str) -> bool:
        return await self._db.run(END_SILENCE, [(participant,)]) == 1

    async def claim_digest(self, day: str, recipient: str, now: datetime, term: timedelta) -> int:
        rows = list(await self._db.fetch(CLAIM_DIGEST, day=day, recipient=recipient, until=now + term, now=now))
        return rows[0][0] if rows else 0

    async def end_digest(self, day: str, recipient: str, now: datetime) -> None:
        await self._db.fetch(END_DIGEST, on=day, whose=recipient, at=now)

    async def record(self, act: ActRow) -> None:
        await self._db.run(INSERT_ACT.bulk, INSERT_ACT.rows([act]))

    async def begin_hold(self, hold: Hold) -> bool:
        return await self._db.run(INSERT_HOLD.bulk, INSERT_HOLD.rows([hold])) == 1

    async def end_hold(self, scope: Scope, name: str) -> Hold | None:
        rows = list(await self._db.fetch(LOCK_HOLD, which=scope, called=name))
        await self._db.run(END_HOLD, [(scope, name)])
        return HOLD.read(rows[0]) if rows else None

    async def quarantine_row(self, row_id: int) -> QuarantineRow | None:
        return await self._one(QUARANTINE, LOCK_ROW, row=row_id)

    async def quarantine_end(self, row_id: int) -> QuarantineEnd | None:
        return await self._one(QUARANTINE_END, END_OF_ROW, row=row_id)

    async def end_quarantine(self, end: QuarantineEnd) -> bool:
        return await self._db.run(END_ROW.bulk, END_ROW.rows([end])) == 1

    async def judge_quarantined(self, row: QuarantineRow) -> None:
        await self._db.run(JUDGE_ROW.bulk, JUDGE_ROW.rows([row]))

    async def dead(self, keys: Sequence[tuple[str, str]]) -> list[DeadMessage]:
        """The requests before the rows of the outbox, as every other unit locks them."""
        wanted, ids = set(keys), [message_id for _, message_id in keys]
        numbers = {row[3] for row in await self._db.fetch(DEAD_NAMED, ids=ids) if row[3] is not None}
        if self._db.locks and numbers:
            await self._db.fetch(REQUESTS_OF, numbers=sorted(numbers))
        found = [_dead_message(row) for row in await self._db.fetch(LOCK_DEAD, ids=ids)]
        return [one for one in found if (one.sender, one.message_id) in wanted]

    async def add_plan(self, plan: Plan) -> int:
        number: int = await self._scalar(
            ADD_PLAN, at=plan.at, user=plan.user, person=plan.person, items=plan.items, digest=plan.digest,
            state=plan.state,
        )  # fmt: skip
        return number

    async def plan(self, plan_no: int) -> Plan | None:
        return await self._one(PLAN, LOCK_PLAN, number=plan_no)

    async def put_plan(self, plan: Plan) -> None:
        await self._db.run(PUT_PLAN.bulk, PUT_PLAN.rows([plan]))

    async def acts_about(self, about: str) -> list[ActRow]:
        if self._db.locks:
            await self._db.fetch(LOCK_ABOUT, about=about)
        return [ACT.read(row) for row in await self._db.fetch(ACTS_OF_MANY, abouts=[about])]

    async def own_messages(self, request_no: str, sender: str, limit: int) -> list[OwnMessage]:
        rows = await self._db.fetch(OWN_MESSAGES, number=request_no, by=sender, limit=limit)
        return [OwnMessage(i, seqno, verb, state, bool(kept)) for i, seqno, verb, state, kept in rows]


class SqlOperatingReads(Reads):
    """Each read on a connection of its own."""

    async def holds(self) -> list[Hold]:
        return await self._all(HOLD, HOLDS)

    async def acts(self, *, about: str | None = None, before: int | None = None, limit: int = 100) -> list[ActRow]:
        query = ACTS if about is None else ACTS_ABOUT
        rows = await self._rows(query, what=about, before=before or LAST_ID, limit=limit)
        return [ACT.read(row) for row in rows]

    async def acts_about(self, abouts: Sequence[str]) -> Mapping[str, list[ActRow]]:
        found: dict[str, list[ActRow]] = {}
        for row in await self._rows(ACTS_OF_MANY, abouts=abouts) if abouts else ():
            act = ACT.read(row)
            found.setdefault(act.about, []).append(act)
        return found

    async def quarantine(
        self, *, owner: str | None, whole: bool, limit: int
    ) -> list[tuple[QuarantineRow, QuarantineEnd | None]]:
        width = len(QUARANTINE.columns)
        rows = await self._rows(ROWS[owner is not None, whole], whose=owner, limit=limit)
        return [
            (QUARANTINE.read(row[:width]), QUARANTINE_END.read(row[width:]) if row[width] is not None else None)
            for row in map(tuple, rows)
        ]

    async def quarantine_end(self, row_id: int) -> QuarantineEnd | None:
        return await self._one(QUARANTINE_END, END_OF_ROW, row=row_id)

    async def dead(self, receiver: str | None, limit: int) -> list[DeadMessage]:
        query = DEAD if receiver is None else DEAD_OF
        return [_dead_message(row) for row in await self._rows(query, whose=receiver, limit=limit)]

    async def plan(self, plan_no: int) -> Plan | None:
        return await self._one(PLAN, PLAN_BY_NUMBER, number=plan_no)

    async def plans(self, limit: int) -> list[Plan]:
        return await self._all(PLAN, PLANS, limit=limit)

    async def incidents(self, audience: str, before: int | None, limit: int) -> list[Event]:
        rows = await self._rows(INCIDENTS, to=audience, before=before or LAST_ID, limit=limit)
        return [EVENT.read(row) for row in rows]

    async def incident(self, audience: str, event_id: int) -> Event | None:
        return await self._one(EVENT, INCIDENT, to=audience, event=event_id)

    async def silences(self) -> list[Silence]:
        return await self._all(SILENCE, SILENCES)

    async def exchanges(self, participant: str, home: str, since: datetime) -> list[Exchange]:
        rows = await self._rows(
            EXCHANGES, whose=participant, states=list(_without_answer), home_first=f"{home}-",
            home_end=f"{home}.",
        )  # fmt: skip
        found = []
        for row in rows:
            sent, shown, answered, due = (None if at is None else moment(at) for at in row[:4])
            found.append(Exchange(sent, shown, answered, due, open=row[4] is not None))
        return [one for one in found if one.open or (one.sent_at is not None and one.sent_at >= since)]

    async def open_figures(self, home: str, now: datetime) -> OpenFigures:
        async with self.database.reader() as connection:

            async def count(query: Query, **parameters: object) -> int:
                ((found,),) = await connection.fetch(query, asker=home, **parameters)
                return int(found)

            return OpenFigures(
                overdue=await count(OVERDUE, now=now),
                ours=sum(
                    [
                        await count(OUT_TURN, whose_turn="gateway"),
                        await count(OUT_TURN, whose_turn="asker"),
                        await count(IN_TURN, whose_turn="asked"),
                    ]
                ),
                partner=await count(OUT_TURN, whose_turn="asked") + await count(IN_TURN, whose_turn="asker"),
                approval=await count(OUT_TURN, whose_turn="approval"),
                undelivered=sum(
                    [
                        await count(NOT_SHOWN, which=state, home_first=f"{home}-", home_end=f"{home}.")
                        for state in UNDELIVERED_STATES
                    ]
                ),
            )

    async def partner_standing(self, participant: str, home: str) -> PartnerStanding:
        ends = {
            "home_first": f"{home}-", "home_end": f"{home}.", "own_first": f"{participant}-",
            "own_end": f"{participant}.",
        }  # fmt: skip
        async with self.database.reader() as connection:
            answers = await connection.fetch_all(
                (*LAST, UNDELIVERED, COUNT_DEAD), whose=participant, states=list(UNDELIVERED_STATES), **ends
            )
        asked, opened, ((undelivered,),), ((dead,),) = ([*rows] for rows in answers)
        latest = [
            max((at for at in pair if at is not None), default=None) for pair in zip(asked[0], opened[0], strict=True)
        ]
        sent, delivered, answered = (None if at is None else moment(at) for at in latest)
        return PartnerStanding(participant, sent, delivered, answered, undelivered, dead)
