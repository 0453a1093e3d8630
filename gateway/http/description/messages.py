"""The messages of the AsyncAPI document: schema, codes in clear and a whole example, by the code that writes contract
files (`gateway.core.contracts`).

What several bodies share stands once: a definition is told apart by everything that it leads to, so two of one name
that differ both stand.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters.registry import adapter_for, partners, speakers
from adapters.table import TableAdapter
from gateway.core.contracts import body_dialect, example_of, types_of, verb_contract, verbs_of
from gateway.core.example_acts import EXAMPLE_MESSAGE
from gateway.core.routing import Participant
from lianzhi.crypto import base64url
from lianzhi.crypto.sdjwt import MESSAGE_TYP
from lianzhi.protocol.contract import VerbContract
from lianzhi.protocol.envelope import CANONICAL, CONTENT_TYPE, dataschema
from lianzhi.protocol.verbs import VERBS, split
from schemas.catalogue import Kind, MatterType
from schemas.validation import refs_of

Schema = dict[str, Any]
REF = "#/components/schemas/"
_LOCAL = re.compile(r'"#/definitions/([^"]+)"')
_JWE = "eyJhbGciOiJFQ0RILUVTK0EyNTZLVyIsImVuYyI6IkEyNTZHQ00ifQ.AAAA.AAAA.AAAA.AAAA"
"""Five parts like a JWE; it holds nothing."""
_SALT = "ZXhhbXBsZS1zYWx0LTAwMQ"
_COURT, _NUMBER = "court-sn0199", "20260324-000001"


@dataclass(frozen=True, slots=True)
class Spoken:
    """One message that a partner may meet. dialect: of its body. by: `partner`, `court`, or `both`. partner: the code
    in the example."""

    dialect: str
    matter: MatterType
    verb: str
    by: str
    partner: str

    @property
    def key(self) -> str:
        return f"{_slug(self.dialect)}.{self.matter.name}.{self.verb}"


@dataclass(slots=True)
class Shared:
    """`schemas`: those of the document so far, by name."""

    schemas: dict[str, Schema] = field(default_factory=dict)
    _leads_to: dict[str, str] = field(default_factory=dict)

    def put(self, name: str, fuller: str, schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
        """The reference to `schema`, whose own references are into `definitions`. fuller: its name where `name` is
        another's."""
        text = json.dumps(schema, ensure_ascii=False, sort_keys=True)
        reached = {d: definitions[d] for d in sorted(_reached(text, definitions))}
        whole = json.dumps([text, reached], ensure_ascii=False, sort_keys=True)
        key = name if self._leads_to.setdefault(name, whole) == whole else fuller
        if self._leads_to.setdefault(key, whole) != whole:
            raise ValueError(f"two schemas are called {key}")
        if key not in self.schemas:
            self.schemas[key] = {}  # before what it leads to: a definition may lead back to itself
            self.schemas[key] = self._resolved(schema, definitions, name, fuller)
        return f"{REF}{key}"

    def _resolved(self, schema: Mapping[str, Any], definitions: Mapping[str, Any], name: str, fuller: str) -> Schema:
        short, long = name.split(".", 1)[0], fuller.rsplit(".", 1)[0]

        def told(found: re.Match[str]) -> str:
            one = found[1]
            return json.dumps(self.put(f"{short}.{one}", f"{long}.{one}", definitions[one], definitions))

        text = _LOCAL.sub(told, json.dumps(schema, ensure_ascii=False))
        resolved: Schema = json.loads(text, object_hook=_without_discriminator)
        return resolved


def _without_discriminator(node: Schema) -> Schema:
    """pydantic writes OpenAPI's, an object; AsyncAPI's is a text. The variants' constants say the same."""
    if isinstance(node.get("discriminator"), dict):
        del node["discriminator"]
    return node


def _reached(text: str, definitions: Mapping[str, Any]) -> set[str]:
    """The names of all definitions that a schema leads to."""
    found: set[str] = set()
    waiting = set(_LOCAL.findall(text))
    while waiting:
        name = waiting.pop()
        found.add(name)
        waiting |= set(_LOCAL.findall(json.dumps(definitions[name], ensure_ascii=False))) - found
    return found


def spoken_in(dialect: str, catalogue: Mapping[str, MatterType]) -> Iterator[Spoken]:
    """Every message that a partner of this dialect may meet, in the order of types and verbs."""
    for _, matter in sorted(catalogue.items()):
        met = speakers(dialect) & partners(matter)
        if met:
            partner = f"{min(met)}-610199" if Kind.COURT not in met else "court-sn0528"
            yield from _of_type(dialect, matter, partner, bool(met & matter.senders), bool(met & matter.receivers))


