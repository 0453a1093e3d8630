"""Answers: JSON as bytes, problems as RFC 9457. Nothing of ours is kept by a cache on the way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web
from pydantic import BaseModel

from gateway.application.posts import Answer
from lianzhi.crypto.strictjson import dumps
from lianzhi.errors import RejectedError

_ALWAYS = {"Cache-Control": "no-store", "Server": "lianzhi"}
JSON_HEADERS = {"Content-Type": "application/json", **_ALWAYS}
PROBLEM_HEADERS = {"Content-Type": "application/problem+json", **_ALWAYS}
NO_MORE: Mapping[str, str] = {}
RETRY_SECONDS = 5


def json_reply(body: bytes, status: int = 200, headers: Mapping[str, str] = NO_MORE) -> web.Response:
    return web.Response(body=body, status=status, headers={**JSON_HEADERS, **headers})


def view_reply(view: BaseModel, status: int = 200, headers: Mapping[str, str] = NO_MORE) -> web.Response:
    """A view without what it has not to say."""
    return json_reply(view.model_dump_json(exclude_none=True).encode(), status, headers)


def answered(answer: Answer) -> web.Response:
    """What a use case that wrote something tells."""
    headers = {"Location": answer.location} if answer.location else {}
    if answer.replayed:
        headers["Idempotency-Replayed"] = "true"
    return json_reply(dumps(answer.body).encode(), answer.status, headers)


def problem_reply(
    error: RejectedError, more: Mapping[str, str] = NO_MORE, members: Mapping[str, Any] = NO_MORE
) -> web.Response:
    """`application/problem+json`, with the headers that its status wants. members: beside those of every problem
    (RFC 9457, 3.2)."""
    headers = {**PROBLEM_HEADERS, **more}
    status = error.reason.status
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if status in (429, 503):
        headers["Retry-After"] = str(error.retry_after or RETRY_SECONDS)
    return web.Response(body=problem_bytes(error, members), status=status, headers=headers)


def problem_bytes(error: RejectedError, members: Mapping[str, Any] = NO_MORE) -> bytes:
    document: dict[str, Any] = error.problem().document()
    return dumps({**document, **members}).encode()
