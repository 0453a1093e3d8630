"""The operators' mail of the day: counts and codes, once a day to each recipient, whichever process sends it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from hashlib import sha256

import structlog

from gateway.application.context import Context
from gateway.application.ports.alerts import Notification, Notifier
from gateway.core.alarms.conditions import CONDITIONS
from gateway.core.alarms.standing import Alarm
from gateway.core.operating.records import OpenFigures
from gateway.core.records import Changes, Event
from gateway.core.silence import Silence
from gateway.core.time.calendar import SHANGHAI
from lianzhi.errors import StoreUnavailableError, UndeliveredError
from lianzhi.faults import cause_of

log = structlog.get_logger("operate")
AGAIN = timedelta(minutes=5)
"""From one attempt to the next; whoever has begun one has so long to finish it."""
ATTEMPTS = 144
"""Twelve hours of trying: a mail server that is down for the morning costs nobody the mail of the day."""
CAUSES = {
    "no-consumer": "无人取件 nobody takes from its queue",
    "not-delivered": "没有送达回执 no `delivered` from it",
    "not-answered": "收到而不答复 it answers nothing",
}


class DigestMail:
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
        """How many mails went out now. Before the hour, on a day that is over: none. Raises StoreUnavailableError."""
        settings, now = self._ctx.settings, self._ctx.clock.now()
        local = now.astimezone(SHANGHAI)
        if self._mail is None or local.hour < settings.digest_hour:
            return 0
        day, sent = local.date().isoformat(), 0
        for address in settings.digest_to:
            sent += await self._to(self._mail, address, day, now)
        return sent

    async def _to(self, mail: Notifier, address: str, day: str, now: datetime) -> bool:
        recipient = sha256(address.encode()).hexdigest()[:32]
        async with self._ctx.store.begin() as tx:
            attempt = await tx.operating.claim_digest(day, recipient, now, AGAIN)
        if not attempt:
            return False
        figures = await self._ctx.store.operating.open_figures(self._ctx.home.code, now)
        silences = await self._ctx.store.operating.silences()
        counts = await self._ctx.store.counts()
        alarms = await self._ctx.store.alarms.standing()
        text = digest_text(day, figures, silences, sum(counts["quarantine"].values()), alarms)
        error = await self._sent(mail, _notification(address, recipient, day, text, now), now)
        if error is not None:
            log.warning("digest-not-sent", day=day, attempts=attempt, why=error)
        if error is None or attempt >= ATTEMPTS:
            await self._end(day, recipient, error)
        return error is None

    async def _sent(self, mail: Notifier, notification: Notification, now: datetime) -> str | None:
        """Why it did not go out; None when it did."""
        try:
            await mail.send(notification, now)
        except UndeliveredError as error:
            return error.code
        return None

    async def _end(self, day: str, recipient: str, error: str | None) -> None:
        now, changes = self._ctx.clock.now(), Changes()
        if error is not None:
            head = {"reason": "digest-not-sent", "day": day, "attempts": ATTEMPTS}
            changes.events.append(
                Event(now, self._ctx.home.code, "incident", head=head, detail=f"digest-not-sent:{error}")
            )
        async with self._ctx.store.begin() as tx:
            await tx.operating.end_digest(day, recipient, now)
            await tx.apply(changes)


def digest_text(
    day: str, figures: OpenFigures, silences: Sequence[Silence], quarantine: int, alarms: Sequence[Alarm] = ()
) -> str:
    """Chinese and English on each line; 10000 means so many or more. alarms: those that stand."""
    lines = [
        f"{day}",
        f"逾期 overdue: {figures.overdue}",
        f"等本院 waiting for the court: {figures.ours}",
        f"等对方 waiting for partners: {figures.partner}",
        f"等审批 waiting for an approval: {figures.approval}",
        f"未送达 not delivered: {figures.undelivered}",
        f"隔离 in quarantine: {quarantine}",
        f"失联单位 silent participants: {len(silences)}",
    ]
    for silence in silences:
        since = silence.since.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
        lines.append(f"  {silence.participant}  {since}  {silence.cause}  {CAUSES[silence.cause]}")
    told = [alarm for alarm in alarms if alarm.opened_at is not None]
    lines.append(f"未消除的告警 alerts that stand: {len(told)}")
    for alarm in told:
        condition, since = CONDITIONS[alarm.condition], alarm.seen_at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
        lines.append(
            f"  {' '.join(filter(None, (alarm.subject, alarm.scope)))}  {since}  {condition.zh} {condition.en}"
        )
    return "\n".join(
        [
            *lines,
            "",
            "lianzhi request list --overdue · lianzhi partners · lianzhi alerts list · lianzhi incident list",
            "",
        ]
    )


def _notification(address: str, recipient: str, day: str, text: str, now: datetime) -> Notification:
    """The number is the same at each attempt, so that a mail server can drop what it has had."""
    return Notification(
        page_id=f"digest-{day}-{recipient}",
        alert="",
        level="digest",
        to="",
        mail=address,
        matter="",
        urgency="normal",
        raised_at=now,
        subject=f"联执日报 Lianzhi daily digest {day}",
        text=text,
        link="",
    )
