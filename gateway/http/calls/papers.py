"""Documents in and out, streamed: no document ever stands in memory as a whole."""

from __future__ import annotations

from collections.abc import AsyncIterator

import structlog
from aiohttp import hdrs, web

from gateway.application.submission.documents import MEDIA_TYPES
from gateway.http.admission import Caller
from gateway.http.api import REQUEST_ID, Api
from gateway.http.boundary import REQUEST_ID_HEADER
from gateway.http.inputs import chunks, media_type
from gateway.http.reply import view_reply
from lianzhi.errors import StoreUnavailableError

log = structlog.get_logger("http")


async def put_document(request: web.Request, api: Api, caller: Caller) -> web.Response:
    kind, sha256 = media_type(request, MEDIA_TYPES), request.match_info["sha256"]
    api.papers.check(sha256, request.content_length)
    await api.quota.check(caller.participant, sha256, request.content_length)
    with api.budgets.take("uploads_in_flight", caller):
        view, new = await api.papers.put(caller.participant, sha256, kind, chunks(request, api.context))
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
    if await _pour(response, first, parts) != row.size:
        log.error("document-broke-off", request_id=request[REQUEST_ID], sha256=row.sha256)
        raise ConnectionResetError("half a document was sent")
    await response.write_eof()
    return response


async def _pour(response: web.StreamResponse, first: bytes, rest: AsyncIterator[bytes]) -> int:
    """Bytes that were sent; fewer than there should be when they cannot be had any more."""
    sent = len(first)
    await response.write(first)
    try:
        async for part in rest:
            await response.write(part)
            sent += len(part)
    except StoreUnavailableError:
        return -1
    return sent
