"""What a stranger, or one of several users, does at the HTTP door decides nothing about the others."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import resource
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from uuid_utils.compat import uuid7
from yarl import URL

from gateway.broker.management import Management
from lianzhi.crypto import jws
from schemas.catalogue import catalogue
from simulation.parties import GRID, HOME, POLICE
from simulation.private_broker import PrivateBroker
from tests.agency import Agency
from tests.conftest import Vhost
from tests.eventually import eventually
from tests.fault.court import CONTROL, SEAL, VERIFY
from tests.faults import HIT
from tests.platform import SECRET, Platform, platform
from tests.scenes import answer_to, opening
from tests.walls.product import Installation, WallClock, installed

HALF = b"GET /livez HTTP/1.1\r\nHost: gateway\r\nX-Slow: "
FLOOD = 560
FEW_FILES = 512
PATIENCE_SECONDS = 20.0  # far below the 75 s after which a resting connection is closed anyhow
TIGHT = {
    "http_header_seconds": 1,
    "http_body_seconds": 1,
    "upload_bytes_per_second": 1_000,
    "documents_unnamed": 3,
}


@pytest_asyncio.fixture(scope="module")
async def telephone() -> AsyncIterator[Platform]:
    """The court's SMS and voice platform."""
    async with platform() as receiver:
        yield receiver


@pytest_asyncio.fixture(scope="module")
async def tight(
    broker: PrivateBroker, management: Management, tmp_path_factory: pytest.TempPathFactory, telephone: Platform
) -> AsyncIterator[Installation]:
    """One that serves with bounds so small that a test reaches them, on a machine with few descriptors."""
    await management.put("vhosts", "tight")
    vhost = Vhost("tight", broker, management)
    async with installed(tmp_path_factory.mktemp("tight"), vhost) as site:
        site.limit(**TIGHT)
        (site.folder / "platform.secret").write_text(SECRET)
        site.environment |= {
            "LIANZHI_NOTIFY__WEBHOOK__URL": telephone.url,
            "LIANZHI_NOTIFY__WEBHOOK__SECRET_FILE": "platform.secret",
            "LIANZHI_NOTIFY__PUBLIC_URL": site.url,
        }
        with few_files():
            await site.serve()
        yield site
    await management.delete("vhosts", "tight")


@contextmanager
def few_files() -> Iterator[None]:
    """Whoever is started inside has the soft limit of a small machine; what stands beyond it is its own business."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (FEW_FILES, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Half:
    """A connection that has begun to ask."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @property
    def closed(self) -> bool:
        """By the gateway."""
        return self.reader.at_eof() or self.reader.exception() is not None

    async def drained(self) -> bool:
        """`closed`, after whatever was said before it has been read away."""
        try:
            async with asyncio.timeout(0.001):
                while await self.reader.read(4096):
                    pass
        except (TimeoutError, ConnectionError):
            pass
        return self.closed


@asynccontextmanager
async def half_open(site: Installation, count: int) -> AsyncIterator[list[Half]]:
    opened = [Half(*await asyncio.open_connection("127.0.0.1", site.port)) for _ in range(count)]
    try:
        for half in opened:
            half.writer.write(HALF)
        yield opened
    finally:
        for half in opened:
            half.writer.close()


async def left_open(opened: list[Half]) -> int:
    return sum([not await half.drained() for half in opened])


async def lives(site: Installation) -> bool:
    """Asked over a connection of its own."""
    timeout = aiohttp.ClientTimeout(total=PATIENCE_SECONDS)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(f"{site.url}/livez") as answer:
            return answer.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False


# --- S6: half-open connections ----------------------------------------------------------------------------------------


async def test_s6_a_flood_of_half_open_connections_pushes_out_itself(tight: Installation) -> None:
    async with half_open(tight, FLOOD):
        assert await lives(tight)


async def test_s6_one_address_keeps_no_more_than_its_bound(running: Installation) -> None:
    async with half_open(running, FLOOD) as opened:
        await eventually(lambda: _at_most(opened, 400), PATIENCE_SECONDS)
        assert await lives(running)


