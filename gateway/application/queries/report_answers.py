"""Ledgers and reports as the API answers them (docs/domain.md 2.10 and 10)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated

from gateway.application.answers import View
from gateway.core.figures.indicators import Indicators, Line, Report, Share
from gateway.core.figures.ledgers import LedgerItem
from lianzhi.protocol.base import label
from lianzhi.protocol.envelope import timestamp
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


class ShareView(View):
    """rate: percent with one decimal; absent where there is nothing to count."""

    part: Annotated[int, label("分子", "How many of them")]
    whole: Annotated[int, label("分母", "Of how many")]
    rate: Annotated[float | None, label("比例", "Percent with one decimal; absent: nothing to count")] = None


class IndicatorsView(View):
    delivered: Annotated[int, label("送达", "Delivered")]
    undelivered: Annotated[int, label("未送达", "Sent or to be sent, and not delivered at the end of the period")]
    overdue: Annotated[int, label("逾期未答", "Past its deadline and without a final answer at the end of the period")]
    receipt: Annotated[ShareView, label("签收率", "Received within one working day, of those delivered")]
    acceptance: Annotated[ShareView, label("受理率", "Accepted, of those decided on")]
    on_time: Annotated[ShareView, label("按期办结率", "Finally answered by its deadline, of those due")]
    median_hours: Annotated[float | None, label("反馈中位工时", "Office hours from delivery to first result")] = None
    results: Annotated[int, label("首次反馈", "First results")]
    refusals: Annotated[dict[str, int], label("拒绝", "Refusals by reason")]
    returns: Annotated[dict[str, int], label("退回", "Returns by reason")]
    alerts: Annotated[int, label("预警", "Alerts")]
    alert_minutes: Annotated[float | None, label("预警确认中位分钟", "Minutes to acknowledge")] = None
    alerts_in_time: Annotated[ShareView, label("10分钟内确认率", "Acknowledged within ten minutes")]
    lapsed: Annotated[int, label("失效措施", "Measures that lapsed")]
    ending: Annotated[int, label("30日内到期", "Measures that end within 30 days")]
    unconfirmed: Annotated[int, label("待确认", "Results unconfirmed for more than 3 working days")]
    petitions_overdue: Annotated[int, label("信访逾期", "Petitions overdue")]
    funds_overdue: Annotated[int, label("案款超期", "Funds over 30 days")]
    leads_sent: Annotated[int, label("移送线索", "Leads sent")]
    leads_filed: Annotated[int, label("立案", "Leads filed")]
    leads_refused: Annotated[int, label("不予立案", "Leads that the police decided not to file")]
    leads_transferred: Annotated[int, label("移送其他机关", "Leads transferred to whose they are")]
    leads_turned_away: Annotated[int, label("违规拒收", "Leads answered by a refusal or a return, which is not lawful")]
    leads_revoked: Annotated[int, label("撤销案件", "Cases that the police withdrew after filing")]
    leads_overdue: Annotated[int, label("线索逾期", "Leads overdue, 7 days")]
    leads_long_overdue: Annotated[int, label("线索超30日", "Of these, past the 30 days of a complex one")]
    rechecks_overdue: Annotated[int, label("终本核查逾期", "Rechecks overdue")]


class ReportLine(View):
    key: Annotated[str, label("单位或团队", "Participant, team or period")]
    name: Annotated[str | None, label("名称", "Name of the participant")] = None
    indicators: Annotated[IndicatorsView, label("指标", "Indicators")]


class ReportView(View):
    """imported: percent as the court handed it in; one that was not handed in is absent."""

    period: Annotated[str, label("期间", "Week (2026-W13) or month (2026-03)")]
    first: Annotated[str, label("首日", "First day")]
    last: Annotated[str, label("末日", "Last day")]
    as_of: Annotated[str, label("统计截至", "As of")]
    complete: Annotated[bool, label("已结束", "Whether the period is over")]
    total: Annotated[IndicatorsView, label("合计", "Indicators of the whole court")]
    partners: Annotated[list[ReportLine], label("各单位", "By participant")]
    teams: Annotated[list[ReportLine], label("各团队", "By team")]
    incoming: Annotated[list[ReportLine], label("受托事项", "What others asked of us, by asker")]
    trend: Annotated[list[ReportLine], label("走势", "This period and those before it")]
    imported: Annotated[dict[str, str], label("导入指标", "Percent as the court handed it in, by indicator")]


def report_view(report: Report, names: Mapping[str, str]) -> ReportView:
    """names: participant → Chinese name."""

    def lines(found: Iterable[Line]) -> list[ReportLine]:
        return [
            ReportLine(key=line.key, name=names.get(line.key), indicators=indicators_view(line.values))
            for line in found
        ]

    return ReportView(
        period=report.period.name,
        first=report.period.first.isoformat(),
        last=report.period.last.isoformat(),
        as_of=timestamp(report.as_of),
        complete=report.complete,
        total=indicators_view(report.total),
        partners=lines(report.partners),
        teams=lines(report.teams),
        incoming=lines(report.incoming),
        trend=lines(report.trend),
        imported=dict(report.imported),
    )


def indicators_view(values: Indicators) -> IndicatorsView:
    given = {name: getattr(values, name) for name in IndicatorsView.model_fields}
    given |= {name: round(value, 1) for name, value in given.items() if isinstance(value, float)}
    shares = {k: ShareView(part=v.part, whole=v.whole, rate=v.rate) for k, v in given.items() if isinstance(v, Share)}
    counts = {k: dict(v) for k, v in given.items() if k in ("refusals", "returns")}
    return IndicatorsView(**{**given, **shares, **counts})


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
