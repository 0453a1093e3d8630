"""The courts by 代字 (法〔2015〕137号), each with its parent and the dates of its code (docs/domain.md section 1).

Coverage: the reference deployment, its neighbours, everything above them, and the unreal court of the examples.
A court code is known or it is not; a pattern alone never makes one. A *case number* may come from any court, so
`identifiers.case_number` asks only for the shape.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from lianzhi.protocol.rules import broken
from lianzhi.protocol.texts import squeeze


@dataclass(frozen=True, slots=True)
class Court:
    """One code of one court. Valid on `since` ≤ day < `until`. parent: where supervision goes, None at the top."""

    code: str
    name: str
    parent: str | None
    since: date | None = None
    until: date | None = None

    def valid_on(self, day: date) -> bool:
        return (self.since is None or self.since <= day) and (self.until is None or day < self.until)


_DISTRICT = date(2014, 12, 13)  # 高陵 became a district; cases filed before keep 陕0126

COURTS: Mapping[str, Court] = {
    c.code: c
    for c in (
        Court("陕", "陕西省高级人民法院", None),
        Court("陕01", "西安市中级人民法院", "陕"),
        Court("陕0114", "西安市阎良区人民法院", "陕01"),
        Court("陕0115", "西安市临潼区人民法院", "陕01"),
        Court("陕0117", "西安市高陵区人民法院", "陕01", since=_DISTRICT),
        Court("陕0126", "高陵县人民法院", "陕01", until=_DISTRICT),
        Court("陕0199", "云川县人民法院（演示）", "陕01"),
        Court("陕0191", "高陵区人民法院（演示）", "陕01"),
        Court("陕0192", "临潼区人民法院（演示）", "陕01"),
        Court("陕02", "铜川市中级人民法院", "陕"),
        Court("陕0204", "铜川市耀州区人民法院", "陕02"),
        Court("陕04", "咸阳市中级人民法院", "陕"),
        Court("陕0422", "三原县人民法院", "陕04"),
        Court("陕05", "渭南市中级人民法院", "陕"),
        Court("陕0502", "渭南市临渭区人民法院", "陕05"),
        Court("陕0526", "蒲城县人民法院", "陕05"),
        Court("陕0528", "富平县人民法院", "陕05"),
        Court("陕0591", "富平县人民法院（演示）", "陕05"),
    )
}


def court_code(text: str, *, on: date | None = None) -> str:
    """The 代字, normalised, of a court in the table. on: the day on which the code must be in use.

    Raises PydanticCustomError `unknown-court`.
    """
    code = squeeze(text)
    court = COURTS.get(code)
    if court is None or (on is not None and not court.valid_on(on)):
        raise broken("unknown-court")
    return code


def _upwards(code: str) -> Iterator[str]:
    at: str | None = code
    while at is not None:
        yield at
        at = COURTS[at].parent


def common_superior(one: str, other: str) -> str | None:
    """The lowest court above both, to which supervision of a matter between them goes (督办).

    阎良 and 富平 → 陕; 阎良 and 临潼 → 陕01. None when the table knows none. Raises KeyError for unknown codes.
    """
    above = {code for code in _upwards(other) if code != other}
    return next((code for code in _upwards(one) if code != one and code in above), None)
