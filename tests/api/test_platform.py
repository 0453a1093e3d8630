"""Numbers on the national command platform: asked for, missing, given later (docs/adr/0039)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from gateway.application.submission.numbers import PlatformNumbers
from lianzhi.errors import RejectedError
from lianzhi.protocol.envelope import CONTENT_TYPE
from schemas.bodies import PlatformFiling
from schemas.catalogue import catalogue
from schemas.law.force import SHIPPED, put_in_force
from schemas.law.reading import read_law
from tests.api.world import CASE, COURT, NEIGHBOUR, World, document, grid_request, locate_request

COMMISSION = "entrust.matter.request"
PAPERS = ("enforcement-ruling", "assistance-notice", "entrust-letter", "service-receipt", "work-permit-copy")
REQUIRED = """\
[[entry]]
type = "entrust.matter.request"
duty = "required"
source = "本院规定"
since = 2026-01-01
"""
FILED = {"no": "ZX-2026-000001", "filed_on": "2026-03-23"}


@pytest.fixture
def in_force() -> Iterator[None]:
    yield
    put_in_force(SHIPPED)


def commission(**changes: Any) -> dict[str, Any]:
    return locate_request() | {
        "type": COMMISSION,
        "purpose": "seize-asset",
        "approvals": [],
        "documents": [document(kind) for kind in PAPERS],
        "payload": dict(catalogue()[COMMISSION].example_request),
        **changes,
    }


async def asked(world: World, **changes: Any) -> tuple[str, list[str]]:
    """Its number, and the rules that it was warned by."""
    await world.put_pdf()
    reply = await world.submit_signed(commission(**changes), NEIGHBOUR)
    return await world.accepted(reply), [w["rule"] for w in reply.json.get("warnings", [])]


async def ledger(world: World) -> dict[str, str]:
    reply = await world.get("/v1/ledgers/platform")
    return {item["item_no"]: item["state"] for item in reply.json["items"]}


async def view(world: World, number: str) -> tuple[str | None, str | None]:
    found = (await world.get(f"/v1/requests/{number}")).json
    return found.get("platform"), found.get("platform_no")


async def test_without_a_number_it_goes_with_a_warning_and_stands_in_the_ledger(world: World) -> None:
    number, warned = await asked(world)
    assert warned == ["platform-missing"]
    assert await ledger(world) == {number: "opened"}
    assert await view(world, number) == ("missing", None)


async def test_with_a_number_or_a_reason_nothing_is_missing(world: World) -> None:
    number, warned = await asked(world, platform=FILED)
    assert (warned, await view(world, number)) == ([], ("filed", FILED["no"]))
    released = commission(platform_exempt="上级法院批准线下办理", case_no="（2026）陕0199执900777号")
    reply = await world.submit_signed(released, NEIGHBOUR)
    exempt = await world.accepted(reply)
    assert "warnings" not in reply.json
    assert await view(world, exempt) == ("exempt", None)
    assert await ledger(world) == {}


async def test_number_and_reason_together_are_refused(world: World) -> None:
    reply = await world.submit_signed(commission(platform=FILED, platform_exempt="x"), NEIGHBOUR)
    assert reply.rules == [("/platform_exempt", "platform-and-exempt")]


async def test_what_is_no_commission_has_nothing_to_do_with_it(world: World) -> None:
    reply = await world.submit(grid_request())
    number = await world.accepted(reply)
    assert "warnings" not in reply.json
    assert await view(world, number) == (None, None)


async def test_a_deployment_may_require_it(world: World, in_force: None) -> None:
    put_in_force(read_law({"platform-items.toml": REQUIRED}))
    await world.put_pdf()
    reply = await world.submit_signed(commission(), NEIGHBOUR)
    assert (reply.status, reply.rules) == (422, [("/platform", "platform-required")])
    number, warned = await asked(world, platform=FILED)
    assert (warned, await view(world, number)) == ([], ("filed", FILED["no"]))


async def test_a_number_that_comes_later_settles_it_once(world: World) -> None:
    number, _ = await asked(world)
    numbers = PlatformNumbers(world.context)
    filing = PlatformFiling.model_validate(FILED)
    assert await numbers.enter({number: filing}) == 1
    assert await numbers.enter({number: filing}) == 0
    assert (await ledger(world), await view(world, number)) == ({number: "numbered"}, ("filed", FILED["no"]))
    timeline = (await world.get(f"/v1/requests/{number}/timeline")).json["events"]
    assert [e["detail"] for e in timeline if e["kind"] == "platform-number"] == [FILED["no"]]


async def test_one_wrong_line_enters_nothing(world: World) -> None:
    number, _ = await asked(world)
    other = await world.accepted(await world.submit(grid_request()))
    absent = number.replace("20260324", "20260323")
    filing = PlatformFiling.model_validate(FILED)
    with pytest.raises(RejectedError) as caught:
        await PlatformNumbers(world.context).enter({number: filing, other: filing, absent: filing})
    assert sorted((e.pointer, e.rule) for e in caught.value.errors) == sorted(
        [(f"/{other}", "platform-not-concerned"), (f"/{absent}", "platform-no-request")]
    )
    assert await view(world, number) == ("missing", None)
    await PlatformNumbers(world.context).enter({number: filing})
    with pytest.raises(RejectedError) as caught:
        await PlatformNumbers(world.context).enter({number: filing.model_copy(update={"no": "ZX-2"})})
    assert [e.rule for e in caught.value.errors] == ["platform-other-number"]


async def test_what_comes_to_nothing_needs_no_number(world: World) -> None:
    number, _ = await asked(world)
    said = {
        "verb": "refuse",
        "by": "sn0528-0002",
        "data": {"reason_code": "not-in-jurisdiction", "explanation": "不归本院"},
    }
    reply = await world.post(f"/v1/requests/{number}/messages", said, client="cms2")
    assert reply.status == 202, reply
    assert await ledger(world) == {number: "refused"}
    assert (await world.get("/v1/ledgers")).json["ledgers"][-2]["open"] == 0


async def test_what_the_gateway_itself_asks_for_is_never_refused_for_it(world: World, in_force: None) -> None:
    """The debtor pays: the ending of a freeze goes out at once; its number can come later."""
    number, _ = await asked(world, platform=FILED)
    result = {"verb": "result", "by": "sn0528-0002", "data": dict(catalogue()[COMMISSION].example_result)}
    reply = await world.post(f"/v1/requests/{number}/messages", result, client="cms2")
    assert reply.status == 202, reply
    put_in_force(read_law({"platform-items.toml": REQUIRED}))
    papers = [*PAPERS, "release-ruling"]
    order = {"case_no": CASE, "reason": "paid", "by": "sn0199-0007", "documents": [document(kind) for kind in papers]}
    raw = world.signed(order, COURT, matter="case.release").raw
    released = await world.post("/v1/cases/release", raw, content_type=CONTENT_TYPE)
    assert released.status == 202, released
    [ending] = [item["request_no"] for item in released.json["items"] if item["kind"] == "ending"]
    assert (await ledger(world))[ending] == "opened"
