"""The words of the report: reasons, definitions of the indicators (docs/domain.md section 10), the calendar's."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.core.figures.periods import Period
from lianzhi.protocol.base import words_of
from lianzhi.protocol.verbs import RefusalCode

REASONS: Mapping[str, str] = {**words_of(RefusalCode), "unknown": "未注明"}
DEFINITIONS: tuple[tuple[str, str], ...] = (
    ("签收率", "本期送达的请求中，1个工作日内（送达当日不计）有对方人员签收或作出其他答复的比例；未满1个工作日且未签收的暂不计入。"),
    ("受理率", "本期首次表态的请求中受理的比例；其余为拒绝、退回。直接答复结果的视为受理。"),
    ("按期率", "按期办结率：期限在本期届满的请求中，届满前作出最终答复的比例；补正、异议等中止时间已扣除，部分结果不算最终答复。"),
    ("中位工时", "本期作出首次结果的请求，自送达至首次结果的办公时间中位数（小时）。"),
    ("预警", "本期收到的命中预警；确认用时自收到至法院首次处置，取中位数；10分钟确认率中未满10分钟且未确认的暂不计入。"),
    ("失效", "本期届满而未续期、未解除的控制措施，目标为0；30日内到期自期末起算。"),
    ("待确认", "已收到结果，超过3个工作日未确认也未退回重办的请求，截至期末。"),
    ("信访、案款、终本", "截至期末：超过办理期限的涉执信访；到账超过30日未发放、未提存且未批准暂缓的案款；超过6个月未核查的终本案件。"),
    ("拒执线索", "本期移送、立案、不予立案（含拒绝、退回）的件数；逾期为移送后超过7日未作决定的（重大疑难复杂的为30日，故另列），截至期末。"),
    ("执行完毕率、执行到位率", "由法院案件系统导入，本系统不计算；未导入的显示“未导入”。"),
)  # fmt: skip

_DEFINED_BY: Mapping[str, int] = {
    "签收率": 1,
    "受理率": 2,
    "按期率": 3,
    "中位工时": 4,
    "命中预警": 5,
    "10分钟确认率": 5,
    "确认分钟": 5,
    "10分钟内": 5,
    "失效措施": 6,
    "措施失效": 6,
    "30日内到期措施": 6,
    "30日到期": 6,
    "超3个工作日待确认": 7,
    "待确认": 7,
    "信访逾期": 8,
    "案款超30日": 8,
    "终本核查逾期": 8,
    "拒执线索逾期": 9,
    "拒执线索": 9,
    "执行完毕率": 10,
    "执行到位率": 10,
}


def footnote(word: str) -> int | None:
    """Number of the definition that says what is counted under `word`."""
    return _DEFINED_BY.get(word)


def period_words(period: Period) -> str:
    """2026年第13周（3月23日至3月29日）"""
    if not period.is_week:
        return f"{period.first.year}年{period.first.month}月"
    year, week = period.name.split("-W")
    first, last = period.first, period.last
    ends = f"{last.year}年" if last.year != first.year else ""
    return f"{year}年第{int(week)}周（{first.month}月{first.day}日至{ends}{last.month}月{last.day}日）"


def short_period(name: str) -> str:
    """`2026-W13` → 13周, `2026-03` → 3月: below a chart."""
    tail = name.split("-")[1]
    return f"{int(tail[1:])}周" if tail.startswith("W") else f"{int(tail)}月"
