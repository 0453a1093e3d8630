"""Location results are destroyed when their time is over; what was signed about them stays verifiable.

A place found for a court is kept for at most 72 hours (docs/domain.md section 4; PIPL 19, 47: no longer than needed,
then deleted). Its disclosure is taken out of the store, wherever the message ended; the JWS stays, and so do its
digest, its events and the head: that something was found, and when, but not where.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from gateway.application.unit_of_work import UnitOfWork
from gateway.core.records import Changes, Message, Request, Timer
from lianzhi.protocol.cards import Classification
from schemas.catalogue import MatterType

DESTROY = "destroy:"
LONGEST_HOURS = 72
CONTENT = ("result", "correct")


def keep_for_its_time(matter: MatterType, message: Message, head: Mapping[str, Any] | None, changes: Changes) -> None:
    """Sets the end of a location result when it is stored. head: its codes in clear; `ttl_hours` may be shorter."""
    located = matter.result_class is Classification.LOCATION
    if message.request_no is None or message.verb not in CONTENT or not located:
        return
    hours = min(int((head or {}).get("ttl_hours") or LONGEST_HOURS), LONGEST_HOURS)
    due = message.stored_at + timedelta(hours=hours)
    changes.set_timer(Timer(message.request_no, f"{DESTROY}{message.sender}/{message.id}", due))


def destroy(unit: UnitOfWork, timer: Timer, request: Request) -> None:
    """Takes the content out: of the message, and of the same bytes in quarantine."""
    sender, _, message_id = timer.kind.removeprefix(DESTROY).partition("/")
    unit.changes.destroyed.append((sender, message_id))
    unit.tell(request, "destroyed", detail=message_id)
