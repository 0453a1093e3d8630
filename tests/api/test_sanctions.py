"""Published sanctions: one signed submission, one entry with each recipient, and no publication during a grace."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from gateway.application.posts import Answer, Handed
from gateway.application.submission.validate import Prover
from gateway.application.unit_of_work import one_by_one
from gateway.core.routing import Participant
from gateway.store import SqlStore
from lianzhi.crypto.base64url import decode
from lianzhi.crypto.strictjson import dumps
from lianzhi.errors import RejectedError
from lianzhi.protocol.envelope import CONTENT_TYPE
from schemas.catalogue import Kind, catalogue
from tests.api.world import (
    CASE,
    Keys,
    World,
    document,
    locate_request,
    participants,
    serving,
    within,
)
from tests.stored import measures_in

SITE, SCREEN, OFFICE = "pub-610199-site", "pub-610199-screen", "office-610199"
PUBLISH, WITHDRAW, CORRECT, GRACE = (
    "sanction.dishonest.publish",
    "sanction.dishonest.withdraw",
    "sanction.dishonest.correct",
    "sanction.grace.set",
)


def parties() -> list[Participant]:
    ours, *others = participants()
    ours = replace(ours, opens=(*ours.opens, "sanction.*"))
    more = [
        Participant(code=code, kind=kind, zh=code, en=code, channel="amqp", dialect="plain/1", accepts=("sanction.*",))
        for code, kind in ((SITE, Kind.PUBLICATION), (SCREEN, Kind.PUBLICATION), (OFFICE, Kind.OFFICE))
    ]
    return [ours, *others, *more]


@pytest.fixture(scope="module")
def keys() -> Keys:
    return Keys.fresh(SITE, SCREEN, OFFICE)


@pytest_asyncio.fixture
async def world(store: SqlStore, tmp_path: Path, keys: Keys) -> AsyncIterator[World]:
    async with serving(store, tmp_path / "papers", keys, parties=parties()) as world:
        await world.put_pdf()
        yield world


def body(type_: str, paper: str | None = None, **changes: Any) -> dict[str, Any]:
    return locate_request(
        type=type_,
        purpose="sanction",
        documents=[document(paper)] if paper else [],
        payload=dict(catalogue()[type_].example_request),
        **changes,
    )


def publication(*receivers: str) -> dict[str, Any]:
    return body(PUBLISH, "dishonesty-decision", receivers=list(receivers))


async def answered(world: World, number: str, type_: str) -> None:
    await world.sent()
    await world.reply(number, "result", dict(catalogue()[type_].example_result), seqno=1)


async def measures(world: World) -> dict[str, str]:
    """recipient → state of its measure"""
    found = await measures_in(world.store, ("requested", "active", "ended"))
    return {m.asked: m.state for m in found}


async def published(world: World) -> list[str]:
    reply = await world.submit_signed(publication(SITE, SCREEN), receiver=SITE)
    assert reply.status == 202, reply
    return [str(r["request_no"]) for r in reply.json["requests"]]


async def test_one_signed_publication_makes_one_request_and_one_measure_for_each_recipient(world: World) -> None:
    numbers = await published(world)
    requests = [(await world.get(f"/v1/requests/{n}")).json for n in numbers]
    assert len({r["group_no"] for r in requests}) == 1
    assert await measures(world) == {SITE: "requested", SCREEN: "requested"}
    await answered(world, numbers[0], PUBLISH)
    assert await measures(world) == {SITE: "active", SCREEN: "requested"}


async def test_the_public_copy_masks_the_number(world: World) -> None:
    number = (await published(world))[0]
    sent = (await world.stored(number, "open")).disclosure
    assert sent is not None
    text = decode(sent).decode()
    assert "6101991985****1232" in text
    assert "610199198503121232" not in text


async def test_an_entry_is_published_once_with_each_recipient(world: World) -> None:
    await published(world)
    reply = await world.submit_signed(publication(SCREEN), receiver=SCREEN)
    assert (reply.status, reply.code) == (409, "measure-open")


async def test_a_withdrawal_ends_with_each_recipient_only_what_that_one_confirmed(world: World) -> None:
    for number in await published(world):
        await answered(world, number, PUBLISH)
    reply = await world.submit_signed(body(WITHDRAW, receivers=[SITE, SCREEN], approvals=[]), receiver=SITE)
    assert reply.status == 202, reply
    first, second = (str(r["request_no"]) for r in reply.json["requests"])
    await answered(world, first, WITHDRAW)
    assert await measures(world) == {SITE: "ended", SCREEN: "active"}
    await answered(world, second, WITHDRAW)
    assert await measures(world) == {SITE: "ended", SCREEN: "ended"}


async def test_only_what_is_published_with_every_recipient_is_corrected(world: World) -> None:
    numbers = await published(world)
    await answered(world, numbers[0], PUBLISH)
    refused = await world.submit_signed(body(CORRECT, receivers=[SITE, SCREEN]), receiver=SITE)
    assert (refused.status, refused.code) == (409, "measure-not-live")
    assert (await world.submit_signed(body(CORRECT, receiver=SITE), receiver=SITE)).status == 202


async def test_the_envelope_of_a_signed_submission_names_the_first_of_several(world: World) -> None:
    reply = await world.submit_signed(publication(SITE, SCREEN), receiver=SCREEN)
    assert (reply.status, reply.code) == (400, "bad-envelope")
    several = body("police.person-locate.request", "summons-proof", receivers=["police-610199", SITE])
    several["payload"] = dict(catalogue()["police.person-locate.request"].example_request)
    assert (await world.submit_signed(several)).rules == [("/receivers", "one-receiver")]


async def test_nothing_is_published_during_a_grace(world: World) -> None:
    grace = body(GRACE, "grace-decision", receiver=OFFICE)
    grace = within(grace, "payload.start_on", "2026-04-01")
    grace = within(grace, "payload.end_on", "2026-06-01")
    number = await world.accepted(await world.submit(grace))
    refused = await world.submit_signed(publication(SITE), receiver=SITE)
    assert (refused.status, refused.code) == (409, "measure-forbids")

    elsewhere = {**publication(SITE), "case_no": CASE.replace("900001", "900009")}
    assert (await world.submit_signed(elsewhere, receiver=SITE)).status == 202
    later = within(within(publication(SITE), "payload.publish_on", "2026-06-02"), "payload.end_on", "2028-06-01")
    assert (await world.submit_signed(later, receiver=SITE)).status == 202

    await answered(world, number, GRACE)
    breach = {
        "debtor": grace["payload"]["debtor"],
        "action": "end",
        "grace_no": "KX-900001",
        "end_reason": "breached",
        "breached_on": "2026-05-05",
        "breach": "未按期履行",
    }
    ending = await world.accepted(await world.submit({**grace, "payload": breach}))
    assert (await world.submit_signed(publication(SCREEN), receiver=SCREEN)).code == "measure-forbids"
    await answered(world, ending, GRACE)
    assert (await world.submit_signed(publication(SCREEN), receiver=SCREEN)).status == 202


async def test_a_grace_and_a_publication_in_one_batch_do_not_both_pass(world: World) -> None:
    """Handed in at once, they may share a unit of work: the second must see what the first has decided."""
    grace = body(GRACE, "grace-decision", receiver=OFFICE)
    grace = within(within(grace, "payload.start_on", "2026-04-01"), "payload.end_on", "2026-06-01")
    signed = world.signed(publication(SITE), SITE).raw
    ours = world.context.home
    words = [(dumps(grace).encode(), "application/json"), (signed, CONTENT_TYPE)]
    handed = [Handed(ours, ours.clients[0], f"key-{n}", f"{n}", kind, raw) for n, (raw, kind) in enumerate(words)]
    submitter, now = world.api.submitter, world.clock.now()
    prover = Prover(world.context)
    batch = [
        await submitter.prepare(one, prover.prove(ours, one.client, one.content_type, one.body, now), now)
        for one in handed
    ]
    first, second = await one_by_one(submitter.commit, batch)
    assert isinstance(first, Answer)
    assert isinstance(second, RejectedError)
    assert second.code == "measure-forbids"
