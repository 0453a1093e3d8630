"""What operators do, over the real socket, beside a gateway, a broker and agencies that work.

Who acts is a system user: whoever runs the tests, and users that are made for them where that is root.
"""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
import tomlkit

from gateway.commands.operating.client import asked
from gateway.core.records import Changes, Event, QuarantineRow
from gateway.http.operating.place import socket_of
from gateway.registry.config import FILE
from lianzhi.cli.layout import columns_of
from lianzhi.cli.output import FOUND_WRONG
from simulation.parties import GRID, HOME, POLICE
from simulation.private_broker import PrivateBroker
from tests.dead import thrown_away
from tests.eventually import eventually
from tests.faults import GRID as VERIFY
from tests.faults import PERSON
from tests.operators import (
    HE,
    LI,
    LISTED,
    OWN,
    WANG,
    ZHAO,
    Ended,
    as_user,
    list_operators,
    needs_root,
    passable_folder,
    run_as,
    system_users,
)
from tests.refusals import altered, bytes_of, on_stage
from tests.world import World, open_world

pytestmark = pytest.mark.slow  # a process for each command

LIANZHI = Path(sys.executable).with_name("lianzhi")


class Desk:
    """Commands against the running gateway, as whoever."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.folder = world.parties.folder

    async def run(self, *words: str, user: str | None = None) -> Ended:
        return await run_as(user, [str(LIANZHI), *words], self.folder)

    async def done(self, *words: str, user: str | None = None) -> Any:
        """What a command that succeeds says with `--json`."""
        ended = await self.run(*words, "--json", user=user)
        assert ended.code == 0, ended.err
        return ended.json()

    async def refused(self, *words: str, user: str | None = None) -> str:
        """What a command that is refused says."""
        ended = await self.run(*words, user=user)
        assert ended.code == FOUND_WRONG, (ended.out, ended.err)
        return ended.err

    async def acts(self, act: str, about: str) -> list[Mapping[str, Any]]:
        """The events of that act, in the court's feed."""
        heads = [e.head for e in await self.world.events(kind="operated") if e.head]
        return [head for head in heads if (head["act"], head["about"]) == (act, about)]


@pytest_asyncio.fixture(scope="module")
async def world(broker: PrivateBroker) -> AsyncIterator[World]:
    """Other users are listed when it starts, so that their group may pass through the folder."""
    with passable_folder() as folder:
        async with open_world(broker, folder) as world:
            list_operators(world.parties.folder)
            await world.start()
            yield world


@pytest.fixture(scope="module")
def users() -> Iterator[None]:
    with system_users():
        yield


@pytest_asyncio.fixture
async def desk(world: World) -> AsyncIterator[Desk]:
    yield Desk(world)
    list_operators(world.parties.folder)


async def quarantined(world: World) -> str:
    """Bytes of the police's that are no message; the number of their row."""
    world.clock.pass_by(seconds=61)
    police = await world.agency()
    bad = bytes_of(f"rubbish {os.urandom(8).hex()}".encode())
    await police.publish(bad)
    return number_of(await world.quarantined(bad))


def number_of(row: QuarantineRow) -> str:
    assert row.id is not None
    return str(row.id)


async def dead_request(world: World) -> str:
    """A request whose `open` the agency's program has thrown away: the broker dead-lettered it."""
    return await thrown_away(world, GRID, VERIFY)


# --- quarantine


async def test_a_row_is_closed_once_with_a_reason_and_one_event(world: World, desk: Desk) -> None:
    number = await quarantined(world)
    assert int(number) in [row["id"] for row in await desk.done("quarantine", "list")]
    closed = await desk.done("quarantine", "close", number, "--why", "测试数据，已与单位核对")
    assert (closed["changed"], closed["user"]) == (True, OWN)
    assert int(number) not in [row["id"] for row in await desk.done("quarantine", "list")]
    assert (await desk.done("quarantine", "show", number))["ended"]["why"] == "测试数据，已与单位核对"

    again = await desk.done("quarantine", "close", number, "--why", "另一个理由")
    assert (again["changed"], again["why"]) == (False, "测试数据，已与单位核对")
    (event,) = await desk.acts("quarantine-close", f"quarantine:{number}")
    assert (event["user"], event["name"], event["why"]) == (OWN, "演示操作员", "测试数据，已与单位核对")
    (act,) = await desk.done("acts", "--about", f"quarantine:{number}")
    assert (act["act"], act["user"], act["result"]) == ("quarantine-close", OWN, "closed")


