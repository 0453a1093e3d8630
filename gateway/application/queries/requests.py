"""What the API reads. A participant sees the requests that it asks or is asked in; any other does not exist for it.

Who reads the content of messages is logged: who, which request, how many; never what stood in them.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, cast

import structlog

from gateway.application.answers import (
    FeedEvent,
    FeedPage,
    MessageList,
    MessageView,
    RequestPage,
    RequestView,
    Timeline,
    TimelineEvent,
)
from gateway.application.context import Context
from gateway.application.conversation.read_message import Reader
from gateway.application.cursors import (
    FIRST,
    event_after,
    event_cursor,
    feed_after,
    feed_cursor,
    message_after,
    message_cursor,
    page_after,
    page_cursor,
)
from gateway.application.ports.lists import RequestFilter
from gateway.application.queries.missing_papers import missing_papers
from gateway.core.records import Event, Message, Request
from gateway.core.requests.lifecycle import ANSWERED, BEFORE, is_done
from gateway.core.requests.platform import number_of, standing
from gateway.core.requests.questioning import STEPS
from gateway.core.requests.turns import waits_for
from gateway.core.routing import Participant
from lianzhi.crypto.seal import recipient_of
from lianzhi.errors import RejectedError
from lianzhi.protocol.envelope import is_request_no, timestamp

log = structlog.get_logger("access")

UNSENT = frozenset({*BEFORE, "undeliverable"})
READABLE = frozenset({"sent", "applied", "overtaken"})


class Queries:
    """who: the participant that asks. Every method raises StoreUnavailableError."""

    def __init__(self, context: Context) -> None:
        self._ctx = context
        self._reader = Reader(context)

    async def request(self, who: Participant, number: str) -> RequestView:
        """Raises RejectedError unknown-request, also for one that is none of `who`'s business."""
        request = await self._visible(who, number)
        missing = await missing_papers(self._ctx, request) if who.code == request.asker else None
        return self.view(who, request).model_copy(update={"missing": missing})

    async def requests(self, who: Participant, where: RequestFilter) -> RequestPage:
        """One page in order of the number; `where.after` is a cursor. Raises RejectedError bad-cursor."""
        after = None if where.after is None else page_after(where.after)
        found = await self._ctx.store.requests(replace(where, participant=who.code, after=after, limit=where.limit + 1))
        page = found[: where.limit]
        more = page_cursor(page[-1].request_no) if len(found) > where.limit else None
        return RequestPage(requests=[self.view(who, r) for r in page if _reached(who, r)], next=more)

    async def messages(self, who: Participant, reader: str, number: str, cursor: str | None, limit: int) -> MessageList:
        """reader: the client, for the access log. What quarantine holds of the request is not among them."""
        request = await self._visible(who, number)
        after = (FIRST, "") if cursor is None else message_after(cursor)
        found = await self._ctx.store.message_page(number, after, limit + 1)
        stored, last = found[:limit], None
        if len(found) > limit:
            last = message_cursor(stored[-1].stored_at, stored[-1].id)
        views = [await self._message(m) for m in stored]
        log.info(
            "messages-read",
            participant=who.code,
            client=reader,
            request_no=number,
            type=request.type,
            messages=len(views),
        )
        return MessageList(request_no=number, messages=views, next=last)

    async def timeline(self, who: Participant, number: str, cursor: str | None, limit: int) -> Timeline:
        await self._visible(who, number)
        after = 0 if cursor is None else event_after(cursor)
        found = await self._ctx.store.timeline_page(number, who.code, after, limit + 1)
        events = found[:limit]
        last = event_cursor(events[-1].id or 0) if len(found) > limit else None
        return Timeline(request_no=number, events=[_timeline_event(e) for e in events], next=last)

    async def feed(self, who: Participant, cursor: str | None, limit: int, client: str | None = None) -> FeedPage:
        """What stands in `who`'s feed after `cursor`; None: from the oldest. client: who asks, so that a monitor sees
        how far it has read. Raises bad-cursor, cursor-gone, other-incarnation."""
        store, ages = self._ctx.store, self._ctx.identity.ages
        after = 0 if cursor is None else feed_after(cursor, await store.first_event(), ages)
        if client is not None:
            self._ctx.tallies.read_to(client, who.code, after)
        events = await store.events(who.code, after, limit)
        views = [_feed_event(e, feed_cursor(e.id or after, e.at, ages)) for e in events]
        last = views[-1].cursor if views else cursor
        return FeedPage(events=views, cursor=last or feed_cursor(0, self._ctx.clock.now(), ages))

    async def _visible(self, who: Participant, number: str) -> Request:
        request = await self._ctx.store.request(number) if is_request_no(number) else None
        if request is None or who.code not in (request.asker, request.asked) or not _reached(who, request):
            raise RejectedError("unknown-request", pointer="/request_no")
        return request

    def view(self, who: Participant, request: Request) -> RequestView:
        """As `who`, one of its two sides, may see it."""
        asks = who.code == request.asker
        seen = asks or self._is_home(who) or request.facts.get("caseno")
        return RequestView(
            request_no=request.request_no,
            type=request.type,
            version=request.version,
            shape=cast(Any, request.shape),
            state=request.state,
            done=is_done(request),
            waits_for=waits_for(request, self._ctx.home.code),
            asker=request.asker,
            asked=request.asked,
            lane=cast(Any, request.lane),
            case_no=request.case_no if seen else None,
            case_claimed=True if seen and request.case_of(who.code) != request.case_no else None,
            group_no=request.group_no,
            break_glass=_glass(request) if asks else None,
            platform=standing(request) if asks else None,
            platform_no=number_of(request) if asks else None,
            related=request.related,
            handler=request.handler if asks else None,
            reason=request.reason if asks else None,
            too_late=True if request.facts.get("too_late") else None,
            backup_handler=request.facts.get("backup") if asks else None,
            **deadline_of(request),
            **({} if asks else questioning_of(request)),
            created_at=timestamp(request.created_at),
            updated_at=timestamp(request.updated_at),
        )

    def _is_home(self, who: Participant) -> bool:
        return who.code == self._ctx.home.code

    async def _message(self, message: Message) -> MessageView:
        return MessageView(
            message_id=message.id,
            sender=message.sender,
            receiver=message.receiver,
            verb=message.verb,
            seqno=message.seqno,
            time=timestamp(message.time),
            stored_at=timestamp(message.stored_at),
            disposition=cast(Any, message.disposition),
            digest=message.digest,
            bytes=f"{message.jws}~" if message.disclosure is None else f"{message.jws}~{message.disclosure}~",
            **await self._content(message),
        )

    async def _content(self, message: Message) -> dict[str, Any]:
        """head, and the canonical data or, where we cannot open it, the sealed part."""
        if message.disclosure is None:
            return {"destroyed": True}
        arrived = await self._reader.again(message.jws, message.disclosure)
        parsed = arrived.parsed
        content: dict[str, Any] = {"head": parsed.event["data"].get("head")}
        unopened = parsed.content_kind == "sealed" and (arrived.sealed_to is not None or arrived.fault is not None)
        if unopened:
            content |= {"sealed": parsed.content, "sealed_to": arrived.sealed_to or recipient_of(parsed.content)}
        elif arrived.fault is None and message.disposition in READABLE:
            content["data"] = arrived.data
        return content


