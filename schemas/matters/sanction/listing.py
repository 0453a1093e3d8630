"""What the published sanctions have in common: the masked number, and what a recipient answers (docs/domain.md 2.9)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import model_validator

from lianzhi.protocol.base import Model, Vocabulary, label
from lianzhi.protocol.envelope import Ref
from lianzhi.protocol.rules import broken
from lianzhi.protocol.times import AnyMoment
from lianzhi.protocol.values import Line
from schemas.catalogue import MeasureRule
from schemas.values.objects import Person
from schemas.values.people import person_objects, public_number


def check_public_number(debtor: Person, card_no: str, *, at: str = "/card_no") -> None:
    """Raises `public-number-mismatch` at `at`: the number in full, or somebody else's."""
    if card_no != public_number(debtor):
        raise broken("public-number-mismatch", at=at)


def check_representative(debtor: Person, representative: str | None, *, at: str = "/business_entity") -> None:
    """Raises `representative-required` at `at` when the debtor is an organisation."""
    if debtor.id_kind == "uscc" and representative is None:
        raise broken("representative-required", at=at)


def listed(
    action: str,
    effect: str,
    debtor: Person,
    published_no: str | None = None,
    *,
    needs_live: str | None = None,
    start_on: str | None = None,
    end_on: str | None = None,
    blocked_by: str | None = None,
) -> MeasureRule:
    """What a publication or its end does: each recipient keeps an entry of its own."""
    return MeasureRule(
        action,
        effect,
        person_objects(debtor),
        measure_no=published_no,
        needs_live=needs_live,
        start_on=start_on,
        end_on=end_on,
        blocked_by=blocked_by,
        per_receiver=True,
    )


class RecipientItem(Model):
    """What a recipient did with the entry."""

    ref: Annotated[Ref, label("对象编号", "The debtor")]
    status: Annotated[
        Vocabulary[Annotated[Literal["done"], "已办"] | Annotated[Literal["failed"], "未办成"]],
        label("办理结果", "What became of it"),
    ]
    done_at: Annotated[AnyMoment | None, label("办理时间", "When it took effect")] = None
    fail_reason: Annotated[Line | None, label("未办成原因", "Why it failed")] = None

    @model_validator(mode="after")
    def _consistent(self) -> RecipientItem:
        if self.status == "failed" and self.fail_reason is None:
            raise broken("fail-reason-required", at="/fail_reason")
        if self.status == "done" and self.done_at is None:
            raise broken("done-at-required", at="/done_at")
        return self


class PublishedItem(RecipientItem):
    registry_no: Annotated[Line | None, label("登记编号", "Number in the recipient's list or register")] = None
