"""The gateway's end of the wire for a partner in another language: real topology and users, signs and verifies.

Built from lianzhi.crypto, the adapters and the topology of gateway.broker, so that what the partner answers is judged
by the very rules and tables that judge it in production.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aio_pika
from aio_pika.abc import AbstractConnection, AbstractIncomingMessage, AbstractQueue
from uuid_utils.compat import uuid7

from adapters.contract import Canonical
from adapters.registry import adapter_for
from gateway.broker.provision import provision
from gateway.broker.topology import IN, OUT, from_queue, plan
from gateway.core.routing import Directory, Participant
from lianzhi.amqp.link import Link
from lianzhi.crypto import sdjwt, seal
from lianzhi.crypto.keyring import Keyring, generate_jwk, private_key_from_jwk, public_jwk, public_key_from_jwk
from lianzhi.crypto.limits import Limits
from lianzhi.protocol import policy
from lianzhi.protocol import verbs as replies
from lianzhi.protocol.envelope import CONTENT_TYPE, Envelope, OutsideEnvelope, dataschema, timestamp
from schemas.catalogue import Kind, catalogue
from schemas.validation import parse_data, refs_of
from tests.conftest import Vhost
from tests.eventually import eventually

COURT, POLICE, GRID = "court-sn0199", "police-610199", "grid-610199"
CASE = "（2026）陕0199执900001号"
DIALECTS = {POLICE: "police/1", GRID: "grid/1"}
PASSWORD = "demo-only"
DEADLINE_S = 20.0

DIRECTORY = Directory(
    [
        Participant(COURT, Kind.COURT, "云川县人民法院（演示）", "Yunchuan County Court (demo)", "http", "canonical",
                    home=True, accepts=("*",), opens=("*",)),
        Participant(POLICE, Kind.POLICE, "云川县公安局（演示）", "Yunchuan police (demo)", "amqp", "police/1",
                    accepts=("police.*",)),
        Participant(GRID, Kind.GRID, "云川县网格中心（演示）", "Yunchuan grid (demo)", "amqp", "grid/1",
                    accepts=("grid.*",)),
    ]
)  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """A verified message of a partner. data: canonical, head members included, validated."""

    raw: bytes
    routing_key: str
    envelope: Envelope | OutsideEnvelope
    data: dict[str, Any]
    digest: str
    sealed_to: str | None


@dataclass
class Talk:
    """One request as the court counts it."""

    request_no: str
    type: str
    partner: str
    seqno: int = 0
    opened: tuple[str, str] | None = None


class NodeCourt:
    """curves: JWK type of the court's signing key (`EC` or `OKP`) and of every enc key."""

    def __init__(self, folder: Path, curves: tuple[Any, Any] = ("EC", "EC")) -> None:
        signs, seals = curves
        self.folder = folder
        self.jwks = {
            kid: generate_jwk(kid, kind)
            for kid, kind in (
                (f"{COURT}.sig.1", signs),
                (f"{COURT}.enc.1", seals),
                (f"{COURT}.enc.cms1", seals),
                *((f"{code}.sig.1", "EC") for code in DIALECTS),
                *((f"{code}.enc.1", seals) for code in DIALECTS),
            )
        }
        private = {kid: private_key_from_jwk(jwk) for kid, jwk in self.jwks.items()}
        clients = {f"{COURT}.enc.cms1": "cms1"}
        public = [public_key_from_jwk(public_jwk(j), client=clients.get(kid)) for kid, j in self.jwks.items()]
        self.keyring = Keyring(public, private.values())
        self.private = private
        self.answers: dict[str, list[Answer]] = {code: [] for code in DIALECTS}
        self.pings: dict[str, list[Answer]] = {code: [] for code in DIALECTS}  # one comes after a connect
        self.notices: dict[str, list[Answer]] = {code: [] for code in DIALECTS}
        self._changed = asyncio.Event()
        self._numbers = iter(range(1, 1_000_000))
        self._connection: AbstractConnection | None = None
        self._queues: list[AbstractQueue] = []

    # files that the partner is handed

    def hand_over(self) -> None:
        for kid, jwk in self.jwks.items():
            (self.folder / f"{kid}.private.jwk").write_text(json.dumps(jwk))
        (self.folder / "gateway.jwks.json").write_text(json.dumps(self.keyring.jwks([COURT])))

    def settings(self, vhost: Vhost, code: str) -> dict[str, Any]:
        """What the driver of a partner wants to know."""
        return {
            "code": code,
            "amqp": vhost.url(code, PASSWORD),
            "sign_key": self.folder / f"{code}.sig.1.private.jwk",
            "open_key": self.folder / f"{code}.enc.1.private.jwk",
            "gateway_keys": self.folder / "gateway.jwks.json",
            "ledger": self.folder / f"{code}.jsonl",
        }

    # the broker

    async def connect(self, vhost: Vhost, link: Link) -> None:
        """Applies the topology, with every partner's own user, and listens where the gateway would."""
        topology = plan(DIRECTORY, catalogue())
        passwords = {user.name: PASSWORD for user in topology.users}
        await provision(topology, management=vhost.management, link=link, vhost=vhost.name, passwords=passwords)
        self._connection = await aio_pika.connect(vhost.url())
        channel = await self._connection.channel(on_return_raises=True)
        self._channel = channel
        self._out = await channel.get_exchange(OUT)
        for code in DIALECTS:
            for lane in ("normal", "urgent"):
                queue = await channel.get_queue(from_queue(code, lane))
                await queue.consume(self._taker(code), no_ack=True)
                self._queues.append(queue)

    async def close(self) -> None:
        assert self._connection is not None
        await self._connection.close()

    async def left(self, code: str) -> int:
        """Messages in the partner's normal queue once nobody consumes it, so with what was given back."""

        async def unattended() -> tuple[int] | None:
            found = (await self._channel.declare_queue(f"lianzhi.to.{code}", passive=True)).declaration_result
            return (found.message_count or 0,) if found.consumer_count == 0 else None

        counted = await eventually(unattended)
        assert counted is not None
        return counted[0]

    async def cut(self, code: str, *, restore: bool = False) -> None:
        """Take the way in of `code` away, so that what it publishes is returned; or put it back."""
        for queue, lane in zip(self._queues, ("normal", "urgent") * 2, strict=True):
            if queue.name.startswith(f"lianzhi.from.{code}"):
                exchange = await self._channel.get_exchange(IN)
                key = f"{code}.{lane}.#"
                await (queue.bind(exchange, key) if restore else queue.unbind(exchange, key))

    async def send(self, code: str, raw: bytes, *, lane: str = "normal", content_type: str = CONTENT_TYPE) -> None:
        message = aio_pika.Message(raw, content_type=content_type, delivery_mode=2)
        await self._out.publish(message, f"{code}.{lane}.any.thing", timeout=DEADLINE_S)

    def _taker(self, code: str) -> Any:
        async def take(message: AbstractIncomingMessage) -> None:
            assert message.user_id == code
            assert message.content_type == CONTENT_TYPE
            assert message.delivery_mode == aio_pika.DeliveryMode.PERSISTENT
            answer = await self.read(code, message.body, message.routing_key or "")
            apart = {"ping": self.pings, "notice": self.notices}
            apart.get(answer.envelope.verb, self.answers)[code].append(answer)
            self._changed.set()

        return take

    async def heard(self, code: str, count: int) -> list[Answer]:
        """The partner's answers so far, once there are `count`. Raises TimeoutError."""
        async with asyncio.timeout(DEADLINE_S):
            while len(self.answers[code]) < count:
                self._changed.clear()
                await self._changed.wait()
        return self.answers[code]

    async def told(self, code: str, count: int) -> list[Answer]:
        """The partner's notices so far, once there are `count`. Raises TimeoutError."""
        async with asyncio.timeout(DEADLINE_S):
            while len(self.notices[code]) < count:
                self._changed.clear()
                await self._changed.wait()
        return self.notices[code]

    # saying

    def talk(self, type: str) -> Talk:
        partner = GRID if type.startswith("grid.") else POLICE
        return Talk(f"{COURT}-20260324-{next(self._numbers):06d}", type, partner)

    async def make(
        self, talk: Talk, verb: str, said: Mapping[str, Any], /, *, words: Any = None, **changes: Any
    ) -> bytes:
        """The next message of ours in `talk`, as `application.conversation.compose` makes it.

        words: the body instead of the adapter's. changes: members put instead.
        """
        matter, now = catalogue()[talk.type], datetime.now(UTC)
        talk.seqno += 1
        adapter = adapter_for(DIALECTS[talk.partner])
        refs = refs_of(said) if verb == "open" else []
        head, body = replies.split(verb, said, refs)
        hides = talk.partner == GRID
        message_id = str(uuid7())
        event = {
            "specversion": "1.0",
            "id": message_id,
            "source": f"//{COURT}",
            "receiver": talk.partner,
            "type": f"lianzhi.{talk.type}.{verb}",
            "subject": talk.request_no,
            "time": timestamp(now),
            "dataschema": dataschema(adapter.dialect, talk.type, verb, matter.version),
            "datacontenttype": "application/json",
            "seqno": talk.seqno,
            "caseno": None if hides else CASE,
            "data": {"head": head} if head else {},
        }
        if verb == "open":
            event["replykey"] = f"{COURT}.enc.cms1" if matter.result_class.sealed else None
        else:
            event["causationid"], event["originhash"] = talk.opened or (str(uuid7()), "A" * 43)
        event = {name: value for name, value in (event | changes).items() if value is not None}
        if words is None:
            words = await adapter.encode(Canonical(talk.type, verb, body))
        kind: Any = "body"
        if matter.classification(verb).sealed:
            target = self.keyring.sealing_key(talk.partner, at=now)
            words = seal.seal(words, request_no=talk.request_no, message_id=message_id, key=target)
            kind = "sealed"
        signed = sdjwt.issue(event, kind, words, self.private[f"{COURT}.sig.1"])
        if verb == "open":
            talk.opened = message_id, signed.digest
        return signed.raw

    async def open(self, talk: Talk, **changes: Any) -> bytes:
        """The `open` of the catalogue's own example."""
        court = {"code": COURT, "court_code": "陕0199", "name": "云川县人民法院（演示）"}
        request = {"request_no": talk.request_no, "case_no": CASE, "urgency": "normal", "legal_basis": ["INT-482"]}
        data = {
            "request": request,
            "court": court,
            "handler": {"name": "李演示", "permit": "陕0199-0007"},
            "documents": [],
            "payload": dict(catalogue()[talk.type].example_request),
        }
        return await self.make(talk, "open", data, **changes)

    def outside(self, code: str, kind: str, body: Mapping[str, Any]) -> tuple[str, bytes]:
        event = {
            "specversion": "1.0",
            "id": str(uuid7()),
            "source": f"//{COURT}",
            "receiver": code,
            "type": f"lianzhi.gateway.{kind}",
            "time": timestamp(datetime.now(UTC)),
            "datacontenttype": "application/json",
        }
        return str(event["id"]), sdjwt.issue(event, "body", body, self.private[f"{COURT}.sig.1"]).raw

    # reading, by the rules of lianzhi.protocol.policy and the tables of the adapters

    async def read(self, code: str, raw: bytes, routing_key: str) -> Answer:
        now = datetime.now(UTC)
        authentic = policy.authenticate(raw, sender=code, keyring=self.keyring, now=now, limits=Limits())
        envelope = policy.examine(authentic, receivers={COURT})
        parsed = authentic.parsed
        if isinstance(envelope, OutsideEnvelope):
            return Answer(raw, routing_key, envelope, parsed.content, parsed.digest, None)
        matter = catalogue()[envelope.matter_type]
        body, sealed_to = parsed.content, None
        assert matter.classification(envelope.verb).sealed == (parsed.content_kind == "sealed")
        if parsed.content_kind == "sealed":
            sealed_to = seal.recipient_of(body)
            body = seal.unseal(body, request_no=envelope.subject, message_id=envelope.id, keyring=self.keyring)
        if envelope.dialect != "canonical":
            assert envelope.dialect == DIALECTS[code]
            body = await adapter_for(envelope.dialect).decode(envelope.matter_type, envelope.verb, body)
        data = replies.join(envelope.verb, parsed.event["data"].get("head"), body)
        parse_data(matter, envelope.verb, data)
        return Answer(raw, routing_key, envelope, data, parsed.digest, sealed_to)
