"""What was opened can be ended: the payload is built from what was asked, and nothing of it is guessed."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.catalogue import ApprovalRule, Deadline, DeadlineKind, LiveMeasure, MatterType, catalogue
from schemas.declare import ending_of
from schemas.matters.entrust.commissions import COMMISSIONS, ENDS
from schemas.parts.endings import ends
from schemas.validation import parse_open
from schemas.values.objects import Person
from tests.faults import CONTROL, ENTRUST, NOTICE, SEAL, example


def having(effect: str) -> list[str]:
    """The types whose example does that to a measure."""
    rules = {name: matter.measure(parse_open(matter, example(name))) for name, matter in catalogue().items()}
    return sorted(name for name, rule in rules.items() if rule is not None and rule.effect == effect)


OPENING = having("open")
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


@pytest.mark.parametrize("name", [*OPENING, *having("renew")])
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


@pytest.mark.parametrize("name", having("end"))
def test_what_ends_a_measure_goes_the_way_of_what_made_it(name: str) -> None:
    """By the same, to the same, and without approval: who has paid must be let go (docs/domain.md section 4)."""
    ending = catalogue()[name]
    made = [matter for matter in catalogue().values() if matter.ended_by == name]
    assert made
    for matter in made:
        assert (matter.senders, matter.receivers, matter.fan_out) == (ending.senders, ending.receivers, ending.fan_out)
    assert ending.approvals(parse_open(ending, example(name))) == ApprovalRule()


@pytest.mark.parametrize("name", having("renew"))
def test_what_prolongs_a_measure_needs_what_made_it_needed(name: str) -> None:
    renewal = catalogue()[name]
    made = next(m for m in catalogue().values() if m.ended_by == renewal.ended_by and m.name in OPENING)
    asked, again = parse_open(made, example(made.name)), parse_open(renewal, example(name))
    assert renewal.approvals(again) == made.approvals(asked)
    assert renewal.coercive(again) == made.coercive(asked)
    assert (renewal.deadline, renewal.request_class) == (made.deadline, made.request_class)


def test_nothing_ends_what_names_no_ending() -> None:
    with pytest.raises(ValueError, match="names no type that ends"):
        ending_of(
            catalogue()[NOTICE],
            zh="",
            en="",
            help_zh="",
            help_en="",
            request=Person,
            result_item=Person,
            measure=lambda person: ends("control", (), person.ref),
            deadline=Deadline(DeadlineKind.CLOCK_HOURS, 24),
            example_request={},
            example_result={},
        )
