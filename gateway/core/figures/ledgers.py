"""From the lines of a ledger to its items as they stand on a day (docs/domain.md 2.10 and 10).

The rules, in the order in which `item` follows them:
1. Lines count in the order of their days; those after `today` are not there yet.
2. The first `opened` line begins the item; from a `sent` line on (it left only then) its term runs, and it is the state
   only while nothing else was said.
3. Any other line is the item's state from then on. A line that settles ends it; of an item with an amount, when what
   the settling lines say comes to that amount. `reopened` takes the end back.
4. The last `due_on` that a line names holds; else the ledger's own term, in days after the opening or sending. Of a
   sum the later of its first and its last: whoever promises to pay sooner is not overdue sooner.
   A precondition of 终本 that is met (法〔2016〕373号 article 1) is a line with its own day and no state.
5. Overdue is what is not settled on the day after its last day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Protocol

from gateway.core.records import LedgerLine
from gateway.core.requests.platform import NUMBERED
from gateway.core.time.calendar import months_later
from schemas.ledgers import BEGINNINGS, CLAIMED, OPENED, UNIDENTIFIED

SENT, REOPENED, TAKEN_BACK, TURNED_AWAY = "sent", "reopened", "taken-back", "turned-away"
CLOSED, FOUND, NOTHING_FOUND, RESUMED = "closed", "recheck-found", "recheck-none", "resumed"
PARTLY = "partly"
_FIRST = BEGINNINGS | {CLOSED}
MET = "precondition-"
"""Kind of a line, with the item of 法〔2016〕373号 article 1 that is met on its day."""
BANDS = (7, 15, 30)
"""A measure that ends is looked at in these many days before its end."""


@dataclass(frozen=True, slots=True)
class LedgerTerms:
    """Days after which an item is overdue where no line says when; months and years of the rechecks of 终本.

    refusal 7: 法发〔2025〕8号 [S]. bankruptcy 30: 法发〔2017〕2号 [S]. petition 30: 法〔2021〕227号 [S]. fund 30: of
    lines that name no day; those of today name it, by the table of terms (`schemas.law.terms`). closure every 6 months
    for 5 years [H].
    """

    days: Mapping[str, int]
    recheck_months: int = 6
    recheck_years: int = 5


TERMS = LedgerTerms({"refusal": 7, "bankruptcy": 30, "petition": 30, "fund": 30})


@dataclass(frozen=True, slots=True)
class LedgerName:
    """A ledger that can be listed. closes_at: what its `due_on` is."""

    name: str
    zh: str
    en: str
    due_zh: str


LEDGERS: Mapping[str, LedgerName] = {
    row.name: row
    for row in (
        LedgerName("closure", "终本案件", "Terminated cases and their rechecks", "下次核查"),
        LedgerName("petition", "涉执信访", "Petitions about enforcement", "办理期限"),
        LedgerName("fund", "案款", "Case money received, paid out, kept", "发放期限"),
        LedgerName("refusal", "拒执线索", "Leads on refusal to execute", "立案决定期限"),
        LedgerName("bankruptcy", "执转破", "Enforcement cases proposed or handed over as bankruptcies", "决定期限"),
        LedgerName("platform", "待补全国平台编号", "Commissions without a number on the national platform", "补录期"),
        LedgerName("measure-ending", "到期措施", "Control measures that end soon", "届满日"),
    )
}
KINDS: Mapping[str, str] = {
    OPENED: "已登记",
    SENT: "已送出",
    REOPENED: "退回重办",
    TAKEN_BACK: "已撤销",
    TURNED_AWAY: "违规拒收",
    "refused": "已拒绝",
    "returned": "已退回",
    "rejected": "未获批准",
    "withdrawn": "已撤回",
    "filed": "已立案",
    "not-filed": "不予立案",
    "transferred": "移送有管辖权的机关",
    "case-revoked": "立案后撤销案件",
    "noted": "已收悉",
    "done": "已办结",
    "none": "无结果",
    "impossible": "无法办理",
    PARTLY: "部分办结",
    "received": "已到账",
    UNIDENTIFIED: "不明款，待认领",
    CLAIMED: "已认领",
    "released": "已发放",
    "escrow": "已提存",
    "delay": "批准暂缓",
    "extended": "批准延期",
    "accepted": "已受理",
    "decided": "已裁定",
    CLOSED: "已终本",
    NOTHING_FOUND: "核查无财产",
    FOUND: "发现财产，建议恢复执行",
    RESUMED: "已恢复执行",
    "over": "核查期满",
    "active": "在用",
    "hit": "已命中",
    "handed-over": "已移交",
    "lapsed": "已失效",
    "approved": "已批准发放",
    "under-review": "已立破产审查案",
    "not-accepted": "不予受理",
    "suitable": "符合移送条件",
    "not-suitable": "不符合移送条件",
    "look-further": "继续调查后再议",
    NUMBERED: "已补编号",
    "resolved": "已解决",
    "explained": "已释明",
    "not-resolved": "未能解决",
}
"""The Chinese word for a state; one that a later type adds and that has no word is shown by its code."""


@dataclass(frozen=True, slots=True)
class LedgerItem:
    """outcome: the state that settled it, whatever came after. overdue_days: 0 while it is not overdue. settled: what
    the settling lines come to, CNY. within: of a measure, the band of days in which it ends (`BANDS`).
    turned_away_on: when it was first answered in a way that the law does not know. met: of 终本, the preconditions that
    are met and since when. type, campaign, lead, handler: of a measure's request, where the report asks for them."""

    ledger: str
    item_no: str
    state: str
    outcome: str | None = None
    opened_on: date | None = None
    due_on: date | None = None
    settled_on: date | None = None
    overdue_days: int = 0
    within: int | None = None
    amount: Decimal | None = None
    settled: Decimal | None = None
    case_no: str | None = None
    request_no: str | None = None
    partner: str | None = None
    team: str | None = None
    turned_away_on: date | None = None
    met: Mapping[str, date] = field(default_factory=dict)
    type: str | None = None
    campaign: str | None = None
    lead: str | None = None
    handler: str | None = None

    @property
    def open(self) -> bool:
        return self.settled_on is None

    @property
    def overdue(self) -> bool:
        return self.overdue_days > 0


