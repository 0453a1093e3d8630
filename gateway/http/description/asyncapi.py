"""The AsyncAPI 3.0 document: the partners' queues, and for each `dataschema` the body in the partner's own words.

A message travels as an SD-JWT, so its payload is text; what the text says once it is taken apart stands beside it:
`x-event` (the signed envelope) and `x-body` (what the disclosure holds, opened). Source: docs/contracts.md 3.1, 3.2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Any

from adapters.registry import adapter_for, dialects, partners, speakers
from adapters.table import TableAdapter
from gateway.application.queries.types import verbs_of
from lianzhi.protocol.cards import Classification
from lianzhi.protocol.envelope import CANONICAL, CONTENT_TYPE, Envelope, dataschema
from lianzhi.protocol.verbs import VERBS
from schemas.bodies import content_model
from schemas.catalogue import MatterType

Schema = dict[str, Any]
_REF = "#/components/schemas/"
_WIRE: Schema = {
    "type": "string",
    "description": "`<JWS>~<disclosure>~`: split at `~`, verify the JWS, compare base64url(SHA-256(disclosure)) with "
    "`data._sd`, decode",
}


def asyncapi_document(catalogue: Mapping[str, MatterType]) -> Schema:
    messages: dict[str, Schema] = {}
    schemas: dict[str, Schema] = {"Envelope": _envelope()}
    for dialect, matter, verb in _spoken(catalogue):
        key = f"{dialect.replace('/', '-')}.{matter.name}.{verb}"
        schemas[key] = _body(key, dialect, matter, verb)
        messages[key] = _message(key, dialect, matter, verb)
    directions = {
        way: [k for k, m in messages.items() if (m["x-by"] == "partner") == (way == "fromPartner")]
        for way in ("toPartner", "fromPartner")
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "联执 Lianzhi",
            "version": version("lianzhi-gateway"),
            "description": "Queues of one partner. `{lane}` is `urgent` or `normal`; the urgent queues exist where "
            "the catalogue can use them. Publish with your own broker user as `user_id`, persistent, mandatory.",
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": {
            "toPartner": _channel("lianzhi.to.{participant}", directions["toPartner"], _QUEUE),
            "toPartnerUrgent": _channel("lianzhi.to.{participant}.urgent", directions["toPartner"], _QUEUE),
            "fromPartner": _channel("{participant}.{lane}.{type}.{verb}", directions["fromPartner"], _EXCHANGE),
        },
        "operations": {
            "takeMessage": {"action": "receive", "channel": {"$ref": "#/channels/toPartner"}},
            "takeUrgentMessage": {"action": "receive", "channel": {"$ref": "#/channels/toPartnerUrgent"}},
            "publishMessage": {"action": "send", "channel": {"$ref": "#/channels/fromPartner"}},
        },
        "components": {"messages": messages, "schemas": schemas},
    }


_QUEUE: Schema = {
    "amqp": {"is": "queue", "queue": {"durable": True, "exclusive": False, "autoDelete": False, "vhost": "lianzhi"}}
}
_EXCHANGE: Schema = {
    "amqp": {
        "is": "routingKey",
        "exchange": {
            "name": "lianzhi.in",
            "type": "topic",
            "durable": True,
            "autoDelete": False,
            "vhost": "lianzhi",
        },
    }
}
_PARAMETERS: Mapping[str, Schema] = {
    "participant": {"description": "Code of the partner: `police-610199`"},
    "lane": {"enum": ["normal", "urgent"]},
    "type": {"description": "Matter type, dots included"},
    "verb": {"enum": sorted(VERBS)},
}


def _channel(address: str, messages: list[str], bindings: Schema) -> Schema:
    return {
        "address": address,
        "parameters": {name: p for name, p in _PARAMETERS.items() if f"{{{name}}}" in address},
        "messages": {key: {"$ref": f"#/components/messages/{key}"} for key in messages},
        "bindings": bindings,
    }


def _spoken(catalogue: Mapping[str, MatterType]) -> Iterator[tuple[str, MatterType, str]]:
    """(dialect, type, verb) of every message that a partner may meet."""
    spoken = {d: adapter_for(d) for d in dialects()}
    for matter in catalogue.values():
        verbs = [v.verb for v in verbs_of(matter.shape.value) if _exists(matter, v.verb)]
        for dialect, adapter in spoken.items():
            if isinstance(adapter, TableAdapter) and speakers(dialect) & partners(matter):
                yield from ((_in(dialect, matter, verb), matter, verb) for verb in verbs)


def _exists(matter: MatterType, verb: str) -> bool:
    return VERBS[verb].model is not None or content_model(matter, verb) is not None


def _in(dialect: str, matter: MatterType, verb: str) -> str:
    """A location result is canonical whatever the partner's dialect."""
    return CANONICAL if verb in ("result", "correct") and matter.result_class is Classification.LOCATION else dialect


def _message(key: str, dialect: str, matter: MatterType, verb: str) -> Schema:
    asked_is_partner = matter.shape.value != "alert"
    by_asked = VERBS[verb].by == "asked"
    return {
        "name": dataschema(dialect, matter.name, verb, matter.version),
        "title": f"{matter.zh} · {VERBS[verb].zh}",
        "summary": f"{matter.en}: {verb}",
        "contentType": CONTENT_TYPE,
        "payload": _WIRE,
        "x-by": "partner" if by_asked == asked_is_partner else "court",
        "x-sealed": matter.classification(verb).sealed,
        "x-head": list(VERBS[verb].head),
        "x-event": {"$ref": f"{_REF}Envelope"},
        "x-body": {"$ref": f"{_REF}{key}"},
    }


def _envelope() -> Schema:
    return Envelope.model_json_schema(ref_template=f"{_REF}Envelope/$defs/{{model}}")


def _body(key: str, dialect: str, matter: MatterType, verb: str) -> Schema:
    """The members by their dialect names; `x-canonical` says what each is in the catalogue."""
    title = {
        "title": f"{matter.zh} · {VERBS[verb].zh}",
        "x-dataschema": dataschema(dialect, matter.name, verb, matter.version),
    }
    if dialect == CANONICAL:
        model = VERBS[verb].model or content_model(matter, verb)
        document = model.model_json_schema(ref_template=f"{_REF}{key}/$defs/{{model}}") if model else {}
        return {**document, **title}
    adapter = adapter_for(dialect)
    named = adapter.compiled(matter.name, verb).named if isinstance(adapter, TableAdapter) else {}
    root: Schema = {"type": "object", "properties": {}}
    for canonical, said in named.items():
        place = root
        for part in said.split("."):
            place = _member(place, part)
        place.setdefault("x-canonical", canonical)
    return {**title, **root}


def _member(owner: Schema, part: str) -> Schema:
    """The schema of one member of `owner`, made where it is not; `part[]` steps into the items of a list."""
    owner["type"] = "object"
    name = part.removesuffix("[]")
    member: Schema = owner.setdefault("properties", {}).setdefault(name, {})
    if part == name:
        return member
    member["type"] = "array"
    items: Schema = member.setdefault("items", {})
    return items