async def test_of_two_who_close_at_once_one_wins_and_the_other_hears(world: World, desk: Desk) -> None:
    number = await quarantined(world)
    both = await asyncio.gather(
        *(desk.done("quarantine", "close", number, "--why", why) for why in ("理由一", "理由二"))
    )
    assert sorted(told["changed"] for told in both) == [False, True]
    assert len({told["why"] for told in both}) == 1
    assert len(await desk.acts("quarantine-close", f"quarantine:{number}")) == 1


async def test_a_closed_row_whose_bytes_come_again_is_open_again(world: World, desk: Desk) -> None:
    world.clock.pass_by(seconds=61)
    police = await world.agency()
    bad = bytes_of(f"rubbish {os.urandom(8).hex()}".encode())
    await police.publish(bad)
    number = number_of(await world.quarantined(bad))
    await desk.done("quarantine", "close", number, "--why", "已核对")
    await police.publish(bad)
    await world.quarantined(bad, count=2)
    assert int(number) in [row["id"] for row in await desk.done("quarantine", "list")]
    assert (await desk.done("quarantine", "close", number, "--why", "再次核对"))["changed"]


async def test_what_a_fault_of_ours_parked_is_taken_in_after_it_is_mended(world: World, desk: Desk) -> None:
    world.clock.pass_by(seconds=61)
    scene = await on_stage(world, PERSON)
    poison = await scene.says("accept")
    world.gates.breaks.add(poison.id)
    await scene.agency.publish(poison)
    number = number_of(await world.quarantined(poison))
    world.gates.breaks.clear()
    assert (await desk.done("quarantine", "retry", number))["result"] == "taken"
    await world.reaches(scene.request_no, "accepted")
    assert not (await desk.done("quarantine", "retry", number))["changed"]
    assert [e["result"] for e in await desk.acts("quarantine-retry", f"quarantine:{number}")] == ["taken"]


async def test_what_is_wrong_still_is_refused_again_and_told_why(world: World, desk: Desk) -> None:
    world.clock.pass_by(seconds=61)
    scene = await on_stage(world, PERSON)
    broken = await altered(scene)
    await scene.agency.publish(broken)
    row = await world.quarantined(broken)
    before = await world.standing(scene.request_no)
    ended = await desk.run("quarantine", "retry", number_of(row), "--json")
    assert ended.code == FOUND_WRONG
    assert (ended.json()["result"], ended.json()["reason"]) == ("refused", row.reason)
    assert await world.standing(scene.request_no) == before
    assert (await world.quarantined(broken)).count == 1


async def test_a_message_that_used_up_its_number_is_not_judged_again(world: World, desk: Desk) -> None:
    world.clock.pass_by(seconds=61)
    scene = await on_stage(world, PERSON)
    wrong = await scene.agency.say(scene.talk, "progress", caseno="（2026）陕0199执1号")
    number = number_of(await world.quarantined(wrong))
    assert "顺序号已用掉" in await desk.refused("quarantine", "retry", number)


async def test_a_reason_with_a_number_of_a_person_is_refused(world: World, desk: Desk) -> None:
    number = await quarantined(world)
    told = await desk.refused("quarantine", "close", number, "--why", "当事人 610102199001011234 已核对")
    assert "身份证号" in told and "610102199001011234" not in told
    assert int(number) in [row["id"] for row in await desk.done("quarantine", "list")]


# --- what goes out


async def test_what_is_paused_waits_and_goes_afterwards(world: World, desk: Desk) -> None:
    """Shown everywhere, the same after a restart, and nobody else's messages wait."""
    await world.agency()  # takes what comes for the police
    paused = await desk.done("pause", "--partner", GRID, "--why", "对方检修")
    assert paused["changed"] and paused["quiet"]
    assert (await desk.done("pause", "--partner", GRID, "--why", "另一个理由"))["why"] == "对方检修"
    held, other = await world.court.ask(VERIFY), await world.court.ask(PERSON)
    await world.reaches(other, "dispatched")
    assert (await world.request(held)).state == "approved"
    assert (await of_partner(desk, GRID))["paused"] == f"operator:{OWN}"
    assert f'lianzhi_paused_by_operator{{name="{GRID}",scope="partner"}} 1.0' in await metrics(world)

    await world.restart()
    assert [row["name"] for row in await desk.done("pauses")] == [GRID]
    after = await world.court.ask(PERSON)
    await world.reaches(after, "dispatched")
    assert (await world.request(held)).state == "approved"
    assert (await desk.done("resume", "--partner", GRID))["changed"]
    await world.reaches(held, "dispatched")
    assert not (await desk.done("resume", "--partner", GRID))["changed"]
    assert [e["act"] for e in await desk.acts("resume", f"partner:{GRID}")] == ["resume"]


