"""An unreal court with its neighbours, a gateway's API on a real socket, and what a court system sends it.

Everything is real but the broker: what would go to it stays in the outbox, and what partners answer is put into
intake as if it had been consumed.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp

from adapters.contract import Canonical
from adapters.registry import adapter_for
from gateway.application.context import Calendars, Context, new_id
from gateway.application.conversation.send_verb import Actor
from gateway.application.deadlines.scheduler import ClockWork
from gateway.application.inbound.consume import Intake
from gateway.application.outbound.dispatch import Dispatcher
from gateway.application.ports.broker import Delivery
from gateway.application.submission.numbers import Numbers
from gateway.application.submission.submit import Submitter
from gateway.bounds import Bounds
from gateway.core.records import Message
from gateway.core.routing import Client, Directory, Participant, Staff
from gateway.core.settings import Settings
from gateway.http.app import Api, serve_http, serve_metrics
from gateway.http.connections import Network
from gateway.http.description.operations import OPERATIONS
from gateway.monitoring.metrics import Metrics
from gateway.papers import LocalDocuments
from gateway.registry.calendars import shipped
from gateway.store import SqlStore
from lianzhi.crypto.keyring import (
    Keyring,
    PrivateKey,
    generate_jwk,
    private_key_from_jwk,
    public_jwk,
    public_key_from_jwk,
)
from lianzhi.crypto.limits import Limits
from lianzhi.crypto.sdjwt import SUBMISSION_TYP, SignedMessage, issue
from lianzhi.crypto.seal import seal
from lianzhi.crypto.strictjson import dumps
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.envelope import CANONICAL, CONTENT_TYPE, dataschema, timestamp
from lianzhi.protocol.verbs import split
from schemas.catalogue import Kind, catalogue
from schemas.law.ending_papers import ending_kinds
from schemas.validation import refs_of
from tests.dated import by_now

COURT, NEIGHBOUR, POLICE, GRID = "court-sn0199", "court-sn0528", "police-610199", "grid-610199"
NOW = datetime(2026, 3, 24, 2, 10, tzinfo=UTC)
CASE = "（2026）陕0199执900001号"
PDF = b"%PDF-1.4 unreal"
PDF_SHA = hashlib.sha256(PDF).hexdigest()
ALL_SCOPES = frozenset({"submit", "reply", "read", "approve", "documents"})


def token_for(client: str) -> str:
    return f"lz_{client}_{hashlib.sha256(client.encode()).hexdigest()[:43]}"


def client(name: str, court: str, scopes: frozenset[str] = ALL_SCOPES, **more: Any) -> Client:
    digest = hashlib.sha256(token_for(name).encode()).hexdigest()
    return Client(name, scopes, digest, f"{court}.sub.{name}", f"{court}.enc.{name}", **more)


def staff(*people: tuple[str, str, str]) -> dict[str, Staff]:
    """(number, name, role)"""
    since = date(2026, 1, 1)
    return {no: Staff(no, name, no[-4:], frozenset({role}), since, phone="13800138007") for no, name, role in people}


OURS = staff(
    ("sn0199-0001", "院长演示", "president"),
    ("sn0199-0003", "局长演示", "bureau-chief"),
    ("sn0199-0005", "副局长演示", "bureau-chief"),
    ("sn0199-0007", "李演示", "handler"),
    ("sn0199-0011", "周演示", "handler"),
    ("sn0199-0031", "吴演示", "clerk"),
)
OURS["sn0199-0099"] = Staff("sn0199-0099", "离职演示", "0099", frozenset({"handler"}), date(2026, 1, 1), revoked=True)


def participants() -> list[Participant]:
    matters = ("police.*", "grid.*", "entrust.*", "assoc.*", "refusal.*")
    alerts = ("police.vehicle-hit.alert",)
    ours = Participant(
        code=COURT,
        kind=Kind.COURT,
        zh="云川县人民法院（演示）",
        en="Yunchuan Court (demo)",
        channel="http",
        dialect=CANONICAL,
        court_code="陕0199",
        home=True,
        accepts=(*alerts, "entrust.*"),
        opens=matters,
        clients=(
            client("cms1", COURT),
            client("reader", COURT, frozenset({"read"})),
            client("gone", COURT, revoked=True),
        ),
        staff=OURS,
    )
    neighbour = Participant(
        code=NEIGHBOUR,
        kind=Kind.COURT,
        zh="富平县人民法院（演示）",
        en="Fuping Court (demo)",
        channel="http",
        dialect="court/1",
        court_code="陕0528",
        accepts=("entrust.*",),
        opens=("entrust.*",),
        clients=(client("cms2", NEIGHBOUR),),
        staff=staff(("sn0528-0002", "郑演示", "handler")),
    )
    police = Participant(
        code=POLICE,
        kind=Kind.POLICE,
        zh="云川县公安局（演示）",
        en="Yunchuan Police (demo)",
        channel="amqp",
        dialect="police/1",
        accepts=("police.person-locate.request", "police.vehicle-seal.request"),
        opens=alerts,
    )
    grid = Participant(
        code=GRID,
        kind=Kind.GRID,
        zh="云川县网格中心（演示）",
        en="Yunchuan Grid (demo)",
        channel="amqp",
        dialect="grid/1",
        accepts=("grid.*",),
    )
    return [ours, neighbour, police, grid]


@dataclass(frozen=True)
class Keys:
    """Every private key by kid; the gateway holds those of the courts' `sig` and `enc`."""

    private: Mapping[str, PrivateKey]
    ring: Keyring

    @classmethod
    def fresh(cls, *more: str, hosted: Mapping[str, str] | None = None) -> Keys:
        """more: codes of partners beside the usual ones; hosted: those that use the API, with their client."""
        users = {COURT: "cms1", NEIGHBOUR: "cms2", **(hosted or {})}
        own = [f"{c}.{p}.1" for c in users for p in ("sig", "enc")]
        clients = [f"{c}.{p}.{name}" for c, name in users.items() for p in ("sub", "enc")]
        partners = [f"{p}.{k}.1" for p in (POLICE, GRID, *more) for k in ("sig", "enc")]
        made = {kid: generate_jwk(kid) for kid in (*own, *clients, *partners)}
        private = {kid: private_key_from_jwk(jwk) for kid, jwk in made.items()}
        public = [
            public_key_from_jwk(public_jwk(jwk), client=kid.rsplit(".", 1)[1] if kid in clients else None)
            for kid, jwk in made.items()
        ]
        return cls(private, Keyring(public, [private[kid] for kid in own]))


