"""The body of a request: its media type, its size before its content, and never more of it than the limit."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from typing import Any

from aiohttp import hdrs, web

from gateway.application.context import Context
from gateway.http.api import CALLER
from lianzhi.crypto.strictjson import loads
from lianzhi.errors import RejectedError
from lianzhi.problem import FieldError
from lianzhi.protocol.envelope import CONTENT_TYPE

JSON = "application/json"
MESSAGE_TYPES = (JSON, CONTENT_TYPE)
IDEMPOTENCY_KEY = "Idempotency-Key"
_KEY = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,198}[\x21-\x7e])?")


def idempotency_key(request: web.Request) -> str:
    """1 to 200 printable ASCII characters. Raises RejectedError idempotency-key-missing: none, bad, or a second one."""
    keys = request.headers.getall(IDEMPOTENCY_KEY, ())
    if len(keys) == 1 and _KEY.fullmatch(keys[0]):
        return str(keys[0])
    if not keys or not keys[0]:
        raise RejectedError("idempotency-key-missing", pointer=f"/{IDEMPOTENCY_KEY}")
    raise _fault(
        "idempotency-key-missing",
        f"/{IDEMPOTENCY_KEY}",
        "idempotency-key-form",
        "Idempotency-Key 须有且仅有一个，为 1 至 200 个可打印 ASCII 字符",
        "One Idempotency-Key of 1 to 200 printable ASCII characters",
    )


def media_type(request: web.Request, allowed: Sequence[str]) -> str:
    """One of `allowed`; the charset, if told, is UTF-8; nothing is compressed.

    Raises RejectedError bad-content-type.
    """
    headers = request.headers
    if hdrs.CONTENT_ENCODING in headers and headers[hdrs.CONTENT_ENCODING].lower() != "identity":
        raise _fault(
            "bad-content-type",
            "/Content-Encoding",
            "content-encoding",
            "请求体不得压缩",
            "The body must not be compressed",
        )
    given = headers.get(hdrs.CONTENT_TYPE)
    if given is not None and given in allowed:
        return given
    if given is None or request.content_type not in allowed:
        names = " / ".join(allowed)
        raise _fault(
            "bad-content-type",
            "/Content-Type",
            "media-type",
            f"Content-Type 应为 {names}",
            f"Content-Type is one of {names}",
        )
    if (request.charset or "utf-8").lower() not in ("utf-8", "utf8"):
        raise _fault(
            "bad-content-type", "/Content-Type", "charset", "字符集只能是 UTF-8", "The only character set is UTF-8"
        )
    return request.content_type


async def message(request: web.Request, context: Context) -> tuple[str, bytes]:
    """(media type, raw bytes) of a JSON or signed body.

    Raises RejectedError: bad-content-type, too-large (as announced, or as soon as it is), malformed-json (empty),
    malformed-request (broken off), too-slow.
    """
    kind, limit = media_type(request, MESSAGE_TYPES), context.limits.message_bytes
    if (request.content_length or 0) > limit:
        raise too_large(limit)
    try:
        async with asyncio.timeout(context.bounds.http_body_seconds):
            raw = await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise too_large(limit) from None
    except TimeoutError:
        context.reached.count("http_body_seconds", request[CALLER].participant.code)
        raise _too_slow_message(context.bounds.http_body_seconds) from None
    if not raw:
        raise _fault("malformed-json", "", "empty-body", "请求体为空", "The body is empty")
    return kind, raw


async def json_body(request: web.Request, context: Context) -> Any:
    """A body that is JSON and nothing else. Raises RejectedError as `message` and `loads` do."""
    media_type(request, (JSON,))
    _, raw = await message(request, context)
    return loads(raw, depth=context.limits.json_depth)


async def chunks(request: web.Request, context: Context) -> AsyncIterator[bytes]:
    """The body piece by piece, as it arrives. Only the time that we wait for the caller is held against it, in
    windows of `http_body_seconds`.

    Raises RejectedError too-slow: less than `upload_bytes_per_second` in a whole window.
    """
    bounds, loop = context.bounds, asyncio.get_running_loop()
    window, wanted = bounds.http_body_seconds, bounds.upload_bytes_per_second * bounds.http_body_seconds
    waited = received = 0.0
    while True:
        began = loop.time()
        try:
            async with asyncio.timeout(window - waited):
                chunk = await request.content.readany()
        except TimeoutError:
            chunk = None
        waited += loop.time() - began
        received += len(chunk or b"")
        if waited >= window:
            if received < wanted:
                context.reached.count("upload_bytes_per_second", request[CALLER].participant.code)
                raise _too_slow_upload(bounds.upload_bytes_per_second)
            waited = received = 0.0
        if chunk:
            yield chunk
        elif chunk is not None:
            return


def too_large(limit: int) -> RejectedError:
    return _fault(
        "too-large",
        "",
        "message-size",
        f"报文不得超过 {limit} 字节；大文件请先 PUT /v1/documents/{{sha256}}，再按摘要引用",
        f"A message has at most {limit} bytes; PUT larger things to /v1/documents/{{sha256}} and name them by digest",
    )


def _too_slow_message(seconds: float) -> RejectedError:
    return _fault(
        "too-slow",
        "",
        "body-time",
        f"请求体须在 {seconds:g} 秒内传完",
        f"The body of a request is to be here within {seconds:g} seconds",
    )


def _too_slow_upload(floor: int) -> RejectedError:
    return _fault(
        "too-slow",
        "",
        "upload-speed",
        f"上传速度不得低于每秒 {floor} 字节，请检查线路后重新上传",
        f"An upload has at least {floor} bytes a second; look at the line and upload again",
    )


def _fault(code: str, pointer: str, rule: str, zh: str, en: str) -> RejectedError:
    return RejectedError(code, [FieldError(pointer=pointer, rule=rule, detail=zh, detail_en=en)])
