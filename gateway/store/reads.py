"""The reads that need no lock, each with its name; `SqlStore` runs them outside any unit of work."""

from __future__ import annotations

from functools import cache

from sqlalchemy import ColumnElement, Integer, bindparam, func, literal, select, text, union_all

from gateway.services.ports import MeasureFilter, RequestFilter
from gateway.store import tables
from gateway.store.columns import Instant, among
from gateway.store.query import Query
from gateway.store.rows import (
    CALENDAR,
    DOCUMENT,
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
_o, _x, _q, _d = tables.outbox.c, tables.measures.c, tables.quarantine.c, tables.document_refs.c
_limit = bindparam("limit", type_=Integer())
# Word for word the condition of the partial index.
_is_unsent = text("(outbox.state = 'ready' OR outbox.state = 'parked')")

REQUEST_BY_NUMBER = Query(select(*REQUEST.columns).where(_r.request_no == bindparam("number")))
MESSAGES_OF = Query(select(*MESSAGE.columns).where(_m.request_no == bindparam("number")).order_by(_m.stored_at, _m.id))
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
OLDEST_EVENT = Query(select(func.min(_e.id)).where(_e.audience == bindparam("to")))
LAST_EVENT = Query(select(func.max(_e.id)))
TIMELINE = Query(select(*EVENT.columns).where(_e.request_no == bindparam("number")).order_by(_e.id))

_measures = select(*MEASURE.columns).where(among(_x.state, "states")).order_by(_x.measure_no)
MEASURES_IN = Query(_measures)
MEASURES_IN_CASE = Query(_measures.where(_x.case_no == bindparam("case")))
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
DOCUMENT_BY_DIGEST = Query(select(*DOCUMENT.columns).where(tables.documents.c.sha256 == bindparam("digest")))
DOCUMENT_READERS = Query(
    select(_r.asker, _r.asked)
    .join(tables.document_refs, _d.request_no == _r.request_no)
    .where(_d.sha256 == bindparam("digest"))
)

_l, _li = tables.releases.c, tables.release_items.c
RELEASE_BY_NUMBER = Query(select(*RELEASE.columns).where(_l.release_no == bindparam("number")))
RELEASES_OF_CASE = Query(select(*RELEASE.columns).where(_l.case_no == bindparam("case")).order_by(_l.release_no))
RELEASE_ITEMS = Query(select(*RELEASE_ITEM.columns).where(_li.release_no == bindparam("number")).order_by(_li.seq))

# Sent and cancelled outbox rows are not counted: there are millions, and nobody waits for them.
COUNTS = {
    "requests": Query(select(_r.type + "|" + _r.state, func.count()).group_by(_r.type, _r.state)),
    "outbox": Query(select(_o.state, func.count()).where(_is_unsent).group_by(_o.state)),
    "quarantine": Query(select(_q.reason, func.count()).group_by(_q.reason)),
    "pages": Query(select(tables.pages.c.state, func.count()).group_by(tables.pages.c.state)),
    "timers": Query(select(tables.timers.c.kind, func.count()).group_by(tables.timers.c.kind)),
}
BACKLOG = Query(select(func.count()).select_from(tables.outbox).where(text("outbox.state = 'ready'")))
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

FILTERS: dict[str, ColumnElement[bool]] = {
    "case_no": _r.case_no == bindparam("case_no"),
    "type": _r.type == bindparam("type"),
    "state": _r.state == bindparam("state"),
    "receiver": _r.asked == bindparam("receiver"),
    "group_no": _r.group_no == bindparam("group_no"),
    "after": _r.request_no > bindparam("after"),
}


def page_of_requests(where: RequestFilter) -> tuple[Query, dict[str, object]]:
    """The query of one page in request_no order, and its parameters."""
    asked = {name: value for name in FILTERS if (value := getattr(where, name)) is not None}
    query = _page(frozenset(asked), where.participant is not None)
    own = {"own": where.participant, "first": f"{where.participant}-", "end": f"{where.participant}."}
    return query, {**asked, **own, "limit": where.limit}


@cache
def _page(names: frozenset[str], of_participant: bool) -> Query:
    """A participant's requests are two index ranges: those it opened (its code begins their number) and those it
    was asked."""
    base = select(*REQUEST.columns).where(*(FILTERS[name] for name in sorted(names)))
    page = base.order_by(_r.request_no).limit(_limit)
    if not of_participant:
        return Query(page)
    opened = page.where(
        _r.asker == bindparam("own"), _r.request_no > bindparam("first"), _r.request_no < bindparam("end")
    )
    was_asked = page.where(_r.asked == bindparam("own"))
    both = union_all(select(opened.subquery()), select(was_asked.subquery())).subquery()
    return Query(select(both).order_by(both.c.request_no).limit(_limit))


MEASURE_FILTERS: dict[str, ColumnElement[bool]] = {
    "case_no": _x.case_no == bindparam("case_no"),
    "ends_by": _x.end_on <= bindparam("ends_by"),
    "after": _x.measure_no > bindparam("after"),
}


def page_of_measures(where: MeasureFilter) -> tuple[Query, dict[str, object]]:
    """One page in measure_no order, and its parameters."""
    asked = {name: value for name in MEASURE_FILTERS if (value := getattr(where, name)) is not None}
    query = _measure_page(frozenset(asked), where.participant is not None)
    own = {"own": where.participant, "first": f"{where.participant}-", "end": f"{where.participant}."}
    return query, {**asked, **own, "states": where.states, "limit": where.limit}


@cache
def _measure_page(names: frozenset[str], of_participant: bool) -> Query:
    """As `_page`: a measure's number begins with that of its request. The two ranges never meet: nobody asks itself."""
    base = select(*MEASURE.columns).where(among(_x.state, "states"), *(MEASURE_FILTERS[n] for n in sorted(names)))
    page = base.order_by(_x.measure_no).limit(_limit)
    if not of_participant:
        return Query(page)
    opened = page.where(_x.measure_no > bindparam("first"), _x.measure_no < bindparam("end"))
    was_asked = page.where(_x.asked == bindparam("own"))
    both = union_all(select(opened.subquery()), select(was_asked.subquery())).subquery()
    return Query(select(both).order_by(both.c.measure_no).limit(_limit))
