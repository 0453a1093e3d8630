"""A gateway says what it cannot do, waits for what it needs, and stays alone with its files."""

from __future__ import annotations

import asyncio
import copy
import json
import resource
import socket
import sqlite3
import tomllib
from asyncio.subprocess import Process
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import asyncpg
import pytest
from sqlalchemy import make_url
from uuid_utils.compat import uuid7

from lianzhi.client.signing import Author, submission
from lianzhi.crypto.keyring import private_key_from_jwk
from lianzhi.protocol.cards import cards
from simulation.parties import CLIENT, GRID, HOME, POLICE
from simulation.private_broker import free_port
from tests import postgres
from tests.conftest import Vhost
from tests.eventually import eventually
from tests.fault.court import SEAL, VERIFY, Order
from tests.walls.product import Installation, apply_topology, installed

WAL_BYTES = 24 << 20
"""More than a gateway leaves on the disk once nobody reads any more."""


async def readiness(site: Installation) -> tuple[int, dict[str, str]]:
    """Status of /readyz, and its findings: name → the words in English."""
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{site.url}/livez") as answer:
            assert answer.status == 200
        async with session.get(f"{site.url}/readyz") as answer:
            found = (await answer.json()).get("findings") or ()
            assert all(line["zh"] and line["en"] for line in found)
            return answer.status, {line["name"]: line["en"] for line in found}


async def told(site: Installation, status: int, *names: str, timeout: float = 30) -> None:
    """Until it says just this."""

    async def is_told() -> bool:
        found, findings = await readiness(site)
        return (found, set(findings)) == (status, set(names))

    await eventually(is_told, timeout)


async def posted(site: Installation, number: int) -> int:
    """Status of one submission, tried once."""
    (order,) = site.court.orders(1, [VERIFY], first=number)
    status, _, _ = await site.court.post(order)
    return status


# --- T7: what cannot be done is told


async def test_t7_a_full_disk(site: Installation) -> None:
    """As the process sees it: no file of its may grow (RLIMIT_FSIZE)."""
    process = await site.serve()
    await told(site, 200)
    wal = site.folder / "lianzhi.sqlite-wal"
    unlimited = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (wal.stat().st_size + 1000, unlimited[1]))
    numbers = iter(range(1, 500))

    async def refused() -> bool:
        return await posted(site, next(numbers)) == 503

    await eventually(refused)
    await told(site, 503, "store-not-written")
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, unlimited)
    await told(site, 200)
    assert await posted(site, 999) == 202


async def test_t7_a_read_only_postgresql(postgres_site: Installation) -> None:
    """As a standby after a failover is."""
    site = postgres_site
    await site.serve()
    await told(site, 200)
    await _read_only(site, "on")
    await told(site, 503, "store-not-written")
    assert await posted(site, 1) == 503
    await _read_only(site, "off")
    await told(site, 200)


async def _read_only(site: Installation, switch: str) -> None:
    url = make_url(site.environment["LIANZHI_STORE__URL"])
    connection = await asyncpg.connect(
        host=url.query["host"], user=url.username, database="postgres", port=int(str(url.query.get("port", 5432)))
    )
    try:
        await connection.execute(f"ALTER DATABASE {url.database} SET default_transaction_read_only = {switch}")
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", url.database
        )
    finally:
        await connection.close()


async def test_t7_queues_that_are_not_there(site: Installation) -> None:
    await site.serve()
    await told(site, 200)
    vhost = site.vhost
    await vhost.management.delete("queues", vhost.name, f"lianzhi.to.{GRID}")
    await told(site, 200, "queues-missing")
    await vhost.management.delete("queues", vhost.name, f"lianzhi.from.{GRID}")
    await told(site, 200, "queues-missing", "queues-not-consumed")
    assert await posted(site, 1) == 202
    found = await site.run("doctor")
    assert found.code == 1 and f"lianzhi.to.{GRID}" in found.err and f"lianzhi.from.{GRID}" in found.err


async def test_t7_the_brokers_alarm(site: Installation) -> None:
    """Also where the gateway has nothing to send: a broker tells only those who try."""
    await site.serve()
    await told(site, 200)
    broker = site.vhost.broker
    try:
        await broker.control("set_vm_memory_high_watermark", "0.00001")
        await told(site, 200, "broker-blocked")
        assert await posted(site, 1) == 202
    finally:
        await broker.control("set_vm_memory_high_watermark", "0.4")
    await told(site, 200)


# --- T9: one process to a file, a small log, few events