async def _at_most(opened: list[Half], most: int) -> bool:
    return await left_open(opened) <= most


async def test_s6_a_head_that_never_ends_is_not_waited_for(tight: Installation) -> None:
    async with half_open(tight, 10) as opened:
        await eventually(lambda: _at_most(opened, 0), PATIENCE_SECONDS)


async def test_s6_neither_is_the_head_of_a_second_request(tight: Installation) -> None:
    async with half_open(tight, 3) as opened:
        for half in opened:
            half.writer.write(b"x\r\n\r\n")
            assert b" 200 " in await half.reader.readline()
            await half.reader.readuntil(b"}")
            half.writer.write(HALF)
        await eventually(lambda: _at_most(opened, 0), PATIENCE_SECONDS)


# --- S7: budgets of one credential ------------------------------------------------------------------------------------


async def test_s7_long_polls_of_one_token_are_bounded(running: Installation) -> None:
    site = running
    here: list[tuple[int, Any]] = []

    async def poll(cursor: str) -> None:
        async with site.court.session.get("/v1/events", params={"after": cursor, "wait": "60"}) as answer:
            here.append((answer.status, answer.headers.get("Retry-After")))

    cursor = (await site.court.feed())[-1:] or [{"cursor": await _cursor(site)}]
    polls = [asyncio.create_task(poll(cursor[0]["cursor"])) for _ in range(30)]
    try:
        refused = await eventually(lambda: here if len(here) >= 20 else None, PATIENCE_SECONDS)
        assert {status for status, _ in refused} == {429}
        assert all(int(after or 0) > 0 for _, after in refused)
        order = site.court.orders(1, [VERIFY], first=70)[0]
        status, said, _ = await site.court.post(order)
        assert status == 202, said
    finally:
        for one in polls:
            one.cancel()
        await asyncio.gather(*polls, return_exceptions=True)


async def _cursor(site: Installation) -> str:
    async with site.court.session.get("/v1/events") as answer:
        return str((await answer.json())["cursor"])


async def test_s7_an_upload_of_a_byte_now_and_then_is_ended(tight: Installation) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", tight.port)
    lines = (
        f"PUT /v1/documents/{'0' * 64} HTTP/1.1", "Host: gateway", f"Authorization: Bearer {tight.court.token}",
        "Content-Type: application/pdf", "Content-Length: 1000000", "", "",
    )  # fmt: skip
    writer.write("\r\n".join(lines).encode())

    async def drip() -> bytes:
        answer = asyncio.ensure_future(reader.readline())
        while not answer.done():
            writer.write(b"x")
            await asyncio.wait([answer], timeout=0.1)
        return await answer

    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            said = await drip()
    except TimeoutError:
        said = b"(nothing)"
    finally:
        writer.close()
    assert b" 408 " in said


async def test_s7_one_who_does_not_read_its_answer_is_given_up(tight: Installation) -> None:
    """Hundreds of answers are asked for over one connection, and none is read."""
    _, writer = await asyncio.open_connection("127.0.0.1", tight.port, limit=1)
    writer.transport.pause_reading()  # type: ignore[attr-defined]

    async def ask() -> bool:
        if writer.transport.get_write_buffer_size() == 0:
            writer.write(b"GET /asyncapi.json HTTP/1.1\r\nHost: gateway\r\n\r\n" * 8)
        return writer.transport.is_closing()

    try:
        await eventually(ask, PATIENCE_SECONDS)
    finally:
        writer.transport.abort()


async def test_s7_documents_that_nothing_names_are_bounded(tight: Installation) -> None:
    """A partner puts evidence, and names it nowhere."""
    statuses = [(await put(tight, jwt(tight), f"paper {n}".encode()))[0] for n in range(6)]
    assert statuses == [201] * 3 + [409] * 3
    status, document = await put(tight, jwt(tight, POLICE), b"another partner's paper")
    assert status == 201, document


# --- S12: smaller doors -----------------------------------------------------------------------------------------------


async def put(site: Installation, token: str, content: bytes) -> tuple[int, dict[str, Any]]:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/pdf"}
    path = f"{site.url}/v1/documents/{hashlib.sha256(content).hexdigest()}"
    async with aiohttp.ClientSession() as session, session.put(path, data=content, headers=headers) as answer:
        return answer.status, await answer.json(content_type=None)


