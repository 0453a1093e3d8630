"""The AsyncAPI 3.0 document: the partners' queues, and every message in the partner's own words.

A message travels as an SD-JWT, so its payload is text; what the text says once it is taken apart stands beside it:
`x-event` (the signed envelope), `x-body` (codes in clear and what the disclosure holds, together) and `x-example` (a
whole message). Source: docs/contracts.md 3.1, 3.2.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Any

from pydantic.json_schema import models_json_schema

from adapters.registry import dialects
from gateway.core.routing import Participant
from gateway.http.description.messages import REF, Shared, Spoken, message_of, spoken_in, spoken_with
from gateway.http.description.outside_messages import BODIES, outside_messages
from lianzhi.crypto.sdjwt import MESSAGE_TYP
from lianzhi.protocol.envelope import CONTENT_TYPE, KID, Envelope, OutsideEnvelope
from lianzhi.protocol.verbs import VERBS
from schemas.catalogue import MatterType

Schema = dict[str, Any]
_WIRE: Schema = {
    "type": "string",
    "title": "线上形式",
    "description": "`<JWS>~<disclosure>~`: split at `~`, verify the JWS, compare base64url(SHA-256(disclosure)) with "
    "`data._sd`, decode. The JWS: base64url of `WireHeader`, of the event (`x-event`), and the signature, with dots "
    "between. The disclosure: base64url of `Disclosure`.",
    "pattern": "^[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+~[A-Za-z0-9_-]+~$",
}
_HEADER: Schema = {
    "type": "object",
    "title": "受保护头",
    "description": "Protected header of the JWS, exactly these members",
    "properties": {
        "alg": {"enum": ["ES256", "Ed25519", "EdDSA"], "title": "签名算法", "description": "The key decides it"},
        "kid": {"type": "string", "pattern": f"^{KID}$", "title": "密钥编号", "description": "Key that signed it"},
        "typ": {"const": MESSAGE_TYP, "title": "类型", "description": "Kind of token"},
        "cty": {"const": "cloudevents+json", "title": "内容类型", "description": "What is signed"},
    },
    "required": ["alg", "kid", "typ", "cty"],
    "additionalProperties": False,
}
_JWE: Schema = {
    "type": "string",
    "title": "密文",
    "description": "Compact JWE (ECDH-ES+A256KW, A256GCM) of `{request_no, message_id, body}`, for the receiver's key",
    "pattern": "^[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+){4}$",
}
_DISCLOSURE: Schema = {
    "title": "披露",
    "description": "RFC 9901: a salt, how the body stands, and the body (`x-body` without codes in clear) or its JWE",
    "type": "array",
    "minItems": 3,
    "maxItems": 3,
    "prefixItems": [{"type": "string", "title": "盐", "description": "Salt, base64url"}],
    "oneOf": [
        {"prefixItems": [{}, {"const": "body"}, {"type": "object"}]},
        {"prefixItems": [{}, {"const": "sealed"}, _JWE]},
    ],
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
    "participant": {"description": "单位代码 Code of the partner: `police-610199`"},
    "lane": {"enum": ["normal", "urgent"], "description": "通道 Lane"},
    "type": {"description": "事项 Matter type, dots included"},
    "verb": {"enum": sorted(VERBS), "description": "动作 Verb"},
}


def asyncapi_document(
    catalogue: Mapping[str, MatterType], dialect: str | None = None, participant: Participant | None = None
) -> Schema:
    """Of all dialects, of one, or of what one participant may say and hear. Raises LookupError: there is no such
    dialect; its text names those that there are."""
    if dialect is not None and dialect not in dialects():
        raise LookupError(", ".join(dialects()))
    if participant is not None:
        spoken = list(spoken_with(participant, catalogue))
    else:
        asked = dialects() if dialect is None else [dialect]
        spoken = [one for name in asked for one in spoken_in(name, catalogue)]
    return _document(spoken, participant.code if participant else "{participant}")


def _document(spoken: Iterable[Spoken], code: str) -> Schema:
    shared = Shared(_envelopes() | BODIES | {"Wire": _WIRE, "WireHeader": _HEADER, "Disclosure": _DISCLOSURE})
    messages = {one.key: message_of(one, shared) for one in spoken} | outside_messages()
    to = [key for key, message in messages.items() if message["x-by"] != "partner"]
    back = [key for key, message in messages.items() if message["x-by"] != "court"]
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "联执 Lianzhi",
            "version": version("lianzhi-gateway"),
            "description": "一个单位的队列。Queues of one partner. `{lane}` is `urgent` or `normal`; the urgent queues "
            "exist where the catalogue can use them. Publish with your own broker user as `user_id`, persistent, "
            "mandatory. `x-body` is JSON Schema 2020-12 of `data.head` and the body together: members in `x-head` "
            "stand in `data.head`, the rest in the disclosure. `x-canonical`: canonical member → its name here. "
            "`x-labels`: the Chinese word for each code. Examples are signed by nobody.",
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": {
            "toPartner": _channel(f"lianzhi.to.{code}", to, _QUEUE),
            "toPartnerUrgent": _channel(f"lianzhi.to.{code}.urgent", to, _QUEUE),
            "fromPartner": _channel(f"{code}.{{lane}}.{{type}}.{{verb}}", back, _EXCHANGE),
        },
        "operations": {
            "takeMessage": {"action": "receive", "channel": {"$ref": "#/channels/toPartner"}},
            "takeUrgentMessage": {"action": "receive", "channel": {"$ref": "#/channels/toPartnerUrgent"}},
            "publishMessage": {"action": "send", "channel": {"$ref": "#/channels/fromPartner"}},
        },
        "components": {"messages": messages, "schemas": dict(sorted(shared.schemas.items()))},
    }


def _channel(address: str, messages: list[str], bindings: Schema) -> Schema:
    return {
        "address": address,
        "parameters": {name: p for name, p in _PARAMETERS.items() if f"{{{name}}}" in address},
        "messages": {key: {"$ref": f"#/components/messages/{key}"} for key in messages},
        "bindings": bindings,
    }


def _envelopes() -> dict[str, Schema]:
    """Both, and what they share (`Data`, `Head`), by name."""
    _, document = models_json_schema(
        [(Envelope, "validation"), (OutsideEnvelope, "validation")], ref_template=f"{REF}{{model}}"
    )
    found: dict[str, Schema] = document["$defs"]
    return found
