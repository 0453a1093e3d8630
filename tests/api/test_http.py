"""The wire itself: what the parser refuses, what breaks off, what is too large; by raw bytes where it must be."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest
import structlog

from gateway.application.ports.lists import RequestFilter
from gateway.http.description.operations import OPERATIONS, Operation
from lianzhi.crypto.strictjson import dumps
from tests.api.world import World, grid_request, token_for

BODY = dumps(grid_request()).encode()
MEBIBYTE = 1 << 20


async def raw(world: World, *parts: bytes, close: bool = False) -> tuple[int, Mapping[str, str], bytes]:
    """Send, then read one whole answer: status, headers in lower case, body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
        if close:
            writer.write_eof()
        async with asyncio.timeout(10):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            status, *lines = head.rstrip().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            body = await reader.readexactly(int(headers["content-length"]))
        return int(status.split()[1]), headers, body
    finally:
        writer.close()


def post(*headers: str, length: int | None = len(BODY), path: str = "/v1/requests") -> bytes:
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Bearer {token_for('cms1')}",
        "Idempotency-Key: raw",
        "Content-Type: application/json",
        *headers,
        *([f"Content-Length: {length}"] if length is not None else []),
    ]
    return "\r\n".join((*lines, "", "")).encode()


def code(headers: Mapping[str, str], body: bytes) -> str:
    assert headers["content-type"] == "application/problem+json", (headers, body)
    document: Any = json.loads(body)
    assert document["title"] and document["title_en"]
    return str(document["type"]).rsplit(":", 1)[1]


async def test_raw_bytes_as_they_should_be(world: World) -> None:
    status, headers, _ = await raw(world, post(), BODY)
    assert status == 202
    assert headers["server"] == "lianzhi"


@pytest.mark.parametrize(
    "bytes_sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET /v1/requests HTTP/9.9\r\nHost: a\r\n\r\n",
        post("Content-Type: text/plain"),
        post("Content-Length: 3"),
        post("X: " + "x" * 100_000),
        post("Bad Header: x"),
        b"GET /v1/requests HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    ],
    ids=["TLS", "a version to come", "two content types", "two lengths", "a huge header", "a bad name", "two hosts"],
)
async def test_a_malformed_request_is_a_problem_too(world: World, bytes_sent: bytes) -> None:
    status, headers, body = await raw(world, bytes_sent)
    assert (status, code(headers, body)) == (400, "malformed-request")
    assert not await world.store.requests(RequestFilter())


@pytest.mark.parametrize("method", ["DELETE", "PATCH", "PUT"])
async def test_a_method_that_is_not_there(world: World, method: str) -> None:
    reply = await world.call(method, "/v1/requests")
    assert reply.status == 405
    assert set(reply.headers["Allow"].split(",")) == {"GET", "HEAD", "POST"}
    assert reply.code == "method-not-allowed"


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/requests/", "/v2/requests", "/v1/requests/%00"])
async def test_an_address_that_is_not_there(world: World, path: str) -> None:
    reply = await world.get(path)
    assert reply.status == 404
    assert reply.code in ("not-found", "unknown-request")


async def test_a_query_that_nobody_asked_for(world: World) -> None:
    for path in ("/v1/types?x=1", "/v1/requests?limit=5&limit=6", "/v1/requests?sort=asc", "/v1/events?wait=x"):
        reply = await world.get(path)
        assert (reply.status, reply.code) == (422, "invalid-field"), path


async def test_too_large_is_refused_before_it_is_sent(world: World) -> None:
    status, headers, body = await raw(world, post(length=MEBIBYTE + 1))
    assert (status, code(headers, body)) == (413, "too-large")
    assert str(MEBIBYTE).encode() in body
    assert b"/v1/documents/" in body


async def test_too_large_is_refused_instead_of_continue(world: World) -> None:
    status, headers, body = await raw(world, post("Expect: 100-continue", length=MEBIBYTE + 1))
    assert (status, code(headers, body)) == (413, "too-large")


async def test_continue_is_said_when_the_size_will_do(world: World) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
    writer.write(post("Expect: 100-continue"))
    async with asyncio.timeout(10):
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100")
        writer.write(BODY)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 202")
    writer.close()


async def test_another_expectation_is_not_met(world: World) -> None:
    status, headers, body = await raw(world, post("Expect: miracles"))
    assert (status, code(headers, body)) == (400, "malformed-request")


async def test_chunks_are_refused_as_soon_as_they_are_too_many(world: World) -> None:
    piece = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    status, headers, body = await raw(world, post("Transfer-Encoding: chunked", length=None), *[piece] * 17)
    assert (status, code(headers, body)) == (413, "too-large")


async def test_a_message_of_exactly_the_limit_is_read(world: World) -> None:
    padded = BODY + b" " * (MEBIBYTE - len(BODY))
    status, _, _ = await raw(world, post(length=MEBIBYTE), padded)
    assert status == 202


async def test_chunks_are_taken_as_one_body(world: World) -> None:
    pieces = b"".join(f"{len(p):x}\r\n".encode() + p + b"\r\n" for p in (BODY[:100], BODY[100:])) + b"0\r\n\r\n"
    status, _, _ = await raw(world, post("Transfer-Encoding: chunked", length=None), pieces)
    assert status == 202


