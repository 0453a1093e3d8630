"""The descriptions: OpenAPI, AsyncAPI, and both as pages. None of them needs a token or tells of a person."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from aiohttp import hdrs, web

from adapters.registry import dialects
from gateway.http.calls.outside import PUBLIC
from gateway.http.description import pages
from gateway.http.description.asyncapi import asyncapi_document
from gateway.http.description.openapi import openapi_document
from gateway.http.inputs import DialectPageQuery, DialectQuery, SchemaPageQuery, parse
from gateway.http.reply import JSON_HEADERS
from lianzhi.crypto.strictjson import dumps
from lianzhi.errors import RejectedError
from lianzhi.problem import FieldError
from schemas.catalogue import MatterType

PAGE_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Server": "lianzhi",
}
_STYLE_HEADERS = {"Content-Type": "text/css; charset=utf-8", "X-Content-Type-Options": "nosniff", "Server": "lianzhi"}
Open = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Made:
    body: bytes
    etag: str


class Descriptions:
    """Each is made when somebody first asks for it, beside the loop (the whole AsyncAPI document takes seconds), and
    kept: there are as many as dialects, types and schemas, never as many as calls."""

    def __init__(self, catalogue: Mapping[str, MatterType]) -> None:
        self._catalogue = catalogue
        self._documents: dict[str, dict[str, Any]] = {}
        self._made: dict[tuple[str, ...], Made] = {}
        self._making = asyncio.Lock()

    def calls(self) -> dict[str, Open]:
        return {
            "read-openapi": self._read_openapi,
            "read-asyncapi": self._read_asyncapi,
            "docs-index": self._index,
            "docs-openapi": self._openapi_page,
            "docs-asyncapi": self._asyncapi_page,
            "docs-style": self._style,
        }

    async def _read_openapi(self, request: web.Request) -> web.StreamResponse:
        return await self._reply(request, ("openapi",), lambda: dumps(self._openapi()).encode(), JSON_HEADERS)

    async def _read_asyncapi(self, request: web.Request) -> web.StreamResponse:
        dialect = _known_dialect(parse(DialectQuery, request.query).dialect)
        make = partial(self._asyncapi_bytes, dialect)
        return await self._reply(request, ("asyncapi", dialect or ""), make, JSON_HEADERS)

    async def _index(self, request: web.Request) -> web.StreamResponse:
        return await self._reply(request, ("docs",), lambda: pages.index_page(dialects()), PAGE_HEADERS)

    async def _openapi_page(self, request: web.Request) -> web.StreamResponse:
        name = parse(SchemaPageQuery, request.query).schema_name
        async with self._making:
            document = await asyncio.to_thread(self._openapi)
        if name is not None and name not in document["components"]["schemas"]:
            raise _unknown("schema", "unknown-schema", ["/openapi.json#/components/schemas"])
        make = partial(pages.schema_page, document, name) if name else partial(pages.openapi_page, document)
        return await self._reply(request, ("docs-openapi", name or ""), make, PAGE_HEADERS)

    async def _asyncapi_page(self, request: web.Request) -> web.StreamResponse:
        query = parse(DialectPageQuery, request.query)
        dialect = _known_dialect(query.dialect)
        key = ("docs-asyncapi", dialect or "", query.type or "")
        if dialect is None:
            if query.type is not None:  # a type is said differently in each dialect
                raise _unknown("dialect", "unknown-dialect", dialects())
            return await self._reply(request, key, lambda: pages.dialects_page(dialects()), PAGE_HEADERS)
        async with self._making:
            document = await asyncio.to_thread(self._asyncapi, dialect)
        if query.type is None:
            return await self._reply(request, key, lambda: pages.dialect_page(document, dialect), PAGE_HEADERS)
        types = pages.types_in(document)
        if query.type not in types:
            raise _unknown("type", "unknown-type", list(types))
        make = partial(pages.type_page, document, dialect, query.type)
        return await self._reply(request, key, make, PAGE_HEADERS)

    async def _style(self, request: web.Request) -> web.StreamResponse:
        return await self._reply(request, ("style",), pages.STYLE.read_bytes, _STYLE_HEADERS)

    def _openapi(self) -> dict[str, Any]:
        if "openapi" not in self._documents:
            self._documents["openapi"] = openapi_document(self._catalogue)
        return self._documents["openapi"]

    def _asyncapi(self, dialect: str) -> dict[str, Any]:
        if dialect not in self._documents:
            self._documents[dialect] = asyncapi_document(self._catalogue, dialect)
        return self._documents[dialect]

    def _asyncapi_bytes(self, dialect: str | None) -> bytes:
        document = self._asyncapi(dialect) if dialect else asyncapi_document(self._catalogue)
        return dumps(document).encode()

    async def _reply(
        self, request: web.Request, key: tuple[str, ...], make: Callable[[], bytes], headers: Mapping[str, str]
    ) -> web.Response:
        """304 to who has it already (RFC 9110 section 13.1.2)."""
        async with self._making:
            if key not in self._made:
                body = await asyncio.to_thread(make)
                self._made[key] = Made(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')
        made = self._made[key]
        told = {**headers, **PUBLIC, "ETag": made.etag}
        if made.etag in [
            tag.strip().removeprefix("W/") for tag in request.headers.get(hdrs.IF_NONE_MATCH, "").split(",")
        ]:
            return web.Response(status=304, headers=told)
        return web.Response(body=made.body, headers=told)


def _has(request: web.Request, etag: str) -> bool:
    tags = request.headers.get(hdrs.IF_NONE_MATCH, "").split(",")
    return etag in [tag.strip().removeprefix("W/") for tag in tags]


def _known_dialect(dialect: str | None) -> str | None:
    if dialect is not None and dialect not in dialects():
        raise _unknown("dialect", "unknown-dialect", dialects())
    return dialect


def _unknown(parameter: str, rule: str, allowed: list[str]) -> RejectedError:
    """Says what may stand there."""
    there = ", ".join(allowed)
    error = FieldError(
        pointer=f"/{parameter}",
        rule=rule,
        detail=f"没有这个，可用：{there}",
        detail_en=f"There is no such; there are: {there}",
    )
    return RejectedError("invalid-field", [error])
