"""What is published: valid documents, one description for every route, every code by name.

asyncapi-3.0.0.schema.json is schemas/3.0.0.json of npm @asyncapi/specs 6.11.1 (Apache-2.0), unchanged.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from openapi_spec_validator import validate

from gateway.http.app import build_app
from gateway.http.description.asyncapi import asyncapi_document
from gateway.http.description.openapi import openapi_document
from gateway.http.description.operations import OPERATIONS
from gateway.http.description.submissions import submissions
from lianzhi.problem import REASONS
from lianzhi.protocol.verbs import VERBS
from schemas.bodies import Submission
from schemas.catalogue import catalogue
from schemas.validation import validate as validated
from tests.api.world import World, grid_request, locate_request, seal_request

ASYNCAPI_SCHEMA = Path(__file__).with_name("asyncapi-3.0.0.schema.json")


@pytest.fixture(scope="module")
def openapi() -> dict[str, Any]:
    return openapi_document(catalogue())


@pytest.fixture(scope="module")
def asyncapi() -> dict[str, Any]:
    return asyncapi_document(catalogue())


def refs(node: Any) -> set[str]:
    if isinstance(node, dict):
        own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
        return own.union(*(refs(value) for value in node.values()))
    return set().union(*(refs(value) for value in node)) if isinstance(node, list) else set()


def resolved(document: Any, ref: str) -> Any:
    node = document
    for part in ref.removeprefix("#/").split("/"):
        node = node[part.replace("~1", "/").replace("~0", "~")]
    return node


def test_the_openapi_document_is_valid(openapi: dict[str, Any]) -> None:
    validate(openapi)
    assert openapi["openapi"].startswith("3.1")


def test_every_reference_leads_somewhere(openapi: dict[str, Any], asyncapi: dict[str, Any]) -> None:
    for document in (openapi, asyncapi):
        found = refs(document)
        assert found
        for ref in found:
            assert isinstance(resolved(document, ref), dict), ref


async def test_the_routes_are_those_of_the_document(world: World, openapi: dict[str, Any]) -> None:
    app = build_app(world.api)
    routes = {(r.method, r.resource.canonical) for r in app.router.routes() if r.resource}
    described = {(method.upper(), path) for path, item in openapi["paths"].items() for method in item}
    assert described == {(o.method, o.path) for o in OPERATIONS}
    heads = {("HEAD", path) for method, path in described if method == "GET"}  # RFC 9110 section 9.3.2
    assert heads <= routes
    assert routes - described - heads == {("POST", "/v1/pages/{page_id}/acknowledge")}  # refused: the links of before
    assert described <= routes


async def test_it_is_served_as_it_is_made(world: World, openapi: dict[str, Any], asyncapi: dict[str, Any]) -> None:
    assert (await world.get("/openapi.json", None)).json == openapi
    assert (await world.get("/asyncapi.json", None)).json == json.loads(json.dumps(asyncapi))


def test_every_call_is_described_in_both_languages(openapi: dict[str, Any]) -> None:
    for item in openapi["paths"].values():
        for operation in item.values():
            assert re.match(r"[\u4e00-\u9fff]+ · [A-Z]", operation["summary"]), operation["operationId"]
            assert set(operation["responses"]) >= {"500", "503", "400"}


def test_every_post_wants_a_key_and_every_closed_call_a_token(openapi: dict[str, Any]) -> None:
    for item in openapi["paths"].values():
        for method, operation in item.items():
            names = {p["name"] for p in operation["parameters"]}
            by_link = "token" in names
            assert (method == "post" and not by_link) == ("Idempotency-Key" in names)
            assert bool(operation["security"]) == ("401" in operation["responses"])


def test_every_problem_that_is_described_exists() -> None:
    for operation in OPERATIONS:
        assert set(operation.all_problems) <= REASONS.keys()


def test_every_type_and_verb_has_its_own_description(openapi: dict[str, Any]) -> None:
    schemas = openapi["components"]["schemas"]
    assert set(schemas["AnySubmission"]["discriminator"]["mapping"]) == set(catalogue())
    assert set(schemas["AnyAct"]["discriminator"]["mapping"]) == VERBS.keys() - {"open"}
    for matter in catalogue().values():
        assert schemas[matter.request.__name__]["properties"]


@pytest.mark.parametrize("body", [grid_request(), locate_request(), seal_request()], ids=lambda b: b["type"])
def test_what_the_document_describes_is_what_is_taken(openapi: dict[str, Any], body: dict[str, Any]) -> None:
    schema = {"$ref": "#/components/schemas/AnySubmission", "components": openapi["components"]}
    jsonschema.Draft202012Validator(schema).validate(body)
    wrong = {**body, "payload": {**body["payload"], "unknown_member": 1}}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate(wrong)
    assert validated(Submission, body).type == body["type"]


def test_every_example_keeps_its_schema(openapi: dict[str, Any]) -> None:
    """Of each body, each answer and each problem; and of every type there is a whole submission."""
    seen: dict[str, set[str]] = {}
    for item in openapi["paths"].values():
        for operation in item.values():
            described = [operation.get("requestBody", {}), *operation["responses"].values()]
            for content in (c for one in described for c in one.get("content", {}).values()):
                validator = jsonschema.Draft202012Validator({**content["schema"], "components": openapi["components"]})
                for name, example in content.get("examples", {}).items():
                    value = resolved(openapi, example["$ref"])["value"] if "$ref" in example else example["value"]
                    validator.validate(value)
                    seen.setdefault(operation["operationId"], set()).add(name)
    assert catalogue().keys() <= seen["submit-request"]
    for name, example in submissions(catalogue()).items():
        assert validated(Submission, example["value"]).type == name


def test_every_body_has_an_example(openapi: dict[str, Any]) -> None:
    for operation in OPERATIONS:
        if operation.body not in (None, "document"):
            body = openapi["paths"][operation.path][operation.method.lower()]["requestBody"]["content"]
            assert body["application/json"]["examples"], operation.id


def test_forms_have_a_chinese_word_for_every_member(openapi: dict[str, Any]) -> None:
    for name in ("Submission", "Document", "Person", *(m.request.__name__ for m in catalogue().values())):
        for member, schema in openapi["components"]["schemas"][name]["properties"].items():
            assert re.search(r"[\u4e00-\u9fff]", schema.get("title", "")), f"{name}.{member}"


def test_the_asyncapi_document_is_valid(asyncapi: dict[str, Any]) -> None:
    schema = json.loads(ASYNCAPI_SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft7Validator(schema).validate(json.loads(json.dumps(asyncapi)))


def test_each_dialect_is_published_by_dataschema(asyncapi: dict[str, Any]) -> None:
    messages = {m["name"]: m for m in asyncapi["components"]["messages"].values()}
    opened = messages["urn:lianzhi:police/1:police.person-locate.request:open:1"]
    body = resolved(asyncapi, opened["x-body"]["$ref"])
    assert {"QQDH", "XM", "ZJHM"} <= body["properties"].keys()
    assert body["x-canonical"]["payload.person.name"] == "XM"
    assert (body["properties"]["XM"]["type"], body["properties"]["XM"]["title"]) == ("string", "姓名")
    assert "XM" in body["required"]
    assert (opened["x-sealed"], opened["x-by"]) == (True, "court")
    place = messages["urn:lianzhi:canonical:police.person-locate.request:result:1"]
    assert (place["x-sealed"], place["x-by"]) == (True, "partner")
    grid = resolved(asyncapi, messages["urn:lianzhi:grid/1:grid.verify.request:open:1"]["x-body"]["$ref"])
    assert "case" not in json.dumps(grid, ensure_ascii=False).lower()
    alert = messages["urn:lianzhi:police/1:police.vehicle-hit.alert:open:1"]
    assert alert["x-by"] == "partner"
    assert messages["urn:lianzhi:court/1:entrust.matter.request:open:1"]["x-by"] == "both"
    assert {m["x-by"] for m in messages.values()} == {"partner", "court", "both"}


def test_both_directions_name_every_message_once(asyncapi: dict[str, Any]) -> None:
    channels = asyncapi["channels"]
    out, back = set(channels["toPartner"]["messages"]), set(channels["fromPartner"]["messages"])
    assert out | back == asyncapi["components"]["messages"].keys()
    messages = asyncapi["components"]["messages"]
    assert out & back == {key for key, message in messages.items() if message["x-by"] == "both"}
