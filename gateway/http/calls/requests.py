"""The calls about requests, their messages and events, measures, groups, approvals and whole cases; types and roster.

Of a call that writes, the checks come in the order of their cost: key, backlog, body, then the use case.
"""

from __future__ import annotations

import asyncio
from datetime import datetime

from aiohttp import hdrs, web

from gateway.application.alerts.page_answers import old_link
from gateway.application.answers import RequestPage
from gateway.application.ports.lists import MeasureFilter, OpenFilter, RequestFilter
from gateway.application.posts import Handed
from gateway.application.queries import types as matters
from gateway.application.queries.open_requests import OpenRequests
from gateway.application.submission.submit import fingerprint
from gateway.core.recovery.doubts import Doubt
from gateway.core.routing import Client
from gateway.core.time.deadlines import day_of
from gateway.http.admission import Caller
from gateway.http.api import API, INCARNATION_HEADER, Api
from gateway.http.inputs import (
    OPEN_NAMES,
    CaseQuery,
    EventsQuery,
    MeasuresQuery,
    PartsQuery,
    RequestsQuery,
    at_most,
    home_only,
    idempotency_key,
    json_body,
    message,
    parse,
)
from gateway.http.reply import answered, view_reply
from gateway.http.server import ApiProtocol
from gateway.http.traced import TRACED
from lianzhi.errors import RejectedError
from schemas.duty import Roster
from schemas.validation import InvalidError, validate


async def handed(request: web.Request, api: Api, caller: Caller) -> Handed:
    """The POST as it came. Raises RejectedError: no key, no client, not a form that is taken."""
    key = idempotency_key(request)
    content_type, body = await message(request, api.context)
    call = None if api.context.tracer is None else request.get(TRACED)
    words = Handed(
        participant=caller.participant,
        client=_client(caller),
        key=key,
        fingerprint=fingerprint(request.method, request.path, body),
        content_type=content_type,
        body=body,
        trace=None if call is None else call.context,
    )
    await not_in_doubt(request, api, words)
    return words


async def not_in_doubt(request: web.Request, api: Api, words: Handed) -> None:
    """Raises RejectedError in-doubt, done-before: it may be a retry of something that a restore has lost."""

    def row(now: datetime) -> Doubt:
        return Doubt(words.client.id, words.key, words.participant.code, request.path, words.fingerprint, now)

    said = request.headers.get(INCARNATION_HEADER)
    await api.doubts.judge(row, content_type=words.content_type, body=words.body, said=said)


async def submit(request: web.Request, api: Api, caller: Caller) -> web.Response:
    idempotency_key(request)
    await api.backlog.check()
    return answered(await api.submitter.submit(await handed(request, api, caller)))


async def say(request: web.Request, api: Api, caller: Caller) -> web.Response:
    return answered(await api.actor.say(await handed(request, api, caller), request.match_info["no"]))


async def put_roster(request: web.Request, api: Api, caller: Caller) -> web.Response:
    """The whole roster; the same one twice is the same roster, so no key is asked for."""
    body = await json_body(request, api.context)
    try:
        roster = validate(Roster, body)
    except InvalidError as error:
        raise RejectedError("invalid-field", error.errors) from error
    return view_reply(await api.roster.put(caller.participant, roster))


async def acknowledge_page(request: web.Request) -> web.Response:
    """By the link in a page: its token is the credential."""
    link = request.match_info
    return view_reply(await request.app[API].page_answers.acknowledge(link["page_id"], link["token"]))


async def refuse_old_link(request: web.Request) -> web.StreamResponse:
    """What pages carried before the token became a part of the path. Raises RejectedError link-gone."""
    raise old_link()


def _client(caller: Caller) -> Client:
    """Only a court system writes here; a partner's scopes never let it come so far."""
    if caller.client is None:
        raise RejectedError("forbidden")
    return caller.client


# --- reading


async def list_requests(request: web.Request, api: Api, caller: Caller) -> web.Response:
    asked = parse(RequestsQuery, request.query)
    limit = at_most(asked.limit, api.context.bounds)
    if members := asked.open_members():
        return await _list_open(asked, members[0], limit, api, caller)
    members = ["case_no", "type", "state", "receiver", "group_no", "after"]
    where = RequestFilter(**{name: getattr(asked, name) for name in members}, limit=limit)
    return view_reply(await api.queries.requests(caller.participant, where))


async def _list_open(asked: RequestsQuery, member: str, limit: int, api: Api, caller: Caller) -> web.Response:
    """Whose handler, team, campaign and leader is asked for are the court's own. Raises RejectedError."""
    home = api.context.home.code
    if caller.participant.code != home:
        raise home_only(member)
    named = {name: getattr(asked, name) for name in OPEN_NAMES}
    due_by = asked.due_by(api.context.clock.now())
    where = OpenFilter(home, **named, due_by=due_by, order=asked.order or "due", limit=limit)
    page, more = await OpenRequests(api.context).page(where, asked.after)
    return view_reply(RequestPage(requests=[api.queries.view(caller.participant, r) for r in page], next=more))


