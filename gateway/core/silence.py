"""When a partner is silent, and why. Pure: what is known of it in, one cause or none out.

The causes in the order in which one explains the next: nobody takes what waits in its queue; it takes, and shows no
`delivered`; it has our requests, and answers none of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Literal

Cause = Literal["no-consumer", "not-delivered", "not-answered"]
ENOUGH = 20
"""Answers from which a partner's own habit is known."""
WINDOW = timedelta(days=30)
ABSENT = timedelta(minutes=10)
"""Without a consumer: longer than a restart takes."""
UNDELIVERED = timedelta(minutes=30)
"""Longer than the first repeat of what was not delivered (docs/contracts.md 3.2)."""
SHORTEST = timedelta(hours=1)
"""However quick a partner used to be, it may be silent for so long."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request that a partner is asked. sent_at: when it was sent first; delivered_at, answered_at: when its
    `delivered` and its first word of a person came. due: its deadline, as the catalogue's term makes it. open: it is
    not done."""

    sent_at: datetime | None
    delivered_at: datetime | None
    answered_at: datetime | None
    due: datetime | None
    open: bool


@dataclass(frozen=True, slots=True)
class Silence:
    """A partner that is silent, as it stands in the store: told once, when it began, and once more at its end."""

    participant: str
    cause: Cause
    since: datetime
    told_at: datetime


def silent(
    absent_since: datetime | None, exchanges: Sequence[Exchange], now: datetime
) -> tuple[Cause, datetime] | None:
    """The cause and since when. absent_since: from when on its queue has had no consumer; None: it has one, or the
    broker does not say. exchanges: of the last `WINDOW`."""
    if absent_since is not None and now - absent_since >= ABSENT:
        return "no-consumer", absent_since
    unshown = [e for e in exchanges if e.open and e.delivered_at is None and e.answered_at is None]
    undelivered = [e.sent_at for e in unshown if e.sent_at is not None]
    if undelivered and now - min(undelivered) >= UNDELIVERED:
        return "not-delivered", min(undelivered)
    since = _unanswered(exchanges, now)
    return None if since is None else ("not-answered", since)


def _unanswered(exchanges: Sequence[Exchange], now: datetime) -> datetime | None:
    """Since when it owes an answer longer than it ever takes, and has said nothing at all meanwhile."""
    waiting = [e for e in exchanges if e.open and e.delivered_at is not None and e.answered_at is None]
    last_word = max((e.answered_at for e in exchanges if e.answered_at is not None), default=None)
    habit = habit_of(exchanges)
    if habit is None:
        late = [e.delivered_at for e in waiting if e.due is not None and e.due <= now and e.delivered_at is not None]
        late = [at for at in late if last_word is None or last_word < at]
        return min(late, default=None)
    first = min((e.delivered_at for e in waiting if e.delivered_at is not None), default=None)
    if first is None:
        return None
    since = first if last_word is None else max(first, last_word)
    return since if now - since > habit else None


def habit_of(exchanges: Sequence[Exchange]) -> timedelta | None:
    """How long it takes to answer, 95 of 100 times (nearest rank), and never less than `SHORTEST`. None: it has
    answered fewer than `ENOUGH` times."""
    took = sorted(
        e.answered_at - e.delivered_at for e in exchanges if e.answered_at is not None and e.delivered_at is not None
    )
    if len(took) < ENOUGH:
        return None
    return max(SHORTEST, took[ceil(len(took) * 95 / 100) - 1])
