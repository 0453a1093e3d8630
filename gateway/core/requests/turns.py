"""Whose turn it is in a request: who owes the next message. Pure; a test holds it against the clocks that run.

A party that waits for the other is never named as the one that is waited for: an answer that our own court has yet to
confirm waits for our court, papers that were asked for wait for whoever was asked for them.
"""

from __future__ import annotations

from gateway.core.records import Request
from gateway.core.requests.lifecycle import ANSWERED, By, is_done

_ASKER = frozenset({"awaiting-approval", "blocked", "supplement-wanted", *ANSWERED})
_GATEWAY = frozenset({"approved", "undeliverable"})
"""What has not reached the other side yet."""


def turn_of(request: Request) -> By | None:
    """None: nothing more is owed by anybody. gateway: it has yet to bring the request to the one who is asked."""
    if is_done(request):
        return None
    if request.state == "withdrawing":
        return "asked"
    if request.state in _ASKER or request.facts.get("objection"):
        return "asker"
    return "gateway" if request.state in _GATEWAY else "asked"


def waits_for(request: Request, home: str) -> str | None:
    """The code of the participant whose turn it is. home: of the court whose gateway this is."""
    turn = turn_of(request)
    return {None: None, "asker": request.asker, "asked": request.asked, "gateway": home}[turn]
