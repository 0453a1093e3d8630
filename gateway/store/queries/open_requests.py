"""The lists of operators: requests that are not done, by deadline or by age.

One filter is the beginning of an index over what is open (one of `tables.LISTED`, else the partner, else for whom it
waits); the others are picked out of its range. For whom a request waits is written relative to its two sides, and the
court is one or the other: a list may be several ranges, each in the same order, of which the first rows are merged.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    and_,
    bindparam,
    func,
    literal,
    literal_column,
    or_,
    select,
    tuple_,
    union_all,
)

from gateway.application.ports.lists import OpenFilter
from gateway.core.requests.listing import IN, OUT, Order, Waits
from gateway.store.engine.columns import micros
from gateway.store.engine.statements import Query
from gateway.store.tables import LISTED, REQUEST

_r = REQUEST.c
_limit = bindparam("limit", type_=Integer())
LATEST = 2**62
END = "~"
"""Behind every number."""
_home: ColumnElement[str] = bindparam("home")
_OPEN: ColumnElement[bool] = literal_column("requests.turn <> ''")
"""The condition of the other indexes, as they say it."""


def page_of_open_requests(where: OpenFilter) -> tuple[Query, dict[str, object]]:
    """The query of one page, and its parameters."""
    names = [*LISTED, "partner", "type"]
    asked = {name: value for name in names if (value := getattr(where, name)) is not None}
    query = _page(frozenset(asked), where.waits, where.order, where.due_by is not None)
    low, after = where.after or (-1, "")
    parameters: dict[str, object] = {"home": where.home, "low": low, "after": after, "limit": where.limit}
    return query, asked | parameters | {"high": _last(where.due_by)}


def _last(due_by: datetime | None) -> int:
    return LATEST if due_by is None else micros(due_by)


@cache
def _page(names: frozenset[str], waits: Waits | None, order: Order, until: bool) -> Query:
    ranges = [_range(*one, names, order, until=until) for one in _ranges(names, waits)]
    if len(ranges) == 1:
        return Query(ranges[0].with_only_columns(*REQUEST.columns))
    merged = union_all(*(select(one.subquery()) for one in ranges)).subquery()
    columns = [merged.c[column.name] for column in REQUEST.columns]
    return Query(select(*columns).order_by(merged.c[_COLUMN[order]], merged.c.request_no).limit(_limit))


Equal = Sequence[tuple[ColumnElement[Any], ColumnElement[Any]]]
_COLUMN = {"due": "due_at", "age": "created_at"}


def _ranges(names: frozenset[str], waits: Waits | None) -> list[tuple[Equal, list[ColumnElement[bool]]]]:
    """(the beginning of the index, what else must be) of each."""
    key = next((name for name in LISTED if name in names), None)
    if key is not None:
        rest = [_is(name) for name in LISTED if name in names and name != key]
        is_open = [_r.turn.is_not(None), _r[key].is_not(None)]  # the condition of its index
        return [([(_r[key], bindparam(key))], [*is_open, *rest, *_turned(waits), *_with(names)])]
    if "partner" in names:
        partner: ColumnElement[str] = bindparam("partner")
        asks, is_asked = [_OPEN, _picked(_r.asker, "partner")], [_OPEN, _picked(_r.asker, "home")]
        out = [([(_r.asked, partner), (_r.turn, literal(t))], is_asked) for t in OUT[waits]]
        return [*out, *(([(_r.asked, _home), (_r.turn, literal(t))], asks) for t in IN[waits])]
    if waits is None:
        return [([], [_OPEN])]
    return [([(_r.turn, literal(t)), (_r.asker, _home)], [_OPEN]) for t in OUT[waits]] + [
        ([(_r.asked, _home), (_r.turn, literal(t))], [_OPEN]) for t in IN[waits]
    ]


def _range(
    equal: Equal, rest: list[ColumnElement[bool]], names: frozenset[str], order: Order, *, until: bool
) -> Select[Any]:
    columns, values = [column for column, _ in equal], [value for _, value in equal]
    page = select(*REQUEST.columns, _r.due_at).where(*rest).limit(_limit)
    if "type" in names:
        page = page.where(_picked(_r.type, "type"))
    low, high = bindparam("low", type_=BigInteger()), bindparam("high", type_=BigInteger())
    after: ColumnElement[str] = bindparam("after")
    if order == "age" and until:
        page = page.where(literal_column("requests.due_at + 0") <= high)
    if order == "due" or columns in ([], [_r.turn, _r.asker]):
        at = _r.due_at if order == "due" else _r.created_at
        row = tuple_(*columns, at, _r.request_no)
        last = high if order == "due" else literal(LATEST, BigInteger())
        page = page.where(row > tuple_(*values, low, after), row < tuple_(*values, last, literal(END)))
        return page.order_by(*columns, at, _r.request_no)
    # Few enough to be sorted. "+ 0": so that no index over times looks like a way to them.
    born = literal_column("requests.created_at + 0", BigInteger())
    page = page.where(*(column == value for column, value in equal))
    page = page.where(tuple_(born, _r.request_no) > tuple_(low, after))
    return page.order_by(born, literal_column("requests.request_no"))


def _is(name: str) -> ColumnElement[bool]:
    return _picked(_r[name], name)


def _picked(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """Equal, in a way that is no way to an index."""
    return func.coalesce(column, "") == bindparam(name)


def _turned(waits: Waits | None) -> list[ColumnElement[bool]]:
    if waits is None:
        return []
    sides = [(side, turns) for side, turns in (("asker", OUT[waits]), ("asked", IN[waits])) if turns]
    return [or_(*(and_(_picked(_r[side], "home"), _one_of(turns)) for side, turns in sides))]


def _one_of(turns: Sequence[str]) -> ColumnElement[bool]:
    return or_(*(func.coalesce(_r.turn, "") == literal(turn) for turn in turns))


def _with(names: frozenset[str]) -> list[ColumnElement[bool]]:
    if "partner" not in names:
        return []
    return [or_(_picked(_r.asked, "partner"), _picked(_r.asker, "partner"))]