class Ending(Protocol):
    """Of a control measure, what its ledger needs (`records.Measure`)."""

    measure_no: str
    state: str
    request_no: str
    case_no: str
    asked: str
    end_on: str | None


def items(lines: Iterable[LedgerLine], today: date, terms: LedgerTerms = TERMS) -> list[LedgerItem]:
    """One for each item that has begun by `today`, in the order of ledger and number."""
    ordered = sorted(lines, key=_place)
    groups = (list(group) for _, group in groupby(ordered, key=lambda line: (line.ledger, line.item_no)))
    begun = ([line for line in group if _day(line.day) <= today] for group in groups)
    return [item(group, today, terms) for group in begun if any(not _is_met(line) for line in group)]


def item(lines: Sequence[LedgerLine], today: date, terms: LedgerTerms = TERMS) -> LedgerItem:
    """lines: those of one item up to `today`, in order; at least one is no mere precondition."""
    met = {line.kind.removeprefix(MET): _day(line.day) for line in lines if _is_met(line)}
    lines = [line for line in lines if not _is_met(line)]
    first, last = lines[0], lines[-1]
    state, outcome, settled_on = _state(lines)
    term = _rechecks(lines, terms) if first.ledger == "closure" else _term(lines, terms)
    if first.ledger == "closure" and term is None and settled_on is None:
        state = outcome = "over"
        settled_on = months_later(_day(first.day), 12 * terms.recheck_years)
    due = term if settled_on is None else _named_due(lines)
    return LedgerItem(
        ledger=first.ledger,
        item_no=first.item_no,
        state=state,
        outcome=outcome,
        opened_on=next((_day(line.day) for line in lines if line.kind in _FIRST), None),
        due_on=due,
        settled_on=settled_on,
        overdue_days=max(0, (today - due).days) if due is not None and settled_on is None else 0,
        amount=_owed(lines),
        settled=_amount([line for line in lines if line.settles]),
        case_no=_last(line.case_no for line in lines),
        request_no=first.request_no or last.request_no,
        partner=first.partner or last.partner,
        team=_last(line.team for line in lines),
        met=met,
        turned_away_on=next((_day(line.day) for line in lines if line.kind == TURNED_AWAY), None),
    )


