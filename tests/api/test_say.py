"""Saying verbs: the court confirms, withdraws, supplements; the one asked answers; plain or signed."""

from __future__ import annotations

from typing import Any

from lianzhi.crypto.sdjwt import parse
from lianzhi.protocol.envelope import CONTENT_TYPE
from schemas.catalogue import catalogue
from tests.api.test_read import RECEIPT, commissioned, located
from tests.api.world import COURT, NEIGHBOUR, POLICE, World, document, gathered, grid_request

BY = "sn0199-0007"
RESULT = dict(catalogue()["grid.verify.request"].example_result)


async def answered(world: World) -> str:
    """A request that its partner has answered."""
    number = await world.accepted(await world.submit(grid_request()))
    await world.sent()
    await world.reply(number, "result", RESULT, seqno=1)
    return number


def act(verb: str, by: str | None = BY, **data: Any) -> dict[str, Any]:
    return {"verb": verb, **({"by": by} if by else {}), "data": data}


async def say(world: World, number: str, body: dict[str, Any], **how: Any) -> Any:
    return await world.post(f"/v1/requests/{number}/messages", body, **how)


async def say_signed(
    world: World, number: str, body: dict[str, Any], *, matter: str, receiver: str = POLICE, **how: Any
) -> Any:
    signing = {k: how.pop(k) for k in ("id", "kid", "sender", "changes") if k in how}
    signed = world.signed(
        {"request_no": number, **body}, receiver, verb=how.pop("verb", body["verb"]), matter=matter, **signing
    )
    return await world.post(f"/v1/requests/{number}/messages", signed.raw, content_type=CONTENT_TYPE, **how)


async def test_a_result_is_confirmed(world: World) -> None:
    number = await answered(world)
    reply = await say(world, number, act("confirm"))
    message = await world.stored(number, "confirm")
    assert (reply.status, reply.json) == (
        202,
        {"request_no": number, "state": "closed", "message_id": message.id, "seqno": 2},
    )
    assert reply.headers["Location"] == f"/v1/requests/{number}"
    view = (await world.get(f"/v1/requests/{number}")).json
    assert (view["state"], view["done"]) == ("closed", True)


async def test_the_same_key_says_it_once(world: World) -> None:
    number = await answered(world)
    replies = await gathered(*(say(world, number, act("confirm"), key="race") for _ in range(20)))
    assert {(r.status, r.body) for r in replies} == {(202, replies[0].body)}
    assert [m.verb for m in await world.store.messages(number)].count("confirm") == 1
    other = await say(world, number, act("confirm", why="另一句"), key="race")
    assert (other.status, other.code) == (422, "idempotency-key-reused")


async def test_a_key_is_needed(world: World) -> None:
    number = await answered(world)
    reply = await world.call(
        "POST", f"/v1/requests/{number}/messages", data=b"{}", headers={"Content-Type": "application/json"}
    )
    assert (reply.status, reply.code) == (400, "idempotency-key-missing")


async def test_bad_acts(world: World) -> None:
    number = await answered(world)
    cases: list[tuple[Any, int, str, tuple[str, str]]] = [
        (b"", 400, "malformed-json", ("", "empty-body")),
        (b"[]", 422, "invalid-field", ("", "wrong-type")),
        ({"data": {}}, 422, "invalid-field", ("/verb", "missing-member")),
        ({**act("confirm"), "extra": 1}, 422, "invalid-field", ("/extra", "extra-member")),
        (act("dance"), 404, "unknown-verb", ("/verb", "unknown-verb")),
        (act("open"), 404, "unknown-verb", ("/verb", "unknown-verb")),
        (act("reopen"), 422, "invalid-field", ("/data/why", "missing-member")),
        (act("confirm", by="sn0199-9999"), 422, "unknown-staff", ("/by", "unknown-staff")),
        (act("confirm", by="sn0199-0099"), 422, "unknown-staff", ("/by", "unknown-staff")),
        (act("receipt", **RECEIPT), 403, "not-allowed", ("/verb", "not-allowed")),
        (act("supplement"), 409, "not-now", ("/verb", "not-now")),
        (
            {**act("confirm"), "request_no": f"{COURT}-20260324-000777"},
            409,
            "misdirected",
            ("/request_no", "misdirected"),
        ),
        ({**act("confirm"), "sealed": "x.y"}, 422, "invalid-field", ("/message_id", "invalid-field")),
    ]
    for body, status, code, rule in cases:
        reply = await world.post(f"/v1/requests/{number}/messages", body)
        assert (reply.status, reply.code) == (status, code), (body, reply)
        assert rule in reply.rules, (body, reply)
    assert (await world.get(f"/v1/requests/{number}")).json["state"] == "completed"


async def test_a_request_that_is_none(world: World) -> None:
    for number in (f"{COURT}-20260324-000777", "nonsense"):
        reply = await say(world, number, act("confirm"))
        assert (reply.status, reply.code) == (404, "unknown-request")


async def test_a_withdrawal_before_anything_was_sent(world: World) -> None:
    number = await world.accepted(await world.submit(grid_request()))
    reply = await say(world, number, act("withdraw", reason_code="paid"))
    assert (reply.status, reply.json["state"], reply.json["message_id"]) == (202, "withdrawn", None)
    assert await world.store.backlog() == 0


