"""What strangers choose, line by line as in docs/strangers.md: each influences its own conversation, nothing else.

Every line is one choice, made with the stranger's own keys, broker user and credential against a real broker. Its
outcome is named, and everything that is not the stranger's stands as it stood.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aio_pika
import pytest
import pytest_asyncio
from uuid_utils.compat import uuid7

from gateway.broker.management import Management
from lianzhi.crypto import sdjwt
from lianzhi.protocol.envelope import GATEWAY_NOTICE, GATEWAY_PING, Envelope, OutsideEnvelope, timestamp
from simulation.parties import GRID, HOME
from simulation.private_broker import PrivateBroker
from tests.conftest import Vhost
from tests.fault.court import ENTRUST, VERIFY
from tests.walls.stage import PAPER_SHA256, STRANGER, Stage, staged
from tests.words import Said

pytestmark = pytest.mark.slow
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "strangers.md"


@dataclass(frozen=True)
class Line:
    """choice: as the table names it. act: makes it; answers its outcome. outcome: which of them are right."""

    choice: str
    act: Callable[[Stage], Awaitable[str]]
    outcome: tuple[str, ...]

    @property
    def id(self) -> str:
        return re.sub(r"[^a-z0-9]+", "-", self.choice.lower()).strip("-")


def member(name: str, value: Any, *outcome: str, verb: str = "progress", **more: Any) -> Line:
    """A member of the signed envelope. value: or a function of the stage."""

    async def act(stage: Stage) -> str:
        given = value(stage) if callable(value) else value
        return await stage.judged(await stage.says(verb, **{name: given}, **more))

    return Line(f"message {name}", act, outcome)


def header(name: str, value: Any, *outcome: str) -> Line:
    """A member of the JWS header."""

    async def act(stage: Stage) -> str:
        return await stage.judged(await stage.says(header={name: value}))

    return Line(f"message header {name}", act, outcome)


def property_(name: str, value: Any, *outcome: str) -> Line:
    """An AMQP property, of a message that is right in every other respect."""

    async def act(stage: Stage) -> str:
        said = await stage.says()
        return await _published(stage, said, **{name: value})

    return Line(f"AMQP {name}", act, outcome)


def table(name: str, value: Any, *outcome: str) -> Line:
    """An entry of the AMQP header table."""

    async def act(stage: Stage) -> str:
        said = await stage.says()
        return await _published(stage, said, headers={name: value})

    return Line(f"AMQP header {name}", act, outcome)


async def _published(
    stage: Stage, said: Said, key: str | None = None, exchange: str = "lianzhi.in", **more: Any
) -> str:
    properties: dict[str, Any] = {"content_type": "application/sd-jwt", "delivery_mode": 2, "user_id": STRANGER} | more
    async with await aio_pika.connect(stage.site.vhost.url(STRANGER, stage.site.parties.passwords[STRANGER])) as wire:
        channel = await wire.channel(publisher_confirms=True, on_return_raises=True)
        try:
            where = await channel.get_exchange(exchange, ensure=False) if exchange else channel.default_exchange
            await where.publish(aio_pika.Message(said.raw, **properties), key or said.routing_key, mandatory=True)
        except (aio_pika.exceptions.AMQPError, aio_pika.exceptions.DeliveryError) as error:
            return f"broker: {type(error).__name__}"
    await stage.settled()
    return stage.outcome(said)


def routed(choice: str, key: str, *outcome: str, exchange: str = "lianzhi.in") -> Line:
    async def act(stage: Stage) -> str:
        return await _published(stage, await stage.says(), key, exchange)

    return Line(f"AMQP {choice}", act, outcome)


def queue(choice: str, act: Callable[[Any, str], Awaitable[Any]], name: str, *outcome: str) -> Line:
    """Something done to a queue. name: of the queue."""

    async def done(stage: Stage) -> str:
        url = stage.site.vhost.url(STRANGER, stage.site.parties.passwords[STRANGER])
        async with await aio_pika.connect(url) as wire:
            channel = await wire.channel()
            try:
                await act(channel, name)
            except aio_pika.exceptions.AMQPError as error:
                return f"broker: {type(error).__name__}"
        return "done"

    return Line(f"AMQP {choice}", done, outcome)


def http(choice: str, method: str, path: str, *outcome: str, **more: Any) -> Line:
    """A call by the stranger's own JWT. `{mine}`, `{theirs}` in the path: numbers; more: of `Stage.call`."""

    async def act(stage: Stage) -> str:
        where = path.format(mine=stage.talk.request_no, theirs=stage.theirs[VERIFY], paper=PAPER_SHA256)
        given = {name: value(stage) if callable(value) else value for name, value in more.items()}
        return await stage.call(method, where, **given)

    return Line(f"HTTP {choice}", act, outcome)


