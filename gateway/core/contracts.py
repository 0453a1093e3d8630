"""The contract of one participant: what it may send and receive, from the catalogue and its dialect
(docs/contracts.md).

A message is described as body and codes in clear (`head`) together: in the participant's dialect, or canonical where
its dialect is `canonical` or the body is a place that is sealed past the gateway. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any, Literal

from adapters.contract import Canonical
from adapters.registry import adapter_for, partners
from gateway.core.example_acts import CORRECTION, EXAMPLE_ACTS
from gateway.core.requests.lifecycle import TABLE
from gateway.core.routing import Participant
from lianzhi.protocol.base import Model
from lianzhi.protocol.contract import ContractDocument, TypeContract, VerbContract
from lianzhi.protocol.envelope import CANONICAL, timestamp
from lianzhi.protocol.verbs import VERBS, split
from schemas.answers import card_of
from schemas.bodies import content_model
from schemas.catalogue import Kind, MatterType

Role = Literal["asker", "asked", "both"]
_REF = '"#/$defs/'


def contract_for(
    participant: Participant, gateway: str, catalogue: Mapping[str, MatterType], now: datetime
) -> ContractDocument:
    """gateway: the code of the home court, which signs it. Raises LookupError: there is no such dialect."""
    types = [_type(participant, matter, role) for matter, role in types_of(participant, catalogue)]
    return ContractDocument(
        version=1,
        gateway=gateway,
        participant=participant.code,
        dialect=participant.dialect,
        issued_at=timestamp(now),
        types=types,
    )


def _type(participant: Participant, matter: MatterType, role: Role) -> TypeContract:
    definitions: dict[str, Any] = {}
    dialect = participant.dialect
    verbs = {name: verb_contract(dialect, matter, name, definitions) for name in verbs_of(matter)}
    return TypeContract(
        card=card_of(matter),
        zh=matter.zh,
        en=matter.en,
        help_zh=matter.help_zh,
        help_en=matter.help_en,
        role=role,
        verbs=verbs,
        definitions=dict(sorted(definitions.items())),
    )


def types_of(participant: Participant, catalogue: Mapping[str, MatterType]) -> Iterator[tuple[MatterType, Role]]:
    """Every type that it can take part in, in the order of their names, and as what."""
    for _, matter in sorted(catalogue.items()):
        if (role := _role(participant, matter)) is not None:
            yield matter, role


def verbs_in_dialect(matter: MatterType) -> list[str]:
    """The verbs of its messages that a partner says or hears in its own dialect: all but those that carry a place."""
    card = card_of(matter)
    return [verb for verb in verbs_of(matter) if not card.is_place(verb)]


def verbs_of(matter: MatterType) -> list[str]:
    """The verbs of its messages, in the order of `VERBS`."""
    return [verb for verb in VERBS if _spoken(matter, verb)]


def body_dialect(dialect: str, matter: MatterType, verb: str) -> str:
    """Which words a body has for a participant of `dialect`: a place is canonical, sealed past the gateway."""
    place = verb in ("result", "correct") and card_of(matter).is_place(verb)
    return CANONICAL if place else dialect


def _role(participant: Participant, matter: MatterType) -> Role | None:
    """What its file and the catalogue allow it to be in this type; None: nothing. A court of its own dialect is met
    only where courts write to courts."""
    if participant.dialect != CANONICAL and participant.kind not in partners(matter):
        return None
    asks = participant.kind in matter.senders and participant.may_open(matter.name)
    asked = participant.kind in matter.receivers and participant.takes(matter.name)
    if asks and asked:
        return "both"
    return "asker" if asks else "asked" if asked else None


def _spoken(matter: MatterType, verb: str) -> bool:
    """Whether messages of this verb can be about it: what its life knows (docs/domain.md 3) and the law allows."""
    if verb in matter.answers_instead or (verb != "open" and verb not in _said_in(matter.shape)):
        return False
    return VERBS[verb].model is not None or content_model(matter, verb) is not None


@cache
def _said_in(shape: str) -> frozenset[str]:
    return frozenset(row.verb for row in TABLE if row.shape == shape)


def verb_contract(dialect: str, matter: MatterType, verb: str, definitions: dict[str, Any]) -> VerbContract:
    """What a message of this type and verb says to and by a participant of `dialect`. definitions: gains what the
    schema refers to (`#/definitions/…`). Raises LookupError: there is no such dialect."""
    said = VERBS[verb]
    model = said.model or content_model(matter, verb)
    assert model is not None
    required = {name for name, member in model.model_fields.items() if member.is_required()}
    told: dict[str, Any] = {"by": said.by, "head": list(said.head)}
    told["head_required"] = [name for name in said.head if name in required]
    if body_dialect(dialect, matter, verb) == CANONICAL:
        told["schema"] = _canonical_body(model, definitions)
        told["example"] = _example(matter, verb)
    else:
        adapter = adapter_for(dialect)
        told["schema"] = adapter.schema(matter.name, verb, definitions)
        if (example := _example(matter, verb)) is not None:
            told["example"] = adapter.example(Canonical(matter.name, verb, example))
        if verb == "delivered":
            told["form"] = adapter.delivered(matter.name)
    return VerbContract(**told)


def _canonical_body(model: type[Model], definitions: dict[str, Any]) -> dict[str, Any]:
    """What the model shares with others goes to `definitions`."""
    whole = json.loads(_schema(model))
    for name, one in whole.pop("$defs", {}).items():
        if definitions.setdefault(name, one) != one:
            raise ValueError(f"two models are called {name}")
    schema: dict[str, Any] = whole
    return schema


@cache
def _schema(model: type[Model]) -> str:
    return json.dumps(model.model_json_schema()).replace(_REF, '"#/definitions/')


def example_of(matter: MatterType, verb: str) -> dict[str, Any] | None:
    """Canonical data, the codes in clear included: what the catalogue shows, or the verb's own. None: neither has one.
    The people and courts in it do not exist."""
    if verb == "open" and matter.example_request:
        asked = _ASKED if Kind.COURT in matter.senders else {}
        return {**asked, "payload": dict(matter.example_request)}
    if verb in ("result", "correct") and matter.example_result:
        return {**matter.example_result, **(CORRECTION if verb == "correct" else {})}
    return dict(EXAMPLE_ACTS[verb]) if verb in EXAMPLE_ACTS else None


def _example(matter: MatterType, verb: str) -> dict[str, Any] | None:
    """A canonical body, without the codes in clear."""
    found = example_of(matter, verb)
    return None if found is None else split(verb, found)[1]


_ASKED: Mapping[str, Any] = {
    "request": {
        "request_no": "court-sn0199-20260324-000001",
        "case_no": "（2026）陕0199执900001号",
        "urgency": "normal",
    },
    "court": {"code": "court-sn0199", "court_code": "陕0199", "name": "云川县人民法院（演示）"},
    "handler": {"name": "李演示", "permit": "陕0199-0007"},
}
