"""A gateway on an older copy of its database knows it, and goes on without giving anything out twice (ADR 0030)."""

from __future__ import annotations

import itertools
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest

from lianzhi.files import sqlite_files
from lianzhi.protocol.envelope import GATEWAY_PING, GATEWAY_PONG
from simulation.parties import GRID, POLICE
from tests.eventually import eventually
from tests.fault.court import VERIFY, Order
from tests.walls.library import Program, program
from tests.walls.product import Installation
from tests.words import Talk

MARK = "lianzhi.mark"
INCARNATION = "Lianzhi-Incarnation"
_numbers = itertools.count(1)


def database(site: Installation) -> Path:
    return site.folder / "lianzhi.sqlite"


def back_up(site: Installation, *, also: tuple[str, ...] = ()) -> Path:
    """A copy of the database as it is now, and of these files of the installation."""
    copy = site.root / "copy"
    copy.mkdir()
    with closing(sqlite3.connect(database(site))) as live, closing(sqlite3.connect(copy / "lianzhi.sqlite")) as kept:
        live.backup(kept)
    for name in also:
        with suppress(FileNotFoundError):  # an older version has no such file
            shutil.copy(site.folder / name, copy / name)
    return copy


async def empty_the_queue(site: Installation) -> None:
    """The broker's mark is gone; an older version has none."""
    management = site.vhost.management
    if await management.get("queues", site.vhost.name, MARK) is not None:
        await management.delete("queues", site.vhost.name, MARK, "contents")


def put_back(site: Installation, copy: Path) -> None:
    for path in sqlite_files(database(site)):
        path.unlink(missing_ok=True)
    for path in copy.iterdir():
        shutil.copy(path, site.folder / path.name)


async def hand_in(site: Installation, count: int = 1) -> list[str]:
    """The numbers of so many new requests, each made in the present incarnation of the store."""
    async with site.court.session.get("/readyz") as answer:
        told = answer.headers.get(INCARNATION)
    return [await accepted(site, new_order(site), {INCARNATION: told} if told else {}) for _ in range(count)]


def new_order(site: Installation) -> Order:
    return site.court.orders(1, [VERIFY], first=next(_numbers))[0]


async def post(
    site: Installation, order: Order, headers: Mapping[str, str] | None = None
) -> tuple[int, dict[str, Any]]:
    """One try: status and document."""
    how = {"Idempotency-Key": order.key, "Content-Type": order.handed.content_type, **(headers or {})}
    async with site.court.session.post(order.handed.path, data=order.handed.body, headers=how) as answer:
        return answer.status, await answer.json(content_type=None)


async def accepted(site: Installation, order: Order, headers: Mapping[str, str]) -> str:
    status, document = await post(site, order, headers)
    assert status == 202, document
    return str(document["request_no"])


async def starts(site: Installation) -> bool:
    """Whether `serve` serves; it has ended with an error where not."""
    process = await site.serve(wait=False)

    async def settled() -> str | None:
        if process.returncode is not None:
            return "refused"
        with suppress(aiohttp.ClientError):
            if (await site.court.readiness()) == (200, "connected"):
                return "serves"
        return None

    return await eventually(settled) == "serves"


async def go_on(site: Installation) -> None:
    """Serving again on what was put back; whoever is refused says first that it was restored."""
    if not await starts(site):
        done = await site.run("db", "restored", "--yes")
        assert done.code == 0, done.out + done.err
        assert await starts(site), site.said()


async def lose_an_hour(site: Installation, *, first: int = 2, also: tuple[str, ...] = ()) -> tuple[list[str], str]:
    """Serves, is backed up after `first` requests, goes on, stops, and is put back: the numbers and the cursor of what
    was lost."""
    process = await site.serve()
    await hand_in(site, first)
    copy = back_up(site, also=also)
    lost = await hand_in(site, 2)
    cursor = (await site.court.feed())[-1]["cursor"]
    await site.stop(process)
    put_back(site, copy)
    return lost, cursor


async def test_t1_an_older_copy_is_not_served(site: Installation) -> None:
    """Within one block of numbers: the copy lacks two requests, nothing else."""
    await lose_an_hour(site)
    assert not await starts(site), "an older copy of the database was served"
    assert "lianzhi db restored" in site.said()
    doctor = await site.run("doctor")
    assert doctor.code == 1
    assert "lianzhi db restored" in doctor.err
    asked = await site.run("db", "restored")
    assert asked.code == 1, "nothing is done before --yes"
    assert not await starts(site)


async def test_t1_numbers_go_on_past_every_number_ever_given(site: Installation) -> None:
    """The copy is of the morning: no block had been taken yet."""
    lost, _ = await lose_an_hour(site, first=0)
    await go_on(site)
    (new,) = await hand_in(site)
    assert new not in lost, "a number was given to two matters"
    assert new > max(lost)
    events = await site.court.feed()
    assert any(event["kind"] == "incident" for event in events), "nobody was told"


