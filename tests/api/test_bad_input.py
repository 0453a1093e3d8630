"""Every kind of bad input has one clear answer: status, code, place and rule. Nothing is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from multidict import CIMultiDict

from gateway.application.ports.lists import RequestFilter
from lianzhi.crypto.strictjson import dumps
from tests.api.world import (
    COURT,
    GRID,
    NEIGHBOUR,
    POLICE,
    World,
    approval,
    document,
    grid_request,
    locate_request,
    seal_request,
    within,
)

PLAIN = dumps(grid_request()).encode()


@dataclass(frozen=True)
class Bad:
    """What is POSTed to /v1/requests and what must be answered. rule: (pointer, rule) that must be among them."""

    name: str
    body: bytes | Mapping[str, Any]
    status: int
    code: str
    rule: tuple[str, str] | None = None
    content_type: str = "application/json"


BYTES = [
    Bad("empty body", b"", 400, "malformed-json", ("", "empty-body")),
    Bad("malformed JSON", b'{"type":', 400, "malformed-json", ("", "malformed-json")),
    Bad("not an object", b"[]", 400, "malformed-json"),
    Bad("two documents", PLAIN + PLAIN, 400, "malformed-json"),
    Bad("a comment", b"/* hello */" + PLAIN, 400, "malformed-json"),
    Bad("a byte order mark", b"\xef\xbb\xbf" + PLAIN, 400, "bad-encoding"),
    Bad("not UTF-8", PLAIN.decode().encode("gb18030"), 400, "bad-encoding"),
    Bad(
        "duplicate keys",
        PLAIN[:-1] + b',"receiver":"grid-610199"}',
        400,
        "duplicate-member",
        ("/receiver", "duplicate-member"),
    ),
    Bad("nesting too deep", b'{"payload":' + b"[" * 40 + b"]" * 40 + b"}", 400, "too-deep"),
    Bad("a fraction", PLAIN[:-1] + b',"team":1.5}', 422, "bad-number", ("/team", "bad-number")),
    Bad("an integer beyond 2^53", PLAIN[:-1] + b',"team":9007199254740993}', 422, "bad-number"),
    Bad("a NUL in a text", PLAIN[:-1] + b',"team":"\\u0000"}', 400, "bad-encoding"),
    Bad("too large", b'{"team":"' + b"x" * (1 << 20) + b'"}', 413, "too-large", ("", "message-size")),
    Bad("text/plain", PLAIN, 415, "bad-content-type", ("/Content-Type", "media-type"), "text/plain"),
    Bad("a form", b"a=1", 415, "bad-content-type", None, "application/x-www-form-urlencoded"),
    Bad("other charset", PLAIN, 415, "bad-content-type", ("/Content-Type", "charset"), "application/json; charset=gbk"),
    Bad("JSON called signed", PLAIN, 400, "not-an-sd-jwt", None, "application/sd-jwt"),
    Bad("signed called JSON", b"aaa.bbb.ccc~ddd~", 400, "malformed-json"),
]

FIELDS = [
    Bad("unknown type", grid_request(type="grid.dance.request"), 404, "unknown-type", ("/type", "unknown-type")),
    Bad("type is no text", grid_request(type=7), 404, "unknown-type"),
    Bad("other version", grid_request(schema_version=2), 422, "wrong-version", ("/schema_version", "wrong-version")),
    Bad("unknown field", grid_request(sneaky="x"), 422, "invalid-field", ("/sneaky", "extra-member")),
    Bad(
        "unknown field in the payload",
        within(grid_request(), "payload.debt_amount", "1.00"),
        422,
        "invalid-field",
        ("/payload/debt_amount", "extra-member"),
    ),
    Bad("no handler", within(grid_request(), "handler", ...), 422, "invalid-field", ("/handler", "missing-member")),
    Bad("no receiver", within(grid_request(), "receiver", ...), 422, "invalid-field", ("/receiver", "missing")),
    Bad(
        "receiver and receivers",
        grid_request(receivers=[GRID]),
        422,
        "invalid-field",
        ("/receivers", "receiver-and-receivers"),
    ),
    Bad(
        "wrong case number", grid_request(case_no="2026-900002"), 422, "invalid-field", ("/case_no", "case-number-form")
    ),
    Bad("no case number", within(grid_request(), "case_no", ...), 422, "invalid-field", ("/case_no", "case-required")),
    Bad(
        "a trial's case without its stage",
        grid_request(case_no="（2026）陕0199民初900002号"),
        422,
        "invalid-field",
        ("/case_no", "stage-required"),
    ),
    Bad(
        "unknown legal basis",
        grid_request(legal_basis=["CPL-9999"]),
        422,
        "invalid-field",
        ("/legal_basis/0", "unknown-legal-basis"),
    ),
    Bad(
        "unknown receiver",
        grid_request(receiver="grid-610198"),
        422,
        "unknown-receiver",
        ("/receiver", "unknown-receiver"),
    ),
    Bad(
        "receiver of another kind",
        grid_request(receiver=POLICE),
        422,
        "receiver-does-not-take",
        ("/receiver", "receiver-does-not-take"),
    ),
    Bad("unknown staff", grid_request(handler="sn0199-9999"), 422, "unknown-staff", ("/handler", "unknown-staff")),
    Bad("revoked staff", grid_request(handler="sn0199-0099"), 422, "unknown-staff", ("/handler", "unknown-staff")),
    Bad("coercive and not signed", locate_request(receiver=POLICE), 422, "signature-required"),
]

SIGNED = [
    Bad(
        "ID checksum",
        within(locate_request(), "payload.person.id_no", "610199199003071236"),
        422,
        "invalid-field",
        ("/payload/person/id_no", "resident-id-checksum"),
    ),
    Bad(
        "15-digit ID",
        within(locate_request(), "payload.person.id_no", "610199900307123"),
        422,
        "invalid-field",
        ("/payload/person/id_no", "resident-id-15"),
    ),
    Bad(
        "a name without an ID",
        within(locate_request(), "payload.person.id_no", ...),
        422,
        "invalid-field",
        ("/payload/person/id_no", "id-required"),
    ),
    Bad(
        "plate",
        within(seal_request(), "payload.vehicle.plate", "陕A9000"),
        422,
        "invalid-field",
        ("/payload/vehicle/plate", "plate-form"),
    ),
    Bad(
        "a protected plate",
        within(seal_request(), "payload.vehicle.plate", "WJ陕1234X"),
        422,
        "invalid-field",
        ("/payload/vehicle/plate", "protected-plate"),
    ),
    Bad(
        "VIN",
        within(seal_request(), "payload.vehicle.vin", "LSVAM4187C218484O"),
        422,
        "invalid-field",
        ("/payload/vehicle/vin", "vin-form"),
    ),
    Bad(
        "a plate without a VIN",
        within(seal_request(), "payload.vehicle.vin", ...),
        422,
        "invalid-field",
        ("/payload/vehicle/vin", "vin-required"),
    ),
    Bad(
        "coercive on a case that cannot carry it",
        locate_request(case_no="（2026）陕0199执异900001号"),
        422,
        "invalid-field",
        ("/case_no", "case-not-enforcement"),
    ),
    Bad("no approvals", locate_request(approvals=[]), 422, "approvals-missing", ("/approvals", "approvals-count")),
    Bad(
        "one approval of two",
        locate_request(approvals=[approval()]),
        422,
        "approvals-missing",
        ("/approvals", "approvals-count"),
    ),
    Bad(
        "the same approver twice",
        locate_request(approvals=[approval(), approval()]),
        422,
        "approvals-missing",
        ("/approvals/1/by", "approval-twice"),
    ),
    Bad(
        "the drafter approves",
        locate_request(approvals=[approval(), approval("sn0199-0031", "clerk")]),
        422,
        "approvals-missing",
        ("/approvals/1/by", "approval-by-drafter"),
    ),
    Bad(
        "an approver says no",
        locate_request(approvals=[approval(), approval("sn0199-0001", "president", decision="reject")]),
        422,
        "approvals-missing",
        ("/approvals/1/decision", "approval-rejected"),
    ),
    Bad(
        "approved tomorrow",
        locate_request(approvals=[approval(), approval("sn0199-0001", "president", at="2026-03-25T09:00:00+08:00")]),
        422,
        "approvals-missing",
        ("/approvals/1/at", "approval-in-future"),
    ),
    Bad(
        "an approver who is nobody",
        locate_request(approvals=[approval(), approval("sn0199-7777", "president")]),
        422,
        "unknown-staff",
        ("/approvals/1/by", "unknown-staff"),
    ),
    Bad(
        "an approver in a role not held",
        locate_request(approvals=[approval(), approval("sn0199-0007", "president")]),
        422,
        "unknown-staff",
        ("/approvals/1/role", "unknown-staff"),
    ),
    Bad(
        "detention without the president",
        locate_request(
            approvals=[approval(), approval("sn0199-0005")],
            documents=[document("detention-decision")],
            payload=within(locate_request()["payload"], "reason", "detention-order"),
        ),
        422,
        "approvals-missing",
        ("/approvals", "approval-role"),
    ),
    Bad(
        "a colleague of the same rank approves",
        locate_request(backup_handler="sn0199-0031", approvals=[approval(), approval("sn0199-0011", "handler")]),
        422,
        "approvals-missing",
        ("/approvals/1/role", "approval-role-barred"),
    ),
    Bad(
        "the backup handler approves",
        locate_request(backup_handler="sn0199-0005", approvals=[approval(), approval("sn0199-0005")]),
        422,
        "approvals-missing",
        ("/approvals/1/by", "approval-by-backup"),
    ),
    Bad(
        "the leader in charge approves",
        locate_request(lead="sn0199-0001", approvals=[approval(), approval("sn0199-0001", "president")]),
        422,
        "approvals-missing",
        ("/approvals/1/by", "approval-by-lead"),
    ),
    Bad(
        "approved eight days ago",
        locate_request(approvals=[approval(), approval("sn0199-0001", "president", at="2026-03-16T09:00:00+08:00")]),
        422,
        "approvals-missing",
        ("/approvals/1/at", "approval-too-old"),
    ),
    Bad(
        "something else was approved",
        locate_request(approvals=[approval(), approval("sn0199-0001", "president", over="A" * 43)]),
        422,
        "approvals-missing",
        ("/approvals/1/over", "approval-over"),
    ),
    Bad(
        "the handler approves",
        locate_request(handler="sn0199-0005", approvals=[approval(), approval("sn0199-0005")]),
        422,
        "approvals-missing",
        ("/approvals/1/by", "approval-by-drafter"),
    ),
    Bad(
        "documents missing",
        locate_request(documents=[]),
        422,
        "documents-missing",
        ("/documents", "document-required"),
    ),
    Bad(
        "a document without a digest",
        within(locate_request(), "documents", [within(document("summons-proof"), "sha256", ...)]),
        422,
        "invalid-field",
        ("/documents/0/sha256", "missing-member"),
    ),
]


def named(case: Bad) -> str:
    return case.name


async def nothing_written(world: World) -> bool:
    return not await world.store.requests(RequestFilter(limit=1)) and await world.store.last_event() == 0


@pytest.mark.parametrize("case", BYTES + FIELDS, ids=named)
async def test_plain(world: World, case: Bad) -> None:
    reply = await world.post("/v1/requests", case.body, content_type=case.content_type)
    assert (reply.status, reply.code) == (case.status, case.code), reply
    if case.rule is not None:
        assert case.rule in reply.rules
    assert await nothing_written(world)


@pytest.mark.parametrize("case", SIGNED, ids=named)
async def test_signed(world: World, case: Bad) -> None:
    assert isinstance(case.body, Mapping)
    reply = await world.submit_signed(case.body)
    assert (reply.status, reply.code) == (case.status, case.code), reply
    assert case.rule is None or case.rule in reply.rules
    assert await nothing_written(world)


async def test_a_refusal_never_repeats_what_was_sent(world: World) -> None:
    secret = "610199199003071236"
    reply = await world.submit_signed(within(locate_request(), "payload.person.id_no", secret))
    assert reply.status == 422
    assert secret.encode() not in reply.body


async def test_a_court_that_does_not_exist(world: World) -> None:
    payload = {**world.context.catalogue["entrust.matter.request"].example_request, "entrusted": "陕9999"}
    body = locate_request(type="entrust.matter.request", purpose="seize-asset", approvals=[], payload=payload)
    reply = await world.submit_signed(body, receiver=NEIGHBOUR)
    assert (reply.status, reply.code) == (422, "invalid-field")
    assert reply.rules == [("/payload/entrusted", "unknown-court")]


async def test_signed_by_another_courts_key(world: World) -> None:
    reply = await world.submit_signed(locate_request(), kid=f"{NEIGHBOUR}.sub.cms2")
    assert (reply.status, reply.code) == (400, "foreign-key")


async def test_signed_in_the_name_of_another_court(world: World) -> None:
    reply = await world.submit_signed(locate_request(), changes={"source": f"//{NEIGHBOUR}"})
    assert (reply.status, reply.code) == (400, "sender-mismatch")


async def test_signed_by_the_court_but_handed_in_by_another(world: World) -> None:
    reply = await world.submit_signed(locate_request(), client="cms2")
    assert (reply.status, reply.code) == (400, "foreign-key")


async def test_signed_for_another_gateway(world: World) -> None:
    reply = await world.submit_signed(locate_request(), changes={"gateway": NEIGHBOUR})
    assert (reply.status, reply.code) == (400, "wrong-receiver")


async def test_signed_too_long_ago(world: World) -> None:
    signed = world.signed(locate_request())
    world.clock.advance(days=31)
    reply = await world.post("/v1/requests", signed.raw, content_type="application/sd-jwt")
    assert (reply.status, reply.code) == (400, "stale")


async def test_a_signature_that_does_not_verify(world: World) -> None:
    signed = world.signed(locate_request())
    head, body, signature = signed.jws.split(".")
    forged = f"{head}.{body}.{'A' * len(signature)}~{signed.disclosure}~".encode()
    reply = await world.post("/v1/requests", forged, content_type="application/sd-jwt")
    assert (reply.status, reply.code) == (400, "bad-signature")


async def test_a_disclosure_that_is_not_the_one_signed(world: World) -> None:
    one, other = world.signed(locate_request()), world.signed(locate_request(team="执行二团队"))
    reply = await world.post(
        "/v1/requests", f"{one.jws}~{other.disclosure}~".encode(), content_type="application/sd-jwt"
    )
    assert (reply.status, reply.code) == (400, "bad-disclosure")


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ([], "idempotency-key-missing"),
        ([""], "idempotency-key-missing"),
        (["x" * 201], "idempotency-key-form"),
        (["案号一"], "idempotency-key-form"),
        (["one", "two"], "idempotency-key-form"),
    ],
    ids=["none", "empty", "too long", "not ASCII", "two"],
)
async def test_the_idempotency_key(world: World, given: list[str], rule: str) -> None:
    headers = CIMultiDict({"Content-Type": "application/json", "Authorization": world.authorization("cms1")})
    headers.extend([("Idempotency-Key", key) for key in given])
    async with world.http.post(f"{world.url}/v1/requests", data=PLAIN, headers=headers) as answer:
        document = await answer.json(content_type="application/problem+json")
    assert answer.status == 400
    assert document["type"] == "urn:lianzhi:problem:idempotency-key-missing"
    assert [error["rule"] for error in document["errors"]] == [rule]
    assert await nothing_written(world)


async def test_a_key_of_two_hundred_characters_is_taken(world: World) -> None:
    assert (await world.submit(grid_request(), key="~" * 200)).status == 202


async def test_white_space_and_utf8_charset_are_taken(world: World) -> None:
    reply = await world.post("/v1/requests", b" \r\n" + PLAIN + b"\n", content_type="application/json; charset=UTF-8")
    assert reply.status == 202


async def test_numbers_are_normalised_before_they_are_judged(world: World) -> None:
    number = await world.accepted(await world.submit(grid_request(case_no="(2026)陕0199执 900002 号")))
    assert (await world.get(f"/v1/requests/{number}")).json["case_no"] == "（2026）陕0199执900002号"
    assert (await world.get(f"/v1/requests/{number}")).json["asker"] == COURT
