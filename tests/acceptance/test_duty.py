"""A partner is down, with a hundred requests behind it: what the duty officer, the operators and the handler are told,
by a real mail server and a real receiver of webhooks, and that none of it names anybody."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import tomlkit

from gateway.core.settings import Settings
from gateway.core.time.calendar import SHANGHAI
from gateway.registry.config import Config
from simulation.parties import GRID, HANDLER, HOME
from simulation.private_broker import PrivateBroker
from tests.acceptance.test_operators import Desk
from tests.acceptance.test_planted import planted_requests
from tests.clerk import answered
from tests.eventually import eventually
from tests.faults import GRID as VERIFY
from tests.operators import list_operators, passable_folder
from tests.receiver import SECRET, Receiver, receiver
from tests.walls.mail_server import MailServer, mail_server
from tests.world import World, open_world
from tools.planted import Marker, Mint, search

pytestmark = pytest.mark.slow  # a world whose clock runs for days, and a hundred requests

DUTY, OPS, MINE = "duty@court.example", "ops@court.example", "handler@court.example"
WAITING = 100


@pytest_asyncio.fixture
async def world(broker: PrivateBroker, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    read = Config.settings

    def looking_often(config: Config) -> Settings:
        return replace(read(config), watch_poll=0.2, alarm_poll=0.1)

    monkeypatch.setattr(Config, "settings", looking_often)
    with passable_folder() as folder:
        async with open_world(broker, folder) as world:
            list_operators(world.parties.folder)
            await world.start()
            yield world


def configure(folder: Path, mail_port: int, url: str) -> None:
    """While the gateway runs: who is told, and the handler's address."""
    (folder / "alerts.secret").write_text(SECRET, "utf-8")
    path = folder / "lianzhi.toml"
    document = tomlkit.parse(path.read_text("utf-8"))
    mail = {"host": "127.0.0.1", "port": mail_port, "sender": "lianzhi@court.example", "tls": "none"}
    document["notify"] = {"mail": mail, "digest": [OPS]}
    document["alerts"] = {
        "mail": {"duty": {"to": DUTY}},
        "webhook": {"watch": {"url": url, "secret_file": "alerts.secret"}},
    }
    path.write_text(tomlkit.dumps(document), "utf-8")
    home = folder / "participants" / f"{HOME}.toml"
    document = tomlkit.parse(home.read_text("utf-8"))
    for person in document["staff"]:
        if person["no"] == HANDLER:
            person["contact"] = {"mail": MINE}
    home.write_text(tomlkit.dumps(document), "utf-8")


def mails(server: MailServer, to: str) -> list[EmailMessage]:
    read: list[EmailMessage] = [message_from_bytes(raw, policy=default) for raw in server.mails]
    return [mail for mail in read if mail["To"] == to]


def about_grid(server: MailServer) -> list[str]:
    """Subjects of what the duty officer was told of the grid, in order."""
    return [mail["Subject"] for mail in mails(server, DUTY) if GRID in mail["Subject"]]


async def reached(server: MailServer, taken: Receiver, count: int) -> None:
    """So many of both ways are there."""

    async def there() -> bool:
        posted = [data for _, data in taken.came if data["subject"] == GRID]
        return len(about_grid(server)) >= count and len(posted) >= count

    await eventually(there)


async def ask_often(world: World) -> tuple[list[str], list[Marker]]:
    """`WAITING` requests to the grid, their numbers; with a marker wherever somebody or some place is named."""
    made: list[tuple[dict[str, Any], tuple[Marker, ...]]] = []
    mint = Mint("duty")
    while len(made) < WAITING:
        made += await planted_requests(world, VERIFY, mint)
    made = made[:WAITING]
    numbers: list[str] = []
    for some in range(0, WAITING, 10):
        asked_now = (world.court.ask(VERIFY, payload) for payload, _ in made[some : some + 10])
        numbers += await asyncio.gather(*asked_now)
    markers = [marker for _, markers in made for marker in markers]
    asked = json.dumps([payload for payload, _ in made]).encode()
    assert all(search(asked, [marker]) for marker in markers), "the search finds each where it does stand"
    return numbers, markers


