"""The reads that need no lock, each with its name; `SqlStore` runs them outside any unit of work."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Integer, Select, bindparam, func, literal, select, text, union_all

from gateway.application.ports import MeasureFilter, RequestFilter
from gateway.store import tables
from gateway.store.columns import Instant, among
from gateway.store.query import Query
from gateway.store.ranges import EVERY, OPENED, Ends, alike, ends_of
from gateway.store.rows import (
    CALENDAR,
    CASE_DEBT,
    EVENT,
    MEASURE,
    MEASURE_STEP,
    MESSAGE,
    QUARANTINE,
    RELEASE,
    RELEASE_ITEM,
    REQUEST,
    SUBMISSION,
)

_r, _m, _s, _e = tables.requests.c, tables.messages.c, tables.submissions.c, tables.events.c
_o, _x, _q = tables.outbox.c, tables.measures.c, tables.quarantine.c
_limit = bindparam("limit", type_=Integer())
# Word for word the condition of the partial index.
_waits = "outbox.state = 'ready' OR outbox.state = 'waiting'"
_is_unsent = text(f"({_waits} OR outbox.state = 'parked')")

REQUEST_BY_NUMBER = Query(select(*REQUEST.columns).where(_r.request_no == bindparam("number")))
MESSAGES_OF = Query(select(*MESSAGE.columns).where(_m.request_no == bindparam("number")).order_by(_m.stored_at, _m.id))
_at = bindparam("at", type_=Instant())
MESSAGE_PAGE = Query(
    select(*MESSAGE.columns)
    .where(
        _m.request_no == bindparam("number"),
        _m.disposition != "quarantined",
        (_m.stored_at > _at) | ((_m.stored_at == _at) & (_m.id > bindparam("last"))),
    )
    .order_by(_m.stored_at, _m.id)
    .limit(_limit)
)
# What opened the request; the members of a group share one.
SUBMISSION_OF = Query(
    select(*SUBMISSION.columns)
    .join(tables.requests, (_s.id == _r.submission_id) & (_s.sender == _r.asker))
    .where(_r.request_no == bindparam("number"))
)

EVENTS_AFTER = Query(
    select(*EVENT.columns)
    .where(_e.audience == bindparam("to"), _e.id > bindparam("after"))
    .order_by(_e.id)
    .limit(_limit)
)
AUDIENCES = Query(select(_e.audience).distinct().where(_e.id > bindparam("after"), _e.id <= bindparam("until")))
FIRST_EVENT = Query(select(func.min(_e.id)))
LAST_EVENT = Query(select(func.max(_e.id)))
NEWEST_EVENT_AT = Query(select(_e.at).order_by(_e.id.desc()).limit(1))
TIMELINE = Query(select(*EVENT.columns).where(_e.request_no == bindparam("number")).order_by(_e.id))
TIMELINE_PAGE = Query(
    select(*EVENT.columns)
    .where(_e.request_no == bindparam("number"), _e.audience == bindparam("to"), _e.id > bindparam("after"))
    .order_by(_e.id)
    .limit(_limit)
)

_measures = select(*MEASURE.columns).where(among(_x.state, "states")).order_by(_x.measure_no)
MEASURES_IN = Query(_measures)
MEASURES_OF_CASE = Query(_measures.where(_x.case_no == bindparam("case"), _x.opener == bindparam("court")))
_debts = tables.case_debts.c
DEBTS_OF_CASE = Query(
    select(*CASE_DEBT.columns)
    .where(_debts.case_no == bindparam("case"), _debts.court == bindparam("court"))
    .order_by(_debts.seq)
)
MEASURE_BY_NUMBER = Query(select(*MEASURE.columns).where(_x.measure_no == bindparam("number")))
MEASURE_STEPS_OF = Query(
    select(*MEASURE_STEP.columns)
    .where(tables.measure_steps.c.measure_no == bindparam("number"))
    .order_by(tables.measure_steps.c.id)
)
_refused = select(*QUARANTINE.columns).order_by(_q.id.desc()).limit(_limit)
NEWEST_QUARANTINE = Query(_refused)
NEWEST_QUARANTINE_OF = Query(_refused.where(_q.owner == bindparam("whose")))
QUARANTINE_ROW = Query(select(*QUARANTINE.columns).where(_q.id == bindparam("row")))
_l, _li = tables.releases.c, tables.release_items.c
RELEASE_BY_NUMBER = Query(select(*RELEASE.columns).where(_l.release_no == bindparam("number")))
RELEASES_OF_CASE = Query(select(*RELEASE.columns).where(_l.case_no == bindparam("case")).order_by(_l.release_no))
RELEASE_ITEMS = Query(select(*RELEASE_ITEM.columns).where(_li.release_no == bindparam("number")).order_by(_li.seq))

BACKLOG = Query(select(func.count()).select_from(tables.outbox).where(text(f"({_waits})")))
# One of `gateway.store.engine.POSTGRES_SETTINGS`, which no pooler passes on.
SESSION_SETTING = Query(text("SELECT current_setting('enable_seqscan')"))
# Ids are given in the order of writing.
OLDEST_UNSENT = Query(
    select(_m.stored_at)
    .join(tables.outbox, (_m.id == _o.message_id) & (_m.sender == _o.sender))
    .where(_o.id == select(func.min(_o.id)).where(_is_unsent).scalar_subquery())
)
PROVISIONAL = Query(
    select(tables.timers.c.request_no).where(
        text("timers.provisional"), tables.timers.c.due_at <= bindparam("until", type_=Instant())
    )
)
DUE_FROM = Query(
    select(tables.timers.c.request_no).where(tables.timers.c.due_at >= bindparam("since", type_=Instant()))
)
CALENDARS = Query(select(*CALENDAR.columns).order_by(tables.calendars.c.year))
CLOCK = Query(select(func.clock_timestamp()))  # PostgreSQL
PING = Query(select(literal(1, Integer())))


# What a decision of law is made on: every row of one opener, whose code begins the number, and no limit.
def _of(opener: BindParameter[str]) -> tuple[ColumnElement[bool], ...]:
    return _r.asker == opener, _r.request_no > bindparam("first"), _r.request_no < bindparam("end")


_of_opener = _of(bindparam("opener"))
OPENED_IN_CASE = Query(
    select(*REQUEST.columns).where(_r.case_no == bindparam("case"), *_of_opener).order_by(_r.request_no)
)
OPENED_IN_GROUP = Query(
    select(*REQUEST.columns).where(_r.group_no == bindparam("group"), *_of_opener).order_by(_r.request_no)
)
_CASE: BindParameter[str] = bindparam("case_no")
FILTERS: dict[str, ColumnElement[bool]] = {
    # The few requests of a case or a group are found by it and by nothing else, so no index is on the first three.
    "type": func.coalesce(_r.type, "") == bindparam("type"),
    "state": func.coalesce(_r.state, "") == bindparam("state"),
    "receiver": func.coalesce(_r.asked, "") == bindparam("receiver"),
    "group_no": _r.group_no == bindparam("group_no"),
    "after": _r.request_no > bindparam("after"),
}
_OWN = func.coalesce(_r.asked, "") == bindparam("own")
_KEYS: dict[str, ColumnElement[str]] = {"receiver": _r.asked, "own": _r.asked, "state": _r.state, "type": _r.type}
# The first two of these that are asked for are the beginning of an index; what is left is picked out of its range.
_KEY_COLUMNS = 2


def page_of_requests(where: RequestFilter) -> tuple[Query, dict[str, object]]:
    """The query of one page in request_no order, and its parameters."""
    asked = {name: value for name in (*FILTERS, "case_no") if (value := getattr(where, name)) is not None}
    query = _page(frozenset(asked), where.participant is not None)
    ends = ends_of(where.participant, where.after)
    return query, {**asked, "own": where.participant, **ends, "limit": where.limit}


def range_of(opener: str | None) -> dict[str, object]:
    """The numbers that an opener gives, as parameters of a query."""
    return {"first": f"{opener}-", "end": f"{opener}."}


@cache
def _page(names: frozenset[str], of_participant: bool) -> Query:
    """A participant's requests are two index ranges: those it opened (its code begins their number) and those it
    was asked. A case is that of the participant: what others call theirs is none of it."""
    if names & {"case_no", "group_no"}:
        return _page_of_few(names, of_participant)
    if not of_participant:
        return Query(_range_of_requests(names))
    opened = _range_of_requests(names, OPENED).where(_r.asker == bindparam("own"))
    return _merged([opened, _range_of_requests(names | {"own"})])


def _range_of_requests(names: frozenset[str], ends: Ends = EVERY) -> Select[Any]:
    keys = [name for name in _KEYS if name in names]
    if "own" in keys and "receiver" in keys:
        keys.remove("receiver")  # the same column
    keys = keys[:_KEY_COLUMNS]
    rest = [FILTERS[name] for name in sorted(names & FILTERS.keys()) if name not in (*keys, "after")]
    page = select(*REQUEST.columns).where(*rest).limit(_limit)
    return alike(page, [_KEYS[name] for name in keys], [bindparam(name) for name in keys], _r.request_no, ends)


def _page_of_few(names: frozenset[str], of_participant: bool) -> Query:
    page = (
        select(*REQUEST.columns)
        .where(*(FILTERS[name] for name in sorted(names & FILTERS.keys())))
        .order_by(_r.request_no)
        .limit(_limit)
    )
    in_case = "case_no" in names
    if not of_participant:
        return Query(page.where(_r.case_no == _CASE) if in_case else page)
    opened, was_asked = page.where(*_of(bindparam("own"))), page.where(_OWN)
    if in_case:
        opened, was_asked = opened.where(_r.case_no == _CASE), was_asked.where(_r.asked_case_no == _CASE)
    return _merged([opened, was_asked])


def _merged(ranges: Sequence[Select[Any]], number: str = "request_no") -> Query:
    """The first of what each of them begins with."""
    both = union_all(*(select(one.subquery()) for one in ranges)).subquery()
    return Query(select(both).order_by(both.c[number]).limit(_limit))


MEASURE_FILTERS: dict[str, ColumnElement[bool]] = {
    "ends_by": _x.end_on <= bindparam("ends_by"),
}


def page_of_measures(where: MeasureFilter) -> tuple[Query, dict[str, object]]:
    """One page in measure_no order, and its parameters. `where.states` is not empty."""
    asked = {name: value for name in ("case_no", *MEASURE_FILTERS) if (value := getattr(where, name)) is not None}
    query = _measure_page(frozenset(asked), where.participant is not None, len(set(where.states)))
    own = {"own": where.participant, **ends_of(where.participant, where.after)}
    states = {f"state_{n}": state for n, state in enumerate(dict.fromkeys(where.states))}
    return query, {**asked, **own, **states, "limit": where.limit}


@cache
def _measure_page(names: frozenset[str], of_participant: bool, states: int) -> Query:
    """As `_page`: a measure's number begins with that of its request. The two ranges never meet: nobody asks itself.
    A case is its opener's; who keeps a measure does not see it, and finds nothing by it.

    Each state is a range of its own, read in order of the number: what has ended over the years is not read on the
    way to what is live.
    """
    ranges = []
    for n in range(states):
        page = (
            select(*MEASURE.columns)
            .where(*(MEASURE_FILTERS[name] for name in sorted(names & MEASURE_FILTERS.keys())))
            .limit(_limit)
        )
        keys: dict[ColumnElement[Any], BindParameter[Any]] = {_x.state: bindparam(f"state_{n}")}
        if "case_no" in names:
            keys = {_x.case_no: bindparam("case_no"), **keys}
        ends = OPENED if of_participant else EVERY
        ranges.append(alike(page, list(keys), list(keys.values()), _x.measure_no, ends))
        if of_participant and "case_no" not in names:
            keys = {_x.asked: bindparam("own"), **keys}
            ranges.append(alike(page, list(keys), list(keys.values()), _x.measure_no, EVERY))
    return _merged(ranges, "measure_no")
