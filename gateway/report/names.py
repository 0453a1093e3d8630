"""What the codes of a report are called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.core.routing import Directory
from gateway.report.shapes import NONE
from schemas.catalogue import MatterType


@dataclass(frozen=True, slots=True)
class Names:
    """One without a name is shown by its code. people: staff number → registered name; empty where the reader may not
    see whose it is."""

    parties: Mapping[str, str] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    people: Mapping[str, str] = field(default_factory=dict)

    def party(self, code: str | None) -> str:
        return self.parties.get(code or "", code or NONE)

    def type(self, name: str | None) -> str:
        return self.types.get(name or "", name or NONE)

    def person(self, number: str | None) -> str:
        return self.people.get(number or "", number or NONE)


def names_in(directory: Directory, catalogue: Mapping[str, MatterType]) -> Names:
    """For the court's own leaders: with the registered names of its staff."""
    people = {number: staff.name for party in directory if party.home for number, staff in party.staff.items()}
    return Names({p.code: p.zh for p in directory}, {name: matter.zh for name, matter in catalogue.items()}, people)
