"""Approvals, origins, measures, routing, retry: the pure rules beside the state machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from gateway.core.approvals import barred_from, check_approvals, check_staff
from gateway.core.control.measures import ended, in_force_on, object_key, requested, settled
from gateway.core.records import Request
from gateway.core.retry import Backoff
from gateway.core.routing import Directory, Participant, Staff, admit
from lianzhi.errors import RejectedError
from schemas.catalogue import ApprovalRule, Kind, MeasureRule, catalogue

NOW = datetime(2026, 3, 24, 2, 0, tzinfo=UTC)
RULE = ApprovalRule(people=2, roles=("president",))


@dataclass(frozen=True)
class Said:
    by: str
    role: str
    decision: str = "approve"
    at: str = "2026-03-24T09:41:00+08:00"
    over: str | None = None


def person(no: str, *roles: str, since: date = date(2026, 1, 1), revoked: bool = False) -> Staff:
    return Staff(no, "某", "p", frozenset(roles), since, revoked=revoked)


STAFF = {
    s.no: s
    for s in (
        person("chief", "bureau-chief"),
        person("president", "president"),
        person("drafter", "bureau-chief", "clerk"),
        person("gone", "president", revoked=True),
        person("new", "president", since=date(2026, 3, 25)),
    )
}


def approve(*said: Said, rule: ApprovalRule = RULE) -> None:
    check_approvals(rule, said, barred=barred_from(drafter="drafter"), staff=STAFF, now=NOW)


CHIEF, PRESIDENT = Said("chief", "bureau-chief"), Said("president", "president")


def test_two_people_and_the_president() -> None:
    approve(CHIEF, PRESIDENT)


@pytest.mark.parametrize(
    ("said", "code", "rule"),
    [
        ((), "approvals-missing", "approvals-count"),
        ((PRESIDENT,), "approvals-missing", "approvals-count"),
        ((CHIEF, replace(CHIEF)), "approvals-missing", "approval-twice"),
        ((Said("drafter", "bureau-chief"), PRESIDENT), "approvals-missing", "approval-by-drafter"),
        ((CHIEF, replace(PRESIDENT, decision="reject")), "approvals-missing", "approval-rejected"),
        ((CHIEF, replace(PRESIDENT, at="2026-03-25T09:41:00+08:00")), "approvals-missing", "approval-in-future"),
        ((CHIEF, Said("chief2", "president")), "unknown-staff", "unknown-staff"),
        ((CHIEF, Said("gone", "president")), "unknown-staff", "unknown-staff"),
        ((CHIEF, Said("new", "president")), "unknown-staff", "unknown-staff"),
        ((Said("chief", "president"), PRESIDENT), "unknown-staff", "unknown-staff"),
    ],
)
def test_approvals_that_do_not_hold(said: Sequence[Said], code: str, rule: str) -> None:
    with pytest.raises(RejectedError) as caught:
        approve(*said)
    assert (caught.value.code, caught.value.errors[0].rule) == (code, rule)


def test_a_missing_role_is_named() -> None:
    with pytest.raises(RejectedError) as caught:
        approve(CHIEF, rule=ApprovalRule(people=1, roles=("president",)))
    assert caught.value.errors[0].rule == "approval-role"


def test_staff_must_be_registered_and_valid() -> None:
    check_staff({"/handler": "chief", "/lead": None}, STAFF, NOW)
    with pytest.raises(RejectedError) as caught:
        check_staff({"/handler": "gone"}, STAFF, NOW)
    assert caught.value.pointer == "/handler"


def request() -> Request:
    return Request(
        request_no="court-sn0199-20260324-000001",
        type="police.vehicle-seal.request",
        version=1,
        shape="ask",
        state="delivered",
        asker="court-sn0199",
        asked="police-610199",
        created_at=NOW,
        updated_at=NOW,
        case_no="（2026）陕0199执900001号",
    )


FAILED = {"ref": "aaaaaaaa", "status": "failed"}
SEAL = MeasureRule("seal", "open", (("aaaaaaaa", "陕A12345|LSV"), ("bbbbbbbb", "陕B12345|LSV")))


def test_measures_are_requested_under_a_keyed_hash() -> None:
    first, second = requested(SEAL, request(), b"k")
    assert (first.measure_no, first.state) == ("court-sn0199-20260324-000001-1", "requested")
    assert first.object_key == object_key(b"k", "陕A12345|LSV") != object_key(b"other", "陕A12345|LSV")
    assert "陕" not in first.object_key
    assert second.ref == "bbbbbbbb"


def test_each_receiver_keeps_a_measure_of_its_own_where_the_rule_says_so() -> None:
    one, other = request(), replace(request(), request_no="court-sn0199-20260324-000002", asked="police-610198")
    own = replace(SEAL, per_receiver=True)
    keys = {m.object_key for asked in (one, other) for m in requested(own, asked, b"k")}
    assert len(keys) == 4
    assert keys.isdisjoint({m.object_key for m in requested(SEAL, one, b"k")})
    assert {m.object_key for m in requested(SEAL, one, b"k")} == {m.object_key for m in requested(SEAL, other, b"k")}


def test_a_measure_is_in_force_until_its_last_day() -> None:
    grace, _ = requested(replace(SEAL, end_on="2026-06-10"), request(), b"k")
    assert in_force_on(grace, "2026-06-10")
    assert not in_force_on(grace, "2026-06-11")
    assert in_force_on(grace, None)
    assert in_force_on(replace(grace, end_on=None), "2099-01-01")
    assert not in_force_on(replace(grace, state="ended"), "2026-06-10")


def test_only_what_was_done_becomes_active() -> None:
    both = requested(SEAL, request(), b"k")
    items = [
        {"ref": "aaaaaaaa", "status": "done", "registry_no": "R1", "rank": 1, "end_on": "2028-03-23"},
        {"ref": "bbbbbbbb", "status": "failed"},
    ]
    first, second = settled(both, "partial", {"outcome": "partial", "items": items})
    assert (first.state, first.control_no, first.end_on) == ("active", "R1", "2028-03-23")
    assert second.state == "ended"


@pytest.mark.parametrize("outcome", ["none", "impossible"])
def test_a_result_that_did_nothing_frees_the_object_whatever_its_items_say(outcome: str) -> None:
    both = requested(SEAL, request(), b"k")
    said = {"outcome": outcome, "items": [{"ref": "aaaaaaaa", "status": "done"}]}
    assert {(m.state, m.ended_by) for m in settled(both, "completed", said)} == {("ended", outcome)}


@pytest.mark.parametrize("first", [{"outcome": "impossible"}, {"outcome": "partial", "items": [FAILED]}])
def test_what_was_done_after_all_is_active(first: dict[str, Any]) -> None:
    one = settled(requested(SEAL, request(), b"k"), "partial", first)[0]
    assert one.state == "ended"
    (again,) = settled([one], "completed", {"outcome": "done", "items": [{**FAILED, "status": "done"}]})
    assert (again.state, again.ended_by) == ("active", None)


def test_what_an_ending_has_ended_stays_ended() -> None:
    one = replace(requested(SEAL, request(), b"k")[0], state="ended", ended_by="court-sn0199-20260324-000002")
    assert settled([one], "completed", {"outcome": "done", "items": [{**FAILED, "status": "done"}]}) == []


def test_a_withdrawal_that_crossed_the_result_ends_the_measure_only_when_it_was_reversed() -> None:
    active = [replace(m, state="active") for m in requested(SEAL, request(), b"k")]
    assert {m.state for m in settled(active, "withdrawn", {"effect": "reversed"})} == {"ended"}
    assert settled(active, "completed", {"effect": "too-late"}) == []


def test_a_request_that_comes_to_nothing_frees_the_object() -> None:
    both = requested(SEAL, request(), b"k")
    assert {m.state for m in settled(both, "refused", {})} == {"ended"}
    active = [replace(m, state="active") for m in both]
    assert settled(active, "refused", {}) == []


def test_an_active_measure_ends_only_when_its_ending_was_done() -> None:
    active = [replace(m, state="active") for m in requested(SEAL, request(), b"k")]
    assert ended(active, "x", [{"ref": "aaaaaaaa", "status": "failed"}]) == []
    assert {m.state for m in ended(active, "x", [{"ref": "aaaaaaaa", "status": "done"}])} == {"ended"}


def participant(code: str, kind: Kind, **more: object) -> Participant:
    return Participant(code=code, kind=kind, zh="某", en="x", channel="amqp", dialect="plain/1", **more)  # type: ignore[arg-type]


COURT = participant("court-sn0199", Kind.COURT, home=True, opens=("*",), accepts=("*",))
POLICE = participant("police-610199", Kind.POLICE, accepts=("police.*",), opens=("police.vehicle-hit.alert",))
LOCATE, HIT = (catalogue()[n] for n in ("police.person-locate.request", "police.vehicle-hit.alert"))


def test_admission_fails_closed() -> None:
    admit(LOCATE, COURT, POLICE)
    admit(HIT, POLICE, COURT)
    for matter, sender, receiver, code in (
        (LOCATE, POLICE, COURT, "not-allowed"),
        (LOCATE, COURT, replace(POLICE, accepts=()), "receiver-does-not-take"),
        (LOCATE, COURT, replace(POLICE, enabled=False), "receiver-does-not-take"),
        (LOCATE, COURT, replace(POLICE, kind=Kind.GRID), "receiver-does-not-take"),
        (LOCATE, replace(COURT, opens=()), POLICE, "not-allowed"),
        (HIT, replace(POLICE, opens=("police.person-*",)), COURT, "not-allowed"),
    ):
        with pytest.raises(RejectedError, match=code):
            admit(matter, sender, receiver)


def test_exactly_one_home() -> None:
    assert Directory([COURT, POLICE]).home is COURT
    for parties in ([POLICE], [COURT, replace(POLICE, home=True)]):
        with pytest.raises(ValueError, match="home"):
            Directory(parties)


def test_backoff_grows_and_is_capped() -> None:
    backoff = Backoff(timedelta(seconds=1), 2.0, timedelta(minutes=5))
    assert [backoff.after(n).total_seconds() for n in (1, 2, 3, 10, 10_000)] == [1, 2, 4, 300, 300]