async def read_request(request: web.Request, api: Api, caller: Caller) -> web.Response:
    return view_reply(await api.queries.request(caller.participant, request.match_info["no"]))


async def read_messages(request: web.Request, api: Api, caller: Caller) -> web.Response:
    asked, number = parse(PartsQuery, request.query), request.match_info["no"]
    limit = at_most(asked.limit, api.context.bounds)
    return view_reply(await api.queries.messages(caller.participant, caller.name, number, asked.after, limit))


async def read_timeline(request: web.Request, api: Api, caller: Caller) -> web.Response:
    asked, number = parse(PartsQuery, request.query), request.match_info["no"]
    limit = at_most(asked.limit, api.context.bounds)
    return view_reply(await api.queries.timeline(caller.participant, number, asked.after, limit))


async def list_measures(request: web.Request, api: Api, caller: Caller) -> web.Response:
    asked = parse(MeasuresQuery, request.query)
    limit = at_most(asked.limit, api.context.bounds)
    where = MeasureFilter(states=asked.state.split(","), case_no=asked.case_no, after=asked.after, limit=limit)
    days = int(asked.expiring_within[:-1]) if asked.expiring_within else None
    return view_reply(await api.measures.page(caller.participant, where, days))


async def read_measure(request: web.Request, api: Api, caller: Caller) -> web.Response:
    return view_reply(await api.measures.one(caller.participant, request.match_info["measure_no"]))


async def read_roster(request: web.Request, api: Api, caller: Caller) -> web.Response:
    return view_reply(await api.roster.get(caller.participant))


async def list_types(request: web.Request, api: Api, caller: Caller) -> web.Response:
    return view_reply(matters.listing(api.context.catalogue, day_of(api.context.clock.now())))


async def read_type(request: web.Request, api: Api, caller: Caller) -> web.Response:
    today = day_of(api.context.clock.now())
    return view_reply(matters.detail(api.context.catalogue, request.match_info["type"], today))


# --- `GET /v1/events`: the feed, with a long poll; many may wait, one poller looks (`application.queries.feed_watch`)


async def read_events(request: web.Request, api: Api, caller: Caller) -> web.Response:
    """Answers at once when there is something, else when something comes, or empty when the wait is over."""
    asked = parse(EventsQuery, request.query)
    if not asked.wait:
        return view_reply(
            await api.queries.feed(
                caller.participant, asked.after, at_most(asked.limit, api.context.bounds), _reader(caller)
            )
        )
    with api.budgets.take("polls_in_flight", caller):
        return await _poll(request, api, caller, asked)


def _reader(caller: Caller) -> str | None:
    return None if caller.client is None else caller.client.id


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
        limit = at_most(asked.limit, api.context.bounds)
        page = await api.queries.feed(caller.participant, asked.after, limit, _reader(caller))
        left = until - loop.time()
        if page.events or left <= 0 or api.watch.closed:
            return view_reply(page)
        with connection.ended_with_the_connection():
            await api.watch.changed(since, left)


# --- approvals, groups and whole cases


async def decide(request: web.Request, api: Api, caller: Caller) -> web.Response:
    return answered(await api.approvals.decide(await handed(request, api, caller), request.match_info["no"]))


async def read_approvals(request: web.Request, api: Api, caller: Caller) -> web.Response:
    return view_reply(await api.approvals.listing(caller.participant, request.match_info["no"]))


async def read_group(request: web.Request, api: Api, caller: Caller) -> web.Response:
    return view_reply(await api.groups.view(caller.participant, request.match_info["group_no"]))


async def say_to_group(request: web.Request, api: Api, caller: Caller) -> web.Response:
    return answered(await api.groups.say(await handed(request, api, caller), request.match_info["group_no"]))


async def read_case(request: web.Request, api: Api, caller: Caller) -> web.Response:
    return view_reply(await api.cases.case(caller.participant, parse(CaseQuery, request.query).case_no))


async def release_case(request: web.Request, api: Api, caller: Caller) -> web.Response:
    """Never refused for a backlog: who has paid must be let go."""
    return answered(await api.releaser.release(await handed(request, api, caller)))


async def read_release(request: web.Request, api: Api, caller: Caller) -> web.Response:
    return view_reply(await api.cases.release(caller.participant, request.match_info["release_no"]))


async def reassign_case(request: web.Request, api: Api, caller: Caller) -> web.Response:
    await api.backlog.check()
    words = await handed(request, api, caller)
    return answered(await api.reassigner.reassign(words))
