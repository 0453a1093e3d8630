"""The duty roster that a court hands in: staff numbers only, telephones stay with the court's own platform."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from pydantic import field_validator, model_validator

from lianzhi.protocol.base import Model, label
from lianzhi.protocol.rules import broken
from lianzhi.protocol.times import AnyMoment
from lianzhi.protocol.verbs import StaffNo

LONGEST_DAYS = 7  # [D] a shift longer than a week is a mistake of the keyboard


class Shift(Model):
    begins: Annotated[AnyMoment, label("开始", "From when")]
    ends: Annotated[AnyMoment, label("结束", "Until when")]
    person: Annotated[StaffNo, label("值班人员", "Staff number")]

    @model_validator(mode="after")
    def _order(self) -> Shift:
        begins, ends = datetime.fromisoformat(self.begins), datetime.fromisoformat(self.ends)
        if ends <= begins:
            raise broken("shift-order", at="/ends")
        if ends - begins > timedelta(days=LONGEST_DAYS):
            raise broken("shift-too-long", at="/ends", longest=LONGEST_DAYS)
        return self


class Roster(Model):
    """Replaces the one before; two people may share a shift."""

    shifts: Annotated[list[Shift], label("班次", "Shifts", max_length=2000)]

    @field_validator("shifts")
    @classmethod
    def _distinct(cls, value: list[Shift]) -> list[Shift]:
        seen: set[tuple[datetime, str]] = set()
        for index, shift in enumerate(value):
            key = (datetime.fromisoformat(shift.begins), shift.person)
            if key in seen:
                raise broken("duplicate-value", at=f"/{index}")
            seen.add(key)
        return value
