"""What a partner's own broker user may do at the broker: to itself, and to nobody else."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import aio_pika
import pytest
import pytest_asyncio
from aio_pika.abc import AbstractConnection
from aiormq.exceptions import AMQPError, ChannelAccessRefused, DeliveryError, InvalidFrameError

from gateway.broker.management import Management
from lianzhi.partner.config import PartnerConfig
from simulation.parties import FUPING, GAOLING, GRID, POLICE
from simulation.private_broker import PrivateBroker
from simulation.stage import write_files
from tests.agency import Agency
from tests.conftest import Vhost
from tests.eventually import eventually
from tests.fault.court import LOCATE, VERIFY
from tests.walls.product import Finished, Installation, apply_topology, installed

DEAD_VHOST, NARROW_VHOST, FLOODED_VHOST, SECOND_VHOST = "walls-dead", "walls-narrow", "walls-flooded", "walls-second"
STATISTICS_SECONDS = 1.0  # the broker renews its figures every five
FIGURES = ("messages", "messages_ready", "messages_unacknowledged", "message_bytes_unacknowledged")
POLICES_KEY = f"{POLICE}.normal.raw.bytes"
POLICES_QUEUE = f"lianzhi.to.{POLICE}"
_numbers = itertools.count(1)


def rubbish(agency: Agency) -> bytes:
    """Bytes that were never sent before."""
    return f"{agency.code} rubbish {next(_numbers)}".encode()


def with_rubbish_signature(raw: bytes) -> bytes:
    """The same message, signed by nobody."""
    jws, _, disclosures = raw.partition(b"~")
    head, payload, signature = jws.split(b".")
    return b".".join((head, payload, b"A" * len(signature))) + b"~" + disclosures


def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def url_of(site: Installation, code: str) -> str:
    """What that agency logs in with."""
    return PartnerConfig.load(site.parties.partners[code] / "partner.toml").amqp_url


async def connected(url: str) -> AbstractConnection | None:
    """A connection, None where the broker refuses it."""
    try:
        return await aio_pika.connect(url)
    except (AMQPError, ConnectionError, InvalidFrameError):
        return None


async def state(site: Installation, number: str) -> str:
    async with site.court.session.get(f"/v1/requests/{number}") as answer:
        assert answer.status == 200, await answer.text()
        return str((await answer.json())["state"])


async def waiting(vhost: Vhost, queue: str) -> int:
    """Messages in a queue that are not being handled, as the broker counts them at this moment."""
    async with await aio_pika.connect(vhost.url()) as connection, connection.channel() as channel:
        declared = await (await channel.get_queue(queue, ensure=False)).channel.get_underlay_channel()
        found = await declared.queue_declare(queue, passive=True)
        return int(found.message_count or 0)


async def rows_about(site: Installation, *bodies: bytes) -> list[dict[str, Any]]:
    """Rows of the quarantine about exactly these bytes, once there is one for each."""
    wanted = {sha256(body) for body in bodies}

    async def found() -> list[dict[str, Any]] | None:
        rows = [row for row in await site.quarantine() if row["sha256"] in wanted]
        return rows if {row["sha256"] for row in rows} == wanted else None

    return await eventually(found)


@dataclass
class Died:
    """A site in whose dead queue messages lay that the grid had made up, and has read them since.

    requests: of the police, one for each of the first three tricks; before, after: their states.
    """

    site: Installation
    police: Agency
    requests: list[str]
    tricks: dict[str, bytes] = field(default_factory=dict)
    before: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)


@pytest_asyncio.fixture(scope="module")
async def died(
    broker: PrivateBroker, management: Management, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Died]:
    """While the gateway is down nothing takes the messages off the grid's queue, so they die there of their TTL."""
    await management.put("vhosts", DEAD_VHOST)
    vhost = Vhost(DEAD_VHOST, broker, management)
    async with installed(tmp_path_factory.mktemp("dead"), vhost, users="-c3") as site:
        process = await site.serve()
        police, grid = await site.agency(POLICE), await site.agency(GRID)
        await site.court.hand_in_paper()
        orders = site.court.orders(3, [LOCATE])
        await site.court.submit_all(orders)
        found = Died(site, police, [site.court.accepted[order.key] for order in orders])
        opened = [await police.next(number, "open") for number in found.requests]
        await police.fence()
        found.before = [await state(site, number) for number in found.requests]
        await site.stop(process)
        forged = grid.sign({**opened[0].envelope.model_dump(exclude_none=True, mode="json"), "data": {}}, {})
        dead_to_police: Mapping[str, Any] = {"x-death": [], "x-first-death-queue": POLICES_QUEUE}
        history = [{"queue": POLICES_QUEUE, "reason": "expired", "count": 1, "routing-keys": [POLICES_QUEUE]}]
        found.tricks = {
            "header": with_rubbish_signature(forged.raw),
            "stolen": opened[1].raw,
            "history": opened[2].raw,
            "copy": rubbish(grid),
        }
        for name, headers in {
            "header": dead_to_police,
            "stolen": dead_to_police,
            "history": {"x-death": history, "x-first-death-queue": POLICES_QUEUE},
            "copy": {"BCC": [POLICES_KEY]},
        }.items():
            await grid.publish(found.tricks[name], headers=headers, expiration=0.001)

        async def all_dead() -> bool:
            return await waiting(vhost, "lianzhi.dead") == 5  # the copy died in both queues

        await eventually(all_dead)
        await site.serve()

        async def all_read() -> bool:
            return not await waiting(vhost, "lianzhi.dead")

        await eventually(all_read)
        for agency in (grid, police):
            await agency.fence()
        found.after = [await state(site, number) for number in found.requests]
        yield found
    await management.delete("vhosts", DEAD_VHOST)


