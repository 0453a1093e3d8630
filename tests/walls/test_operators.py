"""Operators against a gateway that is a process of its own: killed in between, gone, out of reach."""

from __future__ import annotations

import asyncio
import json
import pwd
import sqlite3
import stat
from asyncio.subprocess import Process
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from typing import Any

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

from gateway.http.operating.place import closed_on_the_way
from lianzhi.cli.output import FOUND_WRONG
from lianzhi.partner import PartnerConfig
from simulation.parties import GRID
from tests.conftest import Vhost
from tests.eventually import eventually
from tests.fault.court import VERIFY
from tests.operators import LI, OWN, WANG, Ended, list_operators, needs_root, passable_folder, run_as, system_users
from tests.walls.product import Installation, command, installed, run_alone
from tests.walls.test_dispatch import shown, submitted

pytestmark = pytest.mark.slow  # a process for each command


@pytest.fixture
def users() -> Iterator[None]:
    with system_users():
        yield


async def ran(site: Installation, *words: str, user: str | None = None) -> Ended:
    return await run_as(user, [command(), *words], site.folder)


async def done(site: Installation, *words: str, user: str | None = None) -> Any:
    ended = await ran(site, *words, "--json", user=user)
    assert ended.code == 0, ended.err
    return ended.json()


async def thrown_away(site: Installation) -> None:
    """The first message that waits for the agency is refused by its program; the broker dead-letters it."""
    config = PartnerConfig.load(site.parties.partners[GRID] / "partner.toml")
    async with await aio_pika.connect(config.amqp_url) as connection:
        channel = await connection.channel()
        message = await eventually(partial(first_of, channel))
        await message.reject(requeue=False)


async def first_of(channel: AbstractChannel) -> AbstractIncomingMessage | None:
    """What waits for the agency, in either of its queues."""
    for name in (f"lianzhi.to.{GRID}", f"lianzhi.to.{GRID}.urgent"):
        queue = await channel.get_queue(name, ensure=False)
        if (message := await queue.get(fail=False)) is not None:
            return message
    return None


async def in_state(site: Installation, number: str, state: str) -> None:
    async def there() -> bool:
        return bool((await shown(site, number))["state"] == state)

    await eventually(there, 60)


@needs_root
@pytest.mark.usefixtures("users")
async def test_a_plan_survives_kill_9_and_is_carried_out_once(vhost: Vhost) -> None:
    """One person plans, the gateway is killed, another person approves after the start; a pause stands too."""
    with passable_folder() as folder:
        async with installed(folder, vhost) as site:
            list_operators(site.folder)
            await _killed_between(site)


async def _killed_between(site: Installation) -> None:
    first = await site.serve()
    (number,) = await submitted(site, 1, VERIFY, first=1)
    await in_state(site, number, "dispatched")
    await thrown_away(site)
    await in_state(site, number, "undeliverable")
    plan = await done(site, "dead", "plan", "--why", "对方程序已改好", user=LI)
    await done(site, "pause", "--partner", GRID, "--why", "先停发", user=LI)
    first.kill()
    await first.wait()
    assert "网关没有运行" in (await ran(site, "dead", "plans", user=WANG)).err

    await site.serve()  # over the socket that the killed one has left
    assert [row["user"] for row in await done(site, "pauses", user=WANG)] == [LI]
    told = await done(site, "dead", "replay", str(plan["plan"]), "--digest", plan["digest"], user=WANG)
    assert (told["changed"], told["ended_by"]) == (True, WANG)
    assert not (await done(site, "dead", "replay", str(plan["plan"]), user=OWN))["changed"]
    assert (await shown(site, number))["state"] == "undeliverable"  # paused still
    await done(site, "resume", "--partner", GRID, user=WANG)
    await in_state(site, number, "dispatched")
    acts = await done(site, "acts", user=WANG)
    told = [(act["act"], act["user"]) for act in reversed(acts)]
    assert told == [("replay-plan", LI), ("pause", LI), ("replay", WANG), ("replay-end", WANG), ("resume", WANG)]


@needs_root
@pytest.mark.usefixtures("users")
async def test_a_replay_that_kill_9_cut_off_is_visible_and_goes_on(vhost: Vhost) -> None:
    """The gateway dies between two messages; its terminal says how far it came, and nothing goes twice."""
    with passable_folder() as folder:
        async with installed(folder, vhost) as site:
            list_operators(site.folder)
            site.limit(replayed_per_second=0.1)
            first = await site.serve()
            numbers = await submitted(site, 3, VERIFY, first=1)
            for number in numbers:
                await in_state(site, number, "dispatched")
            for _ in numbers:
                await thrown_away(site)
            for number in numbers:
                await in_state(site, number, "undeliverable")
            await _cut_off(site, first, numbers)


