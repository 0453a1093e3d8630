"""Messages are applied in the order of their numbers, whatever the wire does (docs/contracts.md 3.2 Order)."""

from __future__ import annotations

from typing import Any

from gateway.core.records import Message
from lianzhi.crypto.sdjwt import parse
from simulation.parties import GAOLING
from tests.agency import Agency
from tests.faults import ENTRUST, PERSON
from tests.scenes import commission
from tests.words import Said, Talk
from tests.world import World


async def asked(world: World) -> tuple[Agency, Talk]:
    """The police were asked, and have said nothing yet."""
    police = await world.agency()
    request_no = await world.court.ask(PERSON)
    return police, await police.opened(request_no)


async def three_answers(police: Agency, talk: Talk) -> list[Said]:
    return [await police.make(talk, verb) for verb in ("delivered", "receipt", "accept")]


async def applied(world: World, request_no: str, sender: str) -> list[str]:
    """Verbs of that side's messages, in the order in which they took effect."""
    events = await world.store.timeline(request_no)
    said = {m.id for m in await world.store.messages(request_no) if m.sender == sender}
    return [e.verb for e in events if e.kind == "message" and e.verb and e.message_id in said]


async def message(world: World, said: Said) -> Message:
    """As the gateway keeps it."""
    (found,) = [m for m in await world.store.messages(parse(said.raw).event["subject"]) if m.id == said.id]
    return found


# --- answers that come early --------------------------------------------------------------------------------------


async def test_what_comes_early_waits_for_its_turn(world: World) -> None:
    police, talk = await asked(world)
    first, second, third = await three_answers(police, talk)
    for early in (third, second):
        await police.publish(early)
    await police.fence()
    waiting = await world.request(talk.request_no)
    assert (waiting.state, waiting.held) == ("dispatched", 2)
    await world.told(talk.request_no, "held")
    await police.publish(first)
    assert (await world.reaches(talk.request_no, "accepted")).held == 0
    assert await applied(world, talk.request_no, police.code) == ["delivered", "receipt", "accept"]


async def test_also_when_all_come_in_one_batch(world: World) -> None:
    police, talk = await asked(world)
    first, second, third = await three_answers(police, talk)
    world.gates.together = 3
    for one in (third, first, second):
        await police.publish(one)
    assert (await world.reaches(talk.request_no, "accepted")).held == 0
    assert await applied(world, talk.request_no, police.code) == ["delivered", "receipt", "accept"]


async def test_also_when_the_gateway_starts_anew_in_between(world: World) -> None:
    police, talk = await asked(world)
    first, second, third = await three_answers(police, talk)
    await police.publish(third)
    await world.told(talk.request_no, "held")
    await world.restart()
    await police.publish(second)
    await police.fence()
    await world.restart()
    await police.publish(first)
    await world.reaches(talk.request_no, "accepted")
    assert await applied(world, talk.request_no, police.code) == ["delivered", "receipt", "accept"]


async def test_what_is_wrong_is_refused_when_its_turn_comes_and_the_rest_goes_on(world: World) -> None:
    world.clock.pass_by(seconds=61)
    police, talk = await asked(world)
    first = await police.make(talk, "delivered")
    second = await police.make(talk, "receipt", caseno="（2026）陕0199执1号")
    third = await police.make(talk, "accept")
    for one in (third, second, first):
        await police.publish(one)
    await world.reaches(talk.request_no, "accepted")
    assert await applied(world, talk.request_no, police.code) == ["delivered", "accept"]
    row = await world.quarantined(second)
    assert (row.reason, row.body, row.message_id) == ("misdirected", second.raw, second.id)
    assert (await police.noticed(body_sha256=second.sha256))["next_seqno"] == 3


async def test_a_number_that_stays_away_is_asked_for(world: World) -> None:
    police, talk = await asked(world)
    first, second, third = await three_answers(police, talk)
    await police.publish(third)
    await world.told(talk.request_no, "held")
    world.clock.pass_by(minutes=61)
    await world.told(talk.request_no, "gap", "asked:1")
    notice = await police.noticed(request_no=talk.request_no)
    assert (notice["reason"], notice["next_seqno"]) == ("sequence-gap", 1)

    await police.publish(first)  # now the second is the one that is missing, for an hour from here
    await world.reaches(talk.request_no, "delivered")
    world.clock.pass_by(minutes=61)
    await world.told(talk.request_no, "gap", "asked:2")
    await police.publish(second)
    await world.reaches(talk.request_no, "accepted")