async def test_broken_chunks(world: World) -> None:
    status, headers, body = await raw(world, post("Transfer-Encoding: chunked", length=None), b"zz\r\nhello\r\n")
    assert (status, code(headers, body)) == (400, "malformed-request")


@pytest.mark.parametrize("encoding", ["gzip", "br", "nonsense"])
async def test_a_compressed_body(world: World, encoding: str) -> None:
    status, headers, body = await raw(world, post(f"Content-Encoding: {encoding}"), BODY)
    assert (status, code(headers, body)) == (415, "bad-content-type")
    assert b"Content-Encoding" in body


async def test_a_caller_who_goes_away_leaves_nothing(world: World) -> None:
    with structlog.testing.capture_logs() as logs:
        _, writer = await asyncio.open_connection("127.0.0.1", world.port)
        writer.write(post() + BODY[:50])
        await writer.drain()
        writer.transport.abort()
        assert (await world.submit(grid_request())).status == 202
    assert logs == []
    assert len(await world.store.requests(RequestFilter())) == 1


async def test_our_own_fault_is_internal_and_its_text_stays_here(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: Any) -> None:
        raise ValueError("王演示 610199199003071237")

    monkeypatch.setattr(world.store, "request", broken)
    with structlog.testing.capture_logs() as logs:
        reply = await world.get("/v1/requests/court-sn0199-20260324-000001")
    assert (reply.status, reply.code) == (500, "internal")
    assert "演示" not in reply.body.decode() and "演示" not in repr(logs)
    fault = next(line for line in logs if line["event"] == "internal")
    assert fault["fault"] == "ValueError"
    assert fault["request_id"] == reply.headers["X-Request-Id"]
    assert any("queries/requests.py" in frame for frame in fault["at"])


async def test_a_refusal_is_logged_without_what_was_sent(world: World) -> None:
    with structlog.testing.capture_logs() as logs:
        reply = await world.submit(grid_request(handler="sn0199-9999"))
    line = next(line for line in logs if line["event"] == "refused")
    assert line["request_id"] == reply.headers["X-Request-Id"]
    assert (line["client"], line["status"], line["code"]) == ("cms1", 422, "unknown-staff")
    assert line["route"] == "/v1/requests"
    assert "李示例" not in repr(logs)


async def test_nothing_is_logged_for_what_goes_well(world: World) -> None:
    with structlog.testing.capture_logs() as logs:
        await world.accepted(await world.submit(grid_request()))
    assert logs == []


async def test_health(world: World) -> None:
    assert (await world.get("/livez", client=None)).json == {"alive": True}
    assert (await world.get("/readyz", client=None)).json == {"ready": True, "broker": "none"}


async def test_metrics_count_and_name_nobody(world: World) -> None:
    await world.accepted(await world.submit(grid_request()))
    await world.submit(grid_request(handler="sn0199-9999"))
    await world.get("/v1/requests/court-sn0199-20260324-000001")
    world.clock.advance(seconds=90)
    text = await world.metrics()
    lines = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert lines['lianzhi_requests{state="approved",type="grid.verify.request"}'] == "1.0"
    assert lines['lianzhi_outbox{state="ready"}'] == "1.0"
    assert lines["lianzhi_outbox_oldest_seconds"] == "90.0"
    assert lines['lianzhi_http_requests_total{method="POST",route="/v1/requests",status="202"}'] == "1.0"
    assert lines['lianzhi_http_requests_total{method="POST",route="/v1/requests",status="422"}'] == "1.0"
    assert lines['lianzhi_http_requests_total{method="GET",route="/v1/requests/{no}",status="200"}'] == "1.0"
    assert "court-sn0199" not in text and "李示例" not in text


async def test_metrics_have_a_listener_of_their_own(world: World) -> None:
    assert (await world.get("/metrics", client=None)).code == "not-found"
    async with world.http.get(world.metrics_url.replace("/metrics", "/v1/types")) as answer:
        assert answer.status == 404


@pytest.mark.parametrize("operation", [o for o in OPERATIONS if not o.scope], ids=lambda o: o.id)
async def test_a_parameter_that_no_call_knows_is_refused(world: World, operation: Operation) -> None:
    path = operation.path.format(page_id="0", token="0")
    reply = await world.call(operation.method, f"{path}?verbose=1", client=None)
    assert (reply.status, reply.code, reply.rules) == (422, "invalid-field", [("/verbose", "extra-member")])


async def test_public_keys_are_those_of_the_ones_we_sign_for(world: World) -> None:
    keys = (await world.get("/.well-known/jwks.json", client=None)).json["keys"]
    kids = {key["kid"] for key in keys}
    assert {"court-sn0199.sig.1", "court-sn0199.enc.1", "court-sn0199.enc.cms1", "court-sn0528.sig.1"} <= kids
    assert not any(kid.startswith("police") for kid in kids)
    assert all("d" not in key for key in keys)
    assert next(key for key in keys if key["kid"] == "court-sn0199.enc.cms1")["client"] == "cms1"
