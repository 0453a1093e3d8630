"""A renewal continues a measure only when it was registered before its end; later it is a new one (SFK 27)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.core.control.renewals import Renewed, renewals
from gateway.core.records import Measure, Request
from tests.unit.test_sums import measure

NOW = datetime(2026, 6, 2, 2, 0, tzinfo=UTC)
RENEWAL = Request(
    "court-sn0199-20260220-000009", "police.vehicle-seal.request", 1, "ask", "completed", "court-sn0199",
    "police-610199", NOW, NOW, case_no="（2026）陕0199执900001号",
)  # fmt: skip
END, LATER = "2026-03-01", "2028-05-31"


def seal(**members: Any) -> Measure:
    given = {
        "action": "seal",
        "state": "lapsed",
        "start_on": "2025-03-01",
        "end_on": END,
        "rank": 1,
        "control_no": "CF-1",
    }
    return measure(**(given | members))


def said(**item: Any) -> dict[str, Any]:
    line = {"ref": "r5t9c2hb", "status": "done", "end_on": LATER, **item}
    return {"outcome": "done", "as_of": "2026-06-01T10:00:00+08:00", "items": [line]}


def found(one: Measure, answer: dict[str, Any]) -> Renewed:
    return renewals([one], RENEWAL, answer, NOW)


@pytest.mark.parametrize("item", [{"registered_on": END}, {"start_on": "2026-02-27"}, {"start_on": END}])
def test_registered_before_the_end_it_goes_on(item: dict[str, Any]) -> None:
    ((before, after),) = found(seal(), said(**item)).continued
    assert (before.state, after.state, after.measure_no) == ("lapsed", "active", before.measure_no)
    assert (after.start_on, after.end_on, after.rank) == ("2025-03-01", LATER, 1)


@pytest.mark.parametrize(
    "item", [{"start_on": "2026-06-01"}, {"registered_on": "2026-03-02", "start_on": "2026-03-01"}, {}]
)
def test_registered_after_the_end_it_is_another_measure(item: dict[str, Any]) -> None:
    result = found(seal(), said(registry_no="CF-2", **item))
    assert (result.continued, result.lapsed) == ([], [])
    ((old, new),) = result.anew
    first = item.get("registered_on") or item.get("start_on") or "2026-06-01"
    assert (old.state, new.state, new.measure_no) == ("lapsed", "active", f"{RENEWAL.request_no}-1")
    assert (new.start_on, new.end_on, new.rank, new.control_no) == (first, LATER, None, "CF-2")
    assert (new.ref, new.object_key) == ("r5t9c2hb", old.object_key)


def test_others_came_first() -> None:
    ((_, new),) = found(seal(), said(start_on="2026-06-01", status="queued", rank=2)).anew
    assert (new.state, new.rank) == ("requested", 2)


def test_an_end_that_has_passed_unnoticed_is_a_lapse_first() -> None:
    result = found(seal(state="active"), said(start_on="2026-06-01"))
    ((_, lapsed),) = result.lapsed
    assert lapsed.state == "lapsed" and len(result.anew) == 1


def test_a_live_one_is_not_joined_over_a_gap() -> None:
    live = seal(state="active", end_on="2026-12-31")
    assert found(live, said(start_on="2027-02-01")).gaps == [live.measure_no]
    for joined in ("2026-12-31", "2027-01-01"):  # the day after the end is the usual one
        ((_, after),) = found(live, said(start_on=joined)).continued
        assert (after.start_on, after.end_on) == ("2025-03-01", LATER)


def test_a_lookout_keeps_the_number_it_was_renewed_by() -> None:
    lookout = seal(action="control", control_no="BK-1")
    ((_, new),) = found(lookout, said(effective_at="2026-06-01T09:00:00+08:00")).anew
    assert (new.control_no, new.start_on) == ("BK-1", "2026-06-01")


def test_what_was_not_done_renews_nothing() -> None:
    assert found(seal(), said(status="failed", start_on=END)) == Renewed()
    assert found(seal(), {"outcome": "none", "as_of": "-", "items": []}) == Renewed()
