"""The words of the report: reasons, definitions of the indicators (docs/domain.md section 10), the calendar's."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from gateway.core.figures.periods import Period
from gateway.core.time.calendar import SHANGHAI
from lianzhi.protocol.base import words_of
from lianzhi.protocol.verbs import RefusalCode

REASONS: Mapping[str, str] = {**words_of(RefusalCode), "unknown": "未注明"}
OTHERS, UNNAMED = "其他", "未注明"
CAUSES: Mapping[str, str] = {
    "no-consumer": "无人取件",
    "not-delivered": "无送达回执",
    "not-answered": "收到而不答复",
}
"""Why a partner is silent (`core.silence`)."""
DEFINITIONS: tuple[tuple[str, str], ...] = (
    ("签收率", "本期送达的请求中，1个工作日内（送达当日不计）有对方人员签收或作出其他答复的比例；未满1个工作日且未签收的暂不计入。受托事项自进入本院待办起算。"),
    ("受理率", "本期首次表态的请求中受理的比例；其余为拒绝、退回。直接答复结果的视为受理，不予立案是结果，不计入拒绝。"),
    ("按期率", "按期办结率：期限在本期届满的请求中，届满前作出最终答复的比例；补正、异议等中止时间已扣除，部分结果不算最终答复。"),
    ("中位工时", "本期作出首次结果的请求，自送达至首次结果的办公时间中位数（小时）；不足0.1小时的以分钟表示。"),
    ("预警", "本期收到的命中预警；确认用时自收到至法院首次处置，取中位数，超过10分钟而四舍五入为10.0的记作10.0+；10分钟确认率中未满10分钟且未确认的暂不计入。"),
    ("失效", "本期届满而未续期、未解除的控制措施，目标为0；30日内到期自期末起算。"),
    ("待确认", "已收到结果，超过3个工作日未确认也未退回重办的请求，截至期末。"),
    ("信访、案款、终本", "截至期末：超过办理期限的涉执信访；到账超过30日未发放、未提存且未批准暂缓的案款；超过6个月未核查的终本案件。"),
    ("拒执线索", "本期移送、立案、不予立案的件数，不予立案不含拒绝、退回（违规拒收另列）；逾期为移送后超过7日未作决定的（重大疑难复杂的为30日，故另列），截至期末。"),
    ("执行完毕率、执行到位率", "由法院案件系统导入，本系统不计算；未导入的显示“未导入”。"),
    ("未送达、逾期", "截至期末：已提交而无送达回执也无任何答复的请求；期限已满而无最终答复的请求，未送达的也计入。撤回、未获批准的不计。"),
    ("解除用时", "本期办结的解除请求，自法院提出至对方答复已解除的自然时间中位数（小时），夜间、休息日计入。"),
)  # fmt: skip

_DEFINED_BY: Mapping[str, int] = {
    "签收率": 1,
    "本院签收率": 1,
    "受理率": 2,
    "按期率": 3,
    "中位工时": 4,
    "命中预警": 5,
    "10分钟确认率": 5,
    "确认分钟": 5,
    "10分钟内": 5,
    "预警未及时处置": 5,
    "不予立案": 9,
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
    "未送达": 11,
    "逾期": 11,
    "对方逾期": 11,
    "本院逾期": 11,
    "解除措施": 12,
    "解除用时": 12,
}
CAPTIONS: Mapping[str, str] = {
    "送达请求": "本期有送达回执或任何答复的请求",
    "未送达": "期末仍无回执、无答复",
    "签收率": "送达后1个工作日内有人签收",
    "受理率": "首次表态为受理（或直接答复）",
    "按期率": "本期到期、期限内最终答复",
    "对方逾期": "期末已过期限、无最终答复",
    "中位工时": "送达至首次结果的办公时间",
    "命中预警": "本期收到的命中预警",
    "10分钟确认率": "收到后10分钟内首次处置",
    "预警未及时处置": "10分钟内没有首次处置",
    "不予立案": "公安机关决定，不计入拒绝",
    "拒绝、退回": "本期首次表态，不含不予立案",
    "30日内到期措施": "自期末起30日内届满",
    "失效措施": "本期届满、未续未解",
    "超3个工作日待确认": "有结果而未确认、未退回",
    "解除措施": "提出解除至对方答复已解除",
    "本院签收率": "受托事项1个工作日内签收",
    "本院逾期": "受托事项期末逾期未答复",
    "信访逾期": "期末超过办理期限",
    "案款超30日": "期末到账超期未发放",
    "终本核查逾期": "期末超6个月未核查",
    "拒执线索逾期": "移送超7日未作决定",
    "执行完毕率": "法院案件系统导入",
    "执行到位率": "法院案件系统导入",
}
"""Below each figure of the overview: how it is counted, in half a line."""


def footnote(word: str) -> int | None:
    """Number of the definition that says what is counted under `word`."""
    return _DEFINED_BY.get(word)


def period_words(period: Period) -> str:
    """2026年第13周（3月23日至3月29日）"""
    if not period.is_week:
        return f"{period.first.year}年{period.first.month}月"
    year, week = period.name.split("-W")
    first, last = period.first, period.last
    begins = f"{first.year}年" if first.year != int(year) else ""
    ends = f"{last.year}年" if begins or last.year != int(year) else ""
    return f"{year}年第{int(week)}周（{begins}{first.month}月{first.day}日至{ends}{last.month}月{last.day}日）"


def short_period(name: str) -> str:
    """`2026-W13` → 13周, `2026-03` → 3月: below a chart."""
    tail = name.split("-")[1]
    return f"{int(tail[1:])}周" if tail.startswith("W") else f"{int(tail)}月"


def moment_words(at: datetime) -> str:
    """2026年3月27日14:05"""
    local = at.astimezone(SHANGHAI)
    return f"{local.year}年{local.month}月{local.day}日{local:%H:%M}"


def sortable(at: datetime | None) -> str:
    """2026-03-27 14:05, as the rows of a list say it."""
    return "—" if at is None else f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"


def day_words(at: datetime) -> str:
    """3月27日"""
    local = at.astimezone(SHANGHAI)
    return f"{local.month}月{local.day}日"
