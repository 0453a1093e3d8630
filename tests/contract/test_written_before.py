"""A store and a partner's ledger that an older version left behind in the middle of its work are migrated and go on.

`tests/fixtures/written_before` was made by that version itself (tools/old_store.py): requests in many states, rows that
had not left yet, one of them in the hands of a dispatcher that died, an answer that came too early, a page that reached
nobody, and the ledger of an agency that was cut off with its answers in it.
"""

from __future__ import annotations

import base64
import gzip
import json
import subprocess
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import tomlkit

from gateway.application.ports.lists import RequestFilter
from gateway.registry.config import FILE, load_config
from gateway.registry.installation import HANDOVER
from gateway.store import open_store
from gateway.store.upkeep.migrate import migrate
from lianzhi.client import ClientConfig, CourtClient
from simulation.parties import CLIENT, GRID, HANDLER, HOME, POLICE, PRESIDENT, Parties
from simulation.stage import provision_for
from tests import postgres
from tests.agency import Agency
from tests.clerk import answered
from tests.conftest import Vhost
from tests.eventually import eventually
from tests.faults import GRID as VERIFY
from tests.faults import PERSON
from tests.gates import START
from tests.platform import Platform, platform
from tests.words import Talk
from tests.world import Office, World

FIXTURES = Path(__file__).parents[1] / "fixtures" / "written_before"
LATER = timedelta(minutes=1)  # the lease has run out, nobody has been reminded yet


@dataclass(frozen=True)
class Left:
    """What was left. facts: as tools/old_store.py wrote them. receiver: of pages."""

    world: World
    facts: dict[str, Any]
    receiver: Platform


@pytest_asyncio.fixture(params=["sqlite", "postgresql"])
async def left(request: pytest.FixtureRequest, vhost: Vhost, tmp_path: Path) -> AsyncIterator[Left]:
    """Unpacked beside a broker of today; not migrated, nothing runs."""
    folder = FIXTURES / "f2027db" / request.param
    facts = json.loads((folder / "facts.json").read_text("utf-8"))
    _unpack(folder / "installation.tar.gz", tmp_path)
    store_url = None
    if request.param == "sqlite":
        (tmp_path / "gateway" / "lianzhi.sqlite").write_bytes(
            gzip.decompress((folder / "store.sqlite.gz").read_bytes())
        )
    else:
        if postgres.binaries() is None:
            pytest.skip("PostgreSQL is not installed")
        store_url = await postgres.shared().new_database("template0")
        restore(store_url, gzip.decompress((folder / "store.sql.gz").read_bytes()))
    async with platform() as receiver:
        parties = _moved(tmp_path, vhost, receiver, facts, store_url)
        await provision_for(parties, vhost.broker, vhost=vhost.name)
        world = World(parties)
        world.clock.pass_by(seconds=(datetime.fromisoformat(facts["at"]) - START + LATER).total_seconds())
        yield Left(world, facts, receiver)
        await world.close()
    if store_url is not None:
        await postgres.shared().drop_database(store_url)


def _unpack(archive: Path, root: Path) -> None:
    subprocess.run(["tar", "-xzf", str(archive), "-C", str(root)], check=True)