async def test_t1_the_mark_in_the_broker_outlives_a_snapshot_of_the_machine(site: Installation) -> None:
    await lose_an_hour(site, also=("mark.json",))
    assert not await starts(site), "an older copy of the machine was served"


async def test_t1_the_mark_beside_the_keys_outlives_a_broker_that_lost_all(site: Installation) -> None:
    await lose_an_hour(site)
    await empty_the_queue(site)
    assert not await starts(site), "an older copy of the database was served"


async def test_t1_without_any_mark_numbers_jump(site: Installation) -> None:
    lost, _ = await lose_an_hour(site)
    (site.folder / "mark.json").unlink(missing_ok=True)
    await empty_the_queue(site)
    await go_on(site)
    (new,) = await hand_in(site)
    assert new not in lost
    assert int(new.rpartition("-")[2]) > int(max(lost).rpartition("-")[2]) + 10_000_000


async def test_t1_a_cursor_of_the_lost_hour_leads_to_what_both_have_in_common(site: Installation) -> None:
    _, cursor = await lose_an_hour(site)
    await go_on(site)
    new = await hand_in(site)

    async def events(after: str) -> tuple[int, dict[str, Any]]:
        async with site.court.session.get("/v1/events", params={"after": after, "limit": "500"}) as answer:
            return answer.status, await answer.json()

    status, problem = await events(cursor)
    assert status == 410, problem
    assert problem["type"] == "urn:lianzhi:problem:other-incarnation"
    status, page = await events(problem["cursor"])
    assert status == 200, page
    assert new[0] in {event.get("request_no") for event in page["events"]}


async def test_t1_a_retry_of_the_lost_hour_is_not_done_again(site: Installation) -> None:
    process = await site.serve()
    copy = back_up(site)
    lost = [new_order(site) for _ in range(3)]
    for order in lost:
        await accepted(site, order, {})
    await site.stop(process)
    put_back(site, copy)
    await go_on(site)
    for order in lost:
        status, problem = await post(site, order)
        assert status == 409, f"done a second time: {problem}"
        assert problem["type"] == "urn:lianzhi:problem:in-doubt"
    listed = (await site.run("db", "doubts", "list", "--json")).json()
    assert {row["key"] for row in listed} == {order.key for order in lost}
    client = listed[0]["client"]
    assert (await site.run("db", "doubts", "accept", client, lost[0].key)).code == 0
    assert (await site.run("db", "doubts", "refuse", client, lost[1].key)).code == 0
    number = await accepted(site, lost[0], {})
    assert await accepted(site, lost[0], {}) == number, "and once only"
    rows = {row["key"]: row for row in (await site.run("db", "doubts", "list", "--json")).json()}
    assert [(rows[o.key]["state"], rows[o.key]["request_no"]) for o in lost] == [
        ("done", number), ("refused", ""), ("waiting", ""),
    ]  # fmt: skip
    asked = {(row["type"], row["verb"], row["receiver"]) for row in rows.values()}
    assert asked == {(VERIFY, "open", GRID)}, "nobody can tell what to ask the agency"
    assert all(row["case_no"] for row in rows.values())
    shown = await site.run("db", "doubts", "list")
    assert f"{client} {lost[2].key}\n" in shown.out, "what is to be copied is broken"
    assert rows[lost[2].key]["case_no"] in shown.out
    status, problem = await post(site, lost[1])
    assert (status, problem["type"]) == (409, "urn:lianzhi:problem:done-before")
    assert (await site.run("db", "doubts", "end")).code == 0
    await accepted(site, new_order(site), {})


async def followed(court_system: Program, request_no: str) -> None:
    def told() -> bool:
        assert court_system.process.returncode is None, court_system.log[-2000:]
        return any(line["request_no"] == request_no for line in court_system.lines)

    await eventually(told, 30)


async def test_t1_a_court_system_of_ten_lines_follows_through_two_restores(site: Installation, tmp_path: Path) -> None:
    """Both times to the same backup: the second makes a store that has never heard of the life between."""
    process = await site.serve()
    (first,) = await hand_in(site)
    copy = back_up(site)
    how = (site.url, site.court.token, tmp_path / "spool.sqlite")
    async with program(tmp_path, "ten_lines.py", *how) as court_system:
        await followed(court_system, first)
        for _ in range(2):
            await hand_in(site, 2)
            await site.stop(process)
            put_back(site, copy)
            await go_on(site)
            (new,) = await hand_in(site)
            await followed(court_system, new)
            process = site.processes[-1]
        said = court_system.log
    assert (said.count("common to both"), said.count("oldest event")) == (2, 0), "all began anew"


