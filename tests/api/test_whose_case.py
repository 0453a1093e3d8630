"""Whose case, whose measure: two courts that both use the API may name one case; neither decides for the other."""

from __future__ import annotations

from typing import Any

from schemas.catalogue import catalogue
from tests.api.world import CASE, COURT, NEIGHBOUR, World, document, locate_request

FREEZE = "entrust.matter.request"
PAPERS = ("enforcement-ruling", "assistance-notice", "entrust-letter", "service-receipt", "work-permit-copy")
COURTS = {COURT: ("陕0199", "cms1"), NEIGHBOUR: ("陕0528", "cms2")}


async def freeze(world: World, asker: str, asked: str, **changes: Any) -> str:
    """`asker` commissions `asked` to freeze the account of the catalogue's example, always the same one."""
    client = COURTS[asker][1]
    await world.put_pdf(client)
    people = {"handler": "sn0528-0002", "backup_handler": None, "drafted_by": "sn0528-0002"}
    body = locate_request(
        type=FREEZE,
        purpose="seize-asset",
        approvals=[],
        documents=[document(kind) for kind in PAPERS],
        payload=dict(catalogue()[FREEZE].example_request)
        | {"entrusting": COURTS[asker][0], "entrusted": COURTS[asked][0]},
        **{**(people if asker == NEIGHBOUR else {}), **changes},
    )
    body = {name: value for name, value in body.items() if value is not None}
    signed = world.signed(body, asked, sender=asker, kid=f"{asker}.sub.{client}")
    reply = await world.post("/v1/requests", signed.raw, content_type="application/sd-jwt", client=client)
    return await world.accepted(reply)


async def by_case(world: World, what: str = "requests", client: str = "cms1") -> set[str]:
    listed = (await world.get(f"/v1/{what}", client=client, params={"case_no": CASE})).json
    return {str(one["request_no"]) for one in listed[what]}


async def test_what_another_calls_its_case_is_none_of_ours_until_we_take_it_up(world: World) -> None:
    theirs = await freeze(world, NEIGHBOUR, COURT)
    assert await by_case(world) == set()
    assert await by_case(world, client="cms2") == {theirs}
    view = (await world.get(f"/v1/requests/{theirs}")).json
    assert (view["case_no"], view["case_claimed"]) == (CASE, True)
    path = f"/v1/requests/{theirs}/messages"
    said = {"received_at": "2026-03-24T10:12:00+08:00", "person": "吴演示"}
    received = await world.post(path, {"verb": "receipt", "by": "sn0199-0031", "data": said})
    assert received.status == 202, received
    assert await by_case(world) == set()
    taken_up = {"handler": "李演示", "promised_at": "2026-03-25T10:12:00+08:00"}
    accepted = await world.post(path, {"verb": "accept", "by": "sn0199-0007", "data": taken_up})
    assert accepted.status == 202, accepted
    assert await by_case(world) == {theirs}
    assert "case_claimed" not in (await world.get(f"/v1/requests/{theirs}")).json


async def test_anothers_measure_in_a_case_of_our_number_stands_in_nobodys_way(world: World) -> None:
    theirs = await freeze(world, NEIGHBOUR, COURT)
    ours = await freeze(world, COURT, NEIGHBOUR)
    assert await by_case(world, "measures") == {ours}
    assert await by_case(world, "measures", client="cms2") == {theirs}
    case = (await world.get("/v1/cases", params={"case_no": CASE})).json
    assert [m["request_no"] for m in case["measures"]] == [ours]
