"""The card of a matter type: the six data items that the library knows of it. The rest of the catalogue stays with the
gateway.

`cards()` are those of this release, written from the catalogue by `make docs` and compared by a test; a contract
that the gateway signed brings newer ones without a newer library (docs/contracts.md).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import ConfigDict, Field, StringConstraints

from lianzhi.protocol.base import Model

_TABLE = Path(__file__).with_name("tables") / "cards.json"


class Classification(StrEnum):
    """How a payload is protected. `sensitive` and `location` are sealed to their reader (docs/contracts.md 3.1).

    `location` in a *result* means: canonical, sealed to the asking court system's own key; the gateway never
    holds the plaintext.
    """

    PUBLIC = "public"
    INTERNAL = "internal"
    SENSITIVE = "sensitive"
    LOCATION = "location"

    @property
    def sealed(self) -> bool:
        return self in (Classification.SENSITIVE, Classification.LOCATION)


class Told(Model):
    """What a newer gateway tells beside what is known here is passed over."""

    model_config = ConfigDict(extra="ignore")


class Unlawful(Told):
    """Why an answer may not be given by a verb, and what takes its place: in Chinese and in English."""

    zh: Annotated[str, StringConstraints(max_length=500)]
    en: Annotated[str, StringConstraints(max_length=500)]


class TypeCard(Told):
    """One matter type. alert: opened by a partner and always urgent. unlawful: verbs that the law does not let it be
    answered by."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9.-]{1,60}$")]
    version: Annotated[int, Field(ge=1, le=9999)]
    alert: bool = False
    fan_out: bool = False
    request_class: Annotated[Classification, Field(strict=False)]
    result_class: Annotated[Classification, Field(strict=False)]
    unlawful: dict[str, Unlawful] = {}

    def classification(self, verb: str) -> Classification:
        return classification(verb, self.request_class, self.result_class)

    def urgent(self, verb: str, urgency: str) -> bool:
        return urgent(verb, urgency, alert=self.alert)

    def is_place(self, verb: str) -> bool:
        """Whether `verb` carries a place, which its author seals to the asking court system's own key."""
        return verb in ("result", "correct") and self.result_class is Classification.LOCATION


def classification(verb: str, request: Classification, result: Classification) -> Classification:
    """How the payload of `verb` is protected: what carries the request's or the result's content is protected as they
    are; the rest (receipts, progress) is internal."""
    if verb in ("open", "supplement"):
        return request
    if verb in ("result", "correct"):
        return result
    return Classification.INTERNAL


def urgent(verb: str, urgency: str, *, alert: bool) -> bool:
    """Whether a message travels in the urgent lane (docs/contracts.md 3.2)."""
    return alert or verb in ("withdraw", "withdraw-ack") or urgency != "normal"


@cache
def cards() -> Mapping[str, TypeCard]:
    """Those of this release, by name."""
    rows: list[Any] = json.loads(_TABLE.read_text("utf-8"))
    return {card.name: card for card in map(TypeCard.model_validate, rows)}
