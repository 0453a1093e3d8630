"""What is secured in a case, beside its debt: sums in fact, and sums that are only asked for (查封扣押冻结规定 19)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from gateway.core.control.moves import LIVE
from gateway.core.records import Measure

COUNTED = ("seal", "freeze")
NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Sums:
    """CNY. in_fact: what registers answered, or an appraisal says, of what is in force. asked: what was asked for and
    is not answered, or was answered without a sum."""

    in_fact: Decimal = NOTHING
    asked: Decimal = NOTHING

    def covers(self, debt: str) -> bool:
        """Whether the sums in fact cover the debt: then nothing more may be seized."""
        return self.in_fact >= Decimal(debt)

    def may_cover(self, debt: str, values: Sequence[str | None]) -> bool:
        """Whether they would with all that is asked for, also without the least of the objects of this request
        (`values`): a single thing that is worth more than the debt may be seized when nothing else is."""
        more = sorted(Decimal(value or 0) for value in values)
        return self.in_fact + self.asked + sum(more[1:], NOTHING) >= Decimal(debt)

    def head(self, debt: str) -> dict[str, str]:
        """For an event."""
        return {"debt": debt, "in_fact": f"{self.in_fact:.2f}", "asked": f"{self.asked:.2f}"}


def sums(in_case: Iterable[Measure]) -> Sums:
    """Of the measures of a case."""
    facts, asked = NOTHING, NOTHING
    for measure in in_case:
        worth = in_fact(measure)
        if worth is not None:
            facts += Decimal(worth)
        elif _awaited(measure):
            asked += Decimal(measure.amount or 0)
    return Sums(facts, asked)


def in_fact(measure: Measure) -> str | None:
    """What is secured by it, CNY: the appraised value, or the sum that was answered; of a thing under seal what the
    court stated that it is worth. None: nothing is in force, or nobody knows."""
    if measure.action not in COUNTED or measure.state not in LIVE:
        return None
    stated = measure.amount if measure.action == "seal" else None
    return measure.appraised or measure.seized or stated


def _awaited(measure: Measure) -> bool:
    """A queued one (it has a rank) was answered: it secures nothing."""
    waits = measure.state == "requested" and measure.rank is None
    return measure.action in COUNTED and (waits or measure.state in LIVE)
