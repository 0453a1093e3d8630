"""People who are paged about an alert, duty officers who are told of an alarm, and the ways out to them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from gateway.core.alarms.figures import Figures
from gateway.core.alarms.standing import Alarm
from gateway.core.alarms.tellings import Note, Telling
from gateway.core.records import DutyShift, Page


@dataclass(frozen=True, slots=True)
class Notification:
    """What one page says: no name, no plate, no place. to: a staff number; mail: its address, where there is one.

    link: path and token by which its reader acknowledges the alert, below the gateway's public address.
    """

    page_id: str
    alert: str
    level: str
    to: str
    mail: str | None
    matter: str
    urgency: str
    raised_at: datetime
    subject: str
    text: str
    link: str


class Notifier(Protocol):
    """One way out to people: the court's SMS and voice platform, or mail."""

    @property
    def channel(self) -> str: ...

    async def send(self, notification: Notification, now: datetime) -> None:
        """Handed over to the other side. Raises UndeliveredError; may be called again with the same page."""
        ...

    async def close(self) -> None: ...


class PageReads(Protocol):
    """Outside of a unit of work."""

    async def lease_pages(self, now: datetime, term: timedelta, limit: int) -> list[Page]:
        """Due pages in the order in which they were written, each nobody else's until `now + term`."""
        ...

    async def page(self, page_id: str) -> Page | None: ...

    async def pages_of(self, alert: str) -> list[Page]:
        """Whom that alert calls, in the order of levels."""
        ...


class AlertUnit(Protocol):
    """Pages and the duty roster, inside a unit of work."""

    async def mark_page(self, page: Page) -> None:
        """Its state, `sent_at` and `due_at`; one that was answered meanwhile keeps its state."""
        ...

    async def shifts(self, participant: str, since: datetime, until: datetime) -> list[DutyShift]:
        """Shifts that touch [since, until), by their beginning."""
        ...

    async def replace_shifts(self, participant: str, shifts: Sequence[DutyShift]) -> None: ...


TakeFigures = Callable[[datetime], Awaitable[Figures]]
"""What store, broker, machine and process show now. Raises StoreUnavailableError."""


class AlarmUnit(Protocol):
    """Part of one unit of work."""

    async def standing(self) -> list[Alarm]:
        """All; whoever else asks in a unit waits until this one is over."""
        ...

    async def put(self, alarms: Sequence[Alarm]) -> None: ...

    async def end(self, alarms: Sequence[Alarm]) -> None:
        """They stand no more."""
        ...

    async def supersede(self, alarm_ids: Sequence[str]) -> None:
        """What still waits to be told of these is not told any more."""
        ...

    async def tell(self, tellings: Sequence[Telling]) -> None: ...

    async def mark(self, telling: Telling) -> None:
        """Its `due_at`, outcome and error; one that is not waiting any more keeps its outcome, unless this says that it
        was sent."""
        ...


class AlarmReads(Protocol):
    """Outside of a unit of work."""

    async def standing(self) -> list[Alarm]:
        """All, by family and subject."""
        ...

    async def lease(self, now: datetime, term: timedelta, limit: int) -> list[Telling]:
        """Due tellings in their order, each counted as attempted and nobody else's until `now + term`."""
        ...

    async def told(self, alarm_ids: Sequence[str]) -> list[Telling]:
        """Of these alarms, in their order."""
        ...


class AlarmWay(Protocol):
    """One recipient."""

    async def tell(self, note: Note, now: datetime) -> None:
        """Handed over to the other side. Raises UndeliveredError; may be called again with the same note."""
        ...

    async def close(self) -> None: ...
