"""One row over which our own code fails is set aside alone; everything else goes on (docs/adr/0028).

A row is a page, a timer, a message to send, a request whose deadline is counted again: something that a partner, a
client, a mail server or an edited file shaped, so that it can be as strange as they like. What fails outside of any row
is systematic, is not caught here, and ends the process (docs/architecture.md 4 rule 4).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog

from gateway.core.records import Event
from lianzhi.faults import fault_of

log = structlog.get_logger("set-aside")

TOLD_AGAIN_AFTER = timedelta(hours=1)
REMEMBERED = 10_000


class Faults:
    """How often each kind of work failed over a row in this process, and which rows a person has heard of."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()
        self._told: dict[tuple[str, str], datetime] = {}

    def set_aside(self, work: str, row: str, fault: Exception) -> None:
        """Logs and counts it, by type and place. work: `page`, `timer`, `dispatch`, `calendar`. row: its number.

        Raises MemoryError on: that is no row's doing.
        """
        if isinstance(fault, MemoryError):
            raise fault
        self._counts[work, type(fault).__name__] += 1
        log.error("row-set-aside", work=work, row=row, **fault_of(fault))

    def to_be_told(self, work: str, row: str, now: datetime) -> bool:
        """Whether a person is to hear of this row now: the first time, and again after `TOLD_AGAIN_AFTER`."""
        last = self._told.get((work, row))
        if last is not None and timedelta(0) <= now - last < TOLD_AGAIN_AFTER:
            return False
        if len(self._told) >= REMEMBERED:
            self._told.clear()
        self._told[work, row] = now
        return True

    def counts(self) -> Mapping[tuple[str, str], int]:
        """(work, type of the exception) → times."""
        return self._counts


def incident(home: str, request_no: str, what: str, fault: Exception, now: datetime) -> Event:
    """For the home court's feed. what: `timer:<kind>` and the like. It needs nothing but the row's own number, because
    whatever else the row names may be what is broken."""
    detail = f"{what}:{type(fault).__name__}"
    return Event(at=now, audience=home, kind="incident", request_no=request_no, detail=detail)
