"""Departments and associations at the gateway: which one is meant, one measure by two ways, a report from outside."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from gateway.core.routing import Participant
from gateway.store import SqlStore
from schemas.catalogue import Kind, catalogue
from tests.api.world import NEIGHBOUR, Keys, World, document, locate_request, participants, serving, within
from tests.dated import by_now
from tests.stored import measures_in

REALTY, TAX, ASSOCIATION = "dept-610199-realty", "dept-610199-tax", "assoc-610199-trade"
QUERY, CONTROL, COMMISSION, FEEDBACK = (
    "dept.property.query",
    "dept.property-control.request",
    "entrust.matter.request",
    "assoc.credit-feedback.report",
)
PAPERS = {
    QUERY: ("inquiry-notice",),
    CONTROL: ("enforcement-ruling", "assistance-notice"),
    COMMISSION: ("enforcement-ruling", "assistance-notice", "entrust-letter", "service-receipt", "work-permit-copy"),
}


def parties() -> list[Participant]:
    ours, *others = participants()
    ours = replace(ours, opens=(*ours.opens, "dept.*"), accepts=(*ours.accepts, FEEDBACK))
    departments = [
        Participant(code, Kind.DEPARTMENT, zh, en, "amqp", "department/1", accepts=("dept.*",), dept=dept)
        for code, dept, zh, en in (
            (REALTY, "realty", "云川县不动产登记中心（演示）", "Realty Register (demo)"),
            (TAX, "tax", "云川县税务局（演示）", "Tax Office (demo)"),
        )
    ]
    association = Participant(
        ASSOCIATION,
        Kind.ASSOCIATION,
        "云川县商会（演示）",
        "Chamber (demo)",
        "amqp",
        "association/1",
        opens=(FEEDBACK,),
    )
    return [ours, *others, *departments, association]


@pytest.fixture(scope="module")
def keys() -> Keys:
    return Keys.fresh(REALTY, TAX, ASSOCIATION)


@pytest_asyncio.fixture
async def world(store: SqlStore, tmp_path: Path, keys: Keys) -> AsyncIterator[World]:
    async with serving(store, tmp_path / "papers", keys, parties=parties()) as world:
        await world.put_pdf()
        yield world


def body(type_: str, receiver: str, **payload: Any) -> dict[str, Any]:
    example = dict(catalogue()[type_].example_request)
    papers = [document(kind) for kind in PAPERS[type_]]
    given = {k: v for k, v in {**example, **payload}.items() if v is not None}
    return locate_request(
        type=type_, receiver=receiver, purpose="seize-asset", documents=papers, approvals=[], payload=given
    )


async def answered(world: World, number: str, type_: str) -> None:
    await world.sent()
    await world.reply(number, "result", dict(catalogue()[type_].example_result), seqno=1, sealed=True)


@pytest.mark.parametrize("type_", [QUERY, CONTROL])
async def test_a_question_for_one_department_is_not_put_to_another(world: World, type_: str) -> None:
    refused = await world.submit_signed(body(type_, TAX), receiver=TAX)
    assert (refused.status, refused.code) == (422, "invalid-field")
    assert refused.rules == [("/payload/dept", "dept-mismatch")]
    assert "税务机关" in refused.json["errors"][0]["detail"]
    assert not (await world.get("/v1/requests")).json["requests"]


async def test_a_department_answers_and_the_court_reads_the_register(world: World) -> None:
    number = await world.accepted(await world.submit(body(QUERY, REALTY)))
    await answered(world, number, QUERY)
    read = (await world.get(f"/v1/requests/{number}")).json
    assert read["state"] == "completed"
    result = (await world.get(f"/v1/requests/{number}/messages")).json["messages"][-1]["data"]
    told = by_now(catalogue()[QUERY], "result", catalogue()[QUERY].example_result, world.clock.now())
    assert result["items"] == told["items"]


async def states(world: World) -> list[str]:
    return [m.state for m in await measures_in(world.store, ("requested", "active", "ended"))]


async def test_what_a_department_sealed_is_not_sealed_again_through_a_neighbour(world: World) -> None:
    """And what is released there is free again (docs/domain.md section 7, story 5)."""
    number = await world.accepted(await world.submit_signed(body(CONTROL, REALTY), receiver=REALTY))
    await answered(world, number, CONTROL)
    assert await states(world) == ["active"]
    objects = catalogue()[CONTROL].example_request["objects"]
    again = body(COMMISSION, NEIGHBOUR, matter_code="seal-realty", objects=objects, end_on="2029-03-23")
    refused = await world.submit_signed(again, receiver=NEIGHBOUR)
    assert (refused.status, refused.code) == (409, "measure-open")

    original = {"measure_no": f"{number}-1", "start_on": "2026-03-24", "end_on": "2029-03-23"}
    release = body(CONTROL, REALTY, action="release", original=original, start_on=None, end_on=None, debt_amount=None)
    sealing = await world.submit_signed(release, receiver=REALTY)
    assert (sealing.code, [r for _, r in sealing.rules]) == ("documents-missing", ["document-required"])
    release["documents"] = [document("release-ruling"), document("assistance-notice")]
    ending = await world.accepted(await world.submit_signed(release, receiver=REALTY))
    await answered(world, ending, CONTROL)
    assert await states(world) == ["ended"]
    assert (await world.submit_signed(again, receiver=NEIGHBOUR)).status == 202


async def test_a_seal_is_signed_and_rests_on_an_enforcement_case(world: World) -> None:
    plain = await world.submit(body(CONTROL, REALTY))
    assert (plain.status, plain.code) == (422, "signature-required")
    trial = within(body(CONTROL, REALTY), "case_no", "（2026）陕0199民初900001号")
    assert (await world.submit_signed(trial, receiver=REALTY)).rules == [("/case_no", "case-not-enforcement")]


async def test_an_association_reports_from_outside(world: World) -> None:
    number = await world.raised(FEEDBACK, catalogue()[FEEDBACK].example_request, by=ASSOCIATION)
    read = (await world.get(f"/v1/requests/{number}")).json
    assert (read["type"], read["asker"], read["shape"]) == (FEEDBACK, ASSOCIATION, "notice")
