"""A hostile or broken gateway, or whatever answers at its address, neither stops, fills nor misleads a court system."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.eventually import eventually
from tests.walls.library import Program, program

NUMBER = "court-sn0199-20260324-000001"
MIB = 1 << 20
PROBLEM = "application/problem+json"
Answering = Callable[["Gateway", web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Gateway:
    """Answers as it is told. calls: paths with queries, as they came; posted: path, key and body of each POST; sent:
    bytes of the body that the socket took."""

    answering: Answering
    url: str = ""
    calls: list[str] = field(default_factory=list)
    posted: list[tuple[str, str, bytes]] = field(default_factory=list)
    sent: int = 0
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.calls.append(request.path_qs)
        if request.method == "POST":
            self.posted.append((request.path, request.headers.get("Idempotency-Key", ""), body))
        return await self.answering(self, request)

    async def endless(self, request: web.Request, content_type: str, most: int) -> web.StreamResponse:
        """`most` bytes, as fast as they are taken."""
        response = web.StreamResponse(headers={"Content-Type": content_type})
        await response.prepare(request)
        chunk = b" " * (256 << 10)
        while self.sent < most:
            await response.write(chunk)
            self.sent += len(chunk)
        return response


@asynccontextmanager
async def served(answering: Answering) -> AsyncIterator[Gateway]:
    gateway = Gateway(answering)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", gateway.answer)
    runner = web.AppRunner(app, handle_signals=False, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    gateway.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield gateway
    finally:
        gateway.over.set()
        await runner.cleanup()


@asynccontextmanager
async def court(gateway: Gateway, folder: Path, act: str) -> AsyncIterator[Program]:
    async with program(folder, "court.py", gateway.url, folder, act) as running:
        yield running


def page(cursor: str, *events: str) -> web.Response:
    entries = [{"cursor": c, "at": "2026-03-24T10:00:00Z", "kind": "state", "newer": {"than": "we"}} for c in events]
    return web.json_response({"events": entries, "cursor": cursor, "newer": 1})


# C2: what is no answer destroys nothing

OTHERS = "court-sn0199-20260324-000099"
REQUEST = {
    "request_no": NUMBER, "type": "grid.verify.request", "version": 1, "shape": "ask", "state": "awaiting-approval",
    "done": False, "asker": "court-sn0199", "asked": "grid-610199", "lane": "normal",
    "created_at": "2026-03-24T10:00:00.000Z", "updated_at": "2026-03-24T10:00:00.000Z",
}  # fmt: skip
# What is no answer to each call that says something, and what is one.
CALLS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "submit": ({"group_no": NUMBER}, {"request_no": NUMBER, "receiver": "grid-610199", "state": "approved"}),
    "confirm": ({"request_no": OTHERS}, {"request_no": NUMBER, "state": "closed", "message_id": None, "seqno": 2}),
    "approve": ({"request_no": OTHERS}, {"request_no": NUMBER, "state": "approved", "missing": [], "requests": []}),
    "group-confirm": (
        {"group_no": NUMBER},
        {"group_no": NUMBER, "requests": [{"request_no": NUMBER, "receiver": "grid-610199", "state": "closed"}]},
    ),
    "release": ({"release_no": "x"}, {"release_no": NUMBER, "case_no": "（2026）陕0199执900001号", "items": []}),
    "reassign": ({"requests": []}, {"case_no": "（2026）陕0199执900002号", "requests": [], "measures": []}),
}


@pytest.mark.parametrize("act", CALLS)
@pytest.mark.parametrize(
    "what",
    [
        "200 {}",
        *(pytest.param(w, marks=pytest.mark.slow) for w in ("202 {}", "202 of another", "200 of the right form")),
    ],
)
async def test_c2_what_is_no_answer_leaves_the_signed_bytes(tmp_path: Path, act: str, what: str) -> None:
    """It is told, and the same bytes under the same key go again until there is an answer."""
    odd, right = CALLS[act]
    status = int(what[:3])
    answers = {"200 {}": {}, "202 {}": {}, "202 of another": odd, "200 of the right form": right}

    async def answering(gateway: Gateway, request: web.Request) -> web.StreamResponse:
        if request.method == "GET":
            return web.json_response(REQUEST)
        first = len(gateway.posted) == 1
        return web.json_response(answers[what] if first else right, status=status if first else 202)

    async with served(answering) as gateway:
        async with court(gateway, tmp_path, act) as running:
            await running.ended()
        assert running.lines[-1]["event"] == "raised", "taken for an answer"
        assert running.lines[-1]["error"] == "UnexpectedAnswerError"
        async with court(gateway, tmp_path, "resume") as running:
            await running.ended()
        first, *later = gateway.posted
        assert later == [first], "the spool had forgotten what was said"
        assert {"event": "resumed", "key": "k1", "code": None} in running.lines


async def test_c2_a_refusal_under_another_status_is_none(tmp_path: Path) -> None:
    """Whatever answers with the words of a refusal and the status of something else is not our gateway."""
    problem = {"type": "urn:lianzhi:problem:invalid-field", "title": "x", "title_en": "x", "status": 422, "errors": []}

    async def answering(gateway: Gateway, request: web.Request) -> web.StreamResponse:
        return web.Response(status=404, body=encoded(problem), content_type=PROBLEM)

    async with served(answering) as gateway:
        async with court(gateway, tmp_path, "submit") as running:
            await running.ended()
        assert running.lines[-1]["error"] == "UnexpectedAnswerError"
        async with court(gateway, tmp_path, "resume") as running:
            await running.ended()
        assert len(gateway.posted) == 2


# C13: the feed has a brake


async def test_c13_an_empty_answer_that_comes_at_once(tmp_path: Path) -> None:
    async def answering(gateway: Gateway, _: web.Request) -> web.StreamResponse:
        if len(gateway.calls) > 20:
            await gateway.over.wait()
        return page("c0")

    async with served(answering) as gateway, court(gateway, tmp_path, "follow") as running:
        await eventually(lambda: len(gateway.calls) > 20)
        pauses = [line["attempt"] for line in running.lines if line["event"] == "pause"]
    assert len(pauses) >= 20
    assert pauses[:5] == sorted(set(pauses[:5])), "they grow"


async def test_c13_events_whose_cursor_stands_still(tmp_path: Path) -> None:
    async def answering(gateway: Gateway, request: web.Request) -> web.StreamResponse:
        if len(gateway.calls) > 100:
            await gateway.over.wait()
        return page("c1", "c1")

    async with served(answering) as gateway, court(gateway, tmp_path, "follow") as running:
        (raised,) = await running.told("raised")
        given = [line for line in running.lines if line["event"] == "given"]
    assert (raised["error"], len(given)) == ("UnexpectedAnswerError", 1)
    assert len(gateway.calls) < 10


async def test_c13_events_whose_cursor_leads_in_a_circle(tmp_path: Path) -> None:
    async def answering(gateway: Gateway, request: web.Request) -> web.StreamResponse:
        if len(gateway.calls) > 100:
            await gateway.over.wait()
        cursor = {"c1": "c2", "c2": "c3"}.get(request.query.get("after", ""), "c1")
        return page(cursor, cursor)

    async with served(answering) as gateway, court(gateway, tmp_path, "follow") as running:
        await running.told("raised")
        given = [line["cursor"] for line in running.lines if line["event"] == "given"]
    assert given == ["c1", "c2", "c3"]


async def test_c13_pages_of_requests_that_lead_in_a_circle(tmp_path: Path) -> None:
    async def answering(gateway: Gateway, request: web.Request) -> web.StreamResponse:
        if len(gateway.calls) > 100:
            await gateway.over.wait()
        return web.json_response({"requests": [], "next": "n1"})

    async with served(answering) as gateway, court(gateway, tmp_path, "requests") as running:
        await running.told("raised")
    assert len(gateway.calls) < 10


# C14: every read is bounded, every error is the library's own


async def test_c14_an_answer_without_end(tmp_path: Path) -> None:
    async def answering(gateway: Gateway, request: web.Request) -> web.StreamResponse:
        return await gateway.endless(request, "application/json", 200 * MIB)

    async with served(answering) as gateway, court(gateway, tmp_path, "request") as running:
        (raised,) = await running.told("raised")
        assert raised["own"]
        assert gateway.sent < 100 * MIB


async def test_c14_a_paper_without_end(tmp_path: Path) -> None:
    async def answering(gateway: Gateway, request: web.Request) -> web.StreamResponse:
        return await gateway.endless(request, "application/pdf", 250 * MIB)

    async with served(answering) as gateway, court(gateway, tmp_path, "document") as running:
        (raised,) = await running.told("raised")
        assert raised["own"]
        assert gateway.sent < 150 * MIB
    assert not [name for name in os.listdir(tmp_path) if "document" in name or "paper" in name]


def message(**more: Any) -> dict[str, Any]:
    return {
        "message_id": "01960000-0000-7000-8000-000000000001", "sender": "grid-610199", "receiver": "court-sn0199",
        "verb": "result", "time": "2026-03-24T10:00:00.000Z", "stored_at": "2026-03-24T10:00:00.000Z",
        "disposition": "applied", "digest": "A" * 43, "bytes": "x", **more,
    }  # fmt: skip


def encoded(value: Any) -> bytes:
    return json.dumps(value).encode()


DEEP = b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
ODD: dict[str, tuple[str, bytes]] = {
    "UTF-16": ("submit", '{"request_no": "court-sn0199-20260324-000001", "state": "accepted"}'.encode("utf-16")),
    "deep": ("request", DEEP),
    "deep in what was said": ("submit", DEEP),
    "a type that is a list": ("type", b"[1]"),
    "messages that are texts": ("messages", encoded({"messages": ["x"]})),
    "half a character": ("unseal", b'{"messages": [%s]}' % encoded(message(bytes="\ud800"))),
    "a moment that is none": ("unseal", encoded({"messages": [message(stored_at="yesterday")]})),
    "a paper without size": ("put", b"{}"),
    "a next page that is a number": ("requests", encoded({"requests": [], "next": {"a": 1}})),
    "a cursor with half a character": ("follow", b'{"events": [], "cursor": "\\udc00"}'),
}


@pytest.mark.parametrize("name", ODD)
async def test_c14_an_odd_answer(tmp_path: Path, name: str) -> None:
    act, body = ODD[name]

    async def answering(gateway: Gateway, request: web.Request) -> web.StreamResponse:
        if request.path.endswith("jwks.json"):
            return web.json_response({"keys": []})
        return web.Response(body=body, content_type="application/json")

    async with served(answering) as gateway, court(gateway, tmp_path, act) as running:
        (raised,) = await running.told("raised")
    assert raised["own"], raised


async def test_c14_an_answer_that_unfolds(tmp_path: Path) -> None:
    """300 MiB of blanks are 1 MiB of gzip."""
    folded = gzip.compress(b" " * (300 * MIB), 1)

    async def answering(gateway: Gateway, request: web.Request) -> web.StreamResponse:
        headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
        return web.Response(body=folded, headers=headers)

    async with served(answering) as gateway, court(gateway, tmp_path, "request") as running:
        (raised,) = await running.told("raised")
        assert raised["own"]
        assert raised["peak"] < 250 * MIB


async def test_c14_a_spool_that_cannot_be_read(tmp_path: Path) -> None:
    async def answering(gateway: Gateway, request: web.Request) -> web.StreamResponse:
        return page("c0")

    async with served(answering) as gateway, court(gateway, tmp_path, "note") as running:
        (raised,) = await running.told("raised")
    assert raised["own"], raised


# C15: what the gateway chose writes nothing of its own into a log or a terminal


async def test_c15_a_problem_of_the_gateway(tmp_path: Path) -> None:
    forged = "x\n2026-03-24 ERROR forged\x1b[2J\u202e\u009b31m"
    problem = {
        "type": f"urn:lianzhi:problem:{forged}", "title": forged, "title_en": forged, "status": 422, "newer": {},
        "errors": [{"pointer": forged, "rule": forged, "detail": forged, "detail_en": forged, "newer": 1}],
    }  # fmt: skip

    async def answering(gateway: Gateway, request: web.Request) -> web.StreamResponse:
        return web.Response(status=422, body=encoded(problem), content_type=PROBLEM)

    async with served(answering) as gateway, court(gateway, tmp_path, "request") as running:
        (raised,) = await running.told("raised")
    assert raised["error"] == "ProblemError"
    assert not set("\n\x1b\u202e\u009b") & set(raised["text"]), raised["text"]
