"""One range of an index, read in the order of a number, for rows that are alike in some columns.

Said as `type = :type … ORDER BY request_no LIMIT :limit`, it leaves PostgreSQL the choice to walk through the numbers
of all types and pick: cheap where every tenth row fits, and a walk through the whole table where none does. Compared
as rows and ordered by all of the columns, only the index over just these columns will do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, literal, tuple_

Ends = tuple[ColumnElement[Any], ColumnElement[Any]]

EVERY: Ends = (bindparam("low"), literal("~"))
"""All that come after `low`. The end is behind every number: they are ASCII letters, digits, hyphens."""
OPENED: Ends = (bindparam("first"), bindparam("end"))
"""Those that one party gives."""


def ends_of(opener: str | None, after: str | None) -> dict[str, object]:
    """The parameters of both. after: the number that the last page ended with."""
    low = after or ""
    return {"low": low, "first": max(f"{opener}-", low), "end": f"{opener}."}


def alike(
    page: Select[Any],
    columns: Sequence[ColumnElement[Any]],
    values: Sequence[BindParameter[Any]],
    number: ColumnElement[Any],
    ends: Ends,
) -> Select[Any]:
    """The rows of `page` with these values, numbered between the ends (both outside), in order of the number."""
    row, (first, end) = tuple_(*columns, number), ends
    if not columns:
        return page.where(number > first, number < end).order_by(number)
    return page.where(row > tuple_(*values, first), row < tuple_(*values, end)).order_by(*columns, number)
