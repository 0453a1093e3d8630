"""What is still open with one participant: before it is suspended people look at this, before it is removed it must be
empty.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.application.context import Context
from gateway.application.ports import MeasureFilter, RequestFilter
from gateway.core.lifecycle import is_done

PAGE = 500


@dataclass(slots=True)
class OpenMatters:
    """requests: number → state. measures: numbers of those that it opened or keeps and that have not ended."""

    requests: dict[str, str] = field(default_factory=dict)
    measures: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.requests or self.measures)


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
