"""What this process counts while it works: messages refused, states reached, how long requests took.

Each label is a registered code, a matter type of the catalogue, a state or a code of ours: whatever else comes is
`other`, so that nobody outside decides how many series there are. A clock that was set back makes no counter smaller
and no time negative.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from gateway.core.records import Request
from gateway.core.requests.lifecycle import ANSWERED

SIGNATURE_REASONS = frozenset(
    {
        "bad-alg",
        "bad-signature",
        "foreign-key",
        "key-not-valid-at-time",
        "key-revoked",
        "unknown-kid",
        "wrong-key-purpose",
    }
)
"""Refusals that say: this was not signed by whom it should be, or not with a key that we know."""
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Upper bounds of the time to accept a submission."""
LIFE_SECONDS = (1.0, 10.0, 60.0, 600.0, 3_600.0, 14_400.0, 86_400.0, 259_200.0, 604_800.0, 1_296_000.0, 2_592_000.0)
"""Of a request's life: from a second over minutes, hours and days to thirty days."""
_SENT = frozenset({"dispatched", "raised", "sent"})
_DONE = frozenset({*ANSWERED, "refused", "returned", "acknowledged"})


@dataclass(slots=True)
class Durations:
    """A histogram. counts: of each bucket alone, the last one beyond all bounds."""

    bounds: Sequence[float]
    counts: list[int] = field(init=False)
    total: float = 0.0

    def __post_init__(self) -> None:
        self.counts = [0] * (len(self.bounds) + 1)

    def observe(self, seconds: float) -> None:
        seconds = max(0.0, seconds)
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.total += seconds

    def buckets(self) -> list[tuple[str, int]]:
        """(upper bound, how many were not longer), as Prometheus has them."""
        found, so_far = [], 0
        for bound, count in zip((*map(str, self.bounds), "+Inf"), self.counts, strict=True):
            so_far += count
            found.append((bound, so_far))
        return found


class Tallies:
    """Counters and histograms of this process. Keys are label values in the order of the metric's labels."""

    def __init__(self) -> None:
        self._refused: Counter[tuple[str, str]] = Counter()
        self._states: Counter[tuple[str, str]] = Counter()
        self._accept: dict[str, Durations] = {}
        self._life: dict[tuple[str, str], Durations] = {}
        self._read: dict[str, tuple[str, int]] = {}

    def accepted(self, type: str, seconds: float) -> None:
        """A submission of that matter type was accepted. seconds: from its arrival to its commit."""
        self._accept.setdefault(type, Durations(SECONDS)).observe(seconds)

    def refused(self, partner: str, reason: str) -> None:
        """A message from that partner's queue was refused. reason: a code of `lianzhi.problem`."""
        self._refused[partner, reason] += 1

    def moved(self, request: Request, before: str, home: str, now: datetime) -> None:
        """The request has left the state `before`."""
        if request.state == before:
            return
        partner = request.asked if request.asker == home else request.asker
        self._states[partner, request.state] += 1
        stage = _stage(before, request.state)
        if stage is not None:
            seconds = (now - request.created_at).total_seconds()
            self._life.setdefault((stage, partner), Durations(LIFE_SECONDS)).observe(seconds)

    def read_to(self, client: str, audience: str, event: int) -> None:
        """That registered client has said that it has every event of the audience's feed up to this one."""
        self._read[client] = (audience, event)

    def refusals(self) -> Mapping[tuple[str, str], int]:
        """(partner, reason) → times."""
        return self._refused

    def signature_failures(self) -> Mapping[str, int]:
        """partner → how many of its messages were refused for their signature or key."""
        found: Counter[str] = Counter()
        for (partner, reason), times in self._refused.items():
            if reason in SIGNATURE_REASONS:
                found[partner] += times
        return found

    def states(self) -> Mapping[tuple[str, str], int]:
        """(partner, state) → how many requests came into it."""
        return self._states

    def accepts(self) -> Mapping[str, Durations]:
        """By matter type."""
        return self._accept

    def lives(self) -> Mapping[tuple[str, str], Durations]:
        """(stage, partner): from the creation of a request until it was sent, delivered, answered, closed."""
        return self._life

    def readers(self) -> Mapping[str, tuple[str, int]]:
        """client → (audience, last event that it has)."""
        return self._read


def _stage(before: str, after: str) -> str | None:
    if after in _SENT:
        return "sent"
    if after == "delivered":
        return "delivered"
    if after in _DONE:
        return None if before in _DONE else "answered"
    return "closed" if after == "closed" else None
