"""Queries of the ledgers and of the weekly report. They are rare and cover a whole period: some read a whole table."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Integer, bindparam, exists, func, literal_column, select

from gateway.core.requests.lifecycle import TERMINAL
from gateway.store import tables
from gateway.store.columns import Instant, among
from gateway.store.query import Query
from gateway.store.rows import COURT_FIGURE, EVENT, LEDGER, MEASURE, REQUEST

_l, _r, _e, _x, _f = (
    tables.ledger_entries.c,
    tables.requests.c,
    tables.events.c,
    tables.measures.c,
    tables.court_figures.c,
)
_ledger = _l.ledger == bindparam("ledger")
_place = (_l.ledger, _l.item_no, _l.source)
_other = tables.ledger_entries.alias("other")
OVER: list[ColumnElement[str]] = [
    literal_column(f"'{state}'") for state in sorted(frozenset().union(*TERMINAL.values()))
]

ITEM_LINES = Query(select(*LEDGER.columns).where(_ledger, _l.item_no == bindparam("item")).order_by(*_place))
# Two units that write to one item on the word of what stands there take turns.
LOCK_ITEM = Query(select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("item"), literal_column("0")))))
# Items with a line in the days asked for, by number.
ITEM_NUMBERS = Query(
    select(_l.item_no)
    .distinct()
    .where(
        _ledger,
        _l.item_no > bindparam("after"),
        _l.day >= bindparam("first"),
        _l.day <= bindparam("last"),
    )
    .order_by(_l.item_no)
    .limit(bindparam("limit", type_=Integer()))
)
LINES_OF_ITEMS = Query(select(*LEDGER.columns).where(_ledger, among(_l.item_no, "items")).order_by(*_place))
# Every item that anything happened to from `first` on, or that no line has settled; a sum always may be unsettled.
STANDING_LINES = Query(
    select(*LEDGER.columns)
    .where(
        _l.day <= bindparam("last"),
        exists().where(_other.c.ledger == _l.ledger, _other.c.item_no == _l.item_no, _other.c.day >= bindparam("first"))
        | ~exists().where(
            _other.c.ledger == _l.ledger,
            _other.c.item_no == _l.item_no,
            _other.c.settles.is_(True),
            _other.c.amount.is_(None),
        ),
    )
    .order_by(*_place)
)

# What changed since, and what is still open. A notice is never answered, so nothing is counted of it.
LIVING_REQUESTS = Query(
    select(*REQUEST.columns)
    .where(
        _r.shape != literal_column("'notice'"),
        (_r.updated_at >= bindparam("since", type_=Instant())) | _r.state.not_in(OVER),
    )
    .order_by(_r.request_no)
)
REQUESTS_NAMED = Query(select(*REQUEST.columns).where(among(_r.request_no, "numbers")))
EVENTS_OF = Query(
    select(*EVENT.columns).where(among(_e.request_no, "numbers"), _e.audience == bindparam("to")).order_by(_e.id)
)
MEASURES_ENDING = Query(
    select(*MEASURE.columns)
    .where(among(_x.state, "states"), _x.end_on >= bindparam("first"), _x.end_on <= bindparam("last"))
    .order_by(_x.measure_no)
)
COURT_FIGURES = Query(select(*COURT_FIGURE.columns).where(_f.period == bindparam("period")))
MAY_SCAN = frozenset({"STANDING_LINES", "LIVING_REQUESTS", "MEASURES_ENDING"})
