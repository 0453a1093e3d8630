"""Vehicles: terms, renewals, and what each matter does to the measures on a car."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.catalogue import catalogue
from schemas.validation import parse_data, parse_open
from schemas.values.labels import DOCUMENTS
from tests.faults import CANCEL, CONTROL, DELETE, HIT, LOCATE, ORIGINAL, PERSON, SEAL, changed, example, faults


def seal(action: str, **members: Any) -> Any:
    data = {**example(SEAL), "action": action, "original": ORIGINAL, **members}
    return parse_open(catalogue()[SEAL], {k: v for k, v in data.items() if v is not None})


def test_what_a_seal_does_to_its_measure() -> None:
    matter = catalogue()[SEAL]
    effects = {
        "open": matter.measure(seal("seal", original=None)),
        "queue": matter.measure(seal("queue")),
        "renew": matter.measure(seal("renew")),
        "end": matter.measure(seal("release", start_on=None, end_on=None, debt_amount=None)),
    }
    for effect, rule in effects.items():
        assert rule is not None
        assert (rule.action, rule.effect) == ("seal", effect)
        assert rule.objects == (("v5t9c2hb", "vin:LSVAM4187C2184847"),)
        assert rule.measure_no == (ORIGINAL["measure_no"] if effect in ("renew", "end") else None)


def test_a_renewal_leaves_no_gap_and_ends_later() -> None:
    seal("renew", start_on="2026-03-24", end_on="2028-03-23")
    assert faults(lambda: seal("renew", start_on="2026-03-25", end_on="2028-03-23")) == [
        ("/payload/start_on", "renewal-gap")
    ]
    assert faults(lambda: seal("renew", start_on="2026-01-01", end_on="2026-03-23")) == [
        ("/payload/end_on", "renewal-not-longer")
    ]


def test_a_release_has_no_term() -> None:
    assert faults(lambda: seal("release")) == [("/payload/start_on", "term-not-needed")]


def test_two_years_reach_over_a_leap_day() -> None:
    seal("seal", original=None, start_on="2028-02-29", end_on="2030-02-28")
    assert faults(lambda: seal("seal", original=None, start_on="2028-02-29", end_on="2030-03-01")) == [
        ("/payload/end_on", "term-too-long")
    ]


def test_control_and_search_rest_on_a_live_seal() -> None:
    control = catalogue()[CONTROL].measure(parse_open(catalogue()[CONTROL], example(CONTROL)))
    search = catalogue()[LOCATE].measure(parse_open(catalogue()[LOCATE], example(LOCATE)))
    assert control is not None and search is not None
    assert (control.action, control.effect, control.needs_live) == ("control", "open", "seal")
    assert (search.effect, search.needs_live) == ("require", "seal")
    sealed = catalogue()[SEAL].measure(seal("seal", original=None))
    assert sealed is not None and control.objects == search.objects == sealed.objects


def test_a_control_is_ended_by_its_cancel_whatever_the_plate() -> None:
    matter = catalogue()[CANCEL]
    assert catalogue()[CONTROL].ended_by == CANCEL
    payload = parse_open(matter, changed(example(CANCEL), "/vehicle/plate", "VA02345"))
    rule = matter.measure(payload)
    assert rule is not None and (rule.action, rule.effect, rule.measure_no) == ("control", "end", "BK6101990000001")


def test_a_hit_names_its_control() -> None:
    matter = catalogue()[HIT]
    assert matter.alert_control_no(parse_open(matter, example(HIT))) == "BK6101990000001"
    assert matter.urgent("acknowledge", "normal")


def test_a_car_is_checked_by_plate_and_vin_before_it_is_seized() -> None:
    good = {"by": "sn0199-0007", "at": "2026-04-02T23:40:00+08:00", "plate_ok": True, "vin_ok": True, "photo_ok": True}
    parse_data(catalogue()[HIT], "identity-check", good)
    for member in ("vin_ok", "photo_ok"):
        data = changed(good, f"/{member}", DELETE)
        assert faults(lambda data=data: parse_data(catalogue()[HIT], "identity-check", data)) == [  # type: ignore[misc]
            (f"/{member}", "missing-member")
        ]


@pytest.mark.parametrize(
    ("reason", "papers", "roles"),
    [
        ("missing-after-summons", {"summons-proof"}, ()),
        ("compelled-appearance", {"summons-proof", "compelled-appearance-writ"}, ("president",)),
        ("detention-order", {"detention-decision"}, ("president",)),
        ("enforce-act", {"enforcement-ruling"}, ()),
    ],
)
def test_papers_and_approvals_of_a_search(reason: str, papers: set[str], roles: tuple[str, ...]) -> None:
    matter = catalogue()[PERSON]
    payload = parse_open(matter, changed(example(PERSON), "/reason", reason))
    assert set(matter.documents(payload)) == papers <= set(DOCUMENTS)
    assert matter.approvals(payload).people == 2
    assert matter.approvals(payload).roles == roles
