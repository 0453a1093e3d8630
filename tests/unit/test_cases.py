"""What letting a case go withdraws, what it ends, what it leaves alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.records import Measure, Request
from gateway.core.requests.cases import FINISHED, REASSIGNED, acknowledged, plan
from gateway.core.requests.lifecycle import STATES, TERMINAL, is_done

NOW = datetime(2026, 3, 24, 2, 0, tzinfo=UTC)
CASE = "（2026）陕0199执900001号"


def request(number: int, state: str = "accepted", **members: Any) -> Request:
    return Request(
        **{
            "request_no": f"court-sn0199-20260324-{number:06d}",
            "type": "police.vehicle-seal.request",
            "version": 1,
            "shape": "ask",
            "state": state,
            "asker": "court-sn0199",
            "asked": "police-610199",
            "created_at": NOW,
            "updated_at": NOW,
            "case_no": CASE,
            **members,
        }
    )


def measure(of: Request, state: str = "active") -> Measure:
    return Measure(
        measure_no=f"{of.request_no}-1",
        request_no=of.request_no,
        type=of.type,
        action="seal",
        case_no=CASE,
        object_key="k" * 64,
        ref="v5t9c2hb",
        state=state,
        asked=of.asked,
    )


def test_a_request_is_withdrawn_until_it_has_opened_a_measure() -> None:
    asking, sealed = request(1), request(2, "completed", facts={"measure": "open"})
    live, asked_for = measure(sealed), measure(asking, "requested")
    chosen = plan([asking, sealed], [live, asked_for], set())
    assert chosen.withdraw == [asking]
    assert chosen.end == [live]


def test_a_measure_of_a_request_that_goes_on_is_ended_and_the_request_kept() -> None:
    partial = request(1, "partial", facts={"measure": "open"})
    chosen = plan([partial], [measure(partial)], set())
    assert (chosen.withdraw, chosen.end) == ([], [measure(partial)])


def test_a_measure_that_waits_in_line_is_ended() -> None:
    queued = request(1, "completed", facts={"measure": "queue"})
    assert plan([queued], [measure(queued, "requested")], set()).end == [measure(queued, "requested")]


def test_an_ending_under_way_is_neither_withdrawn_nor_asked_for_again() -> None:
    sealed = request(1, "closed", facts={"measure": "open"})
    ending = request(2, "delivered", facts={"measure": "end", "targets": [f"{sealed.request_no}-1"]})
    chosen = plan([sealed, ending], [measure(sealed)], set())
    assert (chosen.withdraw, chosen.end) == ([], [])
    assert chosen.under_way == [(measure(sealed), ending)]


def test_an_ending_that_failed_is_asked_for_again() -> None:
    sealed = request(1, "closed", facts={"measure": "open"})
    ending = request(2, "impossible", facts={"measure": "end", "targets": [f"{sealed.request_no}-1"]})
    assert plan([sealed, ending], [measure(sealed)], set()).end == [measure(sealed)]


@pytest.mark.parametrize("spared", ["request", "measure"])
def test_what_an_exception_names_stays(spared: str) -> None:
    sealed = request(1, "closed", facts={"measure": "open"})
    named = sealed.request_no if spared == "request" else f"{sealed.request_no}-1"
    chosen = plan([sealed], [measure(sealed)], {named})
    assert (chosen.end, chosen.spared) == ([], [f"{sealed.request_no}-1"])


def test_where_the_case_is_stays_true() -> None:
    notice = request(1, "sent", shape="notice", type=REASSIGNED)
    assert plan([notice], [], set()).withdraw == []


states = st.sampled_from(sorted(STATES["ask"]))
effects = st.sampled_from([{}, {"measure": "open"}, {"measure": "end"}, {"measure": "renew"}])


@given(st.lists(st.tuples(states, effects, st.sampled_from(["none", "requested", "active", "ended"])), max_size=8))
def test_nothing_of_a_case_is_forgotten_or_done_twice(rows: list[tuple[str, dict[str, str], str]]) -> None:
    requests = [request(n, state, facts=dict(facts)) for n, (state, facts, _) in enumerate(rows, 1)]
    measures = [measure(r, kept) for r, (_, _, kept) in zip(requests, rows, strict=True) if kept != "none"]
    chosen = plan(requests, measures, set())
    leaving = {r.request_no for r in chosen.withdraw} | {r.request_no for _, r in chosen.under_way}
    ending = {m.measure_no for m in chosen.end} | {m.measure_no for m, _ in chosen.under_way if m is not None}
    for one in measures:
        if one.state in ("requested", "active"):
            assert (one.measure_no in ending) != (one.request_no in leaving)
    for one_request in requests:
        if one_request.request_no in {r.request_no for r in chosen.withdraw}:
            assert not is_done(one_request)
            assert one_request.facts.get("measure") != "end"
    assert len(ending) == len(chosen.end) + len([m for m, _ in chosen.under_way if m is not None])


@given(st.sampled_from([(shape, state) for shape in STATES for state in sorted(STATES[shape])]))
def test_a_last_word_is_an_answer_or_an_end(row: tuple[str, str]) -> None:
    shape, state = row
    expected = state in TERMINAL[shape] or state in ("partial", *FINISHED) or (shape, state) == ("notice", "read")
    assert acknowledged(request(1, state, shape=shape)) is expected
