"""Who must have agreed before anything leaves (docs/domain.md section 4).

The approvals in a signed submission are the court system's word; they are checked against the registered staff:
an approver is registered and valid on the day, holds the role that is claimed, is not the drafter, and counts once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from gateway.core.routing import Staff
from gateway.errors import RejectedError
from schemas.catalogue import ApprovalRule
from schemas.problem import FieldError

SHANGHAI = ZoneInfo("Asia/Shanghai")


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
    rule: ApprovalRule, approvals: Sequence[Approval], *, drafter: str, staff: Mapping[str, Staff], now: datetime
) -> None:
    """Raises RejectedError: unknown-staff (an approver who is nobody, or not in that role), approvals-missing."""
    approved: dict[str, set[str]] = {}
    for index, approval in enumerate(approvals):
        pointer = f"/approvals/{index}"
        person = staff.get(approval.by)
        if person is None or not person.valid_on(_day(approval.at)) or not person.valid_on(_day_of(now)):
            raise RejectedError("unknown-staff", pointer=f"{pointer}/by")
        if approval.role not in person.roles:
            raise RejectedError("unknown-staff", pointer=f"{pointer}/role")
        if datetime.fromisoformat(approval.at) > now:
            raise _missing(
                f"{pointer}/at", "approval-in-future", "审批时间在将来", "The approval is dated in the future"
            )
        if approval.decision != "approve":
            raise _missing(f"{pointer}/decision", "approval-rejected", "审批意见为不同意", "An approver said no")
        if approval.by == drafter and rule.people:
            raise _missing(
                f"{pointer}/by", "approval-by-drafter", "承办起草人不得审批自己的申请", "The drafter may not approve"
            )
        if approval.by in approved:
            raise _missing(f"{pointer}/by", "approval-twice", "同一人审批了两次", "One person approved twice")
        approved[approval.by] = {approval.role}
    if len(approved) < rule.people:
        detail = f"须有 {rule.people} 名不同审批人，现有 {len(approved)} 名"
        english = f"{rule.people} different approvers are needed, {len(approved)} found"
        raise _missing("/approvals", "approvals-count", detail, english)
    held = set().union(*approved.values()) if approved else set()
    for role in rule.roles:
        if role not in held:
            raise _missing("/approvals", "approval-role", f"缺少 {role} 的审批", f"Approval by a {role} is missing")


def check_staff(numbers: Mapping[str, str | None], staff: Mapping[str, Staff], now: datetime) -> None:
    """pointer → staff number (None: absent, allowed). Raises RejectedError unknown-staff."""
    for pointer, number in numbers.items():
        if number is None:
            continue
        person = staff.get(number)
        if person is None or not person.valid_on(_day_of(now)):
            raise RejectedError("unknown-staff", pointer=pointer)


def _missing(pointer: str, rule: str, zh: str, en: str) -> RejectedError:
    return RejectedError("approvals-missing", [FieldError(pointer=pointer, rule=rule, detail=zh, detail_en=en)])


def _day_of(moment: datetime) -> date:
    return moment.astimezone(SHANGHAI).date()


def _day(text: str) -> date:
    return _day_of(datetime.fromisoformat(text))
