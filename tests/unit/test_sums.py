"""What is secured in a case: sums in fact decide, sums that are asked for only warn."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.control.sums import Sums, in_fact, sums
from gateway.core.records import Measure

MONEY = st.decimals(min_value=0, max_value=10**9, places=2).map(lambda d: f"{d:.2f}")


def measure(**members: Any) -> Measure:
    values: dict[str, Any] = {
        "measure_no": "court-sn0199-20260324-000001-1",
        "request_no": "court-sn0199-20260324-000001",
        "type": "entrust.matter.request",
        "action": "freeze",
        "case_no": "（2026）陕0199执900001号",
        "object_key": "k",
        "ref": "v5t9c2hb",
        "state": "active",
        "asked": "court-sn0528",
    }
    return Measure(**(values | members))


@pytest.mark.parametrize(
    ("members", "worth"),
    [
        ({"amount": "416000.00", "seized": "31.20"}, "31.20"),
        ({"amount": "416000.00"}, None),  # nobody said how much
        ({"action": "seal", "amount": "150000.00"}, "150000.00"),  # a thing is worth what was stated
        ({"action": "seal", "amount": "150000.00", "appraised": "90000.00"}, "90000.00"),
        ({"action": "seal"}, None),
        ({"seized": "10.00", "state": "requested"}, None),
        ({"seized": "10.00", "state": "lapsed"}, None),
        ({"action": "control", "amount": "1.00"}, None),
    ],
)
def test_what_a_measure_secures(members: dict[str, Any], worth: str | None) -> None:
    assert in_fact(measure(**members)) == worth


def test_asked_amounts_count_while_the_answer_is_out() -> None:
    asked = measure(state="requested", amount="416000.00")
    queued = measure(state="requested", rank=2, amount="50.00")
    frozen = measure(amount="416000.00", seized="31.20")
    assert sums([asked, queued, frozen]) == Sums(Decimal("31.20"), Decimal("416000.00"))
    assert sums([queued, frozen]).asked == 0


def test_facts_refuse_and_what_is_asked_warns() -> None:
    little = sums([measure(amount="416000.00", seized="31.20")])
    assert not little.covers("416000.00")
    assert not little.may_cover("416000.00", ["150000.00"])
    out = sums([measure(state="requested", amount="416000.00")])
    assert not out.covers("416000.00")
    assert out.may_cover("416000.00", ["150000.00"])
    assert not Sums().may_cover("100.00", ["150.00"])  # one thing may be worth more
    assert Sums().may_cover("100.00", ["100.00", "1.00"])
    assert Sums(Decimal(100)).covers("100.00")


@given(st.lists(MONEY, max_size=5), st.lists(MONEY, max_size=5), MONEY)
def test_what_covers_may_cover(facts: list[str], asked: list[str], debt: str) -> None:
    there = [measure(seized=amount) for amount in facts]
    there += [measure(state="requested", amount=amount) for amount in asked]
    found = sums(there)
    assert found.in_fact == sum((Decimal(a) for a in facts), Decimal(0))
    assert found.asked == sum((Decimal(a) for a in asked), Decimal(0))
    assert found.may_cover(debt, []) or not found.covers(debt)
