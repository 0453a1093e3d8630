"""Who must have agreed before anything leaves (docs/domain.md section 4).

The approvals in a signed submission are the court system's word; they are checked against the registered staff:
an approver is registered and valid on the day, holds the role that is claimed, is neither the drafter nor the handler,
and counts once. The same rules hold for approvals that are given later, one at a time (docs/adr/0014).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from gateway.core.routing import Staff
from gateway.errors import RejectedError
from schemas.catalogue import ApprovalRule
from schemas.problem import FieldError

SHANGHAI = ZoneInfo("Asia/Shanghai")


# Who may decide at all; a colleague of the handler's own rank may not [D].
APPROVING = frozenset({"president", "vice-president", "bureau-chief", "deputy-bureau-chief"})
# Who may send first and have it approved afterwards [D].
BREAKS_GLASS = frozenset({"president", "bureau-chief"})


class Approval(Protocol):
    """One line of a submission's `approvals`. at: RFC 3339 with offset."""

    @property
    def by(self) -> str: ...
    @property
    def role(self) -> str: ...
    @property
    def decision(self) -> str: ...
    @property
    def at(self) -> str: ...


def check_approvals(
    rule: ApprovalRule,
    approvals: Sequence[Approval],
    *,
    drafter: str,
    staff: Mapping[str, Staff],
    now: datetime,
    handler: str | None = None,
    may_wait: bool = False,
) -> bool:
    """Whether they are all there. may_wait: those that are missing are given later.

    Raises RejectedError: unknown-staff (an approver who is nobody, or not in that role), approvals-missing.
    """
    barred = {drafter, handler} if rule.people else set()
    seen: set[str] = set()
    for index, approval in enumerate(approvals):
        pointer = f"/approvals/{index}"
        check_approver(approval, barred=barred, seen=seen, staff=staff, now=now, pointer=pointer)
        if approval.decision != "approve":
            raise _fault(
                "approvals-missing",
                f"{pointer}/decision",
                "approval-rejected",
                "审批意见为不同意",
                "An approver said no",
            )
        seen.add(approval.by)
    missing = lacking(rule, [(approval.by, approval.role) for approval in approvals])
    if missing is not None and not may_wait:
        raise RejectedError("approvals-missing", [missing])
    return missing is None


def check_approver(
    approval: Approval,
    *,
    barred: Collection[str | None],
    seen: Collection[str],
    staff: Mapping[str, Staff],
    now: datetime,
    pointer: str = "",
    code: str = "approvals-missing",
) -> None:
    """Whether this person may decide this, now. barred: the drafter and the handler; seen: who decided already.

    Raises RejectedError: unknown-staff, or `code` with the rule that is broken.
    """
    person = staff.get(approval.by)
    if person is None or not person.valid_on(_day(approval.at)) or not person.valid_on(_day_of(now)):
        raise RejectedError("unknown-staff", pointer=f"{pointer}/by")
    if approval.role not in person.roles:
        raise RejectedError("unknown-staff", pointer=f"{pointer}/role")
    if datetime.fromisoformat(approval.at) > now:
        raise _fault(
            code, f"{pointer}/at", "approval-in-future", "审批时间在将来", "The approval is dated in the future"
        )
    if approval.by in barred:
        raise _fault(
            code,
            f"{pointer}/by",
            "approval-by-drafter",
            "起草人和承办人不得审批自己的申请",
            "Neither the drafter nor the handler may approve",
        )
    if approval.by in seen:
        raise _fault(code, f"{pointer}/by", "approval-twice", "同一人审批了两次", "One person approved twice")
    if approval.role not in APPROVING:
        raise _fault(code, f"{pointer}/role", "approval-role-barred", "该职务无审批权", "This role may not approve")


def lacking(rule: ApprovalRule, approved: Collection[tuple[str, str]]) -> FieldError | None:
    """What is still missing. approved: (staff number, role) of each different approver who agreed."""
    people = {by for by, _ in approved}
    if len(people) < rule.people:
        detail = f"须有 {rule.people} 名不同审批人，现有 {len(people)} 名"
        english = f"{rule.people} different approvers are needed, {len(people)} found"
        return FieldError(pointer="/approvals", rule="approvals-count", detail=detail, detail_en=english)
    held = {role for _, role in approved}
    for role in rule.roles:
        if role not in held:
            zh, en = f"缺少 {role} 的审批", f"Approval by a {role} is missing"
            return FieldError(pointer="/approvals", rule="approval-role", detail=zh, detail_en=en)
    return None


def check_break_glass(by: str, *, drafter: str, staff: Mapping[str, Staff], now: datetime) -> None:
    """Whether this person may have something sent before it is approved (docs/domain.md section 4).

    Raises RejectedError: unknown-staff (nobody, or without such a role), break-glass-refused (the drafter).
    """
    person = staff.get(by)
    if person is None or not person.valid_on(_day_of(now)) or not person.roles & BREAKS_GLASS:
        raise RejectedError("unknown-staff", pointer="/break_glass/by")
    if by == drafter:
        raise _fault(
            "break-glass-refused",
            "/break_glass/by",
            "break-glass-by-drafter",
            "起草人不得自行决定先行发出",
            "The drafter may not order it sent first",
        )


def check_staff(numbers: Mapping[str, str | None], staff: Mapping[str, Staff], now: datetime) -> None:
    """pointer → staff number (None: absent, allowed). Raises RejectedError unknown-staff."""
    for pointer, number in numbers.items():
        if number is None:
            continue
        person = staff.get(number)
        if person is None or not person.valid_on(_day_of(now)):
            raise RejectedError("unknown-staff", pointer=pointer)


def _fault(code: str, pointer: str, rule: str, zh: str, en: str) -> RejectedError:
    return RejectedError(code, [FieldError(pointer=pointer, rule=rule, detail=zh, detail_en=en)])


def _day_of(moment: datetime) -> date:
    return moment.astimezone(SHANGHAI).date()


def _day(text: str) -> date:
    return _day_of(datetime.fromisoformat(text))
