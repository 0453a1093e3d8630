"""What leaves the court as aggregates: nobody is in them, and what is hidden cannot be worked out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.figures.aggregates import FEW, Cell, aggregates, as_csv
from gateway.core.figures.histories import Ask
from gateway.core.figures.indicators import report
from gateway.core.figures.periods import period_named
from gateway.core.figures.rows import Rows, Working
from gateway.core.time.calendar import Calendar

WEEK = period_named("2026-W13")
SECRET = ("r-secret", "（2026）陕0199执900001号", "sn0199-0007", "sn0199-0001", "执行一团队", "春雷行动")


def cells(counts: dict[str, int]) -> list[Cell]:
    """counts: partner → requests that were delivered to it; each of them with everything that names somebody."""
    number, case, handler, lead, team, campaign = SECRET
    whose: dict[str, Any] = {"case_no": case, "handler": handler, "lead": lead, "team": team, "campaign": campaign}
    at = WEEK.start + timedelta(hours=9)
    rows = [
        Ask(number, partner, type="grid.verify.request", created_at=at, delivered_at=at, first_result_at=at, **whose)
        for partner, count in counts.items()
        for _ in range(count)
    ]
    return aggregates(report(WEEK, Rows(asks=rows), WEEK.end, Working(Calendar(())), {}))


def delivered(found: list[Cell], by: str) -> dict[str, int | float | None]:
    return {cell.key: cell.value for cell in found if (cell.by, cell.figure) == (by, "delivered")}


def test_small_counts_are_hidden_and_large_ones_shown() -> None:
    found = cells({"a": 4, "b": 3, "c": 5, "d": 60})
    assert delivered(found, "partner") == {"a": None, "b": None, "c": 5, "d": 60}
    assert delivered(found, "total") == {"": 72}
    assert delivered(found, "type") == {"grid.verify.request": 72}


def test_one_hidden_count_takes_the_next_with_it() -> None:
    """Otherwise the total less the others is what was hidden."""
    assert delivered(cells({"a": 4, "c": 9, "d": 60}), "partner") == {"a": None, "c": None, "d": 60}
    assert delivered(cells({"a": 1, "b": 1, "c": 9, "d": 60}), "partner") == {"a": None, "b": None, "c": None, "d": 60}


def test_a_share_that_leaves_few_over_hides_its_part() -> None:
    at = WEEK.start + timedelta(hours=9)
    rows = [Ask("r", "a", created_at=at, delivered_at=at, received_at=at) for _ in range(9)]
    rows.append(Ask("r", "a", created_at=at, delivered_at=at))
    found = aggregates(report(WEEK, Rows(asks=rows), WEEK.end, Working(Calendar(())), {}))
    total = {cell.figure: cell.value for cell in found if cell.by == "total"}
    assert (total["receipt_whole"], total["receipt_part"]) == (10, None)


def test_a_hidden_part_does_not_follow_from_the_others() -> None:
    at = WEEK.start + timedelta(hours=9)
    rows = [Ask("r", "a", created_at=at, delivered_at=at, received_at=at if n else None) for n in range(10)]
    rows += [Ask("r", "b", created_at=at, delivered_at=at, received_at=at if n > 9 else None) for n in range(40)]
    found = aggregates(report(WEEK, Rows(asks=rows), WEEK.end, Working(Calendar(())), {}))
    parts = {cell.key: cell.value for cell in found if (cell.by, cell.figure) == ("partner", "receipt_part")}
    assert parts == {"a": None, "b": None}, "the total is 39"


def test_medians_of_few_are_hidden() -> None:
    found = {(c.by, c.key, c.figure): c for c in cells({"a": 4, "b": 40, "c": 41})}
    assert found["partner", "c", "median_hours"].value == 0.0
    for key in ("a", "b"):
        assert found["partner", key, "median_hours"].hidden


def test_nothing_in_them_names_a_case_a_request_or_a_person() -> None:
    said = as_csv("2026-W13", cells({"a": 50, "b": 7}))
    assert "2026-W13,partner,a,delivered,50,0" in said.splitlines()
    assert [word for word in SECRET if word in said] == []


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 12), max_size=8))
def test_what_is_hidden_cannot_be_worked_out(counts: dict[str, int]) -> None:
    shown = delivered(cells(counts), "partner")
    hidden = [counts[key] for key, value in shown.items() if value is None]
    assert not any(value is not None and 0 < value < FEW for value in shown.values())
    if hidden and len(hidden) < sum(1 for value in counts.values() if value):
        assert len(hidden) > 1
        assert sum(hidden) >= FEW
