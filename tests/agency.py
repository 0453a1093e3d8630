"""An agency with nothing but its keys, its broker user and a wire: it can say anything, also what is wrong.

Whatever it says is right in every respect that the test does not change.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage
from uuid_utils.compat import uuid7

from adapters.contract import Canonical
from adapters.registry import adapter_for
from gateway.application.ports.timers import Clock
from lianzhi.crypto import base64url, keys, sdjwt, seal
from lianzhi.crypto.keyring import Keyring, PrivateKey, keyring_from_jwks, private_key_from_jwk
from lianzhi.crypto.limits import Limits
from lianzhi.crypto.sdjwt import MESSAGE_TYP
from lianzhi.partner.config import PartnerConfig
from lianzhi.protocol import policy
from lianzhi.protocol import verbs as replies
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.envelope import (
    CANONICAL,
    CONTENT_TYPE,
    GATEWAY_NOTICE,
    GATEWAY_PING,
    GATEWAY_PONG,
    Envelope,
    dataschema,
    timestamp,
)
from schemas.catalogue import catalogue
from schemas.validation import refs_of
from simulation.parties import HOME
from tests.dated import by_now
from tests.eventually import eventually
from tests.words import SHANGHAI, Said, Taken, Talk, standing

Lane = Literal["normal", "urgent"]
_numbers = itertools.count(900001)
_WHENEVER = Limits(ahead=timedelta(days=999), behind=timedelta(days=999))  # the gateway's clock is set by tests


class Agency:
    """folder: with `partner.toml` and the private keys. dialect: of what it reads and writes."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        config = PartnerConfig.load(folder / "partner.toml")
        self.code = config.code
        self.user = config.broker_user
        self.dialect = config.dialect or CANONICAL
        self.keys = {
            key.kid: key
            for key in (private_key_from_jwk(json.loads(path.read_text())) for path in folder.glob("*.private.jwk"))
        }
        document = json.loads((folder / "gateway.jwks.json").read_text())
        self.keyring: Keyring = keyring_from_jwks(document, self.keys.values())
        self.clock = clock
        self.taken: list[Taken] = []
        self._talks: dict[str, Talk] = {}
        self._url = config.amqp_url
        self._connection: AbstractConnection | None = None
        self._writing: AbstractChannel | None = None

    @property
    def key(self) -> PrivateKey:
        return self.keys[f"{self.code}.sig.1"]

    # the wire

    async def connect(self) -> None:
        self._connection = await aio_pika.connect(self._url)
        reading = await self._connection.channel()
        await reading.set_qos(100)
        for suffix in ("", ".urgent"):
            queue = await reading.get_queue(f"lianzhi.to.{self.code}{suffix}", ensure=False)
            await queue.consume(self._take)

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close()

    async def publish(
        self,
        message: Said | bytes,
        *,
        routing_key: str | None = None,
        user_id: str | None = "",
        content_type: str | None = CONTENT_TYPE,
        headers: Mapping[str, Any] | None = None,
        expiration: float | None = None,
        exchange: str = "lianzhi.in",
    ) -> None:
        """Persistent and confirmed. user_id: our own unless given; None: none. expiration: seconds it may wait in a
        queue. Raises what the broker says."""
        raw = message if isinstance(message, bytes) else message.raw
        key = routing_key or (message.routing_key if isinstance(message, Said) else f"{self.code}.normal.raw.bytes")
        properties = aio_pika.Message(
            raw, content_type=content_type, delivery_mode=2, user_id=self.user if user_id == "" else user_id,
            headers=dict(headers or {}), expiration=expiration,
        )  # fmt: skip
        target = await (await self._channel()).get_exchange(exchange, ensure=False)
        await target.publish(properties, key, mandatory=True)

    async def say(self, talk: Talk, verb: str, data: Mapping[str, Any] | None = None, **changes: Any) -> Said:
        """`make` and `publish`."""
        said = await self.make(talk, verb, data, **changes)
        await self.publish(said)
        return said

    async def answer(self, request_no: str, verb: str, data: Mapping[str, Any] | None = None) -> None:
        """Say `verb` in a request that we were asked in."""
        await self.say(await self.opened(request_no), verb, data)

    async def fence(self) -> None:
        """Until the gateway has answered a ping: everything we published before it has been dealt with."""
        pings = []
        for lane in ("normal", "urgent"):
            ping = await self.make_outside(GATEWAY_PING, {})
            await self.publish(ping, routing_key=f"{self.code}.{lane}.gateway.ping")
            pings.append(ping.id)

        def answered() -> bool:
            pongs = {t.envelope.causationid for t in self.taken if t.envelope.type == GATEWAY_PONG}
            return pongs.issuperset(pings)

        await eventually(answered)

    # reading

    async def next(self, request_no: str, verb: str, *, count: int = 1) -> Taken:
        """The message of that request with that verb, once it has come (`count` times)."""

        def found() -> Taken | None:
            fitting = [t for t in self.taken if t.request_no == request_no and t.verb == verb]
            return fitting[-1] if len(fitting) >= count else None

        return await eventually(found)

    def copies(self, taken: Taken) -> int:
        """How often exactly these bytes have come."""
        return sum(one.raw == taken.raw for one in self.taken)

    def notices(self, **about: Any) -> list[dict[str, Any]]:
        """Bodies of the gateway's notices whose members are these."""
        bodies = [t.body for t in self.taken if t.envelope.type == GATEWAY_NOTICE]
        return [b for b in bodies if all(b.get(name) == value for name, value in about.items())]

    async def noticed(self, **about: Any) -> dict[str, Any]:
        return (await eventually(lambda: self.notices(**about)))[0]

    async def opened(self, request_no: str) -> Talk:
        """A request that came to us, ready to be answered; the same one each time."""
        if request_no in self._talks:
            return self._talks[request_no]
        taken = await self.next(request_no, "open")
        envelope = taken.envelope
        assert isinstance(envelope, Envelope)
        head = envelope.data.head
        talk = Talk(
            request_no,
            envelope.matter_type,
            envelope.sender,
            taken.origin,
            envelope.caseno,
            envelope.replykey,
            list(head.refs or ()) if head else [],
        )
        return self._talks.setdefault(request_no, talk)

    # saying

    def begin(self, type: str, *, receiver: str = HOME, case_no: str | None = None) -> Talk:
        """A request of our own, under a number of ours."""
        day = self.clock.now().astimezone(SHANGHAI).strftime("%Y%m%d")
        return Talk(f"{self.code}-{day}-{next(_numbers)}", type, receiver, case_no=case_no)

    async def make(
        self,
        talk: Talk,
        verb: str,
        data: Mapping[str, Any] | None = None,
        *,
        seqno: int | None = None,
        answers: Taken | tuple[str, str] | None = None,
        key: PrivateKey | None = None,
        head: Mapping[str, Any] | None = None,
        sealed: bool | str | None = None,
        words: Mapping[str, Any] | None = None,
        header: Mapping[str, Any] | None = None,
        lane: Lane | None = None,
        as_is: bool = False,
        **members: Any,
    ) -> Said:
        """The next message of ours in `talk`, which counts it.

        data: canonical, by default the standing words of that verb; what an example says happened later has happened
        by now, unless it is to be said as_is. words: the body in our dialect instead. head:
        members more. sealed: whether, or with which JWE. header: JOSE members instead. members: of the envelope
        instead; None leaves one out.
        """
        matter = catalogue()[talk.type]
        canonical = dict(standing(verb, self.clock.now()) if data is None else data)
        canonical = canonical if as_is else by_now(matter, verb, canonical, self.clock.now())
        refs = refs_of(canonical) if verb in ("open", "result", "correct") else []
        clear, body = replies.split(verb, canonical, refs or None)
        place = verb in ("result", "correct") and matter.result_class is Classification.LOCATION
        dialect = CANONICAL if place else self.dialect
        if words is None:
            words = body if place else await adapter_for(self.dialect).encode(Canonical(talk.type, verb, body))
        talk.seqno = talk.seqno + 1 if seqno is None else seqno
        origin = answers.origin if isinstance(answers, Taken) else answers or talk.origin
        event: dict[str, Any] = {
            "specversion": "1.0",
            "id": str(uuid7()),
            "source": f"//{self.code}",
            "receiver": talk.peer,
            "type": f"lianzhi.{talk.type}.{verb}",
            "subject": talk.request_no,
            "time": timestamp(self.clock.now()),
            "dataschema": dataschema(dialect, talk.type, verb, matter.version),
            "datacontenttype": "application/json",
            "seqno": talk.seqno,
            "caseno": talk.case_no,
            "data": {"head": clear | dict(head or {})} if clear or head else {},
        }
        if verb != "open" and origin is not None:
            event["causationid"], event["originhash"] = origin
        if verb == "open" and matter.result_class.sealed:
            event["replykey"] = f"{self.code}.enc.1"
        event = {name: value for name, value in (event | members).items() if value is not None}
        content: Mapping[str, Any] | str = words
        if sealed is None:
            sealed = matter.classification(verb).sealed
        if isinstance(sealed, str):
            content = sealed
        elif sealed:
            content = self.seal(talk, event["id"], words, verb)
        said = self.sign(event, content, key=key, header=header)
        lane = lane or ("urgent" if matter.urgent(verb, "normal") else "normal")
        if verb == "open":
            talk.origin = talk.origin or (said.id, said.digest)
        return replace(said, routing_key=f"{self.code}.{lane}.{talk.type}.{verb}")

    def seal(
        self, talk: Talk, message_id: str, words: Mapping[str, Any], verb: str = "result", kid: str | None = None
    ) -> str:
        """To the key that the `open` named, or to the peer's own."""
        kid = kid or (talk.reply_key if verb in ("result", "correct") else None)
        key = self.keyring.sealing_key(talk.peer, at=self.clock.now(), kid=kid)
        return seal.seal(words, request_no=talk.request_no, message_id=message_id, key=key)

    async def make_outside(self, kind: str, body: Mapping[str, Any], **members: Any) -> Said:
        """A message outside any request."""
        event = {
            "specversion": "1.0",
            "id": str(uuid7()),
            "source": f"//{self.code}",
            "receiver": HOME,
            "type": kind,
            "time": timestamp(self.clock.now()),
            "datacontenttype": "application/json",
            **members,
        }
        return replace(self.sign(event, body), routing_key=f"{self.code}.normal.gateway.{kind.rsplit('.', 1)[1]}")

    def sign(
        self,
        event: Mapping[str, Any],
        content: Mapping[str, Any] | str,
        *,
        key: PrivateKey | None = None,
        header: Mapping[str, Any] | None = None,
    ) -> Said:
        """By hand, so that the header can be anything and any key can sign."""
        key = key or self.key
        kind = "sealed" if isinstance(content, str) else "body"
        disclosure = _encoded(["c2FsdC1zYWx0LXNhbHQtMQ", kind, content])
        payload = _encoded({**event, "data": {**event.get("data", {}), "_sd": [sdjwt.digest_of(disclosure)]}})
        jose = {"alg": key.alg, "kid": key.kid, "typ": MESSAGE_TYP, "cty": sdjwt.CTY} | dict(header or {})
        signed = f"{_encoded(jose)}.{payload}"
        signature = base64url.encode(keys.sign(_signing(key), key.key, signed.encode()))
        jws = f"{signed}.{signature}"
        return Said(f"{jws}~{disclosure}~".encode(), event["id"], sdjwt.digest_of(jws), "", disclosure)

    # inside

    async def _channel(self) -> AbstractChannel:
        """Another one after the broker has closed the last."""
        if self._writing is None or self._writing.is_closed:
            assert self._connection is not None
            self._writing = await self._connection.channel(publisher_confirms=True)
        return self._writing

    async def _take(self, message: AbstractIncomingMessage) -> None:
        raw = message.body
        source = sdjwt.parse(raw).event["source"].removeprefix("//")
        proved = policy.authenticate(raw, sender=source, keyring=self.keyring, now=self.clock.now(), limits=_WHENEVER)
        envelope = policy.examine(proved, receivers={self.code})
        content = proved.parsed.content
        if proved.parsed.content_kind == "sealed":
            assert isinstance(envelope, Envelope)
            content = seal.unseal(content, request_no=envelope.subject, message_id=envelope.id, keyring=self.keyring)
        self.taken.append(Taken(raw, message.routing_key or "", envelope, content, proved.parsed.digest))
        await message.ack()


def _encoded(value: Any) -> str:
    return base64url.encode(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def _signing(key: PrivateKey) -> str:
    """An encryption key on P-256 can sign too, if somebody misuses it."""
    return "ES256" if key.purpose == "enc" else key.alg
