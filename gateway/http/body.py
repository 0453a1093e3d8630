"""The body of a request: its media type, its size before its content, and never more of it than the limit."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from typing import Any

from aiohttp import hdrs, web

from gateway.crypto.limits import Limits
from gateway.crypto.strictjson import loads
from gateway.errors import RejectedError
from schemas.envelope import CONTENT_TYPE
from schemas.problem import FieldError

JSON = "application/json"
MESSAGE_TYPES = (JSON, CONTENT_TYPE)
IDEMPOTENCY_KEY = "Idempotency-Key"
BODY_SECONDS = 30.0  # a message of 1 MiB on a slow line
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


async def message(request: web.Request, limit: int) -> tuple[str, bytes]:
    """(media type, raw bytes) of a JSON or signed body.

    Raises RejectedError: bad-content-type, too-large (as announced, or as soon as it is), malformed-json (empty),
    malformed-request (broken off).
    """
    kind = media_type(request, MESSAGE_TYPES)
    if (request.content_length or 0) > limit:
        raise too_large(limit)
    try:
        async with asyncio.timeout(BODY_SECONDS):
            raw = await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise too_large(limit) from None
    except TimeoutError:
        raise RejectedError("malformed-request") from None
    if not raw:
        raise _fault("malformed-json", "", "empty-body", "请求体为空", "The body is empty")
    return kind, raw


async def json_body(request: web.Request, limits: Limits) -> Any:
    """A body that is JSON and nothing else. Raises RejectedError as `message` and `loads` do."""
    media_type(request, (JSON,))
    _, raw = await message(request, limits.message_bytes)
    return loads(raw, depth=limits.json_depth)


async def chunks(request: web.Request) -> AsyncIterator[bytes]:
    """The body piece by piece, as it arrives."""
    async for chunk in request.content.iter_any():
        yield chunk


def too_large(limit: int) -> RejectedError:
    return _fault(
        "too-large",
        "",
        "message-size",
        f"报文不得超过 {limit} 字节；大文件请先 PUT /v1/documents/{{sha256}}，再按摘要引用",
        f"A message has at most {limit} bytes; PUT larger things to /v1/documents/{{sha256}} and name them by digest",
    )


def _fault(code: str, pointer: str, rule: str, zh: str, en: str) -> RejectedError:
    return RejectedError(code, [FieldError(pointer=pointer, rule=rule, detail=zh, detail_en=en)])
