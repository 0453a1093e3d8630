"""Applies a verb to its request, whoever sent it: a partner by a message, or a party that uses the API.

Beside the state (`apply_decision`), the measures and the ledger, a verb decides three things that stand here: whose
case the request belongs to, whether its sender reported a fact within the term of law, and how long a place is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from gateway.application.context import Context
from gateway.application.conversation.alert_effects import follow_alert
from gateway.application.conversation.apply_decision import carry_out
from gateway.application.conversation.ledger_entries import book_answer
from gateway.application.conversation.measure_effects import settle_measures
from gateway.application.unit_of_work import UnitOfWork, request_events
from gateway.core.records import Changes, Message, Request, Side, Timer
from gateway.core.requests.lifecycle import Decision
from gateway.core.time.calendar import SHANGHAI
from gateway.core.time.deadlines import due
from lianzhi.protocol.cards import Classification
from schemas.catalogue import MatterType

TAKES_UP = frozenset({"accept", "progress", "result", "read", "acknowledge", "send-team", "identity-check", "handover"})
"""Verbs by which the one asked makes a request its own business. `delivered` is the system's word, `receipt` says that
it has come; to refuse, to return or to ask for more takes nothing up."""
DESTROY = "destroy:"
LONGEST_HOURS = 72
CONTENT = ("result", "correct")


async def apply_verb(
    unit: UnitOfWork,
    request: Request,
    verb: str,
    decision: Decision,
    *,
    by: Side,
    data: Mapping[str, Any],
    said_at: datetime,
    message: Message | None = None,
    head: Mapping[str, Any] | None = None,
) -> None:
    """`decision` on `verb`, carried out: case, state with clocks and events, measures, terms, ledger, in this order.

    data: canonical; empty where the body is sealed to somebody else. said_at: the message's own time. message: None
    where nothing is sent, since what it withdraws never was; head: its codes in clear.
    """
    if by == "asked":
        join_case(request, verb, unit.changes)
    carry_out(unit.context, request, decision, unit.changes, unit.now, message=message, head=head)
    await settle(unit, request, data)
    note_told(unit.context, request, verb, data, said_at, unit.changes)
    book_answer(unit.context, request, verb, data, unit.changes, unit.now)


async def settle(unit: UnitOfWork, request: Request, said: Mapping[str, Any]) -> None:
    """Measures and pages after `request` has come to a new state. said: canonical data; empty where nobody said it."""
    await follow_alert(unit, request, said)
    await settle_measures(unit, request, said)


# --- whose case a request belongs to: the asker's as it opens, that of the one asked by its own act (docs/adr/0025)


def join_case(request: Request, verb: str, changes: Changes) -> None:
    """After the one asked has said `verb`: the case that the asker named is its own from now on, also in its ledger."""
    if verb not in TAKES_UP or request.case_no is None or request.asked_case_no is not None:
        return
    request.asked_case_no = request.case_no
    if "ledger" in request.facts:
        ledger, item_no, _ = request.facts["ledger"]
        changes.ledger_cases.append((request.case_no, ledger, item_no, request.request_no))


# --- whether a message kept the term within which its sender must report the fact (`MatterType.told_by`)


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


# --- location results are destroyed when their time is over; what was signed about them stays verifiable
#
# A place found for a court is kept for at most 72 hours (docs/domain.md section 4; PIPL 19, 47: no longer than needed,
# then deleted). Its disclosure is taken out of the store, wherever the message ended; the JWS stays, and so do its
# digest, its events and the head: that something was found, and when, but not where.


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
