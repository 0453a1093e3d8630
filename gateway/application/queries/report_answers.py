"""Reports as the API answers them (docs/domain.md 10)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated

from gateway.application.answers import View
from gateway.core.figures.attention import SHOWN, Attention, Late
from gateway.core.figures.indicators import Indicators, Line, Report, Share
from lianzhi.protocol.base import label
from lianzhi.protocol.envelope import timestamp


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
    hits_missed: Annotated[int, label("预警未及时处置", "Alerts that nobody acknowledged within ten minutes")]
    releases: Annotated[int, label("解除措施", "Measures whose ending was done")]
    release_hours: Annotated[float | None, label("解除用时", "Median hours from the order until then")] = None
    release_longest: Annotated[float | None, label("最长解除用时", "The longest of them, hours")] = None


class ReportLine(View):
    key: Annotated[str, label("单位或团队", "Participant, team or period")]
    name: Annotated[str | None, label("名称", "Name of the participant")] = None
    indicators: Annotated[IndicatorsView, label("指标", "Indicators")]


class LateView(View):
    """A request past its deadline at the end of the period."""

    request_no: Annotated[str, label("请求编号", "Request")]
    case_no: Annotated[str | None, label("案号", "Case number")] = None
    type: Annotated[str | None, label("事项", "Matter type")] = None
    partner: Annotated[str, label("对方单位", "The other party")]
    handler: Annotated[str | None, label("承办人", "Staff number of the handler")] = None
    lead: Annotated[str | None, label("包案领导", "Staff number of the leader in charge")] = None
    team: Annotated[str | None, label("办案团队", "Team")] = None
    campaign: Annotated[str | None, label("专项行动", "Campaign")] = None
    due_at: Annotated[str, label("期限", "Deadline")]
    hours_over: Annotated[float, label("已超工时", "Office hours past it")]
    urges: Annotated[int, label("催办次数", "Urges that were sent")]
    urge_answered: Annotated[bool, label("催办后有回应", "Whether a person there has said something since the last")]
    supervision: Annotated[str | None, label("督办", "Request to the superior")] = None
    escalated: Annotated[bool, label("已提示院领导", "Whether the court's leaders were told")]
    answered_at: Annotated[str | None, label("后于何时答复", "Answered after the end of the period")] = None


class WaitingPartner(View):
    partner: Annotated[str, label("单位", "Participant")]
    requests: Annotated[int | None, label("件数", "How many of our requests it has not got")] = None
    cause: Annotated[str | None, label("原因", "Why it is silent")] = None
    since: Annotated[str, label("自何时起", "Since when")]


class AttentionView(View):
    """What the court's leaders look at first: of long lists the first 30, and how many there are."""

    late_count: Annotated[int, label("对方逾期", "Requests that are late")]
    late: Annotated[list[LateView], label("对方逾期（前30件）", "The first 30, the longest overdue first")]
    ours_late_count: Annotated[int, label("本院逾期", "What others asked of us and we have not answered in time")]
    ours_late: Annotated[list[LateView], label("本院逾期（前30件）", "The first 30")]
    lapsed: Annotated[list[str], label("措施失效（前30项）", "Numbers of measures that lapsed, the first 30")]
    unconfirmed: Annotated[list[str], label("待确认（前30件）", "Requests whose result nobody confirmed, the first 30")]
    hits: Annotated[list[str], label("预警未及时处置（前30次）", "Alerts not met in time, the first 30")]
    undelivered: Annotated[list[WaitingPartner], label("未送达", "Partners that have not got our requests")]
    silent: Annotated[list[WaitingPartner], label("失联单位", "Partners that are silent when the report is made")]


class ReportView(View):
    """splits: by type, campaign, lead, team and handler; key `*`: the rest, empty: names none. imported: percent as the
    court handed it in; one that was not handed in is absent."""

    period: Annotated[str, label("期间", "Week (2026-W13) or month (2026-03)")]
    first: Annotated[str, label("首日", "First day")]
    last: Annotated[str, label("末日", "Last day")]
    as_of: Annotated[str, label("统计截至", "As of")]
    complete: Annotated[bool, label("已结束", "Whether the period is over")]
    total: Annotated[IndicatorsView, label("合计", "Indicators of the whole court")]
    partners: Annotated[list[ReportLine], label("各单位", "By participant")]
    teams: Annotated[list[ReportLine], label("各团队", "By team")]
    incoming: Annotated[list[ReportLine], label("受托事项", "What others asked of us, by asker")]
    received: Annotated[IndicatorsView, label("受托合计", "All that others asked of us")]
    splits: Annotated[dict[str, list[ReportLine]], label("分列", "By type, campaign, lead, team, handler")]
    attention: Annotated[AttentionView, label("需院领导关注", "What the court's leaders look at first")]
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
        received=indicators_view(report.received),
        splits={name: lines(found) for name, found in report.splits.items()},
        attention=_attention(report.attention),
        trend=lines(report.trend),
        imported=dict(report.imported),
    )


def _attention(found: Attention) -> AttentionView:
    return AttentionView(
        late_count=len(found.late),
        late=[_late(one) for one in found.late[:SHOWN]],
        ours_late_count=len(found.ours_late),
        ours_late=[_late(one) for one in found.ours_late[:SHOWN]],
        lapsed=[one.item_no for one in found.lapsed[:SHOWN]],
        unconfirmed=[one.request_no for one in found.unconfirmed[:SHOWN]],
        hits=[one.alert.request_no for one in found.hits[:SHOWN]],
        undelivered=[
            WaitingPartner(partner=one.partner, requests=one.count, since=timestamp(one.since))
            for one in found.undelivered
        ],
        silent=[
            WaitingPartner(partner=one.participant, cause=one.cause, since=timestamp(one.since)) for one in found.silent
        ],
    )


def _late(late: Late) -> LateView:
    ask, done = late.ask, late.ask.done
    assert ask.due is not None, "a late request"
    return LateView(
        request_no=ask.request_no,
        case_no=ask.case_no,
        type=ask.type,
        partner=ask.partner,
        handler=ask.handler,
        lead=ask.lead,
        team=ask.team,
        campaign=ask.campaign,
        due_at=timestamp(ask.due),
        hours_over=round(late.hours, 1),
        urges=len(done.urged_at),
        urge_answered=done.answered,
        supervision=done.supervised,
        escalated=done.escalated,
        answered_at=None if late.answered_at is None else timestamp(late.answered_at),
    )


def indicators_view(values: Indicators) -> IndicatorsView:
    given = {name: getattr(values, name) for name in IndicatorsView.model_fields}
    given |= {name: round(value, 1) for name, value in given.items() if isinstance(value, float)}
    shares = {k: ShareView(part=v.part, whole=v.whole, rate=v.rate) for k, v in given.items() if isinstance(v, Share)}
    counts = {k: dict(v) for k, v in given.items() if k in ("refusals", "returns")}
    return IndicatorsView(**{**given, **shares, **counts})
