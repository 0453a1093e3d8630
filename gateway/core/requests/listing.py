"""By what operators find requests that are not done: when they are due, and for whom they wait. Pure.

Each is stored beside the request whenever it is written (`gateway.store.tables`), so that a list is a range of an
index.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from gateway.core.records import Request
from gateway.core.requests.turns import turn_of

Turn = Literal["approval", "asker", "asked", "gateway"]
Waits = Literal["us", "partner", "approval"]
"""us: the court, or its gateway that has yet to bring it there; partner: the other side; approval: an approval that
the court has asked for."""
Order = Literal["due", "age"]
"""due: by deadline, the earliest first, without those that have none; age: the oldest first."""

OUT: Mapping[Waits | None, tuple[str, ...]] = {
    "us": ("gateway", "asker"),
    "partner": ("asked",),
    "approval": ("approval",),
    None: ("gateway", "asker", "asked", "approval"),
}
"""Whose turn it is where the court asks."""
IN: Mapping[Waits | None, tuple[str, ...]] = {
    "us": ("asked",),
    "partner": ("asker", "gateway"),
    "approval": (),
    None: ("gateway", "asker", "asked", "approval"),
}
"""Where it is asked."""


def listed_turn(request: Request) -> Turn | None:
    """None: it is done, and stands in no list of what is open."""
    return "approval" if request.state == "awaiting-approval" else turn_of(request)


def listed_due(request: Request) -> datetime | None:
    """None: it is done, has no deadline that is known, or its clock stands still."""
    due = request.facts.get("due")
    if due is None or "paused" in due or turn_of(request) is None:
        return None
    return datetime.fromisoformat(due["at"])


def listed_team(request: Request) -> str | None:
    return request.facts.get("team")


def listed_campaign(request: Request) -> str | None:
    return request.facts.get("campaign")


def listed_lead(request: Request) -> str | None:
    return request.facts.get("lead")
