"""What a call carries, checked before anything is done with it: query parameters, headers, body.

Each call with parameters has one model; what it does not name is refused, not ignored. Of a body its media type comes
first, its size before its content, and never more of it than the limit.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any, TypeVar

from aiohttp import hdrs, web
from multidict import MultiMapping
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from gateway.application.context import Context
from gateway.bounds import Bounds
from gateway.core.control.moves import OPEN_STATES, STATES
from gateway.core.requests.lifecycle import STATES as REQUEST_STATES
from gateway.http.api import CALLER
from lianzhi.crypto.strictjson import loads
from lianzhi.errors import RejectedError
from lianzhi.problem import FieldError
from lianzhi.protocol.base import label
from lianzhi.protocol.envelope import CONTENT_TYPE, Code, RequestNo
from schemas.bodies import MatterName
from schemas.validation import InvalidError, validate
from schemas.values.identifiers import CaseNo

JSON = "application/json"
MESSAGE_TYPES = (JSON, CONTENT_TYPE)
IDEMPOTENCY_KEY = "Idempotency-Key"
_KEY = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,198}[\x21-\x7e])?")
PAGE_LIMIT = 200
FEED_LIMIT = 1000
LONGEST_WAIT = 60  # seconds; below the idle timeouts of common proxies

Cursor = Annotated[str, StringConstraints(min_length=1, max_length=160)]
After = Annotated[Cursor | None, label("游标", "Cursor of an earlier page")]
Limit = Annotated[int, label("条数上限", "At most so many", ge=1, le=PAGE_LIMIT)]
_REQUEST_STATE = f"^({'|'.join(sorted(frozenset.union(*REQUEST_STATES.values())))})$"
_STATE = f"({'|'.join(STATES)})"
States = Annotated[
    str,
    StringConstraints(pattern=f"^{_STATE}(,{_STATE}){{0,{len(STATES) - 1}}}$"),
    label("状态", "States, with commas between"),
]


class Query(BaseModel):
    """Not strict: every parameter comes as text."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class NoQuery(Query):
    """A call without parameters."""


DialectName = Annotated[str | None, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,40}(/[0-9]{1,4})?$")]


class DialectQuery(Query):
    dialect: Annotated[DialectName, label("方言", "Absent: all dialects")] = None


class DialectPageQuery(DialectQuery):
    type: Annotated[MatterName | None, label("事项", "Matter type, of a dialect")] = None


class SchemaPageQuery(Query):
    schema_name: Annotated[
        Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,119}$")] | None,
        label("对象", "One of the document's schemas; absent: the calls", alias="schema"),
    ] = None


class RequestsQuery(Query):
    case_no: Annotated[CaseNo | None, label("案号", "Case number")] = None
    type: Annotated[MatterName | None, label("事项", "Matter type")] = None
    state: Annotated[str | None, Field(pattern=_REQUEST_STATE, title="状态", description="State")] = None
    receiver: Annotated[Code | None, label("接收方", "Who is asked")] = None
    group_no: Annotated[RequestNo | None, label("组编号", "Group")] = None
    after: After = None
    limit: Limit = 50


class PartsQuery(Query):
    """Of one request: its messages, its timeline."""

    after: After = None
    limit: Limit = PAGE_LIMIT


class EventsQuery(Query):
    after: Annotated[Cursor | None, label("游标", "Absent: from the oldest event that is kept")] = None
    wait: Annotated[int, label("等待秒数", "Wait so long for something new", ge=0, le=LONGEST_WAIT)] = 0
    limit: Annotated[int, label("条数上限", "At most so many", ge=1, le=FEED_LIMIT)] = 200


class MeasuresQuery(Query):
    state: States = ",".join(OPEN_STATES)
    case_no: Annotated[CaseNo | None, label("案号", "Case number")] = None
    expiring_within: Annotated[
        str | None, Field(pattern=r"^[0-9]{1,4}d$", title="到期天数", description="Ends within so many days: 30d")
    ] = None
    after: After = None
    limit: Limit = 50


DayParameter = Annotated[str | None, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]


class LedgerQuery(Query):
    """`from` and `until` are reserved or plain words: the fields carry aliases."""

    first: Annotated[DayParameter, label("起始日期", "From this day, 2026-03-23", alias="from")] = None
    last: Annotated[DayParameter, label("截止日期", "Until this day, inside", alias="until")] = None
    after: After = None
    limit: Limit = 50


class ReportQuery(Query):
    """Absent: the last week that is over."""

    week: Annotated[
        str | None, Field(pattern=r"^[0-9]{4}-W[0-9]{2}$", title="周", description="ISO week, 2026-W13")
    ] = None
    month: Annotated[str | None, Field(pattern=r"^[0-9]{4}-[0-9]{2}$", title="月", description="2026-03")] = None


class CaseQuery(Query):
    case_no: Annotated[CaseNo, label("案号", "Case number")]


def at_most(limit: int, bounds: Bounds) -> int:
    """Items of one page: as asked for, and never more than `page_items`. A page may hold fewer than was asked for."""
    return min(limit, bounds.page_items)


Q = TypeVar("Q", bound=Query)


def parse(model: type[Q], given: MultiMapping[str]) -> Q:
    """Raises RejectedError invalid-field; the pointer is the parameter's name."""
    once: dict[str, Any] = {}
    for name, value in given.items():
        if name in once:
            raise _twice(name)
        once[name] = value
    try:
        return validate(model, once)
    except InvalidError as error:
        raise RejectedError("invalid-field", error.errors) from error


def _twice(name: str) -> RejectedError:
    detail = FieldError(
        pointer=f"/{name[:80]}",
        rule="duplicate-parameter",
        detail="同一查询参数出现了两次",
        detail_en="The query parameter stands twice",
    )
    return RejectedError("invalid-field", [detail])


# --- headers and body


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
