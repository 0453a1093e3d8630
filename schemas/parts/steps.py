"""Answers that are given in steps, and more time that is taken with somebody's approval.

A step is a `result` with outcome `partial`: signed, sealed and proved like the last one, and "more may follow" is
what `partial` means (docs/domain.md section 3, docs/adr/0016).
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from lianzhi.protocol.base import Model, label
from lianzhi.protocol.envelope import Ref
from lianzhi.protocol.rules import broken
from lianzhi.protocol.times import AnyDay, ComingDay, PastDay
from lianzhi.protocol.values import Name, Prose
from schemas.values.terms import check_days, check_months


class StepItem(Model):
    """A line of a result that may be only a step: then the result as a whole cannot be `done`.

    steps: the answers after which more must follow for this object.
    """

    steps: ClassVar[frozenset[str]]
    ref: Annotated[Ref, label("对象编号", "The object")]
    answer: Annotated[str, label("答复", "The answer")]

    @property
    def unfinished(self) -> bool:
        return self.answer in self.steps


class Extension(Model):
    """More time, from the day on which it would have been due."""

    due_on: Annotated[AnyDay, label("原期限", "The day on which it was due")]
    extended_to: Annotated[ComingDay, label("延长至", "The new last day")]
    approved_by: Annotated[Name, label("批准人", "Who approved it")]
    approved_on: Annotated[PastDay, label("批准日期", "Approved on; not after the old last day")]
    reason: Annotated[Prose, label("延期理由", "Why more time is needed")]


def check_extension(
    answer: str, extension: Extension | None, *, days: int | None = None, months: int | None = None
) -> None:
    """An answer `extended` and its extension come together; it is later than the old day, by `days` or `months` at
    most, and was approved while there was still time.

    Raises `extension-required`, `extension-not-needed`, `extension-not-longer`, `extension-late`, `term-too-long`,
    with pointers below the item.
    """
    if answer != "extended":
        if extension is not None:
            raise broken("extension-not-needed", at="/extension")
        return
    if extension is None:
        raise broken("extension-required", at="/extension")
    if extension.extended_to <= extension.due_on:
        raise broken("extension-not-longer", at="/extension/extended_to")
    if extension.approved_on > extension.due_on:
        raise broken("extension-late", at="/extension/approved_on")
    if days is not None:
        check_days(extension.due_on, extension.extended_to, days, at="/extension/extended_to")
    if months is not None:
        check_months(extension.due_on, extension.extended_to, months, at="/extension/extended_to")
