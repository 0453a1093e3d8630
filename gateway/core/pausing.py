"""When a participant's queue takes nothing: how long it is left alone, and how it is opened again (docs/adr/0023).

A queue that is full, missing or does not answer pauses its own route and nobody else's. After a wait one message is
tried. While trials succeed, twice as many may go each time, so that a queue which has room for a few is not met by
hundreds; one that is refused begins the wait anew. The pause is over when everything that waited has gone, or
`OPEN_AFTER` messages went at once.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from gateway.core.records import PausedRoute, PauseReason
from gateway.core.retry import Backoff
from gateway.core.routing import is_urgent

OPEN_AFTER = 64


def paused(route: str, reason: PauseReason, now: datetime, backoff: Backoff, *, told: bool) -> PausedRoute:
    """The pause of a route that was open until now."""
    participant = route.partition(".")[0]
    return PausedRoute(route, participant, reason, now, now + backoff.after(1), 1, 1, told)


def refused(
    pause: PausedRoute, reason: PauseReason, now: datetime, backoff: Backoff, *, some_went: bool
) -> PausedRoute:
    """After a trial of which at least one message was refused. some_went: there is room at times, so the wait does not
    grow."""
    failures = 1 if some_went else pause.failures + 1
    return replace(pause, reason=reason, until=now + backoff.after(failures), failures=failures, allowed=1)


def accepted(pause: PausedRoute, now: datetime, *, more_waits: bool) -> PausedRoute | None:
    """After a trial that went as a whole: twice as many at once, or None: the pause is over."""
    if not more_waits or pause.allowed >= OPEN_AFTER:
        return None
    return replace(pause, until=now, allowed=pause.allowed * 2)


def detail(pause: PausedRoute) -> str:
    """For the feed: `queue-full:police-610114`, with `.urgent` where it is that lane."""
    return f"{pause.reason}:{pause.participant}" + (".urgent" if is_urgent(pause.route) else "")
