"""The feed: complete, in order, resumable, and quick for whoever waits."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.application.queries.feed_watch import FeedWatch
from gateway.store import SqlStore
from tests.api.world import COURT, GRID, Keys, World, gathered, grid_request, serving
from tests.eventually import eventually


async def test_a_line_is_codes_and_a_cursor(world: World) -> None:
    number = await world.accepted(await world.submit(grid_request()))
    page = (await world.get("/v1/events")).json
    (event,) = page["events"]
    message = await world.stored(number, "open")
    assert event == {
        "cursor": page["cursor"],
        "at": "2026-03-24T02:10:00.000Z",
        "kind": "message",
        "request_no": number,
        "case_no": "（2026）陕0199执900002号",
        "type": "grid.verify.request",
        "verb": "open",
        "state": "approved",
        "message_id": message.id,
        "head": {"refs": ["m3x8d2va"]},
    }


async def test_it_is_read_to_the_end_without_gap_or_repetition(world: World) -> None:
    numbers = [await world.accepted(r) for r in await gathered(*(world.submit(grid_request()) for _ in range(25)))]
    seen, cursor = [], ""
    while True:
        page = (await world.get(f"/v1/events?limit=4{cursor}")).json
        seen += [e["request_no"] for e in page["events"]]
        cursor = f"&after={page['cursor']}"
        if not page["events"]:
            break
    assert sorted(seen) == sorted(numbers)
    assert len(set(seen)) == 25


async def test_any_line_is_a_place_to_go_on_from(world: World) -> None:
    for _ in range(3):
        await world.accepted(await world.submit(grid_request()))
    events = (await world.get("/v1/events")).json["events"]
    rest = (await world.get(f"/v1/events?after={events[0]['cursor']}")).json["events"]
    assert [e["request_no"] for e in rest] == [e["request_no"] for e in events[1:]]


async def test_an_empty_feed_answers_at_once_with_a_cursor(world: World) -> None:
    page = (await world.get("/v1/events")).json
    assert page["events"] == []
    await world.accepted(await world.submit(grid_request()))
    assert len((await world.get(f"/v1/events?after={page['cursor']}")).json["events"]) == 1


async def test_whoever_waits_is_woken(world: World) -> None:
    start = (await world.get("/v1/events")).json["cursor"]
    waiting = [asyncio.create_task(world.get(f"/v1/events?after={start}&wait=30")) for _ in range(5)]
    await eventually(lambda: world.api.watch.waiting == 5)
    number = await world.accepted(await world.submit(grid_request()))
    async with asyncio.timeout(10):
        pages = await gathered(*waiting)
    assert [[e["request_no"] for e in page.json["events"]] for page in pages] == [[number]] * 5
    assert world.api.watch.waiting == 0


async def test_a_wait_that_is_over_gives_an_empty_page_and_the_same_cursor(world: World) -> None:
    await world.accepted(await world.submit(grid_request()))
    start = (await world.get("/v1/events")).json["cursor"]
    page = (await world.get(f"/v1/events?after={start}&wait=1")).json
    assert page == {"events": [], "cursor": start}


async def test_what_is_anothers_wakes_nobody_with_an_empty_page(world: World) -> None:
    waiting = asyncio.create_task(world.get("/v1/events?wait=1", client="cms2"))
    await eventually(lambda: world.api.watch.waiting == 1)
    await world.accepted(await world.submit(grid_request()))
    assert (await waiting).json["events"] == []


async def test_a_cursor_older_than_what_is_kept(world: World) -> None:
    for _ in range(3):
        await world.accepted(await world.submit(grid_request()))
    events = (await world.get("/v1/events")).json["events"]
    async with world.store.database.engine.begin() as connection:
        await connection.exec_driver_sql("DELETE FROM events WHERE id <= 2")
    reply = await world.get(f"/v1/events?after={events[0]['cursor']}")
    assert (reply.status, reply.code) == (410, "cursor-gone")
    assert (await world.get(f"/v1/events?after={events[1]['cursor']}")).json["events"] == events[2:], "nothing missed"
    assert (await world.get("/v1/events")).json["events"] == events[2:]


@pytest.mark.parametrize("step", [timedelta(hours=-3), timedelta(seconds=-30), timedelta(hours=3), timedelta(days=91)])
async def test_no_step_of_the_clock_makes_a_cursor_wrong_or_another(world: World, step: timedelta) -> None:
    for _ in range(2):
        await world.accepted(await world.submit(grid_request()))
    events = (await world.get("/v1/events")).json["events"]
    world.clock.moment += step
    assert (await world.get("/v1/events")).json["events"] == events
    assert (await world.get(f"/v1/events?after={events[0]['cursor']}")).json["events"] == events[1:]


async def test_a_cursor_that_is_none_of_ours(world: World) -> None:
    for cursor in ("1", "abc", "ZjEuMQ", "cDEuYQ", "%20", "x" * 160):
        reply = await world.get(f"/v1/events?after={cursor}")
        assert (reply.status, reply.code) == (400, "bad-cursor"), cursor
    for query in ("wait=61", "wait=-1", "limit=0", "limit=1001", "after="):
        assert (await world.get(f"/v1/events?{query}")).code == "invalid-field", query


async def test_a_partners_answer_stands_in_the_feed_without_its_content(world: World) -> None:
    number = await world.accepted(await world.submit(grid_request()))
    await world.sent()
    cursor = (await world.get("/v1/events")).json["cursor"]
    data = {"received_at": "2026-03-24T10:31:52+08:00", "person": "孙示例", "badge": "061234"}
    message_id = await world.reply(number, "receipt", data, seqno=1)
    reply = await world.get(f"/v1/events?after={cursor}")
    first = reply.json["events"][0]
    assert (first["kind"], first["verb"], first["state"]) == ("message", "receipt", "received")
    assert first["message_id"] == message_id
    assert "孙示例" not in reply.body.decode()


async def test_each_party_reads_its_own_feed(world: World) -> None:
    await world.accepted(await world.submit(grid_request()))
    assert {e.audience for e in await world.store.events(COURT, 0, 10)} == {COURT}
    assert await world.store.events(GRID, 0, 10) == []
    assert (await world.get("/v1/events", client="cms2")).json["events"] == []


async def test_nobody_who_waits_keeps_the_process_from_stopping(store: SqlStore, tmp_path: Path, keys: Keys) -> None:
    async with serving(store, tmp_path / "papers", keys) as world:
        watch: FeedWatch = world.api.watch
        waiting = asyncio.create_task(world.get("/v1/events?wait=60"))
        await eventually(lambda: watch.waiting == 1)
        watch.close()
        async with asyncio.timeout(10):
            assert (await waiting).json["events"] == []
            assert (await world.get("/v1/events?wait=60")).json["events"] == []
