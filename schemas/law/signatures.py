"""Who approves a sanction before it leaves: how many people, and which offices among them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from pydantic import Field

from schemas.catalogue import ApprovalRule
from schemas.law.force import Entry, Table, law


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature(Entry):
    """people: different approvers. roles: each held by one of them."""

    type: str
    people: Annotated[int, Field(ge=1, le=5)]
    roles: tuple[str, ...] = ()


def _shipped(rows: Mapping[str, Signature]) -> Iterable[str]:
    known = [row.type for row in SIGNATURES.default]
    for name in sorted(rows.keys() - set(known)):
        yield f"{name}：该事项不在本表，可用：{'、'.join(known)}。 Not of this table; there are: {', '.join(known)}."


SIGNATURES = Table(
    name="signatures",
    zh="惩戒措施的审批签发",
    en="Who signs a sanction",
    entry=Signature,
    key=("type",),
    default=(
        Signature(
            type="sanction.dishonest.publish",
            people=2,
            roles=("president",),
            source="法释〔2017〕7号第五条：决定书由院长签发 (FASHI-2017-7-5)",
            since=date(2017, 5, 1),
        ),
        Signature(
            type="sanction.consumption-limit.publish",
            people=1,
            roles=("president",),
            source="法释〔2015〕17号第五条：限制消费令由院长签发 (FASHI-2015-17-5)",
            since=date(2015, 7, 22),
        ),
    ),
    faults=_shipped,
)


def signed_by(matter: str, on: str) -> ApprovalRule:
    """What a type of this table needs for what is published on `on` (YYYY-MM-DD). The payload states that day, so that
    a submission and each approval given later are judged alike. Raises KeyError: its approvals are not this table's."""
    row = law().on(SIGNATURES, date.fromisoformat(on))[matter]
    return ApprovalRule(people=row.people, roles=row.roles)
