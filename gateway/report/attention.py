"""The first page of the report: what the court's leaders look at, each late request a row of its own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from gateway.core.figures.attention import Attention, Late
from gateway.core.figures.histories import Alert, Ask, Done
from gateway.core.figures.indicators import Report
from gateway.core.figures.ledgers import LedgerItem
from gateway.core.figures.verdicts import ACKNOWLEDGE
from gateway.report.names import Names
from gateway.report.shapes import NONE, Column, Minutes, Table, Value
from gateway.report.words import CAUSES, REASONS, day_words, sortable

_REQUEST = (
    Column("请求编号", "Request"),
    Column("案号", "Case", below=True),
    Column("事项", "Matter"),
    Column("对方单位", "With whom", below=True),
    Column("承办人", "Handler"),
    Column("团队", "Team", below=True),
    Column("包案领导", "Leader", below=True),
)
LATE = (
    *_REQUEST,
    Column("期限", "Due"),
    Column("已超工时", "Hours over"),
    Column("已采取措施", "Done about it"),
    Column("现状", "Now", below=True),
)


def lists(report: Report, names: Names, said: str) -> Sequence[Table]:
    """said: 本周 or 本月. Those that may be long come with all their rows; paper prints the first of them."""
    found = report.attention
    return (
        _late("late", "对方逾期未答复", found.late, report, names, "没有逾期未答复的请求。"),
        _late("ours-late", "本院逾期未答复（受托事项）", found.ours_late, report, names, "本院没有逾期的受托事项。"),
        _lapsed(found, names, said),
        _unconfirmed(found, names),
        _hits(found, names, said),
        _undelivered(found, names),
        _silent(found, names),
    )


def summary(found: Attention, said: str) -> str:
    """One sentence."""
    parts = (
        (len(found.late), "件对方逾期"),
        (len(found.ours_late), "件本院逾期"),
        (len(found.lapsed), "项措施失效"),
        (len(found.unconfirmed), "件结果超期未确认"),
        (len(found.hits), "次预警未及时处置"),
        (sum(one.count for one in found.undelivered), "件未送达"),
        (len(found.silent), "家单位失联"),
    )
    told = "，".join(f"{count} {what}" for count, what in parts if count)
    return f"{told}。" if told else f"{said}没有需要关注的事项。"


def _whose(row: Ask | Alert | LedgerItem, names: Names, partner: str | None) -> list[Value]:
    """The first columns of a row."""
    return [
        row.request_no or NONE,
        row.case_no or NONE,
        names.type(row.type),
        names.party(partner),
        names.person(row.handler),
        row.team or NONE,
        names.person(row.lead),
    ]


def _late(name: str, title: str, rows: Sequence[Late], report: Report, names: Names, empty: str) -> Table:
    said = [
        [
            *_whose(late.ask, names, late.ask.partner),
            sortable(late.ask.due),
            round(late.hours, 1),
            NONE if late.ask.incoming else done(late.ask.done),
            _standing(late, report.as_of),
        ]
        for late in rows
    ]
    caption = "期限在期末前届满而期末仍无最终答复的请求，未送达的也列入；已超工时按办公时间计算，先列逾期最久的。"
    return Table(name, title, LATE, said, empty, caption)


def done(about: Done) -> str:
    """催办2次（最近3月27日，对方有回应）；督办 …；已报告领导"""
    parts = []
    if about.urged_at:
        answered = "对方有回应" if about.answered else "对方无回应"
        parts.append(f"催办{len(about.urged_at)}次（最近{day_words(about.urged_at[-1])}，{answered}）")
    if about.supervised is not None:
        parts.append(f"已提请督办 {about.supervised}")
    if about.escalated:
        parts.append("已提示报告院领导")
    return "；".join(parts) or "尚未催办"


def _standing(late: Late, as_of: datetime) -> str:
    ask = late.ask
    if late.answered_at is not None:
        return f"{day_words(late.answered_at)}已答复"
    if ask.ended_at is not None:
        return f"{day_words(ask.ended_at)}已撤回"
    steps = ((ask.decided_at, "办理中"), (ask.received_at, "已签收，未表态"), (ask.delivered_at, "已送达，未签收"))
    return next((said for at, said in steps if at is not None), "未送达")


def _lapsed(found: Attention, names: Names, said: str) -> Table:
    columns = (*_REQUEST, Column("措施编号", "Measure"), Column("届满日", "Last day", below=True))
    rows = [
        [*_whose(one, names, one.partner), one.item_no, one.due_on.isoformat() if one.due_on else NONE]
        for one in found.lapsed
    ]
    caption = f"{said}届满、期末仍未续期也未解除的控制措施；效力已消灭。"
    return Table("lapsed", "措施失效", columns, rows, f"{said}没有失效的措施。", caption)


def _unconfirmed(found: Attention, names: Names) -> Table:
    columns = (*_REQUEST, Column("收到结果", "Result since"))
    rows = [[*_whose(row, names, row.partner), sortable(row.waiting_since)] for row in found.unconfirmed]
    caption = "对方已有结果，本院超过3个工作日未确认也未退回重办。"
    return Table("unconfirmed", "结果待本院确认", columns, rows, "没有超期待确认的结果。", caption)


def _hits(found: Attention, names: Names, said: str) -> Table:
    columns = (*_REQUEST, Column("命中时间", "Hit at"), Column("确认用时（分钟）", "Minutes", below=True))
    limit = ACKNOWLEDGE / timedelta(minutes=1)
    rows: list[list[Value]] = [
        [
            *_whose(one.alert, names, one.alert.partner),
            sortable(one.alert.raised_at),
            _took(one.minutes, one.alert, limit),
        ]
        for one in found.hits
    ]
    caption = "收到后10分钟内本院没有处置的命中预警。"
    return Table("hits", "预警未及时处置", columns, rows, f"{said}的预警都在10分钟内处置。", caption)


def _took(minutes: float | None, alert: Alert, limit: float) -> Value:
    if minutes is not None:
        return Minutes(minutes, limit)
    return "已失效，无人处置" if alert.lapsed_at is not None else "无人处置"


def _undelivered(found: Attention, names: Names) -> Table:
    columns = (Column("单位", "Partner"), Column("未送达（件）", "Requests"), Column("最早提交", "Oldest since"))
    rows: list[list[Value]] = [[names.party(one.partner), one.count, sortable(one.since)] for one in found.undelivered]
    caption = "期末仍无送达回执、也无任何答复的请求，按单位；时间为其中最早一件的提交时间。"
    return Table("undelivered", "未送达", columns, rows, "没有未送达的请求。", caption)


def _silent(found: Attention, names: Names) -> Table:
    columns = (Column("单位", "Partner"), Column("原因", "Cause"), Column("自何时起", "Since"))
    rows = [[names.party(one.participant), CAUSES[one.cause], sortable(one.since)] for one in found.silent]
    return Table("silent", "失联单位（出表时）", columns, rows, "没有失联的单位。", "出表时仍未恢复的单位。")


def reason_words(code: str) -> str:
    return REASONS.get(code, code)
