"""The court records what happened to a terminated case 终本 (docs/domain.md 2.10). Its own word, about its own case:
no message leaves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from gateway.application.context import Context
from gateway.application.idempotency import Idempotency, remembered
from gateway.application.posts import Answer, Handed
from gateway.core.approvals import check_staff
from gateway.core.figures.ledgers import CLOSED, FOUND, MET, NOTHING_FOUND, RESUMED, LedgerItem, items
from gateway.core.records import Changes, Event, LedgerLine
from gateway.core.time.calendar import local_day
from lianzhi.crypto.strictjson import loads
from lianzhi.errors import RejectedError
from lianzhi.problem import FieldError
from lianzhi.protocol.rules import RULES
from schemas.closures import PRECONDITIONS, ClosureEvent
from schemas.validation import InvalidError, validate

LEDGER = "closure"
AT = "/v1/ledgers/closure"


class Closures:
    """For the home court alone; the caller must have checked that."""

    def __init__(self, context: Context) -> None:
        self._ctx = context
        self._once = Idempotency(context)

    async def record(self, handed: Handed) -> Answer:
        """Raises RejectedError: invalid-field, unknown-staff, closure-exists, unknown-closure, closure-over."""
        return await self._once.run_once(handed, lambda _: self._record(handed))

    async def _record(self, handed: Handed) -> Answer:
        now = self._ctx.clock.now()
        return await self._write(handed, self._checked(handed, now), now)

    def _checked(self, handed: Handed, now: datetime) -> ClosureEvent:
        try:
            event = validate(ClosureEvent, loads(handed.body, depth=self._ctx.limits.json_depth), said_at=now)
        except InvalidError as error:
            raise RejectedError("invalid-field", error.errors) from error
        check_staff({"/by": event.by}, handed.participant.staff, now)
        return event

    async def _write(self, handed: Handed, event: ClosureEvent, now: datetime) -> Answer:
        async with self._ctx.store.begin() as tx:
            lines = await tx.ledger_item(LEDGER, event.case_no)
            self._may(event, lines, now)
            entered = _lines(event, now)
            changes = Changes(ledger=entered)
            what = entered[0].kind if event.event != "preconditions" else "preconditions"
            kind = "resumption-proposed" if what == FOUND else "closure"
            changes.events.append(
                Event(at=now, audience=self._ctx.home.code, kind=kind, case_no=event.case_no, detail=what)
            )
            fresh = {line.source for line in entered}
            standing = self._standing([*(line for line in lines if line.source not in fresh), *entered], now)
            answer = Answer(201, _answer(event, standing), AT)
            changes.idempotency.append(remembered(handed, answer, now))
            await tx.apply(changes)
        return answer

    def _standing(self, lines: Sequence[LedgerLine], now: datetime) -> LedgerItem:
        [found] = items(lines, local_day(now), self._ctx.settings.ledgers)
        return found

    def _may(self, event: ClosureEvent, lines: Sequence[LedgerLine], now: datetime) -> None:
        if event.event == "closed":
            if lines:
                raise RejectedError("closure-exists", pointer="/case_no")
            return
        if not lines:
            raise RejectedError("unknown-closure", pointer="/case_no")
        if event.on < min(line.day for line in lines if line.kind == CLOSED):
            raise _broken("before-closure", "/on")
        if not self._standing(lines, now).open:
            raise RejectedError("closure-over", pointer="/case_no")


def _lines(event: ClosureEvent, now: datetime) -> list[LedgerLine]:
    """That of the event itself first, then one for each precondition that is met."""
    met = [
        LedgerLine(LEDGER, event.case_no, f"{MET}{one.item}", f"{MET}{one.item}", one.on, now)
        for one in event.preconditions or ()
    ]
    return met if event.event == "preconditions" else [_line(event, now), *met]


def _line(event: ClosureEvent, now: datetime) -> LedgerLine:
    kind = {"closed": CLOSED, "resumed": RESUMED}.get(event.event, FOUND if event.found else NOTHING_FOUND)
    return LedgerLine(
        ledger=LEDGER,
        item_no=event.case_no,
        source=f"{event.event}:{event.on}",
        kind=kind,
        day=event.on,
        at=now,
        settles=event.event == "resumed",
        case_no=event.resumed_as or event.case_no,
        team=event.team,
    )


def _answer(event: ClosureEvent, standing: LedgerItem) -> dict[str, Any]:
    """missing: of a closing, the preconditions that nobody has entered; shown, not asked for."""
    due = {} if standing.due_on is None else {"due_on": str(standing.due_on)}
    asked = event.event in ("closed", "preconditions")
    missing = {"missing": [one for one in PRECONDITIONS if one not in standing.met]} if asked else {}
    return {"case_no": event.case_no, "state": standing.state, **due, **missing}


def _broken(rule: str, pointer: str) -> RejectedError:
    text = RULES[rule]
    return RejectedError("invalid-field", [FieldError(pointer=pointer, rule=rule, detail=text.zh, detail_en=text.en)])
