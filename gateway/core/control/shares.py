"""Shares in a company: frozen from publication, the first that was published is the first (法释〔2021〕20号 6)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from gateway.core.control.moves import OPEN_STATES
from gateway.core.records import Measure


def ranked(on_share: Iterable[Measure]) -> list[Measure]:
    """Those of the open measures on one share whose rank is another by the times of publication.

    A register knows freezes of courts that are not here, so a rank further back than ours is left as it says."""
    published = [m for m in on_share if m.published_at is not None and m.state in OPEN_STATES]
    in_order = sorted(published, key=lambda m: (m.published_at, m.measure_no))
    return [
        replace(measure, rank=place)
        for place, measure in enumerate(in_order, 1)
        if measure.rank is None or measure.rank < place
    ]