@pytest.mark.parametrize("way", ["hard link", "lock deleted"])
async def test_t9_the_lock_cannot_be_walked_around(site: Installation, way: str) -> None:
    first = await site.serve()
    if way == "hard link":
        other = site.folder / "other.sqlite"
        other.hardlink_to(site.folder / "lianzhi.sqlite")
        site.environment["LIANZHI_STORE__URL"] = f"sqlite:///{other}"
    else:
        (site.folder / "lianzhi.sqlite.lock").unlink(missing_ok=True)
    site.port = free_port()
    second = await site.serve(wait=False)
    await asyncio.wait({asyncio.ensure_future(second.wait())}, timeout=15)
    assert second.returncode == 2, "two processes serve one database"
    assert "in use by another process" in site.said()
    assert first.returncode is None


async def test_t9_the_ledgers_lock_cannot_be_walked_around(site: Installation) -> None:
    toml = str(site.parties.partners[GRID] / "partner.toml")
    consume = ["partner", "consume", "--once", "1", "--config", toml]
    first = asyncio.create_task(site.run(*consume, folder=False, timeout=40))
    ledger = _ledger(toml)
    await eventually(ledger.exists)
    await eventually(lambda: _consumed(site))
    ledger.with_name(f"{ledger.name}.lock").unlink(missing_ok=True)
    second = asyncio.create_task(site.run(*consume, folder=False, timeout=40))
    done, _ = await asyncio.wait({second}, timeout=15)
    try:
        assert done, "a second process consumes with the same ledger"
        assert second.result().code == 2 and "Another process" in second.result().err
    finally:
        first.cancel()
        second.cancel()


def _ledger(toml: str) -> Path:
    path = Path(toml)
    return path.parent / str(tomllib.loads(path.read_text())["ledger"])


async def _consumed(site: Installation) -> bool:
    vhost = site.vhost
    found = await vhost.management.get("queues", vhost.name, f"lianzhi.to.{GRID}")
    return bool(found and found.get("consumers"))


async def test_t9_the_write_ahead_log_gives_back_its_peak(site: Installation) -> None:
    """A reader keeps it from beginning anew; when that one is gone, so is what it kept."""
    await site.serve()
    database = site.folder / "lianzhi.sqlite"
    wal = site.folder / "lianzhi.sqlite-wal"
    with (
        closing(sqlite3.connect(database, isolation_level=None)) as reader,
        closing(sqlite3.connect(database, isolation_level=None)) as writer,
    ):
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM requests").fetchone()
        writer.execute("CREATE TABLE much (content BLOB)")
        writer.execute("INSERT INTO much VALUES (zeroblob(?))", (2 * WAL_BYTES,))
        writer.execute("DROP TABLE much")
        assert wal.stat().st_size > 2 * WAL_BYTES
        reader.execute("COMMIT")
        await eventually(lambda: wal.stat().st_size < WAL_BYTES, 20)
        assert await posted(site, 1) == 202
        assert wal.stat().st_size < WAL_BYTES


def of_one_car(site: Installation, order: Order) -> Order:
    """The same submission about the car that all of them are about."""
    body = copy.deepcopy(order.handed.content["signed"])
    body["payload"]["vehicle"] |= {"vin": "LSVAM4187C2184821", "plate": "陕A90000"}
    jwk = json.loads((site.parties.handover / f"{HOME}.sub.{CLIENT}.private.jwk").read_text())
    author = Author(HOME, HOME, private_key_from_jwk(jwk))
    handed = submission(
        author, body, receivers=[POLICE], sign=None, message_id=str(uuid7()), now=datetime.now(UTC), cards=cards()
    )
    return Order(order.type, order.key, handed)


async def test_t9_one_event_however_often_a_car_is_sealed(site: Installation) -> None:
    """In as many cases: events grow with them, not with their square."""
    await site.serve()
    await site.court.hand_in_paper()
    count = 6
    with closing(sqlite3.connect(site.folder / "lianzhi.sqlite")) as database:

        def events() -> int:
            (found,) = database.execute("SELECT count(*) FROM events WHERE kind = 'measure-elsewhere'").fetchone()
            return int(found)

        for order in site.court.orders(count, [SEAL]):
            await site.court.submit(of_one_car(site, order))
        assert events() == count - 1


# --- T8: what is away is waited for, and said


async def said_meanwhile(site: Installation, process: Process) -> set[str]:
    """The findings of a process that waits; it must not end."""
    assert process.returncode is None, site.said()
    try:
        status, findings = await readiness(site)
    except aiohttp.ClientError:
        return set()
    assert status == 503
    return set(findings)


