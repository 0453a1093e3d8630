"""What the acceptance tests of partners in other languages share: the court's side, and what an agency is handed."""

from __future__ import annotations

import asyncio
import json
import tomllib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.bootstrap import running
from gateway.broker.management import Management
from gateway.registry.config import load_config
from gateway.registry.contracts import contract_of
from gateway.registry.participants import load_registry
from lianzhi.client import CourtClient, Event
from lianzhi.crypto.keyring import private_key_from_jwk
from schemas.catalogue import catalogue
from simulation.parties import BACKUP, CHIEF, CLERK, HANDLER, HOME, PRESIDENT, Parties
from simulation.private_broker import PrivateBroker
from simulation.stage import set_stage
from tests.world import NEAR

LOCATE, VERIFY = "police.person-locate.request", "grid.verify.request"
PDF = "%PDF-1.7 传票送达证明（演示）".encode()
DEADLINE_S = 60.0


@asynccontextmanager
async def stage(broker: PrivateBroker, root: Any, vhost: str) -> AsyncIterator[Parties]:
    """Parties in a virtual host of their own, which is gone afterwards."""
    async with Management(broker.management_url, broker.admin, broker.password) as management:
        await management.put("vhosts", vhost)
        yield await set_stage(root, broker, vhost=vhost, partners=NEAR)
        await management.delete("vhosts", vhost)


@asynccontextmanager
async def court_system_of(parties: Parties) -> AsyncIterator[CourtClient]:
    """A running gateway, and the court's own system before it."""
    keys = {path.name.split(".")[1]: path for path in parties.handover.glob("*.private.jwk")}
    directory, keyring = load_registry(parties.folder)
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
            contract=contract_of(directory, keyring, HOME, datetime.now(UTC)),
            wait=1,
        ) as client,
    ):
        yield client


def handed(parties: Parties, code: str) -> dict[str, Any]:
    """The very files that an agency is handed, as the driver of a partner takes them."""
    folder = parties.partners[code]
    settings = tomllib.loads((folder / "partner.toml").read_text(encoding="utf-8"))
    return {
        "code": code,
        "amqp": settings["amqp"],
        "password_file": folder / settings["password_file"],
        "sign_key": folder / settings["sign_key"],
        "open_key": folder / settings["open_key"],
        "gateway_keys": folder / settings["gateway_keys"],
        "ledger": folder / "ledger.jsonl",
        "system": settings["system"],
    }


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


async def approved_locate(court_system: CourtClient) -> dict[str, Any]:
    """A submission to find a person, with the paper and the approvals that it needs."""
    paper = await court_system.put_document(PDF, media_type="application/pdf")
    return locate(paper.sha256)


def locate(paper: str) -> dict[str, Any]:
    """The same of a paper that is handed in. paper: its SHA-256."""
    approved_at = (datetime.now(UTC) - timedelta(hours=1)).isoformat(timespec="seconds")
    return submission(
        LOCATE,
        approvals=[
            {"by": by, "role": role, "decision": "approve", "at": approved_at, "reason": "同意"}
            for by, role in ((CHIEF, "bureau-chief"), (PRESIDENT, "president"))
        ],
        documents=[
            {
                "kind": "summons-proof",
                "issued_on": "2026-03-20",
                "sha256": paper,
                "pages": 2,
                "media_type": "application/pdf",
            }
        ],
    )


async def until(court_system: CourtClient, numbers: str | Sequence[str], verb: str) -> list[Event]:
    """Events of the requests, up to the one with that verb in the last of them. Raises TimeoutError."""
    seen: list[Event] = []
    missing = {numbers} if isinstance(numbers, str) else set(numbers)
    wanted = frozenset(missing)
    async with asyncio.timeout(DEADLINE_S):
        async for event in court_system.events():
            if event.request_no in wanted:
                seen.append(event)
                if event.verb == verb:
                    missing.discard(event.request_no)
                if not missing:
                    return seen
    raise AssertionError("the feed never ends")
