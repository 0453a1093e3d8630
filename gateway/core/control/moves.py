"""The life of a control measure: one table, one pure function (docs/domain.md section 3, "Control measures").

`docs/states.md` is drawn from `MOVES` and a test compares them. Four things that the table alone does not say:
1. What a partner did after all (`done`, `queued`) brings back only a measure that had come to nothing; one that an
   ending request has ended stays ended.
2. A measure that waits in line (轮候) is `requested` with a rank above 1: it is live only when its partner says so.
3. What ends by itself (a grace) is `over` at its end; for anything else that is a lapse, and an incident.
4. A lapsed measure is renewed only by the partner's word that the renewal was registered before the old end: the word
   comes late, but it holds. What was registered after it is a new measure (`core.control.renewals`), the old one stays
   lapsed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from gateway.core.records import Measure

SAME = "="
LIVE = ("active", "hit", "handed-over")
OPEN_STATES = ("requested", *LIVE)
STATES = (*OPEN_STATES, "lapsed", "ended")
TERMINAL = frozenset({"ended"})

OVER = frozenset({"refused", "returned", "rejected", "withdrawn"})
NOT_DONE = ("none", "impossible")
CAME_TO_NOTHING = OVER | {*NOT_DONE, "failed"}


@dataclass(frozen=True, slots=True)
class MeasureMove:
    """In `states`, `move` leads to `to` (or SAME). by: whose word it is."""

    states: tuple[str, ...]
    move: str
    by: str
    to: str


MOVES: tuple[MeasureMove, ...] = (
    MeasureMove(("requested", "ended"), "done", "partner", "active"),
    MeasureMove(LIVE, "done", "partner", SAME),
    MeasureMove(("requested",), "queued", "partner", SAME),
    MeasureMove(("active", "ended"), "queued", "partner", "requested"),
    MeasureMove(OPEN_STATES, "failed", "partner", "ended"),
    MeasureMove(OPEN_STATES, "nothing", "partner", "ended"),
    MeasureMove(("active",), "hit", "partner", "hit"),
    MeasureMove(("hit", "handed-over"), "hit", "partner", SAME),
    MeasureMove(("hit",), "cleared", "court", "active"),
    MeasureMove(("active", "hit"), "handed-over", "court", "handed-over"),
    MeasureMove(LIVE, "renewed", "partner", SAME),
    MeasureMove(("lapsed",), "renewed", "partner", "active"),
    MeasureMove((*OPEN_STATES, "lapsed"), "ended", "partner", "ended"),
    MeasureMove(("active", "hit"), "lapsed", "clock", "lapsed"),
    MeasureMove(("handed-over",), "lapsed", "clock", "ended"),
    MeasureMove(("active",), "over", "clock", "ended"),
)
_BY_KEY: Mapping[tuple[str, str], MeasureMove] = {(s, row.move): row for row in MOVES for s in row.states}
_BACK = ("done", "queued")


def moved(measure: Measure, move: str, **members: Any) -> Measure | None:
    """The measure after `move`, with `members` replaced; None where the table has no such move."""
    row = _BY_KEY.get((measure.state, move))
    if row is None or (measure.state == "ended" and move in _BACK and measure.ended_by not in CAME_TO_NOTHING):
        return None
    return replace(measure, state=measure.state if row.to == SAME else row.to, **members)


def is_live(measure: Measure) -> bool:
    """Whether somebody may act on it today: a partner did what was asked, and it has not ended."""
    return measure.state in LIVE