async def _same_id(stage: Stage) -> str:
    first = await stage.says()
    await stage.judged(first)
    return await stage.judged(await stage.says(id=first.id))


async def _unknown_own_number(stage: Stage) -> str:
    day = f"{datetime.now(UTC):%Y%m%d}"
    return await stage.judged(await stage.says(subject=f"{STRANGER}-{day}-777777", seqno=2))


async def _outside(stage: Stage, kind: str, body: dict[str, Any], **members: Any) -> str:
    return await stage.judged(await stage.police.make_outside(kind, body, **members))


async def _head_is_null(stage: Stage) -> str:
    good = await stage.says()
    parsed = sdjwt.parse(good.raw)
    event = parsed.event | {"data": {"head": None}}
    said = stage.police.sign(event, parsed.content)
    return await stage.judged(Said(said.raw, said.id, said.digest, good.routing_key, said.disclosure))


async def _salt(stage: Stage) -> str:
    """The same salt in every message, chosen by the sender: it weakens its own disclosure alone."""
    return await stage.judged(await stage.says())


async def _altered(stage: Stage) -> str:
    good = await stage.says()
    raw = good.raw[:-40] + b"A" * 39 + b"~"
    return await stage.judged(Said(raw, good.id, good.digest, good.routing_key, good.disclosure))


def _later(**amount: float) -> str:
    return timestamp(datetime.now(UTC) + timedelta(**amount))


def _quarantine(*reasons: str) -> tuple[str, ...]:
    return tuple(f"quarantine: {reason}" for reason in reasons)


async def _consume(channel: Any, name: str) -> None:
    found = await channel.get_queue(name, ensure=False)
    await found.consume(lambda message: None)


async def _purge(channel: Any, name: str) -> None:
    await (await channel.get_queue(name, ensure=False)).purge()


async def _bind(channel: Any, name: str) -> None:
    await (await channel.get_queue(name, ensure=False)).bind("lianzhi.out", f"{GRID}.#")


