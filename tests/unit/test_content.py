"""Results, other verbs, submissions and openings: what is read, and what is told about a slip."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from lianzhi.protocol.verbs import VERBS
from schemas.bodies import Opening, Submission
from schemas.catalogue import catalogue
from schemas.validation import check_case, parse_data, parse_open, parse_opening, validate
from tests.faults import CONTROL, DELETE, ENTRUST, GRID, HIT, PERSON, SEAL, changed, example, example_from_docs, faults

CASE = "（2026）陕0199执900001号"

# --- results and other verbs --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "at", "value", "pointer", "rule"),
    [
        (PERSON, "/outcome", "success", "/outcome", "unknown-code"),
        (PERSON, "/items", [], "/items", "items-missing"),
        (PERSON, "/ttl_hours", 73, "/ttl_hours", "number-range"),
        (PERSON, "/ttl_hours", DELETE, "/ttl_hours", "missing-member"),
        (PERSON, "/items/0/sightings/0/precision", "gps", "/items/0/sightings/0/precision", "unknown-code"),
        (PERSON, "/as_of", "2026-03-25", "/as_of", "moment-form"),
        (SEAL, "/items/0/status", "failed", "/items/0/fail_reason", "fail-reason-required"),
        (SEAL, "/items/0/status", "queued", "/items/0/rank", "rank-required"),
        (SEAL, "/items/0/end_on", "2026-03-01", "/items/0/end_on", "end-before-start"),
        (CONTROL, "/items/0/control_no", DELETE, "/items/0/control_no", "missing-member"),
        (GRID, "/items/0/lives_here", "maybe", "/items/0/lives_here", "unknown-code"),
        (GRID, "/items/0/last_seen_month", "2026-13", "/items/0/last_seen_month", "month-form"),
        (ENTRUST, "/items/0/amount", "86000.0", "/items/0/amount", "money-form"),
    ],
    ids=lambda v: str(v)[:40],
)
def test_slip_in_a_result(name: str, at: str, value: Any, pointer: str, rule: str) -> None:
    matter = catalogue()[name]
    data = changed(dict(matter.example_result), at, value)
    assert faults(lambda: parse_data(matter, "result", data)) == [(pointer, rule)]


def test_an_empty_answer_is_an_answer() -> None:
    for outcome in ("none", "impossible"):
        data: dict[str, Any] = {"outcome": outcome, "as_of": "2026-03-25T14:50:00+08:00", "ttl_hours": 72, "items": []}
        assert parse_data(catalogue()[PERSON], "result", data).canonical() == data


def test_one_line_for_each_object() -> None:
    matter = catalogue()[GRID]
    data = copy.deepcopy(dict(matter.example_result))
    data["items"].append(copy.deepcopy(data["items"][0]))
    assert faults(lambda: parse_data(matter, "result", data)) == [("/items/1/ref", "duplicate-ref")]


def test_other_verbs_are_the_same_for_every_type() -> None:
    receipt = {"received_at": "2026-03-24T10:31:52+08:00", "person": "赵演示", "badge": "061234"}
    assert parse_data(catalogue()[PERSON], "receipt", receipt).canonical() == receipt
    assert faults(lambda: parse_data(catalogue()[PERSON], "return", {"reason_code": "homonym"})) == [
        ("/contact_log", "missing-member")
    ]
    with pytest.raises(KeyError):
        parse_data(catalogue()[PERSON], "shout", {})
    assert all(verb.model or verb.name in ("open", "result", "correct") for verb in VERBS.values())


# --- submissions and openings -------------------------------------------------------------------------------------


def test_the_submission_of_the_docs() -> None:
    body = example_from_docs("What a court system signs")
    submission = validate(Submission, body)
    assert submission.canonical() == body
    assert body["payload"] == dict(catalogue()[PERSON].example_request)


def test_the_first_curl_of_the_docs() -> None:
    text = (Path(__file__).parents[2] / "docs" / "examples.md").read_text(encoding="utf-8")
    body = json.loads(text.split("<<'E'\n", 1)[1].split("\nE\n", 1)[0])
    submission = validate(Submission, body)
    assert submission.receiver == "grid-610199"
    assert submission.canonical() == body
    assert body["payload"] == dict(catalogue()[GRID].example_request)


@pytest.mark.parametrize(
    ("at", "value", "pointer", "rule"),
    [
        ("/case_no", "（2026）陕0199执900001", "/case_no", "case-number-form"),
        ("/legal_basis", ["INT-482", "XYZ-1"], "/legal_basis/1", "unknown-legal-basis"),
        ("/legal_basis", [], "/legal_basis", "too-few"),
        ("/urgency", "asap", "/urgency", "unknown-code"),
        ("/handler", DELETE, "/handler", "missing-member"),
        ("/color", "red", "/color", "extra-member"),
        ("/schema_version", True, "/schema_version", "wrong-type"),
        ("/receivers", ["police-610199", "police-610199"], "/receivers", "duplicate-receiver"),
        ("/approvals/0/at", "yesterday", "/approvals/0/at", "moment-form"),
        ("/documents/0/sha256", "AA", "/documents/0/sha256", "wrong-form"),
        ("/documents/0/media_type", "text/html", "/documents/0/media_type", "unknown-code"),
        ("/documents/0/pages", 0, "/documents/0/pages", "number-range"),
        ("/supersedes", "1", "/supersedes", "wrong-form"),
        ("/payload", [], "/payload", "wrong-type"),
    ],
    ids=lambda v: str(v)[:40],
)
def test_slip_in_a_submission(at: str, value: Any, pointer: str, rule: str) -> None:
    body = changed(example_from_docs("What a court system signs"), at, value)
    assert faults(lambda: validate(Submission, body)) == [(pointer, rule)]


def test_receiver_or_receivers_not_both() -> None:
    body = example_from_docs("What a court system signs")
    both = {**body, "receiver": "police-610199", "receivers": ["police-610114"]}
    assert faults(lambda: validate(Submission, both)) == [("/receivers", "receiver-and-receivers")]


def test_case_numbers_are_normalised_in_a_submission() -> None:
    body = changed(example_from_docs("What a court system signs"), "/case_no", "[2026] 陕0199执900001号")
    assert validate(Submission, body).case_no == CASE


def test_an_alert_may_say_nothing_of_its_request() -> None:
    """A dialect without a word for number, case or urgency: the number stands in the envelope."""
    opening = parse_opening(catalogue()[HIT], {"payload": example(HIT)})
    assert isinstance(opening, Opening)
    assert opening.request.urgency == "normal"
    assert "request" not in opening.canonical()


def test_opening_with_its_payload() -> None:
    opening = {
        "request": {"request_no": "court-sn0199-20260324-000001", "case_no": CASE, "legal_basis": ["INT-482"]},
        "court": {"code": "court-sn0199", "court_code": "陕0199", "name": "云川县人民法院（演示）"},
        "handler": {"name": "李演示", "permit": "陕0199-0007", "phone": "13800138000"},
        "payload": example(PERSON),
    }
    matter = catalogue()[PERSON]
    parsed = parse_opening(matter, opening)
    assert isinstance(parsed, Opening)
    assert parsed.canonical() == opening
    wrong = changed(opening, "/payload/person/id_no", "610199199003071238")
    assert faults(lambda: parse_opening(matter, wrong)) == [("/payload/person/id_no", "resident-id-checksum")]
    assert faults(lambda: parse_opening(matter, changed(opening, "/court/court_code", "陕0999"))) == [
        ("/court/court_code", "unknown-court")
    ]
    without_evidence = changed(opening, "/payload/person/obligor_evidence", None)
    assert parse_data(matter, "open", without_evidence)


@pytest.mark.parametrize(
    ("name", "case_no", "stage", "rule"),
    [
        (PERSON, CASE, None, None),
        (PERSON, None, None, "case-required"),
        (PERSON, "（2026）陕0199执异900001号", None, "case-not-enforcement"),
        (PERSON, "（2026）陕0199民初900001号", "pre-enforcement", "stage-coercive"),
        (GRID, None, None, "case-required"),
        (GRID, "（2026）陕0199执异900001号", None, None),
        (GRID, "（2026）陕0199民初900001号", None, "stage-required"),
        (GRID, "（2026）陕0199民初900001号", "pre-enforcement", None),
        (HIT, None, None, None),
    ],
)
def test_which_case_a_matter_may_rest_on(name: str, case_no: str | None, stage: str | None, rule: str | None) -> None:
    matter = catalogue()[name]
    payload = parse_open(matter, example(name))
    if rule is None:
        check_case(matter, payload, case_no, stage)
    else:
        assert faults(lambda: check_case(matter, payload, case_no, stage)) == [("/case_no", rule)]
