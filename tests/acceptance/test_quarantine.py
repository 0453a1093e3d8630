"""What the gateway refuses on the bus, and what comes of it.

Refused means: the bytes are kept exactly as they came (of long ones the beginning), with the reason; an event says so;
the owner of the queue hears it once, however often the bytes come; and no state has changed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from aiormq.exceptions import ChannelAccessRefused, ChannelPreconditionFailed
from uuid_utils.compat import uuid7

from gateway.bounds import Bounds
from lianzhi.protocol.envelope import GATEWAY_NOTICE, GATEWAY_PING
from simulation.parties import GRID, POLICE
from simulation.private_broker import PrivateBroker
from tests.eventually import eventually
from tests.faults import PERSON, SEAL
from tests.refusals import CASES, Case, Scene, altered, bytes_of, on_stage
from tests.words import Said
from tests.world import World, open_world

QUARANTINED_BYTES = Bounds().quarantine_bytes


@pytest_asyncio.fixture(scope="module")
async def world(broker: PrivateBroker, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """The police have three keys more: one past, one to come, one stolen."""
    async with open_world(broker, tmp_path_factory.mktemp("world")) as world:
        world.register_key(POLICE, "past", since=date(2020, 1, 1), years=1)
        world.register_key(POLICE, "next", since=date(2099, 1, 1))
        stolen = datetime(2026, 2, 1, tzinfo=ZoneInfo("Asia/Shanghai"))
        world.register_key(POLICE, "stolen", since=date(2026, 1, 1), revoked_at=stolen)
        await world.start()
        yield world


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_refused_kept_told_once_and_nothing_changed(world: World, case: Case) -> None:
    world.clock.pass_by(seconds=61)  # a fresh minute: at most ten notices go out in one
    scene = await on_stage(world, case.type)
    bad = await case.make(scene)
    before, told = await world.standing(scene.request_no), len(await refusals(world, case.reason))

    await scene.agency.publish(bad, **case.publish)
    row = await world.quarantined(bad)
    assert (row.reason, row.pointer, row.owner) == (case.reason, case.pointer, scene.agency.code)
    assert (row.body, row.size) == (bad.raw[:QUARANTINED_BYTES], len(bad.raw))
    assert len(await refusals(world, case.reason)) == told + 1
    notice = await scene.agency.noticed(body_sha256=bad.sha256)
    assert notice["reason"] == case.reason

    await scene.agency.publish(bad, **case.publish)  # the same bytes again
    await scene.agency.fence()
    assert len(scene.agency.notices(body_sha256=bad.sha256)) == 1
    assert await world.standing(scene.request_no) == before


async def refusals(world: World, reason: str) -> list[Any]:
    return await world.events(kind="quarantined", detail=reason)


async def test_the_conversation_goes_on_after_a_refusal(world: World) -> None:
    """A verified message used up its number, one that was altered on the way did not."""
    world.clock.pass_by(seconds=61)
    scene = await on_stage(world, PERSON)
    broken = await altered(scene)
    await scene.agency.publish(broken)
    await world.quarantined(broken)
    scene.talk.seqno -= 1
    wrong = await scene.agency.say(scene.talk, "progress", caseno="（2026）陕0199执1号")
    assert (await scene.agency.noticed(body_sha256=wrong.sha256))["next_seqno"] == scene.talk.seqno + 1
    await scene.agency.say(scene.talk, "accept")
    await world.reaches(scene.request_no, "accepted")


async def test_the_same_message_again_is_no_fault(world: World) -> None:
    scene = await on_stage(world, PERSON)
    good = await scene.agency.say(scene.talk, "accept")
    await world.reaches(scene.request_no, "accepted")
    before = await world.request(scene.request_no)
    await scene.agency.publish(good)
    await scene.agency.fence()
    assert await world.request(scene.request_no) == before
    assert not scene.agency.notices(body_sha256=good.sha256)
    assert all(row.body_sha256 != good.sha256 for row in await world.store.quarantine(limit=1000))


async def test_under_another_broker_user_the_broker_itself_hangs_up(world: World) -> None:
    scene = await on_stage(world, PERSON)
    good = await scene.says()
    with pytest.raises(ChannelPreconditionFailed):
        await scene.agency.publish(good, user_id=GRID)
    await scene.agency.fence()
    assert (await world.request(scene.request_no)).state == "received"


async def test_a_key_of_the_routing_that_is_anothers_is_refused_by_the_broker(world: World) -> None:
    scene = await on_stage(world, PERSON)
    good = await scene.says()
    with pytest.raises(ChannelAccessRefused):
        await scene.agency.publish(good, routing_key=f"{GRID}.normal.{PERSON}.progress")


async def test_ten_notices_a_minute_and_every_refusal_kept(world: World) -> None:
    world.clock.pass_by(seconds=61)
    police = await world.agency()
    bad = [bytes_of(f"garbage {uuid7()}".encode()) for _ in range(12)]
    for one in bad:
        await police.publish(one)
    for one in bad:
        await world.quarantined(one)
    await police.fence()
    assert sum(len(police.notices(body_sha256=one.sha256)) for one in bad) == 10


async def test_a_notice_is_never_answered_by_a_notice(world: World) -> None:
    world.clock.pass_by(seconds=61)
    police = await world.agency()
    body = {"body_sha256": "0" * 64, "reason": "bad-envelope", "title_zh": "信封", "title_en": "envelope"}
    first = await police.make_outside(GATEWAY_NOTICE, body)
    await police.publish(first)
    second = await police.make_outside(GATEWAY_NOTICE, body | {"reason": "stale"}, id=first.id)
    await police.publish(second)
    assert (await world.quarantined(second)).reason == "id-reused"
    await police.fence()
    assert not police.notices(body_sha256=second.sha256)


async def test_a_second_ping_under_the_same_id_is_an_alarm(world: World) -> None:
    world.clock.pass_by(seconds=61)
    police = await world.agency()
    first = await police.make_outside(GATEWAY_PING, {})
    await police.publish(first)
    other = await police.make_outside(GATEWAY_PING, {"another": "ping"}, id=first.id)
    await police.publish(other)
    assert (await world.quarantined(other)).reason == "id-reused"


async def test_a_message_that_breaks_us_while_it_is_written_is_parked_and_the_queue_moves_on(world: World) -> None:
    world.clock.pass_by(seconds=61)
    scene = await on_stage(world, PERSON)
    poison = await scene.says("accept")
    world.gates.breaks.add(poison.id)
    await scene.agency.publish(poison)
    await _poisoned(world, scene, poison)


async def test_a_message_that_breaks_us_while_it_is_read_is_parked_and_the_queue_moves_on(world: World) -> None:
    world.clock.pass_by(seconds=61)
    scene = await on_stage(world, PERSON)
    poison = await scene.says("accept")
    world.gates.misread.add(poison.raw)
    await scene.agency.publish(poison)
    await _poisoned(world, scene, poison)


async def _poisoned(world: World, scene: Scene, poison: Said) -> None:
    """Tried twice, then kept; what another request says meanwhile is heard."""
    other = await on_stage(world, SEAL)
    row = await world.quarantined(poison)
    assert (row.reason, bytes(row.body), row.owner) == ("poison", poison.raw, POLICE)
    assert (await scene.agency.noticed(body_sha256=poison.sha256))["reason"] == "poison"
    assert (await world.request(scene.request_no)).state == "received"
    assert (await world.request(other.request_no)).state == "received"
    await eventually(lambda: world.gateway is not None and not any(t.done() for t in world.gateway.tasks))