REFUSED = ("broker: ChannelAccessRefused",)
LINES = [
    # The signed envelope.
    member("specversion", "2.0", *_quarantine("bad-envelope")),
    Line("message id", _same_id, _quarantine("id-reused")),
    member("source", f"//{GRID}", *_quarantine("sender-mismatch")),
    member("receiver", GRID, *_quarantine("wrong-receiver")),
    member("type", [], *_quarantine("bad-envelope")),
    member("subject", lambda s: s.theirs[VERIFY], *_quarantine("misdirected", "unknown-request")),
    Line("message subject of its own", _unknown_own_number, ("held",)),
    member("time", lambda s: _later(hours=30), *_quarantine("clock-ahead")),
    member("expires", lambda s: _later(seconds=-1), *_quarantine("expired")),
    member("dataschema", f"urn:lianzhi:grid/1:{VERIFY}:progress:1", *_quarantine("bad-envelope", "bad-dialect")),
    member("datacontenttype", "text/plain", *_quarantine("bad-envelope")),
    member("seqno", 2**53 - 1, *_quarantine("seqno-too-far")),
    member("causationid", lambda s: str(uuid7()), *_quarantine("origin-mismatch")),
    member("originhash", "A" * 43, *_quarantine("origin-mismatch")),
    member("caseno", "（2026）陕0199执1号", *_quarantine("misdirected")),
    member("related", lambda s: s.theirs[ENTRUST], "applied", *_quarantine("misdirected")),
    member("groupno", lambda s: f"{HOME}-20261130-000001", "applied", *_quarantine("misdirected", "foreign-group")),
    member("submissionhash", "A" * 43, "applied"),
    member("replykey", f"{HOME}.enc.cms1", "applied"),
    member("traceparent", "00-" + "a" * 32 + "-" + "b" * 16 + "-01", "applied"),
    Line("message data", _head_is_null, _quarantine("bad-envelope")),
    member("head", {"refs": ["zzzzzzzz"]}, *_quarantine("unknown-ref", "bad-envelope", "invalid-field")),
    member("priority", 9, *_quarantine("bad-envelope")),
    Line("message salt", _salt, ("applied",)),
    Line("message disclosure", _altered, _quarantine("bad-disclosure")),
    header("alg", "none", *_quarantine("bad-alg")),
    header("kid", f"{GRID}.sig.1", *_quarantine("foreign-key")),
    header("typ", "JWT", *_quarantine("bad-typ")),
    header("cty", "json", *_quarantine("bad-header")),
    header("jku", "https://keys.example", *_quarantine("bad-header")),
    # Outside any request.
    Line("message ping", lambda s: _outside(s, GATEWAY_PING, {"any": "thing"}), ("applied",)),
    Line(
        "message notice",
        lambda s: _outside(s, GATEWAY_NOTICE, {"message_id": str(uuid7()), "body_sha256": "0" * 64, "reason": "x"}),
        ("applied",),
    ),
    Line(
        "message notice causationid",
        lambda s: _outside(s, GATEWAY_NOTICE, {"reason": "bad-signature"}, causationid=str(uuid7())),
        ("applied",),
    ),
    # AMQP: the fourteen properties (AMQP 0-9-1, 4.2.6), the table, the key, the exchange, the queues.
    property_("content_type", "application/json", *_quarantine("bad-content-type")),
    property_("content_encoding", "gzip", "applied", *_quarantine("bad-content-type")),
    property_("delivery_mode", 1, "applied"),
    property_("priority", 9, "applied"),
    property_("correlation_id", "x", "applied"),
    property_("reply_to", f"lianzhi.to.{GRID}", "applied"),
    property_("expiration", 60, "applied"),
    property_("message_id", "x", "applied"),
    property_("timestamp", datetime(2099, 1, 1, tzinfo=UTC), "applied"),
    property_("type", "x", "applied"),
    property_("user_id", GRID, "broker: ChannelPreconditionFailed"),
    property_("app_id", "x", "applied"),
    table("CC", [f"{GRID}.normal.x.y"], *REFUSED, *_quarantine("forbidden-header")),
    table("BCC", [f"{GRID}.normal.x.y"], *REFUSED, "applied", *_quarantine("misrouted")),
    table("x-death", [], *_quarantine("forbidden-header")),
    table("x-first-death-queue", f"lianzhi.to.{GRID}", *_quarantine("forbidden-header")),
    table("x-anything", "x" * 1000, "applied"),
    routed("routing key", f"{GRID}.normal.{VERIFY}.progress", *REFUSED),
    routed("routing key's tail", f"{STRANGER}.urgent.of.its.own.choice", "applied"),
    routed("exchange out", f"{GRID}.normal.x.y", *REFUSED, exchange="lianzhi.out"),
    routed("exchange dead", f"lianzhi.to.{GRID}", *REFUSED, exchange="lianzhi.dead"),
    routed("exchange default", f"lianzhi.from.{GRID}", *REFUSED, exchange=""),
    queue("queue consume", _consume, f"lianzhi.to.{GRID}", *REFUSED),
    queue("queue purge", _purge, f"lianzhi.to.{GRID}", *REFUSED),
    queue("queue delete", lambda c, n: c.queue_delete(n), f"lianzhi.to.{STRANGER}", *REFUSED),
    queue("queue declare", lambda c, n: c.declare_queue(n), "anything", *REFUSED),
    queue("queue bind", _bind, f"lianzhi.to.{STRANGER}", *REFUSED),
    # HTTP, by a partner's own credential, and by a client that may only read.
    http("claim iss", "GET", "/v1/types", "http: 401 unauthorized", token=lambda s: s.jwt(iss=GRID, sub=GRID)),
    http("claim aud", "GET", "/v1/types", "http: 401 unauthorized", token=lambda s: s.jwt(aud=GRID)),
    http("claim exp", "GET", "/v1/types", "http: 401 unauthorized", token=lambda s: s.jwt(exp=2**40)),
    http("request number", "GET", "/v1/requests/{theirs}", "http: 404 unknown-request"),
    http("request number's messages", "GET", "/v1/requests/{theirs}/messages", "http: 404 unknown-request"),
    http("request number's timeline", "GET", "/v1/requests/{theirs}/timeline", "http: 404 unknown-request"),
    http("document digest", "GET", "/v1/documents/" + "0" * 64, "http: 404 not-found"),
    http("after", "GET", "/v1/events?after=abc", "http: 400 bad-cursor", "http: 403 forbidden"),
    http("limit", "GET", "/v1/requests?limit=99999999999999999999", "http: 422 invalid-field"),
    http("wait", "GET", "/v1/events?wait=99999", "http: 422 invalid-field"),
    http("case_no", "GET", "/v1/cases?case_no=（2026）陕0199执900050号", "http: 403 forbidden", "http: 200"),
    http("group_no", "GET", f"/v1/groups/{HOME}-20261130-000001", "http: 404 unknown-group"),
    http("receiver", "GET", f"/v1/requests?receiver={GRID}", "http: 200"),
    http("unknown parameter", "GET", "/v1/types?no_such=1", "http: 422 invalid-field"),
    http("X-Request-Id", "GET", "/v1/types", "http: 200", X_Request_Id="x\u00e9"),
    http("Lianzhi-Incarnation", "GET", "/v1/types", "http: 200", Lianzhi_Incarnation="x"),
    http("Forwarded", "GET", "/v1/types", "http: 200", Forwarded="for=10.0.0.1"),
    http("Host", "GET", "/v1/types", "http: 200", Host="elsewhere.example"),
    http("traceparent", "GET", "/v1/types", "http: 200", traceparent="00-zz"),
    http(
        "scope", "POST", "/v1/requests", "http: 403 forbidden",
        token=lambda s: s.reader, body=b"{}", Idempotency_Key="k", Content_Type="application/json",
    ),
    http("page link", "POST", "/v1/pages/" + "0" * 36 + "/acknowledge/" + "A" * 43, "http: 404 not-found"),
]  # fmt: skip


