"""A partner is down: the list, doctor, partners, metrics, the incident, the digest and the report each say so; when it
is back, all of them say that it is over."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from gateway.application.operating.digest import DigestMail
from gateway.application.ports.alerts import Notification
from gateway.application.queries.reports import Reporting
from gateway.core.figures.periods import month_of
from gateway.core.records import Event
from gateway.core.settings import Settings
from gateway.core.time.calendar import SHANGHAI
from gateway.registry.config import Config
from lianzhi.errors import UndeliveredError
from simulation.parties import GRID
from simulation.private_broker import PrivateBroker
from tests.acceptance.test_operators import Desk, metrics, of_partner
from tests.eventually import eventually
from tests.faults import GRID as VERIFY
from tests.operators import list_operators, passable_folder
from tests.world import World, open_world

pytestmark = pytest.mark.slow  # two worlds whose clocks run for days

TO = ("ops@court.example", "chief@court.example")


class Mailbox:
    """A mail server that can be away. It stands where `MailNotifier` does."""

    channel = "mail"

    def __init__(self) -> None:
        self.away = False
        self.mails: list[Notification] = []

    async def send(self, notification: Notification, now: datetime) -> None:
        if self.away:
            raise UndeliveredError("unreachable")
        self.mails.append(notification)

    async def close(self) -> None:
        pass


@pytest_asyncio.fixture
async def world(broker: PrivateBroker, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    read = Config.settings

    def looking_often(config: Config) -> Settings:
        return replace(read(config), watch_poll=0.2, digest_to=TO)

    monkeypatch.setattr(Config, "settings", looking_often)
    with passable_folder() as folder:
        async with open_world(broker, folder) as world:
            list_operators(world.parties.folder)
            await world.start()
            yield world


async def silences(world: World, kind: str) -> list[Event]:
    return [e for e in await world.events(kind=kind) if (e.detail or "").startswith(f"partner-silent:{GRID}")]


async def told(world: World, kind: str) -> list[Event]:
    async def there() -> list[Event] | None:
        return await silences(world, kind) or None

    return await eventually(there)


async def mailed(world: World, box: Mailbox) -> str:
    """The digest of that day, by two processes at once: one mail to each."""
    assert world.gateway is not None
    both = [DigestMail(world.gateway.context, [box]) for _ in range(2)]
    box.mails.clear()
    assert sum([await one.once() for one in both]) == len(TO)
    assert sorted(mail.mail or "" for mail in box.mails) == sorted(TO)
    return box.mails[0].text


async def test_a_partner_that_is_down_is_named_everywhere_until_it_is_back(world: World) -> None:
    assert world.gateway is not None
    desk, box = Desk(world), Mailbox()
    office = await world.office(GRID)
    number = await world.court.ask(VERIFY)
    await office.next(number, "open")
    await world.nobody_reads(GRID)
    waiting = await world.court.ask(VERIFY)
    await world.reaches(waiting, "dispatched")

    async def absent() -> bool:
        row: dict[str, Any] = await of_partner(desk, GRID)
        return bool(row["consumers"] == 0)

    await eventually(absent)
    world.clock.pass_by(minutes=31)

    (incident,) = await told(world, "incident")
    assert incident.head is not None and incident.head["participant"] == GRID
    row = await of_partner(desk, GRID)
    assert row["silent"] == incident.head["reason"] and row["undelivered"] >= 1
    assert f'lianzhi_partner_silent{{cause="{row["silent"]}",partner="{GRID}"}} 1.0' in await _fresh(world)
    assert GRID in _line((await desk.run("doctor")), "失联的单位")
    listed = await desk.done("request", "list", "--partner", GRID, "--order", "age")
    assert [r["undelivered"] for r in listed["requests"] if r["request_no"] == waiting] == [True]
    today = world.clock.now().astimezone(SHANGHAI)
    await _next_morning(world, today)
    assert f"  {GRID}  " in await mailed(world, box)
    period = month_of(world.clock.now().astimezone(SHANGHAI).date())
    report = await Reporting(world.gateway.context).report(period)
    (line,) = [line for line in report.partners if line.key == GRID]
    assert line.values.undelivered == 1

    office = await world.office(GRID)
    await office.next(waiting, "open")
    await told(world, "recovered")
    assert (await of_partner(desk, GRID))["silent"] is None
    assert GRID not in _line((await desk.run("doctor")), "失联的单位")

    async def shown_as_back() -> bool:
        return f'partner="{GRID}"' not in "".join(silent_lines(await metrics(world)))

    await eventually(shown_as_back)
    assert (len(await silences(world, "incident")), len(await silences(world, "recovered"))) == (1, 1)


async def test_the_digest_goes_once_a_day_and_again_after_a_failure(world: World) -> None:
    assert world.gateway is not None
    box = Mailbox()
    await _next_morning(world, world.clock.now().astimezone(SHANGHAI), hour=7)
    assert await DigestMail(world.gateway.context, [box]).once() == 0
    world.clock.pass_by(hours=1)
    box.away = True
    assert await DigestMail(world.gateway.context, [box]).once() == 0
    box.away = False
    assert await DigestMail(world.gateway.context, [box]).once() == 0, "the attempt before has five minutes"
    world.clock.pass_by(minutes=5)
    await mailed(world, box)
    await world.restart()
    assert await DigestMail(world.gateway.context, [box]).once() == 0
    world.clock.pass_by(days=1)
    await mailed(world, box)


async def _next_morning(world: World, today: datetime, hour: int = 8) -> None:
    morning = datetime.combine(today.date() + timedelta(days=1), datetime.min.time(), SHANGHAI) + timedelta(
        hours=hour, seconds=1
    )
    world.clock.pass_by(seconds=(morning - world.clock.now()).total_seconds())


async def _fresh(world: World) -> str:
    """What `/metrics` says once its figures are not the ones of before."""

    async def shown() -> str | None:
        text = await metrics(world)
        return text if "lianzhi_partner_silent{" in text else None

    return await eventually(shown)


def silent_lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("lianzhi_partner_silent{")]


def _line(ended: Any, title: str) -> str:
    """Doctor's line with that title."""
    text: str = ended.out + ended.err
    return next(line for line in text.splitlines() if title in line)
