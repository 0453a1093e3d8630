"""Stories 3 and 11 of docs/domain.md section 7: a seal never lapses unnoticed, and a hit at night brings somebody."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import aiohttp
import pytest_asyncio
import tomlkit

from gateway.core.records import Event
from gateway.registry.config import FILE
from gateway.registry.installation import write_secret
from simulation.parties import BACKUP, CHIEF, CLERK, DEPUTY, HANDLER
from simulation.private_broker import PrivateBroker
from tests.agency import Agency
from tests.court_system import day, fresh_payload
from tests.eventually import eventually
from tests.faults import HIT, SEAL
from tests.platform import SECRET, Platform, platform
from tests.scenes import answer_to, controlled, hit
from tests.words import standing
from tests.world import World, open_world

A, B, DESK = ("A", HANDLER), ("B", BACKUP), ("desk", CLERK)
CHIEFS = [("chief", CHIEF), ("chief", DEPUTY)]


@pytest_asyncio.fixture(scope="module")
async def receiver() -> AsyncIterator[Platform]:
    async with platform() as receiver:
        yield receiver


@pytest_asyncio.fixture(scope="module")
async def world(broker: PrivateBroker, receiver: Platform, tmp_path_factory: Any) -> AsyncIterator[World]:
    async with open_world(broker, tmp_path_factory.mktemp("alerts")) as world:
        file = world.parties.folder / FILE
        document = tomlkit.parse(file.read_text(encoding="utf-8"))
        document["notify"] = {"webhook": {"url": receiver.url, "secret_file": "platform.secret"}}
        file.write_text(tomlkit.dumps(document), encoding="utf-8")
        write_secret(world.parties.folder / "platform.secret", SECRET + "\n")
        await world.start()
        yield world


@pytest_asyncio.fixture
async def desk(world: World) -> None:
    """The clerk sits at the duty desk for the next week."""
    now = world.clock.now()
    shift = {
        "begins": (now - timedelta(hours=1)).isoformat(timespec="seconds"),
        "ends": (now + timedelta(days=6)).isoformat(timespec="seconds"),
        "person": CLERK,
    }
    assert "empty_from" not in await world.court.put("/v1/duty-roster", {"shifts": [shift]})


async def raised(police: Agency, control: dict[str, Any]) -> str:
    opening = hit(control)
    talk = police.begin(HIT)
    talk.refs = [opening["payload"]["ref"]]
    await police.say(talk, "open", opening)
    return talk.request_no


async def told(receiver: Platform, alert_no: str, *who: tuple[str, str]) -> None:
    """Exactly these were told, in this order, once all of them were."""
    await eventually(lambda: len(receiver.told(alert_no)) >= len(who))
    assert receiver.told(alert_no) == list(who)


# --- 11 a hit at night and nobody comes ---------------------------------------------------------------------------


async def test_11_a_hit_at_night_and_nobody_comes(world: World, receiver: Platform, desk: None) -> None:
    police = await world.agency()
    control_request, control = await controlled(world, police)
    alert_no = await raised(police, control)
    await told(receiver, alert_no, A)
    (measure,) = await world.measures(control_request)
    assert measure.state == "hit"
    world.clock.pass_by(minutes=5)
    await told(receiver, alert_no, A, B)
    world.clock.pass_by(minutes=5)
    await told(receiver, alert_no, A, B, DESK)
    world.clock.pass_by(minutes=5)
    await told(receiver, alert_no, A, B, DESK, *CHIEFS)
    for private in (control["vehicle"]["plate"], control["vehicle"]["vin"], "王演示", "西环路"):
        assert not any(private in body for body in receiver.raw)
    assert receiver.of(alert_no)[0]["text"].startswith("车辆命中，紧急，预警编号")

    # The bureau chief presses the button; then the team takes the car over.
    link = receiver.of(alert_no)[-1]["acknowledge_url"]
    assert world.gateway is not None
    async with aiohttp.ClientSession() as session:
        async with session.post(world.gateway.url + link) as answer:
            assert (answer.status, (await answer.json())["state"]) == (200, "acknowledged")
        async with session.post(world.gateway.url + link) as answer:
            assert answer.status == 410
        async with session.post(world.gateway.url + link[:-1] + "!") as answer:
            assert answer.status == 404
    assert (await police.next(alert_no, "acknowledge")).body is not None
    world.clock.pass_by(minutes=30)
    await world.caught_up()
    at = standing("receipt", world.clock.now())["received_at"]
    for verb, data in (
        ("send-team", {"team": "执行一团队"}),
        ("identity-check", {"plate_ok": True, "vin_ok": True, "photo_ok": True}),
        ("handover", {"place": "卡口", "handed_by": "赵演示", "received_by": "李演示"}),
    ):
        assert (await world.court.say(alert_no, verb, {"at": at, **data})).status == 202
    (measure,) = await world.measures(control_request)
    assert measure.state == "handed-over"
    assert receiver.told(alert_no) == [A, B, DESK, *CHIEFS]


async def test_11_somebody_answers_and_nobody_else_is_woken(world: World, receiver: Platform, desk: None) -> None:
    police = await world.agency()
    control_request, control = await controlled(world, police)
    alert_no = await raised(police, control)
    await told(receiver, alert_no, A)
    at = standing("receipt", world.clock.now())["received_at"]
    assert (await world.court.say(alert_no, "acknowledge", {"at": at})).status == 202
    world.clock.pass_by(minutes=20)
    await world.caught_up()
    assert (await world.court.say(alert_no, "false-hit", {"at": at, "why": "套牌"})).status == 202
    (measure,) = await world.measures(control_request)
    assert measure.state == "active"
    assert receiver.told(alert_no) == [A]


async def test_11_a_platform_that_fails_is_seen_and_delays_nobody(world: World, receiver: Platform, desk: None) -> None:
    police = await world.agency()
    _, control = await controlled(world, police)
    receiver.deaf_for = {HANDLER}
    alert_no = await raised(police, control)
    await world.told(alert_no, "page-not-sent", "page-waiting:A:webhook:status-503")
    world.clock.pass_by(minutes=5)
    await told(receiver, alert_no, B)
    receiver.deaf_for = set()
    world.clock.pass_by(minutes=4)
    await told(receiver, alert_no, B, A)


async def test_11_a_hit_while_the_gateway_was_away(world: World, receiver: Platform, desk: None) -> None:
    """Raised into the broker while nothing ran: everybody who is overdue is told at once, in order, once."""
    police = await world.agency()
    _, control = await controlled(world, police)
    await world.stop()
    alert_no = await raised(police, control)
    world.clock.pass_by(minutes=16)
    await world.start()
    await told(receiver, alert_no, A, B, DESK, *CHIEFS)
    await world.restart()
    await world.caught_up()
    assert receiver.told(alert_no) == [A, B, DESK, *CHIEFS]


async def test_11_an_empty_desk_is_an_alarm_and_is_passed_over(world: World, receiver: Platform) -> None:
    answer = await world.court.put("/v1/duty-roster", {"shifts": []})
    assert "empty_from" in answer
    police = await world.agency()
    _, control = await controlled(world, police)
    alert_no = await raised(police, control)
    world.clock.pass_by(minutes=10)
    await told(receiver, alert_no, A, B, *CHIEFS)
    await world.told(alert_no, "incident", "page-nobody:desk")
    world.clock.pass_by(days=1)

    async def alarms() -> list[Event]:
        return await world.events(kind="duty-roster-empty")

    assert await eventually(alarms)


# --- 3 a seal lapses unnoticed ------------------------------------------------------------------------------------


async def test_3_a_seal_lapses_unnoticed(world: World) -> None:
    """Also when the gateway is away for the whole of its last month: each reminder once, in order, then the lapse."""
    police = await world.agency()
    payload = fresh_payload(SEAL, start_on=day(0), end_on=day(40))
    request_no = await world.court.ask(SEAL, payload)
    await police.answer(request_no, "result", answer_to(SEAL, payload, world.clock.now()))
    await world.reaches(request_no, "completed")
    measure_no = f"{request_no}-1"
    await world.stop()
    world.clock.pass_by(days=42)
    await world.start()
    lapsed = await world.told(request_no, "incident", f"measure-lapsed:{measure_no}:renewal-not-asked")
    assert lapsed.head is not None
    assert (lapsed.head["measure_no"], lapsed.head["cause"]) == (measure_no, "renewal-not-asked")
    events = await world.store.timeline(request_no)
    assert [e.head["days"] for e in events if e.kind == "measure-ending" and e.head] == [30, 15, 7, 3, 1]
    assert [e.kind for e in events][-1] == "incident"
    shown = await world.court.get(f"/v1/measures/{measure_no}")
    assert [step["state"] for step in shown["history"]] == ["requested", "active", "lapsed"]
    assert shown["history"][-1]["cause"] == "renewal-not-asked"

    original = {"measure_no": measure_no, "start_on": payload["start_on"], "end_on": payload["end_on"]}
    renewal = payload | {"action": "renew", "original": original, "start_on": day(41), "end_on": day(400)}
    late = await world.court.submit(
        SEAL,
        {k: v for k, v in renewal.items() if k != "debt_amount"},
        case_no=(await world.request(request_no)).case_no,
    )
    assert (late.status, late.reason) == (409, "renewal-late")
