"""One version back is understood: an older gateway, an older partner's library, an older client beside today's, and
what was under way when one of them was replaced (docs/releases.md).

The older version is a checkout of its own with its own environment (`tools/older.py`); where its commit is not in this
clone, these tests are skipped.
"""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from lianzhi.crypto.sdjwt import parse
from simulation.parties import GRID, HANDLER, POLICE
from tests import postgres
from tests.conftest import Vhost
from tests.eventually import eventually
from tests.fault.agencies import effects, last_word
from tests.fault.court import LOCATE, VERIFY
from tests.fault.proxy import Proxy
from tests.walls.library import Program, program
from tests.walls.product import HERE, Installation, apply_topology, installed, python
from tools.older import NotHereError, older

pytestmark = pytest.mark.slow  # every one has an installation of its own

ONE_BACK = "f2027db"
"""At a release: the tag of the one before (docs/releases.md)."""
VERSION_1 = {
    "message_id", "body_sha256", "reason", "pointer", "title_zh", "title_en", "next_seqno", "request_no",
}  # fmt: skip
ASKED = {POLICE: LOCATE, GRID: VERIFY}  # the first is sealed both ways
OLD, NEW = "old", "new"


@pytest.fixture(scope="module")
def versions() -> Iterator[dict[str, Path]]:
    """The checkouts."""
    try:
        with older(ONE_BACK) as checkout:
            yield {OLD: checkout, NEW: HERE}
    except NotHereError as error:
        pytest.skip(str(error))


# An agency that has not updated, one that was the first to update


@pytest.mark.parametrize(("gateway", "library"), [(NEW, OLD), (OLD, NEW)])
async def test_a_whole_conversation_and_a_refusal(
    versions: dict[str, Path], gateway: str, library: str, tmp_path: Path, vhost: Vhost
) -> None:
    async with installed(tmp_path, vhost, product=versions[gateway]) as site:
        await site.serve()
        folder = site.parties.partners[GRID]
        toml = settings(site, GRID, library)
        async with program(
            tmp_path, "conversation.py", toml, interpreter=python(versions[library]), cwd=versions[library]
        ) as agency:
            await agency.told("ready")
            order = site.court.orders(1, [VERIFY])[0]
            await site.court.submit(order)
            number = site.court.accepted[order.key]
            (notice,) = await agency.told("notice")
            assert (notice["request_no"], notice["reason"]) == (number, "invalid-field")
            await in_state(site, "completed", number)
            await confirm(site, number)
            await agency.told("handled", 2)
            await in_state(site, "closed", number)
            assert await agency.stop() == 0, agency.log
        notices = notices_in(folder / "inbox.sqlite")
    assert len(notices) == 1
    assert notices[0].keys() <= VERSION_1, "who has not said that it reads version 2 gets version 1"


# What was under way when the gateway was replaced


@pytest.mark.parametrize(("library", "kind"), [(OLD, "sqlite"), (NEW, "sqlite"), (NEW, "postgres")])
async def test_the_gateway_is_replaced(
    versions: dict[str, Path], library: str, kind: str, tmp_path: Path, vhost: Vhost
) -> None:
    """Answers in its queues, requests in the agencies' queues, requests that were not yet sent: the new gateway and
    the agencies, on the old library or on the new one, bring all of them to their end, once."""
    async with database(kind) as url, installed(tmp_path, vhost, store_url=url, product=versions[OLD]) as site:
        await handed_in(site, 0, "dispatched")
        async with agencies(site, versions, OLD) as old:
            for agency in old:
                await agency.told("handled")
        await handed_in(site, 10, "dispatched", roles="api,dispatch")
        numbers = await handed_in(site, 20, "approved", roles="api")

        site.product = versions[NEW]
        migrated = await site.run("db", "migrate")
        assert migrated.code == 0, migrated.err
        await apply_topology(site)
        await site.serve()
        async with agencies(site, versions, library):
            await in_state(site, "completed", *numbers)
            for number in numbers:
                await confirm(site, number)
            await in_state(site, "closed", *numbers)
        await proved(site, numbers)


