"""The calls about ledgers and reports, for the home court alone."""

from __future__ import annotations

from datetime import date

from aiohttp import web
from pydantic_core import PydanticCustomError

from gateway.application.ports.books import LedgerFilter
from gateway.application.queries.report_answers import report_view
from gateway.core.figures.periods import Period, last_week, period_named
from gateway.http.admission import Caller
from gateway.http.api import Api
from gateway.http.calls.requests import handed
from gateway.http.inputs import JSON, LedgerQuery, ReportQuery, at_most, parse
from gateway.http.reply import answered, view_reply
from lianzhi.errors import RejectedError
from lianzhi.problem import FieldError
from lianzhi.protocol.rules import RULES
from lianzhi.protocol.times import FIRST, day


async def list_ledgers(request: web.Request, api: Api, caller: Caller) -> web.Response:
    return view_reply(await api.ledgers.names())


async def read_ledger(request: web.Request, api: Api, caller: Caller) -> web.Response:
    asked = parse(LedgerQuery, request.query)
    where = LedgerFilter(
        ledger=request.match_info["ledger"],
        first=_day(asked.first, "/from"),
        last=_day(asked.last, "/until"),
        after=asked.after,
        limit=at_most(asked.limit, api.context.bounds),
    )
    return view_reply(await api.ledgers.page(where))


async def record_closure(request: web.Request, api: Api, caller: Caller) -> web.Response:
    words = await handed(request, api, caller)
    if words.content_type != JSON:
        raise RejectedError("bad-content-type", pointer="/Content-Type")
    return answered(await api.closures.record(words))


async def read_report(request: web.Request, api: Api, caller: Caller) -> web.Response:
    asked = parse(ReportQuery, request.query)
    today = api.context.today()
    report = await api.reporting.report(_period(asked, today))
    return view_reply(report_view(report, {p.code: p.zh for p in api.context.directory}))


def _period(asked: ReportQuery, today: date) -> Period:
    if asked.week is not None and asked.month is not None:
        raise _fault("/month", "week-or-month", "周和月只填其一", "Give a week or a month, not both")
    pointer = "/month" if asked.month is not None else "/week"
    name = asked.month or asked.week
    if name is None:
        return last_week(today)
    try:
        period = period_named(name)
        in_calendar = period.first >= FIRST
    except (ValueError, OverflowError):
        in_calendar = False
    if not in_calendar:
        raise _fault(pointer, "no-such-period", "没有这一周或这一月", "There is no such week or month")
    if period.first > today:
        raise _fault(pointer, "period-in-future", "该期间尚未开始", "This period has not begun")
    return period


def _day(text: str | None, pointer: str) -> str | None:
    try:
        return None if text is None else day(text)
    except PydanticCustomError as error:
        english = RULES[error.type].en.format_map(error.context or {})
        raise _fault(pointer, error.type, error.message(), english) from None


def _fault(pointer: str, rule: str, zh: str, en: str) -> RejectedError:
    return RejectedError("invalid-field", [FieldError(pointer=pointer, rule=rule, detail=zh, detail_en=en)])
