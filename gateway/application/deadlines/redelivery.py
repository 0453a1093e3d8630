"""Sends again or asks again when a message of the other side is missing: a `delivered`, an acknowledgement, a number in
between.

Whoever may have lost something hears which number we take next, and sends everything of its own from there on again
(docs/adr/0031): with an `open` that goes again, once it has been answered after that, and when a number is missing.
"""

from __future__ import annotations

from gateway.application.context import Context
from gateway.application.conversation.apply_decision import GAP, WATCH, ask_for_the_rest
from gateway.application.conversation.compose import Composer
from gateway.application.inbound.notices import Told, notice_body, version_for
from gateway.application.ports.arrivals import NOTICE_WINDOW
from gateway.application.unit_of_work import UnitOfWork
from gateway.core.records import Event, Request, Timer
from gateway.core.requests.lifecycle import is_done
from lianzhi.errors import RejectedError
from lianzhi.protocol.envelope import GATEWAY_NOTICE, opener_of


def send_again(unit: UnitOfWork, timer: Timer, request: Request) -> bool:
    """The stored bytes again, so many times, each wait longer; then an incident that someone sees. Whether the
    request's row changed."""
    changes, now = unit.changes, unit.now
    settings, verb = unit.context.settings, timer.kind.removeprefix(WATCH)
    if timer.count >= settings.redeliver_times:
        request.reason = "delivery-overdue"
        request.updated_at = now
        unit.tell(request, "incident", detail=f"delivery-overdue:{verb}")
        return True
    wait = settings.redeliver_after * settings.redeliver_factor ** (timer.count + 1)
    changes.outbox_again.append((request.asker, request.marks[verb][0]))
    changes.set_timer(Timer(request.request_no, timer.kind, now + wait, timer.count + 1))
    unit.tell(request, "sent-again", detail=verb)
    unanswered = request.facts.get("unanswered", [])
    if verb not in unanswered:
        request.facts = {**request.facts, "unanswered": [*unanswered, verb]}
    ask_for_the_rest(request, "asked", changes, now)
    return verb not in unanswered


async def tell_expected(
    unit: UnitOfWork,
    composer: Composer,
    request: Request | None,
    side: str,
    *,
    about: str,
    number: str | None = None,
    put_off: int = 0,
) -> None:
    """A notice with the number that we take next from that side: once about the same; where half of the notices of this
    minute went, in a later one, so that what was refused can still be told. request: None where there is only its
    `number`. put_off: how often it was."""
    context, tx, changes, now = unit.context, unit.tx, unit.changes, unit.now
    request_no = request.request_no if request is not None else number or ""
    code = opener_of(request_no) if request is None else (request.asker if side == "asker" else request.asked)
    last = 0 if request is None else (request.asker_seq if side == "asker" else request.asked_seq)
    room = await tx.admit_notice(code, about, now, max(1, context.bounds.notices_per_minute // 2))
    if room == "full":
        context.reached.count("notices_per_minute", code)
        changes.set_timer(Timer(request_no, GAP + side, now + NOTICE_WINDOW, put_off + 1))
    if room != "free":
        return
    partner = context.participant(code)
    error = RejectedError("sequence-gap", pointer="/seqno")
    told = Told("", error, request_no=request_no, next_seqno=last + 1)
    body = notice_body(told, await version_for(context, tx, partner), context.identity.incarnation)
    composed = await composer.outside(partner, GATEWAY_NOTICE, body, now=now)
    changes.messages.append(composed.message)
    if composed.outbox is not None:
        changes.outbox.append(composed.outbox)


class GapWatch:
    def __init__(self, context: Context) -> None:
        self._composer = Composer(context)

    async def fell_due(self, unit: UnitOfWork, timer: Timer, request: Request | None) -> None:
        """A number is missing for too long: an event, and a notice that names it. timer.count: above 0 it is only the
        notice, put off, or about a number that may be missing; not where nothing can be missing any more."""
        side = timer.kind.removeprefix(GAP)
        last = 0 if request is None else (request.asker_seq if side == "asker" else request.asked_seq)
        if timer.count == 0:
            self._tell_us(unit, timer, request, side, last + 1)
        elif request is not None and is_done(request) and not request.held:
            return
        await tell_expected(
            unit,
            self._composer,
            request,
            side,
            about=f"gap:{timer.request_no}:{last + 1}",
            number=timer.request_no,
            put_off=timer.count,
        )

    def _tell_us(self, unit: UnitOfWork, timer: Timer, request: Request | None, side: str, missing: int) -> None:
        if request is not None:
            unit.tell(request, "gap", detail=f"{side}:{missing}")
            return
        home = unit.context.home.code
        unit.changes.events.append(
            Event(at=unit.now, audience=home, kind="gap", request_no=timer.request_no, detail=side)
        )
