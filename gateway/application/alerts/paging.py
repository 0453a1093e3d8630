"""Sends the pages that stand in the store: after the commit that wrote them, again and again until they are out.

What a page contains: which alert, of which type, how urgent, raised when. No name, no plate, no place: those stand in
the alert itself, for whoever may read it. A channel that fails is seen (event, metric, log) and is tried again with
growing pauses; it delays nobody else: the next page goes out after `page_lead`, whatever became of the one before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

import structlog

from gateway.application.context import Context
from gateway.application.page_links import page_link
from gateway.application.ports.alerts import Notification, Notifier
from gateway.application.unit_of_work import request_events
from gateway.core.records import Changes, Event, Page, Request
from gateway.core.time.calendar import SHANGHAI
from lianzhi.errors import ConflictError, MisuseError, StoreUnavailableError, UndeliveredError
from lianzhi.faults import cause_of

log = structlog.get_logger("paging")

URGENCY = {"urgent": ("紧急", "urgent"), "normal": ("普通", "normal")}


class Pager:
    """notifiers: one for each channel. A page of a channel that is not configured any more fails like any other."""

    def __init__(self, context: Context, notifiers: Sequence[Notifier]) -> None:
        self._ctx = context
        self.follow(notifiers)

    def follow(self, notifiers: Sequence[Notifier]) -> None:
        """These from now on."""
        self._notifiers = {notifier.channel: notifier for notifier in notifiers}

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; survives a store that is away."""
        while not stop.is_set():
            settings = self._ctx.settings
            wait = settings.page_poll
            try:
                if await self.once() == settings.batch:
                    continue
            except (StoreUnavailableError, ConflictError) as error:
                log.warning("store-unavailable", error=cause_of(error))
                wait = settings.store_pause
            try:
                await asyncio.wait_for(stop.wait(), wait)
            except TimeoutError:
                continue

    async def once(self) -> int:
        """Everything that is due now; how many pages that were."""
        settings = self._ctx.settings
        pages = await self._ctx.store.lease_pages(self._ctx.clock.now(), settings.lease_term, settings.batch)
        lines: dict[tuple[str, str], list[Page]] = {}
        for page in pages:
            lines.setdefault((page.alert, page.channel), []).append(page)
        await asyncio.gather(*(self._in_order(line) for line in lines.values()))
        return len(pages)

    async def _in_order(self, pages: Sequence[Page]) -> None:
        """One alert's pages on one channel begin in their order; none waits long for the one before."""
        tasks: list[asyncio.Task[None]] = []
        for page in pages:
            tasks.append(asyncio.create_task(self._one(page)))
            await asyncio.wait(tasks[-1:], timeout=self._ctx.settings.page_lead)
        await asyncio.gather(*tasks)

    async def _one(self, page: Page) -> None:
        request = await self._ctx.store.request(page.alert)
        error = "no-alert" if request is None else await self._send(page, request)
        now, changes = self._ctx.clock.now(), Changes()
        marked = self._outcome(page, error, now)
        if error is not None:
            log.warning("page-not-sent", page=page.page_id, channel=page.channel, attempts=page.attempts, why=error)
            kind = "incident" if marked.state == "failed" else "page-not-sent"
            head = {"page_id": page.page_id, "level": page.level, "person": page.person, "attempts": page.attempts}
            detail = f"page-{marked.state}:{page.level}:{page.channel}:{error}"
            changes.events += self._events(page, request, kind, now, head, detail)
        async with self._ctx.store.begin() as tx:
            await tx.mark_page(marked)
            await tx.apply(changes)

    def _events(
        self, page: Page, request: Request | None, kind: str, now: datetime, head: Mapping[str, Any], detail: str
    ) -> list[Event]:
        """As of the alert's request; the home court's alone where its parties cannot be told any more."""
        with suppress(MisuseError):
            if request is not None:
                return request_events(self._ctx, request, kind, now, head=head, detail=detail)
        home = self._ctx.home.code
        return [Event(now, home, kind, request_no=page.alert, head=dict(head), detail=detail)]

    async def _send(self, page: Page, request: Request) -> str | None:
        """Why it did not go out; None when it did."""
        notifier = self._notifiers.get(page.channel)
        if notifier is None:
            return "no-channel"
        try:
            async with asyncio.timeout(self._ctx.settings.page_timeout):
                await notifier.send(notification(self._ctx, page, request), self._ctx.clock.now())
        except TimeoutError:
            return "timeout"
        except UndeliveredError as error:
            return error.code
        except Exception as fault:  # this page alone: its alert, its person or its channel is what is broken
            self._ctx.faults.set_aside("page", page.page_id, fault)
            return f"fault-{type(fault).__name__}"
        return None

    def _outcome(self, page: Page, error: str | None, now: datetime) -> Page:
        settings = self._ctx.settings
        if error is None:
            return replace(page, state="sent", sent_at=now, due_at=now)
        if page.attempts >= settings.page_attempts:
            return replace(page, state="failed", due_at=now)
        return replace(page, due_at=now + settings.page_backoff.after(page.attempts))


def notification(context: Context, page: Page, request: Request) -> Notification:
    """What is said, Chinese first."""
    matter = context.catalogue[request.type]
    zh, en = URGENCY[request.lane]
    at = page.raised_at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
    person = context.participant(page.participant).staff.get(page.person)
    return Notification(
        page_id=page.page_id,
        alert=page.alert,
        level=page.level,
        to=page.person,
        mail=None if person is None else person.mail,
        matter=request.type,
        urgency=request.lane,
        raised_at=page.raised_at,
        subject=f"【联执】{matter.zh} {page.alert}",
        text=(
            f"{matter.zh}，{zh}，预警编号 {page.alert}，{at}。请立即确认。\n"
            f"{matter.en}, {en}, alert {page.alert}, {at} Asia/Shanghai. Acknowledge at once."
        ),
        link=page_link(context.hash_key, page.page_id),
    )
