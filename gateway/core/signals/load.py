"""How much lies where, as the store counts it for a monitor: plain data, without a name or a number of anybody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from gateway.core.requests.listing import Waits


@dataclass(slots=True)
class PartnerLoad:
    """Of one partner. owes: requests that it has yet to answer; overdue, due_soon: of these. undelivered: requests to
    it that it does not show to have; oldest_*: when the oldest of them, and of those it has and has not answered, was
    made. dead: messages to it that no queue has. ready: lane → messages that could go to it now."""

    owes: int = 0
    overdue: int = 0
    due_soon: int = 0
    undelivered: int = 0
    oldest_undelivered: datetime | None = None
    oldest_unanswered: datetime | None = None
    dead: int = 0
    ready: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Load:
    """partners: by code, without those about which there is nothing to say. overdue, due_soon: open requests by whom
    they wait for. quarantine_open: rows that nobody has dealt with, by reason."""

    partners: Mapping[str, PartnerLoad]
    overdue: Mapping[Waits, int]
    due_soon: Mapping[Waits, int]
    quarantine_open: Mapping[str, int]
