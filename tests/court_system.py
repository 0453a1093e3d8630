"""The court's own system: writes submissions, signs them, hands them in over HTTP, and reads what came back."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
from uuid_utils.compat import uuid7

from gateway.crypto.keyring import Keyring, PrivateKey, private_key_from_jwk
from gateway.crypto.sdjwt import issue
from gateway.crypto.seal import unseal
from gateway.demo.parties import (
    ASSOCIATION,
    BACKUP,
    CHIEF,
    CLERK,
    DEPUTY,
    FUPING,
    GRID,
    HANDLER,
    HOME,
    POLICE,
    PRESIDENT,
)
from schemas.catalogue import Kind, MatterType, catalogue
from schemas.envelope import CONTENT_TYPE, SUBMISSION_TYP, dataschema, timestamp
from schemas.validation import parse_open
from tests.faults import CONTROL, PERSON_CONTROL, example
from tests.gates import WorldClock
from tests.words import SHANGHAI

PARTNER_OF = {Kind.POLICE: POLICE, Kind.COURT: FUPING, Kind.GRID: GRID, Kind.ASSOCIATION: ASSOCIATION}
APPROVERS = ((CHIEF, "bureau-chief"), (PRESIDENT, "president"), (DEPUTY, "bureau-chief"))
_numbers = itertools.count(1)


def partner_of(matter: MatterType) -> str:
    """The demo's agency that is asked in this type."""
    return next(PARTNER_OF[kind] for kind in sorted(matter.receivers))


def fresh_payload(type: str, **changes: Any) -> dict[str, Any]:
    """The catalogue's example; a vehicle has a VIN of its own, so that its measures are nobody else's. A control
    begins today: one that is past its end lapses, and a world's time begins with the wall's."""
    payload = example(type)
    if type in (CONTROL, PERSON_CONTROL):
        payload |= {"start_on": day(0), "end_on": day(29)}
    payload |= changes
    if "vehicle" in payload and "vehicle" not in changes:
        payload["vehicle"]["vin"] = f"LSVAM4187C2{next(_numbers):06d}"
    return payload


def day(ahead: int) -> str:
    """So many days from today, Asia/Shanghai."""
    return (datetime.now(SHANGHAI).date() + timedelta(days=ahead)).isoformat()


def paper(kind: str) -> bytes:
    """The bytes of a document of that kind."""
    return f"%PDF-1.7 演示文书 {kind}".encode()


@dataclass(frozen=True)
class Posted:
    """status: of HTTP; body: JSON."""

    status: int
    body: dict[str, Any]

    @property
    def request_no(self) -> str:
        assert self.status == 202, self.body
        return str(self.body["request_no"])

    @property
    def reason(self) -> str:
        """The code of the problem."""
        assert self.status >= 400, self.body
        return str(self.body["type"]).rsplit(":", 1)[1]

    @property
    def rules(self) -> list[str]:
        return [error["rule"] for error in self.body["errors"]]


