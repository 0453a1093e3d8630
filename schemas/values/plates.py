"""Licence plates (GA 36-2018, kinds of GA/T 16.7): shape, kind, and which of them block coercive matters.

Source: docs/domain.md section 5, docs/dialects.md (HPZL) and `tables/plate_kinds.toml`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic_core import PydanticKnownError

from lianzhi.protocol.rules import broken
from lianzhi.protocol.texts import upper

PLATE_PROVINCES = "京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川贵云藏陕甘青宁新"


@dataclass(frozen=True, slots=True)
class PlateKind:
    """shapes: what plates of this kind look like. protected: no coercion against such a vehicle."""

    zh: str
    en: str
    shapes: frozenset[str]
    protected: bool = False


def _read(text: str) -> dict[str, PlateKind]:
    rows = tomllib.loads(text)["kinds"]
    return {code: PlateKind(**{**row, "shapes": frozenset(row["shapes"])}) for code, row in rows.items()}


PLATE_KINDS: Mapping[str, PlateKind] = _read(
    (Path(__file__).with_name("tables") / "plate_kinds.toml").read_text("utf-8")
)
PLATE_LABELS = {code: kind.zh for code, kind in PLATE_KINDS.items()}


@dataclass(frozen=True, slots=True)
class _Shape:
    """any_kind: the shape tells nothing of the kind."""

    name: str
    pattern: re.Pattern[str]
    any_kind: bool = False
    protected: bool = False


def _shape(name: str, pattern: str, *, any_kind: bool = False, protected: bool = False) -> _Shape:
    return _Shape(name, re.compile(pattern), any_kind, protected)


_P = f"[{PLATE_PROVINCES}]"
_C = "[A-HJ-NP-Z]"  # the city's letter
_X = "[A-HJ-NP-Z0-9]"  # a place of the sequence: never I or O

_SHAPES = (
    _shape("ordinary", f"{_P}{_C}{_X}{{5}}"),
    _shape("new-energy-small", f"{_P}{_C}[A-HJK]{_X}[0-9]{{4}}"),
    _shape("new-energy-large", f"{_P}{_C}[0-9]{{5}}[A-HJK]"),
    _shape("police", f"{_P}{_C}{_X}{{4}}警"),
    _shape("driving-school", f"{_P}{_C}{_X}{{4}}学"),
    _shape("trailer", f"{_P}{_C}{_X}{{4}}挂"),
    _shape("trial", f"{_P}{_C}{_X}{{4}}试", any_kind=True),
    _shape("emergency", f"{_P}{_C}{_X}{{4}}应急", any_kind=True),
    _shape("farm", f"{_P}[0-9]{{2}}{_X}{{5}}"),  # tractors and what was one: the city by two digits
    _shape("temporary", f"{_P}{_C}?{_X}{{4,5}}[临超]|{_P}?{_C}?临{_X}{{4,6}}"),
    _shape("hong-kong", f"粤Z{_X}{{4}}港"),
    _shape("macao", f"粤Z{_X}{{4}}澳"),
    _shape("embassy", f"使[0-9]{{6}}|[0-9]{{6}}使|{_P}{_C}{_X}{{4}}使", protected=True),
    _shape("consulate", f"领[0-9]{{6}}|{_P}{_C}{_X}{{4}}领", protected=True),
    _shape("armed-police", f"WJ{_P}?[0-9A-Z]{{4,7}}", any_kind=True, protected=True),
    _shape("military", "(?:[军空海北沈兰济南广成][A-Z]|[A-Z]{2})[0-9]{5}", any_kind=True, protected=True),
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
    return shape is not None and (shape.any_kind or shape.name in PLATE_KINDS[kind].shapes)


def plate_kind(code: str) -> str:
    """Raises `literal_error` with the codes of the table, as pydantic does of an enumeration."""
    if code not in PLATE_KINDS:
        raise PydanticKnownError("literal_error", {"expected": ", ".join(PLATE_KINDS)})
    return code


def is_protected(plate: str, kind: str | None = None) -> bool:
    """Whether a normalised plate, or its kind, blocks coercive matters: 使馆, 领馆, 军队, 武警."""
    shape = _shape_of(plate)
    return (shape is not None and shape.protected) or (kind is not None and PLATE_KINDS[kind].protected)
