"""The participant's feed, followed for as long as one likes, across restarts and lost connections.

At least once: the cursor is kept when the loop asks for the next event, that is, after the caller has dealt with the
last one. A crash in between gives that event again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial

from pydantic import ValidationError

from gateway.client.answers import Event, FeedPage
from gateway.client.problems import UnexpectedAnswerError
from gateway.client.retrying import until_answered
from gateway.client.spool import Spool
from gateway.client.wire import Backoff, Reply, Wire

CURSOR = "cursor"
OLDEST = ""
"""For `events(after=…)`: from the oldest event that is still kept."""


class Feed:
    """wait: seconds that the gateway may hold an empty answer back."""

    def __init__(self, wire: Wire, spool: Spool, backoff: Backoff, *, wait: int) -> None:
        self._wire = wire
        self._spool = spool
        self._backoff = backoff
        self._wait = wait

    async def follow(self, after: str | None = None) -> AsyncIterator[Event]:
        """after: None = where we stopped; OLDEST, or a cursor of an event, = from there, and the kept cursor moves too.

        Raises CursorGoneError, ProblemError, UnexpectedAnswerError; never ends by itself.
        """
        cursor = await self._spool.note(CURSOR) if after is None else after
        while True:
            page = await self._page(cursor)
            for event in page.events:
                yield event
                await self._spool.keep(CURSOR, event.cursor)
            if page.cursor != cursor:  # an empty page renews it, so that a quiet feed does not outlive it
                await self._spool.keep(CURSOR, page.cursor)
            cursor = page.cursor

    async def _page(self, cursor: str | None) -> FeedPage:
        params = {"wait": str(self._wait), **({"after": cursor} if cursor else {})}
        attempt = partial(self._wire.exchange, "GET", "/v1/events", params=params, wait=float(self._wait))
        return _read(await until_answered(attempt, self._backoff, name="feed"))


def _read(reply: Reply) -> FeedPage:
    try:
        return FeedPage.model_validate(reply.document())
    except ValidationError:
        raise UnexpectedAnswerError("事件流的回答看不懂 the feed's answer cannot be read") from None
