"""The court's own system: writes submissions, signs them, hands them in over HTTP, and reads what came back."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import aiohttp
from uuid_utils.compat import uuid7

from adapters.registry import kinds
from lianzhi.crypto.keyring import Keyring, PrivateKey, private_key_from_jwk
from lianzhi.crypto.sdjwt import SUBMISSION_TYP, issue
from lianzhi.crypto.seal import unseal
from lianzhi.problem import FieldError
from lianzhi.protocol.envelope import CONTENT_TYPE, dataschema, timestamp
from schemas.catalogue import Kind, MatterType, catalogue
from schemas.law.ending_papers import ending_kinds
from schemas.validation import InvalidError, documents_of, parse_data, parse_open, refs_of
from simulation.parties import BACKUP, CHIEF, CLERK, DEPUTY, HANDLER, HOME, PARTNERS, PRESIDENT, partner
from tests.faults import changed, example
from tests.gates import START, WorldClock
from tests.words import SHANGHAI

EVERYBODY: Sequence[Mapping[str, Any]] = (
    *PARTNERS,
    *(
        partner(f"{word}-610199", word, f"{kind.zh}（演示）", kind.en, ["*"], opens=["*"], dialect=kind.dialects[0])
        for word, kind in kinds().items()
        if word not in {form["kind"] for form in PARTNERS}
    ),
)
"""The participant files of the demo, and one for each kind of partner that the demo has nobody of."""
PARTNER_OF: dict[Kind, str] = {Kind(form["kind"]): form["code"] for form in reversed(EVERYBODY)}
"""The first of each kind."""
APPROVERS = ((CHIEF, "bureau-chief"), (PRESIDENT, "president"), (DEPUTY, "bureau-chief"))
THIS_YEAR = re.compile(r"2026-\d\d-\d\d(?:T|$)")
DIGEST = re.compile(r"[0-9a-f]{64}")
PAPERS: dict[str, bytes] = {}
_numbers = itertools.count(1)


def partner_of(matter: MatterType) -> str:
    """The demo's agency that is asked in this type."""
    return next(PARTNER_OF[kind] for kind in sorted(matter.receivers))


def fresh_case() -> str:
    """A case of our court that nothing else is about."""
    return f"（2026）陕0199执{900000 + next(_numbers)}号"


def fresh_payload(type: str, **changes: Any) -> dict[str, Any]:
    """The catalogue's example as of the day on which a world begins, with refs of its own; a vehicle has a VIN of its
    own, so that its measures are nobody else's. changes: members of the payload, taken as they are."""
    given = _of_that_day(catalogue()[type], example(type))
    payload: dict[str, Any] = _fresh(given, {ref: _ref() for ref in refs_of(given)})
    if "vehicle" in payload and "vehicle" not in changes:
        payload["vehicle"]["vin"] = f"LSVAM4187C2{next(_numbers):06d}"
    return payload | changes


def _of_that_day(matter: MatterType, payload: dict[str, Any]) -> dict[str, Any]:
    """All days of this year are so many weeks earlier that what happened has happened when a world begins; a term that
    would be over ends in a month."""
    for weeks in itertools.count():
        said = {"request": {}, "court": {"name": HOME}, "payload": _earlier(payload, timedelta(weeks=weeks))}
        rules = {error.pointer: error.rule for error in _errors(matter, said)}
        if not {"day-in-future", "moment-in-future"} & set(rules.values()):
            break
    for pointer in (one for one, rule in rules.items() if rule == "day-over"):
        said = changed(said, pointer, day(30))
    return dict(said["payload"])


def _errors(matter: MatterType, said: Mapping[str, Any]) -> Sequence[FieldError]:
    try:
        parse_data(matter, "open", said, said_at=START)
    except InvalidError as error:
        return error.errors
    return ()


def _earlier(value: Any, by: timedelta) -> Any:
    if isinstance(value, list):
        return [_earlier(one, by) for one in value]
    if isinstance(value, dict):
        return {name: _earlier(inner, by) for name, inner in value.items()}
    if isinstance(value, str) and THIS_YEAR.match(value):
        return (date.fromisoformat(value[:10]) - by).isoformat() + value[10:]
    return value