@pytest.mark.slow
async def test_s1_dead_header(died: Died) -> None:
    """A rubbish signature, `x-first-death-queue` of the police's queue: the police's request stays what it was."""
    assert died.after[0] == died.before[0] != "undeliverable"


async def test_s1_dead_header_over_bytes_that_we_did_send(died: Died) -> None:
    """The very bytes of our `open` to the police, dead in the grid's queue, are not what came back from the police."""
    assert died.after[1] == died.before[1] != "undeliverable"


async def test_s1_dead_history(died: Died) -> None:
    """A whole `x-death` of the publisher's own making decides as little."""
    assert died.after[2] == died.before[2] != "undeliverable"


async def test_s1_dead_letters_are_their_publishers(died: Died) -> None:
    """Kept under the name of who published them, also the copy that died in the police's queue."""
    rows = await rows_about(died.site, *died.tricks.values())
    assert {row["owner"] for row in rows} == {GRID}


async def test_s1_dead_letters_tell_the_police_nothing(died: Died) -> None:
    for body in died.tricks.values():
        assert died.police.notices(body_sha256=sha256(body)) == []


@pytest.mark.parametrize("header", ["CC", "BCC"])
async def test_s1_copies_into_the_polices_queue(running: Installation, header: str) -> None:
    """The keys in CC and BCC pass the topic permission unchecked; the copy is refused as its publisher's."""
    site = running
    police, grid = await site.agency(POLICE), await site.agency(GRID)
    body = rubbish(grid)
    await grid.publish(body, headers={header: [POLICES_KEY]})
    await grid.fence()
    await police.fence()
    rows = await rows_about(site, body)
    assert {row["owner"] for row in rows} == {GRID}
    assert police.notices(body_sha256=sha256(body)) == []


@pytest.mark.parametrize("headers", [{"CC": []}, {"x-death": []}, {"x-first-death-queue": POLICES_QUEUE}], ids=str)
async def test_s1_headers_that_only_a_broker_writes(running: Installation, headers: dict[str, Any]) -> None:
    """A right answer of the grid's in its own request, but with such a header: refused, and the grid hears why."""
    site = running
    grid = await site.agency(GRID)
    order = site.court.orders(1, [VERIFY], first=100 + next(_numbers))[0]
    await site.court.submit(order)
    number = site.court.accepted[order.key]
    talk = await grid.opened(number)
    said = await grid.make(talk, "delivered")
    await grid.publish(said, headers=headers)
    await grid.fence()
    assert await state(site, number) == "dispatched"
    assert (await grid.noticed(body_sha256=said.sha256))["reason"] == "forbidden-header"
    await grid.publish(said)
    await grid.fence()
    assert await state(site, number) == "delivered"


async def test_a_partner_publishes_to_no_exchange_but_its_own(running: Installation) -> None:
    """So nothing of a partner's can lie in a `to` queue, nor in the dead one without having died."""
    grid = await running.agency(GRID)
    for exchange, key in (("lianzhi.out", f"{POLICE}.normal.x"), ("lianzhi.dead", POLICES_QUEUE), ("", "lianzhi.dead")):
        with pytest.raises(ChannelAccessRefused):
            await grid.publish(rubbish(grid), exchange=exchange, routing_key=key)


