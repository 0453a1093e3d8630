"""The people's mail of the day: to each handler and leader what is late and theirs, and nothing to whom nothing is.

It says how things stood at `digest_hour`, so that a mail server that comes back at noon makes no second mail of what
became late meanwhile. The table `digests` has a row a day and recipient, and one for the round: whoever holds it sends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from hashlib import sha256

import structlog

from gateway.application.context import Context
from gateway.application.operating.digest import AGAIN, ATTEMPTS
from gateway.application.ports.alerts import Notification, Notifier
from gateway.application.ports.lists import OpenFilter
from gateway.application.queries.open_requests import shown
from gateway.core.records import Changes, Event, Request
from gateway.core.routing import Staff
from gateway.core.time.calendar import SHANGHAI
from lianzhi.errors import StoreUnavailableError, UndeliveredError
from lianzhi.faults import cause_of

log = structlog.get_logger("duty")
ROUND = "people"
SHOWN = 50
"""Requests in one mail; of more it says so."""
TURN, TRY = AGAIN - timedelta(minutes=1), timedelta(minutes=1)
"""How long one round takes at most; how long one sending is nobody else's."""
DONE = "done"
WAITS = {
    "us": ("等本院", "waits for the court"),
    "partner": ("等对方", "waits for the partner"),
    "approval": ("等审批", "waits for an approval"),
}


@dataclass(frozen=True, slots=True)
class Late:
    """What is late of one person's: as handler, as leader in charge; each the most overdue first, at most SHOWN + 1."""

    handled: Sequence[Request]
    led: Sequence[Request]

    def __bool__(self) -> bool:
        return bool(self.handled or self.led)