@dataclass
class SetClock:
    """`application.ports.clock.Clock` that tests move."""

    moment: datetime = NOW

    def now(self) -> datetime:
        return self.moment

    def advance(self, **by: float) -> None:
        self.moment += timedelta(**by)


class NoConsumer:
    """The consuming side of a broker that is not there; `take` needs only to acknowledge."""

    async def batches(self, max_size: int, max_bytes: int) -> AsyncIterator[list[Delivery]]:
        return
        yield []

    async def ack(self, deliveries: Sequence[Delivery]) -> None:
        self.acked = [d.tag for d in deliveries]

    async def reject(self, deliveries: Sequence[Delivery]) -> None:
        raise AssertionError("intake broke on a message")

    async def pause(self, seconds: float) -> None:
        raise AssertionError("the store is away")


@dataclass
class World:
    """The served API and the parts behind it. `http`: a session without a token."""

    url: str
    metrics_url: str
    http: aiohttp.ClientSession
    api: Api
    context: Context
    store: SqlStore
    keys: Keys
    clock: SetClock
    intake: Intake
    clockwork: ClockWork
    wakes: list[int] = field(default_factory=list)

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    def authorization(self, client: str) -> str:
        return f"Bearer {token_for(client)}"

    async def call(
        self,
        method: str,
        path: str,
        *,
        client: str | None = "cms1",
        headers: Mapping[str, str] | None = None,
        **how: Any,
    ) -> Reply:
        """client: whose token; None: without."""
        given = dict(headers or {})
        if client is not None:
            given.setdefault("Authorization", self.authorization(client))
        async with self.http.request(method, self.url + path, headers=given, **how) as answer:
            reply = Reply(answer.status, answer.headers, await answer.read())
        described(method, path, reply)
        return reply

    async def get(self, path: str, client: str | None = "cms1", **how: Any) -> Reply:
        return await self.call("GET", path, client=client, **how)

    async def metrics(self) -> str:
        """From its own listener."""
        async with self.http.get(self.metrics_url) as answer:
            assert answer.status == 200
            return await answer.text()

    async def post(
        self,
        path: str,
        body: bytes | Mapping[str, Any],
        *,
        key: str | None = None,
        content_type: str = "application/json",
        client: str | None = "cms1",
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """A fresh idempotency key unless one is given."""
        raw = body if isinstance(body, bytes) else dumps(await self._by_now(path, body)).encode()
        given = {"Idempotency-Key": key or secrets.token_hex(8), "Content-Type": content_type, **(headers or {})}
        return await self.call("POST", path, client=client, data=raw, headers=given)

    async def _by_now(self, path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """What is said in a request, with what an example says happened later having happened by now."""
        _, _, number = path.removesuffix("/messages").rpartition("/")
        request = await self.store.request(number) if path.endswith("/messages") else None
        if request is None or not isinstance(body.get("data"), dict):
            return body
        matter = self.context.catalogue[request.type]
        return {**body, "data": by_now(matter, str(body.get("verb")), body["data"], self.clock.now())}

    async def submit(self, body: Mapping[str, Any], **how: Any) -> Reply:
        """Plain JSON."""
        return await self.post("/v1/requests", self._asked_by_now(body), **how)

    def _asked_by_now(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        if str(body.get("type")) not in self.context.catalogue or not isinstance(body.get("payload"), dict):
            return body
        return {**body, "payload": self._opened_by_now(body["type"], body["payload"])}

    def _opened_by_now(self, type: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        opening = {"request": {}, "court": {"name": "x"}, "payload": dict(payload)}
        told: dict[str, Any] = by_now(self.context.catalogue[type], "open", opening, self.clock.now())["payload"]
        return told

    async def submit_signed(self, body: Mapping[str, Any], receiver: str = POLICE, **how: Any) -> Reply:
        signed = self.signed(
            self._asked_by_now(body), receiver, **{k: how.pop(k) for k in ("kid", "id", "changes") if k in how}
        )
        return await self.post("/v1/requests", signed.raw, content_type=CONTENT_TYPE, **how)

    def signed(
        self,
        body: Mapping[str, Any],
        receiver: str = POLICE,
        *,
        verb: str = "open",
        matter: str | None = None,
        sender: str = COURT,
        kid: str = f"{COURT}.sub.cms1",
        id: str | None = None,
        changes: Mapping[str, Any] | None = None,
    ) -> SignedMessage:
        """What a court system signs."""
        name = matter or body["type"]
        event = {
            "specversion": "1.0",
            "id": id or new_id(),
            "source": f"//{sender}",
            "receiver": receiver,
            "gateway": COURT,
            "type": f"lianzhi.{name}.{verb}",
            "time": timestamp(self.clock.now()),
            "dataschema": dataschema(CANONICAL, name, verb, 1),
            "datacontenttype": "application/json",
            **(changes or {}),
        }
        return issue(event, "body", body, self.keys.private[kid], typ=SUBMISSION_TYP)

    async def accepted(self, reply: Reply) -> str:
        """The request number of a 202."""
        assert reply.status == 202, reply
        return str(reply.json["request_no"])

    async def put_pdf(self, client: str = "cms1") -> Reply:
        headers = {"Content-Type": "application/pdf"}
        return await self.call("PUT", f"/v1/documents/{PDF_SHA}", client=client, data=PDF, headers=headers)

    async def sent(self) -> None:
        """As if the broker had confirmed everything that waits."""

        class Confirming:
            connected = True

            async def publish(self, routing_key: str, body: bytes, *, timeout: float) -> None:
                return

        dispatcher = Dispatcher(self.context, Confirming(), "test")
        while await dispatcher.once():
            pass

    async def reply(
        self,
        request_no: str,
        verb: str,
        data: Mapping[str, Any],
        *,
        seqno: int,
        sealed: bool = False,
        answers: str = "open",
        case_no: str | None = None,
    ) -> str:
        """The one asked (over AMQP) says a verb, as its library would; sealed: to the key named by the `open`, a place
        in canonical words.

        answers: the verb that it answers. case_no: where it names another one than it was opened with."""
        request = await self.store.request(request_no)
        assert request is not None
        origin = next(m for m in await self.store.messages(request_no) if m.verb == answers)
        opened = request.facts.get("opened_case_no", request.case_no)
        message_id = new_id()
        data = by_now(self.context.catalogue[request.type], verb, data, self.clock.now())
        head, body = split(verb, data, refs_of(data) or None)
        place = sealed and self.context.catalogue[request.type].result_class is Classification.LOCATION
        dialect = CANONICAL if place else self.context.participant(request.asked).dialect
        words = body if place else await adapter_for(dialect).encode(Canonical(request.type, verb, body))
        event = {
            "specversion": "1.0",
            "id": message_id,
            "source": f"//{request.asked}",
            "receiver": request.asker,
            "type": f"lianzhi.{request.type}.{verb}",
            "subject": request_no,
            "time": timestamp(self.clock.now()),
            "dataschema": dataschema(dialect, request.type, verb, 1),
            "datacontenttype": "application/json",
            "seqno": seqno,
            "causationid": origin.id,
            "originhash": origin.digest,
            **({"caseno": case_no or opened} if request.facts.get("caseno") else {}),
            "data": {"head": head} if head else {},
        }
        key = self.keys.private[f"{request.asked}.sig.1"]
        if sealed:
            reader = self.keys.ring.sealing_key(request.asker, at=self.clock.now(), kid=request.reply_key)
            jwe = seal(words, request_no=request_no, message_id=message_id, key=reader)
            signed = issue(event, "sealed", jwe, key)
        else:
            signed = issue(event, "body", words, key)
        await self.deliver(request.asked, signed.raw, f"{request.asked}.normal.{request.type}.{verb}")
        return message_id

    async def raised(
        self, type: str, payload: Mapping[str, Any], number: str | None = None, *, by: str = POLICE, **members: Any
    ) -> str:
        """The police, or another partner, open a request to our court, sealed and in their words; its number. members:
        more of the envelope."""
        number, dialect = number or f"{by}-20260324-000001", self.context.participant(by).dialect
        said = {"request": {"request_no": number, "legal_basis": []}, "payload": self._opened_by_now(type, payload)}
        words = await adapter_for(dialect).encode(Canonical(type, "open", said))
        message_id = new_id()
        event = {
            "specversion": "1.0",
            "id": message_id,
            "source": f"//{by}",
            "receiver": COURT,
            "type": f"lianzhi.{type}.open",
            "subject": number,
            "time": timestamp(self.clock.now()),
            "dataschema": dataschema(dialect, type, "open", 1),
            "datacontenttype": "application/json",
            "seqno": 1,
            "data": {"head": {"refs": refs_of(said)}},
            **members,
        }
        reader = self.keys.ring.sealing_key(COURT, at=self.clock.now())
        jwe = seal(words, request_no=number, message_id=message_id, key=reader)
        signed = issue(event, "sealed", jwe, self.keys.private[f"{by}.sig.1"])
        await self.deliver(by, signed.raw, f"{by}.urgent.{type}.open")
        return number

    async def deliver(self, owner: str, body: bytes, routing_key: str = "") -> None:
        delivery = Delivery(owner, f"lianzhi.from.{owner}", body, owner, CONTENT_TYPE, routing_key, False, None, 1)
        await self.intake.take([delivery])

    async def stored(self, request_no: str, verb: str) -> Message:
        return next(m for m in await self.store.messages(request_no) if m.verb == verb)


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """Of a problem, checked for its form."""
        assert self.headers["Content-Type"] == "application/problem+json", self
        document = self.json
        assert document["status"] == self.status
        assert document["title"] and document["title_en"]
        for error in document["errors"]:
            assert error["rule"] and error["detail"] and error["detail_en"], error
        return str(document["type"]).removeprefix("urn:lianzhi:problem:")

    @property
    def rules(self) -> list[tuple[str, str]]:
        return [(error["pointer"], error["rule"]) for error in self.json["errors"]]

    def __repr__(self) -> str:
        return f"{self.status} {self.body[:600]!r}"


def described(method: str, path: str, reply: Reply) -> None:
    """Every refusal that any test meets is one that the published document names for that call."""
    for operation in OPERATIONS:
        pattern = re.sub(r"\{\w+\}", "[^/]+", operation.path)
        if operation.method == method and re.fullmatch(pattern, path.partition("?")[0]):
            assert reply.status in operation.answers or reply.code in operation.all_problems, (operation.id, reply)


@asynccontextmanager
async def serving(
    store: SqlStore,
    folder: Path,
    keys: Keys,
    *,
    settings: Settings | None = None,
    limits: Limits | None = None,
    bounds: Bounds | None = None,
    parties: Sequence[Participant] | None = None,
    proxies: Sequence[Network] = (),
) -> AsyncIterator[World]:
    """The API on a free loopback port. parties: `participants()` unless given."""
    clock = SetClock()
    context = Context(
        directory=Directory(participants() if parties is None else parties),
        keyring=keys.ring,
        catalogue=catalogue(),
        adapter_for=adapter_for,
        store=store,
        clock=clock,
        settings=replace(settings or Settings(), feed_poll=0.02),
        limits=limits or Limits(),
        bounds=bounds or Bounds(),
        hash_key=b"0" * 32,
        calendars=Calendars(shipped()),
    )
    wakes: list[int] = []

    def wake() -> None:
        wakes.append(1)

    numbers = Numbers(store, 100)
    api = Api(
        context=context,
        submitter=Submitter(context, numbers, wake),
        numbers=numbers,
        wake=wake,
        actor=Actor(context, wake),
        metrics=Metrics(context),
        documents=LocalDocuments(folder),
        proxies=proxies,
    )
    async with (
        serve_http(api, "127.0.0.1", 0) as port,
        serve_metrics(api.metrics, context.bounds, context.reached, "127.0.0.1", 0) as metrics_port,
        aiohttp.ClientSession() as session,
    ):
        yield World(
            url=f"http://127.0.0.1:{port}",
            metrics_url=f"http://127.0.0.1:{metrics_port}/metrics",
            http=session,
            api=api,
            context=context,
            store=store,
            keys=keys,
            clock=clock,
            intake=Intake(context, NoConsumer(), wake),
            clockwork=ClockWork(context, wake),
            wakes=wakes,
        )


# --- what is submitted --------------------------------------------------------------------------------------------


def grid_request(**changes: Any) -> dict[str, Any]:
    """Not coercive, no documents: the first curl of docs/examples.md."""
    return {
        "type": "grid.verify.request",
        "schema_version": 1,
        "receiver": GRID,
        "case_no": "（2026）陕0199执900002号",
        "legal_basis": ["CPL-117"],
        "purpose": "verify-residence",
        "urgency": "normal",
        "handler": "sn0199-0007",
        "drafted_by": "sn0199-0031",
        "payload": dict(catalogue()["grid.verify.request"].example_request),
        **changes,
    }


def document(kind: str, sha256: str = PDF_SHA) -> dict[str, Any]:
    return {
        "kind": kind,
        "number": "（2026）陕0199执900001号之一",
        "issued_on": "2026-03-24" if kind in ending_kinds(date(2026, 3, 24)) else "2026-03-20",
        "sha256": sha256,
        "pages": 2,
        "media_type": "application/pdf",
        "sealed_by": COURT,
    }


def approval(by: str = "sn0199-0003", role: str = "bureau-chief", **changes: Any) -> dict[str, Any]:
    return {
        "by": by,
        "role": role,
        "decision": "approve",
        "at": "2026-03-24T09:41:00+08:00",
        "reason": "同意",
        **changes,
    }


def locate_request(**changes: Any) -> dict[str, Any]:
    """Coercive: two approvals, proof of the summons."""
    return {
        "type": "police.person-locate.request",
        "schema_version": 1,
        "case_no": CASE,
        "legal_basis": ["INT-482", "DCH-15"],
        "purpose": "locate-for-questioning",
        "urgency": "normal",
        "handler": "sn0199-0007",
        "backup_handler": "sn0199-0011",
        "drafted_by": "sn0199-0031",
        "approvals": [approval(), approval("sn0199-0001", "president")],
        "documents": [document("summons-proof")],
        "payload": dict(catalogue()["police.person-locate.request"].example_request),
        **changes,
    }


def seal_request(**changes: Any) -> dict[str, Any]:
    """Coercive, opens a measure."""
    return locate_request() | {
        "type": "police.vehicle-seal.request",
        "purpose": "seize-asset",
        "approvals": [],
        "documents": [document("enforcement-ruling"), document("assistance-notice")],
        "payload": dict(catalogue()["police.vehicle-seal.request"].example_request),
        **changes,
    }


def within(body: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy with the member at `a.b.c` changed; `...` removes it."""
    head, _, rest = path.partition(".")
    changed = dict(body)
    if rest:
        changed[head] = within(changed[head], rest, value)
    elif value is ...:
        del changed[head]
    else:
        changed[head] = value
    return changed


async def gathered(*calls: Any) -> list[Reply]:
    return list(await asyncio.gather(*calls))
