"""A court small enough to hold in the hand: it signs, publishes, and reads what the partner answers.

It stands at the other end of a real broker, for the tests of `lianzhi.partner`. It verifies like anybody would.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aio_pika
from aio_pika.abc import AbstractConnection, AbstractExchange, AbstractIncomingMessage, AbstractQueue
from uuid_utils.compat import uuid7

from gateway.broker.provision import provision
from gateway.broker.topology import OUT, from_queue, plan, to_queue
from gateway.core.routing import Directory, Participant
from lianzhi.amqp.link import Link
from lianzhi.crypto import sdjwt, seal
from lianzhi.crypto.keyring import (
    Keyring,
    generate_jwk,
    private_key_from_jwk,
    public_jwk,
    public_key_from_jwk,
)
from lianzhi.crypto.limits import Limits
from lianzhi.protocol import policy
from lianzhi.protocol.envelope import CONTENT_TYPE, Envelope, OutsideEnvelope, timestamp
from schemas.catalogue import Kind, catalogue
from tests.conftest import Vhost

COURT, POLICE = "court-sn0199", "police-610199"
CASE = "（2026）陕0199执900001号"
LOCATE = "police.person-locate.request"
KIDS = (f"{COURT}.sig.1", f"{COURT}.enc.1", f"{COURT}.enc.cms1", f"{POLICE}.sig.1", f"{POLICE}.enc.1")
PASSWORD = "demo-only"
DIRECTORY = Directory(
    [
        Participant(
            COURT,
            Kind.COURT,
            "云川县人民法院（演示）",
            "Yunchuan County Court (demo)",
            "http",
            "canonical",
            home=True,
            accepts=("*",),
            opens=("*",),
        ),
        Participant(
            POLICE,
            Kind.POLICE,
            "云川县公安局（演示）",
            "Yunchuan police (demo)",
            "amqp",
            "police/1",
            accepts=("*",),
            opens=("*",),
        ),
    ]
)
JWKS: dict[str, dict[str, Any]] = {kid: generate_jwk(kid) for kid in KIDS}


def write_partner(folder: Path, address: str, /, **more: Any) -> Path:
    """partner.toml and everything it names."""
    url = urlsplit(address)
    for purpose in ("sig", "enc"):
        kid = f"{POLICE}.{purpose}.1"
        (folder / f"{kid}.private.jwk").write_text(json.dumps(JWKS[kid]))
    court = [public_jwk(JWKS[kid]) for kid in KIDS if kid.startswith(COURT)]
    for key in court:
        if key["kid"].endswith("cms1"):
            key["client"] = "cms1"
    (folder / "court-sn0199.keys.json").write_text(json.dumps({"keys": court}))
    (folder / "amqp.password").write_text(f"{url.password or ''}\n")
    members = {
        "code": POLICE,
        "amqp": f"amqp://{POLICE}@{url.hostname}:{url.port}{url.path}",
        "password_file": "amqp.password",
        "sign_key": f"{POLICE}.sig.1.private.jwk",
        "open_key": f"{POLICE}.enc.1.private.jwk",
        "gateway_keys": "court-sn0199.keys.json",
        "ledger": "inbox.sqlite",
        "dialect": "police/1",
        **more,
    }
    path = folder / "partner.toml"
    path.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in members.items()))
    return path


@dataclass
class Answer:
    """A message of the partner, verified and opened."""

    raw: bytes
    routing_key: str
    user_id: str | None
    envelope: Envelope | OutsideEnvelope
    body: dict[str, Any]
    digest: str

    @property
    def verb(self) -> str:
        return self.envelope.verb

    @property
    def head(self) -> dict[str, Any]:
        return self.envelope.data.head.model_dump(exclude_none=True) if self.envelope.data.head else {}


@dataclass
class Talk:
    """One request as the court counts it."""

    request_no: str
    type: str
    seqno: int = 0
    sent: dict[str, tuple[str, str]] = field(default_factory=dict)  # verb → id, digest
    raw: dict[str, bytes] = field(default_factory=dict)


class Court:
    """Signs as court-sn0199. `send` publishes to `lianzhi.out`; `answers` and `pings` collect what comes through
    `lianzhi.from.police-610199`."""

    def __init__(self, case_no: str | None = CASE) -> None:
        self.case_no = case_no
        self.keys = {kid: private_key_from_jwk(jwk) for kid, jwk in JWKS.items()}
        self.keyring = Keyring([public_key_from_jwk(public_jwk(jwk)) for jwk in JWKS.values()], self.keys.values())
        self.answers: list[Answer] = []
        self.pings: list[Answer] = []  # one comes after each connect
        self.grew = asyncio.Event()
        self._numbers = itertools.count(1)
        self._connection: AbstractConnection | None = None
        self._out: AbstractExchange | None = None
        self.inboxes: list[AbstractQueue] = []

    def talk(self, type: str = LOCATE) -> Talk:
        return Talk(f"{COURT}-20260324-{next(self._numbers):06d}", type)

    def make(
        self,
        talk: Talk,
        verb: str,
        body: dict[str, Any],
        *,
        head: dict[str, Any] | None = None,
        answers: tuple[str, str] | None = None,
        seqno: int | None = None,
        sealed: bool | None = None,
        **members: Any,
    ) -> bytes:
        """The next message of ours in `talk`; `open` and `supplement` are sealed to the partner."""
        talk.seqno = seqno or talk.seqno + 1
        message_id = members.pop("id", None) or str(uuid7())
        origin = answers or talk.sent.get("open") or (str(uuid7()), "A" * 43)
        event: dict[str, Any] = {
            "specversion": "1.0",
            "id": message_id,
            "source": f"//{COURT}",
            "receiver": POLICE,
            "type": f"lianzhi.{talk.type}.{verb}",
            "subject": talk.request_no,
            "time": timestamp(datetime.now(UTC)),
            "dataschema": f"urn:lianzhi:police/1:{talk.type}:{verb}:1",
            "datacontenttype": "application/json",
            "seqno": talk.seqno,
            "caseno": self.case_no,
            "data": {"head": head} if head else {},
        }
        if verb == "open":
            event["replykey"] = f"{COURT}.enc.cms1"
        else:
            event["causationid"], event["originhash"] = origin
        event |= members
        event = {name: value for name, value in event.items() if value is not None}
        content: Any = body
        seal_it = verb in ("open", "supplement") if sealed is None else sealed
        if seal_it:
            key = self.keyring.sealing_key(POLICE, at=datetime.now(UTC))
            content = seal.seal(body, request_no=talk.request_no, message_id=message_id, key=key)
        signed = sdjwt.issue(event, "sealed" if seal_it else "body", content, self.keys[f"{COURT}.sig.1"])
        talk.sent[verb] = message_id, signed.digest
        talk.raw[verb] = signed.raw
        return signed.raw

    def carry(self, talk: Talk, verb: str, jwe: str, *, seqno: int) -> bytes:
        """A message of ours with somebody else's sealed part in it."""
        parsed = sdjwt.parse(self.make(talk, verb, {}, seqno=seqno))
        return sdjwt.issue(parsed.event, "sealed", jwe, self.keys[f"{COURT}.sig.1"]).raw

    def outside(self, kind: str, body: dict[str, Any], cause: str | None = None) -> bytes:
        event = {
            "specversion": "1.0",
            "id": str(uuid7()),
            "source": f"//{COURT}",
            "receiver": POLICE,
            "type": f"lianzhi.gateway.{kind}",
            "time": timestamp(datetime.now(UTC)),
            "datacontenttype": "application/json",
            "causationid": cause,
        }
        event = {name: value for name, value in event.items() if value is not None}
        return sdjwt.issue(event, "body", body, self.keys[f"{COURT}.sig.1"]).raw

    # the broker

    async def connect(self, vhost: Vhost, link: Link) -> None:
        """Applies the topology with the partner's own user, and listens where the gateway would."""
        topology = plan(DIRECTORY, catalogue())
        passwords = {user.name: PASSWORD for user in topology.users}
        await provision(topology, management=vhost.management, link=link, vhost=vhost.name, passwords=passwords)
        self._connection = await aio_pika.connect(vhost.url())
        channel = await self._connection.channel(on_return_raises=True)
        self._out = await channel.get_exchange(OUT)
        for lane in ("normal", "urgent"):
            await (await channel.get_queue(from_queue(POLICE, lane))).consume(self._take, no_ack=True)
            self.inboxes.append(await channel.get_queue(to_queue(POLICE, lane)))

    async def close(self) -> None:
        if self._connection is not None:
            async with asyncio.timeout(20):
                await self._connection.close()

    async def waiting(self) -> int:
        """What the partner has not acknowledged or not taken yet."""
        channel = await self._connection.channel() if self._connection else None
        assert channel is not None
        counts = [await channel.declare_queue(queue.name, passive=True, timeout=20) for queue in self.inboxes]
        await channel.close()
        return sum(queue.declaration_result.message_count or 0 for queue in counts)

    async def _take(self, message: AbstractIncomingMessage) -> None:
        authentic = policy.authenticate(
            message.body, sender=POLICE, keyring=self.keyring, now=datetime.now(UTC), limits=Limits()
        )
        envelope = policy.examine(authentic, receivers={COURT})
        content = authentic.parsed.content
        if authentic.parsed.content_kind == "sealed":
            assert isinstance(envelope, Envelope)
            content = seal.unseal(content, request_no=envelope.subject, message_id=envelope.id, keyring=self.keyring)
        answer = Answer(
            message.body, message.routing_key or "", message.user_id, envelope, content, authentic.parsed.digest
        )
        (self.pings if answer.verb == "ping" else self.answers).append(answer)
        self.grew.set()

    async def send(self, raw: bytes, *, lane: str = "normal", content_type: str | None = CONTENT_TYPE) -> None:
        assert self._out is not None
        await self._out.publish(
            aio_pika.Message(raw, content_type=content_type, delivery_mode=2), f"{POLICE}.{lane}.{LOCATE}.x"
        )

    async def pinged(self, count: int, *, timeout: float = 15.0) -> list[Answer]:
        """The pings, once there are `count` of them."""
        async with asyncio.timeout(timeout):
            while len(self.pings) < count:
                self.grew.clear()
                await self.grew.wait()
        return self.pings

    async def heard(self, count: int, *, timeout: float = 15.0) -> list[Answer]:
        """The answers, once there are `count` of them."""
        async with asyncio.timeout(timeout):
            while len(self.answers) < count:
                self.grew.clear()
                await self.grew.wait()
        return self.answers
