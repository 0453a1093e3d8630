"""Who must have agreed before anything leaves (docs/domain.md section 4).

The approvals in a signed submission are the court system's word; they are checked against the registered staff:
an approver is registered and valid on the day, holds the role that is claimed, is neither the drafter, the handler, the
backup handler nor the leader in charge, and counts once. What is approved is named by its digest (`over`), and not too
long ago (docs/adr/0024). The same rules hold for approvals that are given later, one at a time (docs/adr/0014).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Protocol

from gateway.core.routing import Staff
from gateway.core.time.calendar import SHANGHAI
from lianzhi.errors import RejectedError
from lianzhi.problem import FieldError
from schemas.catalogue import ApprovalRule

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
    @property
    def over(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class ApprovalTerms:
    """required: whether each approval must name what it is over (`approvals.bound`). max_age: from the approval to the
    submission; max_age_of: by matter type."""

    required: bool = False
    max_age: timedelta = timedelta(days=7)
    max_age_of: Mapping[str, timedelta] = field(default_factory=dict)

    def age_of(self, matter: str) -> timedelta:
        return self.max_age_of.get(matter, self.max_age)


@dataclass(frozen=True, slots=True)
class Approved:
    """What an approval is about. over: its digest. time: of the submission, or of the act that gives the approval.
    ahead: how far another clock may be ahead of ours."""

    over: str
    time: datetime
    max_age: timedelta
    ahead: timedelta
    required: bool = False


Barred = Mapping[str, tuple[str, str, str]]
"""Staff number → what this person is in the matter: rule, zh, en."""


def barred_from(
    *, drafter: str, handler: str | None = None, backup: str | None = None, lead: str | None = None
) -> dict[str, tuple[str, str, str]]:
    """Who may not approve, because it is their own matter. The nearer role is named first."""
    people = (
        (lead, ("approval-by-lead", "包案领导", "the leader in charge")),
        (backup, ("approval-by-backup", "协办人（B岗）", "the backup handler")),
        (handler, ("approval-by-drafter", "承办人", "the handler")),
        (drafter, ("approval-by-drafter", "起草人", "the drafter")),
    )
    return {number: role for number, role in people if number is not None}


def check_approvals(
    rule: ApprovalRule,
    approvals: Sequence[Approval],
    *,
    barred: Barred,
    staff: Mapping[str, Staff],
    now: datetime,
    act: Approved | None = None,
    may_wait: bool = False,
) -> bool:
    """Whether they are all there. may_wait: those that are missing are given later. act: what they are about; None:
    that was judged when they came.

    Raises RejectedError: unknown-staff (an approver who is nobody, or not in that role), approvals-missing.
    """
    if not rule.people:  # nobody asks for them
        barred = {}
    seen: set[str] = set()
    for index, approval in enumerate(approvals):
        pointer = f"/approvals/{index}"
        ahead = timedelta(0) if act is None else act.ahead
        check_approver(approval, barred=barred, seen=seen, staff=staff, now=now, pointer=pointer, ahead=ahead)
        if act is not None:
            check_act(approval, act, now=now, needed=rule.people > 0, pointer=pointer)
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
    barred: Barred,
    seen: Collection[str],
    staff: Mapping[str, Staff],
    now: datetime,
    pointer: str = "",
    code: str = "approvals-missing",
    ahead: timedelta = timedelta(0),
) -> None:
    """Whether this person may decide this, now. seen: who decided already. ahead: of another clock.

    Raises RejectedError: unknown-staff, or `code` with the rule that is broken.
    """
    if datetime.fromisoformat(approval.at) - now > ahead:
        raise _fault(
            code, f"{pointer}/at", "approval-in-future", "审批时间在将来", "The approval is dated in the future"
        )
    person = staff.get(approval.by)
    if person is None or not person.valid_on(_day(approval.at)) or not person.valid_on(_day_of(now)):
        raise RejectedError("unknown-staff", pointer=f"{pointer}/by")
    if approval.role not in person.roles:
        held = "、".join(sorted(person.roles)), ", ".join(sorted(person.roles))
        zh, en = f"{approval.by} 登记的职务是 {held[0]}", f"{approval.by} is registered as {held[1]}"
        raise _fault(
            "unknown-staff",
            f"{pointer}/role",
            "unknown-staff",
            f"{zh}，不是 {approval.role}",
            f"{en}, not as {approval.role}",
        )
    if approval.by in barred:
        rule, zh, en = barred[approval.by]
        raise _fault(
            code,
            f"{pointer}/by",
            rule,
            f"{approval.by} 是本件的{zh}，不得审批自己的申请；请由其他有审批权的人员审批",
            f"{approval.by} is {en} of this matter and may not approve it; somebody else who may approve must",
        )
    if approval.by in seen:
        raise _fault(
            code,
            f"{pointer}/by",
            "approval-twice",
            f"{approval.by} 审批了两次，须为不同的人",
            f"{approval.by} approved twice; another person must",
        )
    if approval.role not in APPROVING:
        may = sorted(APPROVING)
        raise _fault(
            code,
            f"{pointer}/role",
            "approval-role-barred",
            f"{approval.role} 无审批权；可审批的职务：{'、'.join(may)}",
            f"{approval.role} may not approve; these may: {', '.join(may)}",
        )


def check_act(
    approval: Approval,
    act: Approved,
    *,
    now: datetime,
    needed: bool = True,
    pointer: str = "",
    code: str = "approvals-missing",
) -> None:
    """Whether the approval is over this very act, and not too old for it. needed: whether the matter asks for any.

    Raises RejectedError with `code`: approval-over, approval-unbound, approval-too-old, approval-in-future.
    """
    if approval.over is not None and approval.over != act.over:
        zh = "type、receivers、case_no、handler、payload、documents"
        en = "type, receivers, case_no, handler, payload and documents"
        raise _fault(
            code,
            f"{pointer}/over",
            "approval-over",
            f"审批的不是这份内容：over 须为本件 {zh} 的摘要（RFC 8785，SHA-256）；内容有改动须重新审批",
            f"Not what was approved: `over` is the digest (RFC 8785, SHA-256) of {en}; changes are approved anew",
        )
    if not needed:
        return
    if approval.over is None and act.required:
        zh, en = "审批须写明所审批内容的摘要 over", "An approval must name by `over` what was approved"
        raise _fault(code, f"{pointer}/over", "approval-unbound", zh, en)
    at, days = datetime.fromisoformat(approval.at), act.max_age / timedelta(days=1)
    if act.time - at > act.max_age:
        zh = f"审批距提交已超过 {days:g} 天，须重新审批"
        raise _fault(
            code,
            f"{pointer}/at",
            "approval-too-old",
            zh,
            f"Given more than {days:g} days before the submission; it must be given anew",
        )
    if at - min(act.time, now) > act.ahead:
        zh, en = "审批时间晚于提交时间", "The approval is dated after the submission"
        raise _fault(code, f"{pointer}/at", "approval-in-future", zh, en)


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
    if person is None or not person.valid_on(_day_of(now)):
        raise RejectedError("unknown-staff", pointer="/break_glass/by")
    if not person.roles & BREAKS_GLASS:
        held, may = sorted(person.roles), sorted(BREAKS_GLASS)
        raise _fault(
            "unknown-staff",
            "/break_glass/by",
            "unknown-staff",
            f"{by} 登记的职务是 {'、'.join(held)}，先行发出须为 {'、'.join(may)}",
            f"{by} is registered as {', '.join(held)}; to have it sent first one must be {', '.join(may)}",
        )
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
