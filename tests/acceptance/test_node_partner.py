"""The whole way with nothing of ours at the partner's end: court system → gateway → RabbitMQ → Node, and back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from lianzhi.client import CourtClient
from simulation.parties import GRID, HANDLER, POLICE, Parties
from simulation.private_broker import PrivateBroker
from tests import node_partner
from tests.acceptance.foreign import VERIFY, approved_locate, court_system_of, handed, stage, submission, until
from tests.node_partner import NodePartner

pytestmark = pytest.mark.slow  # a partner in another language


@pytest.fixture(scope="module", autouse=True)
def packages() -> None:
    node_partner.install()


@pytest_asyncio.fixture(scope="module")
async def parties(broker: PrivateBroker, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Parties]:
    async with stage(broker, tmp_path_factory.mktemp("stage"), "node-acceptance") as parties:
        yield parties


@pytest_asyncio.fixture(scope="module")
async def court_system(parties: Parties) -> AsyncIterator[CourtClient]:
    async with court_system_of(parties) as client:
        yield client


def agency(parties: Parties, code: str) -> NodePartner:
    return NodePartner(**handed(parties, code))


async def test_a_place_found_by_a_partner_in_node_reaches_the_court_system_alone(
    parties: Parties, court_system: CourtClient
) -> None:
    body = await approved_locate(court_system)
    accepted = await court_system.submit(body, receiver=POLICE)
    number = accepted.request_no or ""
    async with agency(parties, POLICE) as police:
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


async def test_a_grid_centre_in_node_is_told_no_case_and_answers_in_its_own_words(
    parties: Parties, court_system: CourtClient
) -> None:
    accepted = await court_system.submit(submission(VERIFY, purpose="verify-residence"), receiver=GRID)
    number = accepted.request_no or ""
    async with agency(parties, GRID):
        await until(court_system, number, "result")
    messages = {m.verb: m for m in await court_system.messages(number)}
    found = await court_system.unseal(messages["result"])
    assert found.data["items"][0]["lives_here"] == "yes"
    for verb in ("delivered", "receipt", "result"):
        assert (await court_system.unseal(messages[verb])).envelope.caseno is None
    assert (await court_system.request(number)).state == "completed"


async def test_withdrawn_before_the_partner_looks_nothing_is_started(
    parties: Parties, court_system: CourtClient
) -> None:
    accepted = await court_system.submit(submission(VERIFY, purpose="verify-residence"), receiver=GRID)
    number = accepted.request_no or ""
    await until(court_system, number, "open")
    await court_system.withdraw(number, by=HANDLER, reason_code="paid")
    async with agency(parties, GRID) as grid:
        await until(court_system, number, "withdraw-ack")
        refused = [line for line in grid.log if line["event"] == "refused"]
    assert refused == []
    assert (await court_system.request(number)).state == "withdrawn"
