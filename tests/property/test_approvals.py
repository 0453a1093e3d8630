"""However approvals are mixed: it leaves only with enough different people, each in a role they hold, none its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.approvals import APPROVING, Approved, barred_from, check_approvals, lacking
from gateway.core.routing import Staff
from lianzhi.errors import RejectedError
from schemas.catalogue import ApprovalRule

NOW = datetime(2026, 3, 24, 2, 0, tzinfo=UTC)
ROLES = ("president", "bureau-chief", "handler", "clerk")
ACT = Approved("a" * 43, NOW, timedelta(days=7), timedelta(minutes=5))
PEOPLE = tuple(f"sn0199-{n:04d}" for n in range(6))


@dataclass(frozen=True)
class Said:
    by: str
    role: str
    decision: str
    at: str
    over: str | None = None


said = st.builds(
    Said,
    by=st.sampled_from((*PEOPLE, "sn0199-9999")),
    role=st.sampled_from(ROLES),
    decision=st.sampled_from(("approve", "approve", "approve", "reject")),
    at=st.sampled_from(("2026-03-24T09:41:00+08:00", "2026-03-24T11:00:00+08:00", "2026-03-01T09:00:00+08:00")),
    over=st.sampled_from((None, ACT.over, "b" * 43)),
)
staff = st.fixed_dictionaries(
    {
        no: st.builds(
            Staff,
            no=st.just(no),
            name=st.just("某"),
            permit=st.just("p"),
            roles=st.frozensets(st.sampled_from(ROLES)),
            since=st.just(date(2026, 1, 1)),
            revoked=st.booleans(),
        )
        for no in PEOPLE
    }
)
rules = st.builds(ApprovalRule, people=st.integers(1, 3), roles=st.sampled_from(((), ("president",))))


@given(rules, st.lists(said, max_size=5), staff, st.lists(st.sampled_from(PEOPLE), min_size=4, max_size=4))
def test_nothing_leaves_by_the_word_of_its_own_people(
    rule: ApprovalRule, given_: list[Said], people: dict[str, Staff], own: list[str]
) -> None:
    drafter, handler, backup, lead = own
    try:
        complete = check_approvals(
            rule,
            given_,
            barred=barred_from(drafter=drafter, handler=handler, backup=backup, lead=lead),
            staff=people,
            now=NOW,
            act=ACT,
            may_wait=True,
        )
    except RejectedError:
        return
    for one in given_:
        assert one.by not in own
        assert one.over in (None, ACT.over)
        assert one.at == "2026-03-24T09:41:00+08:00"
        assert one.role in people[one.by].roles & APPROVING
        assert not people[one.by].revoked
        assert one.decision == "approve"
    assert len({one.by for one in given_}) == len(given_)
    assert complete == (len(given_) >= rule.people and {one.role for one in given_} >= set(rule.roles))


@given(rules, st.lists(st.tuples(st.sampled_from(PEOPLE), st.sampled_from(ROLES)), unique=True, max_size=6))
def test_one_more_approval_never_makes_more_missing(rule: ApprovalRule, approved: list[tuple[str, str]]) -> None:
    missing = [lacking(rule, approved[:n]) is not None for n in range(len(approved) + 1)]
    assert missing == sorted(missing, reverse=True)
