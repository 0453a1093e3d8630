"""Waiting for events: one poller for the whole process, which wakes everybody who waits (docs/design.md 3.3 Feed)."""

from __future__ import annotations

import asyncio

import structlog

from gateway.errors import StoreUnavailableError
from gateway.services.context import Context

log = structlog.get_logger("watch")


class FeedWatch:
    """`run` polls while somebody waits, and only then; `changed` is how to wait."""

    def __init__(self, context: Context) -> None:
        self._ctx = context
        self._seen = 0
        self._waiting = 0
        self._somebody = asyncio.Event()
        self._news = asyncio.Event()
        self._closed = False

    @property
    def seen(self) -> asyncio.Event:
        """Take it before looking into the store, and give it to `changed`: what is written in between wakes too."""
        return self._news

    async def changed(self, since: asyncio.Event, seconds: float) -> bool:
        """Until something new stands in any feed, for at most so long; False when nothing came.

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

    def close(self) -> None:
        """Everybody who waits goes home, and whoever comes does not wait."""
        self._closed = True
        self._news.set()

    async def run(self) -> None:
        """Until cancelled; survives a store that is away."""
        settings = self._ctx.settings
        while True:
            await self._somebody.wait()
            pause = settings.feed_poll
            try:
                self._look(await self._ctx.store.last_event())
            except StoreUnavailableError as error:
                log.warning("store-unavailable", error=str(error))
                pause = settings.store_pause
            await asyncio.sleep(pause)

    def _look(self, last: int) -> None:
        if last != self._seen:
            self._seen = last
            news, self._news = self._news, asyncio.Event()
            news.set()