async def test_a_partner_that_is_down_is_told_once_and_its_end_once(world: World, tmp_path: Path) -> None:
    desk = Desk(world)
    async with mail_server("take") as server, receiver() as taken:
        configure(world.parties.folder, server.port, taken.url)
        await _taken_over(world)
        tested = await desk.done("alerts", "test", "--wait", "60")
        assert sorted((one["recipient"], one["outcome"]) for one in tested["told"]) == [
            ("duty", "sent"),
            ("watch", "sent"),
        ]

        office = await world.office(GRID)
        await office.next(await world.court.ask(VERIFY), "open")
        await world.nobody_reads(GRID)
        numbers, markers = await ask_often(world)
        world.clock.pass_by(minutes=31)
        await reached(server, taken, 1)
        (standing,) = [one for one in await desk.done("alerts", "list") if one["subject"] == GRID]
        assert standing["condition"].startswith("partner-")
        listed = (await desk.run("alerts", "list")).out

        digest = await _mailed(server, OPS, await _pass_to(world, days=1, hour=8))
        assert f"  {GRID}  " in digest and "alerts that stand" in digest
        mine = await _mailed(server, MINE, await _pass_to(world, days=12, hour=8))
        assert "as handler: 50+" in mine and GRID in mine and "waits for the partner" in mine
        assert len(about_grid(server)) == 1, "a hundred that wait are one alert"

        office = await world.office(GRID)
        for number in numbers:
            message = await office.next(number, "open")
        payload = (await office.understood(message))["payload"]
        await office.answer(
            numbers[-1], "result", answered(VERIFY, payload, world.clock.now())
        )  # it says something again
        await _nothing_waits(desk)
        world.clock.pass_by(minutes=6)
        await reached(server, taken, 2)
        began, ended = about_grid(server)
        assert began.startswith("【联执告警】") and ended.startswith("【联执已恢复】")
        assert [data["state"] for _, data in taken.came if data["subject"] == GRID] == ["opened", "closed"]
        incidents = [e for k in ("incident", "recovered") for e in await world.events(kind=k)]
        assert [e.kind for e in incidents if GRID in (e.detail or "") and "silent" in (e.detail or "")] == [
            "incident",
            "recovered",
        ]

        shown = [listed, *taken.raw, *(mail.get_content() for mail in mails(server, DUTY)), digest, mine]
        shown += [str(mail["Subject"]) for to in (DUTY, OPS, MINE) for mail in mails(server, to)]
        (tmp_path / "shown.json").write_text(json.dumps(shown, ensure_ascii=False), "utf-8")
        (tmp_path / "mails").write_bytes(b"\n".join(server.mails))
        assert search(tmp_path, markers) == []


async def _taken_over(world: World) -> None:
    async def configured() -> bool:
        assert world.gateway is not None
        return len(world.gateway.context.settings.alarms.recipients) == 2

    await eventually(configured)


async def _pass_to(world: World, *, days: int, hour: int) -> str:
    """That day."""
    local = world.clock.now().astimezone(SHANGHAI)
    there = datetime.combine(local.date() + timedelta(days=days), datetime.min.time(), SHANGHAI)
    world.clock.pass_by(seconds=(there + timedelta(hours=hour, seconds=1) - local).total_seconds())
    return there.date().isoformat()


async def _mailed(server: MailServer, to: str, day: str) -> str:
    """That day's mail."""

    async def there() -> str | None:
        found = [mail.get_content() for mail in mails(server, to) if mail.get_content().startswith(day)]
        assert len(found) <= 1, "once a day"
        return found[0] if found else None

    return await eventually(there)


async def _nothing_waits(desk: Desk) -> None:
    """The grid has taken everything, and counts as silent no more."""

    async def over() -> bool:
        rows = [row for row in await desk.done("partners") if row["partner"] == GRID]
        return rows[0]["silent"] is None and rows[0]["undelivered"] == 0

    await eventually(over)
