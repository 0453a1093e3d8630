"""Events: what the feed, the timeline and the operators see. Codes and digests only."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gateway.application.context import Context
from gateway.core.records import Event, Held, Message, Request


def audiences(context: Context, request: Request) -> list[str]:
    """Whose feeds an event of this request stands in: its parties that use the API."""
    return [code for code in (request.asker, request.asked) if context.participant(code).local]


def request_events(
    context: Context,
    request: Request,
    kind: str,
    now: datetime,
    *,
    message: Message | Held | None = None,
    head: Mapping[str, Any] | None = None,
    detail: str | None = None,
) -> list[Event]:
    """One event for each local party; the case number only where that party may see it."""
    home = context.home.code
    return [
        Event(
            at=now,
            audience=audience,
            kind=kind,
            request_no=request.request_no,
            group_no=request.group_no,
            case_no=request.case_no if audience == home or request.facts.get("caseno") else None,
            type=request.type,
            verb=message.verb if message else None,
            state=request.state,
            message_id=_id_of(message),
            digest=message.digest if message else None,
            head=dict(head) if head else None,
            detail=detail,
        )
        for audience in audiences(context, request)
    ]


def own_events(
    context: Context, request: Request, kind: str, now: datetime, *, head: Mapping[str, Any], detail: str | None = None
) -> list[Event]:
    """For the asker alone: what is no business of the one asked, such as the debt."""
    events = request_events(context, request, kind, now, head=head, detail=detail)
    return [event for event in events if event.audience == request.asker]


def _id_of(message: Message | Held | None) -> str | None:
    return message.message_id if isinstance(message, Held) else message.id if message is not None else None
