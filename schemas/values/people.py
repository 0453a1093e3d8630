"""People as the subjects of a matter: who can be one, how old, how found again, and what a public copy shows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import field_validator

from lianzhi.protocol.base import Vocabulary
from lianzhi.protocol.rules import broken
from schemas.catalogue import Words
from schemas.law.lookouts import DETENTION, longest
from schemas.values.identity import WITH_BIRTH, IdKind, earlier_identities, identity
from schemas.values.objects import Person

ADULT_YEARS = 18

Decision = Vocabulary[
    Annotated[Literal["detention-order"], "拘留决定"] | Annotated[Literal["compelled-appearance"], "拘传"]
]
"""What lets somebody be held: it was decided before anybody is asked to help (docs/domain.md 2.3, 2.6)."""
DECISION_PAPERS: Mapping[str, Mapping[str, int]] = {
    "detention-order": {"detention-decision": 1},
    "compelled-appearance": {"compelled-appearance-writ": 1},
}


class NaturalPerson(Person):
    """A human being: an organisation (USCC) cannot be looked up in hotels, controlled or kept from leaving."""

    @field_validator("id_kind")
    @classmethod
    def _human(cls, value: IdKind) -> IdKind:
        if value == "uscc":
            raise broken("natural-person")
        return value


def identity_of(person: Person) -> Words:
    """What tells this person from any other, with what earlier versions wrote for it."""
    given_by = (person.id_country, person.id_issuer, person.id_name)
    return Words(identity(person.id_kind, person.id_no, *given_by), earlier_identities(person.id_kind, person.id_no))


def person_objects(person: Person) -> tuple[tuple[str, str], ...]:
    """(ref, identifying words) of the one object of a measure on a person (hashed before they are stored)."""
    return ((person.ref, belonging("id:" + person.id_kind, person)),)


def belonging(what: str, person: Person, after: str = "") -> Words:
    """Identifying words of what a person has: what it is, whose, and what else tells it from the person's others."""
    who = identity_of(person)
    return Words(f"{what}:{who}{after}", tuple(f"{what}:{earlier}{after}" for earlier in who.earlier))


def born_on(person: Person) -> str | None:
    """The date of birth, from the number where it holds one; None when nothing tells."""
    if person.id_kind in WITH_BIRTH:
        number = person.id_no
        return f"{number[6:10]}-{number[10:12]}-{number[12:14]}"
    return person.birth_date


def check_detention_days(decision: str, days: int | None, on: str, *, at: str = "/detention_days") -> None:
    """For how many days a detention was decided; of nothing else (民事诉讼法 118). on: YYYY-MM-DD, as of `longest`.

    Raises `detention-too-long`, `detention-days-not-needed` at `at`.
    """
    if days is None:
        return
    if decision != "detention-order":
        raise broken("detention-days-not-needed", at=at)
    most = longest(DETENTION, date.fromisoformat(on))
    if days > most:
        raise broken("detention-too-long", at=at, most=most)


def detention_cautions(
    decision: str, days: int | None, on: str, *, at: str = "/detention_days"
) -> list[tuple[str, str, Mapping[str, Any]]]:
    """For `MatterType.cautions`: a detention that does not say for how many days."""
    if decision != "detention-order" or days is not None:
        return []
    return [("detention-days-missing", at, {"most": longest(DETENTION, date.fromisoformat(on))})]


def check_adult(person: Person, on: str, *, at: str, rule: str = "minor") -> None:
    """`on` (YYYY-MM-DD) is the eighteenth birthday or later; an organisation has no age.

    at: pointer of the person. Raises `birth-date-required` at the birth date, `rule` at the person.
    """
    if person.id_kind == "uscc":
        return
    born = born_on(person)
    if born is None:
        raise broken("birth-date-required", at=f"{at}/birth_date")
    if on < f"{int(born[:4]) + ADULT_YEARS:04d}{born[4:]}":  # 29 February comes of age on 1 March
        raise broken(rule, at=at)


def public_number(person: Person) -> str:
    """The ID as a public copy shows it: 6101991990****1237; a USCC in full; of other IDs only the ends."""
    number = person.id_no
    if person.id_kind == "uscc":
        return number
    if len(number) == 18:
        return f"{number[:10]}****{number[14:]}"
    shown = 2 if len(number) >= 8 else 1
    return f"{number[:shown]}****{number[-shown:]}"
