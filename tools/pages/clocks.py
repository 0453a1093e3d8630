"""`docs/clocks.md`: which clocks run, how long, and what happens, written from `core.time.clocks` and
`core.settings`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from gateway.core.settings import Terms
from gateway.core.time.clocks import (
    APPROVAL,
    BLOCKED,
    CONFIRM,
    DUE,
    HOLD,
    OBJECTION,
    RECEIPT,
    RULES,
    STEPS,
    SUPPLEMENT,
    UNSENT,
    WITHDRAWAL,
)
from schemas.catalogue import Deadline, DeadlineKind, catalogue
from schemas.law.answer_terms import ANSWER_TERMS, AnswerTerm
from schemas.law.force import law
from schemas.law.lookouts import LOOKOUTS, QUESTIONING, QUESTIONING_LONG

_UNITS = {
    DeadlineKind.LEGAL_DAYS: "日 legal days",
    DeadlineKind.LEGAL_MONTHS: "个月 months",
    DeadlineKind.WORKING_DAYS: "个工作日 working days",
    DeadlineKind.CLOCK_HOURS: "小时 hours",
}
_HEAD = """\
# 时钟 Clocks

由 `gateway/core/time/clocks.py` 和 `gateway/core/settings.py` 生成；测试比对。
Written from the code; a test compares them.
时长可在 `lianzhi.toml` 的 `[terms]` 中调整。 The lengths are configuration.

