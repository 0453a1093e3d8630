"""What may not be seized, or not twice, or not left behind: pure checks over the measures of a case or an object."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from gateway.core.measure_moves import LIVE, OPEN_STATES
from gateway.core.records import Measure


def over_seized(debt: str | None, values: Sequence[str | None], in_case: Iterable[Measure]) -> bool:
    """Whether what is seized in the case covers the debt even without the least of the objects asked for.

    debt, values: CNY, `1234.50`; an object without a stated value counts nothing. in_case: measures of the case.
    A single thing that is worth more than the debt may be seized when nothing else is (SFK 19: not *clearly* over).
    """
    if debt is None:
        return False
    standing = sum((Decimal(m.amount) for m in in_case if m.amount and m.state in OPEN_STATES), Decimal(0))
    asked = sorted(Decimal(value or 0) for value in values)
    return standing + sum(asked[1:], Decimal(0)) >= Decimal(debt)


def elsewhere(measure: Measure, on_object: Iterable[Measure]) -> list[str]:
    """Open measures of the same kind on the same object in other cases: not forbidden, but somebody should know."""
    return [
        m.measure_no
        for m in on_object
        if m.action == measure.action and m.case_no != measure.case_no and m.state in OPEN_STATES
    ]


def behind(measure: Measure, on_object: Iterable[Measure]) -> list[Measure]:
    """Measures that wait in line behind `measure` (轮候) at the same partner; only it can tell that they moved up."""
    if (measure.rank or 1) > 1:
        return []
    return [
        m
        for m in on_object
        if m.action == measure.action
        and m.asked == measure.asked
        and m.measure_no != measure.measure_no
        and m.state == "requested"
        and (m.rank or 1) > 1
    ]


def keeps_case_open(in_case: Iterable[Measure]) -> list[str]:
    """Numbers of the live measures for whose sake a case cannot be closed (docs/domain.md section 3)."""
    return [m.measure_no for m in in_case if m.state in LIVE]
