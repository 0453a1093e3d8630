"""Ledgers as the API answers them (docs/domain.md 2.10)."""

from __future__ import annotations

from typing import Annotated

from gateway.application.answers import View
from gateway.core.figures.ledgers import LedgerItem
from lianzhi.protocol.base import label
from schemas.closures import PRECONDITIONS


class RecordedClosure(View):
    """The case as it stands after the event."""

    case_no: Annotated[str, label("案号", "Case number")]
    state: Annotated[str, label("状态", "State")]
    due_on: Annotated[str | None, label("下次核查", "Next recheck")] = None
    missing: Annotated[list[str] | None, label("未登记的终本条件", "Preconditions that nobody has entered")] = None


class LedgerSummary(View):
    name: Annotated[str, label("台账", "Name in the address")]
    zh: Annotated[str, label("中文名称", "Chinese name")]
    en: Annotated[str, label("英文名称", "English name")]
    open: Annotated[int, label("未结", "Items that are not settled")]
    overdue: Annotated[int, label("逾期", "Those past their last day")]


class LedgerList(View):
    ledgers: Annotated[list[LedgerSummary], label("台账", "Ledgers")]


class PreconditionView(View):
    """One of the five of 法〔2016〕373号 article 1. met_on: absent: nobody has entered it."""

    item: Annotated[str, label("项", "Item of the article")]
    zh: Annotated[str, label("条件", "What must be so")]
    met_on: Annotated[str | None, label("满足日期", "Met since")] = None


class LedgerItemView(View):
    """One item, as its lines make it on this day."""

    item_no: Annotated[str, label("编号", "Number of the item")]
    state: Annotated[str, label("状态", "State, a code")]
    outcome: Annotated[str | None, label("办理结果", "The state that settled it")] = None
    case_no: Annotated[str | None, label("案号", "Case number")] = None
    request_no: Annotated[str | None, label("请求编号", "Request")] = None
    partner: Annotated[str | None, label("对方单位", "The other party")] = None
    team: Annotated[str | None, label("办案团队", "Team")] = None
    opened_on: Annotated[str | None, label("登记日期", "Entered on")] = None
    due_on: Annotated[str | None, label("期限", "Last day")] = None
    settled_on: Annotated[str | None, label("办结日期", "Settled on")] = None
    overdue_days: Annotated[int, label("逾期天数", "Days past the last day")] = 0
    within: Annotated[int | None, label("届满档", "A measure ends within 7, 15 or 30 days")] = None
    turned_away_on: Annotated[str | None, label("违规拒收日期", "First answered by a refusal or a return")] = None
    preconditions: Annotated[
        list[PreconditionView] | None, label("终本条件", "Of 终本: all five, those not entered too")
    ] = None
    amount: Annotated[str | None, label("金额", "CNY")] = None
    settled: Annotated[str | None, label("已结金额", "CNY, of the settling lines")] = None


class LedgerPage(View):
    ledger: Annotated[str, label("台账", "Name of the ledger")]
    items: Annotated[list[LedgerItemView], label("各项", "Items")]
    next: Annotated[str | None, label("下一页", "Cursor for `after`; absent on the last page")] = None


def _preconditions(item: LedgerItem) -> list[PreconditionView]:
    days = {name: day.isoformat() for name, day in item.met.items()}
    return [PreconditionView(item=name, zh=zh, met_on=days.get(name)) for name, zh in PRECONDITIONS.items()]


def item_view(item: LedgerItem) -> LedgerItemView:
    days = {name: getattr(item, name) for name in ("opened_on", "due_on", "settled_on", "turned_away_on")}
    sums = {name: getattr(item, name) for name in ("amount", "settled")}
    return LedgerItemView(
        item_no=item.item_no,
        state=item.state,
        outcome=item.outcome,
        case_no=item.case_no,
        request_no=item.request_no,
        partner=item.partner,
        team=item.team,
        overdue_days=item.overdue_days,
        within=item.within,
        preconditions=_preconditions(item) if item.ledger == "closure" else None,
        **{name: day.isoformat() for name, day in days.items() if day is not None},
        **{name: f"{amount:.2f}" for name, amount in sums.items() if amount is not None},
    )