# S5: what one partner may pile up


@pytest_asyncio.fixture(scope="module")
async def narrow(
    broker: PrivateBroker, management: Management, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Installation]:
    """Small bounds at the broker; no gateway runs, so that what is published stays."""
    await management.put("vhosts", NARROW_VHOST)
    vhost = Vhost(NARROW_VHOST, broker, management)
    async with installed(tmp_path_factory.mktemp("narrow"), vhost, users="-narrow") as site:
        site.limit(queue_messages=20, queue_bytes=1 << 20, user_connections=5, user_channels=30)
        await apply_topology(site)
        yield site
    await management.delete("vhosts", NARROW_VHOST)


async def taken_of(agency: Agency, *bodies: bytes) -> int:
    """How many of them the broker took."""
    taken = 0
    for body in bodies:
        try:
            await agency.publish(body)
        except DeliveryError:
            continue
        taken += 1
    return taken


async def test_s5_a_queue_has_a_length(narrow: Installation) -> None:
    """By policy: the queue has stood before. The publisher is told, and nobody else's queue is shorter for it."""
    grid, police = await narrow.agency(GRID), await narrow.agency(POLICE)
    taken = await taken_of(grid, *(rubbish(grid) for _ in range(40)))
    assert 20 <= taken < 40
    assert await taken_of(police, rubbish(police)) == 1


async def test_s5_a_queue_has_a_size(narrow: Installation) -> None:
    police = await narrow.agency(POLICE)
    taken = await taken_of(police, *(rubbish(police) + bytes(200_000) for _ in range(12)))
    assert 4 <= taken < 12
    assert (await narrow.run("broker", "apply", "--dry-run")).out.count("policy") == 0


async def test_s5_a_broker_user_has_so_many_connections_and_channels(narrow: Installation) -> None:
    url = url_of(narrow, FUPING)
    connections = [await connected(url) for _ in range(8)]
    kept = [connection for connection in connections if connection is not None]
    try:
        assert len(kept) == 5
        channels = 0
        try:
            for _ in range(40):
                await kept[0].channel()
                channels += 1
        except AMQPError:
            pass
        assert channels == 30
        other = await connected(url_of(narrow, GAOLING))
        assert other is not None, "another's user is not concerned"
        kept.append(other)
    finally:
        for connection in kept:
            await connection.close()


@dataclass
class Flooded:
    """A site whose store stood still while the grid sent large messages. unacknowledged, ready: bytes and messages in
    the grid's queue then, as the broker counts them."""

    site: Installation
    bodies: list[bytes]
    unacknowledged: int
    ready: int


@pytest_asyncio.fixture(scope="module")
async def flooded(
    broker: PrivateBroker, management: Management, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Flooded]:
    await management.put("vhosts", FLOODED_VHOST)
    vhost = Vhost(FLOODED_VHOST, broker, management)
    async with installed(tmp_path_factory.mktemp("flooded"), vhost, users="-flooded") as site:
        site.limit(consumer_bytes=4 << 20, partner_messages_per_hour=20, partner_bytes_per_hour=1 << 20)
        await site.serve()
        grid = await site.agency(GRID)
        bodies = [rubbish(grid) + bytes(300_000) for _ in range(40)]
        with closing(sqlite3.connect(site.folder / "lianzhi.sqlite", isolation_level=None)) as held:
            held.execute("BEGIN IMMEDIATE")
            for body in bodies:
                await grid.publish(body)
            queue = await settled(vhost, f"lianzhi.from.{GRID}", len(bodies))
            held.execute("ROLLBACK")
        await rows_about(site, *bodies)
        await grid.fence()
        yield Flooded(site, bodies, queue["message_bytes_unacknowledged"], queue["messages_ready"])
    await management.delete("vhosts", FLOODED_VHOST)


async def settled(vhost: Vhost, queue: str, messages: int) -> dict[str, Any]:
    """The broker's own figures of a queue with so many messages, once two looks in a row are the same."""
    last: dict[str, Any] = {}

    async def same() -> dict[str, Any] | None:
        nonlocal last
        found = await vhost.management.get("queues", vhost.name, queue)
        figures = {name: found.get(name) for name in FIGURES}
        if figures["messages"] != messages or figures != last:
            last = figures
            await asyncio.sleep(STATISTICS_SECONDS)
            return None
        return figures

    return await eventually(same)


