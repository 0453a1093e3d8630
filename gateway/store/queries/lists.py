"""Lists: pages of requests and measures, the feed, a request's timeline.

A page is one range of an index, or several, each read in the order of a number, for rows that are alike in some
columns. Said as `type = :type … ORDER BY request_no LIMIT :limit`, it leaves PostgreSQL the choice to walk through the
numbers of all types and pick: cheap where every tenth row fits, and a walk through the whole table where none does.
Compared as rows and ordered by all of the columns, only the index over just these columns will do (`alike`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Integer,
    Select,
    bindparam,
    func,
    literal,
    select,
    tuple_,
    union_all,
)

from gateway.application.ports.lists import MeasureFilter, OpenFilter, RequestFilter
from gateway.core.records import Event, Measure, Request
from gateway.store.engine.columns import moment
from gateway.store.engine.database import Reads
from gateway.store.engine.statements import Query
from gateway.store.queries.conversations import of_opener
from gateway.store.queries.open_requests import page_of_open_requests
from gateway.store.tables import EVENT, MEASURE, REQUEST

_r, _e, _x = REQUEST.c, EVENT.c, MEASURE.c
_limit = bindparam("limit", type_=Integer())

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

Ends = tuple[ColumnElement[Any], ColumnElement[Any]]

EVERY: Ends = (bindparam("low"), literal("~"))
"""All that come after `low`. The end is behind every number: they are ASCII letters, digits, hyphens."""
OPENED: Ends = (bindparam("first"), bindparam("end"))
"""Those that one party gives."""


def ends_of(opener: str | None, after: str | None) -> dict[str, object]:
    """The parameters of both. after: the number that the last page ended with."""
    low = after or ""
    return {"low": low, "first": max(f"{opener}-", low), "end": f"{opener}."}


def alike(
    page: Select[Any],
    columns: Sequence[ColumnElement[Any]],
    values: Sequence[BindParameter[Any]],
    number: ColumnElement[Any],
    ends: Ends,
) -> Select[Any]:
    """The rows of `page` with these values, numbered between the ends (both outside), in order of the number."""
    row, (first, end) = tuple_(*columns, number), ends
    if not columns:
        return page.where(number > first, number < end).order_by(number)
    return page.where(row > tuple_(*values, first), row < tuple_(*values, end)).order_by(*columns, number)


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
    opened, was_asked = page.where(*of_opener(bindparam("own"))), page.where(_OWN)
    if in_case:
        opened, was_asked = opened.where(_r.case_no == _CASE), was_asked.where(_r.asked_case_no == _CASE)
    return _merged([opened, was_asked])


def _merged(ranges: Sequence[Select[Any]], number: str = "request_no") -> Query:
    """The first of what each of them begins with."""
    both = union_all(*(select(one.subquery()) for one in ranges)).subquery()
    return Query(select(both).order_by(both.c[number]).limit(_limit))


MEASURE_FILTERS: dict[str, ColumnElement[bool]] = {"ends_by": _x.end_on <= bindparam("ends_by")}


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


class Lists(Reads):
    """`application.ports.lists.Lists`."""

    async def requests(self, where: RequestFilter) -> list[Request]:
        query, parameters = page_of_requests(where)
        return await self._all(REQUEST, query, **parameters)

    async def open_requests(self, where: OpenFilter) -> list[Request]:
        query, parameters = page_of_open_requests(where)
        return await self._all(REQUEST, query, **parameters)

    async def measures(self, where: MeasureFilter) -> list[Measure]:
        if not where.states:
            return []
        query, parameters = page_of_measures(where)
        return await self._all(MEASURE, query, **parameters)

    async def events(self, audience: str, after: int, limit: int) -> list[Event]:
        return await self._all(EVENT, EVENTS_AFTER, to=audience, after=after, limit=limit)

    async def first_event(self) -> int | None:
        first: int | None = await self._scalar(FIRST_EVENT)
        return first

    async def last_event(self) -> int:
        return await self._scalar(LAST_EVENT) or 0

    async def newest_event_at(self) -> datetime | None:
        at: int | None = await self._scalar(NEWEST_EVENT_AT)
        return None if at is None else moment(at)

    async def audiences(self, after: int, until: int) -> set[str]:
        return {audience for (audience,) in await self._rows(AUDIENCES, after=after, until=until)}

    async def timeline(self, request_no: str) -> list[Event]:
        return await self._all(EVENT, TIMELINE, number=request_no)

    async def timeline_page(self, request_no: str, audience: str, after: int, limit: int) -> list[Event]:
        return await self._all(EVENT, TIMELINE_PAGE, number=request_no, to=audience, after=after, limit=limit)
