"""Applies a verb to its request, whoever sent it: a partner by a message, or a party that uses the API."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gateway.application.conversation.apply_decision import carry_out
from gateway.application.conversation.case_of_request import join_case
from gateway.application.conversation.ledger_entries import book_answer
from gateway.application.conversation.measure_effects import settle_measures
from gateway.application.conversation.told_late import note_told
from gateway.application.unit_of_work import UnitOfWork
from gateway.core.records import Message, Request, Side
from gateway.core.requests.lifecycle import Decision


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
    await settle_measures(unit, request, data)
    note_told(unit.context, request, verb, data, said_at, unit.changes)
    book_answer(unit.context, request, verb, data, unit.changes, unit.now)