def _fresh(value: Any, refs: Mapping[str, str]) -> Any:
    """The same object keeps the same ref wherever it is named; a digest becomes that of a paper which there is."""
    if isinstance(value, list):
        return [_fresh(one, refs) for one in value]
    if isinstance(value, dict):
        return {name: _fresh(inner, refs) for name, inner in value.items()}
    if isinstance(value, str) and DIGEST.fullmatch(value):
        return digest_of(paper(value))
    return refs.get(value, value) if isinstance(value, str) else value


def _ref() -> str:
    return "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz234567") for _ in range(8))


def day(ahead: int) -> str:
    """So many days from the one on which a world begins, Asia/Shanghai."""
    return (START.astimezone(SHANGHAI).date() + timedelta(days=ahead)).isoformat()


def paper(kind: str) -> bytes:
    """The bytes of a document of that kind."""
    return f"%PDF-1.7 演示文书 {kind}".encode()


def digest_of(content: bytes) -> str:
    """SHA-256, hex; the content can then be handed in under it."""
    digest = hashlib.sha256(content).hexdigest()
    PAPERS[digest] = content
    return digest


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
        rule, papers = matter.approvals(model), matter.papers(model, date.fromisoformat(self._today()))
        submission: dict[str, Any] = {
            "type": type,
            "schema_version": matter.version,
            "receiver": members.get("receiver") or partner_of(matter),
            "case_no": fresh_case(),
            "legal_basis": ["CPL-253"],
            "purpose": "enforce",
            "urgency": "normal",
            "handler": HANDLER,
            "backup_handler": BACKUP,
            "drafted_by": CLERK,
            "approvals": self.approvals(*_approvers(rule.people, rule.roles)),
            "documents": [self.document(kind) for kind, n in papers.items() for _ in range(n)],
            "payload": payload,
        }
        for digest in documents_of([submission["documents"], payload]):
            if digest in PAPERS:
                await self.put_paper(digest)
        return {name: value for name, value in (submission | members).items() if value is not None}

    def approvals(self, *by: tuple[str, str]) -> list[dict[str, Any]]:
        """(staff number, role) → approvals, given an hour ago."""
        at = (self._clock.now() - timedelta(hours=1)).isoformat(timespec="seconds")
        return [{"by": no, "role": role, "decision": "approve", "at": at} for no, role in by]

    def document(self, kind: str) -> dict[str, Any]:
        return {
            "kind": kind,
            "issued_on": self._today() if kind in ending_kinds(date.fromisoformat(self._today())) else "2026-03-20",
            "sha256": digest_of(paper(kind)),
            "pages": 1,
            "media_type": "application/pdf",
            "sealed_by": HOME,
        }

    def _today(self) -> str:
        return self._clock.now().astimezone(SHANGHAI).date().isoformat()

    async def put_paper(self, digest: str) -> None:
        if digest in self._papers:
            return
        assert self._session is not None
        headers = {"Content-Type": "application/pdf"}
        async with self._session.put(f"/v1/documents/{digest}", data=PAPERS[digest], headers=headers) as answer:
            assert answer.status in (200, 201), await answer.text()
        self._papers.add(digest)

    def signed(self, submission: Mapping[str, Any]) -> tuple[bytes, str]:
        """(body, media type): signed with the court system's own key."""
        return self._signed(submission["type"], submission["receiver"], submission["schema_version"], submission)

    def _signed(self, type: str, receiver: str, version: int, content: Mapping[str, Any]) -> tuple[bytes, str]:
        event = {
            "specversion": "1.0",
            "id": str(uuid7()),
            "source": f"//{HOME}",
            "receiver": receiver,
            "gateway": HOME,
            "type": f"lianzhi.{type}.open",
            "time": timestamp(self._clock.now()),
            "dataschema": dataschema("canonical", type, "open", version),
            "datacontenttype": "application/json",
        }
        return issue(event, "body", content, self._keys["sub"], typ=SUBMISSION_TYP).raw, CONTENT_TYPE

    async def release(self, case_no: str, *papers: str) -> dict[str, Any]:
        """The debtor has paid: the case is let go, with papers of these kinds; what is told."""
        documents = [self.document(kind) for kind in papers]
        for document in documents:
            await self.put_paper(document["sha256"])
        order = {"case_no": case_no, "reason": "paid", "by": HANDLER, "documents": documents}
        posted = await self.post("/v1/cases/release", *self._signed("case.release", HOME, 1, order))
        assert posted.status == 202, posted
        return posted.body

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
