"""How long somebody may be held, questioned, detained, or reported at the border: hours, days, months.

For how long police keep a 通报备案 depends on their level (`level_of` a participant's division).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from schemas.law.force import Entry, Table, law

HOLD, QUESTIONING, QUESTIONING_LONG, DETENTION = "hold", "questioning", "questioning-complex", "detention"
Level = Literal["county", "prefecture", "province"]
LEVEL_WORDS: Mapping[str, tuple[str, str]] = {
    "county": ("县级公安机关", "a county's police"),
    "prefecture": ("地市级公安机关", "a prefecture's police"),
    "province": ("省级公安机关", "a province's police"),
}
_LEVELS = "公安部通报备案分级（二手来源）(levels of 通报备案 by the Ministry of Public Security, secondary source)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit(Entry):
    """The most that one of them may last."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,40}$")]
    most: Annotated[int, Field(ge=1, le=1200)]
    unit: Literal["hours", "days", "months"]
    zh: str = ""
    en: str = ""


def _known(rows: Mapping[str, Limit]) -> Iterable[str]:
    shipped = {row.name: row.unit for row in LOOKOUTS.default}
    for name, row in rows.items():
        if name not in shipped:
            yield f"{name}：没有这一项，可用：{'、'.join(shipped)}。 No such limit; there are: {', '.join(shipped)}."
        elif row.unit != shipped[name]:
            yield f"{name}：unit 须为 {shipped[name]}。 Its unit is {shipped[name]}."


LOOKOUTS = Table(
    name="lookouts",
    zh="留置、询问、拘留、通报备案的最长时间",
    en="The longest hold, questioning, detention and border notice",
    entry=Limit,
    key=("name",),
    default=(
        Limit(
            name=HOLD,
            most=24,
            unit="hours",
            zh="命中后由公安机关控制、等候法院接收",
            en="from the hit until the court has taken the person over",
            source="类推民诉法解释第四百八十二条 (by analogy with INT-482)",
            since=date(2015, 2, 4),
            reading=True,
        ),
        Limit(
            name=QUESTIONING,
            most=8,
            unit="hours",
            zh="拘传到案后的调查询问",
            en="questioning of somebody who was brought by a writ",
            source="民诉法解释第四百八十二条 (INT-482)",
            since=date(2015, 2, 4),
        ),
        Limit(
            name=QUESTIONING_LONG,
            most=24,
            unit="hours",
            zh="情况复杂、依法可能采取拘留措施的调查询问",
            en="questioning where the matter is complex and a detention possible",
            source="民诉法解释第四百八十二条 (INT-482)",
            since=date(2015, 2, 4),
        ),
        Limit(
            name=DETENTION,
            most=15,
            unit="days",
            zh="司法拘留",
            en="detention",
            source="民事诉讼法第一百一十八条 (CPL-118)",
            since=date(1991, 4, 9),
        ),
        *(
            Limit(
                name=f"exit-notice-{level}",
                most=months,
                unit="months",
                zh=f"{LEVEL_WORDS[level][0]}的限制出境通报备案",
                en=f"border notice that {LEVEL_WORDS[level][1]} keep",
                source=_LEVELS,
                since=date(2013, 7, 1),
                reading=True,
            )
            for level, months in (("county", 3), ("prefecture", 12), ("province", 60))
        ),
    ),
    faults=_known,
)


def longest(name: str, day: date) -> int:
    """Of what begins on `day`, in its unit: whoever is held, questioned or reported is so under the rule of the first
    day. `day` (Asia/Shanghai) is of a hold the hit's, of a questioning the handover's, of a border notice its first.
    Of a detention, whose beginning nobody knows beforehand, it is what the request states: the lookout's first day, or
    the day on which the person was last seen where the other court is to act; so whoever reads it later judges alike.

    Raises KeyError: not one of the product's."""
    return law().on(LOOKOUTS, day)[name].most


def exit_notice_months(level: Level, day: date) -> int:
    """The longest 通报备案 that police of this level keep of what begins on `day`."""
    return longest(f"exit-notice-{level}", day)


def level_of(division: str | None) -> Level:
    """Of a participant, by its division (GB/T 2260): 610000 is a province, 610100 a prefecture, 610114 a county.

    One that states no division counts as a county's: the shortest term."""
    if division is not None and division.endswith("0000"):
        return "province"
    return "prefecture" if division is not None and division.endswith("00") else "county"