| 时钟 clock | 形态 shape | 在这些状态下走 runs in | 时长 length | 到期 then |
|---|---|---|---|---|
"""
_THEN = {
    APPROVAL: "提醒 B 岗 `reminder` to B of the AB pair",
    UNSENT: "`incident` unconfirmed，状态不变 the state stays",
    BLOCKED: "`incident` blocked",
    RECEIPT: "`overdue`，催办一级 urge, level 1",
    DUE: "见下 see below",
    SUPPLEMENT: "提醒承办人补正 `reminder` to the handler",
    OBJECTION: "提醒承办人答复 `reminder` to the handler",
    CONFIRM: "提醒 B 岗；从不自动确认 `reminder` to B; never confirmed by itself",
    WITHDRAWAL: "`incident` withdrawal-unanswered",
    HOLD: "预警失效 the alert lapses",
}


def clocks_document(terms: Terms) -> str:
    """The whole of it."""
    lengths = _lengths(terms)
    rows = [
        f"| `{rule.kind}` | {rule.shape} | {', '.join(rule.states)} | {lengths[rule.kind]} | {_THEN[rule.kind]} |\n"
        for rule in RULES
    ]
    return _HEAD + "".join(rows) + _main_clock(terms) + _answer_terms() + _questioning()


def _lengths(terms: Terms) -> Mapping[str, str]:
    fast = "、".join(f"`{pattern}`" for pattern in terms.fast)
    return {
        APPROVAL: f"{_text(terms.approval)}；紧急 urgent {_text(terms.approval_urgent)}",
        UNSENT: _minutes(terms.unsent),
        BLOCKED: _minutes(terms.blocked),
        RECEIPT: f"值班时间内 {terms.receipt_days} 个工作日 working days on duty；随时受理的事项 types taken at any "
        f"hour {_minutes(terms.receipt_always)}",
        DUE: f"事项的期限 the matter's deadline；紧急 urgent {_text(terms.urgent)}",
        SUPPLEMENT: _text(terms.supplement),
        OBJECTION: _text(terms.objection),
        CONFIRM: _text(terms.confirm),
        WITHDRAWAL: f"{_text(terms.withdrawal)}；{fast} {_text(terms.withdrawal_fast)}",
        HOLD: "`hold_until`",
    }


def _main_clock(terms: Terms) -> str:
    hours = terms.remind_before / timedelta(hours=1)
    steps = (
        (f"期限前 {hours:g} 小时 before it", "`reminder` due"),
        ("期限 the deadline", "`overdue` urge，催办一级 urge, level 1"),
        (f"+{terms.urge_again} 个工作日 working days", "`overdue` urge-again，催办二级 urge, level 2"),
        (f"+{terms.supervise} 个工作日 working days", "`overdue` supervise，向最低共同上级提请督办 ask the superior"),
        (f"+{terms.escalate} 个工作日 working days", "`escalate` due"),
    )
    numbered = enumerate(zip(STEPS, steps, strict=True))
    lines = [f"| {n} `{name}` | {when} | {then} |\n" for n, (name, (when, then)) in numbered]
    return (
        "\n## 主时钟 The main clock\n\n"
        "预警和通报只有第 1 步，只记事件。 Alerts and notices have step 1 only, as an event.\n"
        "补正、撤回未答复期间停走，目录写明的事项（登记、金融机构的查控，NET 6、10）在书面异议未答复期间也停走，"
        "之后走完剩余时间；答复后停，退回重办时至少还有一个工作日。最后一日已到而逢休息日顺延的，停走时剩余的是到顺延之日的天数"
        "（民诉法 85）。 "
        "It stands still while a supplement or a withdrawal is unanswered, and, where the catalogue says so "
        "(registers and banks, NET 6, 10), an objection; then it goes on with the time left. It ends with the answer, "
        "and work sent back has at least a working day. A last day that has come and was moved by a rest day leaves "
        "the days up to the day that it was moved to (CPL-85).\n\n"
        "| 步 step | 何时 when | 做什么 what |\n|---|---|---|\n" + "".join(lines)
    )


def _answer_terms() -> str:
    rows = "".join(map(_answer_term, law().of(ANSWER_TERMS).values()))
    return (
        "\n## 办理期限 Answer terms\n\n"
        "每类事项的期限。本院或联动协议另有规定的，写入 `law/answer-terms.toml`（`docs/handbook/law.md`）："
        "起算日在 `since` 当日或之后的请求适用，已发出的不变；条文规定的只可缩短。紧急的取较早者。 "
        "Of each type of matter. A court's own rule or an agreement's goes into that file: it counts for requests that "
        "begin on or after its `since`, never for those that are open; what a text fixes may only be shortened. What "
        "is urgent has the earlier end.\n\n"
        "| 事项 type | 期限 term | 依据 source | 本院规定 own rule |\n|---|---|---|---|\n" + rows
    )


def _answer_term(row: AnswerTerm) -> str:
    matter = catalogue()[row.type]
    may = "任意 any" if matter.fixed_by is None else "只可缩短 shorter only"
    may = "不可 none" if matter.states_term else may
    return f"| {matter.zh} `{matter.name}` | {row.deadline.zh} {row.deadline.en} | {row.source} | {may} |\n"


def _questioning() -> str:
    usual, most = (law().of(LOOKOUTS)[name].most for name in (QUESTIONING, QUESTIONING_LONG))
    return (
        "\n## 询问时限 Questioning after a handover\n\n"
        f"拘传到案的人移交法院后，自移交记录的时间起 {usual} 小时，情况复杂、可能拘留的 {most} 小时"
        "（民诉法解释第四百八十二条，`law/lookouts.toml`）。两个截止时间见请求的 `questioning_until`、"
        "`questioning_longest`，各提前一小时以 `reminder` 提醒承办人。 "
        f"Of somebody who was brought by a writ: {usual} hours from the time in the record of the handover, {most} "
        "where the matter is complex and a detention possible (INT-482). Both ends stand in the request and are "
        "announced to the handler an hour before. A detention decision starts no such clock.\n"
    )


def _text(deadline: Deadline) -> str:
    return f"{deadline.amount} {_UNITS[deadline.kind]}"


def _minutes(span: timedelta) -> str:
    return f"{span / timedelta(minutes=1):g} 分钟 minutes"
