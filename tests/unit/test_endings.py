"""What was opened can be ended: the payload is built from what was asked, and nothing of it is guessed."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.catalogue import LiveMeasure, MatterType, catalogue
from schemas.commissions import COMMISSIONS, ENDS
from schemas.validation import parse_open
from tests.faults import CONTROL, ENTRUST, SEAL, example

OPENING = sorted(
    name
    for name, matter in catalogue().items()
    if (rule := matter.measure(parse_open(matter, example(name)))) is not None and rule.effect == "open"
)
REASONS = ("paid", "settled", "ended", "revoked")


def live(ref: str, **members: Any) -> LiveMeasure:
    return LiveMeasure(
        **{
            "measure_no": "court-sn0199-20260301-000007-1",
            "ref": ref,
            "request_no": "court-sn0199-20260301-000007",
            "case_no": "（2026）陕0199执900001号",
            "number": "BK6101990000001",
            "published_no": "court-sn0199-20260301-000007",
            "start_on": "2026-03-24",
            "end_on": "2027-03-01",
            "on": "2026-06-01",
            **members,
        }
    )


def ended(matter: MatterType, reason: str, **members: Any) -> Any:
    payload = parse_open(matter, example(matter.name))
    rule = matter.measure(payload)
    assert rule is not None
    assert matter.ending is not None
    assert matter.ended_by is not None
    ending = catalogue()[matter.ended_by]
    return ending, parse_open(ending, dict(matter.ending(payload, live(rule.objects[0][0], **members), reason))), rule


@pytest.mark.parametrize("name", OPENING)
@pytest.mark.parametrize("reason", REASONS)
def test_every_type_that_opens_a_measure_knows_its_ending(name: str, reason: str) -> None:
    ending, payload, opened = ended(catalogue()[name], reason)
    rule = ending.measure(payload)
    assert rule is not None
    assert (rule.effect, rule.action, rule.objects) == ("end", opened.action, opened.objects)
    assert rule.per_receiver == opened.per_receiver


def test_whatever_opens_a_measure_can_be_let_go() -> None:
    assert {CONTROL, SEAL, ENTRUST, "sanction.dishonest.publish", "sanction.grace.set"} <= set(OPENING)


@pytest.mark.parametrize(
    ("name", "members", "code"),
    [(CONTROL, {"number": None}, "number-missing"), (SEAL, {"end_on": None}, "term-missing")],
)
def test_what_the_partner_never_told_needs_a_hand(name: str, members: dict[str, Any], code: str) -> None:
    with pytest.raises(ValueError, match=code):
        ended(catalogue()[name], "paid", **members)


def test_every_commission_that_opens_a_measure_names_what_undoes_it() -> None:
    """A renewal that was registered too late opens one, too."""
    opening = {code for code, row in COMMISSIONS.items() if row.effect in ("open", "renew")}
    assert opening == ENDS.keys()
    for code, ending in ENDS.items():
        assert (COMMISSIONS[ending].effect, COMMISSIONS[ending].object) == ("end", COMMISSIONS[code].object)
        assert COMMISSIONS[ending].action == COMMISSIONS[code].action