async def test_more_that_comes_early_does_not_put_the_question_off(world: World) -> None:
    police, talk = await asked(world)
    _, second, third = await three_answers(police, talk)
    await police.publish(third)
    await world.told(talk.request_no, "held")
    world.clock.pass_by(minutes=40)
    await police.publish(second)
    await police.fence()
    world.clock.pass_by(minutes=21)
    await world.told(talk.request_no, "gap", "asked:1")


async def test_a_gap_that_closes_in_time_is_no_event(world: World) -> None:
    police, talk = await asked(world)
    first, second, third = await three_answers(police, talk)
    world.gates.together = 3
    for one in (second, first, third):
        await police.publish(one)
    await world.reaches(talk.request_no, "accepted")
    world.clock.pass_by(minutes=61)
    await world.caught_up()
    assert not await world.events(kind="gap", request_no=talk.request_no)


async def test_one_number_two_messages(world: World) -> None:
    world.clock.pass_by(seconds=61)
    police, talk = await asked(world)
    await police.say(talk, "delivered")
    await world.reaches(talk.request_no, "delivered")
    early = await police.say(talk, "accept", seqno=3)
    await world.told(talk.request_no, "held")
    for used in (1, 3):
        other = await police.say(talk, "progress", seqno=used)
        row = await world.quarantined(other)
        assert (row.reason, row.pointer) == ("sequence-reused", "/seqno")
        assert (await police.noticed(body_sha256=other.sha256))["next_seqno"] == 2
    await police.say(talk, "receipt", seqno=2)
    await world.reaches(talk.request_no, "accepted")
    assert (await message(world, early)).disposition == "applied"


# --- requests that partners open ----------------------------------------------------------------------------------


async def entrusting(world: World) -> tuple[Agency, Talk, Said]:
    """The neighbour's `open`, made but not sent."""
    neighbour = await world.agency(GAOLING)
    opening = commission()
    talk = neighbour.begin(ENTRUST, case_no=opening["request"]["case_no"])
    return neighbour, talk, await neighbour.make(talk, "open", opening)


async def test_what_comes_before_the_open_waits_for_it(world: World) -> None:
    neighbour, talk, opening = await entrusting(world)
    urge = await neighbour.say(talk, "urge")
    await neighbour.fence()
    assert await world.store.request(talk.request_no) is None
    await neighbour.publish(opening)
    await world.reaches(talk.request_no, "delivered")
    assert await applied(world, talk.request_no, neighbour.code) == ["open", "urge"]
    assert (await message(world, urge)).disposition == "applied"


async def test_an_open_that_stays_away_is_asked_for(world: World) -> None:
    neighbour, talk, _ = await entrusting(world)
    await neighbour.say(talk, "urge")
    await neighbour.fence()
    world.clock.pass_by(minutes=61)
    notice = await neighbour.noticed(request_no=talk.request_no)
    assert (notice["reason"], notice["next_seqno"]) == ("sequence-gap", 1)
    assert await world.events(kind="gap", request_no=talk.request_no)


async def test_an_open_again_gets_the_very_same_delivered(world: World) -> None:
    neighbour, talk, opening = await entrusting(world)
    await neighbour.publish(opening)
    delivered = await neighbour.next(talk.request_no, "delivered")
    before = await world.request(talk.request_no)
    await neighbour.publish(opening)
    again = await neighbour.next(talk.request_no, "delivered", count=2)
    assert again.raw == delivered.raw
    assert await world.request(talk.request_no) == before
    assert len([m for m in await world.store.messages(talk.request_no) if m.verb == "delivered"]) == 1


async def test_under_the_number_of_an_open_that_was_refused_nothing_can_be_opened(world: World) -> None:
    world.clock.pass_by(seconds=61)
    neighbour, talk, good = await entrusting(world)
    urge = await neighbour.say(talk, "urge")
    wrong = await neighbour.make(talk, "open", commission(), seqno=1, caseno="（2026）陕0191执2号")
    await neighbour.publish(wrong)
    assert (await world.quarantined(wrong)).reason == "misdirected"
    assert (await world.quarantined(urge)).reason == "unknown-request"
    await neighbour.publish(good)
    assert (await world.quarantined(good)).reason == "sequence-reused"
    after = await neighbour.say(talk, "urge", seqno=3)
    assert (await world.quarantined(after)).reason == "unknown-request"
    assert await world.store.request(talk.request_no) is None


