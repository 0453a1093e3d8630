"""Several measures on one object or in one case: who else has one there, who waits behind it, which came first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from gateway.core.control.moves import LIVE, OPEN_STATES
from gateway.core.records import Measure


def elsewhere(measure: Measure, on_object: Iterable[Measure]) -> list[str]:
    """Open measures of the same kind on the same object in other cases: not forbidden, but somebody should know."""
    return [
        m.measure_no
        for m in on_object
        if m.action == measure.action and m.case_no != measure.case_no and m.state in OPEN_STATES
    ]


def behind(measure: Measure, on_object: Iterable[Measure]) -> list[Measure]:
    """Those that are next in line behind `measure` (轮候) at the same partner; only it can tell that they moved up.

    Who stands further back is told when it is next: all of them each time would be an event for each pair in the line.
    """
    if (measure.rank or 1) > 1:
        return []
    waiting = [
        m
        for m in on_object
        if m.action == measure.action
        and m.asked == measure.asked
        and m.measure_no != measure.measure_no
        and m.state == "requested"
        and (m.rank or 1) > 1
    ]
    return [m for m in waiting if m.rank == min(other.rank or 1 for other in waiting)]


def keeps_case_open(in_case: Iterable[Measure]) -> list[str]:
    """Numbers of the live measures for whose sake a case cannot be closed (docs/domain.md section 3)."""
    return [m.measure_no for m in in_case if m.state in LIVE]


def ranked(on_share: Iterable[Measure]) -> list[Measure]:
    """Those of the open measures on one share whose rank is another by the times of publication.

    Shares in a company are frozen from publication, the first that was published is the first (法释〔2021〕20号 6).

    A register knows freezes of courts that are not here, so a rank further back than ours is left as it says."""
    published = [m for m in on_share if m.published_at is not None and m.state in OPEN_STATES]
    in_order = sorted(published, key=lambda m: (m.published_at, m.measure_no))
    return [
        replace(measure, rank=place)
        for place, measure in enumerate(in_order, 1)
        if measure.rank is None or measure.rank < place
    ]
