"""Offices inside the court that use the API themselves: they open, the bureau answers, in steps where need be."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from gateway.core.routing import Participant
from gateway.store import SqlStore
from lianzhi.protocol.envelope import CONTENT_TYPE
from schemas.catalogue import Kind, catalogue
from tests.api.world import (
    CASE,
    COURT,
    Keys,
    Reply,
    World,
    approval,
    client,
    document,
    grid_request,
    participants,
    serving,
    staff,
)

OFFICE, USER = "office-610199", "fin1"
RECEIPT, APPROVE, PETITION = "fund.receipt.event", "fund.release.approve", "petition.supervise.assign"
BUREAU = "sn0199-0007"


def parties() -> list[Participant]:
    """The neighbour is a superior court here: it may assign petitions too."""
    ours, neighbour, *others = participants()
    ours = replace(ours, opens=(*ours.opens, "fund.*"), accepts=(*ours.accepts, "fund.*", "petition.*"))
    neighbour = replace(neighbour, opens=(*neighbour.opens, "petition.*"))
    office = Participant(
        code=OFFICE,
        kind=Kind.OFFICE,
        zh="综合办公室（演示）",
        en="General office (demo)",
        channel="http",
        dialect="plain/1",
        accepts=("fund.release.approve",),
        opens=("fund.*", "petition.*"),
        clients=(client(USER, OFFICE),),
        staff=staff(("of-0001", "财演示", "clerk"), ("of-0002", "会演示", "clerk")),
    )
    return [ours, neighbour, *others, office]


@pytest.fixture(scope="module")
def keys() -> Keys:
    return Keys.fresh(hosted={OFFICE: USER})


@pytest_asyncio.fixture
async def world(store: SqlStore, tmp_path: Path, keys: Keys) -> AsyncIterator[World]:
    async with serving(store, tmp_path / "papers", keys, parties=parties()) as world:
        world.clock.advance(days=28)  # what the examples of an office tell has happened
        await world.put_pdf()
        yield world


def body(type_: str, **changes: Any) -> dict[str, Any]:
    return grid_request(
        type=type_,
        receiver=COURT,
        case_no=CASE,
        purpose="office",
        handler="of-0001",
        drafted_by="of-0002",
        payload=dict(catalogue()[type_].example_request),
        **changes,
    )


async def opened(world: World, type_: str, **changes: Any) -> str:
    return await world.accepted(await world.submit(body(type_, **changes), client=USER))


async def say(world: World, number: str, verb: str, data: dict[str, Any], user: str, by: str | None) -> Reply:
    act = {"verb": verb, "data": data, **({"by": by} if by else {})}
    return await world.post(f"/v1/requests/{number}/messages", act, client=user)


async def state(world: World, number: str) -> str:
    return str((await world.get(f"/v1/requests/{number}")).json["state"])


async def test_the_finance_office_tells_and_the_bureau_reads(world: World) -> None:
    number = await opened(world, RECEIPT)
    assert number.startswith(OFFICE)
    await world.sent()
    told = await world.get(f"/v1/requests/{number}/messages")
    assert catalogue()[RECEIPT].example_request["receipt_no"] in told.body.decode()
    reply = await say(world, number, "read", {"by": "李演示", "at": "2026-03-24T11:00:00+08:00"}, "cms1", None)
    assert (reply.status, await state(world, number)) == (202, "read")


async def test_what_came_and_what_went_out_is_one_item_of_the_ledger(world: World) -> None:
    await opened(world, RECEIPT)
    await opened(world, "fund.release.event")
    async with world.store.begin() as tx:
        lines = await tx.ledger_item("fund", "DZ-900001")
    assert {(line.kind, line.day, line.amount) for line in lines if line.amount} == {
        ("opened", "2026-03-24", "128000.00"),
        ("released", "2026-04-03", "128000.00"),
    }


async def test_an_account_in_full_is_refused_before_it_is_kept(world: World) -> None:
    payload = {**catalogue()[RECEIPT].example_request, "account_tail4": "6100000000900001"}
    reply = await world.submit(body(RECEIPT) | {"payload": payload}, client=USER)
    assert reply.rules == [("/payload/account_tail4", "account-tail-form")]
    assert "900001" not in reply.body.decode()


async def test_a_court_tells_no_receipt_and_an_office_approves_no_payment(world: World) -> None:
    told = body(RECEIPT) | {"receiver": OFFICE, "handler": BUREAU, "drafted_by": BUREAU}
    assert (await world.submit(told)).code == "not-allowed"
    payment = {k: v for k, v in body(APPROVE).items() if k != "receiver"}
    signed = world.signed(payment, COURT, sender=OFFICE, kid=f"{OFFICE}.sub.{USER}")
    reply = await world.post("/v1/requests", signed.raw, content_type=CONTENT_TYPE, client=USER)
    assert reply.code == "not-allowed"


async def test_a_payment_is_signed_and_approved_by_two(world: World) -> None:
    whole = body(APPROVE, documents=[document("release-approval")]) | {
        "handler": BUREAU,
        "drafted_by": "sn0199-0031",
    }
    at = world.clock.now().isoformat(timespec="seconds")
    first, second = ({**one, "at": at} for one in (approval(), approval("sn0199-0001", "president")))
    whole["approvals"] = [first, second]
    del whole["receiver"]
    plain = await world.submit({**whole, "receiver": OFFICE})
    assert plain.code == "signature-required"
    alone = await world.submit_signed({**whole, "approvals": [first]}, OFFICE)
    assert (alone.status, alone.code) == (422, "approvals-missing")
    without = await world.submit_signed({**whole, "documents": []}, OFFICE)
    assert without.code == "documents-missing"
    number = await world.accepted(await world.submit_signed(whole, OFFICE))
    await world.sent()
    result = dict(catalogue()[APPROVE].example_result)
    assert (await say(world, number, "result", result, USER, "of-0001")).status == 202
    assert await state(world, number) == "completed"


MORE_TIME = {
    "ref": "p4v8x2za",
    "answer": "extended",
    "action_taken": "已约谈信访人，正在核对分配方案",
    "extension": {
        "due_on": "2026-04-24",
        "extended_to": "2026-05-20",
        "approved_by": "院长演示",
        "approved_on": "2026-04-20",
        "reason": "分配方案异议之诉尚未审结",
    },
}


@pytest.mark.parametrize(("user", "people"), [(USER, ("of-0001", "of-0002")), ("cms2", ("sn0528-0002", "sn0528-0002"))])
async def test_a_petition_takes_more_time_and_is_then_answered(
    world: World, user: str, people: tuple[str, str]
) -> None:
    handler, drafter = people
    given = body(PETITION) | {"handler": handler, "drafted_by": drafter}
    number = await world.accepted(await world.submit(given, client=user))
    await world.sent()
    step = {"outcome": "done", "as_of": "2026-04-20T10:00:00+08:00", "items": [MORE_TIME]}
    early = await say(world, number, "result", step, "cms1", BUREAU)
    assert early.rules == [("/data/outcome", "more-to-follow")]
    assert (await say(world, number, "result", {**step, "outcome": "partial"}, "cms1", BUREAU)).status == 202
    assert await state(world, number) == "partial"
    done = dict(catalogue()[PETITION].example_result)
    assert (await say(world, number, "result", done, "cms1", BUREAU)).status == 202
    assert await state(world, number) == "completed"
    heard = await world.get(f"/v1/requests/{number}/messages", client=user)
    assert "2026-05-20" in heard.body.decode()
