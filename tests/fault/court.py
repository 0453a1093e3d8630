"""The court system of the fault tests: it hands the same bytes in under the same key until it is told 202."""

from __future__ import annotations

import asyncio
import copy
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
from uuid_utils.compat import uuid7

from lianzhi.client.signing import Author, Handed, submission
from lianzhi.crypto.keyring import private_key_from_jwk
from lianzhi.protocol.cards import cards
from schemas.catalogue import catalogue
from schemas.validation import parse_open
from simulation.parties import ASSOCIATION, CHIEF, CLERK, CLIENT, FUPING, GRID, HANDLER, HOME, POLICE, PRESIDENT
from tests.dated import lasting

NOTICE, ENTRUST, VERIFY, LOCATE, SEAL = (
    "assoc.member-notice.publish",
    "entrust.matter.request",
    "grid.verify.request",
    "police.person-locate.request",
    "police.vehicle-seal.request",
)
CONTROL = "police.vehicle-control.request"
RECEIVERS = {NOTICE: ASSOCIATION, ENTRUST: FUPING, VERIFY: GRID, LOCATE: POLICE, SEAL: POLICE}
PAPER = b"%PDF-1.7 a paper of the demo court"
PAPER_SHA256 = hashlib.sha256(PAPER).hexdigest()
PAUSE_SECONDS = 0.05  # between two tries of the same submission
PATIENCE_SECONDS = 15.0  # for one answer: longer than the store may make it wait
TRYING_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Order:
    """One submission: its key and its bytes, made once."""

    type: str
    key: str
    handed: Handed


@dataclass(slots=True)
class Court:
    """token, handover: of the client that speaks for the court. url: of the API, whichever process serves it.

    accepted: key → request_no. unavailable, unheard: tries that were answered 503, or not at all.
    """

    token: str
    handover: Path
    url: str
    accepted: dict[str, str] = field(default_factory=dict)
    unavailable: int = 0
    unheard: int = 0
    _ordered: set[str] = field(default_factory=set)
    _next: int = 0
    _session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Court:
        headers = {"Authorization": f"Bearer {self.token}"}
        timeout = aiohttp.ClientTimeout(total=PATIENCE_SECONDS)
        self._session = aiohttp.ClientSession(self.url, headers=headers, timeout=timeout)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.session.close()

    @property
    def session(self) -> aiohttp.ClientSession:
        assert self._session is not None
        return self._session

    def orders(self, count: int, types: Iterable[str] = RECEIVERS, *, first: int | None = None) -> list[Order]:
        """`count` submissions, the types in turn, each with a case of its own; first: number of the first one, else
        the next ones from 0: several tests ask one installation, and a number stands for one key and its bytes."""
        if first is None:
            first, self._next = self._next, self._next + count
        numbers = range(first, first + count)
        kinds = list(types)
        jwk = json.loads((self.handover / f"{HOME}.sub.{CLIENT}.private.jwk").read_text())
        author = Author(HOME, HOME, private_key_from_jwk(jwk))
        made = [order(number, kinds[at % len(kinds)], author) for at, number in enumerate(numbers)]
        keys = {one.key for one in made}
        assert self._ordered.isdisjoint(keys), f"ordered before: {self._ordered & keys}"
        self._ordered |= keys
        return made

    async def hand_in_paper(self) -> None:
        """The paper that the signed submissions name (without it they stay blocked); 200: it was there already."""
        path, headers = f"/v1/documents/{PAPER_SHA256}", {"Content-Type": "application/pdf"}
        async with self.session.put(path, data=PAPER, headers=headers) as answer:
            assert answer.status in (200, 201), await answer.text()

    async def post(self, order: Order) -> tuple[int, dict[str, Any], str | None]:
        """One try: status, document, Retry-After. Raises aiohttp.ClientError, TimeoutError."""
        headers = {"Idempotency-Key": order.key, "Content-Type": order.handed.content_type}
        async with self.session.post(order.handed.path, data=order.handed.body, headers=headers) as answer:
            return answer.status, await answer.json(content_type=None), answer.headers.get("Retry-After")

    async def submit(self, order: Order) -> None:
        """Until 202, whatever becomes of the gateway meanwhile."""
        async with asyncio.timeout(TRYING_SECONDS):
            while True:
                try:
                    status, document, retry_after = await self.post(order)
                except (aiohttp.ClientError, TimeoutError):
                    self.unheard += 1
                else:
                    if status == 202:
                        self.accepted[order.key] = document["request_no"]
                        return
                    assert (status, document["type"]) == (503, "urn:lianzhi:problem:unavailable"), document
                    assert int(retry_after or 0) > 0
                    self.unavailable += 1
                await asyncio.sleep(PAUSE_SECONDS)

    async def submit_all(self, orders: Iterable[Order], at_once: int = 8) -> None:
        """By `at_once` callers."""
        left = iter(orders)

        async def caller() -> None:
            for one in left:
                await self.submit(one)

        await asyncio.gather(*(caller() for _ in range(at_once)))

    async def readiness(self) -> tuple[int, str | None]:
        """Status of /readyz and what it says of the broker."""
        async with self.session.get("/readyz") as answer:
            return answer.status, (await answer.json()).get("broker")

    async def feed(self) -> list[dict[str, Any]]:
        """The court's events from the oldest on, as it hears them."""
        events: list[dict[str, Any]] = []
        while True:
            after = {"after": events[-1]["cursor"]} if events else {}
            async with self.session.get("/v1/events", params=after) as answer:
                assert answer.status == 200, await answer.text()
                page = (await answer.json())["events"]
            if not page:
                return events
            events += page


