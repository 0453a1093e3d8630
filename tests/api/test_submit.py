"""Submitting: 202 only after the commit, the same thing once, the wrong thing never."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from gateway.application.ports.lists import RequestFilter
from gateway.core.settings import Settings
from gateway.store import SqlStore, open_store
from gateway.store.engine import database
from lianzhi.crypto.sdjwt import parse
from lianzhi.protocol.envelope import CONTENT_TYPE
from tests.api.world import (
    COURT,
    GRID,
    PDF_SHA,
    POLICE,
    Keys,
    World,
    document,
    gathered,
    grid_request,
    locate_request,
    seal_request,
    serving,
    within,
)


async def count(store: SqlStore) -> int:
    return len(await store.requests(RequestFilter(limit=200)))


async def test_the_first_curl_is_accepted_and_can_be_found(world: World) -> None:
    reply = await world.submit(grid_request())
    number = await world.accepted(reply)
    assert number == f"{COURT}-20260324-000001"
    assert reply.json == {
        "request_no": number,
        "receiver": GRID,
        "state": "approved",
        "type": "grid.verify.request",
    }
    assert reply.headers["Location"] == f"/v1/requests/{number}"
    assert reply.headers["X-Request-Id"]
    found = await world.get(reply.headers["Location"])
    assert found.status == 200
    assert (found.json["state"], found.json["asked"], found.json["done"]) == ("approved", GRID, False)
    assert world.wakes
    assert await world.store.backlog() == 1


async def test_a_coercive_matter_is_accepted_signed(world: World) -> None:
    await world.put_pdf()
    number = await world.accepted(await world.submit_signed(locate_request()))
    request = await world.store.request(number)
    assert request is not None
    assert request.reply_key == f"{COURT}.enc.cms1"
    submission = await world.store.submission_of(number)
    assert submission is not None and submission.content_type == CONTENT_TYPE


async def test_the_same_key_and_bytes_get_the_same_answer_and_one_request(world: World) -> None:
    first = await world.submit(grid_request(), key="once")
    again = await world.submit(grid_request(), key="once")
    assert (again.status, again.body, again.headers["Location"]) == (
        first.status,
        first.body,
        first.headers["Location"],
    )
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert await count(world.store) == 1


async def test_the_same_key_with_other_bytes_is_refused(world: World) -> None:
    await world.accepted(await world.submit(grid_request(), key="once"))
    reply = await world.submit(grid_request(team="执行二团队"), key="once")
    assert (reply.status, reply.code) == (422, "idempotency-key-reused")
    assert await count(world.store) == 1


async def test_a_refusal_is_not_remembered(world: World) -> None:
    refused = await world.submit(grid_request(receiver="grid-610198"), key="mine")
    assert refused.code == "unknown-receiver"
    assert (await world.submit(grid_request(), key="mine")).status == 202


async def test_a_key_is_its_clients_own(world: World) -> None:
    await world.accepted(await world.submit(grid_request(), key="once"))
    other = await world.submit(grid_request(), key="once", client="cms2")
    assert other.code != "idempotency-key-reused"


async def test_twenty_with_one_key_at_once_make_one_request(world: World) -> None:
    replies = await gathered(*(world.submit(grid_request(), key="race") for _ in range(20)))
    assert {reply.status for reply in replies} == {202}
    assert len({reply.body for reply in replies}) == 1
    assert sum("Idempotency-Replayed" not in reply.headers for reply in replies) == 1
    assert await count(world.store) == 1


async def test_one_signed_submission_under_twenty_keys_makes_one_request(world: World) -> None:
    await world.put_pdf()
    raw = world.signed(locate_request()).raw
    replies = await gathered(*(world.post("/v1/requests", raw, content_type=CONTENT_TYPE) for _ in range(20)))
    assert {reply.status for reply in replies} == {202}
    assert len({reply.json["request_no"] for reply in replies}) == 1
    assert await count(world.store) == 1


async def test_a_submission_id_with_other_bytes_is_refused(world: World) -> None:
    await world.put_pdf()
    first = world.signed(locate_request())
    await world.accepted(await world.post("/v1/requests", first.raw, content_type=CONTENT_TYPE))
    same_id = parse(first.raw).event["id"]
    other = world.signed(locate_request(team="执行二团队"), id=same_id)
    reply = await world.post("/v1/requests", other.raw, content_type=CONTENT_TYPE)
    assert (reply.status, reply.code) == (409, "id-reused")
    assert await count(world.store) == 1


async def test_several_receivers_make_one_request_each(world: World) -> None:
    reply = await world.submit(within(grid_request(receivers=[GRID]), "receiver", ...))
    assert (reply.status, reply.code) == (422, "invalid-field")
    assert reply.rules == [("/receivers", "one-receiver")]


async def test_a_request_waits_for_its_document_and_goes_when_it_is_there(world: World) -> None:
    number = await world.accepted(await world.submit_signed(locate_request()))
    blocked = (await world.get(f"/v1/requests/{number}")).json
    assert (blocked["state"], blocked["reason"]) == ("blocked", f"document-missing:{PDF_SHA}")
    assert [paper["sha256"] for paper in blocked["missing"]] == [PDF_SHA]
    assert blocked["missing"][0]["kind"] and blocked["missing"][0]["zh"] and blocked["missing"][0]["en"]
    assert await world.store.backlog() == 0
    world.clock.advance(seconds=20)
    assert await world.clockwork.once() == 1
    assert (await world.get(f"/v1/requests/{number}")).json["state"] == "blocked"
    assert (await world.put_pdf()).status == 201
    world.clock.advance(seconds=20)
    assert await world.clockwork.once() == 1
    mended = (await world.get(f"/v1/requests/{number}")).json
    assert mended["state"] == "approved"
    assert "reason" not in mended
    assert await world.store.backlog() == 1


async def test_one_open_measure_on_one_car_in_one_case(world: World) -> None:
    await world.put_pdf()
    first = await world.accepted(await world.submit_signed(seal_request()))
    reply = await world.submit_signed(seal_request())
    assert (reply.status, reply.code) == (409, "measure-open")
    error = reply.json["errors"][0]
    assert first in error["detail"]
    assert first in error["detail_en"]
    assert await count(world.store) == 1


async def test_a_locked_store_is_503_and_nothing_is_written(
    template: Path, tmp_path: Path, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "SQLITE_PRAGMAS", (*database.SQLITE_PRAGMAS, "busy_timeout=50"))
    file = tmp_path / "lianzhi.db"
    shutil.copy(template, file)
    store = await open_store(f"sqlite:///{file}")
    try:
        async with serving(store, tmp_path / "papers", keys) as world:
            other = sqlite3.connect(file, isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            reply = await world.submit(grid_request(), key="patient")
            assert (reply.status, reply.code) == (503, "unavailable")
            assert int(reply.headers["Retry-After"]) > 0
            other.execute("ROLLBACK")
            other.close()
            assert await count(store) == 0
            assert (await world.submit(grid_request(), key="patient")).status == 202
            assert await count(store) == 1
    finally:
        await store.close()


async def test_a_full_backlog_is_503_before_the_body_is_looked_at(store: SqlStore, tmp_path: Path, keys: Keys) -> None:
    async with serving(store, tmp_path / "papers", keys, settings=Settings(backlog_limit=0)) as world:
        reply = await world.post("/v1/requests", b"not even JSON")
        assert (reply.status, reply.code) == (503, "unavailable")
        assert int(reply.headers["Retry-After"]) > 0
        assert (await world.get("/readyz", client=None)).status == 503
        assert await count(store) == 0


async def test_a_signed_submission_names_its_receiver_in_the_envelope(world: World) -> None:
    reply = await world.submit_signed(locate_request(receiver=GRID), receiver=POLICE)
    assert (reply.status, reply.code) == (400, "bad-envelope")


async def test_a_document_is_asked_for_by_kind(world: World) -> None:
    reply = await world.submit_signed(locate_request(documents=[document("work-permit-copy")]))
    assert (reply.status, reply.code) == (422, "documents-missing")
    assert reply.rules == [("/documents", "document-required")]
    assert "传唤送达证明" in reply.json["errors"][0]["detail"]


async def test_a_notice_that_the_table_lacks_is_accepted_with_a_warning(world: World) -> None:
    body = grid_request(legal_basis=["CPL-253", "FA-2031-12-3", "CRL-313", "FA-2016-373"])
    reply = await world.submit(body, key="warned")
    await world.accepted(reply)
    assert [(w["pointer"], w["rule"]) for w in reply.json["warnings"]] == [("/legal_basis/1", "unlisted-basis")]
    assert "law/legal-bases.toml" in reply.json["warnings"][0]["detail"]
    again = await world.submit(body, key="warned")
    assert (again.json, again.headers["Idempotency-Replayed"]) == (reply.json, "true")


async def test_a_vin_whose_check_digit_differs_is_accepted_with_a_warning(world: World) -> None:
    await world.put_pdf()
    reply = await world.submit_signed(within(seal_request(), "payload.vehicle.vin", "LSVAU2180N2183294"))
    await world.accepted(reply)
    assert [w["rule"] for w in reply.json["warnings"]] == ["vin-check-digit"]


async def test_a_basis_of_another_form_is_refused(world: World) -> None:
    reply = await world.submit(grid_request(legal_basis=["GAO-2031-12"]))
    assert reply.rules == [("/legal_basis/0", "unknown-legal-basis")]
