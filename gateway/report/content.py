"""The content of the report, written once; workbook, PDF and terminal only lay it out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from gateway.core.figures.indicators import COURT_FIGURES, Indicators, Line, Report, Share
from gateway.core.time.calendar import SHANGHAI
from gateway.report.shapes import Chart, Column, Content, Key, Series, Table, Value, of_how_many, text
from gateway.report.words import DEFINITIONS, REASONS, period_words, short_period

TOTAL = "合计"
BARS = 8

LINE_COLUMNS: tuple[Column, ...] = (
    Column("送达", "Delivered", lambda i: i.delivered),
    Column("签收率", "Receipt", lambda i: i.receipt),
    Column("受理率", "Acceptance", lambda i: i.acceptance),
    Column("按期率", "On time", lambda i: i.on_time),
    Column("中位工时", "Median h", lambda i: i.median_hours),
    Column("拒绝", "Refused", lambda i: sum(i.refusals.values())),
    Column("退回", "Returned", lambda i: sum(i.returns.values())),
    Column("待确认", "Unconfirmed", lambda i: i.unconfirmed),
)
STANDING_COLUMNS: tuple[Column, ...] = (
    Column("未送达", "Undelivered", lambda i: i.undelivered),
    Column("逾期", "Overdue", lambda i: i.overdue),
)
CONTROL_COLUMNS: tuple[Column, ...] = (
    Column("预警", "Alerts", lambda i: i.alerts),
    Column("确认分钟", "Median min", lambda i: i.alert_minutes),
    Column("10分钟内", "In 10 min", lambda i: i.alerts_in_time),
    Column("措施失效", "Lapsed", lambda i: i.lapsed),
    Column("30日到期", "Ending", lambda i: i.ending),
)


def content(report: Report, court: str, names: Mapping[str, str]) -> Content:
    """court: its name. names: participant → name; one without a name is shown by its code."""
    period = report.period
    said = "本周" if period.is_week else "本月"
    own = (*LINE_COLUMNS, *STANDING_COLUMNS, *CONTROL_COLUMNS)
    tables = (
        _lines("partners", "按协作单位", "单位", own, report.partners, names, f"{said}没有发往协作单位的事项。",
               report.total),
        _lines("teams", "按办案团队", "团队", own, report.teams, {}, f"{said}没有注明办案团队的事项。"),
        _lines("incoming", "受托事项（本院办理，按委托单位）", "委托单位", LINE_COLUMNS, report.incoming, names,
               f"{said}没有其他单位委托本院的事项。"),
        _reasons(report.total, f"{said}没有被拒绝或退回的请求。"),
        _duties(report.total),
    )  # fmt: skip
    return Content(
        court=court,
        title="执行外部协作周报" if period.is_week else "执行外部协作月报",
        period=period_words(period),
        as_of=_moment(report.as_of),
        running=not report.complete,
        keys=_keys(report),
        tables=tables,
        charts=_charts(report, names),
        definitions=DEFINITIONS,
    )


def _keys(report: Report) -> Sequence[Key]:
    now = report.total
    before = report.trend[-2].values if len(report.trend) > 1 else Indicators()
    past = "上周" if report.period.is_week else "上月"

    def share(zh: str, en: str, value: Share, earlier: Share) -> Key:
        said = [of_how_many(value), f"{past} {text(earlier)}" if earlier.whole else ""]
        return Key(zh, en, value, note="，".join(part for part in said if part))

    def zero(zh: str, en: str, value: int, unit: str = "件") -> Key:
        return Key(zh, en, value, unit, alarm=value > 0)

    imported = [
        Key(zh, en, f"{report.imported[name]}%" if name in report.imported else "未导入", note="法院导入")
        for name, (zh, en) in COURT_FIGURES.items()
    ]
    return (
        Key("送达请求", "Delivered", now.delivered, "件", f"{past} {before.delivered} 件"),
        share("签收率", "Receipt rate", now.receipt, before.receipt),
        share("受理率", "Acceptance rate", now.acceptance, before.acceptance),
        share("按期率", "On-time rate", now.on_time, before.on_time),
        Key(
            "中位工时",
            "Median working hours",
            now.median_hours,
            "小时" if now.results else "",
            f"首次结果 {now.results} 件",
        ),
        Key("命中预警", "Alerts", now.alerts, "次", f"确认中位 {text(now.alert_minutes)} 分钟" if now.alerts else ""),
        share("10分钟确认率", "Acknowledged in 10 min", now.alerts_in_time, before.alerts_in_time),
        Key("30日内到期措施", "Measures ending in 30 days", now.ending, "项"),
        zero("失效措施", "Measures lapsed", now.lapsed, "项"),
        zero("超3个工作日待确认", "Results unconfirmed", now.unconfirmed),
        zero("信访逾期", "Petitions overdue", now.petitions_overdue),
        zero("案款超30日", "Funds over 30 days", now.funds_overdue, "笔"),
        zero("终本核查逾期", "Rechecks overdue", now.rechecks_overdue),
        zero("拒执线索逾期", "Leads overdue", now.leads_overdue),
        *imported,
    )


def _lines(
    name: str,
    title: str,
    first: str,
    columns: Sequence[Column],
    lines: Sequence[Line],
    names: Mapping[str, str],
    empty: str,
    total: Indicators | None = None,
) -> Table:
    """Who was asked most stands first. total: a last line for all of them, where there are several."""
    shown = [line for line in _by_size(lines) if any(_says_something(c.of(line.values)) for c in columns if c.of)]
    named = [(names.get(line.key, line.key), line.values) for line in shown]
    if total is not None and len(named) > 1:
        named.append((TOTAL, total))
    rows: list[list[Value]] = [[who, *(c.of(values) for c in columns if c.of)] for who, values in named]
    return Table(name, title, (Column(first, "Name"), *columns), rows, empty)


def _says_something(value: Value) -> bool:
    return value.whole > 0 if isinstance(value, Share) else bool(value)


def _by_size(lines: Sequence[Line]) -> Sequence[Line]:
    return sorted(lines, key=lambda line: (-line.values.delivered, line.key))


def _reasons(total: Indicators, empty: str) -> Table:
    counts = {code: (total.refusals.get(code, 0), total.returns.get(code, 0)) for code in _codes(total)}
    rows: list[list[Value]] = [
        [REASONS.get(code, code), refused, returned] for code, (refused, returned) in counts.items()
    ]
    columns = (Column("原因", "Reason"), Column("拒绝", "Refused"), Column("退回", "Returned"))
    return Table("reasons", "拒绝与退回的原因", columns, rows, empty)


def _duties(total: Indicators) -> Table:
    heads = (
        ("移送线索", "Sent"),
        ("立案", "Filed"),
        ("不予立案", "Not filed"),
        ("移送他处", "Transferred"),
        ("违规拒收", "Turned away"),
        ("撤案", "Withdrawn"),
        ("逾7日", "Over 7 days"),
        ("逾30日", "Over 30"),
    )
    row: list[Value] = [
        *(total.leads_sent, total.leads_filed, total.leads_refused, total.leads_transferred),
        *(total.leads_turned_away, total.leads_revoked),
        *(total.leads_overdue, total.leads_long_overdue),
    ]
    return Table("leads", "拒执线索", tuple(Column(zh, en) for zh, en in heads), [row], "")


def _codes(total: Indicators) -> Sequence[str]:
    """Most frequent first."""
    both = {*total.refusals, *total.returns}
    return sorted(both, key=lambda code: (-total.refusals.get(code, 0) - total.returns.get(code, 0), code))


def _charts(report: Report, names: Mapping[str, str]) -> Sequence[Chart]:
    periods = [short_period(line.key) for line in report.trend]
    trend = [line.values for line in report.trend]
    due = sorted((line for line in report.partners if line.values.on_time.whole), key=_on_time)
    worst, title = due[:BARS], f"按期率最低的{BARS}家（%）" if len(due) > BARS else "各单位按期率（%）"
    codes = _codes(report.total)
    return (
        Chart(
            "trend",
            "签收率与按期率走势（%）",
            "lines",
            periods,
            (
                Series("签收率", [i.receipt.rate for i in trend]),
                Series("按期率", [i.on_time.rate for i in trend]),
            ),
            True,
        ),
        Chart(
            "on-time",
            title,
            "bars",
            [names.get(line.key, line.key) for line in worst],
            (Series("按期率", [line.values.on_time.rate for line in worst]),),
            True,
        ),
        Chart(
            "reasons",
            "拒绝与退回的原因（件）",
            "bars",
            [REASONS.get(code, code) for code in codes],
            (Series("件数", [report.total.refusals.get(c, 0) + report.total.returns.get(c, 0) for c in codes]),),
            False,
        ),
    )


def _on_time(line: Line) -> tuple[float, str]:
    return (line.values.on_time.rate or 0.0, line.key)


def _moment(at: datetime) -> str:
    """The end of a period is the evening of its last day."""
    local = (at - timedelta(microseconds=1)).astimezone(SHANGHAI)
    return f"{local.year}年{local.month}月{local.day}日{local:%H:%M}"
