"""Commissioned matters: every row of the table, its objects, terms, papers and measures."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.catalogue import catalogue
from schemas.commission_objects import CommissionObject
from schemas.commissions import COMMISSIONS
from schemas.labels import DOCUMENTS
from schemas.validation import parse_open
from tests.faults import ENTRUST, ORIGINAL, faults

PARTY = {
    "ref": "k7m2q9xa",
    "name": "王演示",
    "id_kind": "resident-id",
    "id_no": "610199199003071237",
    "role": "被执行人",
}
ADDRESS = {"division_code": "610528", "detail": "演示村1号"}
PARTICULARS: dict[str, dict[str, Any]] = {
    "deposit": {"bank": "演示银行", "account_no": "6100000000900001", "amount": "1.00"},
    "wealth": {"institution": "演示银行", "product": "演示一号", "account_no": "6100000000900001", "amount": "1.00"},
    "equity": {"company": {"ref": "c4d8e2fg", "name": "演示公司", "uscc": "93610528MA6Y00001Y"}, "share": "30%"},
    "realty": {"unit_no": "610528001001GB00001F00010001", "location": "演示街1号"},
    "movable": {"description": "演示设备", "location": "演示村1号"},
    "subject": {"questions": ["名下有无宅基地？"]},
    "addressee": {"address": ADDRESS, "paper": "执行通知书（2026）陕0199执900001号"},
    "whereabouts": {"address": ADDRESS},
    "site": {"address": ADDRESS, "description": "协助清场"},
    "other": {"description": "其他事项"},
}


def commission(code: str) -> dict[str, Any]:
    row = COMMISSIONS[code]
    data: dict[str, Any] = {
        "matter_code": code,
        "entrusting": "陕0199",
        "entrusted": "陕0528",
        "place": "富平县",
        "objects": [{"ref": "d2f6h8jk", "kind": row.object, "party": PARTY, **PARTICULARS[row.object]}],
        "requested_days": row.days[1],
    }
    if row.years:
        data |= {"start_on": "2026-03-24", "end_on": f"{2026 + row.years}-03-24"}
    if row.effect in ("renew", "end"):
        data["original"] = ORIGINAL
    return data


@pytest.mark.parametrize("code", COMMISSIONS)
def test_every_matter_code(code: str) -> None:
    row, matter = COMMISSIONS[code], catalogue()[ENTRUST]
    data = commission(code)
    payload = parse_open(matter, data)
    assert payload.canonical() == data
    assert matter.coercive(payload) is (code not in ("investigate-property", "serve-document"))
    common = {"enforcement-ruling", "assistance-notice", "entrust-letter", "service-receipt", "work-permit-copy"}
    assert set(matter.documents(payload)) == common | set(row.papers)
    assert set(row.papers) <= set(DOCUMENTS)
    rule = matter.measure(payload)
    assert (rule.effect if rule else None) == row.effect
    if row.effect in ("renew", "end"):
        assert rule is not None and rule.measure_no == ORIGINAL["measure_no"]
        second = {**data["objects"][0], "ref": "e3g7j9km"}
        assert faults(lambda: parse_open(matter, {**data, "objects": [*data["objects"], second]})) == [
            ("/payload/objects/1", "one-object")
        ]


@pytest.mark.parametrize("code", [c for c, row in COMMISSIONS.items() if row.years])
def test_no_measure_is_longer_than_the_law_allows(code: str) -> None:
    data = {**commission(code), "end_on": f"{2026 + COMMISSIONS[code].years}-03-25"}
    assert faults(lambda: parse_open(catalogue()[ENTRUST], data)) == [("/payload/end_on", "term-too-long")]


def test_opening_and_ending_meet_at_the_same_object() -> None:
    matter = catalogue()[ENTRUST]
    for code, row in COMMISSIONS.items():
        if row.effect != "open":
            continue
        for other, later in COMMISSIONS.items():
            if later.effect and later.object == row.object and later.action == row.action:
                first = matter.measure(parse_open(matter, commission(code)))
                second = matter.measure(parse_open(matter, commission(other)))
                assert first is not None and second is not None and first.objects == second.objects


def test_detention_is_the_presidents() -> None:
    matter = catalogue()[ENTRUST]
    assert matter.approvals(parse_open(matter, commission("control-person"))).roles == ("president",)
    assert matter.approvals(parse_open(matter, commission("freeze-deposit"))).people == 0


def test_kinds_of_objects_are_no_members() -> None:
    """`validation` tells the tags of the union from member names by this."""
    union = CommissionObject.__origin__.__args__
    kinds = {kind for model in union for kind in model.model_fields["kind"].annotation.__args__}
    assert kinds == set(PARTICULARS)
    assert not kinds & {member for model in union for member in model.model_fields}
