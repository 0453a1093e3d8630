"""What is still open with one participant, or with one person of the court: told when they stop, and nothing when they
are removed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gateway.application.context import Context
from gateway.application.ports.lists import MeasureFilter, RequestFilter
from gateway.core.requests.lifecycle import is_done

PAGE = 500
AHEAD = timedelta(days=366)
_UNANSWERED = ("waiting", "sent")


@dataclass(slots=True)
class OpenMatters:
    """requests: number → state. measures: numbers of those that it opened or keeps and that have not ended."""

    requests: dict[str, str] = field(default_factory=dict)
    measures: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.requests or self.measures)


@dataclass(slots=True)
class OpenOfPerson:
    """What one person of the home court still has. cases: case number → requests with it as handler or as the one who
    stands in. pages: alerts about which it was paged and nobody has acknowledged. shifts: ahead, as ISO times."""

    cases: dict[str, list[str]] = field(default_factory=dict)
    pages: list[str] = field(default_factory=list)
    shifts: list[tuple[str, str]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.cases or self.pages or self.shifts)


async def open_of_person(context: Context, no: str, since: datetime) -> OpenOfPerson:
    """since: from which moment on shifts count. Raises StoreUnavailableError."""
    found, home = OpenOfPerson(), context.home.code
    after: str | None = None
    while rows := await context.store.requests(RequestFilter(participant=home, after=after, limit=PAGE)):
        after = rows[-1].request_no
        for row in (row for row in rows if not is_done(row)):
            if no in (row.handler, row.facts.get("backup")):
                found.cases.setdefault(row.case_no or "", []).append(row.request_no)
            if row.shape == "alert" and any(
                page.person == no and page.state in _UNANSWERED for page in await context.store.pages_of(row.request_no)
            ):
                found.pages.append(row.request_no)
    async with context.store.begin() as tx:
        shifts = await tx.shifts(home, since, since + AHEAD)
    found.shifts = [(s.begins.isoformat(), s.ends.isoformat()) for s in shifts if s.person == no]
    return found


async def open_matters(context: Context, code: str) -> OpenMatters:
    """Raises StoreUnavailableError."""
    found = OpenMatters()
    after: str | None = None
    while rows := await context.store.requests(RequestFilter(participant=code, after=after, limit=PAGE)):
        found.requests |= {row.request_no: row.state for row in rows if not is_done(row)}
        after = rows[-1].request_no
    after = None
    while measures := await context.store.measures(MeasureFilter(participant=code, after=after, limit=PAGE)):
        found.measures += [one.measure_no for one in measures]
        after = measures[-1].measure_no
    return found
