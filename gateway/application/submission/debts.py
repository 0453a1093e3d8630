"""The debt of a case, and whether what is secured in fact covers it (查封扣押冻结规定 19; docs/adr/0036).

A case has one figure: the first that is stated. Another needs a reason, both are kept. Only what registers answered
refuses; what is merely asked for warns, for nobody knows yet what an account holds.
"""

from __future__ import annotations

from gateway.application.context import Context
from gateway.application.ports.measures import MeasureUnit
from gateway.application.submission.measures_asked import Asked
from gateway.application.unit_of_work import own_events
from gateway.core.control.sums import COUNTED, Sums, sums
from gateway.core.records import CaseDebt, Changes, Request
from lianzhi.errors import RejectedError
from lianzhi.problem import REASONS, FieldError
from schemas.catalogue import MeasureRule
from schemas.validation import rule_error

LISTING = "dishonest"


async def check_debt(context: Context, tx: MeasureUnit, asked: Asked, pending: Changes) -> None:
    """Of what asks for measures: a seal or a freeze is not too much; a listing where enough is secured is told.

    Raises RejectedError debt-differs, over-seizure.
    """
    rule, request = asked.rule, asked.requests[0]
    if rule is None or request.case_no is None or rule.action not in (*COUNTED, LISTING):
        return
    debt = await _debt(context, tx, rule, asked, pending)
    if debt is None:
        return
    secured = await _secured(tx, request, request.case_no, pending)
    values = [measure.amount for measure in asked.measures]
    if rule.action == LISTING:
        if secured.covers(debt):
            _warn(context, asked, "listing-warning", secured, debt)
    elif secured.covers(debt):
        raise _over(rule, secured, debt)
    elif secured.may_cover(debt, values):
        _warn(context, asked, "over-seizure-warning", secured, debt)


async def _debt(context: Context, tx: MeasureUnit, rule: MeasureRule, asked: Asked, pending: Changes) -> str | None:
    """The case's figure after this submission; a first or another one is written with it."""
    request = asked.requests[0]
    case_no = request.case_no or ""
    known = await tx.debts_of_case(request.asker, case_no)
    known += [d for d in pending.case_debts if (d.case_no, d.court) == (case_no, request.asker)]
    before = known[-1] if known else None
    if rule.debt is None or (before is not None and before.amount == rule.debt):
        return None if before is None else before.amount
    if before is not None and rule.debt_reason is None:
        raise _differs(before, rule.debt)
    asked.beside.case_debts.append(
        CaseDebt(
            court=request.asker,
            case_no=case_no,
            seq=1 if before is None else before.seq + 1,
            amount=rule.debt,
            at=request.created_at,
            by=request.handler or "",
            request_no=request.request_no,
            reason=None if before is None else rule.debt_reason,
        )
    )
    if before is not None:
        head = {"before": before.amount, "debt": rule.debt, "reason": rule.debt_reason}
        asked.beside.events += own_events(context, request, "debt-changed", request.created_at, head=head)
    return rule.debt


async def _secured(tx: MeasureUnit, request: Request, case_no: str, pending: Changes) -> Sums:
    own = request.asker
    beside = [m for m in pending.new_measures if (m.case_no, m.opener) == (case_no, own)]
    return sums([*await tx.case_measures(case_no, own), *beside])


def _warn(context: Context, asked: Asked, kind: str, secured: Sums, debt: str) -> None:
    request = asked.requests[0]
    head = secured.head(debt)
    asked.beside.events += own_events(context, request, kind, request.created_at, head=head)
    asked.warnings.append(rule_error(kind, "/payload", **head))


def _over(rule: MeasureRule, secured: Sums, debt: str) -> RejectedError:
    reason, figures = REASONS["over-seizure"], secured.head(debt)
    pointer = "/payload" if rule.debt is None else "/payload/debt_amount"
    zh = f"{reason.zh}（查封扣押冻结规定第 19 条）：已实际控制 {figures['in_fact']} 元，债务 {debt} 元"
    en = f"{reason.en} (SFK 19): {figures['in_fact']} secured in fact, the debt is {debt}"
    return RejectedError("over-seizure", [FieldError(pointer=pointer, rule="over-seizure", detail=zh, detail_en=en)])


def _differs(before: CaseDebt, stated: str) -> RejectedError:
    reason = REASONS["debt-differs"]
    zh = f"{reason.zh}（debt_reason）：本案登记为 {before.amount} 元（{before.request_no}），本件写 {stated} 元"
    en = f"{reason.en}: {before.amount} by {before.request_no}, {stated} here; mend it, or give `debt_reason`"
    error = FieldError(pointer="/payload/debt_amount", rule="debt-differs", detail=zh, detail_en=en)
    return RejectedError("debt-differs", [error])
