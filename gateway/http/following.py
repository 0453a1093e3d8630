"""`GET /v1/events`: the feed, with a long poll. Many may wait; one poller looks (`services.watch`)."""

from __future__ import annotations

import asyncio

from aiohttp import web

from gateway.http.api import Api
from gateway.http.caller import Caller
from gateway.http.params import EventsQuery, parse
from gateway.http.reply import view_reply


async def read_events(request: web.Request, api: Api, caller: Caller) -> web.Response:
    """Answers at once when there is something, else when something comes, or empty when the wait is over."""
    asked = parse(EventsQuery, request.query)
    loop = asyncio.get_running_loop()
    until = loop.time() + asked.wait
    while True:
        since = api.watch.seen
        page = await api.queries.feed(caller.participant, asked.after, asked.limit)
        left = until - loop.time()
        if page.events or left <= 0 or api.watch.closed:
            return view_reply(page)
        await api.watch.changed(since, left)
