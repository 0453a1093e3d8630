"""The court takes a request back: before it left, while it is worked on, and when it is too late (domain.md 3)."""

from __future__ import annotations

import pytest

from simulation.parties import GRID, POLICE
from tests.faults import GRID as VERIFY
from tests.faults import PERSON, SEAL
from tests.scenes import answer_to, sealed
from tests.stored import measures_in
from tests.world import World

PAID = {"reason_code": "paid"}


async def withdraw(world: World, request_no: str) -> None:
    assert (await world.court.say(request_no, "withdraw", PAID)).status == 202


async def test_before_it_left_it_never_leaves(world: World) -> None:
    police = await world.agency()
    world.gates.dispatching = False
    request_no = await world.court.ask(PERSON)
    await withdraw(world, request_no)
    assert (await world.request(request_no)).state == "withdrawn"
    world.gates.dispatching = True
    await police.fence()
    assert not [t for t in police.taken if t.request_no == request_no]
    await world.sent_all()


async def test_while_it_is_blocked_it_never_leaves(world: World) -> None:
    police = await world.agency()
    document = world.court.document("summons-proof") | {"sha256": "0" * 64}
    request_no = await world.court.ask(PERSON, documents=[document])
    await world.reaches(request_no, "blocked")
    await withdraw(world, request_no)
    world.clock.pass_by(seconds=16)  # the gateway looks again whether the document has come
    await world.caught_up()
    await police.fence()
    assert (await world.request(request_no)).state == "withdrawn"
    assert not [t for t in police.taken if t.request_no == request_no]


@pytest.mark.parametrize(
    ("effect", "state"), [("not-started", "withdrawn"), ("reversed", "withdrawn"), ("too-late", "received")]
)
async def test_after_it_arrived_the_agency_says_what_became_of_it(world: World, effect: str, state: str) -> None:
    police = await world.agency()
    request_no = await world.court.ask(PERSON)
    for verb in ("delivered", "receipt"):
        await police.answer(request_no, verb)
    await world.reaches(request_no, "received")
    await withdraw(world, request_no)
    assert (await world.request(request_no)).state == "withdrawing"
    taken = await police.next(request_no, "withdraw")
    assert taken.routing_key == f"{POLICE}.urgent.{PERSON}.withdraw"
    await police.say(await police.opened(request_no), "withdraw-ack", {"effect": effect}, answers=taken)
    after = await world.reaches(request_no, state)
    assert bool(after.facts.get("too_late")) == (effect == "too-late")
    view = await world.court.get(f"/v1/requests/{request_no}")
    assert (view["state"], view.get("too_late", False)) == (state, effect == "too-late")


async def test_what_an_office_had_not_begun_its_library_lets_go_of(world: World) -> None:
    office = await world.office(GRID)
    request_no = await world.court.ask(VERIFY)
    await world.reaches(request_no, "delivered")
    await withdraw(world, request_no)
    await world.reaches(request_no, "withdrawn")
    opened = await office.next(request_no, "open")
    assert await opened.reply("accept", {"handlerNo": "yc-0003"}) is None  # the office may no longer answer


@pytest.mark.parametrize(
    ("effect", "state", "measure"), [("too-late", "completed", "active"), ("reversed", "withdrawn", "ended")]
)
async def test_a_result_that_crosses_the_withdrawal(world: World, effect: str, state: str, measure: str) -> None:
    police = await world.agency()
    request_no = await world.court.ask(SEAL)
    talk = await police.opened(request_no)
    await police.say(talk, "delivered")
    await world.reaches(request_no, "delivered")
    await withdraw(world, request_no)
    vehicle = {"vehicle": {"ref": talk.refs[0]}, "start_on": "2026-03-24", "end_on": "2028-03-23"}
    await police.say(talk, "result", answer_to(SEAL, vehicle, world.clock.now()))
    taken = await police.next(request_no, "withdraw")
    await police.fence()
    assert (await world.request(request_no)).state == "withdrawing"
    assert [m.state for m in await world.measures(request_no)] == ["active"]

    unbegun = await police.say(talk, "withdraw-ack", {"effect": "not-started"}, answers=taken)
    assert (await world.quarantined(unbegun)).reason == "contradicts"  # it has just said what it did
    await police.say(talk, "withdraw-ack", {"effect": effect}, answers=taken)
    await world.reaches(request_no, state)
    assert [m.state for m in await world.measures(request_no)] == [measure]


async def test_an_active_measure_is_ended_not_withdrawn(world: World) -> None:
    police = await world.agency()
    payload = await sealed(world, police)
    [measure] = [m for m in await measures_in(world.store, ("active",)) if m.ref == payload["vehicle"]["ref"]][-1:]
    refused = await world.court.say(measure.request_no, "withdraw", PAID)
    assert (refused.status, refused.reason) == (409, "measure-active")
    assert (await world.request(measure.request_no)).state == "completed"


async def test_once_is_enough(world: World) -> None:
    """The same call again, another call, the same answer again: one withdrawal."""
    police = await world.agency()
    request_no = await world.court.ask(PERSON)
    talk = await police.opened(request_no)
    await police.say(talk, "delivered")
    await world.reaches(request_no, "delivered")
    act = b'{"verb": "withdraw", "by": "sn0199-0007", "data": {"reason_code": "paid"}}'
    path = f"/v1/requests/{request_no}/messages"
    first, again = [await world.court.post(path, act, "application/json", key=request_no) for _ in range(2)]
    assert first == again
    other = await world.court.say(request_no, "withdraw", PAID)
    assert (other.status, other.reason) == (409, "not-now")
    ack = await police.say(talk, "withdraw-ack", answers=await police.next(request_no, "withdraw"))
    await world.reaches(request_no, "withdrawn")
    before = await world.request(request_no)
    await police.publish(ack)
    await police.fence()
    assert await world.request(request_no) == before
    assert len([m for m in await world.store.messages(request_no) if m.verb == "withdraw"]) == 1


async def test_a_withdrawal_without_answer_goes_again_with_the_same_bytes_then_somebody_must_look(
    world: World,
) -> None:
    police = await world.agency()
    request_no = await world.court.ask(PERSON)
    talk = await police.opened(request_no)
    await police.say(talk, "delivered")
    await world.reaches(request_no, "delivered")
    await withdraw(world, request_no)
    taken = await police.next(request_no, "withdraw")
    for copies, minutes in ((2, 16), (3, 31), (4, 61)):
        world.clock.pass_by(minutes=minutes)
        assert (await police.next(request_no, "withdraw", count=copies)).raw == taken.raw
    world.clock.pass_by(minutes=121)
    await world.told(request_no, "incident", "delivery-overdue:withdraw")
    assert (await world.request(request_no)).state == "withdrawing"
    await police.say(talk, "withdraw-ack", answers=taken)  # late, and still heard
    await world.reaches(request_no, "withdrawn")


async def test_what_is_over_cannot_be_withdrawn(world: World) -> None:
    police = await world.agency()
    request_no = await world.court.ask(PERSON)
    await police.answer(request_no, "refuse")
    await world.reaches(request_no, "refused")
    late = await world.court.say(request_no, "withdraw", PAID)
    assert (late.status, late.reason) == (409, "not-now")