class CourtSystem:
    """`cms1` of the home court. handover: the folder with its private keys; url: of the API, set when it serves."""

    def __init__(self, clock: WorldClock, handover: Path, token: str) -> None:
        keys = [private_key_from_jwk(json.loads(path.read_text())) for path in handover.glob("*.private.jwk")]
        self._keys: dict[str, PrivateKey] = {key.purpose: key for key in keys}
        self._keyring = Keyring((), keys)
        self._clock = clock
        self._token = token
        self._papers: set[str] = set()
        self._session: aiohttp.ClientSession | None = None

    async def connect(self, url: str) -> None:
        await self.close()
        headers = {"Authorization": f"Bearer {self._token}"}
        self._session = aiohttp.ClientSession(url, headers=headers)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    # asking

    async def ask(self, type: str, payload: Mapping[str, Any] | None = None, **members: Any) -> str:
        """Hand in what the catalogue's example asks, with its papers and approvals; the request's number."""
        return (await self.submit(type, payload, **members)).request_no

    async def submit(self, type: str, payload: Mapping[str, Any] | None = None, **members: Any) -> Posted:
        """The same, whatever comes of it. members: of the submission, instead of the right ones."""
        submission = await self.submission(type, payload, **members)
        return await self.post("/v1/requests", *self.signed(submission))

    async def submission(self, type: str, payload: Mapping[str, Any] | None = None, **members: Any) -> dict[str, Any]:
        """What `docs/examples.md` shows; the documents it names are handed in."""
        matter = catalogue()[type]
        payload = dict(payload or fresh_payload(type))
        model = parse_open(matter, payload)
        rule = matter.approvals(model)
        submission: dict[str, Any] = {
            "type": type,
            "schema_version": matter.version,
            "receiver": members.get("receiver") or partner_of(matter),
            "case_no": f"（2026）陕0199执{900000 + next(_numbers)}号",
            "legal_basis": ["CPL-253"],
            "purpose": "enforce",
            "urgency": "normal",
            "handler": HANDLER,
            "backup_handler": BACKUP,
            "drafted_by": CLERK,
            "approvals": self.approvals(*_approvers(rule.people, rule.roles)),
            "documents": [self.document(kind) for kind, n in matter.documents(model).items() for _ in range(n)],
            "payload": payload,
        }
        for named in submission["documents"]:
            await self.put_paper(named["kind"])
        return {name: value for name, value in (submission | members).items() if value is not None}

    def approvals(self, *by: tuple[str, str]) -> list[dict[str, Any]]:
        """(staff number, role) → approvals, given an hour ago."""
        at = (self._clock.now() - timedelta(hours=1)).isoformat(timespec="seconds")
        return [{"by": no, "role": role, "decision": "approve", "at": at} for no, role in by]

    def document(self, kind: str) -> dict[str, Any]:
        digest = hashlib.sha256(paper(kind)).hexdigest()
        return {
            "kind": kind,
            "issued_on": "2026-03-20",
            "sha256": digest,
            "pages": 1,
            "media_type": "application/pdf",
            "sealed_by": HOME,
        }

    async def put_paper(self, kind: str) -> None:
        digest = hashlib.sha256(paper(kind)).hexdigest()
        if digest in self._papers:
            return
        assert self._session is not None
        headers = {"Content-Type": "application/pdf"}
        async with self._session.put(f"/v1/documents/{digest}", data=paper(kind), headers=headers) as answer:
            assert answer.status in (200, 201), await answer.text()
        self._papers.add(digest)

    def signed(self, submission: Mapping[str, Any]) -> tuple[bytes, str]:
        """(body, media type): signed with the court system's own key."""
        type = submission["type"]
        event = {
            "specversion": "1.0",
            "id": str(uuid7()),
            "source": f"//{HOME}",
            "receiver": submission["receiver"],
            "gateway": HOME,
            "type": f"lianzhi.{type}.open",
            "time": timestamp(self._clock.now()),
            "dataschema": dataschema("canonical", type, "open", submission["schema_version"]),
            "datacontenttype": "application/json",
        }
        return issue(event, "body", submission, self._keys["sub"], typ=SUBMISSION_TYP).raw, CONTENT_TYPE

    # saying

    async def say(self, request_no: str, verb: str, data: Mapping[str, Any] | None = None, **members: Any) -> Posted:
        """A verb in a request, by the handler unless `by` says otherwise; plain JSON."""
        act = {"verb": verb, "by": HANDLER, "data": dict(data or {}), **members}
        body = json.dumps(act, ensure_ascii=False).encode()
        return await self.post(f"/v1/requests/{request_no}/messages", body, "application/json")

    # reading

    async def read(self, request_no: str, verb: str) -> dict[str, Any]:
        """The canonical content of the last message with that verb, opened with our own key where it is ours alone."""
        return (await self.reads(request_no, verb))[-1]

    async def reads(self, request_no: str, verb: str) -> list[dict[str, Any]]:
        listing = await self.get(f"/v1/requests/{request_no}/messages")
        found = [m for m in listing["messages"] if m["verb"] == verb]
        return [m["data"] if "data" in m else self._opened(request_no, m) for m in found]

    def _opened(self, request_no: str, message: Mapping[str, Any]) -> dict[str, Any]:
        body = unseal(message["sealed"], request_no=request_no, message_id=message["message_id"], keyring=self._keyring)
        codes = {name: value for name, value in message["head"].items() if name != "refs"}
        return codes | body

    async def get(self, path: str) -> dict[str, Any]:
        assert self._session is not None
        async with self._session.get(path) as answer:
            body: dict[str, Any] = await answer.json(content_type=None)
            assert answer.status == 200, body
            return body

    async def put(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """JSON; what is answered."""
        assert self._session is not None
        async with self._session.put(path, json=body) as answer:
            answered: dict[str, Any] = await answer.json(content_type=None)
            assert answer.status == 200, answered
            return answered

    async def post(self, path: str, body: bytes, media_type: str, *, key: str | None = None) -> Posted:
        """key: the Idempotency-Key; a new one unless given."""
        assert self._session is not None
        headers = {"Content-Type": media_type, "Idempotency-Key": key or str(uuid7())}
        async with self._session.post(path, data=body, headers=headers) as answer:
            return Posted(answer.status, await answer.json(content_type=None))


def _approvers(people: int, roles: Sequence[str]) -> list[tuple[str, str]]:
    """As few as the rule wants: those whose roles it names, then others."""
    chosen = [next(who for who in APPROVERS if who[1] == role) for role in roles]
    rest = [who for who in APPROVERS if who not in chosen]
    return chosen + rest[: max(0, people - len(chosen))]
