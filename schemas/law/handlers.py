"""Who may handle a matter (承办人): the roles of a court's registered staff, by type of matter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from functools import lru_cache

from schemas.law.force import Entry, Law, Table, law

OFFICERS = (
    "handler",
    "judge",
    "enforcement-officer",
    "bureau-chief",
    "deputy-bureau-chief",
    "vice-president",
    "president",
)
"""Judges and enforcement officers; `handler` says of somebody registered that this person is one of them. A 书记员
(`clerk`) drafts and files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandlerRoles(Entry):
    """type: a matter type, or a pattern (`grid.*`); the longest that fits decides. roles: the handler holds one."""

    type: str
    roles: tuple[str, ...]


def _somebody(rows: Mapping[str, HandlerRoles]) -> Iterable[str]:
    for name, row in rows.items():
        if not row.roles:
            yield f"{name}：roles 不能为空。 roles must not be empty."


HANDLERS = Table(
    name="handlers",
    zh="承办人职务",
    en="Who may handle a matter",
    entry=HandlerRoles,
    key=("type",),
    default=(
        HandlerRoles(
            type="*",
            roles=OFFICERS,
            source="民事诉讼法第二百三十九条：执行工作由执行员进行 (CPL-239)",
            since=date(2024, 1, 1),
        ),
    ),
    faults=_somebody,
)


def handler_roles(matter: str, day: date) -> HandlerRoles:
    """The row for a request of this type that is handed in, or taken over, on `day`: then its handler is named."""
    return _row(law(), matter, day)


@lru_cache(maxsize=1024)
def _row(tables: Law, matter: str, day: date) -> HandlerRoles:
    return max((r for r in tables.on(HANDLERS, day).values() if fnmatchcase(matter, r.type)), key=lambda r: len(r.type))
