"""Release of a case (docs/domain.md section 3, "a debtor pays"): what is withdrawn, what is ended, what is under way.

A request is withdrawn until it has opened a measure; from then on the measure is ended by the type that its entry
names. What was answered and only waits to be confirmed owes the debtor nothing and stays.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from gateway.core.control.moves import OPEN_STATES, is_live
from gateway.core.records import Measure, Request
from gateway.core.requests.lifecycle import TERMINAL, is_done

FINISHED = frozenset({"completed", "impossible"})
REASSIGNED = "cross.reassign.notice"
"""Tells where the case is; that stays true when it is let go."""


@dataclass(slots=True)
class Plan:
    """withdraw: requests. end: measures whose ending is to be asked for. under_way: (measure or None, request) whose
    ending or withdrawal has been asked for already. spared: numbers that the exceptions named."""

    withdraw: list[Request] = field(default_factory=list)
    end: list[Measure] = field(default_factory=list)
    under_way: list[tuple[Measure | None, Request]] = field(default_factory=list)
    spared: list[str] = field(default_factory=list)


def plan(requests: Sequence[Request], measures: Sequence[Measure], exceptions: Collection[str]) -> Plan:
    """requests: what our court opened in the case. measures: those that these requests opened."""
    result = Plan()
    by_number = {r.request_no: r for r in requests}
    live = [m for m in measures if m.state in OPEN_STATES]
    active = {m.request_no for m in live if is_live(m)}
    for request in requests:
        if not _withdrawable(request) or request.request_no in active:
            continue
        if request.request_no in exceptions:
            result.spared.append(request.request_no)
        elif request.state == "withdrawing":
            result.under_way.append((None, request))
        else:
            result.withdraw.append(request)
    leaving = {r.request_no for r in result.withdraw} | {r.request_no for _, r in result.under_way}
    for measure in live:
        ending = ending_of(measure, requests)
        if measure.measure_no in exceptions or measure.request_no in exceptions:
            result.spared.append(measure.measure_no)
        elif ending is not None:
            result.under_way.append((measure, ending))
        elif measure.request_no in by_number and measure.request_no not in leaving:
            result.end.append(measure)
    result.spared = list(dict.fromkeys(result.spared))
    return result


def acknowledged(request: Request) -> bool:
    """Whether the asked side has said its last word: answered, read, or agreed to the withdrawal."""
    answered = request.state in ("partial", *FINISHED)
    return answered or request.state in TERMINAL[request.shape] or is_done(request)


def _withdrawable(request: Request) -> bool:
    """Open, and neither an ending, which must arrive, nor the word about where the case is."""
    still = not is_done(request) and request.state not in FINISHED
    return still and request.facts.get("measure") != "end" and request.type != REASSIGNED


def ending_of(measure: Measure, requests: Sequence[Request]) -> Request | None:
    """An ending that was asked for and is still open."""
    for request in requests:
        asked = request.facts.get("measure") == "end" and measure.measure_no in request.facts.get("targets", ())
        if asked and not is_done(request) and request.state not in FINISHED:
            return request
    return None