async def test_s5_bytes_that_the_gateway_holds(flooded: Flooded) -> None:
    """Forty messages of 300 kB are less than any prefetch; the budget of bytes is 4 MiB for all queues."""
    assert flooded.unacknowledged <= 4 << 20
    assert flooded.ready > 0


async def test_nothing_is_lost_by_holding_less(flooded: Flooded) -> None:
    rows = await rows_about(flooded.site, *flooded.bodies)
    assert len(rows) == len(flooded.bodies)
    assert await waiting(flooded.site.vhost, f"lianzhi.from.{GRID}") == 0
    assert await waiting(flooded.site.vhost, "lianzhi.dead") == 0


async def test_s5_an_hours_volume_is_an_incident(flooded: Flooded) -> None:
    """One for the messages and one for their bytes, however far above they are."""
    feed = await flooded.site.court.feed()
    assert [event["kind"] for event in feed].count("incident") == 2


@pytest.mark.slow
async def test_s5_our_own_broker_takes_no_message_far_above_our_limit(running: Installation) -> None:
    for size, expected in ((1 << 20, "taken"), (16 << 20, "refused")):
        done = await running.script("large_message.py", str(size), timeout=120)
        assert done.out.strip() == expected, done.err


async def test_s5_doctor_reads_the_brokers_message_limit(died: Died) -> None:
    """Far too large is said with the line of rabbitmq.conf that mends it; the right one with its figure."""
    site, broker = died.site, died.site.vhost.broker
    await set_message_limit(broker, 128 << 20)
    try:
        too_large = await site.run("doctor")
    finally:
        await set_message_limit(broker, 1_114_112)
    assert "max_message_size = 1114112" in too_large.out + too_large.err and too_large.code == 1
    right = await site.run("doctor")
    assert "1114112" in right.out and "max_message_size" not in right.out + right.err


async def set_message_limit(broker: PrivateBroker, figure: int) -> None:
    """For channels that are opened from now on."""
    await broker.control("eval", f"application:set_env(rabbit, max_message_size, {figure}).")


# C3: two courts, one broker


@dataclass
class Neighbours:
    """The court of `Died`, and a second one in a virtual host of its own, whose partners' files name the same users.

    first, after: `broker apply` of the second, and once more after it has shut the grid out.
    """

    court: Installation
    first: Finished
    after: Finished
    grid_logs_in: bool
    grid_is_connected: bool


@pytest_asyncio.fixture(scope="module")
async def neighbours(
    died: Died, management: Management, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Neighbours]:
    site = died.site
    await management.put("vhosts", SECOND_VHOST)
    root = tmp_path_factory.mktemp("second")
    second = write_files(root, site.vhost.broker, vhost=SECOND_VHOST, users="-c3")
    passwords = root / "passwords.json"
    passwords.write_text(json.dumps(second.passwords))
    apply = ("broker", "apply", "--dir", str(second.folder), "--passwords", str(passwords))
    first = await site.run(*apply, folder=False)
    logged_in = await connected(url_of(site, GRID))
    form = second.folder / "participants" / f"{GRID}.toml"
    form.write_text("enabled = false\n" + form.read_text())
    after = await site.run(*apply, folder=False)
    grid = await site.agency(GRID)
    try:
        await grid.publish(rubbish(grid))
        is_connected = True
    except (AMQPError, RuntimeError, ConnectionError):
        is_connected = False
    if logged_in is not None:
        await logged_in.close()
    yield Neighbours(site, first, after, logged_in is not None, is_connected)
    await management.delete("vhosts", SECOND_VHOST)


async def test_c3_a_password_that_another_courts_partner_uses_stays(neighbours: Neighbours) -> None:
    assert neighbours.grid_logs_in


async def test_c3_another_courts_connections_stay_open(neighbours: Neighbours) -> None:
    assert neighbours.grid_is_connected


async def test_c3_apply_says_what_it_left_alone_and_what_to_do(neighbours: Neighbours) -> None:
    """The user, the virtual host where it has rights, the file that names it; and that is no success."""
    said = neighbours.first.out + neighbours.first.err
    for word in (f"{GRID}-c3", DEAD_VHOST, f"participants/{GRID}.toml"):
        assert word in said.replace("\n", "")
    assert neighbours.first.code == 1
