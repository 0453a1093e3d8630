"""The three lists that a drill compares at its end. Nothing of the product is imported here: plain facts, read by
`reading` from what each side wrote for itself.

A *mark* is what the agency can see of one matter, whatever number the gateway gives it: a plate, an account, a door.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Answer:
    """One 202. again: the court handed the same bytes in once more under the same key."""

    mark: str
    request_no: str
    again: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """One event. at: milliseconds since 1970."""

    at: int
    kind: str
    request_no: str | None = None
    verb: str | None = None
    state: str | None = None
    message_id: str | None = None


@dataclass(frozen=True, slots=True)
class Court:
    """handed: marks of what it handed in. refused: mark → code of the problem, of what was refused for good. unknown:
    number → code, of what it was given a number for and then asked for in vain. told: its feed as a follower heard it,
    in order; cursors: of the same."""

    handed: frozenset[str]
    answers: tuple[Answer, ...]
    refused: Mapping[str, str] = field(default_factory=dict)
    unknown: Mapping[str, str] = field(default_factory=dict)
    told: tuple[Told, ...] = ()
    cursors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Effect:
    """What an agency's application did, once. id: its own, so that a copy of its table counts once."""

    id: str
    agency: str
    request_no: str
    mark: str


@dataclass(frozen=True, slots=True)
class Row:
    """A request as the gateway's database has it."""

    asked: str
    state: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Gateway:
    """requests: of the court, by number. listed: number or mark → reason, of what is shown to a person apart from
    them. events: of the court's feed, all that the table has. accepted: marks of what a person said is to be done
    although it may have been done before a restore."""

    requests: Mapping[str, Row]
    listed: Mapping[str, str] = field(default_factory=dict)
    events: tuple[Told, ...] = ()
    accepted: frozenset[str] = frozenset()