class PeopleMail:
    """notifiers: the ways out as they are configured now; the mail is sent by the one of channel `mail`."""

    def __init__(self, context: Context, notifiers: Sequence[Notifier]) -> None:
        self._ctx = context
        self.follow(notifiers)

    def follow(self, notifiers: Sequence[Notifier]) -> None:
        """These from now on."""
        self._mail = next((notifier for notifier in notifiers if notifier.channel == "mail"), None)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; survives a store that is away."""
        while not stop.is_set():
            try:
                await self.once()
            except StoreUnavailableError as error:
                log.warning("store-unavailable", error=cause_of(error))
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), self._ctx.settings.watch_poll)

    async def once(self) -> int:
        """How many mails went out now. Before the hour, and on a day that is over: none. Raises
        StoreUnavailableError."""
        settings, now = self._ctx.settings, self._ctx.clock.now()
        local = now.astimezone(SHANGHAI)
        if self._mail is None or not settings.digest_people or local.hour < settings.digest_hour:
            return 0
        day = local.date().isoformat()
        attempt = await self._claim(day, ROUND, now, AGAIN)
        if not attempt:
            return 0
        as_of = datetime.combine(local.date(), time(settings.digest_hour), SHANGHAI)
        sent, unfinished = await self._round(self._mail, day, as_of, now)
        if unfinished is None or attempt >= ATTEMPTS:
            await self._end(day, ROUND, unfinished)
        else:
            log.warning("people-digest-not-sent", day=day, attempts=attempt, why=unfinished)
        return sent

    async def _round(self, mail: Notifier, day: str, as_of: datetime, now: datetime) -> tuple[int, str | None]:
        """How many went out, and why not everybody has been gone to: then the round is begun again later."""
        sent = 0
        for person in self._people():
            if self._ctx.clock.now() - now > TURN:
                return sent, "slow"  # before another process takes the round over
            late = await self._late(person.no, as_of)
            if not late:
                continue
            error = await self._to(mail, person, day, late, as_of)
            if error is not None and not _of_one(error):
                return sent, error  # whoever comes next would wait for the same server
            sent += error is None
        return sent, None

    def _people(self) -> Iterator[Staff]:
        today = self._ctx.today()
        yield from (p for p in self._ctx.home.staff.values() if p.mail is not None and p.valid_on(today))

    async def _late(self, no: str, as_of: datetime) -> Late:
        where = OpenFilter(self._ctx.home.code, due_by=as_of, limit=SHOWN + 1)
        store = self._ctx.store
        return Late(
            await store.open_requests(replace(where, handler=no)), await store.open_requests(replace(where, lead=no))
        )

    async def _to(self, mail: Notifier, person: Staff, day: str, late: Late, as_of: datetime) -> str | None:
        """Why it did not go out; None: it did."""
        now, recipient = self._ctx.clock.now(), f"{ROUND}-{sha256(person.no.encode()).hexdigest()[:24]}"
        if not await self._claim(day, recipient, now, TRY):
            return DONE
        text = late_text(day, late, self._ctx, as_of)
        try:
            await mail.send(_notification(person, recipient, day, text, now), now)
        except UndeliveredError as error:
            log.warning("people-digest-not-sent", day=day, person=person.no, why=error.code)
            if _of_one(error.code):
                await self._end(day, recipient, error.code, person.no)
            return error.code
        await self._end(day, recipient, None)
        return None

    async def _claim(self, day: str, recipient: str, now: datetime, term: timedelta) -> int:
        async with self._ctx.store.begin() as tx:
            return await tx.operating.claim_digest(day, recipient, now, term)

    async def _end(self, day: str, recipient: str, error: str | None, person: str | None = None) -> None:
        now, changes = self._ctx.clock.now(), Changes()
        if error is not None:
            head = {"reason": "people-digest-not-sent", "day": day, "person": person}
            detail = f"people-digest-not-sent:{error}"
            changes.events.append(Event(now, self._ctx.home.code, "incident", head=head, detail=detail))
        async with self._ctx.store.begin() as tx:
            await tx.operating.end_digest(day, recipient, now)
            await tx.apply(changes)


def late_text(day: str, late: Late, context: Context, as_of: datetime) -> str:
    """Chinese and English: numbers, types, partners, how late; of whom or what, never."""
    lines = [f"{day} {as_of:%H:%M}", "逾期且与您有关的请求 Requests that are late and yours", ""]
    for zh, en, requests in (("承办", "as handler", late.handled), ("包案", "as leader in charge", late.led)):
        if requests:
            many = f"{SHOWN}+" if len(requests) > SHOWN else str(len(requests))
            lines.append(f"{zh} {en}: {many}")
            lines += [_line(request, context, as_of) for request in requests[:SHOWN]]
            lines.append("")
    return "\n".join([*lines, "请在办案系统中处理。 Deal with them in the court's system.", ""])


def _line(request: Request, context: Context, as_of: datetime) -> str:
    told = shown(request, context.home.code, as_of)
    matter = context.catalogue[request.type]
    zh, en = WAITS[told["waits"]]
    hours = max(timedelta(0), as_of - datetime.fromisoformat(told["due_at"])) // timedelta(hours=1)
    late = f"逾期 {hours // 24} 天 {hours % 24} 小时 late by {hours // 24} d {hours % 24} h"
    return f"  {request.request_no}  {matter.zh} {request.type}  {told['partner']}  {zh} {en}  {late}"


def _of_one(error: str) -> bool:
    """Whether that failure is one person's; else it is the server's, and everybody's. What is done is nobody's."""
    return error in {DONE, "refused-address", "bad-address"} or error.startswith("smtp-5")


def _notification(person: Staff, recipient: str, day: str, text: str, now: datetime) -> Notification:
    """The number is the same at each attempt, so that a mail server can drop what it has had."""
    return Notification(
        page_id=f"digest-{day}-{recipient}",
        alert="",
        level="digest",
        to=person.no,
        mail=person.mail,
        matter="",
        urgency="normal",
        raised_at=now,
        subject=f"联执：{day} 逾期待办 Late and yours",
        text=text,
        link="",
    )