@pytest.mark.slow
async def test_t8_serve_waits_for_its_database(tmp_path: Path, vhost: Vhost) -> None:
    if postgres.binaries() is None:
        pytest.skip("PostgreSQL is not installed")
    cluster = postgres.Cluster()
    try:
        cluster.start()
        url = await cluster.new_database("template0")
        async with installed(tmp_path, vhost, store_url=url) as site:
            cluster.stop()
            process = await site.serve(wait=False)
            assert await eventually(lambda: said_meanwhile(site, process), 30) == {"store-away"}
            assert await posted(site, 1) == 503
            assert "waiting-for-store" in site.said() and "The store cannot be reached" in site.said()
            assert await site.stop(process) == 0  # it hears while it waits
            process = await site.serve(wait=False)
            await eventually(lambda: said_meanwhile(site, process), 30)
            cluster.start()
            await eventually(lambda: site.is_ready(process), 60)
            assert await posted(site, 2) == 202
    finally:
        cluster.remove()


def broker_url(site: Installation) -> str:
    url: str = tomllib.loads((site.folder / "lianzhi.toml").read_text())["broker"]["url"]
    return url


def nobody_there(url: str) -> str:
    """The same address, at a port where nobody listens."""
    return url.replace(f":{urlsplit(url).port}/", f":{free_port()}/")


async def test_t8_several_brokers_are_tried_in_turn(site: Installation) -> None:
    url = broker_url(site)
    site.environment["LIANZHI_BROKER__URL"] = json.dumps([nobody_there(url), url])
    await site.serve()
    await told(site, 200)
    found = await site.run("doctor")
    assert "✓ 代理 broker" in found.out, found.err


async def test_t8_a_partner_with_several_brokers(site: Installation) -> None:
    toml = site.parties.partners[GRID] / "partner.toml"
    url = tomllib.loads(toml.read_text())["amqp"]
    text = toml.read_text().replace(json.dumps(url), json.dumps([nobody_there(url), url]))
    assert text != toml.read_text()
    toml.write_text(text)
    consuming = asyncio.create_task(
        site.run("partner", "consume", "--once", "1", "--config", str(toml), folder=False, timeout=40)
    )
    try:
        await eventually(lambda: consuming.done() or _consumed(site), 30)
        assert not consuming.done(), consuming.result().err
    finally:
        consuming.cancel()


async def test_t8_two_hosts_in_one_address_are_refused_by_the_rule(site: Installation) -> None:
    site.environment["LIANZHI_BROKER__URL"] = "amqp://lianzhi-gateway@first:5672,second:5672/lianzhi"
    found = await site.run("serve", timeout=20)
    assert found.code == 2 and "Traceback" not in found.err, found.err
    assert "只写一台主机" in found.err and "one host" in found.err


async def test_t8_commands_say_what_is_away(site: Installation) -> None:
    """In one sentence, in both languages."""
    url, here = broker_url(site), dict(site.environment)

    async def told_by(*command: str, **environment: str) -> str:
        site.environment = here | environment
        found = await site.run(*command)
        assert found.code == 1 and "Traceback" not in found.err, found.err
        return found.err

    away = f"postgresql://nobody@127.0.0.1:{free_port()}/nothing"
    for command in (("quarantine", "list"), ("db", "migrate")):
        words = await told_by(*command, LIANZHI_STORE__URL=away)
        assert "数据库" in words and "cannot be reached" in words
    for broken in (
        {"LIANZHI_BROKER__MANAGEMENT": f"http://127.0.0.1:{free_port()}"},
        {"LIANZHI_BROKER__URL": nobody_there(url)},
    ):
        words = await told_by("broker", "apply", **broken)
        assert "消息代理" in words and "The broker is away" in words
    words = await told_by("doctor", LIANZHI_BROKER__URL=nobody_there(url), LIANZHI_STORE__URL=away)
    assert "数据库连不上" in words and "The broker is away" in words


async def test_t8_replicas_are_asked_for(site: Installation, record_property: Callable[[str, object], None]) -> None:
    """A queue that is made anew has as many as configured; one that exists keeps its own, and is told of."""
    record_property("new", "[broker] replicas; how many follow from the cluster's size is a unit test")
    vhost, queue = site.vhost, f"lianzhi.to.{GRID}"
    await vhost.management.delete("queues", vhost.name, queue)
    site.environment["LIANZHI_BROKER__REPLICAS"] = "3"
    await apply_topology(site)
    found = await vhost.management.get("queues", vhost.name, queue)
    assert found["arguments"]["x-quorum-initial-group-size"] == 3
    other = await vhost.management.get("queues", vhost.name, f"lianzhi.from.{GRID}")
    assert "x-quorum-initial-group-size" not in other["arguments"]
    assert "rabbitmq-queues grow" in (await apply_topology(site)).err


async def test_a_port_that_is_taken_is_one_sentence(site: Installation) -> None:
    """What was about to be begun leaves no warnings behind it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", site.port))
        taken.listen()
        gateway = await site.serve(wait=False)
        assert await asyncio.wait_for(gateway.wait(), 60) == 2
    assert str(site.port) in site.said() and "never awaited" not in site.said()
