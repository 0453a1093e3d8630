"""Behind the proxy whose configuration we ship, Debian's nginx: the same walls, and the caller's own address."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from gateway.broker.management import Management
from simulation.private_broker import PrivateBroker
from tests.conftest import Vhost
from tests.eventually import eventually
from tests.fault.court import VERIFY
from tests.nginx import NGINX, Nginx, nginx
from tests.walls.product import Installation, installed, is_this_checkout
from tests.walls.test_http import FLOOD, HALF, half_open

HERE, THERE = "127.0.0.2", "127.0.0.3"
EACH = 3
MEBIBYTE = 1 << 20

pytestmark = [
    pytest.mark.skipif(not NGINX.exists(), reason="nginx is not installed"),
    pytest.mark.skipif(not is_this_checkout(), reason="the configuration of a proxy is new"),
]


@pytest_asyncio.fixture(scope="module")
async def fronted(
    broker: PrivateBroker, management: Management, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Installation, Nginx]]:
    await management.put("vhosts", "fronted")
    root = tmp_path_factory.mktemp("fronted")
    async with installed(root, Vhost("fronted", broker, management)) as site:
        site.environment["LIANZHI_HTTP__PROXIES"] = '["127.0.0.1"]'
        site.limit(http_connections_per_address=EACH)
        await site.serve()
        async with nginx(tmp_path_factory.mktemp("nginx"), site.port) as front:
            yield site, front
    await management.delete("vhosts", "fronted")


@asynccontextmanager
async def from_address(site: Installation, front: Nginx, address: str) -> AsyncIterator[aiohttp.ClientSession]:
    """The court system on another machine, as far as nginx can see."""
    connector = aiohttp.TCPConnector(ssl=front.trusted, local_addr=(address, 0), limit=0)
    headers = {"Authorization": f"Bearer {site.court.token}"}
    async with aiohttp.ClientSession(front.url, connector=connector, headers=headers) as session:
        yield session


async def test_s6_floods_at_nginx_and_beside_it_stop_nobody(
    fronted: tuple[Installation, Nginx], record_property: Any
) -> None:
    record_property("new", "no configuration of a proxy was shipped")
    site, front = fronted
    async with half_open(site, FLOOD), _half_open_at(front), from_address(site, front, HERE) as session:
        async with session.get("/livez") as answer:
            assert answer.status == 200
        order = site.court.orders(1, [VERIFY], first=30)[0]
        headers = {"Idempotency-Key": order.key, "Content-Type": order.handed.content_type}
        async with session.post(order.handed.path, data=order.handed.body, headers=headers) as answer:
            assert answer.status == 202, await answer.text()


@asynccontextmanager
async def _half_open_at(front: Nginx) -> AsyncIterator[None]:
    """Half of them in the handshake, half in the head."""
    opened = []
    try:
        for number in range(FLOOD):
            secure = {"ssl": front.trusted, "server_hostname": "127.0.0.1"} if number % 2 else {}
            _, writer = await asyncio.open_connection("127.0.0.1", front.port, **secure)  # type: ignore[arg-type]
            writer.write(HALF if secure else b"\x16\x03")
            opened.append(writer)
        yield
    finally:
        for writer in opened:
            writer.transport.abort()


async def test_an_address_is_the_one_that_nginx_saw(fronted: tuple[Installation, Nginx]) -> None:
    """Whatever a caller writes into the headers, its requests in flight are counted against it, and nobody else."""
    site, front = fronted
    async with from_address(site, front, HERE) as here, from_address(site, front, THERE) as there:
        async with here.get("/v1/events") as answer:
            cursor = (await answer.json())["cursor"]

        async def poll(number: int) -> int:
            forged = {"Forwarded": f"for=203.0.113.{number}", "X-Forwarded-For": f"203.0.113.{number}"}
            where = {"after": cursor, "wait": "60"}
            async with here.get("/v1/events", params=where, headers=forged) as answer:
                return answer.status

        polls = [asyncio.create_task(poll(number)) for number in range(EACH + 2)]
        done = await eventually(lambda: [p for p in polls if p.done()] if sum(p.done() for p in polls) == 2 else None)
        assert {one.result() for one in done} == {429}
        async with there.get("/v1/types") as answer:
            assert answer.status == 200
        for one in polls:
            one.cancel()
        await asyncio.gather(*polls, return_exceptions=True)

        async def served() -> bool:
            """Polls whose callers went away are over."""
            async with here.get("/v1/types") as answer:
                return answer.status == 200

        await eventually(served)


async def test_what_nginx_lets_through(fronted: tuple[Installation, Nginx]) -> None:
    site, front = fronted
    paper = b"%PDF" + bytes(5 * MEBIBYTE)
    async with from_address(site, front, HERE) as session:
        path = f"/v1/documents/{hashlib.sha256(paper).hexdigest()}"
        async with session.put(path, data=paper, headers={"Content-Type": "application/pdf"}) as answer:
            assert answer.status == 201
        async with session.get(path) as answer:
            assert await answer.read() == paper
        async with session.get("/metrics") as answer:
            assert answer.status == 404
        headers = {"Content-Type": "application/json", "Idempotency-Key": "large"}
        async with session.post("/v1/requests", data=bytes(MEBIBYTE + 1), headers=headers) as answer:
            assert (answer.status, answer.content_type) == (413, "application/problem+json")
            assert (await answer.json(content_type=None))["type"] == "urn:lianzhi:problem:too-large"
        async with session.post("/v1/pages/01a20d3f/acknowledge/the-token?more=1") as answer:
            assert answer.status == 422
        async with session.get("/v1/requests?case_no=secret") as answer:
            assert answer.status == 422
    assert "/v1/pages/01a20d3f/acknowledge/-" in front.log
    assert "the-token" not in front.log and "secret" not in front.log


async def test_a_gateway_that_is_away_is_said_in_our_words(
    fronted: tuple[Installation, Nginx], tmp_path_factory: pytest.TempPathFactory
) -> None:
    site, _ = fronted
    async with (
        nginx(tmp_path_factory.mktemp("away"), 1) as front,
        from_address(site, front, HERE) as session,
        session.get("/v1/types") as answer,
    ):
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        assert (await answer.json(content_type=None))["type"] == "urn:lianzhi:problem:unavailable"
