"""Approvals that are given after the submission, and the review of what was sent first (docs/adr/0014).

A group has one submission, so one decision: it counts for every member that waits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, Literal, cast

from gateway.application.answers import ApprovalList, ApprovalView
from gateway.application.context import Context
from gateway.application.conversation.apply_decision import carry_out
from gateway.application.conversation.apply_verb import settle
from gateway.application.conversation.posted_acts import JSON, Heard, hear, read_as
from gateway.application.idempotency import Before, Idempotency, remembered
from gateway.application.ports.store import Transaction
from gateway.application.posts import Answer, Handed
from gateway.application.submission.pending_approval import APPROVAL, GLASS_APPROVAL, GLASS_REVIEW, UNBOUND
from gateway.application.submission.retry_blocked import Mender
from gateway.application.submission.validate import Proof
from gateway.application.unit_of_work import UnitOfWork
from gateway.core.approvals import Approved, barred_from, check_act, check_approver, lacking
from gateway.core.records import ApprovalRow, Changes, Request, Submission
from gateway.core.requests.facts import BreakGlass
from gateway.core.requests.lifecycle import Step, decide
from gateway.core.routing import Client, Participant
from lianzhi.errors import RejectedError
from lianzhi.protocol.base import Model, Vocabulary, label
from lianzhi.protocol.envelope import Digest, RequestNo, is_request_no, parse_timestamp, timestamp
from lianzhi.protocol.times import AnyMoment
from lianzhi.protocol.values import Prose, Slug
from lianzhi.protocol.verbs import StaffNo
from schemas.bodies import Approval, Decided

APPROVE = "approve"
"""Last word of the type of a signed approval: `lianzhi.<matter type>.approve`."""


class ApprovalAct(Model):
    """A decision of a named person. at: absent, it is now. kind `review`: of what was sent before its approval."""

    request_no: Annotated[RequestNo | None, label("请求编号", "The request; required when signed")] = None
    by: Annotated[StaffNo, label("审批人", "Staff number of the approver")]
    role: Annotated[Slug, label("职务", "Role in which the approver decides")]
    decision: Annotated[Decided, label("决定", "Decision")]
    reason: Annotated[Prose | None, label("理由", "Reason")] = None
    at: Annotated[AnyMoment | None, label("时间", "When; absent: now")] = None
    over: Annotated[Digest | None, label("所审批内容的摘要", "Digest of what was approved (docs/adr/0024)")] = None
    kind: Annotated[
        Vocabulary[Annotated[Literal["approval"], "审批"] | Annotated[Literal["review"], "事后复核"]],
        label("种类", "Approval, or the review of what was sent first"),
    ] = "approval"


@dataclass(slots=True)
class _Case:
    """request: the one named; members: those of its group that the decision concerns, it among them."""

    request: Request
    members: list[Request]
    proof: Proof
    given: list[ApprovalRow]


class Approvals:
    def __init__(self, context: Context, wake: Callable[[], None]) -> None:
        self._ctx = context
        self._mender = Mender(context)
        self._once = Idempotency(context)
        self._wake = wake

    async def decide(self, handed: Handed, number: str) -> Answer:
        """number: of the request in the address. Raises RejectedError (named), StoreUnavailableError."""
        return await self._once.run_once(handed, partial(self._decide, handed, number))

    async def _decide(self, handed: Handed, number: str, before: Before) -> Answer:
        now, who = self._ctx.clock.now(), handed.participant
        request = await self._ctx.store.request(number) if is_request_no(number) else None
        if request is None or request.asker != who.code:
            raise RejectedError("unknown-request", pointer="/request_no")
        heard = hear(self._ctx, handed, number, now)
        act = read_as(ApprovalAct, heard.content)
        if act.request_no not in (None, number):
            raise RejectedError("misdirected", pointer="/request_no")
        await self._check_form(heard, act, request)
        return before.answer(heard.kept.digest) or await self._commit(handed, heard, act, number, now)

    async def listing(self, who: Participant, number: str) -> ApprovalList:
        """Raises RejectedError unknown-request, also for one that `who` did not open."""
        request = await self._ctx.store.request(number) if is_request_no(number) else None
        if request is None or request.asker != who.code:
            raise RejectedError("unknown-request", pointer="/request_no")
        views = [
            ApprovalView(
                kind=cast(Any, row.kind),
                by=row.approver,
                role=row.role,
                decision=cast(Any, row.decision),
                at=timestamp(row.at),
                recorded_at=timestamp(row.recorded_at),
            )
            for row in await self._ctx.store.approvals([number])
        ]
        awaited = [kind for kind in ("approval", "review") if awaits(request, kind)]
        return ApprovalList(request_no=number, state=request.state, approvals=views, awaited=awaited)

    async def _check_form(self, heard: Heard, act: ApprovalAct, request: Request) -> None:
        """Approvals of what was submitted signed are signed too. Raises RejectedError."""
        envelope = heard.envelope
        if envelope is None:
            opened = await self._ctx.store.submission_of(request.request_no)
            if opened is not None and opened.content_type != JSON:
                raise RejectedError("signature-required", pointer="/decision")
            return
        if envelope.matter_type != request.type or envelope.verb != APPROVE:
            raise RejectedError("misdirected", pointer="/type")
        if envelope.receiver != request.asked:
            raise RejectedError("misdirected", pointer="/receiver")
        if act.request_no is None:
            raise RejectedError("misdirected", pointer="/request_no")

    async def _commit(self, handed: Handed, heard: Heard, act: ApprovalAct, number: str, now: datetime) -> Answer:
        changes = Changes()
        async with self._ctx.store.begin() as tx:
            case = await self._case(tx, number, act.kind, now)
            at = act.at or timestamp(now)
            time = now if heard.envelope is None else parse_timestamp(heard.envelope.time)
            self._check(case, act, at, handed.participant, time, now)
            told = await self._carry(UnitOfWork(self._ctx, tx, changes, now), case, act)
            self._record(case, act, at, heard.kept, handed.client, changes, now)
            answer = Answer(202, told, f"/v1/requests/{number}/approvals")
            changes.submissions.append(heard.kept)
            changes.requests += case.members
            changes.idempotency.append(remembered(handed, answer, now, number))
            await tx.apply(changes)
        if changes.outbox:
            self._wake()
        return answer

    async def _case(self, tx: Transaction, number: str, kind: str, now: datetime) -> _Case:
        """Raises RejectedError approval-decided: nothing waits for such a decision."""
        request = (await tx.lock_requests([number]))[number]
        members = [request]
        if request.group_no is not None:
            group = await tx.lock_group(request.group_no, request.asker)
            members = [m for m in group if m.submission_id == request.submission_id]
        awaited = [m for m in members if awaits(m, kind)]
        if number not in [m.request_no for m in awaited]:
            raise RejectedError("approval-decided", pointer="/decision")
        proof = await self._mender.proof(tx, request, now)
        return _Case(request, awaited, proof, await tx.approvals([number]))

    def _check(
        self, case: _Case, act: ApprovalAct, at: str, participant: Participant, time: datetime, now: datetime
    ) -> None:
        """time: that the signed act names; of a plain one, now."""
        body = case.proof.submission
        barred = barred_from(drafter=body.drafted_by, handler=body.handler, backup=body.backup_handler, lead=body.lead)
        if act.kind == "review" and body.break_glass is not None:
            barred[body.break_glass.by] = ("approval-by-drafter", "先行发出的决定人", "who ordered it sent first")
        given = Approval(by=act.by, role=act.role, decision=act.decision, at=at, over=act.over)
        terms, ahead = self._ctx.settings.approvals, self._ctx.limits.ahead
        about = Approved(case.proof.over, time, terms.age_of(case.request.type), ahead, terms.required)
        agrees = act.kind == "approval" and act.decision == "approve"
        check_act(given, about, now=now, needed=agrees, code="approval-refused")
        check_approver(
            given,
            barred=barred,
            seen={a.approver for a in case.given if a.kind == act.kind},
            staff=participant.staff,
            now=now,
            code="approval-refused",
            ahead=ahead,
        )

    async def _carry(self, unit: UnitOfWork, case: _Case, act: ApprovalAct) -> dict[str, object]:
        rule = case.proof.matter.approvals(case.proof.payload)
        missing = lacking(rule, [*people_of(case.given), (act.by, act.role)]) if act.decision == "approve" else None
        for request in case.members:
            unit.tell(request, act.kind, detail=f"{act.role}:{act.decision}")
            if act.over is None and (act.kind, act.decision) == ("approval", "approve"):
                unit.tell(request, UNBOUND, detail=act.by)
            request.updated_at = unit.now
            if act.kind == "review":
                self._reviewed(request, act, unit.changes)
            elif act.decision == "reject":
                await self._rejected(unit, request)
            elif missing is None:
                await self._approved(unit, request, case.proof)
        return {
            "request_no": case.request.request_no,
            "state": case.request.state,
            "missing": [] if missing is None else [missing.rule],
            "requests": [{"request_no": m.request_no, "receiver": m.asked, "state": m.state} for m in case.members],
        }

    async def _approved(self, unit: UnitOfWork, request: Request, proof: Proof) -> None:
        if request.state == "awaiting-approval":
            unit.changes.clear_timer(request.request_no, APPROVAL)
            await self._mender.approved(unit, request, proof)
        else:
            _glass(request, {**request.facts["break_glass"], "state": "approved"})
            unit.changes.clear_timer(request.request_no, GLASS_APPROVAL)

    async def _rejected(self, unit: UnitOfWork, request: Request) -> None:
        """What waits is never sent. What was sent first is an incident: the court withdraws it, or ends its measure."""
        if request.state == "awaiting-approval":
            unit.changes.clear_timer(request.request_no, APPROVAL)
            decision = decide(request, Step("reject", "gateway", unit.now))
            carry_out(self._ctx, request, decision, unit.changes, unit.now)
            await settle(unit, request, {})
            return
        _glass(request, {**request.facts["break_glass"], "state": "rejected"})
        request.reason = "break-glass-rejected"
        unit.changes.clear_timer(request.request_no, GLASS_APPROVAL)
        unit.tell(request, "incident", detail="break-glass-rejected")

    def _reviewed(self, request: Request, act: ApprovalAct, changes: Changes) -> None:
        _glass(request, {**request.facts["break_glass"], "reviewed": act.decision})
        changes.clear_timer(request.request_no, GLASS_REVIEW)

    def _record(
        self,
        case: _Case,
        act: ApprovalAct,
        at: str,
        kept: Submission,
        client: Client,
        changes: Changes,
        now: datetime,
    ) -> None:
        changes.approvals += [
            ApprovalRow(
                request_no=request.request_no,
                kind=act.kind,
                approver=act.by,
                role=act.role,
                decision=act.decision,
                at=datetime.fromisoformat(at).astimezone(UTC),
                recorded_at=now,
                client=client.id,
                submission_id=kept.id,
            )
            for request in case.members
        ]


def awaits(request: Request, kind: str) -> bool:
    """Whether a decision of this kind (approval, review) is still wanted."""
    glass = request.facts.get("break_glass", {})
    if kind == "review":
        return bool(glass) and glass.get("reviewed") is None
    return request.state == "awaiting-approval" or glass.get("state") == "unapproved"


def people_of(rows: Sequence[ApprovalRow]) -> list[tuple[str, str]]:
    """(staff number, role) of who agreed."""
    return [(a.approver, a.role) for a in rows if a.kind == "approval" and a.decision == "approve"]


def _glass(request: Request, glass: BreakGlass) -> None:
    """The row's own dict is replaced, never changed in place: others may hold it."""
    request.facts = {**request.facts, "break_glass": glass}
    if request.reason in ("break-glass-unapproved", "break-glass-unreviewed"):
        request.reason = None