def _is_met(line: LedgerLine) -> bool:
    return line.kind.startswith(MET)


def ending(measure: Ending, today: date, team: str | None = None) -> LedgerItem:
    """A live measure in the ledger of those that end."""
    end = _day(measure.end_on) if measure.end_on else None
    past = max(0, (today - end).days) if end else 0
    return LedgerItem(
        ledger="measure-ending",
        item_no=measure.measure_no,
        state="lapsed" if past else measure.state,
        due_on=end,
        overdue_days=past,
        within=next((band for band in BANDS if end and 0 <= (end - today).days <= band), None),
        case_no=measure.case_no or None,
        request_no=measure.request_no,
        partner=measure.asked,
        team=team,
    )


def _state(lines: Sequence[LedgerLine]) -> tuple[str, str | None, date | None]:
    """(state, the state that settled it, when)"""
    state, outcome, settled_on = lines[0].kind, None, None
    owed, paid = _owed(lines), Decimal(0)
    for line in lines:
        paid += Decimal(line.amount) if line.settles and line.amount else 0
        if line.settles and owed is not None and line.amount is not None and paid < owed:
            state = PARTLY
        elif line.settles:
            state, settled_on = line.kind, settled_on or _day(line.day)
            outcome = outcome or line.kind
        elif line.kind == REOPENED:
            state, outcome, settled_on = line.kind, None, None
        elif line.kind == TAKEN_BACK or (line.kind == TURNED_AWAY and settled_on is not None):
            continue
        elif line.kind == SENT:
            state = SENT if state == OPENED else state
        elif line.kind != OPENED:
            state = line.kind
    return state, outcome, settled_on


def _term(lines: Sequence[LedgerLine], terms: LedgerTerms) -> date | None:
    named, days = _named_due(lines), terms.days.get(lines[0].ledger)
    if days is None or (named is not None and lines[0].ledger != "fund"):
        return named
    starts = [_day(line.day) for line in lines if line.kind == SENT] or [
        _day(line.day) for line in lines if line.kind == OPENED
    ]
    said = next((line.due_on for line in lines if line.kind in (OPENED, CLAIMED) and line.due_on), None)
    own = _day(said) if said else starts[-1] + timedelta(days=days) if starts else None
    return max((day for day in (own, named) if day is not None), default=None)


def _rechecks(lines: Sequence[LedgerLine], terms: LedgerTerms) -> date | None:
    """The day of the next recheck; None when the years are over."""
    closed = next((_day(line.day) for line in lines if line.kind == CLOSED), _day(lines[0].day))
    checked = [_day(line.day) for line in lines if line.kind in (FOUND, NOTHING_FOUND)]
    following = months_later(max([closed, *checked]), terms.recheck_months)
    return following if following <= months_later(closed, 12 * terms.recheck_years) else None


def _named_due(lines: Sequence[LedgerLine]) -> date | None:
    named = _last(line.due_on for line in lines)
    return _day(named) if named else None


def _owed(lines: Sequence[LedgerLine]) -> Decimal | None:
    """What came in: of money that was unidentified all of it, however much of it has been claimed."""
    known = _amount([line for line in lines if line.kind in (OPENED, CLAIMED)])
    unknown = _amount([line for line in lines if line.kind == UNIDENTIFIED])
    return max((sum_ for sum_ in (known, unknown) if sum_ is not None), default=None)


def _amount(lines: Sequence[LedgerLine]) -> Decimal | None:
    said = [Decimal(line.amount) for line in lines if line.amount is not None]
    return sum(said, Decimal(0)) if said else None


def _last(values: Iterable[str | None]) -> str | None:
    found = [value for value in values if value is not None]
    return found[-1] if found else None


def _place(line: LedgerLine) -> tuple[str, str, str, bool, object, str]:
    """The opening before what else came on its day."""
    return (line.ledger, line.item_no, line.day, line.kind not in _FIRST, line.at, line.source)


def _day(text: str) -> date:
    return date.fromisoformat(text)