async def test_t1_what_a_court_system_hands_in_while_the_gateway_is_away_is_for_a_person_to_decide(
    site: Installation, tmp_path: Path
) -> None:
    """It never left this spool, and may have been handed in from another; done by `resume` once it is decided."""
    process = await site.serve()
    copy = back_up(site)
    await hand_in(site)
    await site.stop(process)
    put_back(site, copy)
    async with program(tmp_path, "ten_lines.py", site.url, site.court.token, tmp_path / "away.sqlite", "away") as away:
        await away.told("submitting")
        await eventually(lambda: "no answer" in away.log, 30)
        await go_on(site)
        assert (await away.told("raised"))[0]["code"] == "in-doubt"
        (row,) = (await site.run("db", "doubts", "list", "--json")).json()
        assert (await site.run("db", "doubts", "accept", row["client"], row["key"])).code == 0
        await away.told("accepted")


async def incident(site: Installation, reason: str) -> dict[str, Any]:
    """What the court is told, once it is."""

    async def told() -> dict[str, Any] | None:
        heads = [event.get("head") or {} for event in await site.court.feed() if event["kind"] == "incident"]
        return next((head for head in heads if head.get("reason") == reason), None)

    return await eventually(told, 15.0)


async def ask_the_grid(site: Installation) -> Talk:
    """A new request, as the grid company has received it."""
    grid = await site.agency(GRID)
    (number,) = await hand_in(site)
    return await grid.opened(number)


async def test_t1_what_a_partner_says_of_the_lost_hour_is_told(site: Installation) -> None:
    process = await site.serve()
    copy = back_up(site)
    talk = await ask_the_grid(site)
    await site.stop(process)
    put_back(site, copy)
    await go_on(site)
    await (await site.agency(GRID)).say(talk, "delivered")
    head = await incident(site, "forgotten-request")
    assert (head["sender"], head["request_no"]) == (GRID, talk.request_no)


async def test_t1_what_no_mark_can_see_is_noticed_from_the_first_partner(site: Installation) -> None:
    """Database, file and queue all set back: the gateway cannot know, until a partner speaks of what it forgot."""
    process = await site.serve()
    copy = back_up(site, also=("mark.json",))
    talk = await ask_the_grid(site)
    await site.stop(process)
    put_back(site, copy)
    await empty_the_queue(site)
    assert await starts(site), site.said()
    await (await site.agency(GRID)).say(talk, "delivered")
    assert (await incident(site, "perhaps-restored"))["request_no"] == talk.request_no


async def test_t1_a_pong_names_the_incarnation(running: Installation) -> None:
    """To a partner that reads version 2; signed, and the same that every answer of the API says."""
    police = await running.agency(POLICE)
    await police.publish(await police.make_outside(GATEWAY_PING, {"notice_version": 2}))
    await police.fence()
    await police.publish(await police.make_outside(GATEWAY_PING, {"notice_version": 1}))  # as it was, for other tests
    await police.fence()
    pongs = [taken.body for taken in police.taken if taken.envelope.type == GATEWAY_PONG]
    async with running.court.session.get("/readyz") as answer:
        told = answer.headers.get(INCARNATION)
    assert told is not None, "nobody can tell which life of the store this is"
    assert told in {body.get("incarnation") for body in pongs}


async def test_t1_a_restored_postgresql(postgres_site: Installation) -> None:
    """The same on PostgreSQL: what was lost is deleted, as a backup would not have it."""
    site = postgres_site
    process = await site.serve()
    (kept,) = await hand_in(site)
    await site.stop(process)
    await empty_the_queue(site)
    url = site.environment["LIANZHI_STORE__URL"]
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("DELETE FROM events WHERE id = (SELECT max(id) FROM events)")
    finally:
        await connection.close()
    assert not await starts(site), "an older copy of the database was served"
    done = await site.run("db", "restored", "--yes")
    assert done.code == 0, done.err
    assert await starts(site), site.said()
    (new,) = await hand_in(site)
    assert new > kept


async def test_t1_a_copied_machine_does_not_give_numbers_beside_the_first(site: Installation) -> None:
    """Two from one snapshot: whoever comes second meets a mark that it did not write."""
    process = await site.serve()
    await hand_in(site)
    await site.stop(process)
    copy = back_up(site, also=("mark.json",))
    process = await site.serve()
    await site.stop(process)
    put_back(site, copy)
    assert not await starts(site), "both copies were served"


@pytest.mark.slow
async def test_t1_one_mark_is_enough_and_is_said(running: Installation) -> None:
    """The file's place is taken by a folder: the gateway goes on with the broker's mark, and says so."""
    async with running.court.session.get("/readyz") as answer:
        ready = await answer.json()
    assert ready.get("marks") == "both", ready
    mark = running.folder / "mark.json"
    kept = mark.rename(mark.with_name("kept.json"))
    mark.mkdir()
    try:
        doctor = await running.run("doctor")
        assert doctor.code == 1
        assert "mark.json" in doctor.err
    finally:
        mark.rmdir()
        kept.rename(mark)
