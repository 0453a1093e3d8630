"""The contract of one participant: what it may say and hear, from the catalogue and its dialect (docs/contracts.md).

A message is described as body and codes in clear (`head`) together: in the participant's dialect, or canonical where
its dialect is `canonical` or the body is a place that is sealed past the gateway.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any, Literal

from gateway.core.routing import Participant
from lianzhi.protocol.base import Model
from lianzhi.protocol.contract import ContractDocument, TypeContract, VerbContract
from lianzhi.protocol.envelope import CANONICAL, timestamp
from lianzhi.protocol.verbs import VERBS, split
from schemas.answers import card_of
from schemas.catalogue import MatterType
from schemas.results import content_model

Role = Literal["asker", "asked", "both"]
_REF = '"#/$defs/'


def contract_for(
    participant: Participant, gateway: str, catalogue: Mapping[str, MatterType], now: datetime
) -> ContractDocument:
    """gateway: the code of the home court, which signs it."""
    types = [
        _type(participant, matter, role)
        for _, matter in sorted(catalogue.items())
        if (role := _role(participant, matter)) is not None
    ]
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
    verbs = {name: _verb(participant, matter, name, definitions) for name in VERBS if _spoken(matter, name)}
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


def _role(participant: Participant, matter: MatterType) -> Role | None:
    """What its file and the catalogue allow it to be in this type; None: nothing."""
    asks = participant.kind in matter.senders and participant.may_open(matter.name)
    asked = participant.kind in matter.receivers and participant.takes(matter.name)
    if asks and asked:
        return "both"
    return "asker" if asks else "asked" if asked else None


def _spoken(matter: MatterType, verb: str) -> bool:
    """Whether messages of this verb can be about it."""
    if verb in matter.answers_instead:
        return False
    return VERBS[verb].model is not None or content_model(matter, verb) is not None


def _verb(participant: Participant, matter: MatterType, verb: str, definitions: dict[str, Any]) -> VerbContract:
    said = VERBS[verb]
    place = verb in ("result", "correct") and card_of(matter).is_place(verb)
    model = said.model or content_model(matter, verb)
    assert model is not None
    required = {name for name, member in model.model_fields.items() if member.is_required()}
    canonical = place or participant.dialect == CANONICAL
    return VerbContract(
        by=said.by,
        head=list(said.head),
        head_required=[name for name in said.head if name in required],
        schema=_canonical_body(model, definitions) if canonical else None,
        example=_example(matter, verb) if canonical else None,
    )


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


def _example(matter: MatterType, verb: str) -> dict[str, Any] | None:
    if verb != "result" or not matter.example_result:
        return None
    return split(verb, matter.example_result)[1]