def _reached(who: Participant, request: Request) -> bool:
    """The one asked learns of a request when it is sent, not before; one withdrawn before that it never had."""
    if who.code == request.asker:
        return True
    return request.state not in UNSENT and (request.state != "withdrawn" or "withdraw" in request.marks)


def deadline_of(request: Request) -> dict[str, Any]:
    """The members of a view that tell its deadline. A clock that has stopped for good is not `paused`."""
    due = request.facts.get("due")
    if due is None:
        return {}
    waits = "paused" in due and request.state not in ANSWERED and not is_done(request)
    return {
        "due_at": timestamp(datetime.fromisoformat(due["at"])),
        "due_on": due["on"],
        "provisional": True if due["provisional"] else None,
        "paused": True if waits else None,
    }


def questioning_of(request: Request) -> dict[str, Any]:
    """The members of a view that tell until when whoever was handed over may be questioned."""
    fact = request.facts.get("questioning")
    if fact is None:
        return {}
    return {f"questioning_{step}": timestamp(datetime.fromisoformat(fact[step])) for step in STEPS}


def _timeline_event(event: Event) -> TimelineEvent:
    return TimelineEvent(
        at=timestamp(event.at),
        kind=event.kind,
        state=event.state,
        verb=event.verb,
        message_id=event.message_id,
        digest=event.digest,
        head=event.head,
        detail=event.detail,
    )


def _glass(request: Request) -> str | None:
    glass = request.facts.get("break_glass")
    if glass is None:
        return None
    return "reviewed" if glass.get("reviewed") and glass["state"] == "approved" else str(glass["state"])


def _feed_event(event: Event, cursor: str) -> FeedEvent:
    return FeedEvent(
        cursor=cursor,
        at=timestamp(event.at),
        kind=event.kind,
        request_no=event.request_no,
        group_no=event.group_no,
        case_no=event.case_no,
        type=event.type,
        verb=event.verb,
        state=event.state,
        message_id=event.message_id,
        head=event.head,
    )
