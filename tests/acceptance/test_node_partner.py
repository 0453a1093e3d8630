"""The whole way with nothing of ours at the partner's end: court system → gateway → RabbitMQ → Node, and back."""

from __future__ import annotations

import asyncio
import json
import tomllib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from gateway.bootstrap import running
from gateway.broker.management import Management
from gateway.client import CourtClient, Event
from gateway.crypto.keyring import private_key_from_jwk
from gateway.demo.parties import BACKUP, CHIEF, CLERK, GRID, HANDLER, HOME, POLICE, PRESIDENT, Parties
from gateway.demo.private_broker import PrivateBroker
from gateway.demo.stage import set_stage
from gateway.registry.config import load_config
from gateway.registry.participants import load_registry
from schemas.catalogue import catalogue
from tests import node_partner
from tests.node_partner import NodePartner
from tests.world import NEAR

LOCATE, VERIFY = "police.person-locate.request", "grid.verify.request"
VHOST = "node-acceptance"
PDF = "%PDF-1.7 传票送达证明（演示）".encode()
DEADLINE_S = 30.0


@pytest.fixture(scope="module", autouse=True)
def packages() -> None:
    node_partner.install()


@pytest_asyncio.fixture(scope="module")
async def parties(broker: PrivateBroker, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Parties]:
    async with Management(broker.management_url, broker.admin, broker.password) as management:
        await management.put("vhosts", VHOST)
        yield await set_stage(tmp_path_factory.mktemp("stage"), broker, vhost=VHOST, partners=NEAR)
        await management.delete("vhosts", VHOST)


@pytest_asyncio.fixture(scope="module")
async def court_system(parties: Parties) -> AsyncIterator[CourtClient]:
    keys = {path.name.split(".")[1]: path for path in parties.handover.glob("*.private.jwk")}
    _, keyring = load_registry(parties.folder)
    async with (
        running(load_config(parties.folder)) as gateway,
        CourtClient(
            gateway.url,
            parties.token,
            court=HOME,
            gateway=HOME,
            spool=parties.folder.parent / "court-system.sqlite",
            sign_key=private_key_from_jwk(json.loads(keys["sub"].read_text())),
            open_keys=[private_key_from_jwk(json.loads(keys["enc"].read_text()))],
            gateway_jwks=keyring.jwks(),
            wait=1,
        ) as client,
    ):
        yield client


def agency(parties: Parties, code: str) -> NodePartner:
    """The Node partner with the very files that an agency is handed."""
    folder = parties.partners[code]
    settings = tomllib.loads((folder / "partner.toml").read_text(encoding="utf-8"))
    return NodePartner(
        code=code,
        amqp=settings["amqp"],
        password_file=folder / settings["password_file"],
        sign_key=folder / settings["sign_key"],
        open_key=folder / settings["open_key"],
        gateway_keys=folder / settings["gateway_keys"],
        ledger=folder / "ledger.jsonl",
        system=settings["system"],
    )


def submission(type: str, **members: Any) -> dict[str, Any]:
    return {
        "type": type,
        "schema_version": 1,
        "case_no": "（2026）陕0199执900001号",
        "legal_basis": ["INT-482"],
        "purpose": "locate-for-questioning",
        "handler": HANDLER,
        "backup_handler": BACKUP,
        "drafted_by": CLERK,
        "payload": dict(catalogue()[type].example_request),
        **members,
    }


async def until(court_system: CourtClient, request_no: str, verb: str) -> list[Event]:
    """Events of the request, up to the one with that verb. Raises TimeoutError."""
    seen: list[Event] = []
    async with asyncio.timeout(DEADLINE_S):
        async for event in court_system.events():
            if event.request_no == request_no:
                seen.append(event)
                if event.verb == verb:
                    return seen
    raise AssertionError("the feed never ends")


async def test_a_place_found_by_a_partner_in_node_reaches_the_court_system_alone(
    parties: Parties, court_system: CourtClient
) -> None:
    paper = await court_system.put_document(PDF, media_type="application/pdf")
    approved_at = (datetime.now(UTC) - timedelta(hours=1)).isoformat(timespec="seconds")
    body = submission(
        LOCATE,
        approvals=[
            {"by": by, "role": role, "decision": "approve", "at": approved_at, "reason": "同意"}
            for by, role in ((CHIEF, "bureau-chief"), (PRESIDENT, "president"))
        ],
        documents=[
            {
                "kind": "summons-proof",
                "issued_on": "2026-03-20",
                "sha256": paper.sha256,
                "pages": 2,
                "media_type": paper.media_type,
            }
        ],
    )
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
