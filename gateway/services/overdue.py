"""What did not come from the other side: a `delivered`, an acknowledgement, a number in between."""

from __future__ import annotations

from datetime import datetime

from gateway.core.records import Changes, Event, Request, Timer
from gateway.errors import RejectedError
from gateway.services.carry import GAP, WATCH
from gateway.services.compose import Composer
from gateway.services.context import Context
from gateway.services.feed import request_events
from gateway.services.ports import Transaction


def send_again(context: Context, request: Request, timer: Timer, changes: Changes, now: datetime) -> bool:
    """The stored bytes again, so many times, each wait longer; then an incident that someone sees. Whether the
    request's row changed."""
    settings, verb = context.settings, timer.kind.removeprefix(WATCH)
    if timer.count >= settings.redeliver_times:
        request.reason = "delivery-overdue"
        request.updated_at = now
        changes.events += request_events(context, request, "incident", now, detail=f"delivery-overdue:{verb}")
        return True
    wait = settings.redeliver_after * settings.redeliver_factor ** (timer.count + 1)
    changes.outbox_again.append((request.asker, request.marks[verb][0]))
    changes.set_timer(Timer(request.request_no, timer.kind, now + wait, timer.count + 1))
    changes.events += request_events(context, request, "sent-again", now, detail=verb)
    return False


class GapWatch:
    def __init__(self, context: Context) -> None:
        self._ctx = context
        self._composer = Composer(context)

    async def fell_due(
        self, tx: Transaction, timer: Timer, request: Request | None, changes: Changes, now: datetime
    ) -> None:
        """A number is missing for too long: an event, and a notice that names it."""
        side = timer.kind.removeprefix(GAP)
        code = (
            timer.request_no.rsplit("-", 2)[0]
            if request is None
            else (request.asker if side == "asker" else request.asked)
        )
        last = 0 if request is None else (request.asker_seq if side == "asker" else request.asked_seq)
        if request is not None:
            changes.events += request_events(self._ctx, request, "gap", now, detail=f"{side}:{last + 1}")
        else:
            changes.events.append(
                Event(at=now, audience=self._ctx.home.code, kind="gap", request_no=timer.request_no, detail=side)
            )
        if not await tx.notice_allowed(
            code, f"gap:{timer.request_no}:{last + 1}", now, self._ctx.settings.notices_per_minute
        ):
            return
        composed = await self._composer.notice(
            self._ctx.participant(code),
            "",
            RejectedError("sequence-gap", pointer="/seqno"),
            now=now,
            request_no=timer.request_no,
            next_seqno=last + 1,
        )
        changes.messages.append(composed.message)
        if composed.outbox is not None:
            changes.outbox.append(composed.outbox)
