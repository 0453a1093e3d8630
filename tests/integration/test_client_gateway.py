"""The court system's library at the real API: hand in signed, follow the feed, unseal the place, confirm."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.registry.contracts import contract_of
from gateway.store import open_store
from gateway.store.upkeep.migrate import migrate
from lianzhi.client import Backoff, CourtClient, InvalidBodyError, Message, ProblemError
from lianzhi.client.signing import Act, plain_act
from lianzhi.crypto.sdjwt import parse
from lianzhi.errors import ConfigurationError
from schemas.catalogue import catalogue
from tests.api.world import (
    CASE,
    COURT,
    GRID,
    PDF,
    PDF_SHA,
    POLICE,
    Keys,
    World,
    grid_request,
    locate_request,
    serving,
    token_for,
)
from tests.dated import by_now
from tests.misbehaving import Misbehaving

LOCATE = "police.person-locate.request"
TOKEN = token_for("cms1")
HANDLER = "sn0199-0007"
RECEIPT = {"received_at": "2026-03-24T10:31:52+08:00", "person": "赵演示", "badge": "061234"}
DELIVERED = {"stored_at": "2026-03-24T10:06:37+08:00", "system": "协查平台（演示）"}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    url = f"sqlite:///{tmp_path / 'lianzhi.db'}"
    await migrate(url)
    store = await open_store(url)
    async with serving(store, tmp_path / "papers", Keys.fresh()) as world:
        yield world
    await store.close()


@pytest.fixture
async def court_system(world: World, tmp_path: Path) -> AsyncIterator[CourtClient]:
    async with CourtClient(
        world.url,
        TOKEN,
        court=COURT,
        gateway=COURT,
        spool=tmp_path / "spool.sqlite",
        sign_key=world.keys.private[f"{COURT}.sub.cms1"],
        open_keys=[world.keys.private[f"{COURT}.enc.cms1"]],
        gateway_jwks=world.keys.ring.jwks(),
        contract=contract_of(world.context.directory, world.keys.ring, COURT, world.clock.now()),
        backoff=Backoff(first=0.01, most=0.05),
        wait=1,
        now=world.clock.now,
    ) as client:
        yield client


async def located(world: World, court_system: CourtClient, **changes: Any) -> str:
    """A request that the police have received; its number."""
    await court_system.put_document(PDF, media_type="application/pdf")
    accepted = await court_system.submit(locate_request(**changes), receiver=POLICE)
    assert accepted.request_no is not None
    await world.sent()
    await world.reply(accepted.request_no, "delivered", DELIVERED, seqno=1)
    await world.reply(accepted.request_no, "receipt", RECEIPT, seqno=2)
    return accepted.request_no


async def result_of(court_system: CourtClient, request_no: str) -> Message:
    return next(m for m in await court_system.messages(request_no) if m.verb == "result")


async def test_from_the_submission_to_the_confirmed_place(world: World, court_system: CourtClient) -> None:
    number = await located(world, court_system)
    answer = by_now(catalogue()[LOCATE], "result", catalogue()[LOCATE].example_result, world.clock.now())
    await world.reply(number, "result", answer, seqno=3, sealed=True)

    verbs = []
    async for event in court_system.events():
        if event.verb:
            verbs.append(event.verb)
        if event.verb == "result":
            break
    assert verbs == ["open", "delivered", "receipt", "result"]

    message = await result_of(court_system, number)
    assert message.data is None or "items" not in message.data  # the gateway does not know the place
    opened = await court_system.unseal(message)
    assert opened.own and opened.data == answer

    closed = await court_system.confirm(number, by=HANDLER)
    assert closed.state == "closed"
    request = await court_system.request(number)
    assert (request.state, request.done, request.asked) == ("closed", True, POLICE)
    assert [e.verb for e in await court_system.timeline(number) if e.verb][-1] == "confirm"


async def test_every_message_of_the_partner_is_verified_here(world: World, court_system: CourtClient) -> None:
    number = await located(world, court_system)
    messages = {m.verb: m for m in await court_system.messages(number)}
    receipt = await court_system.unseal(messages["receipt"])
    assert (receipt.own, receipt.data["person"]) == (False, "赵演示")
    assert receipt.envelope.originhash == messages["open"].digest


async def test_a_place_that_cannot_be_used_is_sent_back(world: World, court_system: CourtClient) -> None:
    number = await located(world, court_system)
    wrong = dict(catalogue()[LOCATE].example_result) | {"items": [{"ref": "k7m2q9xa", "sightings": [{"place": "?"}]}]}
    await world.reply(number, "result", wrong, seqno=3, sealed=True)
    message = await result_of(court_system, number)
    for _ in range(2):  # said once, however often it is looked at
        with pytest.raises(InvalidBodyError):
            await court_system.unseal(message, reopen_by=HANDLER)
    reopened = [m for m in await court_system.messages(number) if m.verb == "reopen"]
    assert len(reopened) == 1
    assert reopened[0].head == {"reason_code": "invalid-body"}
    assert (await court_system.request(number)).state == "in-progress"


async def test_a_plain_request_and_a_refusal(world: World, court_system: CourtClient) -> None:
    body = grid_request()
    del body["receiver"]
    accepted = await court_system.submit(body, receiver=GRID, key="step-1")
    assert (accepted.receiver, accepted.state) == (GRID, "approved")
    assert await court_system.submit(body, receiver=GRID, key="step-1") == accepted
    with pytest.raises(ProblemError) as caught:
        await court_system.submit(body | {"handler": "sn0199-9999"}, receiver=GRID)
    assert caught.value.code == "unknown-staff"
    assert caught.value.errors[0].pointer == "/handler"


async def test_a_supplement_to_a_signed_request_is_signed(world: World, court_system: CourtClient) -> None:
    number = await located(world, court_system)
    missing = {"missing": [{"document": "summons-proof", "why": "缺页"}], "reply_by": "2026-03-27T18:00:00+08:00"}
    await world.reply(number, "supplement-request", missing, seqno=3)
    said = await court_system.supplement(number, by=HANDLER, fields=[{"field": "hints", "value": "东街"}])
    assert said.state == "received"
    (message,) = [m for m in await court_system.messages(number) if m.verb == "supplement"]
    assert parse(message.bytes.encode()).event["submissionhash"]


async def test_urging_and_withdrawing(world: World, court_system: CourtClient) -> None:
    number = await located(world, court_system)
    assert (await court_system.urge(number, by=HANDLER, note="请尽快")).state == "received"
    assert (await court_system.withdraw(number, by=HANDLER, reason_code="paid")).state == "withdrawing"


async def test_what_was_accepted_though_the_answer_was_lost_is_not_accepted_twice(world: World, tmp_path: Path) -> None:
    """Two crashed clients hold the same bytes under the same key; the second learns what the first was told."""
    first, second = tmp_path / "first.sqlite", tmp_path / "second.sqlite"
    async with (
        Misbehaving(["silent"]).served() as server,
        CourtClient(server.url, TOKEN, court=COURT, gateway=COURT, spool=first) as client,
    ):
        submitting = asyncio.create_task(client.submit(grid_request(), key="step-1"))
        await server.attempted(1)
        submitting.cancel()
        await asyncio.gather(submitting, return_exceptions=True)
    await asyncio.to_thread(shutil.copy, first, second)
    numbers = []
    for spool in (first, second):
        async with CourtClient(world.url, TOKEN, court=COURT, gateway=COURT, spool=spool) as client:
            numbers += [r.answer["request_no"] async for r in client.resume()]
            listed = [r.request_no async for r in client.requests()]
    assert numbers == listed * 2


async def test_the_list_goes_over_every_page(world: World, court_system: CourtClient) -> None:
    made = [(await court_system.submit(grid_request())).request_no for _ in range(5)]
    assert [r.request_no async for r in court_system.requests(limit="2")] == made
    assert [r.request_no async for r in court_system.requests(type=LOCATE)] == []


async def test_documents_in_and_out(world: World, court_system: CourtClient, tmp_path: Path) -> None:
    stored = await court_system.put_document(PDF, media_type="application/pdf")
    assert (stored.sha256, stored.size) == (PDF_SHA, len(PDF))
    assert await court_system.put_document(PDF, media_type="application/pdf") == stored
    await court_system.get_document(PDF_SHA, tmp_path / "paper.pdf")
    assert (tmp_path / "paper.pdf").read_bytes() == PDF
    with pytest.raises(ProblemError, match="not-found"):
        await court_system.get_document(hashlib.sha256(b"other").hexdigest(), tmp_path / "other.pdf")


async def test_the_catalogue_is_the_gateways(world: World, court_system: CourtClient) -> None:
    assert {t["name"] for t in await court_system.types()} == set(catalogue())
    assert (await court_system.type(LOCATE))["example_request"]["reason"] == "missing-after-summons"
    with pytest.raises(ProblemError, match="unknown-type"):
        await court_system.type("no.such")


async def test_an_act_sent_by_another_hand_is_the_same_act(world: World, court_system: CourtClient) -> None:
    """The bytes that the library makes are those of the contract: the API takes them from anybody with the token."""
    number = await located(world, court_system)
    made = plain_act(Act(number, "urge", HANDLER, {"level": 1}))
    reply = await world.post(made.path, made.body, key="k", content_type=made.content_type)
    assert reply.status == 202, reply


# --- decisions beside the requests --------------------------------------------------------------------------------


async def test_approvals_given_later_are_signed_by_the_library(world: World, court_system: CourtClient) -> None:
    await court_system.put_document(PDF, media_type="application/pdf")
    waiting = locate_request(approvals=[], await_approval=True)
    accepted = await court_system.submit(waiting, receiver=POLICE)
    number = str(accepted.request_no)
    first = await court_system.approve(number, by="sn0199-0003", role="bureau-chief", key="chief")
    again = await court_system.approve(number, by="sn0199-0003", role="bureau-chief", key="chief")
    assert first == again
    assert (first.state, first.missing) == ("awaiting-approval", ("approvals-count",))
    last = await court_system.approve(number, by="sn0199-0001", role="president", reason="同意")
    assert (last.state, last.missing) == ("approved", ())
    with pytest.raises(ProblemError, match="approval-decided"):
        await court_system.approve(number, by="sn0199-0005", role="bureau-chief", decision="reject")


async def test_a_case_is_reassigned_inside_the_court_and_let_go(world: World, court_system: CourtClient) -> None:
    number = await located(world, court_system)
    basis: dict[str, Any] = {"legal_basis": ["CPL-253"], "handler": "sn0199-0011"}
    moved = await court_system.reassign(CASE, by=HANDLER, mode="in-court-team", **basis)
    assert (moved.requests, moved.notices, moved.group_no) == ((number,), (), None)
    assert (await court_system.request(number)).handler == "sn0199-0011"
    queued = await court_system.submit(grid_request(case_no=CASE))
    released = await court_system.release(CASE, by=HANDLER, reason="settled", exceptions={number: "另行和解"})
    assert {(i.kind, i.request_no) for i in released.items} == {("exception", number), ("withdraw", queued.request_no)}
    seen = await court_system.released(released.release_no)
    assert (seen.done, seen.reason, seen.by) == (True, "settled", HANDLER)
    case = await court_system.case(CASE)
    assert [r.request_no for r in case.open_requests] == [number]
    assert [r.release_no for r in case.releases] == [released.release_no]


async def test_c7_a_client_without_the_partners_keys_is_told_what_it_lacks(
    world: World, court_system: CourtClient, tmp_path: Path
) -> None:
    """The gateway shows its own parties' keys: a partner's answer is not forged, its keys were never handed over."""
    number = await located(world, court_system)
    async with CourtClient(
        world.url, TOKEN, court=COURT, gateway=COURT, spool=tmp_path / "another.sqlite", now=world.clock.now
    ) as without:
        receipt = next(message for message in await without.messages(number) if message.verb == "receipt")
        with pytest.raises(ConfigurationError, match="gateway_keys"):
            await without.unseal(receipt)
