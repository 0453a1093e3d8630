"""What the demo's court will ask, and what goes wrong on the way: the mix, the flaws, the injections.

Shares as in docs/domain.md section 8, for the matter types that exist: half commissions, a quarter grid, the rest
vehicles, persons and notices. Of every injection there is at least one, however few requests there are.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import cycle
from typing import Literal

from lianzhi.errors import ConfigurationError
from simulation.clock import SHANGHAI
from simulation.court.bodies import Clerk, Draft
from simulation.parties import COURTS
from simulation.synthetic import World

FEWEST = 8
Papers = Literal["before", "after", "never"]
Injection = Literal[
    "duplicate-same-key",
    "duplicate-other-key",
    "wrong-subject",
    "wrong-case-no",
    "tampered-signature",
    "tampered-disclosure",
]
SHARES: tuple[tuple[tuple[Injection, Injection], float], ...] = (
    (("duplicate-same-key", "duplicate-other-key"), 0.03),
    (("wrong-subject", "wrong-case-no"), 0.02),
    (("tampered-signature", "tampered-disclosure"), 0.01),
)
_CODES = (
    "freeze-deposit", "investigate-property", "seal-realty", "serve-document", "freeze-deposit", "freeze-equity",
    "investigate-property", "seal-movable", "serve-document", "control-person", "deduct-deposit", "freeze-deposit",
    "assist-on-site",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Item:
    """One request to be handed in.

    key: its Idempotency-Key. rests_on: key of the seal that must be live first. papers: when they are put. injections:
    what is done to it, or to the answer to it. pair: same name, other person. flawed: the agency will find fault.
    """

    key: str
    draft: Draft
    rests_on: str | None = None
    papers: Papers = "before"
    injections: tuple[Injection, ...] = ()
    pair: int | None = None
    flawed: bool = False

    @property
    def matter(self) -> str:
        return str(self.draft.body["type"])


def docket(count: int, seed: int, now: datetime) -> list[Item]:
    """`count` items in the order in which they are handed in; the same for the same seed and day.

    Raises ConfigurationError below `FEWEST`.
    """
    if count < FEWEST:
        raise ConfigurationError(f"--requests 至少 {FEWEST}：每种情形须各有一件。 At least {FEWEST}: one of each kind.")
    dice = random.Random(seed)  # noqa: S311 (no secret)
    clerk = Clerk(World(seed, now.astimezone(SHANGHAI).date()), now)
    items = list(_drawn_up(clerk, count, seed))
    _withhold_papers(items, dice)
    _inject(items, count, dice)
    return _in_order(items, dice)


def _drawn_up(clerk: Clerk, count: int, seed: int) -> Iterator[Item]:
    grid, cars, persons, notices = (
        max(least, round(count * share)) for least, share in ((2, 0.25), (2, 0.12), (1, 0.08), (1, 0.05))
    )
    keys = (f"demo-{seed}-{number:05d}" for number in range(1, count + 1))
    yield from _cars(clerk, keys, cars)
    pairs = max(1, round(count * 0.01))
    yield from _grid(clerk, keys, grid, pairs)
    for number in range(persons):
        yield Item(next(keys), clerk.search(detention=number % 3 == 2))
    for _ in range(notices):
        yield Item(next(keys), clerk.notice())
    yield from _commissions(clerk, keys, count - grid - cars - persons - notices)


def _cars(clerk: Clerk, keys: Iterator[str], count: int) -> Iterator[Item]:
    """seal, and on two of three sealed cars a control or a search."""
    number = 0
    while count > 0:
        flawed = number % 4 == 3
        seal = Item(next(keys), clerk.seal(engine=not flawed), flawed=flawed)
        yield seal
        count -= 1
        if count > 0 and number % 3 != 2:
            draft = clerk.control(seal.draft) if number % 3 == 0 else clerk.trace(seal.draft)
            yield Item(next(keys), draft, rests_on=seal.key)
            count -= 1
        number += 1


def _grid(clerk: Clerk, keys: Iterator[str], count: int, pairs: int) -> Iterator[Item]:
    for pair in range(1, min(pairs, count // 2) + 1):
        name = clerk.world.name()
        for _ in range(2):
            yield Item(next(keys), clerk.verification(name=name), pair=pair)
            count -= 1
    for number in range(count):
        flawed = number % 25 == 9
        yield Item(next(keys), clerk.verification(here=not flawed), flawed=flawed)


def _commissions(clerk: Clerk, keys: Iterator[str], count: int) -> Iterator[Item]:
    courts, codes = cycle(COURTS), cycle(_CODES)
    for number in range(count):
        short, elsewhere = number % 16 == 4, number % 33 == 7
        draft = clerk.commission(next(courts), next(codes), numbered=not short, here=not elsewhere)
        yield Item(next(keys), draft, flawed=short or elsewhere)


def _plain(items: list[Item]) -> list[int]:
    """Where the commissions stand that have no flaw and will be answered."""
    return [
        index
        for index, item in enumerate(items)
        if item.matter == "entrust.matter.request" and not item.flawed and item.papers != "never"
    ]


def _withhold_papers(items: list[Item], dice: random.Random) -> None:
    """One paper in two hundred comes late and its request is blocked meanwhile; another never comes."""
    plain = _plain(items)
    each = max(1, round(len(items) * 0.005))
    chosen = dice.sample(plain, min(2 * each, len(plain) - 1))
    for index in chosen:
        items[index] = replace(items[index], papers="after" if index in chosen[:each] else "never")


def _inject(items: list[Item], count: int, dice: random.Random) -> None:
    """The two ways of each kind in turn, each on the least burdened commission."""
    for ways, share in SHARES:
        for way, _ in zip(cycle(ways), range(max(len(ways), round(count * share))), strict=False):
            free = [i for i in _plain(items) if items[i].draft.signed or way != "duplicate-other-key"]
            index = min(free, key=lambda i: (len(items[i].injections), dice.random()))
            items[index] = replace(items[index], injections=(*items[index].injections, way))


def _in_order(items: list[Item], dice: random.Random) -> list[Item]:
    """Shuffled, but what rests on a seal is handed in after it."""
    dice.shuffle(items)
    resting = [item for item in items if item.rests_on]
    return [item for item in items if not item.rests_on] + resting
