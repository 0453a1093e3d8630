"""Every matter of the catalogue, from its submission to its end. Read this to see how the parts meet.

The asked side composes its answer from what it has opened (`tests.clerk`); the objects of each request are its own, so
an answer that was copied from somewhere would be refused as `unknown-ref`.
"""

from __future__ import annotations

import pytest

from adapters.contract import Canonical
from adapters.registry import adapter_for
from gateway.core.requests.lifecycle import OUTCOMES
from schemas.catalogue import Shape, catalogue
from simulation.parties import GAOLING, HANDLER, HOME
from tests.clerk import answered
from tests.court_system import EVERYBODY, fresh_case
from tests.faults import ENTRUST
from tests.scenes import answer_to, commission, home_asks, opening, partner_in, ready
from tests.words import standing
from tests.world import World

MET = EVERYBODY  # every kind of partner (conftest.world)


def of(shape: Shape, *, from_home: bool) -> list[str]:
    return sorted(n for n, matter in catalogue().items() if matter.shape is shape and home_asks(n) == from_home)


def test_each_type_stands_in_one_of_the_tests_below() -> None:
    driven = [name for shape in Shape for home in (True, False) for name in of(shape, from_home=home)]
    assert of(Shape.ALERT, from_home=True) == []
    assert sorted(driven) == sorted(catalogue())


@pytest.mark.parametrize("type", of(Shape.ASK, from_home=True))
async def test_what_the_court_asks_is_delivered_received_done_and_confirmed(world: World, type: str) -> None:
    court, agency, case_no = world.court, await world.office(partner_in(type)), fresh_case()
    payload, _ = await ready(world, type, case_no)  # a car is under seal before it is looked for or stopped

    # The court's system signs and hands in; 202 means committed. The gateway translates, seals, signs, publishes.
    request_no = await court.ask(type, payload, case_no=case_no)

    # The agency's library verifies and opens it, stores it, and says so itself: `delivered`.
    opened = await agency.next(request_no, "open")
    asked = (await agency.understood(opened))["payload"]
    seen = adapter_for(agency.dialect).visible(Canonical(type, "open", {"payload": payload}))
    assert asked == seen["payload"]
    await world.reaches(request_no, "delivered")

    # A named officer signs for it, takes it on, and answers about the objects that were asked about.
    await agency.answer(request_no, "receipt")
    await world.reaches(request_no, "received")
    await agency.answer(request_no, "accept")
    await world.reaches(request_no, "accepted")
    said = answered(type, asked, world.clock.now())
    await agency.answer(request_no, "result", said)
    await world.reaches(request_no, OUTCOMES[said["outcome"]])

    # The court reads the very same, opening with its own key what only it may read, and confirms.
    assert await court.read(request_no, "result") == said
    assert (await court.say(request_no, "confirm")).status == 202
    await world.reaches(request_no, "closed")
    assert (await agency.next(request_no, "confirm")).sender == HOME


@pytest.mark.parametrize("type", of(Shape.ASK, from_home=False))
async def test_what_an_agency_asks_is_answered_by_our_court(world: World, type: str) -> None:
    court, agency, case_no = world.court, await world.office(partner_in(type)), fresh_case()
    payload, related = await ready(world, type, case_no)
    request_no = await agency.raise_(type, opening(type, payload), related=related)
    await world.reaches(request_no, "delivered")
    asked = (await court.read(request_no, "open"))["payload"]
    assert asked == payload
    said = answered(type, asked, world.clock.now())
    for verb, data, state in (
        ("receipt", standing("receipt", world.clock.now()), "received"),
        ("accept", {"handler": "李演示"}, "accepted"),
        ("result", said, OUTCOMES[said["outcome"]]),
    ):
        assert (await court.say(request_no, verb, data)).status == 202
        await world.reaches(request_no, state)
    heard = await agency.understood(await agency.next(request_no, "result"))
    assert heard["items"] == said["items"]
    await agency.add(type, request_no, "confirm", {"by": "office-0007"})
    await world.reaches(request_no, "closed")


@pytest.mark.parametrize("type", of(Shape.ALERT, from_home=False))
async def test_what_the_police_raise_is_handed_over(world: World, type: str) -> None:
    court, police, case_no = world.court, await world.office(partner_in(type)), fresh_case()
    payload, control = await ready(world, type, case_no)

    alert_no = await police.raise_(type, opening(type, payload), urgency="immediate", related=control)
    await world.reaches(alert_no, "delivered")
    assert (await court.read(alert_no, "open"))["payload"] == payload

    at = standing("receipt", world.clock.now())["received_at"]
    checks = dict.fromkeys(("photo_ok", *catalogue()[type].checks), True)
    for verb, data, state in (
        ("acknowledge", {}, "acknowledged"),
        ("send-team", {"team": "执行一团队", "eta": at}, "team-sent"),
        ("identity-check", checks, "identity-checked"),
        ("handover", {"place": "西环路卡口", "handed_by": "赵演示", "received_by": "李演示"}, "handed-over"),
    ):
        assert (await court.say(alert_no, verb, {"at": at, **data})).status == 202
        await world.reaches(alert_no, state)
        heard = await police.understood(await police.next(alert_no, verb))
        assert heard["by"] == HANDLER


@pytest.mark.parametrize("type", of(Shape.NOTICE, from_home=True))
async def test_what_the_court_tells_is_delivered_and_read(world: World, type: str) -> None:
    court, told, case_no = world.court, await world.office(partner_in(type)), fresh_case()
    payload, _ = await ready(world, type, case_no)
    request_no = await court.ask(type, payload, case_no=case_no)
    opened = await told.understood(await told.next(request_no, "open"))
    seen = adapter_for(told.dialect).visible(Canonical(type, "open", {"payload": payload}))
    assert opened["payload"] == seen["payload"]
    await world.reaches(request_no, "delivered")
    at = standing("receipt", world.clock.now())["received_at"]
    await told.answer(request_no, "read", {"by": "会长演示", "at": at})
    await world.reaches(request_no, "read")
    assert (await court.read(request_no, "read"))["by"] == "会长演示"


@pytest.mark.parametrize("type", of(Shape.NOTICE, from_home=False))
async def test_what_an_agency_tells_is_read_by_our_court(world: World, type: str) -> None:
    court, agency = world.court, await world.office(partner_in(type))
    payload, related = await ready(world, type, fresh_case())
    request_no = await agency.raise_(type, opening(type, payload), related=related)
    await world.reaches(request_no, "delivered")
    assert (await court.read(request_no, "open"))["payload"] == payload
    at = standing("receipt", world.clock.now())["received_at"]
    assert (await court.say(request_no, "read", {"by": HANDLER, "at": at})).status == 202
    await world.reaches(request_no, "read")
    assert (await agency.understood(await agency.next(request_no, "read")))["by"] == HANDLER


async def test_what_a_neighbour_entrusts_is_answered_by_our_court(world: World) -> None:
    court, neighbour = world.court, await world.office(GAOLING)
    entrusted = commission()
    payload, case_no = entrusted["payload"], entrusted["request"]["case_no"]
    request_no = await neighbour.raise_(ENTRUST, entrusted, case_no=case_no)

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
    answer = await neighbour.next(request_no, "result")
    assert (await neighbour.understood(answer))["items"] == said["items"]
    await neighbour.add(ENTRUST, request_no, "confirm", {"by": "sn0191-0007"})
    await world.reaches(request_no, "closed")