def order(number: int, type: str, author: Author) -> Order:
    """A submission of this type; signed where the catalogue wants it."""
    body, receiver = draft(number, type)
    matter = catalogue()[type]
    coercive = bool(matter.coercive(parse_open(matter, body["payload"])))
    handed = submission(
        author, body, receivers=[receiver], sign=coercive, message_id=str(uuid7()), now=datetime.now(UTC), cards=cards()
    )
    return Order(type, f"order-{number}" if type != CONTROL else f"control-{number}", handed)


def draft(number: int, type: str) -> tuple[dict[str, Any], str]:
    """The body of a submission of this type, with a case of its own, and its receiver."""
    matter, now = catalogue()[type], datetime.now(UTC)
    payload = lasting(matter, copy.deepcopy(dict(matter.example_request)), now)
    if type == ENTRUST:
        payload |= {"entrusting": "陕0199", "entrusted": "陕0591"}
    if type in (SEAL, CONTROL):  # a vehicle is sealed once, and the same one looked for
        payload["vehicle"] |= {"vin": f"LSVAM4187C2{number:06d}", "plate": f"陕A{90000 + number:05d}"}
    papers = matter.papers(matter.request.model_validate(payload), now.date())
    agreed = (now - timedelta(hours=1)).isoformat(timespec="seconds")
    body = {
        "type": type,
        "schema_version": matter.version,
        "case_no": f"（2026）陕0199执{900000 + number}号",
        "legal_basis": ["CPL-117"],
        "purpose": "enforcement",
        "urgency": "urgent" if number % 7 == 3 else "normal",
        "handler": HANDLER,
        "drafted_by": CLERK,
        "approvals": [
            {"by": by, "role": role, "decision": "approve", "at": agreed}
            for by, role in ((CHIEF, "bureau-chief"), (PRESIDENT, "president"))
        ],
        "documents": [
            {
                "kind": kind,
                "issued_on": "2026-03-20",
                "sha256": PAPER_SHA256,
                "pages": 1,
                "media_type": "application/pdf",
            }
            for kind, copies in papers.items()
            for _ in range(copies)
        ],
        "payload": payload,
    }
    return body, RECEIVERS.get(type, POLICE)
