"""The whole way with nothing of ours at the partner's end: court system → gateway → RabbitMQ → Java, and back."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from lianzhi.client import CourtClient
from simulation.parties import GRID, HANDLER, POLICE, Parties
from simulation.private_broker import PrivateBroker
from tests import java_partner
from tests.acceptance.foreign import VERIFY, approved_locate, court_system_of, handed, stage, submission, until
from tests.java_partner import JavaPartner

pytestmark = pytest.mark.slow  # a partner in another language


@pytest.fixture(scope="module")
def classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return java_partner.compiled(tmp_path_factory.mktemp("classes"))


@pytest_asyncio.fixture(scope="module")
async def parties(broker: PrivateBroker, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Parties]:
    async with stage(broker, tmp_path_factory.mktemp("stage"), "java-acceptance") as parties:
        yield parties


@pytest_asyncio.fixture(scope="module")
async def court_system(parties: Parties) -> AsyncIterator[CourtClient]:
    async with court_system_of(parties) as client:
        yield client


async def test_a_place_found_by_a_partner_in_java_reaches_the_court_system_alone(
    parties: Parties, court_system: CourtClient, classes: Path
) -> None:
    accepted = await court_system.submit(await approved_locate(court_system), receiver=POLICE)
    number = accepted.request_no or ""
    async with JavaPartner(**handed(parties, POLICE), classes=classes) as police:
        events = await until(court_system, number, "result")
    assert [e.verb for e in events if e.kind == "message"] == ["open", "delivered", "receipt", "result"]
    messages = {m.verb: m for m in await court_system.messages(number)}
    assert "items" not in (messages["result"].data or {})
    found = await court_system.unseal(messages["result"])
    assert found.own
    assert found.data["items"][0]["sightings"][0]["place"] == "演示区东街"
    assert (await court_system.unseal(messages["receipt"])).data["badge"] == "061234"
    assert (await court_system.confirm(number, by=HANDLER)).state == "closed"
    written = json.dumps(police.log, ensure_ascii=False) + await asyncio.to_thread(police.ledger.read_text, "utf-8")
    assert number in written
    assert not any(word in written for word in ("王演示", "610199199003071237", "演示区东街"))


async def test_killed_in_the_middle_of_its_work_it_does_nothing_twice(
    parties: Parties, court_system: CourtClient, classes: Path
) -> None:
    numbers = []
    for _ in range(6):
        accepted = await court_system.submit(submission(VERIFY, purpose="verify-residence"), receiver=GRID)
        numbers.append(accepted.request_no or "")
    await until(court_system, numbers, "open")
    grid = JavaPartner(**handed(parties, GRID), classes=classes)
    await grid.start()
    await grid.logged("applied", 2)
    await grid.kill()
    async with grid:
        await until(court_system, numbers, "result")
    decided = [json.loads(line) for line in grid.ledger.read_text("utf-8").splitlines()]
    applied = Counter(line["message"]["id"] for line in decided if line.get("verdict") == "applied")
    assert len(applied) == 6 and set(applied.values()) == {1}
    for number in numbers:
        assert (await court_system.request(number)).state == "completed"
        verbs = [m.verb for m in await court_system.messages(number)]
        assert verbs == ["open", "delivered", "receipt", "result"]


async def test_with_its_ledger_lost_it_asks_for_what_it_lacks_and_counts_on(
    parties: Parties, court_system: CourtClient, classes: Path
) -> None:
    accepted = await court_system.submit(submission(VERIFY, purpose="verify-residence"), receiver=GRID)
    number = accepted.request_no or ""
    grid = JavaPartner(**handed(parties, GRID), classes=classes)
    async with grid:
        await until(court_system, number, "result")
    grid.ledger.unlink()
    grid.log.clear()
    await court_system.confirm(number, by=HANDLER)
    async with grid:
        await grid.logged("asked", where=lambda line: line["request_no"] == number and line["next_seqno"] == 1)
        (told,) = await grid.logged("notice", where=lambda line: line["notice"].get("request_no") == number)
        await grid.logged("applied", 2, where=lambda line: line["request_no"] == number)
    assert (told["notice"]["reason"], told["notice"]["next_seqno"]) == ("sequence-gap", 4)
    said = [json.loads(line) for line in grid.ledger.read_text("utf-8").splitlines()]
    assert [out["seqno"] for line in said for out in line.get("out", []) if line.get("verdict")] == [4, 5, 6]
