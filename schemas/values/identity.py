"""IDs of people and organisations: the number of each kind, and what else the kind needs to name one person.

Two rules stand behind it. A number is a number: what is only zeros, or a word such as 无, is on no paper, and would
make one person of everybody who has none. And a number names one person only together with who gave it: a passport's
with its country, a paper's that has no kind of its own with its issuer and its name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from lianzhi.protocol.base import Vocabulary
from lianzhi.protocol.rules import broken
from lianzhi.protocol.texts import folded, upper
from schemas.values.identifiers import RESIDENCE_PERMITS, credit_code, permanent_residence, resident_id

IdKind = Vocabulary[
    Annotated[Literal["resident-id"], "居民身份证"]
    | Annotated[Literal["residence-permit"], "港澳台居民居住证"]
    | Annotated[Literal["hm-travel-permit"], "港澳居民来往内地通行证"]
    | Annotated[Literal["taiwan-travel-permit"], "台湾居民来往大陆通行证"]
    | Annotated[Literal["permanent-residence"], "外国人永久居留身份证"]
    | Annotated[Literal["passport"], "护照"]
    | Annotated[Literal["officer-id"], "军官证"]
    | Annotated[Literal["uscc"], "统一社会信用代码"]
    | Annotated[Literal["other"], "其他证件"]
]
WITH_BIRTH = ("resident-id", "residence-permit")
"""Kinds whose number tells the date of birth and the sex (GB 11643, places 7–14 and 17)."""

NEEDS: Mapping[str, Mapping[str, str]] = {
    "passport": {"id_country": "id-country-required"},
    "other": {"id_issuer": "id-issuer-required", "id_name": "id-name-required"},
}
"""Kind → the members that it needs beside the number, each with the rule that is broken without it."""
DETAILS = ("id_country", "id_issuer", "id_name")

# The part of a permit's number that stays a person's for life; what follows counts the papers (换证次数).
_FOR_LIFE = {"hm-travel-permit": 9, "taiwan-travel-permit": 8}

_FORMS = {
    "hm-travel-permit": re.compile(r"[HM][0-9]{8}(?:[0-9]{2})?"),
    "taiwan-travel-permit": re.compile(r"[0-9]{8}(?:[0-9]{2})?"),
    "passport": re.compile(r"[A-Z0-9]{5,17}"),
    "officer-id": re.compile(r"[0-9A-Z\u4e00-\u9fff]{4,30}"),
    "other": re.compile(r"[0-9A-Z\u4e00-\u9fff（）()/.-]{4,40}"),
}
_NO_ZERO = re.compile(r"[1-9]")
_LETTERED = re.compile(r"(?!(.)\1*$)[A-Z]{8,}")  # some countries draw letters too, and may draw no digit


def identity_number(kind: str, text: str, *, today: date | None = None) -> str:
    """The number of an ID of this kind, normalised. Raises the rule that it breaks (`schemas.values.identifiers`)."""
    if kind == "uscc":
        return credit_code(text)
    if kind == "permanent-residence":
        return permanent_residence(text, today=today)
    if kind in WITH_BIRTH:
        value = resident_id(text, today=today)
        if (value[:6] in RESIDENCE_PERMITS) != (kind == "residence-permit"):
            raise broken("id-kind-mismatch")
        return value
    value = upper(text)
    if not _FORMS[kind].fullmatch(value):
        raise broken("id-form")
    if not (_NO_ZERO.search(value[: _FOR_LIFE.get(kind)]) or (kind == "passport" and _LETTERED.fullmatch(value))):
        raise broken("id-of-nobody")
    return value


def identity(kind: str, number: str, country: str | None, issuer: str | None, name: str | None) -> str:
    """What tells this holder from any other, of a normalised ID.

    A permit's number is that for life: nine places for Hong Kong and Macao, eight for Taiwan. What earlier versions
    took without country or issuer is told by its number alone.
    """
    if kind in _FOR_LIFE:
        return number[: _FOR_LIFE[kind]]
    given_by = (country, issuer and folded(issuer), name and folded(name))
    return ":".join([*(part for part in given_by if part), number])


def earlier_identities(kind: str, number: str) -> tuple[str, ...]:
    """How the same holder may have been told by earlier versions, whose measures are still in force: a passport and
    a paper of no kind by the number alone, a permit with any count of papers (docs/adr/0035)."""
    if kind in NEEDS:
        return (number,)
    if kind in _FOR_LIFE:
        return tuple(f"{number[: _FOR_LIFE[kind]]}{count:02d}" for count in range(100))
    return ()


def missing_details(kind: str, members: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(member, rule) of what this kind needs and `members` lacks."""
    return [(name, rule) for name, rule in NEEDS.get(kind, {}).items() if members.get(name) is None]
