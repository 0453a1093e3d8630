"""Petitions, suggestions, unclear orders, witnesses and reviews: who asks, in how many days, and each slip."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.contract import Canonical
from adapters.registry import adapter_for
from schemas.catalogue import DeadlineKind, Kind, catalogue
from schemas.validation import documents_of, parse_data, parse_open
from tests.faults import DELETE, changed, example, faults

PETITION, SUGGESTION, CLARIFY, WITNESS, REVIEW = (
    "petition.supervise.assign",
    "procuratorate.suggestion.issue",
    "trial.clarify.request",
    "witness.invite.send",
    "review.package.request",
)

SLIPS: list[tuple[str, str, Any, str, str]] = [
    (PETITION, "/assigned_on", "2026-03-22", "/assigned_on", "end-before-start"),
    (PETITION, "/due_on", "2026-04-25", "/due_on", "term-too-long"),
    (PETITION, "/due_on", "2026-03-24", "/due_on", "end-before-start"),
    (PETITION, "/backup", "李演示", "/backup", "owner-is-backup"),
    (PETITION, "/owner", DELETE, "/owner", "missing-member"),
    (PETITION, "/issue", "weather", "/issue", "unknown-code"),
    (PETITION, "/phone", "12345", "/phone", "phone-form"),
    (SUGGESTION, "/points", [], "/points", "too-few"),
    (SUGGESTION, "/points/1/ref", "r6c2d8fg", "/points/1/ref", "duplicate-ref"),
    (SUGGESTION, "/issued_on", "2026-03-15", "/issued_on", "end-before-start"),
    (SUGGESTION, "/cause", "taste", "/cause", "unknown-code"),
    (CLARIFY, "/doubts", [], "/doubts", "too-few"),
    (CLARIFY, "/doubts/0/order", " ", "/doubts/0/order", "text-form"),
    (CLARIFY, "/asked_on", "2025-11-17", "/asked_on", "end-before-start"),
    (CLARIFY, "/judgment/case_no", "民初1号", "/judgment/case_no", "case-number-form"),
    (WITNESS, "/ends_at", "2026-04-02T08:30:00+08:00", "/ends_at", "end-before-start"),
    (WITNESS, "/ends_at", "2026-04-02T00:20:00Z", "/ends_at", "end-before-start"),
    (WITNESS, "/decline_by", "2026-04-02T08:30:00+08:00", "/decline_by", "decline-by-late"),
    (WITNESS, "/area", "990199", "/area", "division-form"),
    (WITNESS, "/place", "云川县工业路9号", "/place", "extra-member"),
    (WITNESS, "/party", "王演示", "/party", "extra-member"),
    (WITNESS, "/act", "arrest", "/act", "unknown-code"),
    (REVIEW, "/cases", [], "/cases", "too-few"),
    (REVIEW, "/end_on", "2025-12-31", "/end_on", "end-before-start"),
    (REVIEW, "/parts", ["proofs", "proofs"], "/parts/1", "duplicate-value"),
    (REVIEW, "/need", "看看", "/need", "too-short"),
    (REVIEW, "/mandate_no", DELETE, "/mandate_no", "missing-member"),
]


@pytest.mark.parametrize(("name", "at", "value", "pointer", "rule"), SLIPS, ids=lambda v: str(v)[:40])
def test_slip(name: str, at: str, value: Any, pointer: str, rule: str) -> None:
    data = changed(example(name), at, value)
    assert faults(lambda: parse_open(catalogue()[name], data)) == [(f"/payload{pointer}", rule)]


def test_a_case_is_reviewed_once() -> None:
    data = example(REVIEW)
    data["cases"].append({"ref": "t3h7j5kn", "case_no": "(2026)陕0199执900001号"})
    assert faults(lambda: parse_open(catalogue()[REVIEW], data)) == [("/payload/cases/1/case_no", "duplicate-value")]


def answer(name: str, outcome: str = "done", **members: Any) -> Any:
    """A result of one line: the example's first, with members changed (None: taken out)."""
    result = dict(catalogue()[name].example_result)
    line = {k: v for k, v in {**result["items"][0], **members}.items() if v is not None}
    return parse_data(catalogue()[name], "result", {**result, "outcome": outcome, "items": [line]})


@pytest.mark.parametrize(
    ("name", "members", "pointer", "rule"),
    [
        (PETITION, {"answer": "not-resolved"}, "/reason", "reason-required"),
        (PETITION, {"answer": "ignored"}, "/answer", "unknown-code"),
        (SUGGESTION, {"reply_no": None}, "/reply_no", "document-no-required"),
        (SUGGESTION, {"answer": "not-adopted"}, "/reason", "reason-required"),
        (SUGGESTION, {"answer": "partly-adopted"}, "/reason", "reason-required"),
        (CLARIFY, {"meaning": None}, "/meaning", "meaning-required"),
        (CLARIFY, {"answer": "corrected"}, "/ruling_no", "document-no-required"),
        (CLARIFY, {"answer": "cannot"}, "/reason", "reason-required"),
        (WITNESS, {"attendees": None}, "/attendees", "attendance-required"),
        (WITNESS, {"verdict": None}, "/verdict", "attendance-required"),
        (WITNESS, {"verdict": "concerns", "opinion": None}, "/opinion", "attendance-required"),
        (REVIEW, {"package": None}, "/package", "package-required"),
        (REVIEW, {"provided_at": None}, "/provided_at", "package-required"),
        (REVIEW, {"answer": "withheld", "package": None}, "/reason", "reason-required"),
    ],
    ids=str,
)
def test_slip_in_an_answer(name: str, members: dict[str, Any], pointer: str, rule: str) -> None:
    assert faults(lambda: answer(name, **members)) == [(f"/items/0{pointer}", rule)]


