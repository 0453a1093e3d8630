"""The calls that read requests, messages, timelines, measures and types."""

from __future__ import annotations

from aiohttp import web

from gateway.application.ports.lists import MeasureFilter, RequestFilter
from gateway.application.queries import types as matters
from gateway.core.deadlines import day_of
from gateway.http.api import Api
from gateway.http.caller import Caller
from gateway.http.params import MeasuresQuery, PartsQuery, RequestsQuery, at_most, parse
from gateway.http.reply import view_reply


async def list_requests(request: web.Request, api: Api, caller: Caller) -> web.Response:
    asked = parse(RequestsQuery, request.query)
    limit = at_most(asked.limit, api.context.bounds)
    where = RequestFilter(**(asked.model_dump() | {"limit": limit}))
    return view_reply(await api.queries.requests(caller.participant, where))


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
