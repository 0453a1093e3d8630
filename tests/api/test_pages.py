"""Pages: who is told of an alert through which channel, what happens when one fails, and how a page is answered."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from pydantic import ValidationError

from gateway.application.alerts.duty_roster import watch_roster
from gateway.application.alerts.page_answers import LINK
from gateway.application.alerts.paging import Pager
from gateway.application.page_links import page_link
from gateway.core.records import Event
from gateway.core.routing import Directory
from gateway.core.settings import Settings
from gateway.notify import WebhookNotifier
from gateway.registry.forms import ClientSystem
from gateway.store import SqlStore
from schemas.catalogue import Kind, catalogue
from tests.api.world import COURT, NEIGHBOUR, NOW, POLICE, Keys, World, participants, seal_request, serving
from tests.faults import HIT, SEAL
from tests.platform import SECRET, Platform, platform
from tests.stored import pages_of

ALERT = f"{POLICE}-20260324-000001"
A, B, CLERK = "sn0199-0007", "sn0199-0011", "sn0199-0031"
CHIEFS = ("sn0199-0003", "sn0199-0005")  # both hold the role
LEAVING = "sn0199-0044"
SETTINGS = Settings(page_channels=("webhook", "mail"))


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Platform]:
    async with platform() as receiver:
        yield receiver


@pytest_asyncio.fixture
async def world(store: SqlStore, tmp_path: Path, keys: Keys) -> AsyncIterator[World]:
    """B has mail; the others are reached by the platform alone."""
    parties = participants()
    staff = dict(parties[0].staff)
    staff[B] = replace(staff[B], mail="b@court.example")
    staff[LEAVING] = replace(staff[A], no=LEAVING, until=NOW.date())
    parties[0] = replace(parties[0], staff=staff)
    async with serving(store, tmp_path / "papers", keys, settings=SETTINGS, parties=parties) as world:
        yield world


async def raised(world: World, *, days: int = 0, **control: Any) -> None:
    """A hit on a seal of ours, so many days later. control: members of the submission that asked for it."""
    await world.put_pdf()
    number = await world.accepted(await world.submit_signed(seal_request(**control)))
    await world.sent()
    await world.reply(number, "result", dict(catalogue()[SEAL].example_result), seqno=1)
    measure = (await world.get(f"/v1/measures/{number}-1")).json
    world.clock.advance(days=days)
    payload = dict(catalogue()[HIT].example_request) | {"control_no": measure["control_no"]}
    await world.raised(HIT, payload, ALERT)


async def due(world: World, **passed: float) -> None:
    world.clock.advance(**passed)
    while await world.clockwork.once():
        pass


async def pages(world: World) -> list[tuple[str, str, str, str]]:
    return [(p.level, p.person, p.channel, p.state) for p in await pages_of(world.store, ALERT)]


async def incidents(world: World, kind: str = "incident") -> list[str | None]:
    return [e.detail for e in await world.store.timeline(ALERT) if e.kind == kind]


def pager(world: World, receiver: Platform) -> tuple[Pager, WebhookNotifier]:
    notifier = WebhookNotifier(receiver.url, SECRET, "https://lianzhi.court.example")
    return Pager(world.context, [notifier]), notifier


async def on_duty(world: World, *shifts: dict[str, str], client: str = "cms1") -> Any:
    return await world.call("PUT", "/v1/duty-roster", json={"shifts": list(shifts)}, client=client)


def shift(world: World, begins: float, ends: float, person: str = CLERK) -> dict[str, str]:
    """Hours from now."""
    moments = [(world.clock.now() + timedelta(hours=h)).isoformat(timespec="seconds") for h in (begins, ends)]
    return {"begins": moments[0], "ends": moments[1], "person": person}


# --- who is paged ---------------------------------------------------------------------------------------------------


async def test_each_level_in_its_time_through_every_channel_that_reaches(world: World) -> None:
    await on_duty(world, shift(world, -1, 12))
    await raised(world)
    assert await pages(world) == [("A", A, "webhook", "waiting")]
    await due(world, minutes=5)
    both = [("B", B, "webhook", "waiting"), ("B", B, "mail", "waiting")]
    assert (await pages(world))[1:] == both
    await due(world, minutes=5)
    assert (await pages(world))[3:] == [("desk", CLERK, "webhook", "waiting")]
    await due(world, minutes=5)
    assert (await pages(world))[4:] == [("chief", chief, "webhook", "waiting") for chief in CHIEFS]
    await due(world, days=1)
    assert len(await pages(world)) == 6
    assert await incidents(world, "page") == [
        f"A:{A}",
        f"B:{B}",
        f"desk:{CLERK}",
        *(f"chief:{chief}" for chief in CHIEFS),
    ]


async def test_where_nobody_is_to_be_found_the_next_level_is_paged_at_once(world: World) -> None:
    await raised(world, backup_handler=None)
    await due(world, minutes=5)
    assert [p[:2] for p in await pages(world)] == [("A", A), *(("chief", chief) for chief in CHIEFS)]
    assert await incidents(world) == ["page-nobody:B", "page-nobody:desk"]
    await due(world, hours=1)
    assert len(await pages(world)) == 3


async def test_who_left_is_not_paged(world: World) -> None:
    """A left the court between the control and the hit: B at once."""
    await raised(world, days=2, handler=LEAVING)
    assert [p[:3] for p in await pages(world)] == [("B", B, "webhook"), ("B", B, "mail")]
    assert await incidents(world) == ["page-nobody:A"]


async def test_without_a_channel_it_is_an_incident_and_the_feed_still_tells(
    store: SqlStore, tmp_path: Path, keys: Keys
) -> None:
    async with serving(store, tmp_path / "papers", keys, settings=Settings()) as world:
        await raised(world)
        assert await pages(world) == []
        assert await incidents(world) == [f"page-no-channel:A:{A}"]
        await due(world, minutes=20)
        assert [d for d in await incidents(world) if d and "chief" in d] == [
            f"page-no-channel:chief:{chief}" for chief in CHIEFS
        ]


async def test_an_answer_stops_the_pages(world: World) -> None:
    await raised(world)
    body = {"verb": "send-team", "by": A, "data": {"at": "2026-03-24T10:30:00+08:00", "team": "执行一团队"}}
    assert (await world.post(f"/v1/requests/{ALERT}/messages", body)).status == 202
    assert await pages(world) == [("A", A, "webhook", "cancelled")]
    await due(world, hours=1)
    assert len(await pages(world)) == 1
    assert (await world.store.counts())["timers"].keys() & {"page:B", "page:desk", "page:chief"} == set()


# --- how they are sent ------------------------------------------------------------------------------------------------


async def test_a_page_says_which_alert_and_no_more(world: World, receiver: Platform) -> None:
    await raised(world)
    work, notifier = pager(world, receiver)
    assert (await work.once(), await work.once()) == (1, 0)
    (told,) = receiver.of(ALERT)
    assert (told["to"], told["level"], told["matter"], told["urgency"]) == (A, "A", HIT, "urgent")
    zh, en = told["text"].splitlines()
    assert zh == f"车辆命中，紧急，预警编号 {ALERT}，2026-03-24 10:10。请立即确认。"
    assert en.startswith(f"A controlled vehicle was seen, urgent, alert {ALERT}")
    assert told["acknowledge_url"].startswith(f"https://lianzhi.court.example/v1/pages/{told['page_id']}/")
    assert await pages(world) == [("A", A, "webhook", "sent")]
    await notifier.close()


async def test_a_channel_that_fails_is_tried_again_and_seen(world: World, receiver: Platform) -> None:
    await raised(world)
    work, notifier = pager(world, receiver)
    receiver.answers = [503, 302]
    assert await work.once() == 1
    assert await incidents(world, "page-not-sent") == ["page-waiting:A:webhook:status-503"]
    assert await work.once() == 0  # not before its back-off
    world.clock.advance(seconds=6)
    assert await work.once() == 1
    world.clock.advance(seconds=11)
    assert await work.once() == 1
    assert receiver.told(ALERT) == [("A", A)]
    (page,) = await pages_of(world.store, ALERT)
    assert (page.state, page.attempts, page.sent_at) == ("sent", 3, world.clock.now())
    await notifier.close()


async def test_a_page_that_cannot_be_sent_is_given_up_as_an_incident(world: World, receiver: Platform) -> None:
    await raised(world)
    work, notifier = pager(world, receiver)
    receiver.answers = [500] * SETTINGS.page_attempts
    for _ in range(SETTINGS.page_attempts):
        assert await work.once() == 1
        world.clock.advance(minutes=6)
    assert await incidents(world) == ["page-failed:A:webhook:status-500"]
    assert (await world.store.counts())["pages"] == {"failed": 1}
    metrics = await world.metrics()
    assert 'lianzhi_pages{state="failed"} 1.0' in metrics
    await notifier.close()


async def test_a_channel_that_is_not_there_any_more_fails_like_any_other(world: World, receiver: Platform) -> None:
    await raised(world)
    await due(world, minutes=5)
    work, notifier = pager(world, receiver)
    assert await work.once() == 3
    assert receiver.told(ALERT) == [("A", A), ("B", B)]
    assert await incidents(world, "page-not-sent") == ["page-waiting:B:mail:no-channel"]
    await notifier.close()


class Broken:
    """A channel over which our own code fails."""

    channel = "webhook"

    async def send(self, notification: Any, now: Any) -> None:
        raise UnicodeError("王演示")

    async def close(self) -> None:
        return


async def test_a_page_that_our_own_code_fails_over_is_that_pages(
    world: World, receiver: Platform, capsys: pytest.CaptureFixture[str]
) -> None:
    """Told, counted, tried again, and an incident in the end; the pager goes on."""
    await raised(world)
    work, notifier = pager(world, receiver)
    broken = Pager(world.context, [Broken()])
    assert await broken.once() == 1
    assert await incidents(world, "page-not-sent") == ["page-waiting:A:webhook:fault-UnicodeError"]
    assert world.context.faults.counts() == {("page", "UnicodeError"): 1}
    assert 'lianzhi_rows_set_aside_total{fault="UnicodeError",work="page"} 1.0' in await world.metrics()
    assert "王演示" not in capsys.readouterr().out
    world.clock.advance(seconds=6)
    assert await work.once() == 1
    assert receiver.told(ALERT) == [("A", A)]
    await notifier.close()


async def test_a_page_of_a_participant_that_is_gone_fails_like_any_other(world: World, receiver: Platform) -> None:
    await raised(world)
    parties = [replace(p, staff={}) for p in world.context.directory if p.code != POLICE]
    notifier = WebhookNotifier(receiver.url, SECRET)
    work = Pager(replace(world.context, directory=Directory(parties)), [notifier])
    for _ in range(SETTINGS.page_attempts):
        receiver.answers = [500]
        assert await work.once() == 1
        world.clock.advance(minutes=6)
    assert await incidents(world) == ["page-failed:A:webhook:status-500"]
    await notifier.close()


# --- how they are answered --------------------------------------------------------------------------------------------


async def link(world: World) -> str:
    (page,) = await pages_of(world.store, ALERT)
    return page_link(world.context.hash_key, page.page_id)


async def test_the_link_acknowledges_once_in_the_name_of_who_was_paged(world: World) -> None:
    await raised(world)
    path = await link(world)
    reply = await world.call("POST", path, client=None)
    assert (reply.status, reply.json["state"], reply.json["alert"]) == (200, "acknowledged", ALERT)
    again = await world.call("POST", path, client=None)
    assert (again.status, again.code, again.rules) == (410, "link-gone", [("/token", "link-used")])
    messages = [m for m in await world.store.messages(ALERT) if m.verb == "acknowledge"]
    assert len(messages) == 1
    shown = (await world.get(f"/v1/requests/{ALERT}/messages")).json["messages"][-1]
    assert shown["data"]["by"] == A
    assert await pages(world) == [("A", A, "webhook", "acknowledged")]


def test_no_client_shares_the_pages_answers() -> None:
    assert LINK.id not in [client.id for person in participants() for client in person.clients]
    with pytest.raises(ValidationError):
        ClientSystem(id=LINK.id, scopes=[], token_sha256="0" * 64)


async def test_an_alert_that_was_answered_stays_as_it_is(world: World) -> None:
    await raised(world)
    body = {"verb": "false-hit", "by": A, "data": {"at": "2026-03-24T10:30:00+08:00", "why": "套牌"}}
    await world.post(f"/v1/requests/{ALERT}/messages", body)
    reply = await world.call("POST", await link(world), client=None)
    assert (reply.status, reply.code, reply.rules) == (410, "link-gone", [("/token", "alert-answered")])
    assert (await world.get(f"/v1/requests/{ALERT}")).json["state"] == "false-hit"


@pytest.mark.parametrize(
    ("damage", "status", "code"),
    [
        (lambda path: path[:-1] + ("A" if path[-1] != "A" else "B"), 404, "not-found"),
        (lambda path: path.replace("/v1/pages/", "/v1/pages/0"), 404, "not-found"),
        (lambda path: path[:-1], 404, "not-found"),
        (lambda path: path + "%E4%BB%A4", 404, "not-found"),
        (lambda path: path + "?token=x", 422, "invalid-field"),
        (lambda path: path.rpartition("/")[0], 410, "link-gone"),
        (lambda path: "?token=".join(path.rsplit("/", 1)), 410, "link-gone"),
    ],
    ids=["token", "page", "short", "other characters", "parameter", "none", "of the old form"],
)
async def test_a_link_that_is_none(world: World, damage: Any, status: int, code: str) -> None:
    await raised(world)
    reply = await world.call("POST", damage(await link(world)), client=None)
    assert (reply.status, reply.code) == (status, code)
    assert await pages(world) == [("A", A, "webhook", "waiting")]


# --- the roster -------------------------------------------------------------------------------------------------------


async def alarms(world: World) -> list[Event]:
    return [e for e in await world.store.events(COURT, 0, 1000) if e.kind == "duty-roster-empty"]


async def test_a_roster_is_put_and_read(world: World) -> None:
    first, second = shift(world, -2, 13), shift(world, 13, 40, B)
    reply = await on_duty(world, first, second)
    assert (reply.status, "empty_from" in reply.json) == (200, False)
    shown = (await world.get("/v1/duty-roster")).json
    assert [s["person"] for s in shown["shifts"]] == [CLERK, B]
    assert (await world.get("/v1/duty-roster", "cms2")).json["shifts"] == []
    world.clock.advance(hours=20)
    assert [s["person"] for s in (await world.get("/v1/duty-roster")).json["shifts"]] == [B]
    assert (await on_duty(world)).json == {"shifts": [], "empty_from": "2026-03-24T22:10:00.000Z"}


async def test_what_is_no_roster(world: World) -> None:
    good = shift(world, 0, 12)
    for shifts, rules in (
        ([shift(world, 12, 0)], [("/shifts/0/ends", "shift-order")]),
        ([shift(world, 0, 24 * 8)], [("/shifts/0/ends", "shift-too-long")]),
        ([good, good], [("/shifts/1", "duplicate-value")]),
        ([good | {"person": "sn0199-0099"}], [("/shifts/0/person", "unknown-staff")]),
        ([good | {"phone": "13800138000"}], [("/shifts/0/phone", "extra-member")]),
    ):
        reply = await on_duty(world, *shifts)
        assert reply.status == 422
        assert reply.rules == rules
    assert (await on_duty(world, good, client="reader")).code == "forbidden"
    assert (await world.get("/v1/duty-roster")).json["shifts"] == []


async def test_an_empty_day_ahead_is_an_alarm_once_a_day(world: World) -> None:
    await watch_roster(world.context)
    await watch_roster(world.context)  # as after a restart
    await due(world)
    await due(world)
    assert [e.head and e.head["from"] for e in await alarms(world)] == ["2026-03-24T02:10:00.000Z"]
    await watch_roster(world.context)
    await due(world, hours=21)
    assert len(await alarms(world)) == 1
    await due(world, hours=1)
    assert len(await alarms(world)) == 2
    await on_duty(world, shift(world, -1, 100))
    await due(world, days=2)
    assert len(await alarms(world)) == 2


# --- raised over the API ----------------------------------------------------------------------------------------------


async def test_police_who_use_the_api_page_people_too(store: SqlStore, tmp_path: Path, keys: Keys) -> None:
    """A bureau with channel `http`: the same checks, the same measure, the same pages."""
    ours, neighbour, *rest = participants()
    bureau = replace(neighbour, kind=Kind.POLICE, dialect="police/1", accepts=("*",), opens=("*",))
    parties = [ours, bureau, *rest]
    async with serving(store, tmp_path / "papers", keys, settings=SETTINGS, parties=parties) as world:
        await world.put_pdf()
        number = await world.accepted(await world.submit_signed(seal_request(), NEIGHBOUR))
        result = {"verb": "result", "by": "sn0528-0002", "data": dict(catalogue()[SEAL].example_result)}
        assert (await world.post(f"/v1/requests/{number}/messages", result, client="cms2")).status == 202
        control_no = (await world.get(f"/v1/measures/{number}-1")).json["control_no"]
        payload = dict(catalogue()[HIT].example_request)
        alert = {
            "type": HIT,
            "schema_version": 1,
            "receiver": COURT,
            "legal_basis": ["CPL-253"],
            "purpose": "hit",
            "urgency": "immediate",
            "handler": "sn0528-0002",
            "drafted_by": "sn0528-0002",
        }
        unknown = await world.submit({**alert, "payload": payload | {"control_no": "BK0000000000001"}}, client="cms2")
        assert (unknown.status, unknown.code) == (409, "unknown-control")
        other = payload | {"control_no": control_no, "ref": "zzzzzzz9"}
        assert (await world.submit({**alert, "payload": other}, client="cms2")).code == "unknown-ref"
        reply = await world.submit({**alert, "payload": payload | {"control_no": control_no}}, client="cms2")
        raised_no = await world.accepted(reply)
        assert (await world.get(f"/v1/measures/{number}-1")).json["state"] == "hit"
        assert [(p.level, p.person) for p in await pages_of(store, raised_no)] == [("A", A)]
        await due(world, minutes=5)
        assert {p.person for p in await pages_of(store, raised_no)} == {A, B}
        body = {"verb": "acknowledge", "by": A, "data": {"at": "2026-03-24T10:30:00+08:00"}}
        assert (await world.post(f"/v1/requests/{raised_no}/messages", body)).json["state"] == "acknowledged"
