"""Files that change while the gateway runs and works: participants, clients, keys, passwords (docs/adr/0046).

While one agency is asked and answers all the time, others come, are suspended and come back; nothing is lost, nothing
refused that should pass, nothing passed that should be refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
import tomlkit

from gateway.broker.management import Management
from gateway.broker.topology import GATEWAY_USER, from_queue
from gateway.registry.config import load_config
from gateway.registry.installation import Installation, write_secret
from simulation.parties import ASSOCIATION, GRID, HOME, POLICE
from simulation.private_broker import PrivateBroker
from simulation.stage import GATEWAY_PASSWORD
from tests.eventually import eventually
from tests.faults import GRID as VERIFY
from tests.faults import NOTICE, PERSON
from tests.world import World, open_world


@pytest_asyncio.fixture
async def world(broker: PrivateBroker, tmp_path: Path) -> AsyncIterator[World]:
    """The association's file is not there yet; its queues are."""
    async with open_world(broker, tmp_path) as world:
        file = _file(world, ASSOCIATION)
        file.rename(tmp_path / file.name)
        await world.start()
        yield world


def _file(world: World, code: str) -> Path:
    return Installation(world.parties.folder).participant_file(code)


def _edit(world: World, code: str, change: Callable[[Any], None]) -> None:
    """Written beside and put in place at once, as editors do."""
    file = _file(world, code)
    document = tomlkit.parse(file.read_text(encoding="utf-8"))
    change(document)
    beside = file.with_suffix(".new")
    beside.write_text(tomlkit.dumps(document), encoding="utf-8")
    beside.replace(file)


async def _reloads(world: World, *, outcome: str = "taken", before: int = 0) -> None:
    """By looking at the files alone, without the signal."""
    assert world.gateway is not None
    reloads = world.gateway.context.reloads
    await eventually(lambda: getattr(reloads, outcome) > before)


async def _load(world: World) -> None:
    """As the signal does."""
    assert world.gateway is not None
    assert await world.gateway.reloader.once("signal")


@dataclass
class Traffic:
    """The grid is asked and answers, again and again. asked: in the order in which they were accepted."""

    asked: list[str] = field(default_factory=list)


@asynccontextmanager
async def traffic(world: World) -> AsyncIterator[Traffic]:
    """Afterwards everything that was accepted has been answered, once."""
    office, seen = await world.office(GRID), Traffic()

    async def ask() -> None:
        while True:
            number = await world.court.ask(VERIFY)
            seen.asked.append(number)
            await office.answer(number, "accept")

    task = asyncio.create_task(ask())
    try:
        await eventually(lambda: len(seen.asked) > 2)
        yield seen
        more = len(seen.asked) + 2
        await eventually(lambda: task.done() or len(seen.asked) > more)
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    for number in seen.asked[:-1]:
        await world.reaches(number, "accepted")
        opens = [m for m in office.messages if (m.request_no, m.verb) == (number, "open")]
        assert len(opens) == 1, number


async def test_a_partner_comes_is_suspended_and_comes_back(world: World, broker: PrivateBroker, tmp_path: Path) -> None:
    async with traffic(world):
        refused = await world.court.submit(NOTICE)
        assert refused.status == 422, refused.body
        (tmp_path / _file(world, ASSOCIATION).name).rename(_file(world, ASSOCIATION))
        await _reloads(world)
        association = await world.office(ASSOCIATION)
        await association.next(await world.court.ask(NOTICE), "open")

        police = await world.agency(POLICE)
        talk = await police.opened(await world.court.ask(PERSON))
        for verb in ("delivered", "receipt"):
            await police.say(talk, verb)
        await world.reaches(talk.request_no, "received")
        _edit(world, POLICE, lambda file: file.update(enabled=False))
        await _load(world)
        assert (await world.court.submit(PERSON)).rules == ["receiver-does-not-take"]
        said = await world.court.say(talk.request_no, "withdraw", {"reason_code": "paid"})
        assert said.status == 202, said.body  # it waits, as what the police say does
        await police.say(talk, "accept")
        assert await _lies(world, broker, from_queue(POLICE)) == 1
        assert (await world.request(talk.request_no)).state == "withdrawing"
        assert await world.store.backlog() > 0

        _edit(world, POLICE, lambda file: file.pop("enabled"))
        await _load(world)
        await police.next(talk.request_no, "withdraw")
        await world.sent_all()
        await world.court.ask(PERSON)


async def _lies(world: World, broker: PrivateBroker, queue: str) -> int:
    """How many messages lie in that queue, once nobody consumes it."""
    vhost = load_config(world.parties.folder).vhost
    async with Management(broker.management_url, broker.admin, broker.password) as management:

        async def seen() -> int | None:
            found = await management.get("queues", vhost, queue)
            return int(found["messages"]) if found.get("messages") and not found.get("consumers") else None

        return await eventually(seen)