def restore(url: str, dump: bytes) -> None:
    binaries = postgres.binaries()
    assert binaries is not None
    psql = (binaries / "postgres").resolve().with_name("psql")
    done = subprocess.run([str(psql), "-q", "-v", "ON_ERROR_STOP=1", url], input=dump, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


def _moved(root: Path, vhost: Vhost, receiver: Platform, facts: dict[str, Any], store_url: str | None) -> Parties:
    """Everybody is told where the broker is now, as after a move to another machine."""
    where = vhost.url().rpartition("@")[2]
    settings = tomlkit.parse((root / "gateway" / FILE).read_text("utf-8"))
    settings["broker"] |= {"url": f"amqp://lianzhi-gateway@{where}", "management": vhost.broker.management_url}
    settings["notify"]["webhook"]["url"] = receiver.url
    if store_url is not None:
        settings["store"] = {"url": store_url}
    (root / "gateway" / FILE).write_text(tomlkit.dumps(settings), "utf-8")
    partners = {folder.name: folder for folder in (root / "partners").iterdir()}
    for code, folder in partners.items():
        config = tomlkit.parse((folder / "partner.toml").read_text("utf-8"))
        config["amqp"] = f"amqp://{code}@{where}"
        (folder / "partner.toml").write_text(tomlkit.dumps(config), "utf-8")
    return Parties(
        folder=root / "gateway",
        partners=partners,
        passwords=facts["parties"]["passwords"],
        token=facts["parties"]["token"],
        handover=root / "gateway" / HANDOVER / CLIENT,
    )


async def test_it_is_migrated_and_goes_on(left: Left) -> None:
    world, facts = left.world, left.facts
    url = load_config(world.parties.folder).store_url
    await migrate(url)
    store = await open_store(url)
    found = {r.request_no: r.state for r in await store.requests(RequestFilter(limit=1000))}
    quarantined = {row.body_sha256 for row in await store.quarantine(limit=100)}
    await store.close()
    assert found == facts["states"]
    assert quarantined >= set(facts["quarantined"])

    police = await world.agency(POLICE)
    await world.start()
    grid = await world.office(GRID)
    await _what_had_not_left_leaves(world, facts, police, grid)
    await _the_same_post_gets_the_same_answer(world, facts)
    await _what_came_early_gets_its_turn(world, facts, police)
    await _the_agency_sends_what_it_could_not(world, facts, grid)
    await _what_waits_for_people_goes_on(world, facts, police)
    await eventually(lambda: left.receiver.of(facts["alert"]))
    assert left.receiver.told(facts["alert"]) == [("A", HANDLER)]
    await _nothing_is_lost_or_doubled(world, facts, police, grid)


async def _what_had_not_left_leaves(world: World, facts: dict[str, Any], police: Agency, grid: Office) -> None:
    for number in facts["outbox"]["request_nos"]:
        request = await world.request(number)
        await (grid if request.asked == GRID else police).next(number, "open")
    await world.reaches(facts["undeliverable"], "sent")  # its queue is there again
    await world.sent_all()


async def _the_same_post_gets_the_same_answer(world: World, facts: dict[str, Any]) -> None:
    kept = facts["idempotency"]
    body = base64.b64decode(kept["body"])
    again = await world.court.post("/v1/requests", body, kept["content_type"], key=kept["key"])
    assert (again.status, again.body) == (kept["status"], kept["answer"])


async def _what_came_early_gets_its_turn(world: World, facts: dict[str, Any], police: Agency) -> None:
    number, missing = facts["held"]["request_no"], facts["held"]["missing"]
    assert (await world.request(number)).held == 1
    for said in missing:
        await police.publish(said["raw"].encode(), routing_key=said["routing_key"])
    assert (await world.reaches(number, "accepted")).held == 0


async def _the_agency_sends_what_it_could_not(world: World, facts: dict[str, Any], grid: Office) -> None:
    ledger = facts["ledger"]
    await world.reaches(ledger["unsent"], "completed")
    looked_at = await grid.next(ledger["open"], "open")  # offered again: nobody had finished it
    payload = (await grid.understood(looked_at))["payload"]
    await grid.answer(ledger["open"], "result", answered(VERIFY, payload, world.clock.now()))
    await world.reaches(ledger["open"], "completed")


async def _what_waits_for_people_goes_on(world: World, facts: dict[str, Any], police: Agency) -> None:
    assert world.gateway is not None
    file = world.parties.write_client(world.parties.folder.parent / "cms", world.gateway.url)
    async with CourtClient.from_config(ClientConfig.load(file), now=world.clock.now) as client:
        approved = await client.approve(facts["awaiting"], by=PRESIDENT, role="president")
        assert (approved.state, approved.missing) == ("approved", ())
    await police.next(facts["awaiting"], "open")

    number = facts["withdrawing"]
    request, messages = await world.request(number), await world.store.messages(number)
    opened, withdraw = (next(m for m in messages if m.verb == verb) for verb in ("open", "withdraw"))
    talk = Talk(number, PERSON, HOME, (opened.id, opened.digest), request.case_no, request.reply_key, seqno=1)
    await police.say(talk, "withdraw-ack", answers=(withdraw.id, withdraw.digest))
    await world.reaches(number, "withdrawn")

    released = await world.court.get(f"/v1/cases/release/{facts['release']}")
    assert [item["kind"] for item in released["items"]] == ["ending"]
    assert (await world.request(facts["blocked"])).state == "blocked"


async def _nothing_is_lost_or_doubled(world: World, facts: dict[str, Any], police: Agency, grid: Office) -> None:
    await world.sent_all()
    await police.fence()
    opens = Counter(t.request_no for t in police.taken if t.verb == "open")
    opens += Counter(m.request_no for m in grid.messages if m.verb == "open")
    late = {*facts["outbox"]["request_nos"], facts["awaiting"], facts["ledger"]["open"]}
    assert {number: opens[number] for number in late} == dict.fromkeys(late, 1)
    told = Counter((e.request_no, e.message_id) for e in await world.events(kind="message"))
    assert set(told.values()) == {1}
    assert {r.request_no for r in await world.store.requests(RequestFilter(limit=1000))} == facts["states"].keys()
