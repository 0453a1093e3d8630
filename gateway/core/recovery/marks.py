"""How far the store has come, told by marks outside of it: what a store that was set back cannot know (docs/adr/0030).

A *mark* is a copy of the store's standing. It is written after the commit that takes a block of numbers and before
the first of them is used, in two places that one snapshot does not hold both of. A store that stands below a mark of
its own incarnation is an older copy of itself; one with the same sequence under another token is half of a fork.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from pydantic import BaseModel, ConfigDict, Field

SHORT = 8
"""Characters of an incarnation that a cursor carries."""
MARGIN = 1_000
"""Numbers left out beyond those that a mark names: what the clock took one by one since it was written."""
JUMP = 100_000_000
"""Numbers of today that are left out where no mark tells how many were given: nobody gives so many on one day."""
LAST = 10**12 - 1
"""The largest number: twelve digits."""


class Mark(BaseModel):
    """incarnation: of the store, a UUID. sequence: rises with each block of numbers and each start. token: drawn anew
    whenever the sequence rises. event_id: of the last event. numbers: `<opener>/<yyyymmdd>` → the first number that was
    not taken yet, of the last days."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    incarnation: str = Field(pattern=r"^[0-9a-f-]{36}$")
    sequence: int = Field(ge=0, lt=2**63)
    token: str = Field(max_length=64)
    event_id: int = Field(ge=0, lt=2**63)
    numbers: dict[str, int] = Field(default_factory=dict, max_length=10_000)


class Verdict(Enum):
    """What a mark says about the store."""

    SOUND = "sound"
    RESTORED = "restored"
    COPIED = "copied"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class Age:
    """An incarnation, and the last event that it has in common with the one before it (0: there was none).

    began_at: when a restore began it; None for the first."""

    incarnation: str
    shared_event: int
    began_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """The store as it stands. ages: its incarnations, oldest first, its own last. empty: no request is in it."""

    mark: Mark
    ages: tuple[Age, ...]
    empty: bool

    @property
    def new(self) -> bool:
        """Never served under marks: a new installation, or one that was just brought to this version."""
        return self.mark.sequence == 0


def judge(standing: Standing, mark: Mark) -> Verdict:
    """What `mark` says about a store that was looked at after the mark was read.

    Marks of incarnations that this store has left behind say nothing."""
    own = standing.mark
    if mark.incarnation != own.incarnation:
        past = any(age.incarnation == mark.incarnation for age in standing.ages)
        return Verdict.SOUND if past else Verdict.FOREIGN
    if mark.sequence > own.sequence or mark.event_id > own.event_id:
        return Verdict.RESTORED
    if mark.sequence == own.sequence and mark.token != own.token:
        return Verdict.COPIED
    return Verdict.SOUND


def highest(marks: Iterable[Mark], incarnations: Sequence[str]) -> Mark | None:
    """Of several in one place the one that tells most, with the numbers of all: two processes may have written theirs
    out of order. incarnations: those that the store knows, oldest first; one that it does not know goes before all."""
    order = {incarnation: place for place, incarnation in enumerate(incarnations)}
    found = sorted(marks, key=lambda m: (order.get(m.incarnation, len(order)), m.sequence, m.event_id))
    if not found:
        return None
    last = found[-1]
    same = [mark for mark in found if mark.incarnation == last.incarnation]
    return last.model_copy(update={"event_id": max(m.event_id for m in same), "numbers": ends(m.numbers for m in same)})


def ends(numbers: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """The furthest that each was taken."""
    furthest: dict[str, int] = {}
    for some in numbers:
        for name, following in some.items():
            furthest[name] = max(furthest.get(name, 0), following)
    return furthest


def go_on(
    own: Mapping[str, int], marks: Sequence[Mark], *, certain: bool, openers: Iterable[str], day: str
) -> dict[str, int]:
    """`<opener>/<day>` → the number to go on with, past every one that was ever given.

    certain: whether the marks tell all of them; else `openers` go on today past any number that is plausible."""
    furthest = ends([own, *(mark.numbers for mark in marks)])
    if certain:
        return {name: min(following + MARGIN, LAST) for name, following in furthest.items()}
    today = [f"{opener}/{day}" for opener in openers]
    return furthest | {name: min(furthest.get(name, 1) + JUMP, LAST) for name in today}


def common_event(ages: Sequence[Age], short: str | None) -> int | None:
    """The last event that the incarnation `short` (None: the first) has in common with the present one. None: it is
    not one of this store's."""
    place = 0 if short is None else next((n for n, a in enumerate(ages) if a.incarnation[:SHORT] == short), None)
    if place is None:
        return None
    return min((age.shared_event for age in ages[place + 1 :]), default=None)