def jwt(site: Installation, code: str = GRID, **claims: Any) -> str:
    """claims: given as None are left out."""
    now = int(time.time())
    said = {"iss": code, "sub": code, "aud": HOME, "exp": now + 240, "jti": str(uuid7()), **claims}
    agency = Agency(site.parties.partners[code], WallClock())  # its `now` is enough
    payload = {name: value for name, value in said.items() if value is not None}
    return jws.sign({"typ": "JWT"}, json.dumps(payload).encode(), agency.key)


async def test_s12_a_partners_jwt_writes_once(running: Installation) -> None:
    token = jwt(running)
    assert (await put(running, token, b"first paper"))[0] == 201
    status, document = await put(running, token, b"second paper")
    assert status == 401, document
    assert document["errors"][0]["rule"] == "jti-reused"


async def test_s12_without_a_number_of_its_own_it_writes_not_at_all(running: Installation) -> None:
    status, document = await put(running, jwt(running, jti=None), b"third paper")
    assert status == 401, document
    assert document["errors"][0]["rule"] == "jti-required"


async def test_s12_a_page_link_is_one_path_and_works_once(tight: Installation, telephone: Platform) -> None:
    site = tight
    await site.court.hand_in_paper()
    police = await site.agency(POLICE)
    for kind in (SEAL, CONTROL):
        order = site.court.orders(1, [kind], first=12)[0]
        await site.court.submit(order)
        number = site.court.accepted[order.key]
        await police.answer(number, "delivered")
        result = answer_to(kind, catalogue()[kind].example_request, datetime.now(UTC))
        await police.answer(number, "result", result)
        await police.fence()
    seen = dict(catalogue()[HIT].example_request)
    seen |= {"ref": result["items"][0]["ref"], "plate": "陕A90012", "control_no": result["items"][0]["control_no"]}
    alert = police.begin(HIT)
    await police.say(alert, "open", opening(HIT, seen))
    page = (await eventually(lambda: telephone.of(alert.request_no), PATIENCE_SECONDS))[0]
    link = URL(page["acknowledge_url"])
    assert not link.query_string
    async with aiohttp.ClientSession() as session:
        answers = []
        for _ in range(2):
            async with session.post(link) as answer:
                answers.append(answer.status)
        assert answers == [200, 410]
        async with session.post(f"{site.url}/v1/pages/{page['page_id']}/acknowledge?token=x") as answer:
            assert (answer.status, (await answer.json())["errors"][0]["rule"]) == (410, "link-form")


async def test_s12_metrics_are_not_for_everybody(running: Installation) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{running.url}/metrics") as answer:
        assert answer.status == 404


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/.well-known/jwks.json", "/openapi.json"])
async def test_s12_a_parameter_that_is_not_known_is_refused(running: Installation, path: str) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{running.url}{path}?verbose=1") as answer:
        assert answer.status == 422
        assert (await answer.json(content_type=None))["errors"][0]["pointer"] == "/verbose"


async def test_s12_no_address_switches_verification_off(running: Installation) -> None:
    before = dict(running.environment)
    running.environment["LIANZHI_BROKER__URL"] = "amqps://lianzhi-gateway@127.0.0.1:1/lianzhi?no_verify_ssl=1"
    try:
        told = await running.run("doctor")
    finally:
        running.environment = before
    assert told.code != 0
    assert "no_verify_ssl" in told.out + told.err


async def test_s12_neither_does_a_partners(running: Installation, tmp_path: Path) -> None:
    folder = tmp_path / GRID
    shutil.copytree(running.parties.partners[GRID], folder)
    toml = folder / "partner.toml"
    toml.write_text(re.sub(r'(?m)^amqp = "([^"?]*)"', r'amqp = "\1?no_verify_ssl=1"', toml.read_text()))
    told = await running.run("partner", "doctor", "--config", str(toml), folder=False)
    assert told.code != 0
    assert "no_verify_ssl" in told.out + told.err
