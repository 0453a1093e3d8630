"""Documents over HTTP: in once, out to those whom they concern, never half."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import structlog

from gateway.bounds import Bounds
from gateway.store import SqlStore
from lianzhi.crypto.limits import Limits
from schemas.catalogue import catalogue
from tests.api.test_auth import partner_jwt
from tests.api.world import (
    COURT,
    NEIGHBOUR,
    PDF,
    PDF_SHA,
    POLICE,
    Keys,
    World,
    document,
    locate_request,
    seal_request,
    serving,
    within,
)
from tests.stored import readers_of

PATH = f"/v1/documents/{PDF_SHA}"
HEADERS = {"Content-Type": "application/pdf"}


async def test_a_document_is_put_once_and_comes_back_as_it_was(world: World) -> None:
    first = await world.put_pdf()
    assert first.status == 201
    assert first.json == {
        "sha256": PDF_SHA,
        "size": len(PDF),
        "media_type": "application/pdf",
        "at": "2026-03-24T02:10:00.000Z",
    }
    assert first.headers["Location"] == PATH
    world.clock.advance(hours=1)
    again = await world.put_pdf()
    assert (again.status, again.json) == (200, first.json)
    got = await world.get(PATH)
    assert (got.status, got.body) == (200, PDF)
    assert got.headers["Content-Type"] == "application/pdf"
    assert got.headers["Content-Disposition"] == "attachment"
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert got.headers["ETag"] == f'"{PDF_SHA}"'


async def test_a_large_one_is_streamed_both_ways(world: World) -> None:
    body = os.urandom(5_000_000)
    sha = hashlib.sha256(body).hexdigest()

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 100_000):
            yield body[start : start + 100_000]

    put = await world.call("PUT", f"/v1/documents/{sha}", data=pieces(), headers={"Content-Type": "image/png"})
    assert (put.status, put.json["size"]) == (201, len(body))
    assert (await world.get(f"/v1/documents/{sha}")).body == body


async def test_other_bytes_than_the_digest(world: World) -> None:
    reply = await world.call("PUT", PATH, data=PDF + b"!", headers=HEADERS)
    assert (reply.status, reply.code) == (422, "document-mismatch")
    assert (await world.get(PATH)).code == "not-found"
    assert await world.store.document(PDF_SHA) is None


@pytest.mark.parametrize("media_type", ["text/html", "application/zip", "application/json"])
async def test_another_media_type(world: World, media_type: str) -> None:
    reply = await world.call("PUT", PATH, data=PDF, headers={"Content-Type": media_type})
    assert (reply.status, reply.code) == (415, "bad-content-type")


@pytest.mark.parametrize("name", ["abc", PDF_SHA.upper(), "0" * 63, "..%2f..%2fetc"])
async def test_a_name_that_is_no_digest(world: World, name: str) -> None:
    assert (await world.call("PUT", f"/v1/documents/{name}", data=PDF, headers=HEADERS)).code == "not-found"
    assert (await world.get(f"/v1/documents/{name}")).code == "not-found"


async def test_too_large_as_announced_and_as_it_comes(store: SqlStore, tmp_path: Path, keys: Keys) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x" * 500

    async with serving(store, tmp_path / "papers", keys, limits=Limits(document_bytes=1000)) as world:
        for body in (b"x" * 1001, pieces()):
            reply = await world.call("PUT", PATH, data=body, headers=HEADERS)
            assert (reply.status, reply.code) == (413, "too-large")
            assert "1000" in reply.json["errors"][0]["detail"]
    assert [p for p in (tmp_path / "papers").rglob("*") if p.is_file()] == []


async def test_an_upload_that_breaks_off_leaves_nothing(world: World, tmp_path: Path) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", world.port)
    head = f"PUT {PATH} HTTP/1.1\r\nHost: a\r\nAuthorization: {world.authorization('cms1')}\r\n"
    writer.write(f"{head}Content-Type: application/pdf\r\nContent-Length: {len(PDF)}\r\n\r\n".encode() + PDF[:5])
    await writer.drain()
    writer.transport.abort()
    assert (await world.put_pdf()).status == 201
    assert [p.name for p in (tmp_path / "papers").rglob("*") if p.is_file()] == [PDF_SHA]


async def test_as_many_as_one_credential_may_upload_at_once_make_one(world: World) -> None:
    replies = await asyncio.gather(*(world.put_pdf() for _ in range(Bounds().uploads_in_flight)))
    assert {reply.status for reply in replies} <= {200, 201}
    assert (await world.get(PATH)).body == PDF


async def put(world: World, number: int, client: str = "cms1") -> Any:
    content = b"%PDF unreal " + str(number).encode()
    path = f"/v1/documents/{hashlib.sha256(content).hexdigest()}"
    return await world.call("PUT", path, client=client, data=content, headers={"Content-Type": "application/pdf"})


async def test_what_no_request_names_is_bounded(store: SqlStore, tmp_path: Path, keys: Keys) -> None:
    async with serving(store, tmp_path / "papers", keys, bounds=Bounds(documents_unnamed=2)) as world:
        await world.put_pdf()
        assert (await put(world, 1)).status == 201
        for number in (2, 3):
            refused = await put(world, number)
            assert (refused.status, refused.code) == (409, "documents-quota")
            assert refused.rules == [("/sha256", "documents-unnamed")]
        assert (await put(world, 1)).status == 200
        assert (await put(world, 2, "cms2")).status == 201
        told = [e for e in await store.events(COURT, 0, 100) if e.kind == "incident"]
        assert [e.head for e in told] == [{"bound": "documents_unnamed", "participant": COURT}]
        assert world.context.reached.counts()["documents_unnamed", COURT] == 2
        await world.accepted(await world.submit_signed(locate_request()))
        assert (await put(world, 3)).status == 201
        assert (await put(world, 4)).code == "documents-quota"


async def test_so_are_their_bytes(store: SqlStore, tmp_path: Path, keys: Keys) -> None:
    async with serving(store, tmp_path / "papers", keys, bounds=Bounds(documents_unnamed_bytes=len(PDF) + 3)) as world:
        assert (await world.put_pdf()).status == 201
        refused = await put(world, 1)
        assert (refused.code, refused.rules) == ("documents-quota", [("/sha256", "documents-unnamed-bytes")])


async def test_what_a_request_names_before_it_comes_is_not_counted(store: SqlStore, tmp_path: Path, keys: Keys) -> None:
    async with serving(store, tmp_path / "papers", keys, bounds=Bounds(documents_unnamed=1)) as world:
        await world.accepted(await world.submit_signed(locate_request()))
        await world.put_pdf()
        assert (await put(world, 1)).status == 201


async def test_only_those_whom_it_concerns_can_read_it(world: World) -> None:
    await world.put_pdf()
    assert (await world.get(PATH, "cms2")).code == "not-found"
    police = {"Authorization": f"Bearer {partner_jwt(world)}"}
    assert (await world.get(PATH, None, headers=police)).code == "not-found"
    await world.accepted(await world.submit_signed(locate_request()))
    with structlog.testing.capture_logs() as logs:
        got = await world.get(PATH, None, headers=police)
    assert got.body == PDF
    assert logs == [
        {
            "event": "document-read",
            "log_level": "info",
            "participant": POLICE,
            "client": POLICE,
            "sha256": PDF_SHA,
        }
    ]
    assert (await world.get(PATH, "cms2")).code == "not-found"
    assert NEIGHBOUR not in await readers_of(world.store, PDF_SHA)


async def test_bytes_that_are_gone_are_said_to_be_unavailable(world: World, tmp_path: Path) -> None:
    await world.put_pdf()
    for path in (tmp_path / "papers").rglob(PDF_SHA):
        path.unlink()
    reply = await world.get(PATH)
    assert (reply.status, reply.code) == (503, "unavailable")


async def test_half_a_document_never_looks_like_a_whole_one(world: World, tmp_path: Path) -> None:
    await world.put_pdf()
    for path in (tmp_path / "papers").rglob(PDF_SHA):
        path.write_bytes(PDF[:-3])
    with structlog.testing.capture_logs() as logs, pytest.raises(aiohttp.ClientError):
        await world.get(PATH)
    assert [line["event"] for line in logs] == ["document-read", "document-broke-off"]


async def test_a_reader_who_goes_away_is_no_fault_of_ours(world: World) -> None:
    body = os.urandom(5_000_000)
    path = f"/v1/documents/{hashlib.sha256(body).hexdigest()}"
    assert (await world.call("PUT", path, data=body, headers=HEADERS)).status == 201
    with structlog.testing.capture_logs() as logs:
        reader, writer = await asyncio.open_connection("127.0.0.1", world.port, limit=1000)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: a\r\nAuthorization: {world.authorization('cms1')}\r\n\r\n".encode())
        assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 200")
        writer.transport.abort()
        assert (await world.get("/livez")).status == 200
    assert [line["event"] for line in logs] == ["document-read"]


async def test_an_empty_document_comes_back_empty(world: World) -> None:
    sha = hashlib.sha256(b"").hexdigest()
    reply = await world.call("PUT", f"/v1/documents/{sha}", data=b"", headers=HEADERS)
    assert (reply.status, reply.json["size"]) == (201, 0)
    got = await world.get(f"/v1/documents/{sha}")
    assert (got.status, got.body) == (200, b"")


EVIDENCE = b"%PDF-1.4 unreal evidence"
EVIDENCE_SHA = hashlib.sha256(EVIDENCE).hexdigest()


async def test_a_paper_inside_the_payload_is_waited_for_and_concerns_the_asked(world: World) -> None:
    await world.put_pdf()
    paper = document("obligor-evidence", EVIDENCE_SHA)
    number = await world.accepted(
        await world.submit_signed(within(locate_request(), "payload.person.obligor_evidence", paper))
    )
    blocked = (await world.get(f"/v1/requests/{number}")).json
    assert (blocked["state"], blocked["reason"]) == ("blocked", f"document-missing:{EVIDENCE_SHA}")
    await world.call("PUT", f"/v1/documents/{EVIDENCE_SHA}", data=EVIDENCE, headers=HEADERS)
    world.clock.advance(seconds=20)
    assert await world.clockwork.once() == 1
    assert (await world.get(f"/v1/requests/{number}")).json["state"] == "approved"
    assert await readers_of(world.store, EVIDENCE_SHA) == {COURT, POLICE}


async def test_the_pictures_of_an_alert_concern_the_court_once_the_police_have_put_them(world: World) -> None:
    await world.put_pdf()
    number = await world.accepted(await world.submit_signed(seal_request()))
    await world.sent()
    await world.reply(number, "result", dict(catalogue()["police.vehicle-seal.request"].example_result), seqno=1)
    hit = "police.vehicle-hit.alert"
    payload = {**catalogue()[hit].example_request, "control_no": "YC-CF-900001", "images": [EVIDENCE_SHA]}
    await world.raised(hit, payload)
    assert await readers_of(world.store, EVIDENCE_SHA) == set()
    headers = HEADERS | {"Authorization": f"Bearer {partner_jwt(world)}"}
    await world.call("PUT", f"/v1/documents/{EVIDENCE_SHA}", client=None, data=EVIDENCE, headers=headers)
    assert await readers_of(world.store, EVIDENCE_SHA) == {COURT, POLICE}
    assert (await world.get(f"/v1/documents/{EVIDENCE_SHA}")).body == EVIDENCE


async def test_naming_what_others_have_put_opens_nothing_and_tells_nothing(world: World) -> None:
    """The court names a paper that only the police have put: as if it were not there, until the court puts it."""
    await world.put_pdf()
    police = {"Authorization": f"Bearer {partner_jwt(world)}"}
    await world.call("PUT", f"/v1/documents/{EVIDENCE_SHA}", client=None, data=EVIDENCE, headers=HEADERS | police)
    absent = hashlib.sha256(b"never put").hexdigest()
    told = []
    for sha256 in (EVIDENCE_SHA, absent):
        paper = document("obligor-evidence", sha256)
        body = within(locate_request(), "payload.person.obligor_evidence", paper)
        number = await world.accepted(await world.submit_signed(body))
        view = (await world.get(f"/v1/requests/{number}")).json
        told.append(
            (view["state"], view["reason"].replace(sha256, "…"), (await world.get(f"/v1/documents/{sha256}")).code)
        )
    assert told[0] == told[1] == ("blocked", "document-missing:…", "not-found")
    put = await world.call("PUT", f"/v1/documents/{EVIDENCE_SHA}", data=EVIDENCE, headers=HEADERS)
    assert put.status == 201  # as to anybody who has not put it
    world.clock.advance(seconds=20)
    await world.clockwork.once()
    states = [r["state"] for r in (await world.get("/v1/requests")).json["requests"]]
    assert states == ["approved", "blocked"]


async def test_a_paper_of_a_request_that_has_not_left_is_the_askers_alone(world: World) -> None:
    """Blocked for another paper: the one that is there is not shown to the asked before the request is."""
    await world.put_pdf()
    body = within(locate_request(), "payload.person.obligor_evidence", document("obligor-evidence", EVIDENCE_SHA))
    await world.accepted(await world.submit_signed(body))
    await world.accepted(await world.submit_signed(locate_request(approvals=[], await_approval=True)))
    assert await readers_of(world.store, PDF_SHA) == {COURT}
    await world.call("PUT", f"/v1/documents/{EVIDENCE_SHA}", data=EVIDENCE, headers=HEADERS)
    assert await readers_of(world.store, EVIDENCE_SHA) == {COURT}
    world.clock.advance(seconds=20)
    await world.clockwork.once()
    assert await readers_of(world.store, PDF_SHA) == {COURT, POLICE}
    assert await readers_of(world.store, EVIDENCE_SHA) == {COURT, POLICE}