@pytest_asyncio.fixture(scope="module")
async def stage(
    broker: PrivateBroker, management: Management, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stage]:
    await management.put("vhosts", "strangers")
    async with staged(tmp_path_factory.mktemp("strangers"), Vhost("strangers", broker, management)) as stage:
        yield stage
    await management.delete("vhosts", "strangers")


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.id)
async def test_a_choice_changes_nothing_of_others(stage: Stage, line: Line) -> None:
    before = await stage.others()
    outcome = await line.act(stage)
    await stage.settled()
    assert outcome in line.outcome
    assert await stage.others() == before


def test_every_member_and_every_line_stands_in_the_table() -> None:
    """What a model, a property list or a query names is in docs/strangers.md, and so is every line tried here."""
    choices = set(re.findall(r"^\| `([^`]+)`", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE))
    members = {*Envelope.model_fields, *OutsideEnvelope.model_fields}
    assert {f"message {name}" for name in members} <= choices
    assert {line.choice for line in LINES} <= choices


def test_every_test_that_the_table_names_is_there() -> None:
    """A name, or the beginning of several."""
    tests = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parents[1].rglob("test_*.py"))
    named = set(re.findall(r"`(test_[a-z0-9_]+)`", DOCUMENT.read_text(encoding="utf-8")))
    assert named
    assert not [name for name in named if f"def {name}" not in tests]