def went(site: Installation, which: str) -> int:
    """Messages of the plan that have gone, by the database: a command would take too long to be in time."""
    with closing(sqlite3.connect(f"file:{site.folder}/lianzhi.sqlite?mode=ro", uri=True)) as database:
        ((outcomes,),) = database.execute("SELECT outcomes FROM replay_plans WHERE plan_no = ?", (which,)).fetchall()
    return len(json.loads(outcomes or "[]"))


async def _cut_off(site: Installation, first: Process, numbers: list[str]) -> None:
    plan = await done(site, "dead", "plan", "--why", "对方程序已改好", user=LI)
    which = str(plan["plan"])
    going = asyncio.create_task(ran(site, "dead", "replay", which, user=WANG))

    await eventually(lambda: went(site, which) == 1, 60)
    first.kill()
    await first.wait()
    cut = await going
    assert cut.code == FOUND_WRONG
    assert f"lianzhi dead replay {which}" in cut.err and "1/3" in cut.err

    site.limit(replayed_per_second=100)
    await site.serve()
    shown_ = await done(site, "dead", "show", which, user=LI)
    assert (shown_["state"], shown_["sent_again"], shown_["left"], shown_["begun_by"]) == ("running", 1, 2, WANG)
    assert [item["outcome"] for item in shown_["items"]] == ["sent", None, None]
    told = await done(site, "dead", "replay", which, user=WANG)
    assert (told["state"], told["sent_again"], told["passed_over"], told["left"]) == ("done", 3, 0, 0)
    for number in numbers:
        await in_state(site, number, "dispatched")
    acts = await done(site, "acts", "--about", f"plan:{which}", user=LI)
    assert [act["result"] for act in acts][:-1] == ["sent-again:3", "continued:2", "begun:3"]


async def test_where_no_gateway_runs_the_owner_still_reads_and_nobody_acts(site: Installation) -> None:
    assert (await done(site, "quarantine", "list")) == []
    for words in (("quarantine", "close", "1", "--why", "试"), ("partners",), ("drain",), ("dead", "list")):
        ended = await ran(site, *words)
        assert ended.code == 1 and "网关没有运行" in ended.err and "does not run" in ended.err


@needs_root
@pytest.mark.usefixtures("users")
async def test_who_cannot_reach_the_socket_hears_which_group(site: Installation) -> None:
    """Or, as a member of it, which folder on the way is closed: pytest's own is."""
    await site.serve()
    ended = await ran(site, "partners", user=LI)
    assert ended.code == 1 and "无权打开" in ended.err and "Traceback" not in ended.err
    assert "chmod g+x" in ended.err or "usermod -aG" in ended.err
    assert (await ran(site, "partners")).code == 0


@needs_root
@pytest.mark.usefixtures("users")
async def test_an_operator_comes_in_where_init_ran_under_a_closed_umask(vhost: Vhost) -> None:
    """Listed while the gateway runs; nobody else of the machine gets as far as the socket."""
    with passable_folder() as folder:
        async with installed(folder, vhost) as site:
            made = folder / "made"
            ended = await run_alone("init", "--court", "陕0114", "--dir", str(made), umask=0o077)
            assert ended.code == 0 and stat.S_IMODE(made.stat().st_mode) == 0o710
            await site.serve(umask=0o077)
            list_operators(site.folder)
            assert len(await done(site, "partners", user=LI)) > 1
            for files_of_its_own in (("doctor",), ("request", "show", "x"), ("participants", "list")):
                kept_out = await ran(site, *files_of_its_own, user=LI)
                assert kept_out.code in (1, 2) and "无权读取，属用户" in kept_out.out + kept_out.err, files_of_its_own
                assert "Traceback" not in kept_out.err
            found = pwd.getpwnam(LI)
            assert closed_on_the_way(site.folder, found.pw_uid, [found.pw_gid]) == site.folder
            site.folder.chmod(0o700)
            shut = await ran(site, "partners", user=LI)
            assert f"{site.folder} 不让用户组" in shut.err and "chmod g+x" in shut.err


async def test_a_second_process_of_the_installation_leaves_the_socket_to_the_first(postgres_site: Installation) -> None:
    site = postgres_site
    await site.serve()
    second = await site.serve(wait=False, roles="dispatch")
    await eventually(lambda: "operate-socket-taken" in site.said(), 60)
    await site.stop(second)
    assert await done(site, "pauses") == []
    assert len(await done(site, "partners")) > 1