# What was under way when an agency's library was replaced


@pytest.mark.parametrize("gateway", [OLD, NEW])
async def test_a_library_is_replaced(versions: dict[str, Path], gateway: str, tmp_path: Path, vhost: Vhost) -> None:
    """The old one had committed answers that no broker ever saw, and had requests that it had not worked on."""
    async with installed(tmp_path, vhost, product=versions[gateway]) as site, Proxy(vhost.broker.ports.amqp) as proxy:
        numbers = await handed_in(site, 0, "dispatched")
        go = tmp_path / "go"
        async with agencies(site, versions, OLD, go, port=proxy.port) as old:
            for agency in old:
                await agency.told("taken")
            proxy.freeze()
            go.touch()
            for agency in old:
                await agency.told("committed")
                agency.process.kill()
            proxy.cut()
        for code in ASKED:
            assert unsent(site.parties.partners[code] / "inbox.sqlite")
        numbers = await handed_in(site, 10, "dispatched")

        await site.serve()
        async with agencies(site, versions, NEW):
            await in_state(site, "completed", *numbers)
            for number in numbers:
                await confirm(site, number)
            await in_state(site, "closed", *numbers)
        await proved(site, numbers)


# A court system's client


@pytest.mark.parametrize(("gateway", "library"), [(NEW, OLD), (OLD, NEW), (NEW, NEW)])
async def test_a_submission_that_the_old_client_could_not_hand_in(
    versions: dict[str, Path], gateway: str, library: str, tmp_path: Path, vhost: Vhost
) -> None:
    """Its record is taken up by that client or the next one, and becomes one request."""
    async with installed(tmp_path, vhost, product=versions[gateway]) as site:
        spool = tmp_path / "spool.sqlite"
        words = (site.url, site.parties.token, spool, "once")
        async with program(
            tmp_path, "ten_lines.py", *words, interpreter=python(versions[OLD]), cwd=versions[OLD]
        ) as client:
            await client.told("submitting")
            await eventually(lambda: column(spool, "SELECT key FROM outgoing") == ["once"])
        await site.serve()
        async with program(
            tmp_path, "ten_lines.py", *words, interpreter=python(versions[library]), cwd=versions[library]
        ) as client:
            (accepted,) = await client.told("accepted")
            assert await client.ended() == 0, client.log
        async with program(
            tmp_path, "ten_lines.py", *words[:3], interpreter=python(versions[library]), cwd=versions[library]
        ) as client:
            told = {"event": "followed", "request_no": accepted["request_no"]}
            await eventually(lambda: told in client.lines, 30)
        database = site.folder / "lianzhi.sqlite"
        assert column(database, "SELECT request_no FROM requests") == [accepted["request_no"]]


# What they stand on


@asynccontextmanager
async def database(kind: str) -> AsyncIterator[str | None]:
    """The URL of an empty one; None: the installation's own file."""
    if kind == "sqlite":
        yield None
        return
    if postgres.binaries() is None:
        pytest.skip("PostgreSQL is not installed")
    cluster = postgres.shared()
    url = await cluster.new_database("template0")
    yield url
    await cluster.drop_database(url)


def settings(site: Installation, code: str, library: str, port: int | None = None) -> Path:
    """The agency's `partner.toml` as that version of the library takes it. port: of a proxy in front of the broker."""
    gateway = NEW if site.product == HERE else OLD
    file = site.parties.partners[code] / "partner.toml"
    text = file.read_text("utf-8")
    if OLD in (library, gateway):  # that library would refuse the member, that gateway writes no such file
        text = re.sub(r"^contract = .*\n", "", text, flags=re.M)
    if port is not None:
        text = re.sub(r"^(amqp = .*):\d+/", rf"\g<1>:{port}/", text, flags=re.M)
    other = file.with_name(f"{library}.toml")
    other.write_text(text, "utf-8")
    return other


