"""Documents in and out, streamed: no document ever stands in memory as a whole."""

from __future__ import annotations

from aiohttp import hdrs, web

from gateway.http.api import REQUEST_ID, Api
from gateway.http.body import chunks, media_type
from gateway.http.boundary import REQUEST_ID_HEADER
from gateway.http.caller import Caller
from gateway.http.reply import view_reply
from gateway.services.papers import MEDIA_TYPES


async def put_document(request: web.Request, api: Api, caller: Caller) -> web.Response:
    kind, sha256 = media_type(request, MEDIA_TYPES), request.match_info["sha256"]
    api.papers.check(sha256, request.content_length)
    view, new = await api.papers.put(caller.participant, sha256, kind, chunks(request))
    return view_reply(view, 201 if new else 200, {"Location": request.path})


async def get_document(request: web.Request, api: Api, caller: Caller) -> web.StreamResponse:
    """What breaks off while it is sent breaks the connection: half a document never looks like a whole one."""
    row = await api.papers.find(caller.participant, caller.name, request.match_info["sha256"])
    parts = api.papers.read(row)
    first = await anext(parts, b"")
    response = web.StreamResponse(
        headers={
            hdrs.CONTENT_TYPE: row.media_type,
            hdrs.CONTENT_DISPOSITION: "attachment",
            hdrs.CACHE_CONTROL: "no-store",
            hdrs.ETAG: f'"{row.sha256}"',
            "X-Content-Type-Options": "nosniff",
            REQUEST_ID_HEADER: request[REQUEST_ID],
        }
    )
    response.content_length = row.size
    await response.prepare(request)
    await response.write(first)
    async for part in parts:
        await response.write(part)
    await response.write_eof()
    return response
