"""Who may approve what, and when (docs/domain.md section 4): each rule by its own name and place."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import pytest

from gateway.core.approvals import (
    ApprovalTerms,
    Approved,
    barred_from,
    check_act,
    check_approvals,
    check_approver,
    check_break_glass,
    check_staff,
    lacking,
)
from gateway.core.routing import Staff
from lianzhi.errors import RejectedError
from schemas.catalogue import ApprovalRule

NOW = datetime(2026, 3, 24, 2, 0, tzinfo=UTC)
OVER = "a" * 43
ACT = Approved(OVER, NOW, timedelta(days=7), timedelta(minutes=5), required=True)
RULE = ApprovalRule(people=1, roles=("president",))


@dataclass(frozen=True)
class Said:
    by: str = "president"
    role: str = "president"
    decision: str = "approve"
    at: str = "2026-03-24T09:41:00+08:00"
    over: str | None = OVER


def person(no: str, *roles: str, revoked: bool = False, since: date = date(2026, 1, 1)) -> Staff:
    return Staff(no, "某", "p", frozenset(roles), since, revoked=revoked)


STAFF = {
    one.no: one
    for one in (
        person("president", "president", "handler"),
        person("chief", "bureau-chief"),
        person("handler", "handler"),
        person("gone", "president", revoked=True),
        person("tomorrow", "president", since=date(2026, 3, 25)),
    )
}


def told(error: RejectedError) -> tuple[str, str | None, str | None]:
    return error.code, error.pointer, error.errors[0].rule if error.errors else None


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        (Said(at="2026-03-24T11:00:00+08:00"), ("approvals-missing", "/at", "approval-in-future")),
        (Said("nobody"), ("unknown-staff", "/by", None)),
        (Said("gone"), ("unknown-staff", "/by", None)),
        (Said("tomorrow"), ("unknown-staff", "/by", None)),
        (Said("chief"), ("unknown-staff", "/role", "unknown-staff")),
        (Said("handler", "handler"), ("approvals-missing", "/by", "approval-by-drafter")),
        (Said("president", "handler"), ("approvals-missing", "/role", "approval-role-barred")),
    ],
    ids=str,
)
def test_who_may_not_approve(said: Said, fault: tuple[str, str, str | None]) -> None:
    barred = barred_from(drafter="clerk", handler="handler")
    with pytest.raises(RejectedError) as caught:
        check_approver(said, barred=barred, seen=(), staff=STAFF, now=NOW)
    code, pointer, rule = told(caught.value)
    assert (code, pointer) == fault[:2]
    assert fault[2] is None or rule == fault[2]


def test_nobody_approves_twice_and_another_clock_may_be_ahead() -> None:
    with pytest.raises(RejectedError, match="approvals-missing") as caught:
        check_approver(Said(), barred={}, seen=("president",), staff=STAFF, now=NOW)
    assert told(caught.value)[1:] == ("/by", "approval-twice")
    soon = Said(at="2026-03-24T10:04:00+08:00")
    check_approver(soon, barred={}, seen=(), staff=STAFF, now=NOW, ahead=timedelta(minutes=5))


def test_the_nearer_role_is_named() -> None:
    barred = barred_from(drafter="one", handler="one", backup="two", lead="two")
    assert {number: role[0] for number, role in barred.items()} == {
        "one": "approval-by-drafter",
        "two": "approval-by-backup",
    }


@pytest.mark.parametrize(
    ("said", "act", "pointer", "rule"),
    [
        (Said(over="b" * 43), ACT, "/over", "approval-over"),
        (Said(over=None), ACT, "/over", "approval-unbound"),
        (Said(at="2026-03-17T09:59:00+08:00"), ACT, "/at", "approval-too-old"),
        (Said(at="2026-03-24T10:06:00+08:00"), ACT, "/at", "approval-in-future"),
        (Said(), replace(ACT, time=NOW - timedelta(hours=1)), "/at", "approval-in-future"),
    ],
    ids=["another's", "of nothing", "too old", "later than the submission", "later than it was made"],
)
def test_what_an_approval_is_over(said: Said, act: Approved, pointer: str, rule: str) -> None:
    with pytest.raises(RejectedError, match="approvals-missing") as caught:
        check_act(said, act, now=NOW)
    assert told(caught.value)[1:] == (pointer, rule)


def test_where_nobody_asks_for_approvals_only_the_act_itself_must_be_right() -> None:
    old = Said(at="2026-01-05T09:00:00+08:00", over=None)
    assert check_approvals(ApprovalRule(people=0), [old], barred={"president": ("r", "", "")}, staff=STAFF, now=NOW,
                           act=ACT)  # fmt: skip
    with pytest.raises(RejectedError) as caught:
        check_act(replace(old, over="b" * 43), ACT, now=NOW, needed=False)
    assert told(caught.value)[2] == "approval-over"


def test_what_is_still_missing_may_be_given_later() -> None:
    two = ApprovalRule(people=2, roles=("president",))
    assert check_approvals(RULE, [Said()], barred={}, staff=STAFF, now=NOW, act=ACT)
    assert not check_approvals(two, [Said()], barred={}, staff=STAFF, now=NOW, act=ACT, may_wait=True)
    with pytest.raises(RejectedError, match="approvals-missing") as caught:
        check_approvals(two, [Said()], barred={}, staff=STAFF, now=NOW, act=ACT)
    assert told(caught.value)[1:] == ("/approvals", "approvals-count")
    with pytest.raises(RejectedError) as caught:
        check_approvals(RULE, [Said(decision="reject")], barred={}, staff=STAFF, now=NOW, act=ACT)
    assert told(caught.value)[1:] == ("/approvals/0/decision", "approval-rejected")
    missing = lacking(two, [("chief", "bureau-chief"), ("other", "bureau-chief")])
    assert missing is not None and missing.rule == "approval-role"
    assert lacking(two, [("chief", "bureau-chief"), ("president", "president")]) is None


@pytest.mark.parametrize(
    ("by", "pointer", "code"),
    [
        ("nobody", "/break_glass/by", "unknown-staff"),
        ("gone", "/break_glass/by", "unknown-staff"),
        ("handler", "/break_glass/by", "unknown-staff"),
        ("chief", "/break_glass/by", "break-glass-refused"),
    ],
)
def test_who_may_not_have_it_sent_first(by: str, pointer: str, code: str) -> None:
    with pytest.raises(RejectedError) as caught:
        check_break_glass(by, drafter="chief", staff=STAFF, now=NOW)
    assert (caught.value.code, caught.value.pointer) == (code, pointer)
    check_break_glass("president", drafter="chief", staff=STAFF, now=NOW)


def test_o15_who_is_registered_without_the_role_is_told_the_role() -> None:
    with pytest.raises(RejectedError) as caught:
        check_break_glass("handler", drafter="chief", staff=STAFF, now=NOW)
    [error] = caught.value.errors
    assert "登记的职务是" in error.detail and "president" in error.detail_en
    with pytest.raises(RejectedError) as caught:
        check_break_glass("nobody", drafter="chief", staff=STAFF, now=NOW)
    assert "登记的职务是" not in caught.value.errors[0].detail


def test_everybody_who_is_named_is_registered() -> None:
    check_staff({"/handler": "handler", "/backup": None}, STAFF, NOW)
    for number in ("nobody", "gone"):
        with pytest.raises(RejectedError, match="unknown-staff") as caught:
            check_staff({"/handler": "handler", "/backup": number}, STAFF, NOW)
        assert caught.value.pointer == "/backup"


def test_how_old_an_approval_may_be_depends_on_the_matter() -> None:
    terms = ApprovalTerms(max_age_of={"grid.verify.request": timedelta(days=1)})
    assert terms.age_of("grid.verify.request") == timedelta(days=1)
    assert terms.age_of("grid.visit.request") == timedelta(days=7)
