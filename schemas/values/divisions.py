"""Administrative divisions, GB/T 2260, with the dates between which a code was used.

Coverage, honestly: every province-level code, and of the counties only those that the reference deployment and
its neighbours use (docs/domain.md sections 1 and 5), plus the unreal 610199 of the examples. A six-digit code
that is not in the table is accepted when its province exists: the table can end a code, it cannot refuse an
unknown county.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from lianzhi.protocol.rules import broken
from lianzhi.protocol.texts import squeeze

PROVINCES: Mapping[str, str] = {
    "11": "北京市", "12": "天津市", "13": "河北省", "14": "山西省", "15": "内蒙古自治区",
    "21": "辽宁省", "22": "吉林省", "23": "黑龙江省",
    "31": "上海市", "32": "江苏省", "33": "浙江省", "34": "安徽省", "35": "福建省", "36": "江西省", "37": "山东省",
    "41": "河南省", "42": "湖北省", "43": "湖南省", "44": "广东省", "45": "广西壮族自治区", "46": "海南省",
    "50": "重庆市", "51": "四川省", "52": "贵州省", "53": "云南省", "54": "西藏自治区",
    "61": "陕西省", "62": "甘肃省", "63": "青海省", "64": "宁夏回族自治区", "65": "新疆维吾尔自治区",
    "71": "台湾省", "81": "香港特别行政区", "82": "澳门特别行政区",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Division:
    """One code. Valid on `since` ≤ day < `until`; successor: the code that took its place."""

    code: str
    name: str
    since: date | None = None
    until: date | None = None
    successor: str | None = None


_CHANGED = date(2014, 12, 13)  # 国函〔2014〕157号: 高陵 from county to district

DIVISIONS: Mapping[str, Division] = {
    d.code: d
    for d in (
        Division("610000", "陕西省"),
        Division("610100", "西安市"),
        Division("610114", "西安市阎良区"),
        Division("610115", "西安市临潼区"),
        Division("610117", "西安市高陵区", since=_CHANGED),
        Division("610126", "西安市高陵县", until=_CHANGED, successor="610117"),
        Division("610199", "云川县（演示）"),
        Division("610200", "铜川市"),
        Division("610204", "铜川市耀州区"),
        Division("610400", "咸阳市"),
        Division("610422", "咸阳市三原县"),
        Division("610500", "渭南市"),
        Division("610502", "渭南市临渭区"),
        Division("610526", "渭南市蒲城县"),
        Division("610528", "渭南市富平县"),
    )
}

_SIX = re.compile(r"[0-9]{6}")


def division(text: str, *, on: date | None = None) -> str:
    """The six-digit code, normalised. on: the day on which it must be in use; None does not ask.

    Raises PydanticCustomError `division-form`, `division-ended`.
    """
    code = squeeze(text)
    if not _SIX.fullmatch(code) or code[:2] not in PROVINCES:
        raise broken("division-form")
    row = DIVISIONS.get(code)
    if row and on and row.until and on >= row.until:
        raise broken("division-ended", successor=row.successor)
    return code
