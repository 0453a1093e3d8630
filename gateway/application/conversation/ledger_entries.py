"""Enters lines into the ledgers, in the unit of work that decides what they say (docs/adr/0017).

Which line, the catalogue says (`MatterType.ledger`, `ledger_answer`); that something left, was refused, returned,
withdrawn or reopened is the same for every type and entered here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from gateway.application.context import Context
from gateway.core.figures.histories import team_of
from gateway.core.figures.ledgers import REOPENED, SENT, TAKEN_BACK, TURNED_AWAY
from gateway.core.records import Changes, LedgerLine, Request
from gateway.core.requests.lifecycle import FIRST
from gateway.core.requests.platform import platform_line, standing
from gateway.core.time.calendar import local_day
from gateway.core.time.deadlines import ends_on
from schemas.ledgers import BEGINNINGS, OPENED, LedgerEntry

LEFT = frozenset(FIRST.values())
OVER = frozenset({"refused", "returned", "rejected", "withdrawn"})
BY_ANSWER = frozenset({"refusal", "bankruptcy"})
"""Ledgers whose items are due with the answer: a court's own rule for it (`law/answer-terms.toml`) is theirs too."""


def book_opening(context: Context, request: Request, payload: Any, changes: Changes, now: datetime) -> None:
    """payload: the validated model. The request remembers its item in its facts."""
    entry = context.catalogue[request.type].ledger(payload)
    if entry is None or not _concerns(context, request, entry):
        return
    if "told" in request.facts:
        entry = replace(entry, due_on=request.facts["told"]["due_on"])
    request.facts["ledger"] = [entry.ledger, entry.item or request.request_no, entry.kind in BEGINNINGS]
    changes.ledger.append(_line(context, request, entry, request.request_no, now))
    book_state(context, request, changes, now, sent=True)


def book_answer(
    context: Context, request: Request, verb: str, data: Mapping[str, Any], changes: Changes, now: datetime
) -> None:
    """data: canonical; empty where the body is sealed to somebody else."""
    if "ledger" not in request.facts or not data:
        return
    if verb == "reopen":
        again = LedgerEntry(request.facts["ledger"][0], REOPENED)
        source = f"{request.request_no}:{REOPENED}:{request.asker_seq}"
        changes.ledger.append(_line(context, request, again, source, now))
        return
    entry = context.catalogue[request.type].ledger_answer(verb, data)
    if entry is not None:
        source = f"{request.request_no}:{'answer' if entry.settles else entry.kind}"
        changes.ledger.append(_line(context, request, entry, source, now))


def book_turned_away(context: Context, request: Request, message_id: str, changes: Changes, now: datetime) -> None:
    """An answer that the law does not know (`MatterType.answers_instead`): nothing is settled by it, and it is seen."""
    if "ledger" in request.facts:
        entry = LedgerEntry(request.facts["ledger"][0], TURNED_AWAY)
        changes.ledger.append(_line(context, request, entry, f"{request.request_no}:{TURNED_AWAY}:{message_id}", now))


def book_state(context: Context, request: Request, changes: Changes, now: datetime, *, sent: bool) -> None:
    """sent: whether the state may be new because the message left (nobody said anything); of ours alone.

    A request that did not begin its item takes its own line back when it comes to nothing."""
    if request.state in OVER:
        _needs_no_number(request, changes, now)
    if "ledger" not in request.facts:
        return
    ledger, _, began = request.facts["ledger"]
    state = request.state
    if state in OVER:
        ended = LedgerEntry(ledger, state, settles=True) if began else LedgerEntry(ledger, TAKEN_BACK)
        source = f"{request.request_no}:{state}" if began else request.request_no
        changes.ledger.append(_line(context, request, ended, source, now))
    elif sent and began and state in LEFT and request.asker == context.home.code:
        left = LedgerEntry(ledger, SENT)
        changes.ledger.append(_line(context, request, left, f"{request.request_no}:{SENT}", now))


def _concerns(context: Context, request: Request, entry: LedgerEntry) -> bool:
    return not entry.receivers or context.participant(request.asked).kind in entry.receivers


def _due_on(context: Context, request: Request, entry: LedgerEntry) -> str | None:
    if entry.term is not None:
        name, since = entry.term
        return ends_on(name, since, context.calendars.now).isoformat()
    begins = entry.kind in (OPENED, SENT) and entry.ledger in BY_ANSWER
    if begins and entry.due_on is None and "term" in request.facts:
        return request.facts["term"]["on"]
    return entry.due_on


def _line(context: Context, request: Request, entry: LedgerEntry, source: str, now: datetime) -> LedgerLine:
    home = context.home.code
    return LedgerLine(
        ledger=entry.ledger,
        item_no=request.facts["ledger"][1],
        source=source,
        kind=entry.kind,
        day=entry.on or local_day(now).isoformat(),
        at=now,
        settles=entry.settles,
        due_on=_due_on(context, request, entry),
        amount=entry.amount,
        case_no=request.case_of(home),
        request_no=request.request_no,
        partner=request.asker if request.asked == home else request.asked,
        team=team_of(request),
    )


def _needs_no_number(request: Request, changes: Changes, now: datetime) -> None:
    """A request that came to nothing needs no number any more."""
    if standing(request) == "missing":
        source = f"{request.request_no}:{request.state}"
        changes.ledger.append(
            platform_line(request, request.state, source, local_day(now).isoformat(), now, settles=True)
        )