@asynccontextmanager
async def agencies(
    site: Installation, versions: dict[str, Path], library: str, *go: Path, port: int | None = None
) -> AsyncIterator[list[Program]]:
    """Those of ASKED, at work on that version of the library. go: until that file is there they answer nothing."""
    words = site.root / "words.json"
    dialects = {POLICE: "police/1", GRID: "grid/1"}
    said = {type: await last_word(type, dialects[code]) for code, type in ASKED.items()}
    words.write_text(json.dumps(said, ensure_ascii=False), "utf-8")
    async with AsyncExitStack() as stack:
        started: list[Program] = []
        for code in ASKED:
            toml = settings(site, code, library, port)
            running = program(
                site.root, "answers.py", toml, words, *go, interpreter=python(versions[library]), cwd=versions[library]
            )
            agency = await stack.enter_async_context(running)
            (ready,) = await agency.told("ready")
            assert ready["library"].startswith(str(versions[library])), "it ran another library"
            started.append(agency)
        yield started


async def handed_in(site: Installation, first: int, state: str, roles: str = "") -> list[str]:
    """One submission of each type of ASKED to a gateway that is stopped once they are in that state; the numbers of all
    requests so far. first: of their cases."""
    gateway = await site.serve(roles=roles, wait=not roles)
    await eventually(lambda: answers(site))
    await site.court.hand_in_paper()
    before = set(site.court.accepted.values())
    await site.court.submit_all(site.court.orders(len(ASKED), ASKED.values(), first=first))
    await in_state(site, state, *(set(site.court.accepted.values()) - before))
    assert await site.stop(gateway) == 0, site.said()
    return list(site.court.accepted.values())


async def answers(site: Installation) -> bool:
    """Whether its port is open."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", site.port)
    except OSError:
        return False
    writer.close()
    return True


async def in_state(site: Installation, state: str, *numbers: str) -> None:
    """Until all of them are."""

    async def there() -> bool:
        for number in numbers:
            async with site.court.session.get(f"/v1/requests/{number}") as answer:
                if (await answer.json())["state"] != state:
                    return False
        return True

    await eventually(there, 60)


async def confirm(site: Installation, number: str) -> None:
    body = {"verb": "confirm", "by": HANDLER, "data": {}}
    headers = {"Idempotency-Key": str(uuid7())}
    async with site.court.session.post(f"/v1/requests/{number}/messages", json=body, headers=headers) as answer:
        assert answer.status == 202, await answer.text()


async def proved(site: Installation, numbers: list[str]) -> None:
    """Each was worked on once, nothing was refused, and today's version finds nothing wrong with the database."""
    ledgers = {code: site.parties.partners[code] / "inbox.sqlite" for code in ASKED}
    done = effects(ledgers)
    assert sorted(number for _, number in done) == sorted(numbers)
    assert set(done.values()) == {1}
    assert await site.quarantine() == []
    if site.product == HERE:  # an older one has no such command
        checked = await site.run("db", "check")
        assert checked.code == 0, checked.out + checked.err
    for ledger in ledgers.values():
        assert not unsent(ledger)
        assert not notices_in(ledger)


def unsent(ledger: Path) -> list[Any]:
    """Answers that the broker has not confirmed."""
    return column(ledger, "SELECT verb FROM lz_outbox WHERE state = 'ready'")


def notices_in(ledger: Path) -> list[dict[str, Any]]:
    """What the gateway refused, as it told the agency."""
    return [
        parse(text.encode()).content for text in column(ledger, "SELECT text FROM lz_message WHERE verb = 'notice'")
    ]


def column(database: Path, query: str) -> list[Any]:
    """Of a file that another program may have open."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return [value for (value,) in connection.execute(query)]
