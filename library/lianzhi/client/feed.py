"""Follows the participant's feed of events across restarts and lost connections.

At least once: the cursor is kept when the loop asks for the next event, that is, after the caller has dealt with the
last one. A crash in between gives that event again.

After a restore of its database the gateway names the place to go on from, and we keep the place that we had. Where it
does not know the life that our place is of, because it was restored to a point before that one began, our places of
earlier lives are asked with, latest first; where it knows none, we begin with the oldest event that it keeps. Nothing
is passed over by that, and events may come a second time (docs/adr/0030).

The gateway holds an empty answer back for as long as we asked. One that comes at once, again and again, or events whose
cursor leads nowhere, are a broken gateway's or a proxy's: they are met with growing pauses, and the latter are an
error in the end.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from functools import partial

from lianzhi.client.answers import Event, FeedPage, read_answer
from lianzhi.client.bounds import ClientBounds
from lianzhi.client.problems import OtherIncarnationError, UnexpectedAnswerError
from lianzhi.client.spool import Spool
from lianzhi.client.wire import Backoff, Wire, log, until_answered

CURSOR = "cursor"
SOON_SECONDS = 0.5  # an empty answer is no answer to a long poll when it comes sooner
SHORT_SECONDS = 1.0  # the longest pause while the cursor of empty answers moves
CURSORS_BEFORE = "cursors-before"
LIVES_KEPT = 8
"""Of a gateway's database: so many places of before are kept, a restore each."""
OLDEST = ""
"""For `events(after=…)`: from the oldest event that is still kept."""


class _Brake:
    """Whether an answer leads on, and how long to leave the gateway alone after it."""

    def __init__(self, bounds: ClientBounds, backoff: Backoff, wait: float) -> None:
        self._most = bounds.unmoved
        self._backoff = backoff
        self._soon = max(wait / 2, SOON_SECONDS)
        self._led_to: deque[str] = deque(maxlen=bounds.pages_remembered)
        self._unmoved = self._early = 0

    def leads_on(self, page: FeedPage, cursor: str | None) -> bool:
        """Raises UnexpectedAnswerError when too many in a row do not."""
        if not page.events:
            return True
        if page.cursor != cursor and page.cursor not in self._led_to:
            self._led_to.append(page.cursor)
            self._unmoved = 0
            return True
        self._unmoved += 1
        if self._unmoved >= self._most:
            raise UnexpectedAnswerError(
                "事件流的游标没有前进：请检查网关与代理。"
                " The feed's cursor does not lead on: check the gateway and any proxy."
            )
        log.warning("feed: the cursor of these events leads nowhere, asked again")
        return False

    def pause(self, page: FeedPage, cursor: str | None, took: float) -> float:
        """Seconds. took: from the question to the answer."""
        if self._unmoved:
            return self._backoff.pause(self._unmoved)
        self._early = self._early + 1 if not page.events and took < self._soon else 0
        if not self._early:
            return 0.0
        pause = self._backoff.pause(self._early)
        return pause if page.cursor == cursor else min(pause, SHORT_SECONDS)


class _Restores:
    """Where to read on after restores of the gateway's database."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._left: list[str] | None = None
        self._named = False

    def well(self) -> None:
        """There was an answer."""
        self._left, self._named = None, False

    async def read_on(self, cursor: str | None, restored: OtherIncarnationError) -> str:
        """cursor: that was asked with. Raises `restored` when that leads nowhere: what the gateway named is of today,
        and whoever begins with the oldest event names no place, or it is a broken gateway's answer."""
        if self._named or not cursor:
            raise restored
        if self._left is None:
            self._left = json.loads(await self._spool.note(CURSORS_BEFORE) or "[]")
        if restored.cursor is not None:
            log.warning("feed: the gateway was restored, read on after the last event that is common to both")
            self._named = True
            await self._keep([*self._left, cursor], restored.cursor)
            return restored.cursor
        if self._left:
            return self._left.pop()
        log.warning("feed: the gateway was restored and knows no place of ours, read on from the oldest event it keeps")
        await self._keep([], OLDEST)
        return OLDEST

    async def _keep(self, before: list[str], cursor: str) -> None:
        await self._spool.keep(CURSORS_BEFORE, json.dumps(before[-LIVES_KEPT:]))
        await self._spool.keep(CURSOR, cursor)


class Feed:
    """wait: seconds that the gateway may hold an empty answer back."""

    def __init__(self, wire: Wire, spool: Spool, backoff: Backoff, *, wait: int) -> None:
        self._wire = wire
        self._spool = spool
        self._backoff = backoff
        self._wait = wait

    async def follow(self, after: str | None = None) -> AsyncIterator[Event]:
        """after: None = where we stopped; OLDEST, or a cursor of an event, = from there, and the kept cursor moves too.

        Raises CursorGoneError, ProblemError, UnexpectedAnswerError, StoreUnavailableError; never ends by itself.
        """
        cursor = await self._spool.note(CURSOR) if after is None else after
        brake, clock = _Brake(self._wire.bounds, self._backoff, self._wait), asyncio.get_running_loop().time
        restores = _Restores(self._spool)
        while True:
            asked_at = clock()
            try:
                page = await self._page(cursor)
            except OtherIncarnationError as restored:
                cursor = await restores.read_on(cursor, restored)
                continue
            restores.well()
            leads_on = brake.leads_on(page, cursor)
            pause = brake.pause(page, cursor, clock() - asked_at)
            if leads_on:
                for event in page.events:
                    yield event
                    await self._spool.keep(CURSOR, event.cursor)
                if page.cursor != cursor:  # an empty page renews it, so that a quiet feed does not outlive it
                    await self._spool.keep(CURSOR, page.cursor)
                cursor = page.cursor
            await asyncio.sleep(pause)

    async def _page(self, cursor: str | None) -> FeedPage:
        params = {"wait": str(self._wait), **({"after": cursor} if cursor else {})}
        attempt = partial(self._wire.exchange, "GET", "/v1/events", params=params, wait=float(self._wait))
        return read_answer(FeedPage, (await until_answered(attempt, self._backoff, name="feed")).document())
