"""Who handles a matter, how long somebody is held, questioned or reported at the border, whose telephone goes out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.requests import questioning
from gateway.core.routing import Participant, Staff, check_handler, check_level, introduced, phone_warnings
from lianzhi.errors import RejectedError
from schemas.catalogue import Kind, catalogue
from schemas.law.force import SHIPPED, put_in_force
from schemas.law.lookouts import level_of
from schemas.law.reading import LawFileError, read_law
from schemas.validation import cautions_of, parse_open
from tests.faults import DELETE, changed, example, faults

HIT, LOOKOUT, ENTRUST = "police.person-hit.alert", "police.person-control.request", "entrust.matter.request"
EXIT, EXIT_RENEW = "sanction.exit-restrict.request", "sanction.exit-restrict.renew"
LOCATE, VERIFY = "police.person-locate.request", "grid.verify.request"


@pytest.fixture(autouse=True)
def shipped() -> Iterator[None]:
    yield
    put_in_force(SHIPPED)


# --- the hold -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("until", "lawful"),
    [
        ("2026-04-02T23:00:00+08:00", True),
        ("2026-04-03T22:58:41+08:00", True),
        ("2026-04-03T14:58:41Z", True),
        ("2026-04-03T22:58:42+08:00", False),
        ("2026-04-12T22:58:41+08:00", False),
    ],
)
def test_nobody_is_held_for_more_than_a_day_after_the_hit(until: str, lawful: bool) -> None:
    data = changed(example(HIT), "/hold_until", until)
    if lawful:
        parse_open(catalogue()[HIT], data)
    else:
        assert faults(lambda: parse_open(catalogue()[HIT], data)) == [("/payload/hold_until", "hold-too-long")]
        parse_open(catalogue()[HIT], data, stored=True)


def test_a_court_may_set_another_hold() -> None:
    put_in_force(read_law({"lookouts.toml": limit("hold", 12, "hours")}))
    data = changed(example(HIT), "/hold_until", "2026-04-03T11:00:00+08:00")
    assert faults(lambda: parse_open(catalogue()[HIT], data)) == [("/payload/hold_until", "hold-too-long")]


def limit(name: str, most: int, unit: str) -> str:
    return f'[[entry]]\nname = "{name}"\nmost = {most}\nunit = "{unit}"\nsource = "本院规定"\nsince = 2026-01-01\n'


@pytest.mark.parametrize("text", [limit("patience", 1, "hours"), limit("hold", 24, "days"), limit("hold", 0, "hours")])
def test_a_limit_is_one_of_ours_in_its_unit(text: str) -> None:
    with pytest.raises(LawFileError):
        read_law({"lookouts.toml": text})


# --- the detention ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("decision", "days", "rule"),
    [
        ("detention-order", 15, None),
        ("detention-order", 1, None),
        ("detention-order", 0, "number-range"),
        ("detention-order", 16, "detention-too-long"),
        ("compelled-appearance", 1, "detention-days-not-needed"),
    ],
)
def test_the_days_of_a_detention(decision: str, days: int, rule: str | None) -> None:
    data = example(LOOKOUT) | {"decision": decision, "detention_days": days}
    if rule is None:
        assert cautions_of(catalogue()[LOOKOUT], parse_open(catalogue()[LOOKOUT], data)) == []
    else:
        assert faults(lambda: parse_open(catalogue()[LOOKOUT], data)) == [("/payload/detention_days", rule)]


def test_a_detention_without_its_days_is_told() -> None:
    told = cautions_of(catalogue()[LOOKOUT], parse_open(catalogue()[LOOKOUT], example(LOOKOUT)))
    assert [(t.pointer, t.rule) for t in told] == [("/payload/detention_days", "detention-days-missing")]
    assert "15" in told[0].detail and "CPL-118" in told[0].detail_en
    writ = parse_open(catalogue()[LOOKOUT], example(LOOKOUT) | {"decision": "compelled-appearance"})
    assert cautions_of(catalogue()[LOOKOUT], writ) == []


# --- the questioning ----------------------------------------------------------------------------------------------


@given(st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)))
def test_the_questioning_ends_eight_and_twenty_four_hours_after_the_handover(at: datetime) -> None:
    fact = questioning.begun("compelled-appearance", at)
    assert fact is not None
    ends = [datetime.fromisoformat(fact[name]) for name in ("since", "until", "longest")]
    assert ends == [at, at + timedelta(hours=8), at + timedelta(hours=24)]
    timers = [questioning.next_step("x-20260101-000001", fact, step) for step in range(3)]
    assert [t and (t.due_at, t.count) for t in timers] == [
        (at + timedelta(hours=7), 0),
        (at + timedelta(hours=23), 1),
        None,
    ]


@pytest.mark.parametrize("decision", ["detention-order", None])
def test_only_a_writ_starts_it(decision: str | None) -> None:
    assert questioning.begun(decision, datetime(2026, 4, 2, tzinfo=UTC)) is None


# --- the border notice --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("division", "level"),
    [("610199", "county"), ("610114", "county"), ("610100", "prefecture"), ("610000", "province"), (None, "county")],
)
def test_the_level_of_police_is_that_of_its_division(division: str | None, level: str) -> None:
    assert level_of(division) == level


def police(division: str | None) -> Participant:
    return Participant("police-1", Kind.POLICE, "公安（演示）", "police", "amqp", "police/1", division=division)


NOTICE = {"mode": "refuse-papers", "start_on": "2026-03-24"}
RENEWAL = {"mode": "refuse-papers", "current_end_on": "2026-06-23"}


@pytest.mark.parametrize(
    ("kind", "changes", "division", "kept"),
    [
        (EXIT, {**NOTICE, "end_on": "2026-06-24"}, "610199", True),
        (EXIT, {**NOTICE, "end_on": "2026-06-25"}, "610199", False),
        (EXIT, {**NOTICE, "end_on": "2026-06-25"}, None, False),
        (EXIT, {**NOTICE, "end_on": "2027-03-24"}, "610100", True),
        (EXIT, {**NOTICE, "end_on": "2027-03-25"}, "610100", False),
        (EXIT, {**NOTICE, "end_on": "2031-03-24"}, "610000", True),
        (EXIT, {"mode": "watch-border", "start_on": "2026-03-24", "end_on": "2027-03-24"}, "610199", True),
        (EXIT_RENEW, {**RENEWAL, "end_on": "2026-09-23"}, "610199", True),
        (EXIT_RENEW, {**RENEWAL, "end_on": "2026-09-24"}, "610199", False),
        (EXIT, {**NOTICE, "start_on": "2999-10-01", "end_on": "2999-12-31"}, "610199", True),
    ],
)
def test_a_border_notice_lasts_as_its_keeper_may_keep_it(
    kind: str, changes: dict[str, Any], division: str | None, kept: bool
) -> None:
    matter = catalogue()[kind]
    payload = parse_open(matter, example(kind) | changes)
    if kept:
        check_level(matter, payload, police(division))
        return
    with pytest.raises(RejectedError) as caught:
        check_level(matter, payload, police(division))
    (error,) = caught.value.errors
    assert (error.pointer, error.rule) == ("/payload/end_on", "exit-notice-too-long")
    assert "law/lookouts.toml" in error.detail and "公安（演示）" in error.detail


# --- who handles it -----------------------------------------------------------------------------------------------


DAY = date(2026, 3, 24)


def person(*roles: str, phone: str | None = None) -> Staff:
    return Staff("sn0199-0031", "书演示", "0031", frozenset(roles), date(2026, 1, 1), phone=phone)


@pytest.mark.parametrize(
    "roles", [("judge",), ("enforcement-officer",), ("handler",), ("clerk", "judge"), ("president",)]
)
def test_a_judge_or_an_officer_handles(roles: tuple[str, ...]) -> None:
    check_handler(person(*roles), LOCATE, DAY)


@pytest.mark.parametrize("matter", sorted(n for n, t in catalogue().items() if Kind.COURT in t.senders))
def test_a_clerk_does_not(matter: str) -> None:
    with pytest.raises(RejectedError) as caught:
        check_handler(person("clerk"), matter, DAY)
    assert [(e.pointer, e.rule) for e in caught.value.errors] == [("/handler", "handler-role")]


def test_the_longest_pattern_decides() -> None:
    put_in_force(
        read_law(
            {
                "handlers.toml": "".join(
                    f'[[entry]]\ntype = "{kind}"\nroles = ["{role}"]\nsource = "本院规定"\nsince = 2026-01-01\n'
                    for kind, role in (("grid.*", "clerk"), ("grid.visit.request", "judge"))
                )
            }
        )
    )
    check_handler(person("clerk"), VERIFY, DAY)
    for staff, matter in ((person("judge"), VERIFY), (person("clerk"), "grid.visit.request")):
        with pytest.raises(RejectedError):
            check_handler(staff, matter, DAY)
    check_handler(person("judge"), LOCATE, DAY)


def test_whoever_goes_out_can_call_the_handler() -> None:
    officer = person("judge")
    assert [w.rule for w in phone_warnings(officer, VERIFY, DAY)] == ["handler-phone-missing"]
    assert phone_warnings(officer, "sanction.dishonest.publish", DAY) == []
    assert phone_warnings(person("judge", phone="13800138007"), VERIFY, DAY) == []
    reachable = person("judge", phone="13800138007")
    for matter in (VERIFY, LOCATE, LOOKOUT, "police.vehicle-control.request", "grid.visit.request"):
        assert introduced(reachable, matter, DAY)["phone"] == "13800138007"
    for matter in ("sanction.dishonest.publish", EXIT, ENTRUST, "police.person-info.query"):
        assert introduced(reachable, matter, DAY) == {"name": "书演示", "permit": "0031"}
    demanded = '[[entry]]\ntype = "grid.*"\nphone_required = true\nsource = "本院规定"\nsince = 2026-01-01\n'
    put_in_force(read_law({"visits.toml": demanded}))
    with pytest.raises(RejectedError) as caught:
        check_handler(officer, VERIFY, DAY)
    assert [e.rule for e in caught.value.errors] == ["handler-phone-required"]
    check_handler(person("judge", phone="13800138007"), VERIFY, DAY)
    check_handler(officer, LOCATE, DAY)


def test_the_days_of_a_detention_that_another_court_carries_out() -> None:
    whereabouts = {
        "ref": "d2f6h8jk",
        "kind": "whereabouts",
        "party": example(LOOKOUT)["person"],
        "decision": "detention-order",
        "address": {"division_code": "610528", "detail": "演示路1号"},
        "seen_on": "2026-03-20",
    }
    data = example(ENTRUST) | {"matter_code": "control-person", "objects": [whereabouts]}
    data = changed(changed(data, "/start_on", DELETE), "/end_on", DELETE)
    told = cautions_of(catalogue()[ENTRUST], parse_open(catalogue()[ENTRUST], data))
    assert [(t.pointer, t.rule) for t in told] == [("/payload/objects/0/detention_days", "detention-days-missing")]
    sixteen = changed(data, "/objects/0/detention_days", 16)
    assert faults(lambda: parse_open(catalogue()[ENTRUST], sixteen)) == [
        ("/payload/objects/0/detention_days", "detention-too-long")
    ]
