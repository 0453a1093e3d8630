"""What is wrong with a message, on the bus: one case for each reason, each wrong in exactly one way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from uuid_utils.compat import uuid7

from lianzhi.crypto.limits import Limits
from lianzhi.protocol.envelope import timestamp
from simulation.parties import FUPING, GRID, HOME, POLICE
from tests.agency import Agency
from tests.court_system import fresh_payload
from tests.faults import ENTRUST, HIT, PERSON, SEAL
from tests.scenes import answer_to, hit
from tests.words import Said, Talk, standing
from tests.world import World


@dataclass(frozen=True)
class Scene:
    """A request that an agency was asked in, and has said `delivered` and `receipt` to."""

    world: World
    agency: Agency
    talk: Talk
    payload: dict[str, Any]

    @property
    def request_no(self) -> str:
        return self.talk.request_no

    def says(self, verb: str = "progress", data: dict[str, Any] | None = None, **changes: Any) -> Awaitable[Said]:
        """The next message, wrong in what `changes` says."""
        return self.agency.make(self.talk, verb, data, **changes)

    def result(self, **changes: Any) -> dict[str, Any]:
        return answer_to(self.talk.type, self.payload, self.world.clock.now(), **changes)

    def later(self, **amount: float) -> str:
        return timestamp(self.world.clock.now() + timedelta(**amount))


async def on_stage(world: World, type: str) -> Scene:
    agency = await world.agency(POLICE if type.startswith("police.") else FUPING)
    payload = fresh_payload(type)
    request_no = await world.court.ask(type, payload)
    talk = await agency.opened(request_no)
    for verb in ("delivered", "receipt"):
        await agency.say(talk, verb)
    await world.reaches(request_no, "received")
    return Scene(world, agency, talk, payload)


@dataclass(frozen=True)
class Case:
    """make: the wrong message. type: of the request it is said in. publish: how, where the properties are wrong."""

    name: str
    reason: str
    make: Callable[[Scene], Awaitable[Said]]
    pointer: str | None = None
    type: str = PERSON
    publish: dict[str, Any] = field(default_factory=dict)


async def _unsigned(s: Scene) -> Said:
    return bytes_of(b'{"type":"lianzhi.police.person-locate.request.result"}')


async def _oversized(s: Scene) -> Said:
    return bytes_of(b"x" * (Limits().message_bytes + 1))


async def altered(s: Scene) -> Said:
    good = await s.says()
    header, payload, rest = good.raw.split(b".", 2)
    return bytes_of(header + b"." + payload.swapcase() + b"." + rest)


async def _altered_in_the_disclosure(s: Scene) -> Said:
    other = await s.agency.make(s.talk, "progress", {"stage": "found"}, seqno=9)
    good = await s.says()
    return bytes_of(good.raw.split(b"~")[0] + b"~" + other.raw.split(b"~")[1] + b"~")


async def _same_id_other_bytes(s: Scene) -> Said:
    first = await s.agency.say(s.talk, "accept")
    await s.world.reaches(s.request_no, "accepted")
    return await s.says(id=first.id)


async def _origin_of_another_request(s: Scene) -> Said:
    other = await on_stage(s.world, PERSON)
    return await s.says(answers=other.talk.origin)


async def _hash_of_another_message(s: Scene) -> Said:
    other = await on_stage(s.world, PERSON)
    assert s.talk.origin is not None and other.talk.origin is not None
    return await s.says(answers=(s.talk.origin[0], other.talk.origin[1]))


async def _to_a_request_of_others(s: Scene) -> Said:
    """The police answer what a grid centre was asked."""
    asked = await s.world.court.ask("grid.verify.request")
    grid = await (await s.world.agency(GRID)).opened(asked)
    return await s.says(subject=asked, answers=grid.origin, seqno=1, caseno=None)


async def _of_another_type(s: Scene) -> Said:
    name = "police.vehicle-control.request"
    return await s.says(type=f"lianzhi.{name}.progress", dataschema=f"urn:lianzhi:police/1:{name}:progress:1")


async def _foreign(s: Scene) -> Said:
    neighbour = await s.world.agency(FUPING)
    return await s.says(key=neighbour.key)


async def _names_a_stranger(s: Scene) -> Said:
    result = s.result()
    result["items"][0]["ref"] = "zzzzzzzz"
    return await s.says("result", result)


async def _place_to_the_gateway_instead_of_the_court(s: Scene) -> Said:
    message_id = str(uuid7())
    jwe = s.agency.seal(s.talk, message_id, {"items": []}, kid=f"{HOME}.enc.1")
    return await s.says("result", s.result(), id=message_id, sealed=jwe)


async def _sealed_to_nobody_here(s: Scene) -> Said:
    message_id = str(uuid7())
    jwe = s.agency.seal(s.talk, message_id, {"items": []}, kid=f"{HOME}.enc.cms1")
    return await s.says("result", s.result(), id=message_id, sealed=jwe)


async def _lifted(s: Scene) -> Said:
    """The sealed part was made for an earlier message of the same conversation."""
    jwe = s.agency.seal(s.talk, str(uuid7()), {"items": []})
    return await s.says("result", s.result(), sealed=jwe)


async def _lifted_from_another_request(s: Scene) -> Said:
    other, message_id = await on_stage(s.world, s.talk.type), str(uuid7())
    return await s.says("result", s.result(), id=message_id, sealed=s.agency.seal(other.talk, message_id, {}))


async def _another_receipt(s: Scene) -> Said:
    return await s.says("receipt", standing("receipt", s.world.clock.now() + timedelta(minutes=1)))


async def _another_result(s: Scene) -> Said:
    await s.agency.say(s.talk, "result", s.result())
    await s.world.reaches(s.request_no, "completed")
    return await s.says("result", s.result(outcome="none", items=[]))


async def _corrects_nothing(s: Scene) -> Said:
    return await s.says("correct", s.result(supersedes=str(uuid7()), reason="笔误"))


async def _opens_what_it_may_not(s: Scene) -> Said:
    talk = s.agency.begin(PERSON)
    return await s.agency.make(talk, "open", {"request": {}, "documents": [], "payload": s.payload})


async def _opens_what_nobody_knows(s: Scene) -> Said:
    talk = s.agency.begin(HIT)
    opening = hit({"vehicle": fresh_payload(SEAL)["vehicle"], "control_no": "BK000"})
    name = "police.flying-saucer.alert"
    return await s.agency.make(
        talk, "open", opening, type=f"lianzhi.{name}.open", dataschema=f"urn:lianzhi:police/1:{name}:open:1"
    )


async def _hit_without_control(s: Scene) -> Said:
    talk = s.agency.begin(HIT)
    opening = hit({"vehicle": fresh_payload(SEAL)["vehicle"], "control_no": "BK000"})
    return await s.agency.make(talk, "open", opening)


def bytes_of(raw: bytes) -> Said:
    return Said(raw, str(uuid7()), "", f"{POLICE}.normal.{PERSON}.progress", "")


def _schema(verb: str = "progress", *, dialect: str = "police/1", version: int = 1) -> str:
    return f"urn:lianzhi:{dialect}:{PERSON}:{verb}:{version}"


CASES = [
    # bytes
    Case("unsigned-json", "not-an-sd-jwt", _unsigned),
    Case("larger-than-the-limit", "too-large", _oversized),
    Case("no-broker-user", "sender-mismatch", lambda s: s.says(), "/user_id", publish={"user_id": None}),
    Case(
        "json-as-media-type",
        "bad-content-type",
        lambda s: s.says(),
        "/content_type",
        publish={"content_type": "application/json"},
    ),
    Case("no-media-type", "bad-content-type", lambda s: s.says(), "/content_type", publish={"content_type": None}),
    # signature
    Case("extra-header-member", "bad-header", lambda s: s.says(header={"jku": "https://evil"}), "/jku"),
    Case("typ-of-a-submission", "bad-typ", lambda s: s.says(header={"typ": "lianzhi-submission+sd-jwt"}), "/typ"),
    Case("hmac", "bad-alg", lambda s: s.says(header={"alg": "HS256"}), "/alg"),
    Case("key-nobody-registered", "unknown-kid", lambda s: s.says(header={"kid": f"{POLICE}.sig.9"}), "/kid"),
    Case("key-of-a-neighbour", "foreign-key", _foreign, "/kid"),
    Case(
        "encryption-key-signs",
        "wrong-key-purpose",
        lambda s: s.says(key=s.agency.keys[f"{POLICE}.enc.1"], header={"alg": "ES256"}),
        "/kid",
    ),
    Case(
        "key-past",
        "key-not-valid-at-time",
        lambda s: s.says(key=s.agency.keys[f"{POLICE}.sig.past"]),
        "/time",
    ),
    Case(
        "key-to-come",
        "key-not-valid-at-time",
        lambda s: s.says(key=s.agency.keys[f"{POLICE}.sig.next"]),
        "/time",
    ),
    Case("key-stolen", "key-revoked", lambda s: s.says(key=s.agency.keys[f"{POLICE}.sig.stolen"]), "/kid"),
    Case("altered-in-the-envelope", "bad-signature", altered),
    Case("altered-in-the-disclosure", "bad-disclosure", _altered_in_the_disclosure, "/data/_sd"),
    # time
    Case("from-the-future", "clock-ahead", lambda s: s.says(time=s.later(hours=25)), "/time"),
    Case("from-long-ago", "stale", lambda s: s.says(time=s.later(days=-31)), "/time"),
    Case("past-its-validity", "expired", lambda s: s.says(expires=s.later(seconds=-1)), "/expires"),
    # envelope
    Case("extra-envelope-member", "bad-envelope", lambda s: s.says(priority=1), "/priority"),
    Case("no-origin", "bad-envelope", lambda s: s.says(causationid=None, originhash=None), ""),
    Case("code-that-the-verb-has-not", "bad-envelope", lambda s: s.says(head={"level": 1}), "/data/head/level"),
    Case("source-of-another", "sender-mismatch", lambda s: s.says(source=f"//{FUPING}"), "/source"),
    Case("to-another-court", "wrong-receiver", lambda s: s.says(receiver="court-sn0198"), "/receiver"),
    Case("to-another-agency", "wrong-receiver", lambda s: s.says(receiver=GRID), "/receiver"),
    Case("id-of-an-earlier-message", "id-reused", _same_id_other_bytes, "/id"),
    # conversation
    Case(
        "to-a-request-that-never-was",
        "unknown-request",
        lambda s: s.says(subject=f"{HOME}-20260324-999999", seqno=1),
        "/subject",
    ),
    Case("to-a-request-of-others", "misdirected", _to_a_request_of_others, "/subject"),
    Case("of-another-type", "misdirected", _of_another_type, "/subject"),
    Case("of-another-case", "misdirected", lambda s: s.says(caseno="（2026）陕0199执1号"), "/caseno"),
    Case("of-no-case", "misdirected", lambda s: s.says(caseno=None), "/caseno"),
    Case("origin-of-another-request", "origin-mismatch", _origin_of_another_request, "/causationid"),
    Case("hash-of-another-message", "origin-mismatch", _hash_of_another_message, "/originhash"),
    Case("names-a-stranger", "unknown-ref", _names_a_stranger, "/data/head/refs"),
    Case("out-of-place", "not-now", _corrects_nothing, "/type"),
    Case("verb-of-the-other-side", "not-allowed", lambda s: s.says("withdraw"), "/type"),
    Case("second-receipt-with-another-time", "contradicts", _another_receipt, "/QSSJ"),
    Case("second-result", "contradicts", _another_result, "/type"),
    # content
    Case(
        "verb-nobody-knows",
        "unknown-verb",
        lambda s: s.says(type=f"lianzhi.{PERSON}.teleport", dataschema=_schema("teleport")),
        "/type",
    ),
    Case("another-dialect", "bad-dialect", lambda s: s.says(dataschema=_schema(dialect="grid/1")), "/dataschema"),
    Case("another-version", "wrong-version", lambda s: s.says(dataschema=_schema(version=9)), "/dataschema"),
    Case("place-in-clear", "not-sealed", lambda s: s.says("result", s.result(), sealed=False), "/data/_sd"),
    Case("sealed-needlessly", "must-not-be-sealed", lambda s: s.says(sealed=True), "/data/_sd"),
    Case("place-sealed-to-the-gateway", "cannot-open", _place_to_the_gateway_instead_of_the_court, "/data/_sd"),
    Case("result-sealed-past-the-gateway", "cannot-open", _sealed_to_nobody_here, "/kid", ENTRUST),
    Case("sealed-part-of-another-message", "seal-mismatch", _lifted, "/message_id", ENTRUST),
    Case("sealed-part-of-another-request", "seal-mismatch", _lifted_from_another_request, "/request_no", ENTRUST),
    Case(
        "field-in-its-own-words",
        "invalid-field",
        lambda s: s.says("receipt", words={"QSSJ": "昨天", "QSRXM": "赵演示"}),
        "/QSSJ",
    ),
    # opening
    Case("opens-what-it-may-not", "not-allowed", _opens_what_it_may_not, "/source"),
    Case("opens-what-nobody-knows", "unknown-type", _opens_what_nobody_knows, "/type"),
    Case("hit-without-a-control", "unknown-control", _hit_without_control, "/BKXH"),
]  # fmt: skip