async def test_a_signed_act_is_kept_and_its_hash_travels(world: World) -> None:
    number = await located(world)
    body = act("withdraw", reason_code="paid")
    signed = world.signed({"request_no": number, **body}, verb="withdraw", matter="police.person-locate.request")
    path = f"/v1/requests/{number}/messages"
    reply = await world.post(path, signed.raw, content_type=CONTENT_TYPE)
    assert (reply.status, reply.json["state"]) == (202, "withdrawing")
    message = await world.stored(number, "withdraw")
    assert parse(f"{message.jws}~{message.disclosure}~".encode()).event["submissionhash"] == signed.digest
    again = await world.post(path, signed.raw, content_type=CONTENT_TYPE)
    assert (again.status, again.json) == (202, {"request_no": number})
    assert again.headers["Idempotency-Replayed"] == "true"
    assert [m.verb for m in await world.store.messages(number)].count("withdraw") == 1
    submission = await world.store.submission_of(number)
    assert submission is not None and submission.body != signed.raw


async def test_an_id_stands_for_one_act(world: World) -> None:
    number = await located(world)
    first = world.signed(
        {"request_no": number, **act("urge", level=1)}, verb="urge", matter="police.person-locate.request"
    )
    await world.post(f"/v1/requests/{number}/messages", first.raw, content_type=CONTENT_TYPE)
    same_id = parse(first.raw).event["id"]
    reply = await say_signed(world, number, act("urge", level=2), matter="police.person-locate.request", id=same_id)
    assert (reply.status, reply.code) == (409, "id-reused")


async def test_what_changes_a_signed_request_is_signed(world: World) -> None:
    number = await located(world)
    missing = {"missing": [{"document": "summons-proof", "why": "页面不清"}], "reply_by": "2026-03-27T10:00:00+08:00"}
    await world.reply(number, "supplement-request", missing, seqno=1)
    body = act("supplement", documents=[document("summons-proof")])
    plain = await say(world, number, body)
    assert (plain.status, plain.code, plain.rules) == (422, "signature-required", [("/verb", "signature-required")])
    signed = await say_signed(world, number, body, matter="police.person-locate.request")
    assert (signed.status, signed.json["state"]) == (202, "received")


async def test_what_changes_a_plain_request_may_be_plain(world: World) -> None:
    number = await world.accepted(await world.submit(grid_request()))
    await world.sent()
    missing = {"missing": [{"field": "address", "why": "门牌不详"}], "reply_by": "2026-03-27T10:00:00+08:00"}
    await world.reply(number, "supplement-request", missing, seqno=1)
    reply = await say(world, number, act("supplement", fields=[{"field": "address", "value": "东街1号"}]))
    assert (reply.status, reply.json["state"]) == (202, "received")


async def test_a_signed_act_is_bound_to_its_request_and_to_what_it_says(world: World) -> None:
    number = await located(world)
    matter = "police.person-locate.request"
    body = act("withdraw", reason_code="paid")
    cases: list[tuple[dict[str, Any], str]] = [
        ({"body": {**body, "request_no": f"{COURT}-20260324-000777"}}, "misdirected"),
        ({"verb": "urge"}, "misdirected"),
        ({"matter": "grid.verify.request"}, "misdirected"),
        ({"receiver": NEIGHBOUR}, "misdirected"),
        ({"kid": f"{NEIGHBOUR}.sub.cms2"}, "foreign-key"),
        ({"changes": {"gateway": NEIGHBOUR}}, "wrong-receiver"),
    ]
    for changes, code in cases:
        how = {"matter": matter, "body": body, **changes}
        reply = await say_signed(world, number, how.pop("body"), **how)
        assert reply.code == code, (changes, reply)
    unbound = world.signed(body, verb="withdraw", matter=matter)
    reply = await world.post(f"/v1/requests/{number}/messages", unbound.raw, content_type=CONTENT_TYPE)
    assert reply.code == "misdirected"
    assert (await world.get(f"/v1/requests/{number}")).json["state"] == "dispatched"


async def test_a_court_that_is_asked_answers_over_the_api(world: World) -> None:
    number = await commissioned(world)
    receipt = {"received_at": "2026-03-24T10:31:52+08:00", "person": "郑演示", "badge": "0002"}
    assert (await say(world, number, act("receipt", None, **receipt), client="cms2")).status == 202
    result = dict(catalogue()["entrust.matter.request"].example_result) | {"as_of": "2026-03-24T09:00:00+08:00"}
    reply = await say(world, number, act("result", "sn0528-0002", **result), client="cms2")
    assert (reply.status, reply.json["state"]) == (202, "completed")
    messages = (await world.get(f"/v1/requests/{number}/messages")).json["messages"]
    assert messages[-1]["data"] == result
    measures = (await world.get("/v1/measures", "cms2")).json["measures"]
    assert [(m["request_no"], m["state"]) for m in measures] == [(number, "active")]
    assert "case_no" not in measures[0]
    early = await say(world, number, act("withdraw", reason_code="paid"))
    assert (early.status, early.code) == (409, "measure-active")


async def test_a_result_names_only_what_was_asked(world: World) -> None:
    number = await commissioned(world)
    result = dict(catalogue()["entrust.matter.request"].example_result) | {"as_of": "2026-03-24T09:00:00+08:00"}
    strange = {**result, "items": [{**result["items"][0], "ref": "zzzzzzz9"}]}
    reply = await say(world, number, act("result", "sn0528-0002", **strange), client="cms2")
    assert (reply.status, reply.code) == (409, "unknown-ref")
