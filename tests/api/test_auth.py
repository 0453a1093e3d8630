"""Who may call what: tokens, scopes, and the JWT of a partner."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from multidict import CIMultiDict

from gateway.application.context import new_id
from gateway.bounds import Bounds
from gateway.core.routing import Directory
from gateway.http.description.operations import OPERATIONS
from gateway.store import SqlStore
from lianzhi.crypto import jws
from lianzhi.crypto.strictjson import dumps
from tests.api.world import (
    COURT,
    GRID,
    NEIGHBOUR,
    PDF,
    POLICE,
    Keys,
    World,
    client,
    grid_request,
    locate_request,
    serving,
    token_for,
)

CLOSED = [o for o in OPERATIONS if o.scope]
OPEN = [o for o in OPERATIONS if not o.scope and not o.link]


def address(path: str) -> str:
    number = f"{COURT}-20260324-000001"
    fixed = {"type": "grid.verify.request", "sha256": "0" * 64, "ledger": "fund", "measure_no": f"{number}-1"}
    return path.format(no=number, group_no=number, release_no=number, **fixed)


@pytest.mark.parametrize("operation", CLOSED, ids=lambda o: o.id)
async def test_nothing_is_answered_without_a_token(world: World, operation: Any) -> None:
    reply = await world.call(operation.method, address(operation.path), client=None)
    assert (reply.status, reply.code) == (401, "unauthorized")
    assert reply.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("operation", OPEN, ids=lambda o: o.id)
async def test_what_tells_of_nobody_needs_no_token(world: World, operation: Any) -> None:
    assert (await world.call(operation.method, operation.path, client=None)).status == 200


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        token_for("cms1"),
        f"Basic {token_for('cms1')}",
        f"Bearer {token_for('cms1')[:-1]}",
        f"Bearer {token_for('cms1')[:-1]}!",
        f"Bearer {token_for('reader').replace('reader', 'cms1')}",
        f"Bearer {token_for('nobody')}",
        f"Bearer {token_for('gone')}",
        "Bearer a.b.c",
        "Bearer " + "x" * 6000,
    ],
    ids=[
        "empty",
        "no credential",
        "blank credential",
        "no scheme",
        "other scheme",
        "short",
        "other alphabet",
        "another client's",
        "unknown",
        "revoked",
        "no JWT",
        "too long",
    ],
)
async def test_a_wrong_credential(world: World, header: str) -> None:
    reply = await world.get("/v1/types", client=None, headers={"Authorization": header})
    assert (reply.status, reply.code) == (401, "unauthorized")
    assert header not in ("", "Bearer", "Bearer ") or reply.rules == [("/Authorization", "unauthorized")]


async def test_two_credentials_are_none(world: World) -> None:
    headers = CIMultiDict([("Authorization", world.authorization("cms1"))] * 2)
    async with world.http.get(f"{world.url}/v1/types", headers=headers) as answer:
        assert answer.status == 401


@pytest.mark.parametrize("operation", [o for o in CLOSED if o.scope != "read"], ids=lambda o: o.id)
async def test_a_token_without_the_scope(world: World, operation: Any) -> None:
    reply = await world.call(operation.method, address(operation.path), client="reader")
    assert (reply.status, reply.code) == (403, "forbidden")
    assert reply.rules == [("/Authorization", f"scope-{operation.scope}")]


async def test_the_scheme_is_written_as_one_likes(world: World) -> None:
    headers = {"Authorization": f"bEaReR {token_for('reader')}"}
    assert (await world.get("/v1/types", client=None, headers=headers)).status == 200


async def test_a_client_name_stands_for_one_court(world: World) -> None:
    people = list(world.context.directory)
    people[1] = replace(people[1], clients=(client("cms1", NEIGHBOUR),))
    with pytest.raises(ValueError, match="cms1"):
        Directory(people)


# --- a partner's JWT ----------------------------------------------------------------------------------------------


def partner_jwt(world: World, who: str = POLICE, *, kid: str | None = None, header: Any = None, **claims: Any) -> str:
    """claims: given as None are left out."""
    now = int(world.clock.now().timestamp())
    body = {"iss": who, "sub": who, "aud": COURT, "iat": now, "exp": now + 300, "jti": new_id(), **claims}
    key = world.keys.private[kid or f"{who}.sig.1"]
    members: Mapping[str, str] = header or {"typ": "JWT"}
    return jws.sign(members, dumps({k: v for k, v in body.items() if v is not None}).encode(), key)


async def as_partner(world: World, path: str, token: str, method: str = "GET") -> Any:
    return await world.call(method, path, client=None, headers={"Authorization": f"Bearer {token}"})


async def test_a_partner_reads_what_is_its_own_once_it_is_sent(world: World) -> None:
    number = await world.accepted(await world.submit(grid_request()))
    path, grid = f"/v1/requests/{number}", partner_jwt(world, GRID)
    assert (await as_partner(world, path, grid)).code == "unknown-request"
    assert (await as_partner(world, "/v1/requests", grid)).json == {"requests": []}
    await world.sent()
    view = (await as_partner(world, path, grid)).json
    assert (view["state"], view["asked"]) == ("dispatched", GRID)
    assert not {"case_no", "handler", "reason"} & view.keys()
    assert [r["request_no"] for r in (await as_partner(world, "/v1/requests", grid)).json["requests"]] == [number]
    messages = (await as_partner(world, f"{path}/messages", grid)).json["messages"]
    assert [m["verb"] for m in messages] == ["open"]
    assert (await as_partner(world, path, partner_jwt(world, POLICE))).code == "unknown-request"


async def test_what_was_withdrawn_before_it_was_sent_never_existed_for_the_partner(world: World) -> None:
    number = await world.accepted(await world.submit(grid_request()))
    said = await world.post(
        f"/v1/requests/{number}/messages",
        {"verb": "withdraw", "by": "sn0199-0007", "data": {"reason_code": "paid", "by": "sn0199-0007"}},
    )
    assert (said.status, said.json["state"], said.json["message_id"]) == (202, "withdrawn", None)
    await world.sent()
    assert (await as_partner(world, f"/v1/requests/{number}", partner_jwt(world, GRID))).code == "unknown-request"


async def test_a_partner_reads_hands_in_evidence_and_does_nothing_else(world: World) -> None:
    token = partner_jwt(world)
    for operation in CLOSED:
        reply = await as_partner(world, address(operation.path), token, operation.method)
        assert (reply.status == 403) == (operation.home or operation.scope not in ("read", "documents")), operation.id


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"aud": NEIGHBOUR}, "wrong-receiver"),
        ({"aud": None}, "wrong-receiver"),
        ({"iss": GRID}, "sender-mismatch"),
        ({"sub": None}, "sender-mismatch"),
        ({"exp": None}, "bad-envelope"),
        ({"exp": "soon"}, "bad-envelope"),
        ({"exp": 1}, "expired"),
        ({"exp": 1774318200 + 3600}, "clock-ahead"),
        ({"kid": f"{GRID}.sig.1"}, "sender-mismatch"),
        ({"kid": f"{COURT}.sub.cms1"}, "unknown-kid"),
        ({"header": {"typ": "lianzhi+sd-jwt"}}, "bad-typ"),
        ({"header": {"typ": "JWT", "cty": "cloudevents+json"}}, "bad-header"),
    ],
)
async def test_a_wrong_jwt_says_why(world: World, changes: dict[str, Any], rule: str) -> None:
    reply = await as_partner(world, "/v1/types", partner_jwt(world, **changes))
    assert (reply.status, reply.code, reply.rules) == (401, "unauthorized", [("/Authorization", rule)])


async def put(world: World, token: str, content: bytes = PDF) -> Any:
    path = f"/v1/documents/{hashlib.sha256(content).hexdigest()}"
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/pdf"}
    return await world.call("PUT", path, client=None, headers=headers, data=content)


async def test_a_jwt_writes_once(world: World) -> None:
    token = partner_jwt(world)
    assert (await put(world, token)).status == 201
    again = await put(world, token, b"%PDF other bytes")
    assert (again.status, again.code, again.rules) == (401, "unauthorized", [("/Authorization/jti", "jti-reused")])
    assert (await as_partner(world, "/v1/types", token)).status == 200
    assert (await put(world, partner_jwt(world))).status == 200


async def test_one_jti_is_each_partners_own(world: World) -> None:
    assert (await put(world, partner_jwt(world, POLICE, jti="the-same-one"))).status == 201
    assert (await put(world, partner_jwt(world, GRID, jti="the-same-one"))).status == 201


@pytest.mark.parametrize("jti", [None, "", "short", 12345678, "spaced out", "x" * 129])
async def test_what_is_no_jti_reads_and_does_not_write(world: World, jti: Any) -> None:
    token = partner_jwt(world, jti=jti)
    refused = await put(world, token)
    assert (refused.status, refused.rules) == (401, [("/Authorization/jti", "jti-required")])
    assert (await as_partner(world, "/v1/types", token)).status == 200


async def test_used_tokens_are_forgotten_after_their_time_and_no_more_are_kept_than_the_bound(
    store: SqlStore, tmp_path: Path, keys: Keys
) -> None:
    async with serving(store, tmp_path / "papers", keys, bounds=Bounds(tokens_remembered=2)) as world:
        for _ in range(2):
            await put(world, partner_jwt(world))
        refused = await put(world, partner_jwt(world))
        assert (refused.status, refused.code) == (429, "too-many-requests")
        assert int(refused.headers["Retry-After"]) > 0
        assert (await put(world, partner_jwt(world, GRID))).status == 201
        assert world.context.reached.counts()["tokens_remembered", POLICE] == 1
        world.clock.advance(minutes=10, seconds=1)
        assert (await put(world, partner_jwt(world))).status == 200


async def test_an_audience_may_be_one_of_several(world: World) -> None:
    assert (await as_partner(world, "/v1/types", partner_jwt(world, aud=["elsewhere", COURT]))).status == 200


async def test_a_jwt_with_another_signature(world: World) -> None:
    head, body, _ = partner_jwt(world).split(".")
    signature = partner_jwt(world, exp=1774318200).split(".")[2]
    reply = await as_partner(world, "/v1/types", f"{head}.{body}.{signature}")
    assert reply.rules == [("/Authorization", "bad-signature")]


async def test_a_message_is_no_credential(world: World) -> None:
    reply = await as_partner(world, "/v1/types", world.signed(locate_request()).jws)
    assert (reply.status, reply.rules) == (401, [("/Authorization", "bad-header")])


# --- one court and another ------------------------------------------------------------------------------------------


async def test_another_courts_request_does_not_exist(world: World) -> None:
    number = await world.accepted(await world.submit(grid_request()))
    for path in (f"/v1/requests/{number}", f"/v1/requests/{number}/messages", f"/v1/requests/{number}/timeline"):
        reply = await world.get(path, client="cms2")
        assert (reply.status, reply.code) == (404, "unknown-request")
    said = await world.post(f"/v1/requests/{number}/messages", {"verb": "urge", "data": {"level": 1}}, client="cms2")
    assert (said.status, said.code) == (404, "unknown-request")
    assert (await world.get("/v1/requests", client="cms2")).json == {"requests": []}
    assert (await world.get("/v1/events", client="cms2")).json["events"] == []
