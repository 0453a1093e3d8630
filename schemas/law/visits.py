"""Matter types for which the partner's staff go out: they get the handler's telephone, so that they can ask on the
spot.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from functools import lru_cache

from schemas.law.force import Entry, Law, Table, law

_SOURCE = "工作约定：上门、上路的请求附承办人联系电话 (working practice)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit(Entry):
    """type: a matter type, or a pattern; the longest that fits decides. phone_required: without a registered telephone
    the request is refused; else that is told as a warning."""

    type: str
    phone_required: bool = False


VISITS = Table(
    name="visits",
    zh="附承办人联系电话的事项",
    en="What the handler's telephone goes with",
    entry=Visit,
    key=("type",),
    default=tuple(
        Visit(type=pattern, source=_SOURCE, since=date(2026, 1, 1), reading=True)
        for pattern in (
            "grid.*",
            "police.person-locate.request",
            "police.person-control.request",
            "police.vehicle-locate.request",
            "police.vehicle-control.request",
        )
    ),
)


def visit(matter: str, day: date) -> Visit | None:
    """The row for a request of this type that is handed in on `day`: then its message is written, with the telephone or
    without. None: nobody goes out for it."""
    return _row(law(), matter, day)


@lru_cache(maxsize=1024)
def _row(tables: Law, matter: str, day: date) -> Visit | None:
    rows = (row for row in tables.on(VISITS, day).values() if fnmatchcase(matter, row.type))
    return max(rows, key=lambda row: len(row.type), default=None)