async def test_one_type_is_paused_and_the_others_to_the_same_partner_go(world: World, desk: Desk) -> None:
    await world.agency()
    assert (await desk.done("pause", "--type", PERSON, "--why", "文书待改"))["changed"]
    held = await world.court.ask(PERSON)
    other = await world.court.ask("police.person-info.query")
    await world.reaches(other, "dispatched")
    assert (await world.request(held)).state == "approved"
    await desk.done("resume", "--type", PERSON)
    await world.reaches(held, "dispatched")


async def test_everything_is_paused_by_a_supervisor(world: World, desk: Desk) -> None:
    assert (await desk.done("pause", "--all", "--why", "数据库迁移"))["changed"]
    held = await world.court.ask(VERIFY)
    assert (await of_partner(desk, POLICE))["paused"] == f"operator:{OWN}"
    assert (await world.request(held)).state == "approved"
    await desk.done("resume", "--all")
    await world.reaches(held, "dispatched")


async def test_a_pause_of_nothing_that_exists_is_refused(desk: Desk) -> None:
    assert "没有登记这个单位" in await desk.refused("pause", "--partner", "police-nowhere", "--why", "试")
    assert "没有这种事项" in await desk.refused("pause", "--type", "no.such.type", "--why", "试")
    assert (await desk.run("pause", "--why", "试")).code == 2


async def test_a_drained_gateway_says_so_and_takes_nothing_more(world: World, desk: Desk) -> None:
    drained = await desk.done("drain")
    assert drained["done"] and drained["at_work"] == 0
    held = await world.court.ask(VERIFY)
    assert (await desk.done("drain"))["waiting"] >= 1
    assert (await world.request(held)).state == "approved"
    await desk.done("drain", "--undo")
    await world.reaches(held, "dispatched")
    assert len(await desk.acts("drain", "process")) == 1


async def test_a_request_goes_again_as_it_was(world: World, desk: Desk) -> None:
    scene = await on_stage(world, PERSON)
    before = await world.request(scene.request_no)
    again = await desk.done("resend", scene.request_no, "--why", "对方称未收到")
    (open_,) = [m for m in await world.store.messages(scene.request_no) if m.verb == "open"]
    assert [sent["message_id"] for sent in again["sent_again"]] == [open_.id]
    await world.sent_all()
    await scene.agency.fence()
    assert (await world.request(scene.request_no)).state == before.state
    event = await world.told(scene.request_no, "operated")
    assert event.head is not None and event.head["why"] == "对方称未收到"
    assert "没有这件请求" in await desk.refused("resend", "court-sn0199-20200101-000001", "--why", "试")


# --- dead messages


@needs_root
@pytest.mark.usefixtures("users")
async def test_a_replay_takes_two_system_users(world: World, desk: Desk) -> None:
    number = await dead_request(world)
    (dead,) = [row for row in await desk.done("dead", "list", user=LI) if row["request_no"] == number]
    assert (dead["state"], dead["verb"], dead["request_state"]) == ("dead", "open", "undeliverable")
    plan = await desk.done("dead", "plan", "--request", number, "--why", "对方程序已改好", user=LI)
    assert [item["message_id"] for item in plan["items"]] == [dead["message_id"]]

    which, digest = str(plan["plan"]), plan["digest"][:12]
    assert "须由另一名操作人" in await desk.refused("dead", "replay", which, "--digest", digest, user=LI)
    assert "角色是 viewer" in await desk.refused("dead", "replay", which, "--digest", digest, user=HE)
    assert "未列入操作人" in await desk.refused("dead", "replay", which, "--digest", digest, user=ZHAO)
    assert "摘要与该计划的不符" in await desk.refused("dead", "replay", which, "--digest", "0" * 12, user=WANG)
    assert (await world.request(number)).state == "undeliverable"

    told = await desk.done("dead", "replay", which, "--digest", digest, user=WANG)
    assert (told["changed"], told["sent_again"], told["left"], told["ended_by"]) == (True, 1, 0, WANG)
    await world.reaches(number, "dispatched")
    office = await world.office(GRID)
    await office.next(number, "open")
    assert [m.id for m in await world.store.messages(number) if m.verb == "open"] == [dead["message_id"]]
    again = await desk.done("dead", "replay", which, user=OWN)
    assert (again["changed"], again["ended_by"]) == (False, WANG)
    (planned,) = await desk.acts("replay-plan", f"plan:{which}")
    (begun,) = await desk.acts("replay", f"plan:{which}")
    (done,) = await desk.acts("replay-end", f"plan:{which}")
    assert (planned["user"], begun["user"], done["user"]) == (LI, WANG, WANG)
    assert (begun["result"], done["result"]) == ("begun:1", "sent-again:1")