# --- more time ----------------------------------------------------------------------------------------------------

MORE_TIME = {
    "due_on": "2026-06-20",
    "extended_to": "2026-07-20",
    "approved_by": "院演示",
    "approved_on": "2026-06-18",
    "reason": "须鉴定",
}
EXTENDED = (PETITION, SUGGESTION)


@pytest.mark.parametrize("name", EXTENDED)
def test_an_extension_is_a_step_with_its_approver(name: str) -> None:
    answer(name, "partial", answer="extended", extension=MORE_TIME)
    told = faults(lambda: answer(name, "done", answer="extended", extension=MORE_TIME))
    assert told == [("/outcome", "more-to-follow")]


@pytest.mark.parametrize("name", EXTENDED)
@pytest.mark.parametrize(
    ("changes", "pointer", "rule"),
    [
        ({"extended_to": "2026-06-20"}, "/extension/extended_to", "extension-not-longer"),
        ({"extended_to": "2026-07-21"}, "/extension/extended_to", "term-too-long"),
        ({"approved_on": "2026-06-21"}, "/extension/approved_on", "extension-late"),
    ],
    ids=str,
)
def test_slip_in_an_extension(name: str, changes: dict[str, Any], pointer: str, rule: str) -> None:
    extension = {**MORE_TIME, **changes}
    found = faults(lambda: answer(name, "partial", answer="extended", extension=extension))
    assert found == [(f"/items/0{pointer}", rule)]


@pytest.mark.parametrize("name", EXTENDED)
def test_an_extension_comes_with_the_answer_that_says_so_and_with_no_other(name: str) -> None:
    assert faults(lambda: answer(name, "partial", answer="extended")) == [("/items/0/extension", "extension-required")]
    assert faults(lambda: answer(name, extension=MORE_TIME)) == [("/items/0/extension", "extension-not-needed")]
    unapproved = {k: v for k, v in MORE_TIME.items() if k != "approved_by"}
    assert faults(lambda: answer(name, "partial", answer="extended", extension=unapproved)) == [
        ("/items/0/extension/approved_by", "missing-member")
    ]


def test_one_month_more_is_a_month_of_the_calendar() -> None:
    """From the end of January to that of February, and from a long month to the next."""
    for due_on, last in (("2027-01-31", "2027-02-28"), ("2026-07-31", "2026-08-31")):
        extension = {**MORE_TIME, "due_on": due_on, "extended_to": last, "approved_on": "2026-06-18"}
        (line,) = answer(SUGGESTION, "partial", answer="extended", extension=extension).canonical()["items"]
        assert line["extension"] == extension


@pytest.mark.parametrize(
    ("name", "members"),
    [(WITNESS, {"answer": "accepts"}), (REVIEW, {"answer": "preparing", "package": None, "provided_at": None})],
    ids=str,
)
def test_a_step_is_never_done(name: str, members: dict[str, Any]) -> None:
    assert faults(lambda: answer(name, **members)) == [("/outcome", "more-to-follow")]
    answer(name, "partial", **members)


def test_one_unfinished_point_keeps_the_whole_suggestion_open() -> None:
    result = dict(catalogue()[SUGGESTION].example_result)
    first, second = result["items"]
    items = [first, {"ref": second["ref"], "answer": "extended", "extension": MORE_TIME}]
    told = faults(lambda: parse_data(catalogue()[SUGGESTION], "result", {**result, "items": items}))
    assert told == [("/outcome", "more-to-follow")]
    parse_data(catalogue()[SUGGESTION], "result", {**result, "outcome": "partial", "items": items})


# --- who, to whom, in how many days -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "senders", "receivers", "kind", "amount"),
    [
        (PETITION, {Kind.OFFICE, Kind.COURT}, {Kind.COURT}, DeadlineKind.LEGAL_DAYS, 30),
        (SUGGESTION, {Kind.PROCURATORATE}, {Kind.COURT}, DeadlineKind.LEGAL_MONTHS, 3),
        (CLARIFY, {Kind.COURT}, {Kind.OFFICE, Kind.COURT}, DeadlineKind.LEGAL_DAYS, 15),
        (WITNESS, {Kind.COURT}, {Kind.WITNESS, Kind.PROCURATORATE}, DeadlineKind.WORKING_DAYS, 2),
        (REVIEW, {Kind.OFFICE}, {Kind.COURT}, DeadlineKind.WORKING_DAYS, 10),
    ],
)
def test_direction_and_term(
    name: str, senders: set[Kind], receivers: set[Kind], kind: DeadlineKind, amount: int
) -> None:
    matter = catalogue()[name]
    assert (matter.senders, matter.receivers) == (senders, receivers)
    assert (matter.deadline.kind, matter.deadline.amount) == (kind, amount)
    assert not matter.coercive(parse_open(matter, example(name)))


async def test_a_witness_is_not_told_whose_case_it_is() -> None:
    request = {"request_no": "court-sn0199-20260324-000041", "case_no": "（2026）陕0199执900001号"}
    paper = {
        "kind": "enforcement-ruling",
        "number": "（2026）陕0199执900001号",
        "issued_on": "2026-03-20",
        "sha256": "e1" * 32,
        "pages": 1,
        "media_type": "application/pdf",
    }
    asked = {"request": {**request, "legal_basis": ["CPL-253"]}, "documents": [paper], "payload": example(WITNESS)}
    said = await adapter_for("plain/1").encode(Canonical(WITNESS, "open", asked))
    assert "900001" not in str(said)
    assert said["payload"]["area"] == "610199"


def test_the_package_is_a_paper_that_the_asker_may_fetch() -> None:
    assert documents_of(dict(catalogue()[REVIEW].example_result)) == ["d1" * 32]
