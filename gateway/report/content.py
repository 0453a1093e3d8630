"""The content of the report, written once; workbook, PDF and terminal only lay it out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from gateway.core.figures.indicators import COURT_FIGURES, Indicators, Line, Report, Share
from gateway.core.figures.rows import OTHERS, UNNAMED
from gateway.core.figures.verdicts import ACKNOWLEDGE
from gateway.report import attention, words
from gateway.report.attention import reason_words
from gateway.report.names import Names
from gateway.report.shapes import (
    TOTAL,
    Chart,
    Column,
    Content,
    Hours,
    Key,
    Minutes,
    Series,
    Source,
    Table,
    Value,
    of_how_many,
    text,
)
from gateway.report.words import CAPTIONS, DEFINITIONS, moment_words, period_words, short_period

BARS = 8
TREND_FROM = 3
"""Periods with something to count from which a trend is drawn: two points are no trend."""
LIMIT = ACKNOWLEDGE / timedelta(minutes=1)


def _hours(value: float | None) -> Value:
    return None if value is None else Hours(value)


def _minutes(value: float | None) -> Value:
    return None if value is None else Minutes(value, LIMIT)


LINE_COLUMNS: tuple[Column, ...] = (
    Column("送达", "Delivered", lambda i: i.delivered),
    Column("签收率", "Receipt", lambda i: i.receipt),
    Column("受理率", "Acceptance", lambda i: i.acceptance),
    Column("按期率", "On time", lambda i: i.on_time),
    Column("中位工时", "Median h", lambda i: _hours(i.median_hours)),
    Column("拒绝", "Refused", lambda i: sum(i.refusals.values())),
    Column("退回", "Returned", lambda i: sum(i.returns.values())),
)
UNCONFIRMED = Column("待确认", "Unconfirmed", lambda i: i.unconfirmed)
OVERDUE = Column("逾期", "Overdue", lambda i: i.overdue)
STANDING_COLUMNS: tuple[Column, ...] = (
    UNCONFIRMED,
    Column("未送达", "Undelivered", lambda i: i.undelivered),
    OVERDUE,
)
CONTROL_COLUMNS: tuple[Column, ...] = (
    Column("预警", "Alerts", lambda i: i.alerts),
    Column("确认分钟", "Median min", lambda i: _minutes(i.alert_minutes)),
    Column("10分钟内", "In 10 min", lambda i: i.alerts_in_time),
    Column("措施失效", "Lapsed", lambda i: i.lapsed),
    Column("30日到期", "Ending", lambda i: i.ending),
)
OWN = (*LINE_COLUMNS, *STANDING_COLUMNS, *CONTROL_COLUMNS)
RELEASES = (
    Column("解除措施", "Released", lambda i: i.releases),
    Column("解除用时", "Median h", lambda i: _hours(i.release_hours)),
    Column("最长用时", "Longest h", lambda i: _hours(i.release_longest)),
)
SPLIT_WORDS: Mapping[str, tuple[str, str]] = {
    "type": ("按事项", "事项"),
    "campaign": ("按专项行动", "专项行动"),
    "lead": ("按包案领导", "包案领导"),
    "team": ("按办案团队", "团队"),
    "handler": ("按承办人", "承办人"),
}
LINES = "每列算法见指标说明；先列送达最多的。"
FIRST_LINES = "列送达、预警最多的20项，其余并入“其他”，没有注明的并入“未注明”；各行相加为合计。"


def content(report: Report, court: str, names: Names | None = None) -> Content:
    """court: its name. names: what is shown by its name instead of its code."""
    names = names or Names()
    period = report.period
    said = "本周" if period.is_week else "本月"
    return Content(
        court=court,
        title="执行外部协作周报" if period.is_week else "执行外部协作月报",
        period=period_words(period),
        as_of=moment_words(report.as_of - timedelta(microseconds=1)),  # the end of a period is the evening before
        running=not report.complete,
        attention_title=f"{said}需院领导关注",
        summary=attention.summary(report.attention, said),
        lists=attention.lists(report, names, said),
        keys=_keys(report),
        tables=_tables(report, names, said),
        charts=_charts(report, names, said),
        definitions=DEFINITIONS,
    )


def _tables(report: Report, names: Names, said: str) -> Sequence[Table]:
    def called(name: str, key: str) -> str:
        given = {"type": names.types, "lead": names.people, "handler": names.people}.get(name, {})
        return {OTHERS: words.OTHERS, UNNAMED: words.UNNAMED}.get(key) or given.get(key, key)

    splits = [
        _lines(name, *SPLIT_WORDS[name], OWN, _worth_a_table(lines),
               lambda key, name=name: called(name, key),  # type: ignore[misc]
               f"{said}没有注明{SPLIT_WORDS[name][1]}的事项。", report.total, FIRST_LINES)
        for name, lines in report.splits.items()
    ]  # fmt: skip
    return (
        _lines("partners", "按协作单位", "单位", OWN, report.partners, names.party,
               f"{said}没有发往协作单位的事项。", report.total, LINES),
        *splits,
        _lines("incoming", "受托事项（本院办理，按委托单位）", "委托单位", (*LINE_COLUMNS, OVERDUE), report.incoming,
               names.party, f"{said}没有其他单位委托本院的事项。", report.received,
               "其他单位请求本院办理的事项；签收率、按期率说的是本院。"),
        _lines("releases", "解除措施用时（按单位）", "单位", RELEASES, report.partners, names.party,
               f"{said}没有办结的解除。", report.total, "自法院提出解除至对方答复已解除，自然时间，夜间、休息日计入。"),
        _reasons(report.total, f"{said}没有被拒绝或退回的请求。"),
        _duties(report.total),
    )  # fmt: skip


def _keys(report: Report) -> Sequence[Key]:
    now, received = report.total, report.received
    returned = sum(now.returns.values())
    refused = sum(now.refusals.values()) + returned
    before = report.trend[-2].values if len(report.trend) > 1 else Indicators()
    past = "上周" if report.period.is_week else "上月"

    def share(zh: str, en: str, value: Share, earlier: Share, source: Source | None) -> Key:
        said = [of_how_many(value), f"{past} {text(earlier)}" if earlier.whole else ""]
        return _key(zh, en, value, note="，".join(part for part in said if part), source=source)

    def zero(zh: str, en: str, value: int, unit: str = "件", source: Source | None = None) -> Key:
        return _key(zh, en, value, unit, alarm=value > 0, source=source)

    def total(column: str, table: str = "partners") -> Source:
        return Source(table, column)

    imported = [
        _key(zh, en, f"{report.imported[name]}%" if name in report.imported else "未导入")
        for name, (zh, en) in COURT_FIGURES.items()
    ]
    return (
        _key("送达请求", "Delivered", now.delivered, "件", f"{past} {before.delivered} 件", source=total("送达")),
        zero("未送达", "Undelivered", now.undelivered, source=total("未送达")),
        share("签收率", "Receipt rate", now.receipt, before.receipt, total("签收率")),
        share("受理率", "Acceptance rate", now.acceptance, before.acceptance, total("受理率")),
        share("按期率", "On-time rate", now.on_time, before.on_time, total("按期率")),
        zero("对方逾期", "Overdue", now.overdue, source=Source("late")),
        _key("中位工时", "Median working hours", _hours(now.median_hours), "小时" if now.results else "",
             f"首次结果 {now.results} 件"),
        _key("命中预警", "Alerts", now.alerts, "次",
             f"确认中位 {text(_minutes(now.alert_minutes))} 分钟" if now.alerts else "", source=total("预警")),
        share("10分钟确认率", "Acknowledged in 10 min", now.alerts_in_time, before.alerts_in_time, total("10分钟内")),
        _key("30日内到期措施", "Measures ending in 30 days", now.ending, "项", source=total("30日到期")),
        zero("失效措施", "Measures lapsed", now.lapsed, "项", Source("lapsed")),
        zero("预警未及时处置", "Hits not met in time", now.hits_missed, "次", Source("hits")),
        zero("超3个工作日待确认", "Results unconfirmed", now.unconfirmed, source=Source("unconfirmed")),
        _key("解除措施", "Measures released", now.releases, "项",
             f"中位 {_with_unit(now.release_hours)}" if now.releases else "", source=total("解除措施", "releases")),
        share("本院签收率", "Our own receipts", received.receipt, Share(), total("签收率", "incoming")),
        zero("本院逾期", "Overdue with us", received.overdue, source=Source("ours-late")),
        zero("信访逾期", "Petitions overdue", now.petitions_overdue),
        zero("案款超30日", "Funds over 30 days", now.funds_overdue, "笔"),
        zero("终本核查逾期", "Rechecks overdue", now.rechecks_overdue),
        zero("拒执线索逾期", "Leads overdue", now.leads_overdue),
        _key("不予立案", "Leads not filed", now.leads_refused, "件"),
        _key("拒绝、退回", "Refused or returned", refused, "件",
             f"拒绝 {refused - returned}，退回 {returned}" if refused else ""),
        *imported,
    )  # fmt: skip


def _key(
    zh: str,
    en: str,
    value: Value,
    unit: str = "",
    note: str = "",
    *,
    alarm: bool = False,
    source: Source | None = None,
) -> Key:
    if isinstance(value, Hours) and text(value).endswith("分"):
        unit = ""
    return Key(zh, en, value, unit, note, alarm, CAPTIONS[zh], source)


def _with_unit(hours: float | None) -> str:
    said = text(_hours(hours))
    return said if said.endswith("分") else f"{said} 小时"


def _lines(
    name: str,
    title: str,
    first: str,
    columns: Sequence[Column],
    lines: Sequence[Line],
    called: Callable[[str], str],
    empty: str,
    total: Indicators,
    caption: str,
) -> Table:
    """Who was asked most stands first. A last line for all of them, where there are several."""
    shown = [line for line in _by_size(lines) if any(_says_something(c.of(line.values)) for c in columns if c.of)]
    named = [(called(line.key), line.values) for line in shown]
    totalled = len(named) > 1
    if totalled:
        named.append((TOTAL, total))
    rows: list[list[Value]] = [[who, *(c.of(values) for c in columns if c.of)] for who, values in named]
    return Table(name, title, (Column(first, "Name"), *columns), rows, empty, caption, totalled)


def _worth_a_table(lines: Sequence[Line]) -> Sequence[Line]:
    """None where nothing is named."""
    return lines if any(line.key != UNNAMED for line in lines) else ()


def _says_something(value: Value) -> bool:
    return value.whole > 0 if isinstance(value, Share) else bool(value)


def _by_size(lines: Sequence[Line]) -> Sequence[Line]:
    """The rest, and what names nobody, after those that have a name."""
    return sorted(lines, key=lambda line: (line.key in (OTHERS, UNNAMED), -line.values.delivered, line.key))


def _reasons(total: Indicators, empty: str) -> Table:
    counts = {code: (total.refusals.get(code, 0), total.returns.get(code, 0)) for code in _codes(total)}
    rows: list[list[Value]] = [[reason_words(code), refused, returned] for code, (refused, returned) in counts.items()]
    totalled = len(rows) > 1
    if totalled:
        rows.append([TOTAL, sum(total.refusals.values()), sum(total.returns.values())])
    columns = (
        Column("原因", "Reason"),
        Column("拒绝", "Refused", lambda i: sum(i.refusals.values())),
        Column("退回", "Returned", lambda i: sum(i.returns.values())),
    )
    return Table("reasons", "拒绝与退回的原因", columns, rows, empty, "本期首次表态；不予立案不计入。", totalled)


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
    caption = "不予立案是公安机关的决定，与拒绝、退回（违规拒收）分列。"
    return Table("leads", "拒执线索", tuple(Column(zh, en) for zh, en in heads), [row], "", caption)


def _codes(total: Indicators) -> Sequence[str]:
    """Most frequent first."""
    both = {*total.refusals, *total.returns}
    return sorted(both, key=lambda code: (-total.refusals.get(code, 0) - total.returns.get(code, 0), code))


def _charts(report: Report, names: Names, said: str) -> Sequence[Chart]:
    due = sorted((line for line in report.partners if line.values.on_time.whole), key=_on_time)
    worst, title = due[:BARS], f"按期率最低的{BARS}家（%）" if len(due) > BARS else "各单位按期率（%）"
    codes = _codes(report.total)
    counts = [report.total.refusals.get(c, 0) + report.total.returns.get(c, 0) for c in codes]
    return (
        _trend(report),
        Chart(
            "on-time", title, "bars",
            [names.party(line.key) for line in worst],
            (Series("按期率", [line.values.on_time.rate for line in worst]),),
            percent=True, caption="本期到期的请求中期限内最终答复的比例。", nothing=f"{said}没有到期的请求。",
        ),
        Chart(
            "reasons", "拒绝与退回的原因（件）", "bars",
            [reason_words(code) for code in codes],
            (Series("件数", counts),),
            percent=False, caption="本期首次表态；不予立案不计入。", nothing=f"{said}没有被拒绝或退回的请求。",
        ),
    )  # fmt: skip


def _trend(report: Report) -> Chart:
    """From the first period in which anything was asked; none before there are enough of them."""
    first = next((n for n, line in enumerate(report.trend) if not line.values.empty), len(report.trend))
    lines = report.trend[first:]
    enough = len(lines) >= TREND_FROM
    unit = "周" if report.period.is_week else "个月"
    return Chart(
        "trend", "签收率与按期率走势（%）", "lines",
        [short_period(line.key) for line in lines],
        (
            Series("签收率", [line.values.receipt.rate for line in lines if enough]),
            Series("按期率", [line.values.on_time.rate for line in lines if enough]),
        ),
        percent=True,
        caption="每期按各该期的口径重算；没有可统计请求的期间留空。",
        nothing=f"走势自有三{unit}数据起绘制，目前有 {len(lines)} {unit}。" if lines else "近期没有可统计的请求。",
    )  # fmt: skip


def _on_time(line: Line) -> tuple[float, str]:
    return (line.values.on_time.rate or 0.0, line.key)