async def three_planned(world: World, desk: Desk) -> tuple[list[str], str]:
    """(requests that are dead, the plan that the first person made of them)."""
    numbers = [await dead_request(world) for _ in range(3)]
    wanted = [word for number in numbers for word in ("--request", number)]
    plan = await desk.done("dead", "plan", *wanted, "--why", "一并重发", user=LI)
    return numbers, str(plan["plan"])


@asynccontextmanager
async def slowly(world: World, seconds: float) -> AsyncIterator[None]:
    """So long between two messages of a replay, by the file alone: the gateway takes it over while it serves."""
    path = world.parties.folder / FILE
    before = path.read_text("utf-8")
    assert world.gateway is not None
    document = tomlkit.parse(before)
    document.setdefault("limits", tomlkit.table())["replayed_per_second"] = 1 / seconds
    path.write_text(tomlkit.dumps(document), "utf-8")
    assert await world.gateway.reloader.once("signal")
    try:
        yield
    finally:
        path.write_text(before, "utf-8")
        assert await world.gateway.reloader.once("signal")


@asynccontextmanager
async def replaying(desk: Desk, which: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """The second person's command, one message of whose plan has gone; the next one takes its time."""
    words = as_user(WANG, [str(LIANZHI), "dead", "replay", which, "--dir", str(desk.folder)], desk.folder)
    environment = {**os.environ, "COLUMNS": "80", "HOME": "/"}
    process = await asyncio.create_subprocess_exec(*words, stdout=PIPE, stderr=PIPE, env=environment, cwd="/")
    try:

        async def one_went() -> bool:
            plan = await desk.world.store.operating.plan(int(which))
            return plan is not None and plan.sent == 1

        await eventually(one_went)
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def outcomes(desk: Desk, which: str) -> list[str | None]:
    return [item["outcome"] for item in (await desk.done("dead", "show", which))["items"]]


async def stopped_after(world: World, desk: Desk, numbers: list[str], which: str) -> int:
    """How many went before the plan was stopped, the oldest first: one, or two where the stop came while the second was
    at work. The rest is as dead as it was."""
    found = await outcomes(desk, which)
    sent = found.count("sent")
    assert found == ["sent"] * sent + [None] * (3 - sent) and 1 <= sent <= 2
    for number in numbers[:sent]:
        await world.reaches(number, "dispatched")
    assert {(await world.request(number)).state for number in numbers[sent:]} == {"undeliverable"}
    return sent


@needs_root
@pytest.mark.usefixtures("users")
async def test_ctrl_c_ends_a_replay_between_two_messages(world: World, desk: Desk) -> None:
    numbers, which = await three_planned(world, desk)
    async with slowly(world, 10), replaying(desk, which) as process:
        process.send_signal(signal.SIGINT)
        out, err = await process.communicate()
    assert process.returncode == FOUND_WRONG, err.decode()
    sent = await stopped_after(world, desk, numbers, which)
    assert f"{3 - sent} 件没有发出" in out.decode() and f"did not go: {3 - sent}" in out.decode()
    (stopped,) = await desk.acts("replay-cancel", f"plan:{which}")
    assert (stopped["user"], stopped["result"]) == (WANG, f"sent-again:{sent}:left:{3 - sent}")
    assert "须重新拟定" in await desk.refused("dead", "replay", which, user=WANG)


@needs_root
@pytest.mark.usefixtures("users")
async def test_another_person_cancels_a_replay_and_its_terminal_says_so(world: World, desk: Desk) -> None:
    numbers, which = await three_planned(world, desk)
    async with slowly(world, 10), replaying(desk, which) as process:
        # As the command does, but at once: on a busy machine the command would come when all is over.
        told = await asyncio.to_thread(asked, desk.folder, "POST", f"/plans/{which}/cancel")
        out, _ = await process.communicate()
    assert process.returncode == FOUND_WRONG
    sent = await stopped_after(world, desk, numbers, which)
    assert (told["state"], told["sent_again"], told["left"]) == ("cancelled", sent, 3 - sent)
    assert f"{3 - sent} 件没有发出" in out.decode() and f"Stopped by {OWN}" in out.decode()
    assert not (await desk.done("dead", "cancel", which, user=WANG))["changed"]
    assert len(await desk.acts("replay-cancel", f"plan:{which}")) == 1


@needs_root
@pytest.mark.usefixtures("users")
async def test_a_plan_that_nobody_has_begun_is_cancelled_by_whoever_made_it(world: World, desk: Desk) -> None:
    number = await dead_request(world)
    plan = await desk.done("dead", "plan", "--request", number, "--why", "误拟", user=LI)
    which = str(plan["plan"])
    assert "角色是 viewer" in await desk.refused("dead", "cancel", which, user=HE)
    told = await desk.done("dead", "cancel", which, user=LI)
    assert (told["state"], told["sent_again"], told["left"]) == ("cancelled", 0, 1)
    assert "须重新拟定" in await desk.refused("dead", "replay", which, user=WANG)
    assert (await world.request(number)).state == "undeliverable"


@needs_root
@pytest.mark.usefixtures("users")
async def test_a_replay_whose_terminal_died_goes_on_and_passes_over_what_changed(world: World, desk: Desk) -> None:
    numbers, which = await three_planned(world, desk)
    async with slowly(world, 10), replaying(desk, which) as process:
        process.kill()
    shown = await desk.done("dead", "show", which)
    assert (shown["state"], shown["begun_by"]) == ("running", WANG)
    gone = shown["sent_again"]  # the gateway may have been at the second one
    last = [number for number in numbers if (await world.request(number)).state == "undeliverable"][-1]
    assert last == numbers[2]
    await desk.done("resend", last, "--why", "单独重发", user=LI)
    await world.reaches(last, "dispatched")
    assert "须由另一名操作人" in await desk.refused("dead", "replay", which, user=LI)
    ended = await desk.run("dead", "replay", which, "--json", user=OWN)
    assert ended.code == FOUND_WRONG  # not all of it went
    told = ended.json()
    assert (told["state"], told["sent_again"], told["passed_over"], told["left"]) == ("done", 2, 1, 0)
    assert await outcomes(desk, which) == ["sent", "sent", "changed"]
    assert [e["result"] for e in await desk.acts("replay", f"plan:{which}")] == ["begun:3", f"continued:{3 - gone}"]
    (end,) = await desk.acts("replay-end", f"plan:{which}")
    assert (end["user"], end["result"]) == (OWN, "sent-again:2:changed:1")


@needs_root
@pytest.mark.usefixtures("users")
async def test_of_a_plan_nothing_goes_when_something_has_changed(world: World, desk: Desk) -> None:
    first, second = await dead_request(world), await dead_request(world)
    wanted = ("--request", first, "--request", second)
    plan = await desk.done("dead", "plan", *wanted, "--why", "一并重发", user=LI)
    await desk.done("resend", first, "--why", "单独重发", user=LI)
    await world.reaches(first, "dispatched")
    assert "计划作废" in await desk.refused("dead", "replay", str(plan["plan"]), user=WANG)
    assert (await world.request(second)).state == "undeliverable"
    assert (await desk.done("dead", "show", str(plan["plan"])))["state"] == "void"
    assert "计划作废" in await desk.refused("dead", "replay", str(plan["plan"]), user=WANG)


# --- who may


@needs_root
@pytest.mark.usefixtures("users")
async def test_a_viewer_looks_and_does_not_act(world: World, desk: Desk) -> None:
    number = await quarantined(world)
    assert int(number) in [row["id"] for row in await desk.done("quarantine", "list", user=HE)]
    for words in (
        ("quarantine", "close", number, "--why", "试"), ("quarantine", "retry", number),
        ("pause", "--partner", GRID, "--why", "试"), ("drain",), ("dead", "plan", "--why", "试"),
        ("resend", "court-sn0199-20200101-000001", "--why", "试"), ("incident", "own", "1"),
    ):  # fmt: skip
        assert "角色是 viewer" in await desk.refused(*words, user=HE), words
    assert "须由 supervisor" in await desk.refused("pause", "--all", "--why", "试", user=LI)
    assert await desk.done("pauses") == []


@needs_root
@pytest.mark.usefixtures("users")
async def test_who_is_not_listed_is_told_the_line_to_add(desk: Desk) -> None:
    for command in (("quarantine", "list"), ("partners",), ("acts",), ("incident", "list")):
        told = await desk.refused(*command, user=ZHAO)
        assert f"[operators.{ZHAO}]" in told and "role =" in told


async def test_root_and_the_gateways_own_user_are_nobody_unless_listed(desk: Desk) -> None:
    """Struck off the list, he is refused at once, without a restart."""
    await desk.done("partners")
    list_operators(desk.folder, {user: entry for user, entry in LISTED.items() if user != OWN})
    assert f"[operators.{OWN}]" in await desk.refused("quarantine", "list")


async def test_a_list_that_cannot_be_read_lets_nobody_in(desk: Desk) -> None:
    list_operators(desk.folder, {OWN: ("演示操作员", "chief")})
    told = await desk.refused("partners")
    assert "lianzhi.toml:" in told and "chief" in told and "supervisor" in told


async def test_the_socket_and_its_folder_have_their_modes(desk: Desk) -> None:
    made = socket_of(desk.folder)
    assert stat.S_IMODE(made.stat().st_mode) == 0o660
    assert stat.S_IMODE(made.parent.stat().st_mode) == 0o750
    assert stat.S_IMODE(desk.folder.stat().st_mode) == 0o710
    assert "✗ 文件权限" not in (await desk.run("doctor")).err


# --- incidents, partners


async def test_an_incident_is_taken_on_and_noted(world: World, desk: Desk) -> None:
    """Its own: a number that is missing for too long is one."""
    number = str(await an_incident(world))
    assert int(number) in [row["id"] for row in await desk.done("incident", "list")]
    assert (await desk.done("incident", "own", number))["owner"] == OWN
    assert not (await desk.done("incident", "own", number))["changed"]
    assert (await desk.done("incident", "note", number, "已电话联系单位"))["notes"] == 1
    shown = await desk.done("incident", "show", number)
    assert [step["text"] for step in shown["history"]] == [None, "已电话联系单位"]


async def test_partners_are_told_with_queues_and_what_they_did_last(world: World, desk: Desk) -> None:
    scene = await on_stage(world, PERSON)
    await scene.agency.say(scene.talk, "accept")
    await world.reaches(scene.request_no, "accepted")
    police = await of_partner(desk, POLICE)
    assert police["consumers"] >= 1 and police["queue"] is not None
    assert police["last_sent"] <= police["last_delivered"] <= police["last_answered"]
    assert police["paused"] is None


async def test_no_line_is_wider_than_a_terminal_and_numbers_are_whole(world: World, desk: Desk) -> None:
    number = await dead_request(world)
    printed = (await desk.run("dead", "list")).out
    for command in (("quarantine", "list", "--all"), ("partners",), ("acts",), ("incident", "list"), ("pauses",)):
        printed += (await desk.run(*command)).out
    assert number in printed
    assert max(map(columns_of, printed.splitlines())) <= 80


async def an_incident(world: World) -> int:
    """More rubbish than is kept within an hour is an incident; here it is written as the gateway writes it."""
    async with world.store.begin() as tx:
        now = world.clock.now()
        told = Event(now, HOME, "incident", detail=f"bound:quarantine_rows_per_hour:{POLICE}")
        await tx.apply(Changes(events=[told]))
    (event,) = (await world.store.operating.incidents(HOME, None, 1))[:1]
    assert event.id is not None
    return event.id


async def of_partner(desk: Desk, code: str) -> Any:
    (row,) = [row for row in await desk.done("partners") if row["partner"] == code]
    return row


async def metrics(world: World) -> str:
    assert world.gateway is not None
    url = f"http://127.0.0.1:{world.gateway.metrics_port}/metrics"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return await answer.text()
