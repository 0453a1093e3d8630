"""Every member that reaches the API's documents or a contract file has a Chinese label (`title`) and an English one
(`description`): people read them, and forms are made of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.registry import dialects, kinds
from gateway.core.contracts import contract_for
from gateway.core.routing import Participant
from gateway.http.description.asyncapi import asyncapi_document
from gateway.http.description.openapi import openapi_document
from lianzhi.protocol.envelope import CANONICAL, OutsideEnvelope, SubmissionEnvelope
from schemas.catalogue import catalogue

Schema = dict[str, Any]
NOW = datetime(2026, 3, 24, 8, tzinfo=UTC)
CHINESE = re.compile("[\u4e00-\u9fff]")


def members(schema: Schema, owner: str) -> Iterator[tuple[str, Schema]]:
    """Each member of the object, of the objects in it and of its definitions: by owner and name."""
    for name, member in schema.get("properties", {}).items():
        yield f"{owner}.{name}", member
        yield from members(member, f"{owner}.{name}")
    for keyword in ("$defs", "definitions"):
        for name, one in schema.get(keyword, {}).items():
            yield from members(one, name)
    if "items" in schema:
        yield from members(schema["items"], f"{owner}[]")
    for keyword in ("anyOf", "oneOf"):
        for one in schema.get(keyword, ()):
            if one.get("type") in ("object", "array"):  # any other is a rule about members that stand elsewhere
                yield from members(one, owner)


def labelled(about: Schema) -> bool:
    return bool(CHINESE.search(about.get("title", "")) and about.get("description"))


def unlabelled(schemas: dict[str, Schema]) -> list[str]:
    found = [member for owner, schema in schemas.items() for member in members(schema, owner)]
    assert found
    return sorted({name for name, about in found if not labelled(about)})


def test_members_of_the_api() -> None:
    document = openapi_document(catalogue())
    assert not unlabelled(document["components"]["schemas"])
    calls = [call for path in document["paths"].values() for call in path.values()]
    parameters = {(one["name"], str(one["schema"])): one["schema"] for call in calls for one in call["parameters"]}
    assert len(parameters) > 10
    assert not [name for (name, _), schema in parameters.items() if not labelled(schema)]


def test_members_of_the_envelope_and_of_canonical_bodies() -> None:
    """The bodies in a partner's own words show the canonical name of each member instead (`x-canonical`)."""
    schemas = asyncapi_document(catalogue())["components"]["schemas"]
    assert not unlabelled({"Envelope": schemas["Envelope"]})
    canonical = {name: one for name, one in schemas.items() if name.startswith(f"{CANONICAL}.")}
    assert not unlabelled(canonical)
    others = (OutsideEnvelope, SubmissionEnvelope)
    assert not unlabelled({model.__name__: model.model_json_schema() for model in others})


@pytest.mark.parametrize("dialect", [CANONICAL, *dialects()])
def test_members_of_a_contract_file(dialect: str) -> None:
    """An object that a dialect puts together of parts of several canonical ones has no name there; its parts have."""
    seen = 0
    for kind in kinds():
        about = Participant("partner-610199", kind, "甲", "A", "amqp", dialect, accepts=("*",), opens=("*",))
        for told in contract_for(about, "court-sn0199", catalogue(), NOW).types:
            bodies = {verb: one.body for verb, one in told.verbs.items() if one.body is not None}
            for owner, schema in {**bodies, "": {"definitions": told.definitions}}.items():
                for name, member in members(schema, owner):
                    composed = dialect != CANONICAL and ("properties" in member or member.keys() == {"$ref"})
                    assert composed or labelled(member), f"{told.card.name} {name}"
                    seen += not composed
    assert seen > 50
