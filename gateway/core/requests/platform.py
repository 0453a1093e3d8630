"""A commission's number on the national command platform: what a request remembers of it (docs/domain.md 2.6).

`facts["platform"]` is absent where the type has no such duty and no number was given; else one of the forms below.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from gateway.core.figures.histories import team_of
from gateway.core.records import LedgerLine, Request
from gateway.core.requests.facts import Platform
from schemas.bodies import PlatformFiling

LEDGER = "platform"
NUMBERED = "numbered"
MISSING: Platform = {"missing": True}
EXEMPT: Platform = {"exempt": True}
"""The reason stands in the submission alone: it is prose."""

Standing = Literal["filed", "exempt", "missing"]


def filed(filing: PlatformFiling) -> Platform:
    return {"no": filing.no, "filed_on": filing.filed_on}


def standing(request: Request) -> Standing | None:
    """None: the platform is no matter of this request's."""
    found = request.facts.get("platform")
    if found is None:
        return None
    return "missing" if "missing" in found else "exempt" if "exempt" in found else "filed"


def number_of(request: Request) -> str | None:
    return request.facts.get("platform", {}).get("no")


def platform_line(
    request: Request, kind: str, source: str, day: str, now: datetime, *, settles: bool = False
) -> LedgerLine:
    return LedgerLine(
        ledger=LEDGER,
        item_no=request.request_no,
        source=source,
        kind=kind,
        day=day,
        at=now,
        settles=settles,
        case_no=request.case_no,
        request_no=request.request_no,
        partner=request.asked,
        team=team_of(request),
    )