def spoken_with(participant: Participant, catalogue: Mapping[str, MatterType]) -> Iterator[Spoken]:
    """Every message that this one may meet."""
    for matter, role in types_of(participant, catalogue):
        yield from _of_type(participant.dialect, matter, participant.code, role != "asked", role != "asker")


def _of_type(dialect: str, matter: MatterType, partner: str, asks: bool, asked: bool) -> Iterator[Spoken]:
    for verb in verbs_of(matter):
        by = "both" if asks and asked else "partner" if (VERBS[verb].by == "asker") == asks else "court"
        yield Spoken(body_dialect(dialect, matter, verb), matter, verb, by, partner)


def message_of(one: Spoken, shared: Shared) -> Schema:
    """Its Message Object; its schemas go to `shared`."""
    matter, verb = one.matter, one.verb
    definitions: dict[str, Any] = {}
    told = verb_contract(one.dialect, matter, verb, definitions)
    body: Schema = {**(told.body or {"type": "object"})}
    if named := _named(one):
        body["x-canonical"] = named
    slug = _slug(one.dialect)
    message: Schema = {
        "name": dataschema(one.dialect, matter.name, verb, matter.version),
        "title": f"{matter.zh} · {VERBS[verb].zh}",
        "summary": f"{matter.en}: {verb}",
        "contentType": CONTENT_TYPE,
        "payload": {"$ref": f"{REF}Wire"},
        "x-type": matter.name,
        "x-verb": verb,
        "x-by": one.by,
        "x-sealed": matter.classification(verb).sealed,
        "x-head": told.head,
        "x-head-required": told.head_required,
        "x-event": {"$ref": f"{REF}Envelope"},
        "x-body": {"$ref": shared.put(f"{slug}.{verb}", f"{slug}.{matter.name}.{verb}", body, definitions)},
    }
    if told.example is not None:
        message["x-example"] = _example(one, told)
    if told.form is not None:
        message["x-form"] = told.form
    return message


def _named(one: Spoken) -> dict[str, str]:
    """Canonical member → what the dialect calls it."""
    adapter = None if one.dialect == CANONICAL else adapter_for(one.dialect)
    return dict(adapter.compiled(one.matter.name, one.verb).named) if isinstance(adapter, TableAdapter) else {}


def _slug(dialect: str) -> str:
    return dialect.replace("/", "-")


def _example(one: Spoken, told: VerbContract) -> Schema:
    """The message taken apart: header, event, disclosure; of a sealed one also what the JWE holds once opened.

    `_sd` is the digest of this disclosure, written without blanks; nobody has signed it."""
    canonical = example_of(one.matter, one.verb) or {}
    head = split(one.verb, canonical, refs_of(canonical) or None)[0]
    by_partner = one.by == "partner" or (one.by == "both" and VERBS[one.verb].by == "asked")
    sender, receiver = (one.partner, _COURT) if by_partner else (_COURT, one.partner)
    opener = sender if VERBS[one.verb].by == "asker" else receiver
    event = {
        "specversion": "1.0",
        "id": EXAMPLE_MESSAGE,
        "source": f"//{sender}",
        "receiver": receiver,
        "type": f"lianzhi.{one.matter.name}.{one.verb}",
        "subject": f"{opener}-{_NUMBER}",
        "time": "2026-03-24T02:31:52.000Z",
        "dataschema": dataschema(one.dialect, one.matter.name, one.verb, one.matter.version),
        "datacontenttype": "application/json",
        "seqno": 1,
    }
    if one.verb != "open":
        event |= {"causationid": EXAMPLE_MESSAGE[:-1] + "0", "originhash": "A" * 43}
    sealed = one.matter.classification(one.verb).sealed
    disclosure = [_SALT, "sealed", _JWE] if sealed else [_SALT, "body", told.example]
    opened = {"request_no": event["subject"], "message_id": event["id"], "body": told.example}
    return taken_apart(f"{sender}.sig.1", event, head, disclosure) | ({"opened": opened} if sealed else {})


def taken_apart(kid: str, event: Mapping[str, Any], head: Mapping[str, Any], disclosure: list[Any]) -> Schema:
    """Header, event and disclosure, with the digest of the disclosure in the event."""
    text = base64url.encode(json.dumps(disclosure, ensure_ascii=False, separators=(",", ":")).encode())
    digest = base64url.encode(hashlib.sha256(text.encode("ascii")).digest())
    return {
        "header": {"alg": "ES256", "kid": kid, "typ": MESSAGE_TYP, "cty": "cloudevents+json"},
        "event": {**event, "data": {**({"head": dict(head)} if head else {}), "_sd": [digest]}},
        "disclosure": disclosure,
    }
