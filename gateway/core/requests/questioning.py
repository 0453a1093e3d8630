"""How long somebody who was brought by a writ may be questioned: eight hours, or 24 where the matter is complex and a
detention possible (民诉法解释 482). The record of the handover begins it. Pure.

When the questioning ended, nobody tells the gateway: so both ends are shown and announced an hour before, and nothing
is reported as overdue.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from gateway.core.records import Timer
from gateway.core.requests.facts import Questioning
from gateway.core.time.calendar import local_day
from schemas.law.lookouts import QUESTIONING as USUAL
from schemas.law.lookouts import QUESTIONING_LONG, longest

QUESTIONING = "questioning"
BY_WRIT = "compelled-appearance"
ANNOUNCED_BEFORE = timedelta(hours=1)
STEPS: tuple[Literal["until", "longest"], ...] = ("until", "longest")


def begun(decision: str | None, at: datetime) -> Questioning | None:
    """The fact `questioning` of an alert whose person was handed over at `at`: `since`, `until`, `longest` (RFC 3339).

    None: the lookout carried out another decision than a writ, or one that is not known."""
    if decision != BY_WRIT:
        return None
    day = local_day(at)
    usual, long = (at + timedelta(hours=longest(term, day)) for term in (USUAL, QUESTIONING_LONG))
    return {"since": at.isoformat(), "until": usual.isoformat(), "longest": long.isoformat()}


def next_step(request_no: str, fact: Questioning, step: int) -> Timer | None:
    """When the `step`-th end is announced; None after the last."""
    if step == len(STEPS):
        return None
    return Timer(request_no, QUESTIONING, datetime.fromisoformat(fact[STEPS[step]]) - ANNOUNCED_BEFORE, step)
