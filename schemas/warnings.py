"""Warnings: valid input that deserves a second look. They are returned beside what was accepted and refuse nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from lianzhi.problem import FieldError
from lianzhi.protocol.rules import RULES
from schemas.catalogue import MatterType
from schemas.legal import basis_of


def warning(rule: str, at: str, **context: Any) -> FieldError:
    """at: JSON pointer into what was handed in. rule: a name of `lianzhi.protocol.rules.RULES`."""
    texts = RULES[rule]
    return FieldError(
        pointer=at, rule=rule, detail=texts.zh.format_map(context), detail_en=texts.en.format_map(context)
    )


def cautions_of(matter: MatterType, payload: Any, *, at: str = "/payload") -> list[FieldError]:
    """What the type itself says of this payload, a validated model."""
    return [warning(rule, at + pointer, **context) for rule, pointer, context in matter.cautions(payload)]


def basis_warnings(codes: Sequence[str], today: date, *, at: str = "/legal_basis") -> Iterable[FieldError]:
    """codes: legal references that hold. A notice that the table does not have may be newer than the table, or a slip
    of the pen; one whose `until` has come is cited for what happened before, or by habit."""
    for position, code in enumerate(codes):
        row = basis_of(code)
        if row is None:
            yield warning("unlisted-basis", f"{at}/{position}")
        elif row.until is not None and row.until <= today:
            yield warning("ended-basis", f"{at}/{position}", until=row.until.isoformat())
