"""`GET /v1/events`: the feed, with a long poll. Many may wait; one poller looks (`application.queries.feed_watch`)."""

from __future__ import annotations

import asyncio

from aiohttp import hdrs, web

from gateway.http.api import Api
from gateway.http.caller import Caller
from gateway.http.params import EventsQuery, at_most, parse
from gateway.http.reply import view_reply
from gateway.http.server import ApiProtocol


async def read_events(request: web.Request, api: Api, caller: Caller) -> web.Response:
    """Answers at once when there is something, else when something comes, or empty when the wait is over."""
    asked = parse(EventsQuery, request.query)
    if not asked.wait:
        return view_reply(
            await api.queries.feed(caller.participant, asked.after, at_most(asked.limit, api.context.bounds))
        )
    with api.budgets.take("polls_in_flight", caller):
        return await _poll(request, api, caller, asked)


async def _poll(request: web.Request, api: Api, caller: Caller, asked: EventsQuery) -> web.Response:
    """Whoever goes away while it waits makes room for its next poll at once."""
    connection = request.protocol
    assert isinstance(connection, ApiProtocol)
    loop = asyncio.get_running_loop()
    until = loop.time() + asked.wait
    known = api.context.directory
    while True:
        if api.context.directory is not known:  # whoever was revoked meanwhile hears nothing more
            known = api.context.directory
            api.credentials.caller(request.headers[hdrs.AUTHORIZATION], api.context.clock.now()).require("read")
        since = api.watch.seen(caller.participant.code)
        page = await api.queries.feed(caller.participant, asked.after, at_most(asked.limit, api.context.bounds))
        left = until - loop.time()
        if page.events or left <= 0 or api.watch.closed:
            return view_reply(page)
        with connection.ended_with_the_connection():
            await api.watch.changed(since, left)
