"""Lists: pages of requests and measures, the feed, a request's timeline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.core.control.moves import OPEN_STATES
from gateway.core.records import Event, Measure, Request
from gateway.core.requests.listing import Order, Waits


@dataclass(frozen=True, slots=True)
class RequestFilter:
    participant: str | None = None  # asker or asked
    case_no: str | None = None
    type: str | None = None
    state: str | None = None
    receiver: str | None = None
    group_no: str | None = None
    after: str | None = None  # request_no
    limit: int = 50


@dataclass(frozen=True, slots=True)
class OpenFilter:
    """Requests of the court `home` that are not done. partner: the other side. due_by: due then at the latest; it
    leaves out those without a deadline, as the order `due` does. after: the value that the order goes by (microseconds
    since 1970) and the number of the last one shown."""

    home: str
    waits: Waits | None = None
    partner: str | None = None
    handler: str | None = None
    team: str | None = None
    campaign: str | None = None
    lead: str | None = None
    type: str | None = None
    due_by: datetime | None = None
    order: Order = "due"
    after: tuple[int, str] | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class MeasureFilter:
    """ends_by: a last day (YYYY-MM-DD) at the latest; what is past its end and still in one of `states` is among
    them."""

    participant: str | None = None  # opened it, or keeps it
    states: Sequence[str] = OPEN_STATES
    case_no: str | None = None
    ends_by: str | None = None
    after: str | None = None  # measure_no
    limit: int = 50


class Lists(Protocol):
    """Outside of a unit of work."""

    async def requests(self, where: RequestFilter) -> list[Request]: ...

    async def open_requests(self, where: OpenFilter) -> list[Request]:
        """One page, in the order that is asked for."""
        ...

    async def measures(self, where: MeasureFilter) -> list[Measure]:
        """One page, in order of the number."""
        ...

    async def events(self, audience: str, after: int, limit: int) -> list[Event]: ...

    async def first_event(self) -> int | None:
        """The id of the oldest event that is kept, of anybody's."""
        ...

    async def last_event(self) -> int: ...

    async def newest_event_at(self) -> datetime | None:
        """When the last event was written."""
        ...

    async def audiences(self, after: int, until: int) -> set[str]:
        """In whose feeds the events with these ids stand: above `after`, up to `until`."""
        ...

    async def timeline(self, request_no: str) -> list[Event]: ...

    async def timeline_page(self, request_no: str, audience: str, after: int, limit: int) -> list[Event]:
        """What `audience` sees of it, above that id."""
        ...