async def test_a_client_is_revoked_and_whoever_waits_hears_nothing_more(world: World) -> None:
    installation = Installation(world.parties.folder)
    token = installation.add_client(HOME, "desk2", scopes=["read"])
    await _load(world)
    assert world.gateway is not None
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(world.gateway.url, headers=headers) as desk:
        waiting = asyncio.create_task(_followed(desk))
        await eventually(lambda: world.gateway is not None and world.gateway.waiting() > 0)
        installation.revoke_client(HOME, "desk2")
        await _load(world)
        assert await waiting == 401
        assert await _status(desk, "/v1/types") == 401


async def _followed(desk: aiohttp.ClientSession) -> int:
    """Waits for events, again and again, until it is refused: with which status."""
    cursor = ""
    while True:
        after = f"&after={cursor}" if cursor else ""
        async with desk.get(f"/v1/events?wait=60{after}") as answer:
            if answer.status != 200:
                return answer.status
            cursor = (await answer.json())["cursor"]


async def _status(session: aiohttp.ClientSession, path: str) -> int:
    async with session.get(path) as answer:
        return answer.status


async def test_a_key_is_changed_for_another(world: World) -> None:
    """The new one is registered before the old one ends: both are taken in between."""
    police = await world.agency(POLICE)
    old = police.key
    async with traffic(world):
        world.register_key(POLICE, "second", since=date(2026, 1, 1))
        await _load(world)
        talk = await police.opened(await world.court.ask(PERSON))
        await police.say(talk, "accept")
        await world.reaches(talk.request_no, "accepted")
        _edit(world, POLICE, lambda file: _revoke(file, old.kid))
        await _load(world)
        refused = await police.say(talk, "progress")
        row = await world.quarantined(refused)
        assert row.reason == "key-revoked"


def _revoke(document: Any, kid: str) -> None:
    for entry in document["keys"]:
        if entry["kid"] == kid:
            entry["revoked_at"] = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.slow
async def test_the_password_at_the_broker_is_changed(world: World, broker: PrivateBroker) -> None:
    """The present connection lives; the next one is made with what the file holds by then."""
    config = load_config(world.parties.folder)
    assert config.broker.password_file is not None and world.gateway is not None
    vhost = config.vhost
    async with Management(broker.management_url, broker.admin, broker.password) as management:
        try:
            await _password(management, "another one")
            write_secret(world.parties.folder / config.broker.password_file, "another one\n")
            await _load(world)
            async with traffic(world):

                async def ours() -> list[str]:
                    found = await management.get("vhosts", vhost, "connections")
                    return [one["name"] for one in found if one.get("user") == GATEWAY_USER]

                before = await eventually(ours)
                for name in before:
                    await management.delete("connections", name)

                async def others() -> bool:
                    now = await ours()
                    return bool(now) and not set(now) & set(before)

                await eventually(others)
        finally:
            await _password(management, GATEWAY_PASSWORD)


async def _password(management: Management, password: str) -> None:
    await management.put("users", GATEWAY_USER, body={"password": password, "tags": ""})


@pytest.mark.parametrize(
    "wrong",
    [
        "code = ",
        *(
            pytest.param(text, marks=pytest.mark.slow)
            for text in ('kind = "polcie"\n', "\ufeff[", 'dialect = "grid/2"\n')
        ),
    ],
)
async def test_what_cannot_be_loaded_is_refused_and_what_held_goes_on(world: World, wrong: str) -> None:
    """One file is broken, another one revokes a client: neither counts until both are right."""
    assert world.gateway is not None
    installation, file = Installation(world.parties.folder), _file(world, POLICE)
    right = file.read_text(encoding="utf-8")
    async with traffic(world):
        file.write_text(wrong + right, encoding="utf-8")
        installation.add_client(HOME, "desk3", scopes=["read"])
        await _reloads(world, outcome="refused")
        assert world.gateway.context.directory.client("desk3") is None
        await world.court.ask(PERSON)  # and goes on
        file.write_text(right, encoding="utf-8")
        await _reloads(world)
        assert world.gateway.context.directory.client("desk3") is not None


async def test_a_file_that_is_gone_suspends_until_the_next_start(world: World, tmp_path: Path) -> None:
    police = await world.agency(POLICE)
    talk = await police.opened(await world.court.ask(PERSON))
    for verb in ("delivered", "receipt"):
        await police.say(talk, verb)
    await world.reaches(talk.request_no, "received")
    _file(world, POLICE).rename(tmp_path / "police.gone")
    await _load(world)
    assert (await world.court.submit(PERSON)).rules == ["receiver-does-not-take"]
    assert (await world.request(talk.request_no)).state == "received"
    assert world.gateway is not None and world.gateway.context.participant(POLICE).enabled is False


async def test_another_home_is_refused(world: World) -> None:
    assert world.gateway is not None
    _edit(world, HOME, lambda file: file.update(home=False))
    assert not await world.gateway.reloader.once("signal")
    assert world.gateway.context.home.code == HOME
