"""Licence plates (GA 36-2018, kinds of GA/T 16.7): shape, kind, and which of them block coercive matters.

Source: docs/domain.md section 5 and docs/dialects.md (HPZL).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from schemas.normal import upper
from schemas.rules import broken

PLATE_PROVINCES = "京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川贵云藏陕甘青宁新"

PLATE_KINDS: Mapping[str, tuple[str, str]] = {
    "01": ("大型汽车", "large vehicle"),
    "02": ("小型汽车", "small vehicle"),
    "03": ("使馆汽车", "embassy"),
    "04": ("领馆汽车", "consulate"),
    "15": ("挂车", "trailer"),
    "16": ("教练汽车", "driving school"),
    "23": ("警用汽车", "police"),
    "26": ("香港入出境车", "Hong Kong"),
    "27": ("澳门入出境车", "Macao"),
    "51": ("大型新能源汽车", "large new-energy"),
    "52": ("小型新能源汽车", "small new-energy"),
}


@dataclass(frozen=True, slots=True)
class _Shape:
    """kinds: the plate kinds that this shape can have; empty = the table has none for it, so any is taken."""

    name: str
    pattern: re.Pattern[str]
    kinds: frozenset[str] = frozenset()
    protected: bool = False


def _shape(name: str, pattern: str, *kinds: str, protected: bool = False) -> _Shape:
    return _Shape(name, re.compile(pattern), frozenset(kinds), protected)


_P = f"[{PLATE_PROVINCES}]"
_C = "[A-HJ-NP-Z]"  # the city's letter
_X = "[A-HJ-NP-Z0-9]"  # a place of the sequence: never I or O

_SHAPES = (
    _shape("ordinary", f"{_P}{_C}{_X}{{5}}", "01", "02"),
    _shape("new-energy-small", f"{_P}{_C}[A-HJK]{_X}[0-9]{{4}}", "52"),
    _shape("new-energy-large", f"{_P}{_C}[0-9]{{5}}[A-HJK]", "51"),
    _shape("police", f"{_P}{_C}{_X}{{4}}警", "23"),
    _shape("driving-school", f"{_P}{_C}{_X}{{4}}学", "16"),
    _shape("trailer", f"{_P}{_C}{_X}{{4}}挂", "15"),
    _shape("trial", f"{_P}{_C}{_X}{{4}}试"),
    _shape("emergency", f"{_P}{_C}{_X}{{4}}应急"),
    _shape("hong-kong", f"粤Z{_X}{{4}}港", "26"),
    _shape("macao", f"粤Z{_X}{{4}}澳", "27"),
    _shape("embassy", f"使[0-9]{{6}}|[0-9]{{6}}使|{_P}{_C}{_X}{{4}}使", "03", protected=True),
    _shape("consulate", f"领[0-9]{{6}}|{_P}{_C}{_X}{{4}}领", "04", protected=True),
    _shape("armed-police", f"WJ{_P}?[0-9A-Z]{{4,7}}", protected=True),
    _shape("military", "(?:[军空海北沈兰济南广成][A-Z]|[A-Z]{2})[0-9]{5}", protected=True),
)
_DROPPED = str.maketrans("", "", "·•・.-")


def _shape_of(plate: str) -> _Shape | None:
    return next((s for s in _SHAPES if s.pattern.fullmatch(plate)), None)


def plate_number(text: str) -> str:
    """The plate, normalised: no spaces, no `·•.-`, upper case. Raises PydanticCustomError `plate-form`."""
    plate = upper(text).translate(_DROPPED)
    if _shape_of(plate) is None:
        raise broken("plate-form")
    return plate


def fits_kind(plate: str, kind: str) -> bool:
    """Whether a normalised plate can be of this kind (HPZL)."""
    shape = _shape_of(plate)
    return shape is not None and (not shape.kinds or kind in shape.kinds)


def is_protected(plate: str) -> bool:
    """Whether a normalised plate blocks coercive matters: 使馆, 领馆, 军队, 武警."""
    shape = _shape_of(plate)
    return shape is not None and shape.protected
