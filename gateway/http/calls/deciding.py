"""The calls about approvals, groups and whole cases."""

from __future__ import annotations

from aiohttp import web

from gateway.http.api import Api
from gateway.http.caller import Caller
from gateway.http.calls.writing import handed
from gateway.http.params import CaseQuery, parse
from gateway.http.reply import answered, view_reply


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
