"""Waiting for events: one poller for the whole process, which wakes those in whose feed something new stands
(docs/contracts.md 3.3 Feed). A commit in another's feed costs whoever waits nothing."""

from __future__ import annotations

import asyncio

import structlog

from gateway.application.context import Context
from lianzhi.errors import StoreUnavailableError
from lianzhi.faults import cause_of

log = structlog.get_logger("watch")


class FeedWatch:
    """`run` polls while somebody waits, and only then; `changed` is how to wait."""

    def __init__(self, context: Context) -> None:
        self._ctx = context
        self._seen = 0
        self._waiting = 0
        self._somebody = asyncio.Event()
        self._news: dict[str, asyncio.Event] = {}
        self._stale = True
        self._closed = False

    def seen(self, audience: str) -> asyncio.Event:
        """Take it before looking into the store, and give it to `changed`: what is written in between wakes too.

        audience: the code of a participant that is served here.
        """
        return self._news.setdefault(audience, asyncio.Event())

    async def changed(self, since: asyncio.Event, seconds: float) -> bool:
        """Until something new stands in that feed, for at most so long; False when nothing came.

        True at once when the watch is closed: nobody keeps a process from stopping.
        """
        if self._closed:
            return True
        self._waiting += 1
        self._somebody.set()
        try:
            await asyncio.wait_for(since.wait(), seconds)
        except TimeoutError:
            return False
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._somebody.clear()
        return True

    @property
    def closed(self) -> bool:
        return self._closed

    @property
    def waiting(self) -> int:
        """How many wait now."""
        return self._waiting

    def everybody(self) -> None:
        """Whoever waits looks again: the participants have changed."""
        self._wake(set(self._news))

    def close(self) -> None:
        """Everybody who waits goes home, and whoever comes does not wait."""
        self._closed = True
        self.everybody()

    async def run(self) -> None:
        """Until cancelled; survives a store that is away."""
        while True:
            settings = self._ctx.settings
            if not self._somebody.is_set():
                await self._somebody.wait()
                self._stale = True
            pause = settings.feed_poll
            try:
                await self._look()
            except StoreUnavailableError as error:
                log.warning("store-unavailable", error=cause_of(error))
                pause = settings.store_pause
            await asyncio.sleep(pause)

    async def _look(self) -> None:
        """Whose feed has news is asked about what was written since the last look only. After a time without anybody
        who waited that may be much: then all of the few who wait by now look for themselves."""
        store, seen = self._ctx.store, self._seen
        last = await store.last_event()
        if last != seen:
            everybody = self._stale or last < seen
            self._wake(set(self._news) if everybody else await store.audiences(seen, last))
            self._seen = last
        self._stale = False

    def _wake(self, audiences: set[str]) -> None:
        for audience in audiences & self._news.keys():
            self._news.pop(audience).set()
