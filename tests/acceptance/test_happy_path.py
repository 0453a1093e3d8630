"""Every matter of the catalogue, from the court's submission to its end. Read this to see how the parts meet."""

from __future__ import annotations

import pytest

from adapters.contract import Canonical
from adapters.registry import adapter_for
from gateway.demo.parties import ASSOCIATION, GAOLING, HANDLER, HOME, POLICE
from schemas.catalogue import Shape, catalogue
from tests.court_system import partner_of
from tests.faults import ENTRUST
from tests.scenes import answer_to, commission, controlled, hit, ready
from tests.words import standing
from tests.world import World


def of_shape(shape: Shape) -> list[str]:
    return sorted(name for name, matter in catalogue().items() if matter.shape is shape)


@pytest.mark.parametrize("type", of_shape(Shape.ASK))
async def test_what_the_court_asks_is_delivered_received_done_and_confirmed(world: World, type: str) -> None:
    court, agency = world.court, await world.office(partner_of(catalogue()[type]))
    payload = await ready(world, type, agency)  # a car is under seal before it is looked for or stopped

    # The court's system signs and hands in; 202 means committed. The gateway translates, seals, signs, publishes.
    request_no = await court.ask(type, payload)

    # The agency's library verifies and opens it, stores it, and says so itself: `delivered`.
    opened = await agency.next(request_no, "open")
    asked = (await agency.understood(opened))["payload"]
    seen = adapter_for(agency.dialect).visible(Canonical(type, "open", {"payload": payload}))
    assert asked == seen["payload"]
    await world.reaches(request_no, "delivered")

    # A named officer signs for it, takes it on, and answers about the object that was asked about.
    await agency.answer(request_no, "receipt")
    await world.reaches(request_no, "received")
    await agency.answer(request_no, "accept")
    await world.reaches(request_no, "accepted")
    said = answer_to(type, asked, world.clock.now())
    await agency.answer(request_no, "result", said)
    await world.reaches(request_no, "completed")

    # The court reads the very same, opening with its own key what only it may read, and confirms.
    assert await court.read(request_no, "result") == said
    assert (await court.say(request_no, "confirm")).status == 202
    await world.reaches(request_no, "closed")
    assert (await agency.next(request_no, "confirm")).sender == HOME


@pytest.mark.parametrize("type", of_shape(Shape.ALERT))
async def test_what_the_police_raise_is_handed_over(world: World, type: str) -> None:
    court, police = world.court, await world.office(POLICE)
    control_request, control = await controlled(world, police)

    alert_no = await police.raise_(type, hit(control), urgency="immediate", related=control_request)
    await world.reaches(alert_no, "delivered")
    assert (await court.read(alert_no, "open"))["payload"]["control_no"] == control["control_no"]

    at = standing("receipt", world.clock.now())["received_at"]
    for verb, data, state in (
        ("acknowledge", {}, "acknowledged"),
        ("send-team", {"team": "执行一团队", "eta": at}, "team-sent"),
        ("identity-check", {"plate_ok": True, "vin_ok": True, "photo_ok": True}, "identity-checked"),
        ("handover", {"place": "西环路卡口", "handed_by": "赵演示", "received_by": "李演示"}, "handed-over"),
    ):
        assert (await court.say(alert_no, verb, {"at": at, **data})).status == 202
        await world.reaches(alert_no, state)
        heard = await police.understood(await police.next(alert_no, verb))
        assert heard["by"] == HANDLER


@pytest.mark.parametrize("type", of_shape(Shape.NOTICE))
async def test_what_the_court_tells_is_delivered_and_read(world: World, type: str) -> None:
    court, members = world.court, await world.office(ASSOCIATION)
    request_no = await court.ask(type)
    await members.next(request_no, "open")
    await world.reaches(request_no, "delivered")
    at = standing("receipt", world.clock.now())["received_at"]
    await members.answer(request_no, "read", {"by": "会长演示", "at": at})
    await world.reaches(request_no, "read")
    assert (await court.read(request_no, "read"))["by"] == "会长演示"


async def test_what_a_neighbour_entrusts_is_answered_by_our_court(world: World) -> None:
    court, neighbour = world.court, await world.office(GAOLING)
    opening = commission()
    payload, case_no = opening["payload"], opening["request"]["case_no"]
    request_no = await neighbour.raise_(ENTRUST, opening, case_no=case_no)

    # Our gateway says `delivered` for the court; everything else is the court's own word.
    await world.reaches(request_no, "delivered")
    await neighbour.next(request_no, "delivered")
    assert (await court.read(request_no, "open"))["payload"] == payload
    said = answer_to(ENTRUST, payload, world.clock.now())
    for verb, data, state in (
        ("receipt", standing("receipt", world.clock.now()), "received"),
        ("accept", {"handler": "李演示"}, "accepted"),
        ("result", said, "completed"),
    ):
        assert (await court.say(request_no, verb, data)).status == 202
        await world.reaches(request_no, state)
    answered = await neighbour.next(request_no, "result")
    assert (await neighbour.understood(answered))["items"] == said["items"]
    await neighbour.add(ENTRUST, request_no, "confirm", {"by": "sn0191-0007"})
    await world.reaches(request_no, "closed")
