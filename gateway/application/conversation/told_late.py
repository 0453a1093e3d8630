"""Checks whether a message kept the term within which its sender must report the fact (`MatterType.told_by`)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

from gateway.application.context import Context
from gateway.application.events import request_events
from gateway.core.records import Changes, Request
from gateway.core.time.calendar import SHANGHAI
from gateway.core.time.deadlines import due


def note_told(
    context: Context, request: Request, verb: str, data: Mapping[str, Any], said_at: datetime, changes: Changes
) -> None:
    """data: canonical; empty where the body is sealed to somebody else. said_at: the message's own time. Told late is
    an event of the request; what was told holds all the same."""
    found = context.catalogue[request.type].told_by(verb, data) if data else None
    if found is None:
        return
    day, deadline = found
    end = due(deadline, datetime.combine(date.fromisoformat(day), time(), SHANGHAI), context.calendars.now)
    request.facts["told"] = {"on": day, "due_on": end.on.isoformat()}
    if said_at >= end.at:
        changes.events += request_events(context, request, "overdue", context.clock.now(), detail="told-late")
