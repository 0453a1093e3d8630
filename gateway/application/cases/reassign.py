"""交叉执行 (docs/domain.md 2.6): every open request and live measure of a case gets its new number and handler.

One transaction re-points them and sends a notice to each partner that holds something; its `read` acknowledges. A
conversation keeps the number that it was opened with on the wire, so answers under way stay right (docs/adr/0014).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Literal

from gateway.application.context import Context, new_id
from gateway.application.conversation.posted_acts import Heard, hear, read_as
from gateway.application.idempotency import Before, Idempotency, remembered
from gateway.application.ports.measures import Debts
from gateway.application.ports.store import Transaction
from gateway.application.posts import Answer, Handed
from gateway.application.submission.measure_rules import blocked_by
from gateway.application.submission.numbers import Numbers
from gateway.application.submission.submit import DERIVED, Prepared, Submitter, store_requests
from gateway.application.submission.validate import Prover
from gateway.application.unit_of_work import request_events
from gateway.core.approvals import check_staff
from gateway.core.control.moves import OPEN_STATES
from gateway.core.records import CaseDebt, Changes, Measure, Request, Submission
from gateway.core.requests.cases import REASSIGNED
from gateway.core.requests.lifecycle import is_done
from gateway.core.routing import check_handler
from gateway.core.time.calendar import SHANGHAI, local_day
from lianzhi.crypto.strictjson import dumps
from lianzhi.errors import ConflictError, RejectedError
from lianzhi.problem import FieldError
from lianzhi.protocol.base import Model, label
from lianzhi.protocol.values import Line, Name
from lianzhi.protocol.verbs import StaffNo
from schemas.legal import LegalRef
from schemas.validation import basis_warnings
from schemas.values.identifiers import CaseNo, CourtCode

REASSIGN = "case.reassign"
"""Matter word of the type of a signed reassignment: `lianzhi.case.reassign.open`, addressed to our own court."""
NOTICE = REASSIGNED
IN_COURT = "in-court-team"


class ReassignOrder(Model):
    """in-court-team: another handler or team of ours; nobody outside is told. Else another court goes on."""

    case_no: Annotated[CaseNo, label("原案号", "Case number until now")]
    mode: Annotated[
        Literal["order", "raise", "concentrate", "in-court-team"],
        label(
            "交叉执行方式",
            "How",
            {"order": "指令执行", "raise": "提级执行", "concentrate": "集中执行", IN_COURT: "院内团队调整"},
        ),
    ]
    new_case_no: Annotated[CaseNo | None, label("现案号", "Case number from now on; absent in our own court")] = None
    to_court: Annotated[CourtCode | None, label("现执行法院", "Court that goes on; absent in our own court")] = None
    handler: Annotated[StaffNo | None, label("本院承办人", "Who of our court looks after it from now on")] = None
    handler_name: Annotated[Name | None, label("现承办人", "Who handles it at the other court")] = None
    team: Annotated[Line | None, label("现办案团队", "Team that handles it now")] = None
    legal_basis: Annotated[list[LegalRef], label("法律依据", "Legal basis", min_length=1, max_length=20)]
    by: Annotated[StaffNo, label("经办人", "Staff number of who orders it")]


@dataclass(slots=True)
class _Held:
    """What a case still has. notices: (prepared, as stored), one for each partner that holds something."""

    requests: list[Request]
    open: list[Request]
    measures: list[Measure]
    notices: list[tuple[Prepared, Submission]]
    group_no: str | None = None

    @property
    def holders(self) -> list[str]:
        return sorted({r.asked for r in self.open} | {m.asked for m in self.measures})


class Reassigner:
    def __init__(self, context: Context, submitter: Submitter, numbers: Numbers, wake: Callable[[], None]) -> None:
        self._ctx = context
        self._submitter = submitter
        self._numbers = numbers
        self._prover = Prover(context)
        self._once = Idempotency(context)
        self._wake = wake

    async def reassign(self, handed: Handed) -> Answer:
        """Raises RejectedError (named), StoreUnavailableError."""
        return await self._once.run_once(handed, partial(self._reassign, handed), "/v1/groups")

    async def _reassign(self, handed: Handed, before: Before) -> Answer:
        now, who = self._ctx.clock.now(), handed.participant
        heard = hear(self._ctx, handed, "", now)
        order = read_as(ReassignOrder, heard.content)
        if heard.envelope is None:
            raise RejectedError("signature-required", pointer="/")
        if (heard.envelope.matter_type, heard.envelope.verb) != (REASSIGN, "open"):
            raise RejectedError("misdirected", pointer="/type")
        check_staff({"/by": order.by, "/handler": order.handler}, who.staff, now)
        if order.handler is not None:
            check_handler(who.staff[order.handler], NOTICE, self._ctx.today())
        _whole(order)
        if answer := before.answer(heard.kept.digest):
            return answer
        heard.kept.request_no = await self._numbers.next(who.code, now)
        return await self._commit(handed, heard, order, now)

    async def _commit(self, handed: Handed, heard: Heard, order: ReassignOrder, now: datetime) -> Answer:
        changes = Changes()
        held = await self._held(handed.participant.code, order.case_no)
        if held.holders and order.mode != IN_COURT:
            await self._notices(held, handed, heard, order, now)
        async with self._ctx.store.begin() as tx:
            if not held.holders:
                raise RejectedError("nothing-to-reassign", pointer="/case_no")
            await self._unchanged(tx, handed.participant.code, order, held)
            self._repoint(held, order, changes, now)
            changes.case_debts += await self._debt(tx, handed.participant.code, order)
            for prepared, stored in held.notices:
                store_requests(prepared, changes)
                changes.submissions.append(stored)
            changes.submissions.append(heard.kept)
            answer = _told(held, order, list(basis_warnings(order.legal_basis, local_day(now))))
            changes.idempotency.append(remembered(handed, answer, now))
            await tx.apply(changes)
        if changes.outbox:
            self._wake()
        return answer

    async def _held(self, court: str, case_no: str) -> _Held:
        """All of it, whatever its number."""
        requests = await self._ctx.store.requests_of_case(court, case_no)
        own = {r.request_no for r in requests}
        live = await self._ctx.store.measures_of_case(court, case_no, OPEN_STATES)
        measures = [m for m in live if m.request_no in own]
        return _Held(requests, [r for r in requests if not is_done(r) and r.type != NOTICE], measures, [])

    async def _notices(self, held: _Held, handed: Handed, heard: Heard, order: ReassignOrder, now: datetime) -> None:
        """Raises RejectedError: a partner that cannot be told stops it all; nobody may be left with the old number."""
        held.group_no = heard.kept.request_no
        for code in held.holders:
            content = self._notice(held, code, handed.participant.court_code, order, now)
            body = dumps({"from": heard.kept.id, "digest": heard.kept.digest, "content": content}).encode()
            identity = (new_id(), heard.kept.digest)
            proof = self._prover.derived(handed.participant, handed.client, content, identity, now)
            prepared = await self._submitter.prepare(handed, proof, now, group_no=held.group_no)
            stored = Submission(
                sender=handed.participant.code,
                id=identity[0],
                digest=hashlib.sha256(body).hexdigest(),
                content_type=DERIVED,
                body=body,
                client=handed.client.id,
                request_no=prepared.requests[0].request_no,
                at=now,
            )
            held.notices.append((prepared, stored))

    def _notice(
        self, held: _Held, receiver: str, court_code: str | None, order: ReassignOrder, now: datetime
    ) -> dict[str, Any]:
        payload = {
            "mode": order.mode,
            "from_court": court_code,
            "to_court": order.to_court,
            "old_case_no": order.case_no,
            "new_case_no": order.new_case_no,
            "effective_on": now.astimezone(SHANGHAI).date().isoformat(),
            "handler": order.handler_name,
            "team": order.team,
            "requests": [r.request_no for r in held.open if r.asked == receiver],
            "measures": [m.measure_no for m in held.measures if m.asked == receiver],
        }
        return {
            "type": NOTICE,
            "schema_version": self._ctx.catalogue[NOTICE].version,
            "receiver": receiver,
            "case_no": order.new_case_no,
            "legal_basis": list(order.legal_basis),
            "purpose": "reassign",
            "handler": order.handler or order.by,
            "drafted_by": order.by,
            "payload": {name: value for name, value in payload.items() if value is not None},
        }

    async def _unchanged(self, tx: Transaction, court: str, order: ReassignOrder, held: _Held) -> None:
        """Locks the case. Raises ConflictError when it moved, RejectedError measure-open when the new case has one of
        its measures already."""
        locked = await tx.lock_case(order.case_no, court)
        own = {r.request_no for r in locked}
        live = [m for m in await tx.case_measures(order.case_no, court) if m.state in OPEN_STATES]
        same = [(r.request_no, r.rev) for r in locked] == [(r.request_no, r.rev) for r in held.requests]
        if not same or [m for m in live if m.request_no in own] != held.measures:
            raise ConflictError("case-changed")
        new = order.new_case_no or order.case_no
        if new != order.case_no:
            await tx.lock_objects([m.object_key for m in held.measures])
            there = await tx.open_measures([(m.object_key, m.action, new) for m in held.measures])
            if mine := [m for m in there if m.opener == court]:
                raise blocked_by("measure-open", mine[0], "/new_case_no")

    async def _debt(self, tx: Debts, court: str, order: ReassignOrder) -> list[CaseDebt]:
        """The figure of the case goes with it, unless the new case has one."""
        new = order.new_case_no or order.case_no
        known = await tx.debts_of_case(court, order.case_no)
        if new == order.case_no or not known or await tx.debts_of_case(court, new):
            return []
        return [replace(known[-1], case_no=new, seq=1)]

    def _repoint(self, held: _Held, order: ReassignOrder, changes: Changes, now: datetime) -> None:
        new = order.new_case_no or order.case_no
        with_measure = {m.request_no for m in held.measures}
        for request in held.requests:
            if request not in held.open and request.request_no not in with_measure:
                continue
            if new != order.case_no:
                opened = request.facts.get("opened_case_no", order.case_no)
                request.facts = {**request.facts, "opened_case_no": opened}
                request.case_no = new
                changes.case_changes.append((request.request_no, new))
            request.handler = order.handler or request.handler
            request.updated_at = now
            changes.requests.append(request)
            changes.events += request_events(self._ctx, request, "reassigned", now, detail=order.mode)
        if new != order.case_no:
            changes.measures += [replace(m, case_no=new) for m in held.measures]


def _whole(order: ReassignOrder) -> None:
    """Another court needs its name and number; our own needs neither. Raises RejectedError invalid-field."""
    outside = order.mode != IN_COURT
    for name in ("new_case_no", "to_court"):
        if (getattr(order, name) is not None) != outside:
            detail = FieldError(
                pointer=f"/{name}",
                rule="reassign-target",
                detail="由另一法院执行的须写明现案号和现执行法院，院内调整不填",
                detail_en="Another court needs its code and its case number; a change inside our court has neither",
            )
            raise RejectedError("invalid-field", [detail])


def _told(held: _Held, order: ReassignOrder, warnings: Sequence[FieldError]) -> Answer:
    requests: Sequence[Request] = [p.requests[0] for p, _ in held.notices]
    body: dict[str, Any] = {
        "case_no": order.new_case_no or order.case_no,
        "requests": [r.request_no for r in held.open],
        "measures": [m.measure_no for m in held.measures],
        "notices": [{"request_no": r.request_no, "receiver": r.asked, "state": r.state} for r in requests],
    }
    if warnings:
        body["warnings"] = [w.model_dump() for w in warnings]
    if held.group_no is None:
        return Answer(202, body)
    return Answer(202, {**body, "group_no": held.group_no}, f"/v1/groups/{held.group_no}")
