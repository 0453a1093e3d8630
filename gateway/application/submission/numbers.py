"""The numbers that a request bears: its own, and that of its commission on the national command platform.

Request numbers: `<opener>-<yyyymmdd Shanghai>-<6 or more digits>`, taken from the store in blocks. A block that is not
used up when the process ends leaves a lawful gap (docs/contracts.md 3.1). None of its numbers is used before a mark
outside of the store tells of it (docs/adr/0030). A block that was used up at once is followed by one twice as large, so
that the marks cost nothing when there is much to do.

The platform's number is entered with a submission, or by a list afterwards (docs/adr/0039).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from time import monotonic

from gateway.application.context import Context
from gateway.application.marks import Cover, Uncovered, new_token
from gateway.application.ports.store import Store
from gateway.application.submission.validate import Proof
from gateway.application.unit_of_work import request_events
from gateway.core.records import Changes, Request
from gateway.core.requests.platform import EXEMPT, MISSING, NUMBERED, filed, number_of, platform_line, standing
from gateway.core.time.calendar import SHANGHAI, local_day
from lianzhi.errors import RejectedError
from lianzhi.problem import FieldError
from schemas.bodies import PlatformFiling, Submission
from schemas.law.platform_items import platform_duty
from schemas.ledgers import OPENED
from schemas.validation import rule_error

BATCH = 500
"""Requests that are locked at once when a list of platform numbers is entered."""
AT_ONCE = 5.0
"""Seconds."""
GROWTH = 16
"""So many times the configured block at most."""


class Numbers:
    """block: how many are taken at first. cover: what their giving waits for."""

    def __init__(self, store: Store, block: int, cover: Cover | None = None) -> None:
        self._store = store
        self._block = self._size = block
        self._cover = cover or Uncovered()
        self._next: dict[tuple[str, str], int] = {}
        self._end: dict[tuple[str, str], int] = {}
        self._taken_at = float("-inf")
        self._lock = asyncio.Lock()

    async def next(self, opener: str, now: datetime) -> str:
        """A number nobody else has. Raises StoreUnavailableError, RejectedError marks-unreadable, set-back."""
        day = now.astimezone(SHANGHAI).strftime("%Y%m%d")
        key = (opener, day)
        self._cover.check()
        while (number := self._next.get(key, 0)) >= self._end.get(key, 0):
            await self._refill(key)
        self._next[key] = number + 1
        return f"{opener}-{day}-{number:06d}"

    async def _refill(self, key: tuple[str, str]) -> None:
        """A block for `key`, unless another has fetched one meanwhile; those of other days are forgotten."""
        opener, day = key
        async with self._lock:
            if self._next.get(key, 0) < self._end.get(key, 0):
                return
            self._cover.check()
            size = self._grown()
            async with self._store.begin() as tx:
                await tx.raise_sequence(new_token())
                first = await tx.take_number_block(opener, day, size)
            await self._cover.cover()
            for old in [other for other in self._next if other[1] != day]:
                del self._next[old], self._end[old]
            self._next[key], self._end[key] = first, first + size

    def _grown(self) -> int:
        soon = monotonic() - self._taken_at < AT_ONCE
        self._size = min(self._size * 2, self._block * GROWTH) if soon else self._block
        self._taken_at = monotonic()
        return self._size


# --- numbers on the national command platform


def check_platform(proof: Proof, day: date) -> tuple[FieldError, ...]:
    """Of what a court system hands in itself on `day`: the warnings. Raises RejectedError where the deployment asks for
    the number before anything leaves."""
    duty = platform_duty(proof.matter.name, day)
    if duty is None or not _unnumbered(proof.submission):
        return ()
    if duty == "required":
        raise RejectedError("invalid-field", [rule_error("platform-required", "/platform")])
    return (rule_error("platform-missing", "/platform"),)


def note_platform(context: Context, request: Request, submission: Submission, changes: Changes, now: datetime) -> None:
    """What the request remembers; a line in the ledger where the number is still to come."""
    if submission.platform is not None:
        request.facts["platform"] = filed(submission.platform)
    elif platform_duty(request.type, local_day(now)) is None:
        return
    elif submission.platform_exempt is not None:
        request.facts["platform"] = EXEMPT.copy()
    else:
        request.facts["platform"] = MISSING.copy()
        changes.ledger.append(platform_line(request, OPENED, request.request_no, local_day(now).isoformat(), now))


class PlatformNumbers:
    """The numbers that came later."""

    def __init__(self, context: Context) -> None:
        self._ctx = context

    async def enter(self, filings: Mapping[str, PlatformFiling]) -> int:
        """filings: by request number. All of them or none. How many were new; the same again changes nothing.

        Raises RejectedError invalid-field: each that cannot be entered, its request's number as pointer.
        """
        now, entered = self._ctx.clock.now(), 0
        numbers = sorted(filings)
        async with self._ctx.store.begin() as tx:
            changes = Changes()
            faults: list[FieldError] = []
            for first in range(0, len(numbers), BATCH):
                found = await tx.lock_requests(numbers[first : first + BATCH])
                for number in numbers[first : first + BATCH]:
                    fault = self._fault(found.get(number), filings[number])
                    if fault is not None:
                        faults.append(rule_error(fault, f"/{number}"))
                    elif standing(found[number]) != "filed":
                        self._enter(found[number], filings[number], changes, now)
                        entered += 1
            if faults:
                raise RejectedError("invalid-field", faults)
            await tx.apply(changes)
        return entered

    def _fault(self, request: Request | None, filing: PlatformFiling) -> str | None:
        if request is None or request.asker != self._ctx.home.code:
            return "platform-no-request"
        if standing(request) is None:
            return "platform-not-concerned"
        if standing(request) == "filed" and request.facts["platform"] != filed(filing):
            return "platform-other-number"
        return None

    def _enter(self, request: Request, filing: PlatformFiling, changes: Changes, now: datetime) -> None:
        if standing(request) == "missing":
            source = f"{request.request_no}:{NUMBERED}"
            changes.ledger.append(platform_line(request, NUMBERED, source, filing.filed_on, now, settles=True))
        request.facts = {**request.facts, "platform": filed(filing)}
        request.updated_at = now
        changes.requests.append(request)
        changes.events += request_events(self._ctx, request, "platform-number", now, detail=number_of(request))


def _unnumbered(submission: Submission) -> bool:
    return submission.platform is None and submission.platform_exempt is None


def requests_of(filings: Sequence[tuple[str, PlatformFiling]]) -> dict[str, PlatformFiling]:
    """By request number. Raises RejectedError invalid-field: one request stands twice with different numbers."""
    found: dict[str, PlatformFiling] = {}
    for number, filing in filings:
        if found.setdefault(number, filing) != filing:
            raise RejectedError("invalid-field", [rule_error("platform-other-number", f"/{number}")])
    return found
