"""Letters between courts: who sells what several have sealed, and what one tells another of a debtor."""

from __future__ import annotations

from typing import Any

import pytest

from lianzhi.protocol.cards import Classification
from schemas.catalogue import DeadlineKind, Kind, Shape, catalogue
from schemas.legal import legal_code, legal_text
from schemas.validation import parse_data, parse_open
from schemas.values.labels import DOCUMENTS
from tests.faults import DELETE, changed, example, faults, opens

DISPOSAL, CLUE = "entrust.disposal-right.request", "court.clue.share"

SLIPS: list[tuple[str, str, Any, str, str]] = [
    (DISPOSAL, "/first_court", "陕0199", "/first_court", "same-court"),
    (DISPOSAL, "/first_court", "陕0999", "/first_court", "unknown-court"),
    (DISPOSAL, "/first_sealed_on", "2026-01-23", "/asked_on", "disposal-not-due"),
    (DISPOSAL, "/first_case_no", "富平执11号", "/first_case_no", "case-number-form"),
    (DISPOSAL, "/own_rank", 1, "/own_rank", "number-range"),
    (DISPOSAL, "/priority", "because", "/priority", "unknown-code"),
    (DISPOSAL, "/claim", "860000", "/claim", "money-form"),
    (DISPOSAL, "/objects", [], "/objects", "too-few"),
    (DISPOSAL, "/objects/0/kind", "deposit", "/objects/0/kind", "unknown-code"),
    (DISPOSAL, "/reason", " ", "/reason", "text-form"),
    (CLUE, "/clues", [], "/clues", "clues-missing"),
    (CLUE, "/clues", DELETE, "/clues", "clues-missing"),
    (CLUE, "/kind", "rumour", "/kind", "unknown-code"),
    (CLUE, "/clues/0/kind", "rumour", "/clues/0/kind", "unknown-code"),
    (CLUE, "/clues/0/source", DELETE, "/clues/0/source", "missing-member"),
    (CLUE, "/clues/0/learned_on", "三月", "/clues/0/learned_on", "day-form"),
    (CLUE, "/clues/0/ref", "k7m2q9xa", "/clues/0/ref", "duplicate-ref"),
    (CLUE, "/own_cases", ["（2026）陕0199执900001号"] * 2, "/own_cases/1", "duplicate-value"),
    (CLUE, "/debtor/id_no", DELETE, "/debtor/id_no", "id-required"),
]


@pytest.mark.parametrize(("name", "at", "value", "pointer", "rule"), SLIPS, ids=lambda v: str(v)[:40])
def test_slip(name: str, at: str, value: Any, pointer: str, rule: str) -> None:
    data = changed(example(name), at, value)
    assert faults(lambda: parse_open(catalogue()[name], data)) == [(f"/payload{pointer}", rule)]


def test_a_shared_debtor_comes_with_the_cases_of_the_court_that_tells() -> None:
    data = {**example(CLUE), "kind": "co-debtor", "clues": []}
    parse_open(catalogue()[CLUE], data)
    assert faults(lambda: parse_open(catalogue()[CLUE], {**data, "own_cases": []})) == [
        ("/payload/own_cases", "cases-missing")
    ]


def test_sixty_one_days_are_enough() -> None:
    opens(DISPOSAL, changed(example(DISPOSAL), "/first_sealed_on", "2026-01-22"))


ANSWERS: list[tuple[str, str, Any, str, str]] = [
    (DISPOSAL, "/letter_no", DELETE, "/letter_no", "letter-required"),
    (DISPOSAL, "/letter", DELETE, "/letter", "letter-required"),
    (DISPOSAL, "/transferred_on", DELETE, "/transferred_on", "letter-required"),
    (DISPOSAL, "/answer", "declined", "/reason", "reason-required"),
    (DISPOSAL, "/answer", "later", "/answer", "unknown-code"),
    (DISPOSAL, "/first_claim", "12", "/first_claim", "money-form"),
    (CLUE, "/answer", "unusable", "/reason", "reason-required"),
    (CLUE, "/answer", "thanks", "/answer", "unknown-code"),
    (CLUE, "/own_cases", ["执12号"], "/own_cases/0", "case-number-form"),
]


@pytest.mark.parametrize(("name", "at", "value", "pointer", "rule"), ANSWERS, ids=lambda v: str(v)[:40])
def test_slip_in_an_answer(name: str, at: str, value: Any, pointer: str, rule: str) -> None:
    result = changed(dict(catalogue()[name].example_result), f"/items/0{at}", value)
    assert faults(lambda: parse_data(catalogue()[name], "result", result)) == [(f"/items/0{pointer}", rule)]


def test_who_writes_to_whom_and_how_long_it_takes() -> None:
    for name, fan_out, deadline in (
        (DISPOSAL, False, (DeadlineKind.LEGAL_DAYS, 15)),
        (CLUE, True, (DeadlineKind.WORKING_DAYS, 5)),
    ):
        matter = catalogue()[name]
        assert (matter.shape, matter.senders, matter.receivers) == (Shape.ASK, {Kind.COURT}, {Kind.COURT})
        assert (matter.request_class, matter.result_class) == (Classification.SENSITIVE,) * 2
        assert (matter.fan_out, (matter.deadline.kind, matter.deadline.amount)) == (fan_out, deadline)
        assert matter.measure(parse_open(matter, example(name))) is None


def test_the_letter_comes_with_the_judgment_and_the_proof() -> None:
    matter = catalogue()[DISPOSAL]
    papers = matter.documents(parse_open(matter, example(DISPOSAL)))
    assert set(papers) == {"disposal-letter", "effective-judgment", "priority-proof"} <= set(DOCUMENTS)
    assert legal_code(legal_text("FASHI-2016-6")) == "FASHI-2016-6"
