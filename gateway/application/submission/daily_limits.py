"""Limits a day: a handler's sensitive queries, a court's sendings before approval (docs/domain.md section 4)."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.application.context import Context
from gateway.application.events import request_events
from gateway.application.ports.budgets import BudgetUnit
from gateway.application.submission.validate import Proof
from gateway.core import measures
from gateway.core.approvals import SHANGHAI
from gateway.core.records import Changes, Request, SubjectUse
from lianzhi.errors import RejectedError
from lianzhi.problem import FieldError

EVERYBODY = "*"
BREAK_GLASS = "break-glass"


class DailyLimits:
    def __init__(self, context: Context) -> None:
        self._ctx = context

    async def count(self, tx: BudgetUnit, proof: Proof, requests: Sequence[Request], changes: Changes) -> None:
        """Raises RejectedError handler-limit, break-glass-limit. Call it last: what is counted stays counted."""
        first, settings = requests[0], self._ctx.settings
        day = first.created_at.astimezone(SHANGHAI).strftime("%Y%m%d")
        if first.facts.get("break_glass") is not None:
            most = settings.break_glass_per_day
            if not await tx.take_use(proof.sender, EVERYBODY, day, BREAK_GLASS, most):
                raise _used_up("break-glass-limit", "/break_glass", most)
        subjects = proof.matter.subjects(proof.payload)
        if not subjects:
            return
        handler, most = proof.submission.handler, settings.sensitive_per_day
        if not await tx.take_use(proof.sender, handler, day, family(proof.matter.name), most):
            raise _used_up("handler-limit", "/handler", most)
        await self._note(tx, first, handler, [words for _, words in subjects], changes)

    async def _note(
        self, tx: BudgetUnit, request: Request, handler: str, words: Sequence[str], changes: Changes
    ) -> None:
        """The same person or car, asked about by another handler not long ago: both requests say so."""
        now = request.created_at
        keys = [measures.object_key(self._ctx.hash_key, f"subject:{request.asker}:{word}") for word in words]
        earlier = await tx.subject_uses(keys, now - self._ctx.settings.same_subject)
        if others := list(dict.fromkeys(use.request_no for use in earlier if use.handler != handler)):
            last, count = others[-1], len(others)  # one event, however often it was asked
            told = last if count == 1 else f"{last}+{count - 1}"
            changes.events += request_events(
                self._ctx, request, "same-subject", now, head={"request_no": last, "count": count}, detail=told
            )
        changes.subject_uses += [SubjectUse(key, request.request_no, handler, now) for key in keys]


def family(matter: str) -> str:
    """`police.person-info.query` → `police.person-info`."""
    return matter.rsplit(".", 1)[0]


def _used_up(code: str, pointer: str, most: int) -> RejectedError:
    zh = f"每日上限 {most} 次，今日已用完；确有必要请由其他承办人申请"
    en = f"At most {most} a day, and they are used up; if it must be, another handler asks"
    if code == "break-glass-limit":
        zh, en = f"每日上限 {most} 次，今日已用完；请先审批后发出", f"At most {most} a day; have it approved first"
    return RejectedError(code, [FieldError(pointer=pointer, rule=code, detail=zh, detail_en=en)])