async def test_a_withdrawal_before_its_open_and_nothing_was_started(world: World) -> None:
    neighbour, talk, opening = await entrusting(world)
    urge = await neighbour.say(talk, "urge")
    await neighbour.fence()
    await neighbour.say(talk, "withdraw")
    ack = await neighbour.next(talk.request_no, "withdraw-ack")
    assert head(ack.envelope)["effect"] == "not-started"
    await neighbour.publish(opening)
    await neighbour.fence()
    assert (await world.request(talk.request_no)).state == "withdrawn"
    assert [(await message(world, m)).disposition for m in (opening, urge)] == ["overtaken"] * 2
    assert await world.store.request(talk.request_no) is not None
    assert not [t for t in neighbour.taken if (t.request_no, t.verb) == (talk.request_no, "delivered")]


async def test_a_withdrawal_overtakes_and_what_it_overtook_is_never_acted_on(world: World) -> None:
    neighbour, talk, opening = await entrusting(world)
    await neighbour.publish(opening)
    await world.reaches(talk.request_no, "delivered")
    late = await neighbour.make(talk, "urge")
    early = await neighbour.say(talk, "urge")
    await world.told(talk.request_no, "held")
    await neighbour.say(talk, "withdraw")
    assert (await world.reaches(talk.request_no, "withdrawing")).held == 0
    await neighbour.publish(late)
    await neighbour.fence()
    assert [(await message(world, m)).disposition for m in (early, late)] == ["overtaken"] * 2
    assert await applied(world, talk.request_no, neighbour.code) == ["open", "withdraw"]
    assert (await world.court.say(talk.request_no, "withdraw-ack", {"effect": "reversed"})).status == 202
    await world.reaches(talk.request_no, "withdrawn")
    assert head((await neighbour.next(talk.request_no, "withdraw-ack")).envelope)["effect"] == "reversed"


async def test_a_withdrawal_may_name_a_supplement_that_it_has_overtaken(world: World) -> None:
    neighbour, talk, opening = await entrusting(world)
    await neighbour.publish(opening)
    await world.reaches(talk.request_no, "delivered")
    wanted = {"missing": [{"document": "entrust-letter", "why": "未附"}], "reply_by": "2026-12-31T17:00:00+08:00"}
    assert (await world.court.say(talk.request_no, "supplement-request", wanted)).status == 202
    asked_for = await neighbour.next(talk.request_no, "supplement-request")
    supplement = await neighbour.make(talk, "supplement", answers=asked_for)
    await neighbour.say(talk, "withdraw", answers=(supplement.id, supplement.digest))
    await world.reaches(talk.request_no, "withdrawing")
    await neighbour.publish(supplement)
    await neighbour.fence()
    assert (await message(world, supplement)).disposition == "overtaken"


async def test_a_withdrawal_that_is_wrong_overtakes_nothing(world: World) -> None:
    world.clock.pass_by(seconds=61)
    neighbour, talk, opening = await entrusting(world)
    await neighbour.publish(opening)
    await world.reaches(talk.request_no, "delivered")
    second, third = await neighbour.make(talk, "urge"), await neighbour.make(talk, "urge")
    wrong = await neighbour.make(talk, "withdraw", caseno="（2026）陕0191执2号")
    await neighbour.publish(wrong)
    await neighbour.fence()
    await neighbour.publish(third)
    await neighbour.publish(second)
    assert (await world.quarantined(wrong)).reason == "misdirected"
    assert await applied(world, talk.request_no, neighbour.code) == ["open", "urge", "urge"]
    assert (await world.request(talk.request_no)).state == "delivered"


# --- a process that dies ------------------------------------------------------------------------------------------


async def test_committed_but_not_acknowledged_it_comes_again_and_has_one_effect(world: World) -> None:
    police, talk = await asked(world)
    neighbour, theirs, opening = await entrusting(world)
    world.gates.deaf = True
    await police.say(talk, "delivered")
    await neighbour.publish(opening)
    await world.reaches(talk.request_no, "delivered")
    delivered = await neighbour.next(theirs.request_no, "delivered")
    before = [await world.request(no) for no in (talk.request_no, theirs.request_no)]
    world.gates.deaf = False
    await world.restart()
    await police.fence()
    again = await neighbour.next(theirs.request_no, "delivered", count=2)
    assert again.raw == delivered.raw
    assert [await world.request(no) for no in (talk.request_no, theirs.request_no)] == before
    assert not await world.events(kind="quarantined", request_no=talk.request_no)


def head(envelope: Any) -> dict[str, Any]:
    codes: dict[str, Any] = envelope.data.head.model_dump(exclude_none=True)
    return codes
