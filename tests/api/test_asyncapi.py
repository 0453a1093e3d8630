"""The AsyncAPI document against the messages: its own examples, and those that the gateway sends."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import typer
from typer.testing import CliRunner

from adapters.registry import dialects
from gateway.application.inbound.notices import Told, notice_body, pong_body
from gateway.commands.operate import asyncapi
from gateway.core.contracts import verbs_of
from gateway.http.description.asyncapi import asyncapi_document
from lianzhi.crypto import base64url
from lianzhi.crypto.keyring import Keyring
from lianzhi.crypto.sdjwt import parse
from lianzhi.crypto.seal import unseal
from lianzhi.errors import RejectedError
from lianzhi.protocol.verbs import VERBS
from schemas.catalogue import catalogue
from tests.api.world import GRID, POLICE, World, grid_request
from tests.api.world import participants as demo_participants

ASYNCAPI_SCHEMA = Path(__file__).with_name("asyncapi-3.0.0.schema.json")
CHECKER = jsonschema.FormatChecker()
Document = dict[str, Any]


def holds(schema: Mapping[str, Any], document: Document, value: Any) -> None:
    whole = {**schema, "components": document["components"]}
    jsonschema.Draft202012Validator(whole, format_checker=CHECKER).validate(value)


@pytest.fixture(scope="module", params=dialects())
def document(request: pytest.FixtureRequest) -> Document:
    return asyncapi_document(catalogue(), request.param)


def test_a_dialect_alone_is_valid(document: Document) -> None:
    schema = json.loads(ASYNCAPI_SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft7Validator(schema).validate(json.loads(json.dumps(document)))


def test_every_message_has_an_example_that_keeps_its_schemas(document: Document) -> None:
    """Envelope, header, disclosure, and codes and body together; the digest is that of the disclosure."""
    for message in document["components"]["messages"].values():
        example = message["x-example"]
        event, disclosure = example["event"], example["disclosure"]
        holds({"$ref": "#/components/schemas/WireHeader"}, document, example["header"])
        holds({"$ref": "#/components/schemas/Disclosure"}, document, disclosure)
        holds(message["x-event"], document, event)
        assert event.get("dataschema", event["type"]) == message["name"]
        assert (disclosure[1] == "sealed") == message["x-sealed"]
        written = json.dumps(disclosure, ensure_ascii=False, separators=(",", ":")).encode()
        digest = hashlib.sha256(base64url.encode(written).encode("ascii")).digest()
        assert event["data"]["_sd"] == [base64url.encode(digest)]
        head = {name: value for name, value in event["data"].get("head", {}).items() if name != "refs"}
        assert set(message["x-head-required"]) <= head.keys() <= set(message["x-head"])
        body = example["opened"]["body"] if message["x-sealed"] else disclosure[2]
        holds(message["x-body"], document, {**head, **body})


def test_bodies_refuse_what_they_do_not_know(document: Document) -> None:
    inside = [m for m in document["components"]["messages"].values() if m["x-verb"] in VERBS]
    for message in inside:
        with pytest.raises(jsonschema.ValidationError):
            holds(message["x-body"], document, {"no_such_member": 1})


def test_every_schema_is_used_and_none_stands_twice(document: Document) -> None:
    text = json.dumps(document)
    schemas = document["components"]["schemas"]
    unused = {name for name in schemas if f'"#/components/schemas/{name}"' not in text}
    assert unused == {"WireHeader", "Disclosure"}  # inside the text of `Wire`
    assert len(json.dumps(schemas)) < len(json.dumps(document["components"]["messages"])) * 2


def test_two_definitions_of_one_name_both_stand() -> None:
    document = asyncapi_document(catalogue(), "plain/1")
    named = {name for name in document["components"]["schemas"] if name.rsplit(".", 1)[-1] == "items"}
    assert "plain-1.items" in named and len(named) > 1


def test_the_whole_is_that_of_its_dialects() -> None:
    whole = asyncapi_document(catalogue())["components"]["messages"]
    parts = [asyncapi_document(catalogue(), one)["components"]["messages"] for one in dialects()]
    assert whole.keys() == set().union(*parts)


def test_of_a_participant_only_what_it_may_say_and_hear() -> None:
    police = next(one for one in demo_participants() if one.code == POLICE)
    document = asyncapi_document(catalogue(), participant=police)
    inside = [m for m in document["components"]["messages"].values() if m["x-type"] != "lianzhi.gateway"]
    assert {m["x-type"] for m in inside} == {*police.accepts, *police.opens}
    assert document["channels"]["toPartner"]["address"] == f"lianzhi.to.{POLICE}"
    assert not document["channels"]["toPartner"]["parameters"]
    by = {(m["x-type"], m["x-verb"]): m["x-by"] for m in inside}
    assert by["police.vehicle-hit.alert", "open"] == "partner"
    assert by["police.vehicle-seal.request", "open"] == "court"
    assert {verb for name, verb in by if name == "police.vehicle-seal.request"} == {
        *verbs_of(catalogue()["police.vehicle-seal.request"])
    }


def test_a_dialect_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(LookupError, match=", ".join(dialects())):
        asyncapi_document(catalogue(), "police/99")


async def test_what_the_gateway_sends_keeps_the_document(world: World) -> None:
    """Bytes for the grid centre, opened with its key."""
    number = await world.accepted(await world.submit(grid_request()))
    stored = await world.stored(number, "open")
    document = (await world.get("/asyncapi.json?dialect=grid/1", None)).json
    sent = parse(f"{stored.jws}~{stored.disclosure}~".encode(), world.context.limits)
    message = next(m for m in document["components"]["messages"].values() if m["name"] == sent.event["dataschema"])
    holds({"$ref": "#/components/schemas/Wire"}, document, sent.raw.decode())
    holds({"$ref": "#/components/schemas/WireHeader"}, document, sent.header)
    holds(message["x-event"], document, sent.event)
    assert (sent.content_kind == "sealed") == message["x-sealed"]
    partner = Keyring([], [world.keys.private[f"{GRID}.enc.1"]])
    body = unseal(sent.content, request_no=number, message_id=stored.id, keyring=partner)
    head = {name: value for name, value in sent.event["data"].get("head", {}).items() if name != "refs"}
    holds(message["x-body"], document, {**head, **body})
    with pytest.raises(jsonschema.ValidationError):
        holds(message["x-body"], document, {**head, **body, "no_such_member": 1})


@pytest.mark.parametrize("version", [1, 2])
def test_notices_and_pongs_as_the_gateway_writes_them(version: int) -> None:
    document = asyncapi_document(catalogue(), "grid/1")
    told = Told("0" * 64, RejectedError("bad-signature"), None, "court-sn0199-20260324-000001", 2, 700)
    holds({"$ref": "#/components/schemas/Notice"}, document, notice_body(told, version, "incarnation"))
    holds({"$ref": "#/components/schemas/Pong"}, document, pong_body(version, -3, "incarnation"))
    with pytest.raises(jsonschema.ValidationError):
        holds({"$ref": "#/components/schemas/Notice"}, document, {"reason": "bad-signature"})
    known = document["components"]["schemas"]["Notice"]["properties"]
    assert notice_body(told, version, "incarnation").keys() <= known.keys()


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--dialect", "grid/1"], 0, "urn:lianzhi:grid/1:grid.verify.request:open:1"),
        (["--dialect", "grid/9"], 2, "police/1"),
        (["--dialect", "grid/1", "--participant", GRID], 2, "--participant"),
    ],
)
def test_the_command_writes_one_dialect_or_says_what_there_is(words: list[str], code: int, told: str) -> None:
    app = typer.Typer()
    app.command()(asyncapi)
    done = CliRunner().invoke(app, words)
    assert (done.exit_code, told in done.output) == (code, True), done.output[:500]
    assert code or len(done.stdout) < 500_000
